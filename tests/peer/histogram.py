"""Compares `bin` with numpy.histogram and numpy.histogram2d on the files of tests/data: every count equal.

numpy's last bin has its upper edge, too; edges here are such that no event is on it. Exit status 1 when any comparison fails.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from astropy.io import fits
from astropy.table import Table

PROGRAM = sys.argv[1]
ROOT = Path(__file__).resolve().parents[2]
# File, edges of channels or of what stands for them.
FILES = [
    (ROOT / "tests/data/monol_testA.evt", "0:500:7"),
    (ROOT / "tests/data/sgr1830kgfilt.evt", "30,100,250.5,1000"),
    (ROOT / "tests/data/nomission.evt", "0,10"),
    (ROOT / "tests/data/chandra_test.fits", "500,1000.5,3000,8000"),
]
FAILED = []


def counts(folder, path, times, *options):
    edges, out = Path(folder) / "edges.txt", Path(folder) / "counts.ecsv"
    edges.write_text("".join(f"{float(t)!r}\n" for t in times))
    command = [PROGRAM, "bin", path, "--times", edges, "-o", out, "--overwrite", "--quiet", *options]
    subprocess.run(list(map(str, command)), check=True)
    return np.array(Table.read(out, format="ascii.ecsv")["counts"])


def check(what, good):
    print(f"{'ok  ' if good else 'FAIL'} {what}", flush=True)
    if not good:
        FAILED.append(what)


def main():
    rng = np.random.default_rng(1)
    for path, channels in FILES:
        with fits.open(path) as hdus:
            hdu = next(h for h in hdus if h.name == "EVENTS")
            said = subprocess.run([PROGRAM, "info", "--json", path], capture_output=True, check=True).stdout
            (info,) = json.loads(said)
            offset = info["time_offset"]
            time = np.array(hdu.data["TIME"], dtype=float) + offset
            channel = np.array(hdu.data[info["channel_column"]], dtype=float)
        inner = time[(time > time.min()) & (time < time.max())]
        for number in (5, 300, 20_000):
            # Where times are shifted, the sum in f64 has roundings that the exact comparison has not.
            own = rng.choice(inner, min(number, inner.size) // 2 if offset == 0 else 0)
            drawn = rng.uniform(time.min(), time.max(), number)
            edges = np.unique(np.concatenate([own, drawn]))
            while np.any(time == edges[-1]):
                edges = edges[:-1]
            with tempfile.TemporaryDirectory() as folder:
                ours = counts(folder, path, edges, "--no-gti")
                check(f"{path.name}: {number} edges of time", np.array_equal(ours, np.histogram(time, edges)[0]))
                bounds = channels.split(":")
                rows = np.linspace(*map(float, bounds[:2]), int(bounds[2]) + 1) if len(bounds) == 3 else None
                rows = rows if rows is not None else np.array(list(map(float, channels.split(","))))
                keep = channel < rows[-1]
                theirs = np.histogram2d(time[keep], channel[keep], [edges, rows])[0]
                ours = counts(folder, path, edges, "--no-gti", "--channels", channels)
                check(f"{path.name}: {number} edges and channels", np.array_equal(ours, theirs.ravel()))
    sys.exit(1 if FAILED else 0)


main()
