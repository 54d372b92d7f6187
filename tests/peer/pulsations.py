"""Compares searches and folds with Stingray 2.3.2: profiles, epoch folding, Z² of the same frequencies, and what a blind search finds.

The peer's Z² and H take all phases to be exposed alike. Where that is not so, they are compared with the score test of
docs/pulsations.md, written down here once more with numpy's linear equations; where it is, with the peer's own.

Weighted Z² is the peer's times Σw/Σw², because the peer divides by Σw, whose noise has no known law. Phase dispersion is the peer's where its phases
start at our epoch (its search starts them at the first sample, cuts series into pieces of 5000 s, and leaves out the last sample) and no
bin is empty (the peer's θ is NaN then); its probability takes θ for the beta variate, which θ·(N − M)/(N − 1) is.

The peer adds up phases in f64 from the first event, this program in whole ticks from the middle: the same profiles where both
have the same zero of phase, and the same Z² of unbinned phases anywhere. Exit status 1 when any comparison fails.
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
from scipy.stats import beta
from stingray import EventList
from stingray.pulse.pulsar import ef_profile_stat, fold_events, htest, pdm_profile_stat, pulse_phase, z_n
from stingray.pulse.search import phase_dispersion_search, z_n_search
from stingray.stats import phase_dispersion_logprobability, z2_n_logprobability

warnings.simplefilter("ignore")
PROGRAM = sys.argv[1]
FAILED = []


def run(*options):
    done = subprocess.run([PROGRAM, *map(str, options)], capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, options))}: {done.stderr.strip()}")
    return done.stdout


def check(what, good, figures=""):
    print(f"{'ok  ' if good else 'FAIL'} {what}: {figures}", flush=True)
    if not good:
        FAILED.append(what)


def times_of(path, gti):
    """Times that lie in the intervals of our product, in the frame."""
    times = np.asarray(EventList.read(str(path), "hea").time, dtype=np.longdouble)
    return np.concatenate([times[(times >= a) & (times < b)] for a, b in gti])


def against(phase, freq, gti, epoch, n):
    """Z²_1 … Z²_n of phases against what is seen of a constant source, and whether the exposure matters."""
    total, good = len(phase), np.sum(gti[:, 1] - gti[:, 0])
    reach = int(np.sqrt(2 * total) * len(gti) / (np.pi * freq * good) / 0.01)
    edges = np.exp(2j * np.pi * freq * (gti - epoch))
    seen = [np.sum(edges[:, 1] ** k - edges[:, 0] ** k) / (2j * np.pi * k * freq * good) for k in range(1, min(reach, 2 * n) + 1)]
    w = np.r_[1, seen, np.zeros(2 * n - len(seen))]
    at = lambda k: w[k] if k >= 0 else np.conj(w[-k])
    x = np.exp(2j * np.pi * np.outer(np.arange(1, n + 1), phase)).sum(axis=1) - total * w[1 : n + 1]
    d = np.ravel(np.column_stack([x.real, x.imag]))
    # E[a·conj(b)] and E[a·b] of a = exp(ihφ), b = exp(ikφ) are what products of cosines and sines are made of.
    c = np.empty((2 * n, 2 * n))
    for h in range(1, n + 1):
        for k in range(1, n + 1):
            p, q = at(h - k) - w[h] * np.conj(w[k]), at(h + k) - w[h] * w[k]
            c[2 * h - 2 : 2 * h, 2 * k - 2 : 2 * k] = [[(p + q).real, (q - p).imag], [(p + q).imag, (p - q).real]]
    z2 = [2 / total * d[: 2 * m] @ np.linalg.solve(c[: 2 * m, : 2 * m], d[: 2 * m]) for m in range(1, n + 1)]
    return np.array(z2), reach > 0


def compare(path, freq, n, nbin, folder):
    name = Path(path).name
    common = ["--freq", freq, "--backend", "cpu", "--quiet", "--overwrite"]
    out = Path(folder) / "search.ecsv"
    summary = json.loads(run("search", path, *common, "--nharm", n, "--json", "-o", out))
    table = Table.read(out, format="ascii.ecsv")
    times = (times_of(path, summary["gti"]) - np.longdouble(summary["epoch"])).astype(float)
    check(f"{name}: events", len(times) == summary["nphots"], f"{len(times)} and {summary['nphots']}")
    places = np.unique(np.r_[np.linspace(0, len(table) - 1, 150).astype(int), np.argmax(table["stat"]) + np.arange(-20, 21)])
    places = places[(places >= 0) & (places < len(table))]
    gti = np.asarray(summary["gti"])
    phases = [pulse_phase(times, table["freq"][i]) for i in places]
    expected = [against(p, table["freq"][i], gti, summary["epoch"], n) for i, p in zip(places, phases)]
    peer = np.array([z2[-1] if uneven else z_n(p, n) for (z2, uneven), p in zip(expected, phases)])
    uneven = sum(uneven for _, uneven in expected)
    error = np.max(np.abs(table["stat"][places] - peer) / np.maximum(peer, 1))
    check(f"{name}: Z²_{n} of {len(places)} frequencies", error < 1e-4,
          f"largest relative error {error:.1e}; {uneven} unevenly exposed")

    best = summary["candidates"][0]
    z2, uneven = against(pulse_phase(times, best["freq"]), best["freq"], gti, summary["epoch"], max(n, 20))
    ours = z2[n - 1] if uneven else z_n(pulse_phase(times, best["freq"]), n)
    check(f"{name}: Z²_{n} of the candidate", abs(best["stat"] / ours - 1) < 1e-6, f"{best['stat']:.6f} and {ours:.6f}")
    grid = np.arange(best["freq"] - 100 * summary["df"], best["freq"] + 100 * summary["df"], summary["df"] / 4)
    peer_freq, peer_stat = z_n_search(times, grid, nharm=n, nbin=128)
    peak = peer_freq[np.argmax(peer_stat)]
    check(f"{name}: the peer's peak", abs(peak - best["freq"]) < summary["df"],
          f"{peak:.7f} Hz, Z² {peer_stat.max():.3f} (128 bins); ours {best['freq']:.7f} ± {best['freq_err']:.1e} Hz, {best['stat']:.3f}")
    peer_p = z2_n_logprobability(peer_stat.max(), n=n, ntrial=summary["trials"]) / np.log(10)
    print(f"     log10 p: the peer's {peer_p:.2f} with all {summary['trials']} trials independent, ours {best['log10_p']:.2f}")
    # More chances than trials there are not, and correlated ones are fewer.
    check(f"{name}: trials", peer_p - 3 < best["log10_p"] < peer_p + 0.5)

    frequency = repr(best["freq"])
    epoch = f"{summary['epoch']!r}s"
    run("fold", path, "--f", frequency, "--epoch", epoch, "--nbin", nbin, "-o", out, "--backend", "cpu", "--quiet", "--overwrite")
    profile = Table.read(out, format="ascii.ecsv")
    _, counts, _ = fold_events(times, float(best["freq"]), nbin=nbin)
    moved = int(np.abs(profile["counts"] - counts).sum())
    check(f"{name}: profile of {nbin} bins", moved <= 2, f"{moved} counts differ of {len(times)}")
    meta = profile.meta
    h = htest(pulse_phase(times, best["freq"]), 20, "events")
    if uneven:
        scores = z2[:20] - 4 * np.arange(20)
        h = np.argmax(scores) + 1, np.max(scores)
    check(f"{name}: H", abs(meta["h"] / h[1] - 1) < 1e-6 and meta["h_harmonics"] == h[0], f"{meta['h']:.4f} and {h[1]:.4f}")

    summary = json.loads(run("search", path, "--freq", f"{best['freq'] * 0.999}:{best['freq'] * 1.001}", "--method", "ef",
                             "--nbin", nbin, "--backend", "cpu", "--quiet", "--json", "--overwrite", "-o", out))
    table = Table.read(out, format="ascii.ecsv")
    # The peer's statistic takes all bins to be exposed alike.
    stats = [ef_profile_stat(fold_events(times, f, nbin=nbin)[1]) for f in table["freq"][::7]]
    error = np.max(np.abs(table["stat"][::7] - stats) / np.maximum(stats, 1))
    bound = 0.02 if np.ptp(gti) * best["freq"] > 1000 else 0.5
    check(f"{name}: epoch folding", error < bound, f"largest relative difference {error:.1e} (exposures are ours alone)")


def weigh(path, freq, n, folder):
    """Weights that are random, and the pulsar's: written into a copy of the file."""
    name, weighted, out = Path(path).name, Path(folder) / "weighted.evt", Path(folder) / "search.ecsv"
    rng = np.random.default_rng(5)
    with fits.open(path) as file:
        w = rng.uniform(size=len(file[1].data)) ** 3
        weights = fits.Column("WEIGHT", "D", array=w)
        table = fits.BinTableHDU.from_columns([*file[1].columns, weights], file[1].header)
        fits.HDUList([file[0], table, *file[2:]]).writeto(weighted, overwrite=True)
    summary = json.loads(run("search", weighted, "--weights", "WEIGHT", "--freq", freq, "--nharm", n, "--quiet", "--json", "--overwrite",
                             "-o", out))
    table = Table.read(out, format="ascii.ecsv")
    times = np.asarray(EventList.read(str(weighted), "hea").time, dtype=np.longdouble)
    inside = np.any([(times >= a) & (times < b) for a, b in summary["gti"]], axis=0)
    times, w = (times[inside] - np.longdouble(summary["epoch"])).astype(float), w[inside]
    sums = summary["weights"]
    good = abs(sums["sum"] / w.sum() - 1) < 1e-12 and abs(sums["squares"] / np.sum(w**2) - 1) < 1e-12
    check(f"{name}: weights", good, f"sum {sums['sum']:.3f}, of squares {sums['squares']:.3f}")
    places = np.unique(np.r_[np.linspace(0, len(table) - 1, 30).astype(int), np.argmax(table["stat"])])
    ours, freqs = np.asarray(table["stat"][places]), np.asarray(table["freq"][places])
    unbinned = [2 / np.sum(w**2) * sum(abs(np.sum(w * np.exp(2j * np.pi * h * pulse_phase(times, f)))) ** 2 for h in range(1, n + 1))
                for f in freqs]
    error = np.max(np.abs(ours - unbinned) / np.maximum(unbinned, 1))
    check(f"{name}: weighted Z²_{n} of {len(places)} frequencies", error < 1e-4, f"largest relative error {error:.1e}")
    _, peer = z_n_search(times, freqs, nharm=n, nbin=1024, weights=w)
    peer *= w.sum() / np.sum(w**2)
    error = np.max(np.abs(ours - peer) / np.maximum(peer, 1) ** 0.5)
    check(f"{name}: the peer's weighted Z²_{n}, times Σw/Σw²", error < 0.1,
          f"largest difference {error:.1e} of √Z² (1024 bins); at the peak {peer.max():.3f} and {ours.max():.3f}")


