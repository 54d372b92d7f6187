"""Compares Lomb-Scargle, multitaper and bispectra with Stingray 2.3.2, scipy and astropy. Exit status 1 when any comparison fails.

- Lomb-Scargle: the peer's `method="slow"` (its fast one is scaled by the number of frequencies where that of points belongs), and
  astropy's floating mean with weights.
- Multitaper: `scipy.signal.windows.dpss` in its symmetric form, which is orthonormal (the peer takes the periodic one, cut off). The
  peer's powers are twice these: its Leahy level is 4.
- Bispectrum: numpy, by the definition of Kim & Powers; under `--compat stingray` the peer's `Bispectrum` itself.
"""

import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

import numpy as np
import scipy.signal
from astropy.table import Table
from astropy.timeseries import LombScargle
from stingray import Bispectrum, Lightcurve
from stingray import multitaper as peer_multitaper
from stingray.lombscargle import LombScargleCrossspectrum, LombScarglePowerspectrum

warnings.simplefilter("ignore")
PROGRAM = sys.argv[1]
FAILED = []


def run(folder, *options):
    out = Path(folder) / "out.ecsv"
    command = [PROGRAM, *map(str, options), "-o", str(out), "--overwrite", "--quiet"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()}")
    return Table.read(out, format="ascii.ecsv")


def check(what, ours, truth, bound):
    ours, truth = np.asarray(ours), np.asarray(truth)
    error = np.max(np.abs(ours - truth)) / np.max(np.abs(truth)) if ours.shape == truth.shape else np.inf
    print(f"{'ok  ' if error <= bound else 'FAIL'} {what}: {error:.1e} (bound {bound:.0e}), {truth.shape}", flush=True)
    if not error <= bound:
        FAILED.append(what)


def write(path, time, rate, error):
    lines = [f"{t!r} {r!r} {e!r}" for t, r, e in zip(time.tolist(), rate.tolist(), error.tolist())]
    path.write_text("\n".join(lines) + "\n")


def gappy(seed, late=0.0):
    """Rates in bins of 1/4 s with gaps, and their errors."""
    random = np.random.default_rng(seed)
    time = np.arange(4000) * 0.25 + 0.125
    time = time[((time / 170) % 1 < 0.7) & ((time < 400) | (time > 520))]
    error = 1 + random.random(time.size)
    rate = 80 + 12 * np.cos(2 * np.pi * 0.231 * (time - late)) + error * random.normal(size=time.size)
    return time, rate, error


def lomb_scargle(folder):
    path, other = Path(folder) / "lc.txt", Path(folder) / "ref.txt"
    time, rate, error = gappy(1, late=0.7)
    write(path, time, rate, error)
    span = time[-1] - time[0] + 0.25
    plain = run(folder, "ls", path, "--floating-mean", "false", "--norm", "none")
    freq = np.array(plain["freq"])
    check("ls: frequencies", freq, np.arange(1, len(freq) + 1) / span, 1e-12)
    # The peer's classical transform with frequencies of ours; its counts are rates.
    from stingray.fourier import lsft_slow

    dt = 0.25
    slow = lsft_slow(rate * dt, time, freq)
    check("ls: peer, slow", plain["power"], np.abs(slow) ** 2, 1e-9)
    curve = lambda t, r: Lightcurve(t, r * dt, dt=dt, skip_checks=True, gti=[[t[0] - dt / 2, t[-1] + dt / 2]], err=np.ones_like(t))
    grid = dict(min_freq=freq[0], max_freq=freq[-1])
    peer = LombScarglePowerspectrum(curve(time, rate), norm="none", method="slow", **grid)
    print(f"     ls: the peer's grid has {len(peer.freq)} frequencies from {peer.freq[0]:.6g} Hz, ours {len(freq)}")
    for weighted, fit_mean, k in [(True, True, 1), (True, False, 3), (False, True, 2.5)]:
        options = ["--oversample", k, "--floating-mean", str(fit_mean).lower(), *(["--weighted"] if weighted else [])]
        for direct in [[], ["--direct"]]:
            ours = run(folder, "ls", path, *options, *direct)
            dy = error if weighted else np.sqrt(np.mean(error**2))
            truth = LombScargle(time, rate, dy, fit_mean=fit_mean, center_data=True).power(
                np.array(ours["freq"]), method="cython", normalization="psd")
            check(f"ls: astropy, weighted={weighted} floating={fit_mean} oversample={k} {direct}", ours["power"], 2 * truth, 1e-9)
    reference = gappy(2)
    write(other, *reference)
    cross = run(folder, "ls", path, "--ref", other, "--floating-mean", "false", "--norm", "none")
    theirs = lsft_slow(rate * dt, time, np.array(cross["freq"])) * np.conj(lsft_slow(reference[1] * dt, reference[0], np.array(cross["freq"])))
    check("ls: peer's cross spectrum, slow, same bins", np.array(cross["power"]), theirs, 1e-9)
    best = np.argmax(cross["power1"])
    lag = np.angle(cross["power"][best]) / (2 * np.pi * cross["freq"][best])
    check("ls: lag of the subject, 0.7 s", [lag], [0.7], 0.05)


