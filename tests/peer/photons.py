"""Counts the photons of real and simulated files with astropy's columns and exact rational arithmetic, and holds the balance of
every product against it: used, outside of intervals, outside of segments, filtered, no photons, without a finite time, beyond the
last bin. Exit status 1 when any count differs.
"""

import json
import math
import subprocess
import sys
import tempfile
import warnings
from bisect import bisect_right
from collections import Counter
from fractions import Fraction
from pathlib import Path

import numpy as np
from astropy.io import fits

warnings.simplefilter("ignore")
PROGRAM = sys.argv[1]
ROOT = Path(__file__).resolve().parents[2]
FAILED = []
TOLERANCE = Fraction(1e-5)


def balance(*options):
    done = subprocess.run([PROGRAM, *map(str, options), "--json"], capture_output=True, text=True, cwd=ROOT)
    if done.returncode != 0:
        raise RuntimeError(f"{options}: {done.stderr.strip()}")
    return {key: count for key, count in json.loads(done.stdout)["photons"].items() if count or key == "read"}


def offsets(header):
    """What is added to times of events, and to edges of intervals."""
    zero = Fraction(header.get("TIMEZERO", 0.0))
    pixel = (Fraction(1, 2) - Fraction(header.get("TIMEPIXR", 0.5))) * Fraction(header.get("TIMEDEL", 0.0))
    return zero + pixel, zero


def intervals(hdus, events, mission):
    """Good time intervals in order, those that touch joined; where detectors have their own, what all have in common."""
    tables = [h for h in hdus if h.name.startswith(("GTI", "STDGTI"))]
    own = mission in ("XMM", "EROSITA") or (mission == "CHANDRA" and "CCD_ID" in tables[0].header)
    common = None
    for table in tables if own else tables[:1]:
        zero = offsets(table.header)[1]
        rows = sorted((Fraction(float(a)) + zero, Fraction(float(b)) + zero) for a, b in zip(table.data.field(0), table.data.field(1)))
        joined = []
        for a, b in rows:
            if joined and a <= joined[-1][1]:
                joined[-1][1] = max(b, joined[-1][1])
            else:
                joined.append([a, b])
        both = [[max(a, c), min(b, d)] for a, b in common or [] for c, d in joined]
        common = joined if common is None else [[a, b] for a, b in both if a < b]
    return common


def photons(path, dt, segment_size, channels=None):
    """The balance by the definitions alone."""
    hdus = fits.open(ROOT / path, ignore_missing_simple=True)
    events = next(h for h in hdus if h.name.upper() in ("EVENTS", "XTE_SE"))
    header, data = events.header, events.data
    names = {name.upper(): name for name in events.columns.names}
    mission = str(header.get("MISSION", header.get("TELESCOP", ""))).upper()
    mission = {"AXAF": "CHANDRA", "SRG": "EROSITA"}.get(mission, mission)
    offset = offsets(header)[0]
    timedel = header.get("TIMEDEL", 0.0)
    if header.get("TIMEREF", "LOCAL").strip() == "LOCAL" and timedel / dt > 0.01:
        dt = max(1, round(dt / timedel)) * timedel
    n = segment_size / dt
    n = math.ceil(n) if math.ceil(n) - n < 0.01 else math.floor(n)
    segment_size = n * dt
    lists, starts = intervals(hdus, events, mission), []
    for a, b in lists:
        k = 0
        while a + (k + 1) * Fraction(segment_size) <= b + TOLERANCE:
            starts.append(a + k * Fraction(segment_size))
            k += 1
    times = data[names["TIME"]].astype(float)
    real = np.ones(len(times), bool)
    if mission == "XTE" and header["TEVTB2"].startswith("(M[1]{1}"):
        real = data["Event"][:, 0].astype(bool)
    if mission == "EROSITA":
        real = ~np.signbit(data["PI"])
    kept = np.ones(len(times), bool)
    if channels:
        channel = data[names["PHA" if mission == "XTE" else "PI"]]
        kept = (channel >= channels[0]) & (channel <= channels[1])
    edges = [a for a, _ in lists]
    counts = Counter(read=len(times))
    for t, photon, selected in zip(times, real, kept):
        if not photon:
            counts["not_photons"] += 1
        elif not math.isfinite(t):
            counts["dropped"] += 1
        elif not selected:
            counts["filtered"] += 1
        else:
            exact = Fraction(float(t)) + offset
            s, g = bisect_right(starts, exact) - 1, bisect_right(edges, exact) - 1
            if s >= 0 and exact < starts[s] + Fraction(segment_size):
                # Three operations in f64 from the start in the frame of the column.
                start = starts[s] - offset
                high = float(start)
                low = float(start - Fraction(high))
                x = ((float(t) - high) - low) * (1 / (segment_size / n))
                counts["used" if 0 <= x < n else "dropped_edge"] += 1
            elif g >= 0 and exact < lists[g][1]:
                counts["outside_segments"] += 1
            else:
                counts["outside_gti"] += 1
    return {key: count for key, count in counts.items() if count or key == "read"}


def compare(path, what, channels):
    for dt, segment_size in ((0.125, 16), (2**-6, 4)):
        for limits in (None, channels) if channels else (None,):
            given = ["--pi", f"{limits[0]}:{limits[1]}"] if limits else []
            run = ["pds", path, "--dt", dt, "--segment-size", segment_size, "--backend", "cpu", *given]
            ours, expected = balance(*run), photons(path, dt, segment_size, limits)
            good = ours == expected and sum(count for key, count in ours.items() if key != "read") == ours["read"]
            print(f"{'ok  ' if good else 'FAIL'} {what}: dt {dt}, {segment_size} s {' '.join(given)}: {ours}", flush=True)
            if not good:
                print(f"     counted: {expected}")
                FAILED.append(what)


REAL = {"examples/data/b1509.fits": (5, 20), "tests/data/sgr1830kgfilt.evt": (100, 299), "tests/data/chandra_test.fits": None,
        "tests/data/xte_test.evt.gz": (10, 30), "tests/data/monol_testA.evt": (20, 80), "tests/data/nomission.evt": (20, 80)}
MISSIONS = {"generic": (50, 300), "nustar": (50, 300), "nicer": (50, 300), "xmm": (500, 3000), "xte": (5, 20), "chandra": None,
            "swift": (50, 300), "ixpe": (50, 150), "laxpc": None, "hxmt": (50, 150), "resolve": (5000, 9000), "xtend": (200, 900),
            "erosita": (500, 3000), "fxt": (50, 300), "lat": None, "gbm": None}
for file, band in REAL.items():
    compare(file, file, band)
with tempfile.TemporaryDirectory() as folder:
    for name, band in MISSIONS.items():
        file = f"{folder}/{name}.evt"
        made = ["simulate", "-o", file, "--mission", name, "--rate", "50", "--length", "400", "--gaps", "100.3:130.7", "--seed", "5"]
        subprocess.run([PROGRAM, *made], check=True, capture_output=True)
        compare(file, name, band)
print(f"{len(FAILED)} failed" if FAILED else "all equal")
sys.exit(1 if FAILED else 0)
