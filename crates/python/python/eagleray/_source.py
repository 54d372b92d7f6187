"""What analyses take: files, times, light curves, and the objects of others."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import Any, Literal, TypedDict, Union

import numpy as np
import numpy.typing as npt

from . import _eagleray
from ._errors import OptionError
from ._products import LightCurve

Interval = tuple[float, float]
Intervals = Union[Sequence[Interval], npt.NDArray[np.floating[Any]]]
Path = Union[str, "os.PathLike[str]"]


class Selection(TypedDict, total=False):
    """What is selected of an observation: keywords that every analysis takes."""

    energy: Interval | None
    """Energy band, keV, ``lo <= E < hi``."""
    pi: Interval | None
    """Range of channels, both included."""
    rmf: Path | None
    """Response file whose EBOUNDS give the channels' energies."""
    gti: Path | Intervals | None
    """Good time intervals: a file (``FILE[EXT]``, or text), or starts and stops in seconds of the frame; of files, those within their own."""
    no_gti: bool
    """Use the whole span of the events instead of good time intervals."""
    min_gti: float
    """Leave out intervals shorter than this, s."""
    gti_margin: float
    """Shorten intervals by this at both ends, s."""
    time: Interval | None
    """Only this time, seconds of the frame."""
    time_column: str | None
    """Column with the times."""
    rate_column: str | None
    """Column with the rates of a light curve."""
    error_column: str | None
    """Column with the errors of those rates."""
    extension: str | None
    """Name or number of the extension with the events."""
    detector: Sequence[int] | None
    """Only these detectors."""
    exclude_detector: Sequence[int] | None
    """All detectors but these."""
    combine: Literal["average", "merge"] | None
    """Several files: each its own segments, or simultaneous ones as one."""
    mixed: bool
    """Allow files of several missions, instruments or energy scales in one product."""
    salvage: bool
    """Keep the whole rows of a file that was cut off."""
    weights: str | None
    """Column with a weight of each event (searches and folds)."""


_DEFAULTS: dict[str, Any] = {
    "energy": None,
    "pi": None,
    "rmf": None,
    "gti": None,
    "no_gti": False,
    "min_gti": 0.0,
    "gti_margin": 0.0,
    "time": None,
    "time_column": None,
    "rate_column": None,
    "error_column": None,
    "extension": None,
    "detector": None,
    "exclude_detector": None,
    "combine": None,
    "mixed": False,
    "salvage": False,
    "weights": None,
}


class Observation:
    """What was seen, opened once for several analyses.

    Parameters
    ----------
    source : path, sequence of paths, array of times, Stingray object, astropy object, or LightCurve
        Event files or light curves by their paths; times in seconds (float64, or longdouble where each is a float64 too); a Stingray
        ``EventList`` or ``Lightcurve``; an astropy ``Table`` or ``TimeSeries`` with a column ``time``, or a ``Quantity`` of times;
        or a `LightCurve` that was made here.
    **selection
        See `Selection`.

    Opening reads headers and intervals; events are read when an analysis runs.
    """

    def __init__(self, source: Any, **selection: Any) -> None:
        self._core = observe(source, selection, None)

    @property
    def kind(self) -> str:
        """What it holds: events, a light curve, or a pair of either."""
        return self._core.kind

    @property
    def files(self) -> list[str]:
        """The names of the files."""
        return self._core.files

    def __repr__(self) -> str:
        of = f" of {', '.join(self.files)}" if self.files else ""
        return f"<Observation: {self.kind}{of}>"


def observe(source: Any, selection: dict[str, Any], compat: str | None) -> _eagleray.Observation:
    """The observation of a source with what is selected of it."""
    unknown = set(selection) - set(_DEFAULTS)
    if unknown:
        raise TypeError(f"unexpected keyword: {', '.join(sorted(unknown))}")
    given = {name: value for name, value in selection.items() if value is not None and value is not False}
    if isinstance(source, Observation):
        if given:
            raise TypeError(f"an Observation has its selection: give it {', '.join(sorted(given))} when it is made")
        return source._core
    paths = _paths(source)
    if paths is not None:
        chosen = {**_DEFAULTS, **given, "compat_stingray": compat == "stingray"}
        if "gti" in given and not isinstance(given["gti"], (str, os.PathLike)):
            chosen["gti"] = [(float(a), float(b)) for a, b in np.asarray(given["gti"], dtype=float)]
        made = _eagleray.open(paths, chosen)
        return made
    light_curve = as_light_curve(source, given)
    if light_curve is not None:
        return _eagleray.light_curves([light_curve._core])
    return _times(source, given)


def pair(subject: Any, reference: Any, selection: dict[str, Any], compat: str | None) -> _eagleray.Observation:
    """The subject and the reference of a comparison."""
    return _eagleray.pair(observe(subject, selection, compat), observe(reference, selection, compat))


def _paths(source: Any) -> list[str] | None:
    if isinstance(source, (str, os.PathLike)):
        return [os.fspath(source)]
    if isinstance(source, (list, tuple)) and source and all(isinstance(one, (str, os.PathLike)) for one in source):
        return [os.fspath(one) for one in source]
    return None


