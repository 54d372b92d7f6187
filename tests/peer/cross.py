"""Compares cross spectra with Stingray 2.3.2: powers, cross spectrum, raw lags and their errors where the peer is right.

The peer's channel 1 is the subject. All under --compat stingray, whose rules for coherence and its errors are the peer's; which
are right simulation decides (src/science/cross_errors.rs). Exit status 1 when any comparison fails.
"""

import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

import numpy as np
from astropy.table import Table
from stingray import AveragedCrossspectrum, EventList, Lightcurve
from stingray.deadtime.fad import FAD

warnings.simplefilter("ignore")
PROGRAM = sys.argv[1]
FAILED = []


def run(*options):
    command = [PROGRAM, *map(str, options)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()}")


def column(table, name):
    """A column, a part of a complex one (`power.real`), or a number of the metadata in every row."""
    name, _, part = name.partition(".")
    values = np.array(table[name]) if name in table.colnames else np.full(len(table), table.meta[name])
    return getattr(values, part) if part else values


def check(what, ours, peer, bound):
    ours, peer = np.asarray(ours, dtype=float), np.asarray(peer, dtype=float)
    error = np.max(np.abs(ours - peer) / np.max(np.abs(peer)))
    good = error <= bound
    print(f"{'ok  ' if good else 'FAIL'} {what}: {error:.1e}", flush=True)
    if not good:
        FAILED.append(what)


def equal_or_none(ours, peer):
    """Both values where the peer has one; where it has none, neither do we."""
    peer = np.asarray(peer, dtype=float)
    known = np.isfinite(peer)
    if np.any(np.isfinite(np.asarray(ours, dtype=float)[~known])):
        return np.array([np.inf]), np.array([1.0])
    if not np.any(known):
        return np.ones(1), np.ones(1)
    return np.asarray(ours)[known], peer[known]


def compare(what, out, subject, reference, options, n, dt, norm, rebin, fullspec=False, common=True):
    run(*options, "--norm", norm, "--compat", "stingray", "--backend", "cpu", "-o", out, "--overwrite", "--quiet",
        "--use-common-mean", str(common).lower(), *(["--rebin", rebin] if rebin > 1 else []),
        *(["--fullspec"] if fullspec else []))
    ours = Table.read(out, format="ascii.ecsv")
    peer = AveragedCrossspectrum.from_events(
        subject, reference, segment_size=n, dt=dt, norm=norm, silent=True, use_common_mean=common, fullspec=fullspec)
    if rebin > 1:
        # The peer drops what is left at the end.
        peer = peer.rebin(peer.df * rebin)
        ours = ours[: len(peer.freq)]
    what = f"{what}, {norm}, rebinned by {rebin}{', full' if fullspec else ''}{'' if common else ', each by its own mean'}"
    check(f"{what}: freq", ours["freq"], peer.freq, 1e-14)
    # Segments normalised by their own means: the peer's powers of the channels are sums, not averages.
    powers = [pds.power / (1 if common else peer.m) for pds in [peer.pds1, peer.pds2]]
    for ours_name, values in [
        ("power.real", peer.power.real), ("power.imag", peer.power.imag), ("power1", powers[0]), ("power2", powers[1]),
    ]:
        check(f"{what}: {ours_name}", column(ours, ours_name), values, 1e-10)
    check(f"{what}: m", column(ours, "m"), np.full(len(ours), peer.m), 0)
    if rebin > 1 or fullspec:
        return
    size = np.sqrt(peer.pds1.unnorm_power * peer.pds2.unnorm_power)
    # A phase is as sure as its amplitude is large.
    lag, lag_err = peer.phase_lag()
    away = np.abs(np.exp(1j * (np.array(ours["lag_phase"]) - lag)) - 1) * np.abs(peer.unnorm_power) / size
    check(f"{what}: lag_phase", 1 + away, np.ones(len(away)), 1e-10)
    coherence, coherence_err = peer.raw_coherence()
    check(f"{what}: coherence_raw", ours["coherence_raw"], coherence, 1e-10)
    for name, values in [
        ("coherence_raw_err", coherence_err), ("lag_phase_err", lag_err), ("lag_time_err", peer.time_lag()[1]),
        ("coherence_intrinsic", peer.intrinsic_coherence()[0]), ("coherence_intrinsic_err", peer.intrinsic_coherence()[1]),
    ]:
        # Where little is left of a difference the last digits are chance.
        sure = coherence > 1e-3
        check(f"{what}: {name}", *equal_or_none(ours[name][sure], values[sure]), 1e-8)
    if common:
        check(f"{what}: cross_err_re", ours["cross_err_re"], peer.power_err.real, 1e-10)
        check(f"{what}: cross_err_im", ours["cross_err_im"], peer.power_err.imag, 1e-10)


def two_bands(folder):
    path, out = Path(folder) / "two.evt", Path(folder) / "cross.ecsv"
    run("simulate", "-o", path, "--mission", "nustar", "--bands", "3:10,10:30", "--lag", "0.02",
        "--rate", "300", "--length", "2000", "--model", "lorentzian:1:2:0.3", "--seed", "8")
    events = EventList.read(str(path), "hea")
    subject = events.filter_energy_range([3, 10 - 1e-9])
    reference = events.filter_energy_range([10, 30 - 1e-9])
    for n, seconds in [(1024, 16), (99, 99 / 64)]:
        options = ["cs", path, "--subject", "3:10", "--ref", "10:30", "--dt", "1/64", "--segment-size", seconds]
        for norm in ["leahy", "frac", "abs", "none"]:
            for rebin in [1, 8]:
                compare(f"{n} bins", out, subject, reference, options, seconds, 1 / 64, norm, rebin)
            compare(f"{n} bins", out, subject, reference, options, seconds, 1 / 64, norm, 1, common=False)
            compare(f"{n} bins", out, subject, reference, options, seconds, 1 / 64, norm, 1, fullspec=True)
            compare(f"{n} bins", out, subject, reference, options, seconds, 1 / 64, norm, 1, True, False)