def disperse(path, freq, nbin, folder, *options):
    """Phase dispersion of a light curve, or of events counted in bins."""
    name, out = Path(path).name, Path(folder) / "search.ecsv"
    if options:
        run("lc", path, *options, "-o", Path(folder) / "curve.fits", "--quiet", "--overwrite")
        data = fits.getdata(Path(folder) / "curve.fits", "RATE")
        time, value = data["TIME"][data["FRACEXP"] == 1].astype(float), data["COUNTS"][data["FRACEXP"] == 1].astype(float)
    else:
        time, value = np.loadtxt(path, unpack=True)
    summary = json.loads(run("search", path, "--method", "pdm", "--freq", freq, "--nbin", nbin, "--backend", "cpu", "--quiet", "--json",
                             "--overwrite", "-o", out, *options))
    table, n = Table.read(out, format="ascii.ecsv"), len(time)
    check(f"{name}: samples", summary["sampling"]["samples"] == n, f"{n}")
    peak = int(np.argmin(table["stat"]))
    places = np.unique(np.r_[np.linspace(0, len(table) - 1, 200).astype(int), peak])
    full = [fold_events(time, f, nbin=nbin, weights=value, ref_time=summary["epoch"], mode="pdm")[1] for f in table["freq"][places]]
    peer = np.array([pdm_profile_stat(p, np.var(value, ddof=1), n) for p in full])
    same = np.isfinite(peer)
    error = np.max(np.abs(table["stat"][places] - peer)[same])
    # Times that are rounded to f64 move one sample of many over the edge of a bin.
    check(f"{name}: θ of {same.sum()} frequencies", error < 1e-7, f"largest error {error:.1e}; {np.sum(~same)} have empty bins")
    theta = np.asarray(table["stat"][places])[same]
    bins = table["nbin"][places][same] if "nbin" in table.colnames else np.full(same.sum(), nbin)
    one = beta.logcdf(theta * (n - bins) / (n - 1), (n - bins) / 2, (bins - 1) / 2)
    # The sum of probabilities where they are small: log10_p has the trials.
    rare = one < -12 - np.log(summary["trials"])
    ours = np.asarray(table["log10_p"][places])[same] * np.log(10) - np.log(summary["trials"])
    error = np.max(np.abs(ours - one)[rare] / np.abs(one[rare]), initial=0)
    check(f"{name}: probabilities of {rare.sum()} of them", rare.sum() > 0 and error < 1e-4, f"largest relative error of ln p {error:.1e}")
    at = table["stat"][peak]
    theirs = phase_dispersion_logprobability(at, n, nbin, ntrial=summary["trials"]) / np.log(10)
    print(f"     log10 p of θ = {at:.6f}: the peer's {theirs:.2f}, ours {table['log10_p'][peak]:.2f}")
    _, search = phase_dispersion_search(time, value, table["freq"][peak - 5 : peak + 6], nbin=nbin, segment_size=np.inf)
    check(f"{name}: the peer's search", abs(np.nanmin(search) - at) < 0.1 * (1 - at), f"θ {np.nanmin(search):.6f}, ours {at:.6f}")


