"""Compares light curves, and spectra of light curves, with Stingray 2.3.2, and with numpy by definition where the peer is wrong.

- `lc` of events: counts equal, one by one, in every bin that lies in a good time interval. In a bin at the end of an interval the
  peer counts photons from outside it (`make_lightcurve` does not look at intervals) and knows no exposure: compared with numpy.
- `lc` of a light curve in coarser bins: `Lightcurve.rebin` where there is one interval. With gaps the peer begins a new grid in
  every interval, so that bins have no common phase: compared with numpy.
- Joined files and parts: `Lightcurve.join` and `Lightcurve.split` for whole bins.
- `pds` of light curves: `AveragedPowerspectrum(Lightcurve)`, relative 1e-10. With errors the peer's Leahy normalisation has the
  square of the mean error where the mean square belongs: compared with numpy.

Exit status 1 when any comparison fails.
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
from stingray import AveragedPowerspectrum, EventList, Lightcurve

warnings.simplefilter("ignore")
PROGRAM = sys.argv[1]
ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "tests/data"
FAILED = []


def eagleray(*options):
    command = [PROGRAM, *map(str, options), "--quiet", "--overwrite"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()}")


def curve(folder, files, *options, name="curve.ecsv"):
    out = Path(folder) / name
    eagleray("lc", *files, "-o", out, *options)
    return Table.read(out, format="ascii.ecsv") if name.endswith("ecsv") else out


def check(what, good, extra=""):
    print(f"{'ok  ' if good else 'FAIL'} {what} {extra}", flush=True)
    if not good:
        FAILED.append(what)


def places(ours, start, dt):
    """Place of each bin on the peer's grid."""
    exact = (np.array(ours["time"], dtype=np.longdouble) - start) / dt - 0.5
    assert np.all(np.abs(exact - np.rint(exact)) < 1e-3)
    return np.rint(exact).astype(int)


def compare_events(folder, path, dt):
    """Bins in good time against the peer; every bin against numpy."""
    ours = curve(folder, [path], "--dt", repr(dt))
    events = EventList.read(str(path), "hea")
    gti = np.array(ours.meta["gti"])
    dt = ours.meta["dt"]
    start = np.longdouble(events.gti.min())
    whole = np.array(ours["fracexp"]) == 1.0
    at = places(ours, start, dt)
    for name, theirs in [
        ("make_lightcurve", Lightcurve.make_lightcurve(events.time, dt, gti=events.gti, tstart=start)),
        ("to_lc", events.to_lc(dt, tstart=start)),
    ]:
        if abs(theirs.dt / dt - 1) > 1e-12:
            # The reader's `to_lc` makes every width whole frames, however many there are in a bin.
            print(f"     {path.name} dt={dt:.6g} {name}: the peer takes {theirs.dt!r}, not compared")
            continue
        whole_there = whole & (at < len(theirs.counts))
        same = np.array(ours["counts"])[whole_there] == theirs.counts[at[whole_there]]
        # The peer drops a last bin of which more than 1 % is missing; that is none of ours that are whole.
        good = same.all() and whole_there.sum() == whole.sum()
        check(f"{path.name} dt={dt:.6g} {name}", good, f"{whole_there.sum()} whole bins of {len(ours)}, {np.sum(~same)} differ")
    # By definition: photons of the intervals, all in the bins that these reach into, and exposures from the edges.
    times = np.sort(events.time)
    inside = np.zeros(len(times), dtype=bool)
    exposure = np.zeros(at.max() + 1, dtype=np.longdouble)
    edges = start + np.arange(at.max() + 2) * np.longdouble(dt)
    for a, b in events.gti:
        inside |= (times >= a) & (times < b)
        exposure += np.clip(np.minimum(edges[1:], b) - np.maximum(edges[:-1], a), 0, None)
    counts = np.bincount(((times[inside] - start) / dt).astype(int), minlength=at.max() + 1)[: at.max() + 1]
    check(f"{path.name} dt={dt:.6g} numpy, all bins", np.array_equal(counts[at], ours["counts"]), f"{inside.sum()} photons")
    fraction = exposure[at] / dt
    check(f"{path.name} dt={dt:.6g} exposures", np.allclose(fraction.astype(float), ours["fracexp"], rtol=0, atol=2e-6))
    n, live = np.array(ours["counts"]), np.array(ours["fracexp"]) * dt
    error = np.where(n > 0, np.sqrt(n), 1 + np.sqrt(0.75)) / live
    check(f"{path.name} dt={dt:.6g} rates", np.allclose(ours["rate"], n / live, rtol=1e-12) and np.allclose(ours["rate_err"], error, rtol=1e-12))
    return ours, gti


