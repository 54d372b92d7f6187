"""Reads times of arrival that `fold` writes with PINT (pint-pulsar): each line is one, with its time, error, site and frequency, whatever its
error is. Exit status 1 when any differs.
"""

import json
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

import numpy as np
from astropy.io import fits

warnings.simplefilter("ignore")
from pint import logging, toa  # noqa: E402

logging.setup(level="ERROR")
PROGRAM = sys.argv[1]
FAILED = False


def pulsar(path, freq, rate, length, rng):
    """Barycentred events of a sinusoid, as counts in intervals of 1/100 cycle."""
    steps = int(length * freq * 100)
    phase = np.arange(steps) / 100
    counts = rng.poisson(rate / freq / 100 * (1 + 0.8 * np.cos(2 * np.pi * phase)))
    times = np.sort((np.repeat(phase, counts) + rng.uniform(0, 0.01, counts.sum())) / freq)
    events = fits.BinTableHDU(times.view([("TIME", "f8")]), name="EVENTS")
    gti = fits.BinTableHDU(np.array([(0.0, length)], dtype=[("START", "f8"), ("STOP", "f8")]), name="GTI")
    for table in (events, gti):
        table.header.update(MJDREFI=55000, MJDREFF=0.5, TIMESYS="TDB", TIMEREF="SOLARSYSTEM", TELESCOP="PINT", TIMEUNIT="s")
    fits.HDUList([fits.PrimaryHDU(), events, gti]).writeto(path, overwrite=True)


with tempfile.TemporaryDirectory() as folder:
    rng = np.random.default_rng(7)
    events, par, tim = (str(Path(folder) / name) for name in ("a.evt", "a.par", "a.tim"))
    # Errors of 1 to 6 digits before the point, in µs.
    for freq, rate in [(2000.0, 1000.0), (300.0, 200.0), (20.0, 100.0), (3.3, 50.0), (0.33, 50.0), (0.02, 50.0)]:
        length = 400.0 if freq > 0.1 else 4000.0
        pulsar(events, freq, rate, length, rng)
        Path(par).write_text(f"PSR J0000+0000\nPEPOCH 55000.5\nF0 {freq}\n")
        asked = ["fold", events, "--par", par, "--backend", "cpu", "--toas", tim, "--toa-length", str(length / 10), "--template", "sinusoid"]
        done = subprocess.run([PROGRAM, *asked, "--overwrite", "--json"], capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(done.stderr)
        ours = json.loads(done.stdout)["toas"]["toas"]
        try:
            theirs, _ = toa.read_toa_file(tim)
        except Exception as error:
            theirs = []
            print(f"     PINT: {error!r}")
        same = len(ours) == len(theirs) == 10
        for a, b in zip(ours, theirs):
            days = (b.mjd.jd1 - 2400000.5 - a["mjd"]["hi"]) + (b.mjd.jd2 - a["mjd"]["lo"])
            same &= abs(days) * 86400 < 1e-9 and abs(b.error.to_value("us") - 1e6 * a["error"]) < 1e-5
            same &= b.obs == "barycenter" and not np.isfinite(b.freq.to_value("MHz")) and b.flags["nphots"] == str(a["nphots"])
        errors = [1e6 * one["error"] for one in ours]
        FAILED |= not same
        print(f"{'ok  ' if same else 'FAIL'} {len(theirs)} of {len(ours)} times of arrival at {freq} Hz, errors {min(errors):.1f} to {max(errors):.1f} µs")
sys.exit(1 if FAILED else 0)