with tempfile.TemporaryDirectory() as folder:
    root = Path(__file__).parents[2]
    compare(root / "examples/data/b1509.fits", "1:30", 2, 32, folder)
    compare(root / "tests/data/sgr1830kgfilt.evt", "0.05:2", 3, 20, folder)
    simulated = Path(folder) / "fast.evt"
    run("simulate", "-o", simulated, "--rate", 30, "--length", 3000, "--model", "pulsar:641.9:0.1", "--seed", 5)
    compare(simulated, "641.5:642.5", 1, 64, folder)
    weigh(root / "examples/data/b1509.fits", "6:7", 2, folder)
    disperse(root / "examples/data/b1509.fits", "6.00013:7", 10, folder, "--dt", "1/128")
    disperse(root / "tests/data/sgr1830kgfilt.evt", "0.05:0.2", 16, folder, "--dt", "0.25")
    # Eclipses in a flux with gaps. Frequencies are such that no sample lies on the edge of a bin, where a rounding decides.
    rng = np.random.default_rng(6)
    time = (np.arange(20000) + 0.5) * 0.1
    flux = 2e-11 * (1 - 0.3 * ((time / 7.123) % 1 < 0.1) + 0.4 * rng.standard_normal(len(time)))
    seen = time % 95 < 60
    np.savetxt(Path(folder) / "flux.txt", np.column_stack([time, flux])[seen], fmt="%.17g")
    disperse(Path(folder) / "flux.txt", "0.0200137:0.5", 20, folder)
sys.exit(1 if FAILED else 0)
