"""What analyses take: files, times, light curves, and the objects of others."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import Any, Literal, TypedDict, Union

import numpy as np
import numpy.typing as npt

from . import _eagleray
from ._arguments import KINDS, floats, in_unit, intervals, unknown
from ._errors import OptionError, OptionTypeError, article
from ._products import LightCurve

Interval = tuple[float, float]
Intervals = Union[Sequence[Interval], npt.NDArray[np.floating[Any]]]
Path = Union[str, "os.PathLike[str]"]


class Selection(TypedDict, total=False):
    """What is selected of an observation: keywords that every analysis takes. It is their type, for annotations; a dictionary of it is given by ``**``.

    Attributes
    ----------
    energy : (lo, hi)
        Energy band, keV, ``lo <= E < hi``; of events in memory, too, where each has its energy.
    pi : (lo, hi)
        Range of channels, both included.
    rmf : path
        Response file whose EBOUNDS give the channels' energies.
    gti : path, or array of shape (n, 2)
        Good time intervals: a file (``FILE[EXT]``, or text), or starts and stops in seconds of the frame (of the times); of files, those
        within their own.
    no_gti : bool
        Use the whole span of the events instead of good time intervals.
    min_gti : float
        Leave out intervals shorter than this, s.
    gti_margin : float
        Shorten intervals by this at both ends, s.
    time : (from, to)
        Only this time, seconds of the frame.
    time_column, rate_column, error_column : str
        Columns with the times; with the rates of a light curve, and their errors.
    extension : str or int
        Name or number of the extension with the events.
    detector, exclude_detector : int, or several
        Only these detectors, or all but these.
    combine : {"average", "merge"}
        Several files: each its own segments, or simultaneous ones as one.
    mixed : bool
        Allow files of several missions, instruments or energy scales in one product.
    salvage : bool
        Keep the whole rows of a file that was cut off.
    weights : str
        Column with a weight of each event (searches and folds).

    Files take all of them. Events in memory take ``energy``, ``pi``, ``gti``, ``gti_margin`` and ``min_gti``, light curves of Stingray
    ``gti``. Numbers with units may be a ``Quantity`` of astropy.
    """

    energy: Interval | None
    pi: Interval | None
    rmf: Path | None
    gti: Path | Intervals | None
    no_gti: bool
    min_gti: float
    gti_margin: float
    time: Interval | None
    time_column: str | None
    rate_column: str | None
    error_column: str | None
    extension: str | int | None
    detector: int | Sequence[int] | None
    exclude_detector: int | Sequence[int] | None
    combine: Literal["average", "merge"] | None
    mixed: bool
    salvage: bool
    weights: str | None


#: What is selected where nothing is said.
SELECTED: dict[str, Any] = {
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

    Opening reads headers and intervals; events are read when an analysis runs. Observations of files can be pickled, and are opened anew;
    those of times in memory are not.
    """

    def __init__(self, source: Any, **selection: Any) -> None:
        checked = {}
        for name, value in selection.items():
            if name not in SELECTED:
                raise unknown("Observation", name, SELECTED)
            checked[name] = value if value is None or name not in KINDS else KINDS[name](name, value)
        self._core = observe(source, checked, None)
        paths = _paths(source)
        self._made_of = None if paths is None else (paths, checked)

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

    def __reduce__(self) -> tuple[Any, ...]:
        if self._made_of is None:
            raise TypeError(
                "an Observation of what is in memory is not pickled: pickle the times, or give the paths of files"
            )
        return _opened, self._made_of


def _opened(paths: list[str], selection: dict[str, Any]) -> Observation:
    return Observation(paths, **selection)


def observe(source: Any, selection: dict[str, Any], compat: str | None) -> _eagleray.Observation:
    """The observation of a source with what is selected of it."""
    given = {name: value for name, value in selection.items() if value is not None and value is not False}
    if isinstance(source, Observation):
        if given:
            raise OptionTypeError(
                f"an Observation has its selection: give it {', '.join(sorted(given))} when it is made"
            )
        return source._core
    paths = _paths(source)
    if paths is not None:
        chosen = {**SELECTED, **given, "compat_stingray": compat == "stingray"}
        return _eagleray.open(paths, chosen)
    light_curve = as_light_curve(source, given)
    if light_curve is not None:
        return _eagleray.light_curves([light_curve._core])
    return _times(source, given)


def pair(subject: Any, reference: Any, selection: dict[str, Any], compat: str | None) -> _eagleray.Observation:
    """The subject and the reference of a comparison."""
    return _eagleray.pair(observe(subject, selection, compat), observe(reference, selection, compat))


#: What a source may be, for messages.
_SOURCES = (
    "a source is a path, a list of paths, an array of times in seconds, an EventList or Lightcurve of Stingray, a Table of astropy with a "
    "column time, or a LightCurve or Observation of eagleray"
)


def _paths(source: Any) -> list[str] | None:
    if isinstance(source, (str, os.PathLike)):
        return [os.fsdecode(source)]
    if isinstance(source, (list, tuple)) and source and all(isinstance(one, (str, os.PathLike)) for one in source):
        return [os.fsdecode(one) for one in source]
    return None