def as_light_curve(source: Any, given: dict[str, Any]) -> LightCurve | None:
    """A light curve of this package, or of Stingray; None where the source is none."""
    of_stingray = hasattr(source, "time") and hasattr(source, "counts") and hasattr(source, "dt")
    if not isinstance(source, LightCurve) and not of_stingray:
        return None
    gti = given.pop("gti", None)
    if given:
        raise OptionError(f"a light curve in memory takes no {', '.join(sorted(given))}")
    if isinstance(source, LightCurve):
        if gti is not None:
            raise OptionError("gti: this light curve has its intervals")
        return source
    return _of_stingray(source, gti)


def _of_stingray(curve: Any, gti: Any) -> LightCurve:
    """A light curve of Stingray."""
    dt = float(curve.dt)
    time = exact_float64(np.asarray(curve.time), "time")
    poisson = getattr(curve, "err_dist", "poisson") == "poisson"
    intervals = _intervals(curve.gti if gti is None else gti, time)
    counts = exact_float64(np.asarray(curve.counts), "counts")
    errors = None if poisson else exact_float64(np.asarray(curve.counts_err), "counts_err")
    return LightCurve(_eagleray.binned(time, dt, counts, errors, intervals))


def exact_float64(times: npt.NDArray[Any], what: str) -> npt.NDArray[np.float64]:
    """Numbers as float64, where nothing of them is lost.

    Raises
    ------
    OptionError
        A number that float64 does not hold.
    """
    array = np.asarray(times)
    if array.dtype == np.float64:
        return np.ascontiguousarray(array)
    made = np.ascontiguousarray(array, dtype=np.float64)
    if array.dtype.kind not in "iuf" or not np.array_equal(
        made.astype(array.dtype), array, equal_nan=array.dtype.kind == "f"
    ):
        lost = "longdouble" if array.dtype == np.longdouble else str(array.dtype)
        raise OptionError(
            f"{what}: float64 does not hold all digits of these {lost} numbers; subtract a reference near them first, "
            "for example times - times[0], or give the file"
        )
    return made


def _times(source: Any, given: dict[str, Any]) -> _eagleray.Observation:
    """An observation of times in memory, with the energies (keV), else the channels, where there are such."""
    if hasattr(source, "colnames") and "time" in source.colnames:
        values = {name: source[name] for name in ("energy", "pi") if name in source.colnames}
        gti, times = None, _seconds(source["time"])
    elif hasattr(source, "time") and not hasattr(source, "counts"):
        values = {name: getattr(source, name) for name in ("energy", "pi") if getattr(source, name, None) is not None}
        gti, times = getattr(source, "gti", None), np.asarray(source.time)
    else:
        values, gti, times = {}, None, _seconds(source)
    array = exact_float64(times, "times")
    if array.ndim != 1:
        raise OptionError(f"times: an array of one dimension is needed, not of {array.ndim}")
    bands = {name: given.pop(name) for name in ("energy", "pi") if name in given}
    gti = given.pop("gti", gti)
    margin, shortest = given.pop("gti_margin", 0.0), given.pop("min_gti", 0.0)
    if given:
        raise OptionError(f"times in memory take no {', '.join(sorted(given))}")
    if len(bands) == 2:
        raise OptionError("energy and pi: give one of them")
    intervals = _intervals(gti, array)
    if margin or shortest:
        intervals = [(a + margin, b - margin) for a, b in intervals]
        intervals = [(a, b) for a, b in intervals if b > a and b - a >= shortest]
    # By energies where there are such, unless it is channels that are asked for.
    kind = next((name for name in [*bands, "energy", "pi"] if name in values), None)
    unit = getattr(values.get(kind or ""), "unit", None)
    numbers = (
        None
        if kind is None
        else np.asarray(values[kind].to_value("keV") if kind == "energy" and unit else values[kind])
    )
    told = None if kind is None or numbers is None else (kind, exact_float64(numbers, kind))
    chosen = next(((name, (float(lo), float(hi))) for name, (lo, hi) in bands.items()), None)
    return _eagleray.times(array, intervals, told, chosen)


def _seconds(source: Any) -> npt.NDArray[Any]:
    """Times in seconds: of a Quantity converted, of a Time from its first one on."""
    if hasattr(source, "unit") and hasattr(source, "to_value") and source.unit is not None:
        return np.asarray(source.to_value("s"))
    if hasattr(source, "to_value") and hasattr(source, "mjd"):
        return np.asarray((source - source[0]).to_value("s"))
    return np.asarray(source)


def _intervals(gti: Any, times: npt.NDArray[np.float64]) -> list[Interval]:
    """Good time intervals; without any, the span of the times."""
    if gti is not None:
        array = np.asarray(gti)
        if array.ndim != 2 or array.shape[1] != 2:
            raise OptionError(f"gti: starts and stops are needed, shape (n, 2), not {array.shape}")
        return [(float(a), float(b)) for a, b in array]
    finite = times[np.isfinite(times)]
    if not len(finite):
        raise OptionError("times: there is no time, so there is no good time either")
    return [(float(finite.min()), float(np.nextafter(finite.max(), np.inf)))]


def flux_segments(source: Any) -> Iterable[Any] | None:
    """Segments of flux that come one by one; None for what is something else.

    An array of two dimensions has a segment a row; an iterator gives arrays, or pairs of an array and its errors.
    """
    if isinstance(source, np.ndarray) and source.ndim == 2:
        return iter(source)
    if hasattr(source, "__next__"):
        iterator: Iterable[Any] = source
        return iterator
    return None