def compare_rebinned(folder, path, dt, by):
    fine_file = curve(folder, [path], "--dt", repr(dt), name="fine.fits")
    fine = curve(folder, [fine_file])
    coarse = curve(folder, [fine_file], "--dt", repr(by * fine.meta["dt"]), name="coarse.ecsv")
    dt = fine.meta["dt"]
    start = np.longdouble(fine.meta["gti"][0][0])
    # By definition, on one grid: counts and exposures add.
    at, to = places(fine, start, dt) // by, places(coarse, start, by * dt)
    counts = np.bincount(at, weights=fine["counts"])[to]
    live = np.bincount(at, weights=fine["fracexp"])[to] / by
    good = np.array_equal(counts, coarse["counts"]) and np.allclose(live, coarse["fracexp"], rtol=1e-12)
    check(f"{path.name} rebin by {by}, numpy", good, f"{len(coarse)} bins")
    if len(fine.meta["gti"]) == 1:
        whole = np.array(fine["fracexp"]) == 1.0
        theirs = Lightcurve(
            np.array(fine["time"])[whole], np.array(fine["counts"])[whole], dt=dt, gti=fine.meta["gti"], skip_checks=True
        ).rebin(by * dt)
        n = min(len(theirs.counts), int(np.sum(np.array(coarse["fracexp"]) == 1.0)))
        good = n > 1 and np.array_equal(np.rint(theirs.counts[:n]), coarse["counts"][:n])
        good &= np.allclose(theirs.time[:n], coarse["time"][:n], rtol=0, atol=1e-6 * dt)
        check(f"{path.name} rebin by {by}, Lightcurve.rebin", good, f"{n} bins")


def compare_parts(folder, path, dt):
    """A light curve in parts at its gaps, and joined again."""
    whole = curve(folder, [path], "--dt", repr(dt))
    dt, gti = whole.meta["dt"], whole.meta["gti"]
    full = np.array(whole["fracexp"]) == 1.0
    theirs = Lightcurve(
        np.array(whole["time"])[full], np.array(whole["counts"])[full], dt=dt, gti=gti, skip_checks=True
    )
    parts = theirs.split(dt * 1.5)
    # A part's grid is kept by asking the file of the whole light curve for its time.
    fits_file = curve(folder, [path], "--dt", repr(dt), name="whole.fits")
    files = []
    for i, part in enumerate(parts):
        lo, hi = part.time[0] - dt / 2, part.time[-1] + dt / 2
        window = f"{float(lo - dt / 4)!r}:{float(hi + dt / 4)!r}"
        files.append(curve(folder, [fits_file], "--time", window, name=f"part{i}.fits"))
        ours = curve(folder, [files[-1]])
        chosen = np.array(ours["fracexp"]) == 1.0
        at = np.searchsorted(part.time, np.array(ours["time"])[chosen] - dt / 2)
        good = chosen.sum() == len(part.time) and np.array_equal(part.counts[at], np.array(ours["counts"])[chosen])
        check(f"{path.name} part {i} of split", good, f"{chosen.sum()} bins")
    joined = curve(folder, files[::-1])
    first = parts[0]
    for part in parts[1:]:
        first = first.join(part, skip_checks=True)
    order = np.argsort(first.time)
    chosen = np.array(joined["fracexp"]) == 1.0
    good = np.array_equal(first.counts[order], np.array(joined["counts"])[chosen])
    good &= np.allclose(first.time[order], np.array(joined["time"])[chosen], rtol=0, atol=1e-6 * dt)
    check(f"{path.name} parts joined, Lightcurve.join", good, f"{chosen.sum()} bins of {len(parts)} parts")


def close(ours, theirs):
    return float(np.max(np.abs(np.array(ours) / np.asarray(theirs) - 1.0)))


def spectrum(folder, path, *options):
    out = Path(folder) / "spectrum.ecsv"
    eagleray("pds", path, "-o", out, "--backend", "cpu", *options)
    return Table.read(out, format="ascii.ecsv")


