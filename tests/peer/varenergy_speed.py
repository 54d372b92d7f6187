"""Time of lag-energy spectra of 20 bands, this program against Stingray's LagSpectrum, whole processes in turn on one simulated file, as a
page of Markdown: tests/peer/varenergy_speed.py PROGRAM [--events N] [--repeats N] >docs/results/varenergy-speed.md"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time

SCRIPT = """
import sys, numpy
from stingray import EventList
from stingray.varenergyspectrum import LagSpectrum
events = EventList.read(sys.argv[1], "hea")
edges = numpy.linspace(3, 23, 21)
LagSpectrum(events, [0.5, 8], edges, ref_band=[3, 23], bin_time=1 / 256, segment_size=16)
"""


def seconds(command):
    """Wall time, time of all cores, and peak memory in MB of one process."""
    before = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"{command} failed")
    return time.perf_counter() - before, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program")
    parser.add_argument("--events", type=float, default=1e7)
    parser.add_argument("--repeats", type=int, default=3)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/lag.evt"
        subprocess.run([args.program, "simulate", "-o", path, "--mission", "nustar", "--energies", "flat:3:23", "--rate", "10000",
                        "--length", str(args.events / 1e4), "--model", "lorentzian:2:2:0.2", "--seed", "1"], check=True,
                       capture_output=True)
        ours = [args.program, "varenergy", path, "--energies", "3:23:20", "--freq", "0.5:8", "--dt", "1/256", "--segment-size",
                "16", "--backend", "cpu", "--quiet"]
        peers = [sys.executable, "-c", SCRIPT, path]
        runs = [(seconds(ours), seconds(peers)) for _ in range(args.repeats)]
    with open("/proc/cpuinfo", encoding="ascii") as info:
        processor = re.search(r"model name\s*: (.*)", info.read())
    print("# Lag-energy spectra\n\nMade by `target/peer/bin/python tests/peer/varenergy_speed.py target/release/eagleray "
          ">docs/results/varenergy-speed.md`; nothing here is edited by hand.\n")
    print(f"{args.events:.0e} events at 10,000 counts/s, 20 bands inside their reference, 0.5 to 8 Hz, dt 2^-8 s, segments of 16 s; "
          f"whole processes in turn, file in the page cache, {os.cpu_count()} cores of {processor[1] if processor else '?'} that "
          f"others used too, load {os.getloadavg()[0]:.0f}. Medians of {args.repeats} runs, and the range of all.\n")
    print("| | wall, s | time of all cores, s | memory, MB |\n|---|---|---|---|")
    middle = lambda values: sorted(values)[len(values) // 2]
    for name, which in [("eagleray", 0), ("Stingray 2.3.2", 1)]:
        columns = list(zip(*[run[which] for run in runs]))
        texts = [f"{middle(c):.2f} ({min(c):.2f} to {max(c):.2f})" for c in columns[:2]]
        print(f"| {name} | {texts[0]} | {texts[1]} | {middle(columns[2]):.0f} |")
    ratios = [[peer[i] / own[i] for own, peer in runs] for i in (0, 1)]
    print(f"\nRatio of pairs: {middle(ratios[0]):.0f} in wall time ({min(ratios[0]):.0f} to {max(ratios[0]):.0f}), "
          f"{middle(ratios[1]):.0f} in time of all cores.")


main()
