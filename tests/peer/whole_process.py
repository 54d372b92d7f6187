"""The whole-process peer of `eagleray pds FILE --dt DT --segment-size S --compat stingray`: read, average, done. With `warm` it does
so twice, and says how long the second time took: without starting Python, and with everything compiled and in caches."""

import sys
import time

from stingray import AveragedPowerspectrum, EventList


def spectrum(path, dt, size):
    events = EventList.read(path, "hea")
    return AveragedPowerspectrum.from_events(
        events, dt=float(dt), segment_size=float(size), norm="leahy", silent=True
    )


made = spectrum(*sys.argv[1:4])
if sys.argv[4:] == ["warm"]:
    before = time.perf_counter()
    made = spectrum(*sys.argv[1:4])
    print(time.perf_counter() - before)
else:
    print(made.m, made.power.mean())
