"""Inputs made of others: packed, out of order, cut off, and texts."""

import gzip
import math
import random

# What the others are made of.
NEEDED = {"gaps.evt", "later.evt"}
PAR = "PSR TEST\nPEPOCH 56123\nF0 5.0000012345678901\nF1 -1.5e-9\nF2 1e-18\nUNITS TDB\n"
ELLIPSE = "A1 2.341782\nPB 0.322997448918\nT0 56120.9\nECC 0.6171338\nOM 292.54450\nOMDOT 4.226598\nGAMMA 0.004307\n"
ORBITS = {
    "alone": "TZRMJD 56122.75\nTZRSITE @\n",
    "ell1": "BINARY ELL1\nA1 1.8980985\nPB 0.08387290312\nTASC 56122.9\nEPS1 1e-3\nEPS2 -1.3e-3\n",
    "bt": f"BINARY BT\n{ELLIPSE}PBDOT -2.423e-12\n",
    "dd": f"BINARY DD\n{ELLIPSE}",
}


def shuffled(data):
    """An event file with its rows in another order."""
    begin = data.index(b"EVENTS") // 2880 * 2880
    header = data[begin : data.index(b"END" + b" " * 77, begin)].decode("latin-1")
    value = lambda name: int(header[header.index(f"{name:<8}= ") :][10:30])
    first = begin + -(-(len(header) + 80) // 2880) * 2880
    width, rows = value("NAXIS1"), value("NAXIS2")
    order = list(range(rows))
    random.Random(1).shuffle(order)
    table = b"".join(data[first + i * width : first + (i + 1) * width] for i in order)
    return data[:first] + table + data[first + rows * width :]


def curve(k):
    """A line of a light curve with a gap: time, rate, error."""
    rate = 20.0 + 5.0 * math.sin(0.7 * k) + (k * 7919 % 101) / 25.0
    return f"{1000.0 + 0.5 * k} {rate:.6f} {0.3 + (k % 5) / 16.0}\n"


def make(folder):
    """Makes them in a folder where the files that they are made of are."""
    read = lambda name: (folder / name).read_bytes()
    write = lambda name, data: (folder / name).write_bytes(data)
    gaps = read("gaps.evt")
    write("shuffled.evt", shuffled(gaps))
    write("packed.evt.gz", gzip.compress(gaps, mtime=0))
    write("cut.evt", gaps[: len(gaps) * 2 // 3])
    write("cut.evt.gz", gzip.compress(gaps, mtime=0)[:30000])
    write("header.evt", gaps[:3000])
    write("empty.evt", b"")
    write("page.evt", b"<!DOCTYPE html><html>not found</html>")
    lines = [curve(k) for k in range(2400) if not 900 <= k < 1000]
    write("curve.txt", "# time rate error\n".encode() + "".join(lines).encode())
    write("other.txt", "".join(curve(k + 3) if k > 5 else curve(k) for k in range(2400) if not 900 <= k < 1000).encode())
    write("gti.txt", b"80000010.5 80000095\n80000100 80000260.25\n80000300 80000400\n")
    write("edges.txt", "".join(f"{80000000 + 3.7 * k * (1 + k / 50)}\n" for k in range(40)).encode())
    write("list.txt", b"# two files\nin/gaps.evt\nin/later.evt # the second\n")
    for name, orbit in ORBITS.items():
        write(f"{name}.par", (PAR + orbit).encode())
    write("wrong.par", b"PSR TEST\nF0 5\n")
