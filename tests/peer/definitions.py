"""The definitions of eagleray's averaged power spectrum, written out in numpy and exact fractions.

An oracle for the default rules: nothing here comes from the program under test.
"""

from fractions import Fraction

import numpy as np
from astropy.io import fits

TOLERANCE = Fraction(1, 100000)


def keyword(header, name, default):
    return Fraction(header[name]) if name in header else Fraction(default)


def timezero(header, inherited=0):
    if "TIMEZERI" in header:
        return Fraction(header["TIMEZERI"]) + Fraction(header["TIMEZERF"])
    return keyword(header, "TIMEZERO", inherited)


def read(path):
    """Raw times, offset to the frame, intervals in the frame, TIMEDEL, barycentred, channels."""
    with fits.open(path) as hdus:
        events = next(h for h in hdus if h.name in ("EVENTS", "XTE_SE"))
        gti = next(h for h in hdus if h.name.startswith("GTI") or h.name == "STDGTI")
        header = events.header
        times = np.array(events.data["TIME"], dtype=float)
        names = [c.name.upper() for c in events.columns]
        channel = next((n for n in ("PI", "PHA") if n in names), None)
        channels = None if channel is None else np.array(events.data[channel])
        timedel = keyword(header, "TIMEDEL", 0)
        offset = timezero(header) + (Fraction(1, 2) - keyword(header, "TIMEPIXR", Fraction(1, 2))) * timedel
        shift = timezero(gti.header, timezero(header))
        start = [Fraction(float(x)) + shift for x in gti.data["START"]]
        stop = [Fraction(float(x)) + shift for x in gti.data["STOP"]]
        barycentred = header.get("TIMEREF", "").strip().upper() == "SOLARSYSTEM"
    merged = []
    for a, b in sorted(zip(start, stop)):
        if merged and a <= merged[-1][1]:
            merged[-1][1] = max(merged[-1][1], b)
        else:
            merged.append([a, b])
    return dict(times=times, channels=channels, offset=offset, gti=merged, timedel=float(timedel), barycentred=barycentred)


def split(x):
    hi = float(x)
    return hi, float(x - Fraction(hi))


def averaged_power(data, dt, segment_size, keep=None):
    """Unnormalised power averaged over segments, number of segments and of photons."""
    frame = data["timedel"]
    if frame > 0 and frame / dt > 0.01 and not data["barycentred"]:
        dt = frame * max(float(np.rint(dt / frame)), 1.0)
    bins = segment_size / dt
    n = int(np.ceil(bins)) if np.ceil(bins) - bins < 0.01 else int(np.floor(bins))
    segment_size = n * dt
    delta = 1.0 / (segment_size / n)
    times = data["times"] if keep is None else data["times"][keep]
    times = np.sort(times[np.isfinite(times)])
    power = np.zeros((n + 1) // 2 - 1)
    segments = photons = 0
    for a, b in data["gti"]:
        k = 0
        while a + (k + 1) * Fraction(segment_size) <= b + TOLERANCE:
            start = a + k * Fraction(segment_size) - data["offset"]
            stop = start + Fraction(segment_size)
            hi, lo = split(start)
            # Exact comparison: search by the nearest f64, then decide the neighbours as fractions.
            own = times[(times >= np.nextafter(hi, -np.inf)) & (times <= np.nextafter(float(stop), np.inf))]
            own = own[[Fraction(float(t)) >= start and Fraction(float(t)) < stop for t in own]]
            x = ((own - hi) - lo) * delta
            x = x[(x >= 0) & (x < n)]
            counts = np.bincount(x.astype(int), minlength=n).astype(float)
            amplitude = np.fft.fft(counts)[1 : (n + 1) // 2]
            power += np.abs(amplitude) ** 2
            photons += x.size
            segments += 1
            k += 1
    return dict(power=power / segments, m=segments, photons=photons, n=n, dt=dt, segment_size=segment_size)
