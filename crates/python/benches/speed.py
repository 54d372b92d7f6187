"""Plain Stingray and Stingray answered by eagleray, in one process, warm, in turn: medians of the times and of their ratios.

    python benches/speed.py [--quick] [--json FILE]

The table of docs/results/stingray-speed.md is what it prints. `--quick` leaves out the longest cases. Exit status 1 where the ratio of a case
above 10 ms is below 1, or where a case was not answered.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import time
import warnings
from collections.abc import Callable
from typing import Any

import eagleray
import eagleray.stingray as seams
import numpy as np
import stingray
from eagleray import _eagleray
from stingray import AveragedCrossspectrum, AveragedPowerspectrum, fourier
from stingray.events import EventList
from stingray.pulse import search
from stingray.varenergyspectrum import LagSpectrum

RUNS = 7
Case = tuple[str, Callable[[], Any]]


def events(count: int, seed: int, length: float = 1000.0) -> np.ndarray:
    return np.sort(np.random.default_rng(seed).uniform(0, length, count))


def cases(quick: bool) -> list[Case]:
    gti, dt, size = np.array([[0.0, 1000.0]]), 1 / 256, 16.0
    made: list[Case] = []
    for count in [10**6, 10**7] if quick else [10**6, 10**7, 10**8]:
        times = events(count, 1)
        of_times = EventList(times, gti=gti)
        made.append(
            (
                f"AveragedPowerspectrum, {count:.0e} events",
                lambda list=of_times: AveragedPowerspectrum(list, dt=dt, segment_size=size, norm="leahy", silent=True),
            )
        )
    first, second = (EventList(events(10**6, seed), gti=gti) for seed in (1, 2))
    made.append(
        (
            "AveragedCrossspectrum, twice 1e+06 events",
            lambda: AveragedCrossspectrum(first, second, dt=dt, segment_size=size, norm="leahy", silent=True),
        )
    )
    times = events(10**6, 3)
    energies = np.random.default_rng(4).uniform(0.3, 12, len(times))
    bands = EventList(times, energy=energies, gti=gti)
    made.append(
        (
            "LagSpectrum of 20 bands, 1e+06 events",
            lambda: LagSpectrum(
                bands, freq_interval=[0.5, 20], energy_spec=(0.3, 12, 20, "log"), bin_time=dt, segment_size=size
            ),
        )
    )
    frequencies = np.linspace(0.9, 1.1, 800)
    made.append(
        ("z_n_search, 1e+06 events, 800 frequencies", lambda: search.z_n_search(times, frequencies, nharm=2, nbin=128))
    )
    few, short = events(10**4, 5, 100.0), np.array([[0.0, 100.0]])
    calls = 200 if quick else 10_000

    def many() -> None:
        for _ in range(calls):
            fourier.avg_pds_from_timeseries(few, short, 10.0, 0.01, silent=True)

    made.append((f"avg_pds_from_timeseries, {calls} calls of 1e+04 events", many))
    return made


def timed(function: Callable[[], Any]) -> float:
    begun = time.perf_counter()
    function()
    return time.perf_counter() - begun


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json")
    parser.add_argument("--runs", type=int, default=RUNS)
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    sys.stderr = open(os.devnull, "w")  # Bars of progress.
    print(
        f"extension {_eagleray.__file__}, eagleray {eagleray.__version__}, Stingray {stingray.__version__}, {platform.machine()}"
    )
    print(f"{os.cpu_count()} processors; medians of {given.runs} runs in turn, after one of each\n")
    print("| work | Stingray, s | with eagleray, s | ratio |")
    print("|---|---|---|---|")
    rows, complaints = [], []
    for name, call in cases(given.quick):
        call()
        seams.forget_stats()
        with seams.backend():
            call()
        if not seams.stats()["answered"] or seams.stats()["fell_back"]:
            complaints.append(f"{name}: {seams.stats()}")
        plain, ours = [], []
        for _ in range(given.runs):
            plain.append(timed(call))
            with seams.backend():
                ours.append(timed(call))
        ratio = statistics.median(a / b for a, b in zip(plain, ours))
        peer, here = statistics.median(plain), statistics.median(ours)
        rows.append({"work": name, "stingray_s": plain, "eagleray_s": ours, "ratio": ratio})
        print(f"| {name} | {peer:.3g} | {here:.3g} | {ratio:.1f} |", flush=True)
        if peer > 0.01 and ratio < 1:
            complaints.append(f"{name}: slower, {ratio:.2f}")
    if given.json:
        with open(given.json, "w") as out:
            json.dump(rows, out, indent=1)
    for complaint in complaints:
        print(f"FAIL {complaint}")
    sys.exit(1 if complaints else 0)


if __name__ == "__main__":
    main()
