"""Time and memory of whole processes on simulated files, this program against Stingray, as a page of Markdown."""

import argparse
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).parent
DT = 2.0**-10
# Events (at 10,000 counts/s, about 10 a bin) and lengths of segments, s.
CASES = [(10**6, 16), (10**7, 1), (10**7, 16), (10**8, 16)]


def run(command):
    """Wall time, time of all cores, and peak memory in MB of one process."""
    before = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    wall = time.perf_counter() - before
    if status:
        sys.exit(f"{command} failed")
    return wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def median(values):
    """Of an odd number of values."""
    values = sorted(values)
    return values[len(values) // 2]


def seconds(values):
    """Median, and the range in which all are."""
    return f"{median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


def pds(program, path, segment, backend):
    return [program, "pds", path, "--dt", str(DT), "--segment-size", str(segment), "--backend", backend, "--quiet"]


def simulated(program, folder, events):
    path = f"{folder}/{events}.evt"
    if not os.path.exists(path):
        size = ["--rate", "10000", "--length", str(events / 10_000)]
        subprocess.run([program, "simulate", "-o", path, *size, "--seed", "1"], check=True, capture_output=True)
    return path


def instructions(program, folder, template):
    """Instructions of one event more: the difference between two files, so that starting and transforms of a constant number
    of segments do not count."""
    totals = []
    for events in (10**6, 2 * 10**6):
        # 100 and 200 s; one segment each.
        command = pds(template, simulated(program, folder, events), 64, "cpu") + ["--threads", "1"]
        valgrind = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"]
        said = subprocess.run(valgrind + command, capture_output=True, text=True, check=True).stderr
        totals.append(int(re.search(r"Collected : (\d+)", said)[1]))
    return (totals[1] - totals[0]) / 1e6


def limits(path, segment):
    """What the computation takes in a process that is warm, and the least that it must: decoding and transforms."""
    command = ["cargo", "bench", "--quiet", "--bench", "path", "--", "--limits", path, str(DT), str(segment)]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[-1])


def warm_peer(path, segment):
    """Seconds of the peer's second reading and computation in one process."""
    command = [sys.executable, str(HERE / "whole_process.py"), path, str(DT), str(segment), "warm"]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def scan_rate(path):
    """GB/s at which one thread copies a file from the page cache, as `read` does."""
    best = 0
    for _ in range(3):
        with open(path, "rb", buffering=0) as file:
            buffer, size, before = bytearray(1 << 18), 0, time.perf_counter()
            while got := file.readinto(buffer):
                size += got
            best = max(best, size / (time.perf_counter() - before))
    return best / 1e9


def machine():
    text = pathlib.Path("/proc/cpuinfo").read_text() if os.path.exists("/proc/cpuinfo") else ""
    name = re.search(r"model name\s*: (.*)", text)
    return f"{os.cpu_count()} cores, {name[1] if name else 'unknown processor'}"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program")
    parser.add_argument("--before", help="another build of this program, to compare with")
    parser.add_argument("--repeats", type=int, default=5)
    args = parser.parse_args()
    listed = subprocess.run([args.program, "devices", "--json"], capture_output=True, text=True)
    adapters = json.loads(listed.stdout) if listed.returncode == 0 else []
    adapters = adapters if isinstance(adapters, list) else adapters.get("adapters", [])
    real = [a for a in adapters if not a.get("software", True)]
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="speed-") as folder:
        rows = []
        for events, segment in CASES:
            path = simulated(args.program, folder, events)
            contenders = {"eagleray, CPU": pds(args.program, path, segment, "cpu")}
            if args.before:
                contenders["an earlier eagleray, CPU"] = pds(args.before, path, segment, "cpu")
            if real:
                contenders[f"eagleray, {real[0]['name']}"] = pds(args.program, path, segment, "gpu")
            peer = [sys.executable, str(HERE / "whole_process.py"), path, str(DT), str(segment)]
            contenders["Stingray 2.3.2"] = peer
            found = {name: [] for name in contenders}
            run(contenders["eagleray, CPU"])
            for turn in range(args.repeats):
                for name, command in list(contenders.items())[:: 1 if turn % 2 == 0 else -1]:
                    found[name].append(run(command))
            ours = [r[0] for r in found["eagleray, CPU"]]
            for name, results in found.items():
                wall, cores, memory = zip(*results)
                ratio = median(w / o for w, o in zip(wall, ours))
                rows.append(
                    f"| {events:.0e} | {segment} | {name} | {seconds(wall)} | {median(cores):.2f} "
                    f"| {max(memory):.0f} | {ratio:.1f} |".replace("e+0", "e")
                )
                print(rows[-1], file=sys.stderr)
        big = simulated(args.program, folder, 10**8)
        rate, warm, peer = scan_rate(big), limits(big, 16), warm_peer(big, 16)
        counts = []
        if shutil.which("valgrind"):
            for name, program in (("now", args.program), ("before", args.before)):
                if program:
                    counts.append(f"{instructions(args.program, folder, program):.0f} {name}")
    after = os.getloadavg()[0]
    print(
        f"""# How fast

Made by `tests/peer/speed`; nothing here is edited by hand. Averaged power spectra of simulated files of 10,000 counts/s, rows of 12
bytes, dt = 2^-10 s, in the page cache; whole processes, {args.repeats} runs in turn, in alternate order. Time is that of a clock:
the median, and the range of all. Cores is the median of the time that all cores spent, which others on the machine disturb less.
The ratio is the median of those of neighbouring runs.

Machine: {machine()}; load average {load:.1f} at the beginning, {after:.1f} at the end (of others and of this). One core copies a file
from the page cache at {rate:.1f} GB/s: {1.2 / rate:.2f} s for the 1.2 GB of 1e8 events, to be shared by the cores.

| events | segment, s | program | time, s | cores, s | peak memory, MB | times eagleray on the CPU |
|---|---|---|---|---|---|---|"""
    )
    print("\n".join(rows))
    limit = warm["decoding"] + warm["transforms"]
    print(
        f"""
In a process that is warm, 1e8 events and segments of 16 s: the computation, files opened and all, takes {warm["computation"]:.3f} s on
{warm["threads"]} threads; getting the times out of the file and transforming the counts alone, in the same run, {limit:.3f} s
({warm["decoding"]:.3f} + {warm["transforms"]:.3f}): {warm["share"]:.2f} of it is that limit (median of 9 runs in turn). Stingray's second reading and
computation in one process takes {peer:.2f} s, {peer / warm["computation"]:.0f} times as long."""
    )
    if counts:
        print(f"\nInstructions an event (callgrind, one thread; processors without AVX-512): {', '.join(counts)}.")


main()