def compare_spectra(folder, path, dt, segment_size):
    """Spectra of counted light curves, from FITS, ECSV and CSV, in every norm."""
    for name in ["series.fits", "series.ecsv", "series.csv"]:
        file = curve(folder, [path], "--dt", repr(dt), name=name) if not name.endswith("ecsv") else None
        if file is None:
            file = Path(folder) / name
            eagleray("lc", path, "--dt", repr(dt), "-o", file)
        table = curve(folder, [file], name="again.ecsv")
        full = np.array(table["fracexp"]) == 1.0
        # Segments of ours begin with the first whole bin of a stretch; so do the peer's in intervals of whole bins.
        time = np.array(table["time"])[full]
        at = np.rint((time - time[0]) / table.meta["dt"])
        starts = np.flatnonzero(np.diff(at, prepend=-9) != 1)
        stops = np.append(starts[1:], len(at)) - 1
        half = table.meta["dt"] / 2
        gti = np.column_stack([time[starts] - half, time[stops] + half])
        series = Lightcurve(
            time, np.array(table["counts"])[full], dt=table.meta["dt"], gti=gti, skip_checks=True, err_dist="poisson"
        )
        for norm in ["leahy", "frac", "abs", "none"]:
            theirs = AveragedPowerspectrum(series, segment_size, norm=norm, silent=True, use_common_mean=True)
            ours = spectrum(folder, file, "--segment-size", segment_size, "--norm", norm)
            m = ours.meta["m"]
            # The peer leaves out segments with no more than one photon; compared where there are none.
            error = close(ours["power"], theirs.power) if m == theirs.m else np.inf
            check(f"{path.name} {name} segment={segment_size} {norm}", error < 1e-10, f"m={m}, peer {theirs.m}: {error:.1e}")


