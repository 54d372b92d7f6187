"""Batched real transforms and summed powers on a GPU with CuPy: BINS ROWS SAMPLES. Prints JSON: peer, samples in seconds by the
device's events. The counts are on the device before, as they are for the kernels that this is compared with."""

import json
import sys

import cupy

bins, rows, samples = (int(text) for text in sys.argv[1:4])
counts = cupy.random.poisson(1.0, size=(rows, bins)).astype(cupy.float32)
times = []
for _ in range(samples + 1):
    begin, end = cupy.cuda.Event(), cupy.cuda.Event()
    begin.record()
    power = (cupy.abs(cupy.fft.rfft(counts, axis=1)) ** 2).sum(axis=0)
    end.record()
    end.synchronize()
    times.append(cupy.cuda.get_elapsed_time(begin, end) * 1e-3)
device = cupy.cuda.runtime.getDeviceProperties(0)["name"].decode()
print(json.dumps({"peer": f"CuPy {cupy.__version__}", "device": device, "samples": times[1:]}))
