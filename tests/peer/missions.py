"""Compares what `info` reads of every mission's files with astropy's arithmetic: simulated files of each, and the real ones.

Events, exposure, first and last time, detectors, and the number of photons in a band of energies, all from the columns and keywords
as astropy gives them and the formulas of docs/missions.md. Exit status 1 when any comparison fails.
"""

import csv
import json
import re
import subprocess
import sys
import tempfile
import warnings
from fractions import Fraction
from pathlib import Path

import numpy as np
from astropy.io import fits

warnings.simplefilter("ignore")
PROGRAM = sys.argv[1]
ROOT = Path(__file__).resolve().parents[2]
FAILED = []

LINEAR = {"NUSTAR": (0.04, 1.62), "NICER": (0.01, 0), "XMM": (0.001, 0), "SWIFT": (0.01, 0), "IXPE": (0.04, 0)}
XRISM = {"RESOLVE": 0.0005, "XTEND": 0.006}
# Columns that are energies, and keV in their unit.
ENERGY = {"CHANDRA": ("energy", 1e-3), "ASTROSAT": ("Energy", 1.0), "EROSITA": ("PI", 1e-3), "LAT": ("ENERGY", 1e3)}
DETECTOR = {"NUSTAR": "DET_ID", "NICER": "DET_ID", "XMM": "CCDNR", "XTE": "PCUID", "CHANDRA": "ccd_id", "ASTROSAT": "LAXPC_No.",
            "HXMT": "Det_ID", "RESOLVE": "PIXEL", "XTEND": "CCD_ID", "EROSITA": "TM_NR"}


def eagleray(*options):
    done = subprocess.run([PROGRAM, *map(str, options)], capture_output=True, text=True, cwd=ROOT)
    if done.returncode != 0:
        raise RuntimeError(f"{options}: {done.stderr.strip()}")
    return done.stdout


def check(what, good, extra=""):
    print(f"{'ok  ' if good else 'FAIL'} {what} {extra}", flush=True)
    if not good:
        FAILED.append(what)


def pca_centres(mjd, words):
    """Centres of local channels in keV for PCU 0 and for the others, from the published upper edges."""
    ends = [50163.7729, 50188.9618, 51259.7340, 51677.0]
    epoch = sum(mjd >= end for end in ends)
    columns = (6, 7) if epoch == 4 else (2 + epoch, 2 + epoch)
    with open(ROOT / "src/missions/rxte_pca_energy_channels.csv", encoding="utf-8") as lines:
        table = [row for row in csv.reader(lines) if row and row[0][:1].isdigit()]
    groups = re.search(r"C\[([^]]*)\]", words).group(1)
    groups = [g.split("~") for g in groups.split(",")] if "," in groups else [[c] for c in range(256)]
    centres = []
    for column in columns:
        lower, upper, edge = np.zeros(256), np.zeros(256), 0.0
        for row in table:
            a, b = (row[0].split("-") * 2)[:2]
            b = a[: len(a) - len(b)] + b
            lower[int(a):int(b) + 1], upper[int(a):int(b) + 1] = edge, float(row[column])
            edge = float(row[column])
        centres.append(np.array([(lower[int(g[0])] + upper[int(g[-1])]) / 2 for g in groups]))
    return centres


def energies(hdus, events, mission, instrument):
    """Energy of each row, keV; None where channels have none."""
    data, header = events.data, events.header
    key = instrument if instrument in ("LAT", "GBM") else mission
    if key in ENERGY:
        name, unit = ENERGY[key]
        return data[name].astype(float) * unit
    if mission == "XRISM":
        return data["PI"] * XRISM[instrument]
    if mission in LINEAR:
        gain, offset = LINEAR[mission]
        return data["PI"] * gain + offset
    if instrument == "GBM":
        bounds = hdus["EBOUNDS"].data
        centres = (bounds["E_MIN"].astype(float) + bounds["E_MAX"]) / 2
        return centres[data["PHA"] - bounds["CHANNEL"][0]]
    if mission == "XTE":
        mjd = header["MJDREFI"] + header["MJDREFF"] + header["TSTART"] / 86400
        first, others = pca_centres(mjd, header["TEVTB2"])
        return np.where(data["PCUID"] == 0, first[data["PHA"]], others[data["PHA"]])
    return None


