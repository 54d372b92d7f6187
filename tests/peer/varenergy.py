"""Energy spectra of simulated files against Stingray where its definitions agree, and against the truth where they do not, its value
beside: lags with photons common to both bands, errors of rms, and excess variance, which it takes from the light curve."""

import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

import numpy as np
from astropy.table import Table
from stingray import EventList
from stingray.varenergyspectrum import ComplexCovarianceSpectrum, CountSpectrum, CovarianceSpectrum, LagSpectrum, RmsSpectrum

PROGRAM = sys.argv[1]
FAILED = []
DT, SEGMENT, BAND = 1 / 64, 16, (0.5, 2)
# The peer takes photons of LO <= E < HI in f64, here edges lie between the energies of NuSTAR's channels.
EDGES = [3.0, 4.0, 6.0, 10.0, 15.0, 30.0]
LAG, COHERENCE = 0.02, 0.8


def run(*arguments):
    subprocess.run([PROGRAM, *map(str, arguments)], check=True, capture_output=True)


def check(what, ours, peers, bound):
    error = np.max(np.abs(np.asarray(ours) - np.asarray(peers))) / np.max(np.abs(peers))
    good = error <= bound
    print(f"{'ok  ' if good else 'FAIL'} {what}: {error:.1e}", flush=True)
    if not good:
        FAILED.append(what)


def table(folder, path, *options):
    out = Path(folder) / "energy.ecsv"
    bands = ",".join(map(str, EDGES))
    run("varenergy", path, "--energies", bands, "--dt", "1/64", "--segment-size", SEGMENT, "--backend", "cpu", "-o", out,
        "--overwrite", "--quiet", *options)
    return Table.read(out, format="ascii.ecsv")



def main():
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "two.evt"
        run("simulate", "-o", path, "--mission", "nustar", "--bands", "3:10,10:30", "--lag", LAG, "--coherence", COHERENCE,
            "--rate", "300", "--length", "4000", "--model", "lorentzian:1:2:0.3", "--seed", "8")
        events = EventList.read(str(path), "hea")
        freq = ("--freq", "0.5:2")
        settings = {"freq_interval": list(BAND), "bin_time": DT, "segment_size": SEGMENT}
        counts = table(folder, path, "--kind", "count")
        peer = CountSpectrum(events, EDGES)
        check("counts", counts["value"], peer.spectrum, 0)
        check("errors of counts", counts["value_err"], peer.spectrum_error, 1e-15)

        # Bands apart from the reference: the first two.
        lags = table(folder, path, *freq, "--ref", "10:30")
        peer = LagSpectrum(events, energy_spec=EDGES, ref_band=[10, 30], **settings)
        check("m", [lags.meta["m"]], [24 * 250], 0)
        # Frequencies of lags are weighted in another way (docs/decisions.md): hence not to the last digit.
        check("lags apart from the reference", lags["value"][:3], peer.spectrum[:3], 2e-3)
        covariance = table(folder, path, *freq, "--ref", "10:30", "--kind", "covariance", "--norm", "abs")
        peer_covariance = CovarianceSpectrum(events, energy_spec=EDGES, ref_band=[10, 30], norm="abs", **settings)
        modulus = np.hypot(covariance["covariance_re"], covariance["covariance_im"])
        check("covariance apart from the reference", modulus[:3], peer_covariance.spectrum[:3], 1e-10)
        complex_covariance = ComplexCovarianceSpectrum(events, energy_spec=EDGES, ref_band=[10, 30], norm="abs", **settings)
        for part, values in [("re", complex_covariance.spectrum.real), ("im", complex_covariance.spectrum.imag)]:
            check(f"complex covariance, {part}", covariance[f"covariance_{part}"][:3], values[:3], 1e-10)
        angle = np.angle(covariance["covariance_re"] + 1j * covariance["covariance_im"])
        check("its phase is the lag's", angle, lags["lag_phase"], 1e-12)
        for norm in ["frac", "abs"]:
            rms = table(folder, path, *freq, "--kind", "rms", "--norm", norm)
            peer_rms = RmsSpectrum(events, energy_spec=EDGES, norm=norm, **settings)
            check(f"rms, {norm}", rms["value"], peer_rms.spectrum, 1e-9)

        # What differs, against the truth: 20 ms below 10 keV, none above.
        inside = table(folder, path, *freq, "--ref", "3:30")
        peer = LagSpectrum(events, energy_spec=EDGES, ref_band=[3, 30], **settings)
        print("lags of bands inside the reference, ms: here", np.round(1e3 * inside["value"], 2), "peer",
              np.round(1e3 * peer.spectrum, 2))
        print("their errors, ms: here", np.round(1e3 * inside["value_err"], 2), "peer", np.round(1e3 * peer.spectrum_error, 2))
        rms = table(folder, path, *freq, "--kind", "rms")
        peer_rms = RmsSpectrum(events, energy_spec=EDGES, norm="frac", **settings)
        print("errors of rms: peer's over ours", np.round(peer_rms.spectrum_error / rms["value_err"], 2))
        print("errors of covariance: peer's over ours", np.round(peer_covariance.spectrum_error / covariance["value_err"], 2)[:3])

        # Excess variance over all frequencies is that of the counts: the definition, written out. An odd number of bins has no
        # Nyquist frequency.
        odd = 1023 * DT
        out = Path(folder) / "odd.ecsv"
        run("varenergy", path, "--energies", "3,6,30", "--kind", "excvar", "--norm", "abs", "--dt", "1/64", "--segment-size", odd,
            "--freq", "0:1000", "--backend", "cpu", "-o", out, "--quiet")
        for row, (lo, hi) in zip(Table.read(out, format="ascii.ecsv"), [(3, 6), (6, 30)]):
            times = events.time[(events.energy >= lo) & (events.energy < hi)]
            first = events.gti[0][0]
            segments = int((events.gti[0][1] - first) / odd)
            x = np.histogram(times - first, bins=segments * 1023, range=(0, segments * odd))[0].reshape(segments, 1023)
            # About the mean of its own segment, noise has the variance (1 - 1/n) of the mean; the peer subtracts the whole mean.
            expected = x.var(axis=1).mean() - x.mean() * (1 - 1 / 1023)
            check(f"excess variance, {lo} to {hi} keV", row["value"], expected / DT**2, 1e-9)
    print(f"energy spectra: {'all agree' if not FAILED else FAILED}")
    return 1 if FAILED else 0


sys.exit(main())
