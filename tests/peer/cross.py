"""Compares cross spectra with Stingray 2.3.2: powers, cross spectrum, raw lags and their errors where the peer is right.

The peer's channel 1 is the subject. It has no errors of the modulus here and another error of the intrinsic coherence, which
simulation decides (src/spectrum/cross.rs). Exit status 1 when any comparison fails.
"""

import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

import numpy as np
from astropy.table import Table
from stingray import AveragedCrossspectrum, EventList

warnings.simplefilter("ignore")
PROGRAM = sys.argv[1]
FAILED = []


def run(*options):
    command = [PROGRAM, *map(str, options)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()}")


def check(what, ours, peer, bound):
    ours, peer = np.asarray(ours, dtype=float), np.asarray(peer, dtype=float)
    error = np.max(np.abs(ours - peer) / np.max(np.abs(peer)))
    good = error <= bound
    print(f"{'ok  ' if good else 'FAIL'} {what}: {error:.1e}", flush=True)
    if not good:
        FAILED.append(what)


def compare(folder, norm, rebin):
    path = Path(folder) / "two.evt"
    out = Path(folder) / "cross.ecsv"
    run("cs", path, "--subject", "3:10", "--ref", "10:30", "--dt", "1/64", "--segment-size", "16", "--norm", norm,
        "--backend", "cpu", "-o", out, "--overwrite", "--quiet", *(["--rebin", rebin] if rebin > 1 else []))
    ours = Table.read(out, format="ascii.ecsv")
    events = EventList.read(str(path), "hea")
    subject = events.filter_energy_range([3, 10 - 1e-9])
    reference = events.filter_energy_range([10, 30 - 1e-9])
    peer = AveragedCrossspectrum.from_events(
        subject, reference, segment_size=16, dt=1 / 64, norm=norm, silent=True, use_common_mean=True)
    if rebin > 1:
        # The peer drops what is left at the end.
        peer = peer.rebin(peer.df * rebin)
        ours = ours[: len(peer.freq)]
    what = f"{norm}, rebinned by {rebin}"
    for ours_name, values in [
        ("cross_re", peer.power.real), ("cross_im", peer.power.imag), ("power1", peer.pds1.power), ("power2", peer.pds2.power),
    ]:
        check(f"{what}: {ours_name}", ours[ours_name], values, 1e-10)
    if rebin == 1:
        check(f"{what}: phase_lag", np.exp(1j * np.array(ours["phase_lag"])).real, np.cos(peer.phase_lag()[0]), 1e-7)
    check(f"{what}: m", ours["m"], np.full(len(ours), peer.m), 0)


def main():
    with tempfile.TemporaryDirectory() as folder:
        run("simulate", "-o", Path(folder) / "two.evt", "--mission", "nustar", "--bands", "3:10,10:30", "--lag", "0.02",
            "--rate", "300", "--length", "2000", "--model", "lorentzian:1:2:0.3", "--seed", "8")
        for norm in ["leahy", "frac", "abs", "none"]:
            for rebin in [1, 8]:
                compare(folder, norm, rebin)
    print(f"cross spectra: {'all agree' if not FAILED else FAILED}")
    return 1 if FAILED else 0


sys.exit(main())