def compare(path, what):
    info = json.loads(eagleray("info", path, "--json"))[0]
    hdus = fits.open(ROOT / path, ignore_missing_simple=True)
    events = next(h for h in hdus if h.name.upper() in ("EVENTS", "XTE_SE"))
    header, data = events.header, events.data
    mission = str(header.get("MISSION", header.get("TELESCOP", ""))).upper()
    mission = {"AXAF": "CHANDRA", "SRG": "EROSITA", "FERMI": "GLAST"}.get(mission, mission)
    instrument = str(header.get("INSTRUME", hdus[0].header.get("INSTRUME", ""))).upper()
    photons = np.ones(len(data), bool)
    if mission == "XTE" and header["TEVTB2"].startswith("(M[1]{1}"):
        photons = data["Event"][:, 0].astype(bool)
    check(f"{what}: rows", info["events"] == len(data), len(data))
    time_name = next(c.name for c in events.columns if c.name.upper() == "TIME")
    time = data[time_name].astype(float)
    # Exact sums, rounded once.
    offset = Fraction(header.get("TIMEZERO", 0.0))
    offset += (Fraction(1, 2) - Fraction(header.get("TIMEPIXR", 0.5))) * Fraction(header.get("TIMEDEL", 0.0))
    for end, t in (("first", time.min()), ("last", time.max())):
        check(f"{what}: {end} time", abs(info[end] - float(Fraction(float(t)) + offset)) <= 6e-8, info[end])
    table = next(h for h in hdus if h.name.startswith(("GTI", "STDGTI")))
    start, stop = (table.data.field(k).astype(float) for k in (0, 1))
    check(f"{what}: exposure", abs(info["exposure"] - (stop - start).sum()) <= 1e-6, info["exposure"])
    column = DETECTOR.get(instrument if mission == "XRISM" else mission)
    if column and column in events.columns.names:
        there = sorted(int(d) for d in np.unique(data[column]))
        check(f"{what}: detectors", info["detectors"] == there, f"{len(there)} of {column}")
        one = json.loads(eagleray("info", path, "--json", "--detector", there[-1]))[0]["selected"]["events"]
        check(f"{what}: detector {there[-1]}", one == np.sum((data[column] == there[-1]) & photons), one)
    energy = energies(hdus, events, mission, instrument)
    known = info["energy_kev"] is not None
    check(f"{what}: energies known", known == (energy is not None), known)
    if energy is None:
        return
    # Between two values, where rounding decides nothing.
    values = np.unique(energy)
    low, high = (float((values[i] + values[i + 1]) / 2) for i in (len(values) // 4, 3 * len(values) // 4 - 1))
    found = json.loads(eagleray("info", path, "--json", "--energy", f"{low}:{high}"))[0]["selected"]["events"]
    expected = int(np.sum((energy >= low) & (energy < high) & photons))
    check(f"{what}: {low:.6g} to {high:.6g} keV", found == expected, f"{found} of {len(data)}")


MISSIONS = re.findall(r"\| `(\w+)` \|$", (Path(__file__).resolve().parents[2] / "docs/missions.md").read_text(), re.M)
REAL = ["examples/data/b1509.fits", "tests/data/sgr1830kgfilt.evt", "tests/data/chandra_test.fits", "tests/data/xte_test.evt.gz",
        "tests/data/monol_testA.evt", "tests/data/nomission.evt"]

with tempfile.TemporaryDirectory() as folder:
    for name in MISSIONS:
        path = f"{folder}/{name}.evt"
        eagleray("simulate", "-o", path, "--mission", name, "--rate", 50, "--length", 400, "--seed", 3)
        compare(path, name)
for path in REAL:
    compare(path, path)
print(f"{len(FAILED)} failed" if FAILED else "all equal")
sys.exit(1 if FAILED else 0)
