"""The whole-process peer of `eagleray pds FILE --dt DT --segment-size S --compat stingray`: read, average, done."""

import sys

from stingray import AveragedPowerspectrum, EventList

events = EventList.read(sys.argv[1], "hea")
spectrum = AveragedPowerspectrum.from_events(
    events, dt=float(sys.argv[2]), segment_size=float(sys.argv[3]), norm="leahy", silent=True
)
print(spectrum.m, spectrum.power.mean())
