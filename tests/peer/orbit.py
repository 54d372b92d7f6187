"""Reference phases of src/science/orbit.rs and src/io/par.rs, by mpmath (pip install mpmath) with 50 digits. Prints tests/data/phases.txt.

    python3 tests/peer/orbit.py > tests/data/phases.txt

A line `par KEY VALUE|...` begins a case, whose keys are those of a .par file; each line after it is a time of arrival, an exact f64 in
seconds from MJDREF below, and the phase of the ephemeris there, 0 to 1. The delay is computed as the projection of
the radius, r sin(ν + ω), with Kepler's equation by bisection, and times of emission by bisection: nothing is shared with the
program. With an argument PROGRAM nothing is printed, and the program folds the same times: Z² must be that of these phases.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from mpmath import atan2, cos, cospi, floor, mp, mpf, pi, sin, sqrt

mp.dps = 50
DAY = 86400
MJDREF = (56658, "7.775925925925926E-04")
ORIGIN = MJDREF[0] + mpf(float(MJDREF[1]))
MIDDLE = 1.7e8
MSP = {"F0": "641.92822212345678901", "F1": "-3.8123D-15", "PEPOCH": "55000.123456789012345678"}
SLOW = {"F0": "0.1203971234567890123", "F1": "-1.1e-11", "F2": "3.5E-20", "PEPOCH": "56000"}
CASES = [
    MSP,
    SLOW,
    MSP | {"BINARY": "ELL1", "A1": "1.8980985", "PB": "0.08387290312", "TASC": "56011.123456789012", "EPS1": "1e-7", "EPS2": "-1.3e-7"},
    MSP | {"BINARY": "ELL1", "A1": "12.3456789", "FB0": "7.5e-6", "TASC": "50011.5", "EPS1": "3e-3", "EPS2": "-2e-3", "PBDOT": "1.5", "XDOT": "2.1e-13"},
    MSP | {"BINARY": "BT", "A1": "2.341782", "PB": "0.322997448918", "T0": "52144.90097844", "ECC": "0.6171338", "OM": "292.54450",
           "OMDOT": "4.226598", "GAMMA": "0.004307", "PBDOT": "-2.423e-12"},
    MSP | {"BINARY": "DD", "A1": "2.341782", "PB": "0.322997448918", "T0": "52144.90097844", "ECC": "0.6171338", "OM": "292.54450",
           "OMDOT": "4.226598", "GAMMA": "0.004307", "PBDOT": "-2.423e-12"},
    SLOW | {"BINARY": "DD", "A1": "113.2", "PB": "8.964368", "T0": "52527.855", "ECC": "0.0898", "OM": "152.7", "TZRMJD": "58626.25", "TZRSITE": "@"},
]


def number(case, key, default="0"):
    return mpf(case.get(key, default).replace("D", "e"))


def small(case, key):
    value = number(case, key)
    return value * mpf("1e-12") if abs(value) > mpf("1e-7") else value


def bisect(f, lo, hi):
    while hi - lo > mpf("1e-40"):
        middle = (lo + hi) / 2
        lo, hi = (middle, hi) if f(middle) < 0 else (lo, middle)
    return (lo + hi) / 2


def delay(case, t):
    """Rømer's and Einstein's delay at the emission time t, seconds from ORIGIN."""
    model = case.get("BINARY")
    if model is None:
        return mpf(0)
    period = number(case, "PB") * DAY if "PB" in case else 1 / number(case, "FB0")
    since = t - (number(case, "TASC" if model == "ELL1" else "T0") - ORIGIN) * DAY
    turns = since / period
    turns -= small(case, "PBDOT") * turns**2 / 2
    x = number(case, "A1") + small(case, "XDOT") * since
    if model == "ELL1":
        eta, kappa = number(case, "EPS1"), number(case, "EPS2")
        e, omega = sqrt(eta**2 + kappa**2), atan2(eta, kappa)
        turns -= omega / (2 * pi)
    else:
        e, omega = number(case, "ECC"), number(case, "OM") * pi / 180
    orbits = floor(turns)
    mean = 2 * pi * (turns - orbits)
    anomaly = bisect(lambda E: E - e * sin(E) - mean, mpf(0), 2 * pi)
    true = atan2(sqrt(1 - e**2) * sin(anomaly), cos(anomaly) - e)
    true += 2 * pi if true < 0 else 0
    omdot = number(case, "OMDOT") * pi / 180 / (mpf("365.25") * DAY)
    if model == "BT":
        omega += omdot * since
    elif model == "DD":
        omega += omdot * period / (2 * pi) * (2 * pi * orbits + true)
    radius = (1 - e**2) / (1 + e * cos(true))
    constant = mpf(3) / 2 * x * number(case, "EPS1") if model == "ELL1" else 0
    return x * radius * sin(true + omega) + number(case, "GAMMA") * sin(anomaly) + constant


def emission(case, t):
    bound = mpf(300)
    return bisect(lambda s: s + delay(case, s) - t, t - bound, t + bound)


def cycles(case, t):
    d = t - (number(case, "PEPOCH") - ORIGIN) * DAY
    return number(case, "F0") * d + number(case, "F1") * d**2 / 2 + number(case, "F2") * d**3 / 6


def phases(case, times):
    zero = mpf(0)
    if "TZRMJD" in case:
        zero = cycles(case, emission(case, (number(case, "TZRMJD") - ORIGIN) * DAY))
    for t in times:
        turned = cycles(case, emission(case, mpf(t))) - zero
        yield turned - floor(turned)


def times_of(case):
    """Uneven times over two days; f64 as they are."""
    return [MIDDLE + 1e5 * ((i * 0.6180339887498949) % 1.0) - 5e4 for i in range(24)]


def check(program):
    import numpy as np
    from astropy.io import fits

    failed = False
    for case in CASES:
        times = sorted(times_of(case))
        turned = list(phases(case, times))
        with tempfile.TemporaryDirectory() as folder:
            par, events = Path(folder) / "a.par", Path(folder) / "a.evt"
            par.write_text("".join(f"{key} {value}\n" for key, value in case.items()))
            table = fits.BinTableHDU.from_columns([fits.Column("TIME", "D", "s", array=np.array(times))], name="EVENTS")
            gti = fits.BinTableHDU.from_columns(
                [fits.Column("START", "D", "s", array=[times[0] - 1]), fits.Column("STOP", "D", "s", array=[times[-1] + 1])], name="GTI")
            for hdu in (table, gti):
                hdu.header.update(MJDREFI=MJDREF[0], MJDREFF=float(MJDREF[1]), TIMESYS="TDB", TIMEREF="SOLARSYSTEM", TIMEUNIT="s")
            fits.HDUList([fits.PrimaryHDU(), table, gti]).writeto(events)
            done = subprocess.run([program, "fold", str(events), "--par", str(par), "--nharm", "1", "--json", "--quiet", "--backend", "cpu"],
                                  capture_output=True, text=True, check=True)
            found = json.loads(done.stdout)["z2"]
        sums = sum(cospi(2 * p) for p in turned), sum(mp.sinpi(2 * p) for p in turned)
        expected = float(2 * (sums[0] ** 2 + sums[1] ** 2) / len(times))
        good = abs(found - expected) < 1e-8 * (1 + expected)
        failed |= not good
        print(f"{'ok  ' if good else 'FAIL'} Z² of {case.get('BINARY', 'no orbit')}, {case['F0'][:6]} Hz: {found:.12f} and {expected:.12f}")
    return failed


if len(sys.argv) > 1:
    sys.exit(1 if check(sys.argv[1]) else 0)
print("# Made by tests/peer/orbit.py: see there.")
for case in CASES:
    print("par " + "|".join(f"{key} {value}" for key, value in case.items()))
    for t, phase in zip(times_of(case), phases(case, times_of(case))):
        print(repr(t), mp.nstr(phase, 18))