def _refuse_list(source: Any) -> None:
    """Says what a list may hold, where it holds something else."""
    if not isinstance(source, (list, tuple)):
        return
    for one in source:
        if isinstance(one, (int, float, np.number)) and not isinstance(one, bool):
            continue
        if isinstance(one, (str, os.PathLike)):
            message = "paths, or numbers, but not both"
        elif isinstance(one, np.ndarray) or isinstance(one, (list, tuple)):
            message = (
                "paths of files or times, and arrays only as segments of flux, which pds and cs take (with dt); times of several "
                "observations are one array each, and er.join makes one of their products"
            )
        else:
            message = f"paths of files or times, and no {type(one).__name__}"
            if hasattr(one, "time") or isinstance(one, Observation):
                message += (
                    "; events of several observations are joined first (of EventLists, one.join(other)), or their products are: "
                    "er.join([er.pds(one, ...), er.pds(other, ...)])"
                )
        raise OptionTypeError(f"src: a list holds {message}")


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
    time = floats(curve.time, "time")
    poisson = getattr(curve, "err_dist", "poisson") == "poisson"
    good = _intervals(curve.gti if gti is None else gti, time)
    counts = floats(curve.counts, "counts")
    errors = None if poisson else floats(curve.counts_err, "counts_err")
    return LightCurve(_eagleray.binned(time, dt, counts, errors, good))


def _times(source: Any, given: dict[str, Any]) -> _eagleray.Observation:
    """An observation of times in memory, with the energies (keV), else the channels, where there are such."""
    _refuse_list(source)
    gti = None
    if hasattr(source, "colnames"):
        # Headers of FITS files have names in capitals.
        names = {str(name).lower(): name for name in reversed(list(source.colnames))}
        if "time" not in names:
            raise OptionTypeError(
                f"src: the table has no column time; it has {', '.join(map(str, source.colnames)) or 'none'}"
            )
        values = {name: source[names[name]] for name in ("energy", "pi") if name in names}
        times = source[names["time"]]
    elif hasattr(source, "time") and not hasattr(source, "counts"):
        values = {name: getattr(source, name) for name in ("energy", "pi") if getattr(source, name, None) is not None}
        gti, times = getattr(source, "gti", None), source.time
        if times is None:
            raise OptionError(f"src: this {type(source).__name__} has no times")
    elif isinstance(source, (list, tuple, np.ndarray)) or hasattr(source, "__array__") or hasattr(source, "to_value"):
        values, times = {}, source
    else:
        raise OptionTypeError(f"src: {_SOURCES}, not {article(type(source).__name__)}")
    array = floats(_seconds(times), "times")
    if array.ndim != 1:
        raise OptionTypeError(f"times: an array of one dimension is needed, not of {array.ndim}")
    bands = {name: given.pop(name) for name in ("energy", "pi") if name in given}
    gti = given.pop("gti", gti)
    margin, shortest = given.pop("gti_margin", 0.0), given.pop("min_gti", 0.0)
    if given:
        raise OptionError(f"times in memory take no {', '.join(sorted(given))}")
    if len(bands) == 2:
        raise OptionError("energy and pi: give one of them")
    if isinstance(gti, str):
        raise OptionTypeError(
            "gti: a file of intervals is for event files; of times in memory, starts and stops in seconds are needed"
        )
    good = _intervals(gti, array)
    if margin or shortest:
        good = [(a + margin, b - margin) for a, b in good]
        good = [(a, b) for a, b in good if b > a and b - a >= shortest]
    # By energies where there are such, unless it is channels that are asked for.
    kind = next((name for name in [*bands, "energy", "pi"] if name in values), None)
    told = None
    if kind is not None:
        told = kind, floats(in_unit(values[kind], "keV", kind) if kind == "energy" else values[kind], kind)
    chosen = next(iter(bands.items()), None)
    return _eagleray.times(array, good, told, chosen)


def _seconds(source: Any) -> Any:
    """Times in seconds: of a Quantity or a column converted, of a Time from its first one on."""
    if hasattr(source, "to_value") and hasattr(source, "mjd"):
        return (source - source[0]).to_value("s") if source.size else np.zeros(0)
    return in_unit(source, "s", "times")


def _intervals(gti: Any, times: npt.NDArray[np.float64]) -> list[Interval]:
    """Good time intervals; without any, the span of the times."""
    if gti is not None:
        return intervals(gti)
    finite = times[np.isfinite(times)]
    if not len(finite):
        raise OptionError("times: there is no time, so there is no good time either; with gti there would be")
    return [(float(finite.min()), float(np.nextafter(finite.max(), np.inf)))]


def flux_segments(source: Any) -> Iterable[Any] | None:
    """Segments of flux that come one by one; None for what is something else.

    An array of two dimensions has a segment a row; an iterator or a list gives arrays, or pairs of an array and its errors.
    """
    if isinstance(source, np.ndarray) and source.ndim == 2:
        return source
    if hasattr(source, "__next__"):
        iterator: Iterable[Any] = source
        return iterator
    if isinstance(source, (list, tuple)) and source and all(_is_segment(one) for one in source):
        return source
    return None


def _is_segment(one: Any) -> bool:
    """An array of one dimension, or a pair of such."""
    if isinstance(one, tuple) and len(one) == 2:
        return all(isinstance(part, tuple) or _is_segment(part) for part in one)
    return isinstance(one, np.ndarray) and one.ndim == 1
