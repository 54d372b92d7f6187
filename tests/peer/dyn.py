"""Compares dynamical power and cross spectra with Stingray 2.3.2 under `--compat stingray`: powers, rows that are averaged, traces of the
largest power, shift-and-add. Bound: relative 1e-10 of the power, or amplitude within 1e-14 of the largest.

The peer's `time` keeps the segments that it skips, and advances by the segment size asked for where its segments have whole bins; so
times are compared with those of the segments that it has really used. Its shifted spectra of an even number of bins are half a bin off,
so the number is odd here. In segments of a few photons several powers are largest, but for rounding: traces are compared by power. Exit status 1 when any comparison fails.
"""

import json
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

import numpy as np
from astropy.io import fits
from astropy.table import Table
from stingray import DynamicalCrossspectrum, DynamicalPowerspectrum, EventList
from stingray.gti import time_intervals_from_gtis

warnings.simplefilter("ignore")
PROGRAM = sys.argv[1]
ROOT = Path(__file__).resolve().parents[2]
FAILED = []


def run(*options):
    command = [PROGRAM, *map(str, options)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()}")
    return done.stdout


def check(what, ours, peer, bound=1e-10):
    ours, peer = np.asarray(ours, dtype=float), np.asarray(peer, dtype=float)
    if ours.shape != peer.shape:
        print(f"FAIL {what}: shapes {ours.shape} and {peer.shape}")
        return FAILED.append(what)
    relative = np.divide(np.abs(ours - peer), np.abs(peer), out=np.full_like(peer, np.inf), where=peer != 0)
    amplitude = np.abs(np.sqrt(np.abs(ours)) - np.sqrt(np.abs(peer))) / (1e-14 * np.sqrt(np.abs(peer).max()))
    error = np.minimum(relative / bound, amplitude).max()
    print(f"{'ok  ' if error <= 1 else 'FAIL'} {what}: {error:.1e} of the bound, {peer.shape}", flush=True)
    if not error <= 1:
        FAILED.append(what)


def dynamical(folder, path, *options):
    out = Path(folder) / "dyn.fits"
    run("dyn", path, "-o", out, "--overwrite", "--quiet", "--backend", "cpu", *options)
    with fits.open(out) as hdus:
        hdus.verify("exception")
        return hdus[0].data.astype(float), Table(hdus["TIME"].data), Table(hdus["FREQ"].data)


def compare(folder, name, path, dt, segment_size):
    events = EventList.read(str(path), "hea")
    dt = float(events.suggest_compatible_dt(dt, warn=False) if getattr(events, "dt", 0) else dt)
    for norm in ["leahy", "frac", "abs", "none"]:
        peer = DynamicalPowerspectrum(events, segment_size=segment_size, norm=norm, sample_time=dt)
        options = ["--compat", "stingray", "--dt", repr(dt), "--segment-size", repr(segment_size), "--norm", norm]
        what = f"{name} dt={dt:.6g} segment={segment_size} {norm}"
        power, time, freq = dynamical(folder, path, *options)
        check(f"{what}: powers", power, np.real(peer.dyn_ps.T))
        check(f"{what}: frequencies", freq["freq"], peer.freq)
    n = int(np.round(segment_size / dt))
    exact = n * dt
    starts = np.asarray(time_intervals_from_gtis(events.gti, exact)[0], dtype=float)
    counts = np.array([np.sum((events.time >= s) & (events.time < s + exact)) for s in starts])
    check(f"{what}: times of the {np.sum(counts > 1)} of {len(starts)} rows that are not skipped", time["time"],
          starts[counts > 1] + 0.5 * exact, 1e-12)
    band = (float(freq["freq"][3] - freq["width"][3] / 2), float(freq["freq"][-3] + freq["width"][3] / 2))
    added = Path(folder) / "added.ecsv"
    trace = json.loads(run("dyn", path, *options, "--backend", "cpu", "--trace", f"{band[0]!r}:{band[1]!r}", "--json",
                           "--shift-add", added, "--shift-half", 5, "--overwrite", "--quiet"))["trace"]
    inside = (peer.freq >= band[0]) & (peer.freq <= band[1])
    check(f"{what}: trace", [p["power"] for p in trace], np.real(peer.dyn_ps[inside]).max(axis=0))
    places = np.rint([p["freq"] * exact for p in trace]).astype(int) - 1
    shifted = peer.shift_and_add(peer.freq[places], nbins=11)
    ours = Table.read(added, format="ascii.ecsv")
    check(f"{what}: shift-and-add", ours["power"], shifted.power)
    check(f"{what}: its frequencies", ours["freq"], shifted.freq)
    check(f"{what}: its values", ours["m"] if "m" in ours.colnames else np.full(len(ours), ours.meta["m"]), shifted.m)
    # Whole bins and rows: the peer drops what is left over.
    by = 4
    if len(freq) >= by and len(power) >= 3 and np.all(counts > 1):
        power, time, freq = dynamical(folder, path, *options, "--rebin", by, "--rebin-time", 3, "--across-gaps")
        rebinned = peer.rebin_frequency(peer.df * by).rebin_by_n_intervals(3)
        rows, columns = len(rebinned.time), len(rebinned.freq)
        check(f"{what}: rebinned", power[:rows, :columns], np.real(rebinned.dyn_ps.T))
        middle = (starts + 0.5 * exact)[: 3 * rows].reshape(rows, 3).mean(axis=1)
        check(f"{what}: rebinned times", time["time"][:rows], middle, 1e-12)