def compare_rates(folder, path, segment_size):
    """A FITS light curve of rates with errors: the peer where it is right, numpy for Leahy's normalisation."""
    with fits.open(path) as hdus:
        data, header = hdus["RATE"].data, hdus["RATE"].header
        rate, error = (np.array(data[c], dtype=float) for c in ("RATE1", "ERROR1"))
        fracexp = np.array(data["FRACEXP"], dtype=float) if "FRACEXP" in data.names else np.ones(len(rate))
        dt = float(header["TIMEDEL"])
        # TIMEUNIT is the unit of keywords; TUNIT1, seconds, that of the column.
        dt *= {"d": 86400.0, "s": 1.0}[header["TIMEUNIT"]]
        time = np.array(data["TIME"], dtype=float)
        n = int(np.floor(segment_size / dt + 0.01))
    # Segments of bins that are good and have no gap between them.
    good = np.isfinite(rate) & (fracexp >= 0.9)
    step = np.rint(np.diff(time) / np.median(np.diff(time)))
    segments, run = [], []
    for i in range(len(rate)):
        joined = not run or step[i - 1] == 1
        run = (run + [i] if joined else [i]) if good[i] else []
        if len(run) == n:
            segments.append(run)
            run = []
    x, e = (np.array([v[s] for s in segments]) * dt for v in (rate, error))
    unnormed = np.mean([np.abs(np.fft.fft(row)[1 : (n + 1) // 2]) ** 2 for row in x], axis=0)
    mu, variance = x.mean(), np.mean(e**2)
    truth = {
        "none": (unnormed, n * variance),
        "leahy": (2 * unnormed / (variance * n), 2.0),
        "frac": (2 * unnormed * dt / (mu**2 * n), 2 * variance * dt / mu**2),
        "abs": (2 * unnormed / (n * dt), 2 * variance / dt),
    }
    for norm, (power, noise) in truth.items():
        ours = spectrum(folder, path, "--segment-size", segment_size, "--norm", norm)
        worst = max(close(ours["power"], power), close(ours["noise"], noise))
        check(f"{path.name} rates {norm}, numpy", worst < 1e-10 and ours.meta["m"] == len(segments), f"m={len(segments)}: {worst:.1e}")
    whole = np.concatenate(segments)
    series = Lightcurve(
        np.arange(len(whole)) * dt + dt / 2, x.ravel(), err=e.ravel(), dt=dt, gti=[[0, len(whole) * dt]],
        skip_checks=True, err_dist="gauss",
    )
    for norm in ["none", "frac", "abs"]:
        theirs = AveragedPowerspectrum(series, n * dt, norm=norm, silent=True, use_common_mean=True)
        ours = spectrum(folder, path, "--segment-size", segment_size, "--norm", norm)
        worst = close(ours["power"], theirs.power)
        check(f"{path.name} rates {norm}, AveragedPowerspectrum", worst < 1e-10, f"{worst:.1e}")


def compare_exports(folder):
    """All formats of one spectrum, read by astropy: the same columns and the same metadata."""

    def numbers(value):
        """JSON has no tuples and one kind of number."""
        if isinstance(value, dict):
            return {k: numbers(v) for k, v in value.items()}
        if isinstance(value, (list, tuple)):
            return [numbers(v) for v in value]
        return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else value

    source = ROOT / "examples/data/b1509.fits"
    options = ["--dt", "1/128", "--segment-size", "64", "--backend", "cpu", "--rms", "6:7", "--pulsed-limit", "6:7", "--rebin", "8"]
    for command, extra in [("pds", options), ("lc", ["--dt", "10"])]:
        names = ["ecsv", "csv", "json", "fits"] + (["pha"] if command == "pds" else [])
        columns, meta = {}, {}
        for name in names:
            path = Path(folder) / f"export.{name}"
            eagleray(command, source, "-o", path, *extra)
            if name == "json":
                whole = json.loads(path.read_text())
                columns[name], meta[name] = whole["columns"], whole["meta"]
            elif name in ("fits", "pha"):
                with fits.open(path, checksum=True) as hdus:
                    hdus.verify("exception")
                    meta[name] = json.loads(hdus["METADATA"].data["JSON"][0])
                    if name == "fits":
                        columns[name] = {c.name.lower(): np.array(hdus[1].data[c.name]) for c in hdus[1].columns}
            elif name == "csv":
                lines = [line[2:].split(": ", 1) for line in path.read_text().splitlines() if line.startswith("# ")]
                meta[name] = {key: json.loads(value) for key, value in lines}
                table = Table.read(path, format="ascii.csv", comment="#")
                columns[name] = {c: np.array(table[c]) for c in table.colnames}
            else:
                table = Table.read(path, format="ascii.ecsv")
                columns[name], meta[name] = {c: np.array(table[c]) for c in table.colnames}, dict(table.meta)
        for name in names[1:]:
            check(f"{command} metadata of {name}", numbers(meta[name]) == numbers(meta["ecsv"]), f"{len(meta[name])} keys")
            if name in columns:
                theirs = columns[name]
                # OGIP's name for the error of a rate.
                theirs = {{"error": "rate_err"}.get(k, k): v for k, v in theirs.items()}
                same = theirs.keys() == columns["ecsv"].keys()
                same = same and all(np.array_equal(theirs[k], v) for k, v in columns["ecsv"].items())
                check(f"{command} columns of {name}", same, " ".join(columns["ecsv"]))


def main():
    with tempfile.TemporaryDirectory() as folder:
        gaps = Path(folder) / "gaps.evt"
        eagleray_simulate = [PROGRAM, "simulate", "-o", str(gaps), "--mission", "nustar", "--rate", "60", "--length", "3000"]
        subprocess.run([*eagleray_simulate, "--seed", "1", "--gap-every", "700:90"], check=True, capture_output=True)
        events = [
            (ROOT / "examples/data/b1509.fits", [1.0, 0.125, 10.0, 0.3]),
            (DATA / "sgr1830kgfilt.evt", [1.0, 1 / 64, 7.0]),
            (DATA / "chandra_test.fits", [0.44104, 4.4104, 100.0]),
            (DATA / "xte_test.evt.gz", [1.0, 0.25]),
            (DATA / "monol_testA.evt", [1.0, 0.3]),
            (DATA / "nomission.evt", [1.0, 0.3]),
            (gaps, [1.0, 1 / 32, 13.0]),
        ]
        for path, widths in events:
            for dt in widths:
                compare_events(folder, path, dt)
            compare_rebinned(folder, path, widths[0], 5)
        for path in [DATA / "sgr1830kgfilt.evt", gaps]:
            compare_parts(folder, path, 1.0)
        compare_spectra(folder, ROOT / "examples/data/b1509.fits", 1 / 64, 16.0)
        compare_spectra(folder, gaps, 1 / 16, 32.0)
        compare_spectra(folder, DATA / "sgr1830kgfilt.evt", 1 / 8, 64.0)
        for segment_size in [64.0, 100.0]:
            compare_rates(folder, DATA / "lcurveA.fits", segment_size)
        compare_exports(folder)
    print(f"light curves: {len(FAILED)} failed")
    return 1 if FAILED else 0


if __name__ == "__main__":
    sys.exit(main())
