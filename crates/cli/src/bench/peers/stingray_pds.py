"""Averaged power spectrum of an event file with Stingray: FILE DT SEGMENT_SIZE SAMPLES. Prints JSON: peer, samples in seconds."""

import json
import sys
import time

import stingray
from stingray import AveragedPowerspectrum, EventList

path, dt, segment_size, samples = sys.argv[1], float(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4])
times = []
for _ in range(samples + 1):
    before = time.perf_counter()
    events = EventList.read(path, "hea")
    spectrum = AveragedPowerspectrum.from_events(events, dt=dt, segment_size=segment_size, norm="leahy", silent=True)
    times.append(time.perf_counter() - before)
# The first one warms up: imports, compilation.
print(json.dumps({"peer": f"Stingray {stingray.__version__}", "samples": times[1:], "segments": int(spectrum.m)}))
