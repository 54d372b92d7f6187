"""Measures searches of this program and of Stingray 2.3.2 on the same events, in turn, and prints a table in Markdown.

Ours are whole processes: start, reading, search, refining, output. The peer's are its search function alone, in memory, compiled
before. Of 1e5 frequencies the peer computes 2000, which is scaled: its time grows with their number. Usage: pulsations_speed.py PROGRAM
"""

import os
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
from stingray import EventList
from stingray.pulse.search import epoch_folding_search, z_n_search

warnings.simplefilter("ignore")
PROGRAM = sys.argv[1]
REPEATS = int(sys.argv[2]) if len(sys.argv) > 2 else 3
RATE, LENGTH, FREQ = 100, 10_000, 10.1


def measured(work):
    def used():
        return sum(getattr(resource.getrusage(who), t) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
                   for t in ("ru_utime", "ru_stime"))

    before, begin = used(), time.perf_counter()
    work()
    return time.perf_counter() - begin, used() - before


def main(folder):
    path = Path(folder) / "events.evt"
    subprocess.run([PROGRAM, "simulate", "-o", path, "--rate", str(RATE), "--length", str(LENGTH), "--seed", "3", "--model",
                    f"pulsar:{FREQ}:0.03"], check=True, capture_output=True)
    times = np.asarray(EventList.read(str(path), "hea").time, dtype=float)
    df = 1 / (4 * LENGTH)
    z_n_search(times[:1000], np.array([1.0, 2.0]), nharm=2, nbin=64)
    epoch_folding_search(times[:1000], np.array([1.0, 2.0]), nbin=64)
    print(f"{len(times)} events, {os.cpu_count()} cores that others may use too, median of {REPEATS} runs in turn.\n")
    print("| search | frequencies | algorithm | eagleray, s (processor s) | Stingray, s (processor s) | ratio of times (of processor time) |")
    print("|---|---|---|---|---|---|")
    for method, count, algorithm, peer_count in [
        ("z2", 800, "fft", 800), ("z2", 800, "fold", 800), ("z2", 100_000, "fft", 2000), ("ef", 800, "fold", 800),
    ]:
        low = FREQ - count / 2 * df
        command = [PROGRAM, "search", path, "--freq", f"{low}:{low + (count - 0.5) * df}", "--oversample", "4", "--method", method,
                   "--algorithm", algorithm, "--nbin", "64", "--backend", "cpu", "--quiet", "--json"]
        frequencies = FREQ + (np.arange(peer_count) - peer_count / 2) * df

        def peer():
            if method == "z2":
                z_n_search(times, frequencies, nharm=2, nbin=64)
            else:
                epoch_folding_search(times, frequencies, nbin=64)

        ours, theirs = [], []
        for _ in range(REPEATS):
            ours.append(measured(lambda: subprocess.run(command, check=True, capture_output=True)))
            theirs.append(measured(peer))
        scale = count / peer_count
        wall, cpu = (np.median([x[i] for x in ours]) for i in (0, 1))
        peer_wall, peer_cpu = (scale * np.median([x[i] for x in theirs]) for i in (0, 1))
        note = " (scaled)" if scale > 1 else ""
        print(f"| {method} | {count} | {algorithm} | {wall:.3f} ({cpu:.3f}) | {peer_wall:.2f} ({peer_cpu:.2f}){note} | {peer_wall / wall:.0f} ({peer_cpu / cpu:.0f}) |",
              flush=True)


with tempfile.TemporaryDirectory() as folder:
    main(folder)
