"""Stingray, answered by eagleray: its functions are replaced in place, by its own rules, and its objects are converted.

>>> import eagleray.stingray
>>> with eagleray.stingray.backend():  # doctest: +SKIP
...     spectrum = stingray.AveragedPowerspectrum(events, dt=1 / 256, segment_size=64)
>>> eagleray.stingray.stats()["answered"]  # doctest: +SKIP
1

Replaced are the averages of power and cross spectra, the loops over bands of energy spectra, the pulsation searches, the convolutions
of the acceleration search, and histograms. What cannot be answered goes to Stingray as before; `stats` says how often, and why.
"""

from ._from_stingray import from_stingray
from ._install import VERSION, backend, forget_stats, install, stats, uninstall
from ._to_stingray import to_stingray

__all__ = [
    "VERSION",
    "backend",
    "forget_stats",
    "from_stingray",
    "install",
    "stats",
    "to_stingray",
    "uninstall",
]
