"""X-ray spectral timing on any GPU: power and cross spectra, lags and pulsations of photon lists, exact and fast.

>>> import eagleray as er
>>> spectrum = er.pds("obs.evt", dt=1 / 256, segment_size=64)  # doctest: +SKIP
>>> spectrum.plot()  # doctest: +SKIP

Functions have the words of the command line, and take paths, arrays of times, objects of Stingray and of astropy; their products have
numpy arrays as attributes.
"""

from . import stats
from ._counts import bin, info, lc
from ._dependence import dyn, varenergy
from ._eagleray import __version__
from ._errors import Cancelled, EaglerayWarning, Error, FileError, OptionError, OptionTypeError, OutOfMemory
from ._products import (
    AveragedCrossSpectrum,
    AveragedPowerSpectrum,
    Bispectrum,
    CrossPowers,
    CumulantBispectrum,
    DynamicalCrossSpectrum,
    DynamicalPowerSpectrum,
    EnergySpectrum,
    FadSpectrum,
    Histogram,
    LightCurve,
    Product,
    PulseProfile,
    SearchResult,
    from_stingray,
    join,
    read,
)
from ._pulsations import ArrivalTimes, accel, fold, phaseogram, search, toas
from ._session import Session, devices
from ._simulate import simulate
from ._source import Observation, Selection
from ._spectra import bispectrum, cs, fad, ls, multitaper, pds

__all__ = [
    "ArrivalTimes",
    "AveragedCrossSpectrum",
    "AveragedPowerSpectrum",
    "Bispectrum",
    "Cancelled",
    "CrossPowers",
    "CumulantBispectrum",
    "DynamicalCrossSpectrum",
    "DynamicalPowerSpectrum",
    "EaglerayWarning",
    "EnergySpectrum",
    "Error",
    "FadSpectrum",
    "FileError",
    "Histogram",
    "LightCurve",
    "Observation",
    "OptionError",
    "OptionTypeError",
    "OutOfMemory",
    "Product",
    "PulseProfile",
    "SearchResult",
    "Selection",
    "Session",
    "__version__",
    "accel",
    "bin",
    "bispectrum",
    "cs",
    "devices",
    "dyn",
    "fad",
    "fold",
    "from_stingray",
    "info",
    "join",
    "lc",
    "ls",
    "multitaper",
    "pds",
    "phaseogram",
    "read",
    "search",
    "simulate",
    "stats",
    "toas",
    "varenergy",
]
