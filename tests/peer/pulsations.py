"""Compares searches and folds with Stingray 2.3.2: profiles, epoch folding, Z² of the same frequencies, and what a blind search finds.

The peer's Z² and H take all phases to be exposed alike. Where that is not so, they are compared with the score test of
docs/pulsations.md, written down here once more with numpy's linear equations; where it is, with the peer's own.

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
from astropy.table import Table
from stingray import EventList
from stingray.pulse.pulsar import ef_profile_stat, fold_events, htest, pulse_phase, z_n
from stingray.pulse.search import z_n_search
from stingray.stats import z2_n_logprobability

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


with tempfile.TemporaryDirectory() as folder:
    root = Path(__file__).parents[2]
    compare(root / "examples/data/b1509.fits", "1:30", 2, 32, folder)
    compare(root / "tests/data/sgr1830kgfilt.evt", "0.05:2", 3, 20, folder)
    simulated = Path(folder) / "fast.evt"
    run("simulate", "-o", simulated, "--rate", 30, "--length", 3000, "--model", "pulsar:641.9:0.1", "--seed", 5)
    compare(simulated, "641.5:642.5", 1, 64, folder)
sys.exit(1 if FAILED else 0)