def real_files(folder):
    root, out = Path(__file__).resolve().parents[2], Path(folder) / "cross.ecsv"
    # Channels of each band, seconds a segment and a bin; segments with fewer than two events in a band are common here.
    for name, bands, seconds, dt in [
        ("examples/data/b1509.fits", [(0, 20), (21, 255)], 16, 1 / 64),
        ("tests/data/sgr1830kgfilt.evt", [(0, 400), (401, 4095)], 8, 1 / 64),
    ]:
        path = root / name
        events = EventList.read(str(path), "hea")
        parts = [events.apply_mask((events.pi >= lo) & (events.pi <= hi)) for lo, hi in bands]
        dt = events.suggest_compatible_dt(dt)
        options = ["cs", path, "--subject-pi", "{}:{}".format(*bands[0]), "--ref-pi", "{}:{}".format(*bands[1]),
                   "--dt", repr(float(dt)), "--segment-size", seconds]
        for norm, fullspec, common in [("leahy", False, True), ("frac", False, False), ("leahy", True, False)]:
            compare(name, out, *parts, options, seconds, dt, norm, 1, fullspec, common)


def light_curves(folder):
    """Two light curves of counts, segments normalised by the common means and each by its own."""
    random, n, m, dt = np.random.default_rng(6), 128, 40, 0.125
    out, time = Path(folder) / "curves.ecsv", (np.arange(128 * 40) + 0.5) * 0.125
    rate = 30 * (1 + 0.5 * np.sin(np.arange(n * m) / 700)) * (1 + 0.2 * random.normal(size=n * m).clip(-3, 3))
    counts = [random.poisson(rate), random.poisson(2 * np.roll(rate, 1))]
    paths = [Path(folder) / f"{name}.txt" for name in "sr"]
    for path, values in zip(paths, counts):
        path.write_text("".join(f"{t!r} {v!r}\n" for t, v in zip(time.tolist(), (values / dt).tolist())))
    curves = [Lightcurve(time, values, dt=dt, skip_checks=True, gti=[[0, n * m * dt]]) for values in counts]
    for norm in ["leahy", "frac", "abs", "none"]:
        for common in [True, False]:
            run("cs", *paths, "--segment-size", n * dt, "--norm", norm, "--use-common-mean", str(common).lower(),
                "-o", out, "--overwrite", "--quiet", "--backend", "cpu")
            ours = Table.read(out, format="ascii.ecsv")
            peer = AveragedCrossspectrum.from_lightcurve(
                *curves, segment_size=n * dt, norm=norm, silent=True, use_common_mean=common)
            what = f"light curves, {norm}{'' if common else ', each by its own mean'}"
            check(f"{what}: freq", ours["freq"], peer.freq, 1e-14)
            powers = [pds.power / (1 if common else peer.m) for pds in [peer.pds1, peer.pds2]]
            for name, values in [
                ("power.real", peer.power.real), ("power.imag", peer.power.imag), ("power1", powers[0]), ("power2", powers[1]),
            ]:
                check(f"{what}: {name}", column(ours, name), values, 1e-10)


def amplitude_differences(folder):
    """Two detectors with dead time: the peer smooths the real parts alone, and so does --compat stingray."""
    paths, out = [Path(folder) / f"{name}.evt" for name in "ab"], Path(folder) / "fad.ecsv"
    for seed, path in enumerate(paths):
        run("simulate", "-o", path, "--mission", "nustar", "--rate", "400", "--length", "600", "--dead-time", "0.0025",
            "--model", "lorentzian:2:2:0.3", "--seed", seed)
    events = [EventList.read(str(path), "hea") for path in paths]
    for n, seconds in [(4096, 8), (5001, 5001 / 512)]:
        for norm in ["leahy", "frac", "abs", "none"]:
            run("cs", *paths, "--fad", "--dt", "1/512", "--segment-size", seconds, "--norm", norm, "--compat", "stingray",
                "--fad-smoothing", repr(24 / seconds), "-o", out, "--overwrite", "--quiet")
            ours = Table.read(out, format="ascii.ecsv")
            peer = FAD(*events, seconds, dt=1 / 512, norm=norm, smoothing_length=24)
            what = f"amplitude differences, {n} bins, {norm}"
            for ours_name, values in [
                ("power1", peer["pds1"]), ("power2", peer["pds2"]), ("power_total", peer["ptot"]),
                ("power.real", peer["cs"].real), ("power.imag", peer["cs"].imag),
            ]:
                check(f"{what}: {ours_name}", column(ours, ours_name), np.asarray(values).real, 1e-10)
            check(f"{what}: scatter", 1 + ours.meta["fad_delta"], [1 + peer.meta["fad_delta"]], 1e-12)


def main():
    with tempfile.TemporaryDirectory() as folder:
        two_bands(folder)
        real_files(folder)
        light_curves(folder)
        amplitude_differences(folder)
    print(f"cross spectra: {'all agree' if not FAILED else FAILED}")
    return 1 if FAILED else 0


sys.exit(main())