def multitaper(folder):
    random = np.random.default_rng(3)
    n, dt = 1000, 0.5
    counts = random.poisson(40 * (1 + 0.3 * np.cos(2 * np.pi * 0.1 * np.arange(n) * dt)))
    time = (np.arange(n) + 0.5) * dt
    path = Path(folder) / "counts.txt"
    write(path, time, counts / dt, np.full(n, np.sqrt(40.0) / dt))
    symmetric = lambda **options: scipy.signal.windows.dpss(**{**options, "sym": True})
    real = peer_multitaper.signal
    peer_multitaper.signal = type("S", (), {"windows": type("W", (), {"dpss": staticmethod(symmetric)})})
    try:
        for nw in [2.5, 4]:
            lc = Lightcurve(time, counts, dt=dt, skip_checks=True, gti=[[0, n * dt]])
            peer = peer_multitaper.Multitaper(lc, norm="none", NW=nw, jackknife=True)
            ours = run(folder, "multitaper", path, "--segment-size", n * dt, "--norm", "none", "--half-bandwidth", nw, "--jackknife")
            check(f"multitaper NW={nw}: frequencies", ours["freq"], peer.freq, 1e-12)
            check(f"multitaper NW={nw}: half of the peer's power", ours["power"], peer.power / 2, 1e-10)
            error = np.array(ours["power_err"]) / np.array(ours["power"])
            check(f"multitaper NW={nw}: jackknife", error**2, peer.jk_var_deg_freedom, 1e-9)
            tapers, ratios = scipy.signal.windows.dpss(n, nw, int(2 * nw), return_ratios=True)
            keep = ratios > 0.9
            tapers, ratios = tapers[keep], ratios[keep]
            eigen = n * np.abs(np.fft.rfft(tapers * (counts - counts.mean()), axis=1)[:, 1 : (n + 1) // 2]) ** 2
            power = eigen[:2].mean(axis=0)
            for _ in range(2000):
                d = power / (ratios[:, None] * power + (1 - ratios[:, None]) * n * counts.var())
                weight = ratios[:, None] * d**2
                power = (weight * eigen).sum(axis=0) / weight.sum(axis=0)
            ours = run(folder, "multitaper", path, "--segment-size", n * dt, "--norm", "none", "--half-bandwidth", nw, "--adaptive")
            check(f"multitaper NW={nw}: adaptive, numpy", ours["power"], power, 1e-10)
    finally:
        peer_multitaper.signal = real


def bispectrum(folder):
    random = np.random.default_rng(4)
    n, dt, m = 64, 0.25, 30
    rate = 40 + random.normal(size=n * m) ** 3
    path = Path(folder) / "series.txt"
    write(path, (np.arange(n * m) + 0.5) * dt, rate, np.ones(n * m))
    ours = run(folder, "bispectrum", path, "--segment-size", n * dt)
    x = np.fft.fft((rate * dt).reshape(m, n), axis=1)
    k, l = (np.rint(np.array(ours[name]) * n * dt).astype(int) for name in ["freq1", "freq2"])
    triple = (x[:, k] * x[:, l] * np.conj(x[:, k + l])).mean(axis=0)
    check("bispectrum: numpy", np.array(ours["bispectrum"]), triple, 1e-10)
    squares = (np.abs(x[:, k] * x[:, l]) ** 2).mean(axis=0) * (np.abs(x[:, k + l]) ** 2).mean(axis=0)
    check("bispectrum: bicoherence", ours["bicoherence"], np.abs(triple) ** 2 / squares, 1e-10)
    check("bispectrum: biphase", np.exp(1j * np.array(ours["biphase"])), triple / np.abs(triple), 1e-8)


def cumulants(folder):
    """The peer's class: every window, odd and even lengths, lags and both scales; the mean of its answers of several segments."""
    random = np.random.default_rng(5)
    dt = 0.25
    path = Path(folder) / "cumulants.txt"
    windows = ["uniform", "parzen", "hamming", "hanning", "triangular", "welch", "blackmann", "flat-top"]
    cases = [(64, 1, None, None, "biased"), (65, 1, None, None, "unbiased"), (64, 5, 21, None, "biased"), (65, 5, 64, "welch", "unbiased")]
    cases += [(128, 1, None, window, scale) for window in windows for scale in ["biased", "unbiased"]]
    cases += [(81, 3, lag, window, "biased") for lag in [1, 2, 17] for window in ["parzen", "flat-top"]]
    for n, m, lag, window, scale in cases:
        counts = random.poisson(40 + 10 * np.cos(2 * np.pi * 0.3 * np.arange(n * m) * dt + 1) ** 2).astype(float)
        write(path, (np.arange(n * m) + 0.5) * dt, counts / dt, np.ones(n * m))
        options = [*(["--max-lag", lag] if lag else []), *(["--window", window] if window else [])]
        options += ["--unbiased"] if scale == "unbiased" else []
        ours = run(folder, "bispectrum", path, "--compat", "stingray", "--segment-size", n * dt, *options)
        time = (np.arange(n) + 0.5) * dt
        of = lambda c: Bispectrum(Lightcurve(time, c, dt=dt, skip_checks=True, gti=[[0, n * dt]]), maxlag=lag, window=window, scale=scale)
        peers = [of(c) for c in counts.reshape(m, n)]
        truth = np.mean([peer.bispec for peer in peers], axis=0)
        what = f"bispectrum of the peer: {m} of {n} bins, lag {lag}, {window}, {scale}"
        shape = truth.shape
        check(what, np.reshape(np.array(ours["bispectrum"]), shape), truth, 1e-10)
        freq = np.array(peers[0].freq)
        grid = np.array([np.array(ours[name]).reshape(shape) for name in ["freq1", "freq2"]])
        check(f"{what}: frequencies", grid, np.array(np.meshgrid(freq, freq, indexing="ij")), 1e-12)
        if m == 1:
            check(f"{what}: magnitude", np.reshape(ours["magnitude"], shape), peers[0].bispec_mag, 1e-10)
            # Phases of what is 0 but for rounding mean nothing.
            real = peers[0].bispec_mag > 1e-6 * np.max(peers[0].bispec_mag)
            phase = np.reshape(ours["biphase"], shape)[real]
            check(f"{what}: biphase", np.exp(1j * phase), np.exp(1j * peers[0].bispec_phase[real]), 1e-6)


def main():
    with tempfile.TemporaryDirectory() as folder:
        lomb_scargle(folder)
        multitaper(folder)
        bispectrum(folder)
        cumulants(folder)
    print(f"other spectra: {'all agree' if not FAILED else FAILED}")
    return 1 if FAILED else 0


sys.exit(main())
