"""Products of this program read by Stingray 2.3.2, which carries on with them: what it makes of them is what we make of them.

`Powerspectrum.read` of plain and rebinned files, compute_rms, rebin_log and to_norm; `Crossspectrum.read` and `AveragedCrossspectrum.read`,
time_lag, phase_lag, to_norm and rebin_log. The peer reads no matrix from a file that another program can write (its own has a column of
vectors, and times in the metadata of a text file): a DynamicalPowerspectrum gets ours, as docs/products.md shows, and rebins it. Exit
status 1 when any comparison fails.
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
from stingray import AveragedCrossspectrum, AveragedPowerspectrum, Crossspectrum, DynamicalPowerspectrum, Powerspectrum

warnings.simplefilter("ignore")
PROGRAM = sys.argv[1]
ROOT = Path(__file__).resolve().parents[2]
FAILED = []


def run(*options):
    command = [PROGRAM, *map(str, options), "--backend", "cpu", "--overwrite", "--quiet"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()}")
    return done.stdout


def check(what, ours, peer, bound):
    ours, peer = np.asarray(ours), np.asarray(peer)
    error = np.max(np.abs(ours - peer) / np.max(np.abs(peer))) if ours.shape == peer.shape else np.inf
    good = error <= bound
    print(f"{'ok  ' if good else 'FAIL'} {what}: {error:.1e}", flush=True)
    if not good:
        FAILED.append(what)


def power_spectra(folder):
    """The rms of bands with whole bins, of the plain and of the rebinned file; to_norm against our own norms."""
    source, out = ROOT / "examples/data/b1509.fits", Path(folder) / "power.ecsv"
    common = ["pds", source, "--dt", "1/64", "--segment-size", "64", "-o", out]
    for norm in ["leahy", "frac", "abs", "none"]:
        for rebin in [[], ["--rebin", "7"], ["--rebin-log", "0.05"]]:
            what = f"pds, {norm} {' '.join(rebin)}"
            run(*common, "--norm", norm, *rebin)
            table = Table.read(out, format="ascii.ecsv")
            # Edges of bins, so that both sum the same ones, around the pulsar.
            first, last = (int(np.searchsorted(table["freq"], freq)) for freq in (5, 9))
            lo, hi = float(table["freq"][first] - table["width"][first] / 2), float(table["freq"][last] + table["width"][last] / 2)
            ours = json.loads(run(*common, "--norm", norm, *rebin, "--rms", f"{lo!r}:{hi!r}", "--json"))
            for peer in [Powerspectrum.read(str(out), fmt="ascii.ecsv"), AveragedPowerspectrum.read(str(out), fmt="ascii.ecsv")]:
                rms, _ = peer.compute_rms(lo, hi)
                check(f"{what}: {type(peer).__name__}.compute_rms", [ours["rms"]], [rms], 1e-9)
                for other in {"leahy", "frac", "abs", "none"} - {norm}:
                    run(*common, "--norm", other, *rebin)
                    check(f"{what}: to_norm {other}", Table.read(out, format="ascii.ecsv")["power"], peer.to_norm(other).power, 1e-12)
                run(*common, "--norm", norm, *rebin)
            if not rebin:
                run(*common, "--norm", norm, "--rebin-log", "0.05")
                coarse = Table.read(out, format="ascii.ecsv")
                peer = Powerspectrum.read(str(out), fmt="ascii.ecsv")
                run(*common, "--norm", norm)
                logged = Powerspectrum.read(str(out), fmt="ascii.ecsv").rebin_log(0.05)
                # The peer drops what is left over at the end.
                count = len(logged.freq) - 1
                check(f"{what}: rebin_log", coarse["power"][:count], logged.power[:count], 1e-12)
                check(f"{what}: rebin_log, k", coarse["k"][:count], logged.k[:count], 0)


def cross_spectra(folder):
    events, out = Path(folder) / "late.evt", Path(folder) / "cross.ecsv"
    subprocess.run([PROGRAM, "simulate", "-o", str(events), "--mission", "nustar", "--bands", "3:10,10:30", "--lag", "0.02", "--rate", "400",
                    "--length", "800", "--seed", "3", "--model", "lorentzian:1:2:0.3"], check=True, capture_output=True)
    common = ["cs", events, "--subject", "3:10", "--ref", "10:30", "--dt", "1/64", "--segment-size", "16", "-o", out]
    for norm in ["leahy", "frac", "abs", "none"]:
        for rebin in [[], ["--rebin", "5"], ["--rebin-log", "0.1"]]:
            what = f"cs, {norm} {' '.join(rebin)}"
            run(*common, "--norm", norm, *rebin)
            ours = Table.read(out, format="ascii.ecsv")
            peer = Crossspectrum.read(str(out), fmt="ascii.ecsv")
            # Of several frequencies ours is the delay that they have in common, the peer's the phase over that of the bin's middle.
            over_middle = ours["lag_phase"] / (2 * np.pi * ours["freq"])
            check(f"{what}: time_lag", over_middle if rebin else ours["lag_time"], peer.time_lag(), 1e-12)
            check(f"{what}: phase_lag", ours["lag_phase"], peer.phase_lag(), 1e-12)
            averaged = AveragedCrossspectrum.read(str(out), fmt="ascii.ecsv")
            check(f"{what}: its power", ours["power"], averaged.power, 0)
            for other in {"leahy", "frac", "abs", "none"} - {norm}:
                run(*common, "--norm", other, *rebin)
                check(f"{what}: to_norm {other}", Table.read(out, format="ascii.ecsv")["power"], peer.to_norm(other).power, 1e-12)
            if not rebin:
                run(*common, "--norm", norm, "--rebin-log", "0.1")
                coarse = Table.read(out, format="ascii.ecsv")
                logged = peer.rebin_log(0.1)
                count = len(logged.freq) - 1
                check(f"{what}: rebin_log", coarse["power"][:count], logged.power[:count], 1e-12)
                over_middle = coarse["lag_phase"] / (2 * np.pi * coarse["freq"])
                check(f"{what}: rebin_log, time_lag", over_middle[:count], logged.time_lag()[:count], 1e-10)


def dynamical(folder):
    source, out = ROOT / "examples/data/b1509.fits", Path(folder) / "dyn.fits"
    common = ["dyn", source, "--dt", "1/64", "--segment-size", "64", "--across-gaps", "-o", out]

    def read():
        with fits.open(out) as hdus:
            made = DynamicalPowerspectrum()
            made.dyn_ps = hdus[0].data.T.astype(float)
            made.time, made.freq = hdus["TIME"].data["time"].astype(float), hdus["FREQ"].data["freq"].astype(float)
            meta = json.loads(hdus["METADATA"].data["JSON"][0])
            made.df, made.dt, made.m, made.norm = meta["df"], meta["segment_size"], 1, meta["norm"]
            return made

    run(*common)
    peer = read().rebin_frequency(8 / 64).rebin_by_n_intervals(3)
    run(*common, "--rebin", 8, "--rebin-time", 3)
    ours = read()
    rows, columns = len(peer.time), len(peer.freq)
    check("dyn: rebinned", ours.dyn_ps[:columns, :rows], peer.dyn_ps, 1e-12)
    check("dyn: frequencies", ours.freq[:columns], peer.freq, 1e-12)


def main():
    with tempfile.TemporaryDirectory() as folder:
        power_spectra(folder)
        cross_spectra(folder)
        dynamical(folder)
    print(f"{len(FAILED)} comparisons failed" if FAILED else "all comparisons agree")
    sys.exit(1 if FAILED else 0)


main()