def compare_cross(folder, path, dt, segment_size):
    """Two bands; the peer's channel 1 is the subject."""
    events = EventList.read(str(path), "hea")
    dt = float(events.suggest_compatible_dt(dt, warn=False) if getattr(events, "dt", 0) else dt)
    subject = events.filter_energy_range([3, 10 - 1e-9])
    reference = events.filter_energy_range([10, 30 - 1e-9])
    for norm in ["leahy", "frac", "abs", "none"]:
        peer = DynamicalCrossspectrum(subject, reference, segment_size=segment_size, norm=norm, sample_time=dt)
        out = Path(folder) / "cross.fits"
        run("dyn", path, "--subject", "3:10", "--ref", "10:30", "-o", out, "--overwrite", "--quiet", "--backend", "cpu",
            "--compat", "stingray", "--dt", repr(dt), "--segment-size", repr(segment_size), "--norm", norm)
        with fits.open(out) as hdus:
            hdus.verify("exception")
            re, im = hdus[0].data.astype(float), hdus["POWER_IM"].data.astype(float)
        # Products of amplitudes, one of which may be zero but for rounding.
        theirs = peer.dyn_ps.T
        error = np.abs(re + 1j * im - theirs) / (1e-10 * np.abs(theirs) + 1e-14 * np.abs(theirs).max())
        what = f"cross dt={dt:.6g} segment={segment_size} {norm}"
        print(f"{'ok  ' if error.max() <= 1 else 'FAIL'} {what}: {error.max():.1e} of the bound, {theirs.shape}", flush=True)
        if not error.max() <= 1:
            FAILED.append(what)


def main():
    with tempfile.TemporaryDirectory() as folder:
        simulated = Path(folder) / "nustar.evt"
        run("simulate", "-o", simulated, "--mission", "nustar", "--rate", 60, "--length", 3000, "--seed", 1, "--gap-every", "700:90",
            "--model", "pulsar:1.37:0.2")
        for name, path, dt, segment_size in [
            ("nustar", simulated, 2**-7, 32.0),
            ("nustar", simulated, 0.013, 50.0),
            ("B1509", ROOT / "examples/data/b1509.fits", 1 / 256, 64.0),
            ("SGR1830", ROOT / "tests/data/sgr1830kgfilt.evt", 1 / 64, 256.0),
            ("SGR1830", ROOT / "tests/data/sgr1830kgfilt.evt", 1 / 64, 16.0),
            ("M82", ROOT / "tests/data/chandra_test.fits", 0.44104, 256.0),
            ("4U1636", ROOT / "tests/data/xte_test.evt.gz", 1 / 64, 4.0),
            ("monol", ROOT / "tests/data/monol_testA.evt", 0.125, 64.0),
        ]:
            compare(folder, name, path, dt, segment_size)
        run("simulate", "-o", simulated, "--mission", "nustar", "--bands", "3:10,10:30", "--lag", "0.02", "--rate", "300", "--length",
            "1000", "--model", "lorentzian:1:2:0.3", "--seed", "8", "--overwrite")
        compare_cross(folder, simulated, 1 / 64, 16.0)
        compare_cross(folder, simulated, 0.01, 7.0)
    print(f"dynamical spectra: {'all agree' if not FAILED else FAILED}")
    return 1 if FAILED else 0


sys.exit(main())
