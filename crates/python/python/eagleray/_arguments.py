"""Values of options: what each may be, checked by name before anything is opened."""

from __future__ import annotations

import difflib
import functools
import inspect
import operator
import os
from collections.abc import Callable, Iterable
from decimal import Decimal, InvalidOperation
from typing import Any, ParamSpec, TypeVar

import numpy as np
import numpy.typing as npt

from ._errors import OptionError, OptionTypeError, article, refused

P = ParamSpec("P")
R = TypeVar("R")
#: Makes of a value what the extension takes, given the name of the option; refuses what it is not.
Check = Callable[[str, Any], Any]


# Arrays.


def floats(values: Any, what: str) -> npt.NDArray[np.float64]:
    """Numbers as an array of float64 in one piece, where nothing of them is lost.

    Raises
    ------
    OptionTypeError
        Something that is no array of numbers.
    OptionError
        A number that float64 does not hold.
    """
    if values is None or isinstance(values, (bool, int, float, dict, set, frozenset, str, bytes)):
        raise refused(what, values, "an array of numbers is needed", of_type=True)
    if isinstance(values, np.ma.MaskedArray):
        if np.ma.is_masked(values):
            raise OptionError(
                f"{what}: some of these values are masked; leave them out first, for example by values[~values.mask]"
            )
        values = values.data
    try:
        array = np.asarray(values)
    except ValueError as ragged:
        raise OptionTypeError(f"{what}: the arrays in this list have several lengths: {ragged}") from ragged
    if array.ndim == 0:
        raise OptionTypeError(f"{what}: an array of numbers is needed, not {article(type(values).__name__)}")
    kind = array.dtype.kind
    if not array.size and kind == "f":
        return np.zeros(array.shape)
    if kind not in "iuf":
        raise OptionTypeError(f"{what}: an array of numbers is needed, not of {_OF_KIND.get(kind, str(array.dtype))}")
    made = np.require(array, np.float64, ["C", "A"])
    # What NumPy calls float64 is that of the machine.
    if array.dtype != np.float64 and not np.array_equal(made.astype(array.dtype), array, equal_nan=kind == "f"):
        lost = "longdouble" if array.dtype == np.longdouble else str(array.dtype)
        raise OptionError(
            f"{what}: float64 does not hold all digits of these {lost} numbers. Give the path of the file, which is read exactly; or count "
            "from a whole second near them, which is exact in most cases: t0 = np.floor(times[0]) and times - t0 with gti - t0, of an "
            "EventList events.shift(-t0)"
        )
    return made


_OF_KIND = {
    "M": "dates: give seconds since one of them, (t - t[0]) / np.timedelta64(1, 's')",
    "m": "time differences: give seconds, t / np.timedelta64(1, 's')",
    "b": "truth values",
    "c": "complex numbers",
    "S": "bytes: convert them first, for example by .astype(float)",
    "U": "text: convert it first, for example by .astype(float)",
    "O": "objects",
}


def in_unit(values: Any, unit: str, what: str) -> Any:
    """Values without their unit, where they have one: of a Quantity, and of a column of a table."""
    own = getattr(values, "unit", None)
    if own is None or isinstance(own, str) and not own:
        return values
    from astropy import units

    try:
        own = units.Unit(own)
        if own == units.Unit(unit) or own == units.dimensionless_unscaled:
            return values.value if isinstance(values, units.Quantity) else values
        if isinstance(values, units.Quantity):
            return values.to_value(unit)
        return units.Quantity(floats(values, what), own).to_value(unit)
    except (units.UnitConversionError, ValueError, TypeError) as wrong:
        if isinstance(wrong, OptionError):
            raise
        raise OptionError(
            f"{what}: values in {own} are not in {unit}, nor in a unit that can be converted: {wrong}"
        ) from wrong


# Single values.


def _real(name: str, value: Any, needed: str, unit: str | None) -> float:
    if unit is not None:
        value = in_unit(value, unit, name)
    is_number = not isinstance(value, (bool, np.bool_, str, bytes)) and np.ndim(value) == 0
    try:
        made = float(value) if is_number else None
    except (TypeError, ValueError, OverflowError):
        made = None
    if made is None:
        raise refused(name, value, needed, of_type=True)
    if made != made:
        raise refused(name, value, needed)
    if isinstance(value, np.longdouble) and np.longdouble(made) != value:
        raise refused(name, value, "float64 does not hold all digits of this longdouble number")
    return made


def number(unit: str | None = None, of: str = "") -> Check:
    """A number, in a unit where a Quantity may be given."""
    needed = f"a number{of or (f' ({unit})' if unit else '')} is needed"
    return lambda name, value: _real(name, value, needed, unit)


def count(least: int = 0) -> Check:
    """A whole number."""

    def check(name: str, value: Any) -> int:
        try:
            made = operator.index(value) if not isinstance(value, (bool, np.bool_)) else None
        except TypeError:
            made = None
        if made is None:
            raise refused(name, value, f"a whole number (an int), {least} at least, is needed", of_type=True)
        if not least <= made < 2**63:
            raise refused(name, value, f"a whole number, {least} at least, is needed")
        return made

    return check


def _single(value: Any) -> bool:
    """True for what is neither a list nor an array of some dimension."""
    return not isinstance(value, (list, tuple)) and np.ndim(value) == 0


def interval(unit: str | None = None, open_ends: bool = False) -> Check:
    """A pair (lo, hi)."""
    needed = f"a pair of numbers (lo, hi){f', {unit},' if unit else ''} is needed"

    def check(name: str, value: Any) -> tuple[float | None, float | None]:
        ends = in_unit(value, unit, name) if unit else value
        if isinstance(ends, (str, bytes, dict, set)) or not hasattr(ends, "__len__") or len(ends) != 2:
            raise refused(name, value, needed, of_type=True)
        lo, hi = (None if open_ends and end is None else _real(name, end, needed, unit) for end in ends)
        if lo is not None and hi is not None and lo > hi:
            raise refused(name, (lo, hi), f"lo is above hi: {needed}")
        return lo, hi

    def pairs(name: str, value: Any) -> tuple[float | None, float | None]:
        try:
            return check(name, value)
        except ValueError as wrong:
            # Two things of several lengths.
            raise (wrong if isinstance(wrong, OptionError) else refused(name, value, needed, of_type=True)) from None

    return pairs


def either(first: Check, second: Check) -> Check:
    """A pair, or a single value."""
    return lambda name, value: (first if _single(value) else second)(name, value)


def flag(name: str, value: Any) -> bool:
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    raise refused(name, value, "True or False is needed", of_type=True)


def word(name: str, value: Any) -> str:
    if isinstance(value, str):
        return str(value)
    raise refused(name, value, "text (a str) is needed", of_type=True)


def path(name: str, value: Any) -> str:
    if isinstance(value, (str, os.PathLike)):
        return os.fsdecode(value)
    raise refused(name, value, "the path of a file is needed", of_type=True)


def _extension(name: str, value: Any) -> str:
    return word(name, str(value) if isinstance(value, (int, np.integer)) and not isinstance(value, bool) else value)


def _detectors(name: str, value: Any) -> list[int]:
    values = [value] if _single(value) else list(value)
    try:
        return [operator.index(one) for one in values]
    except TypeError:
        raise refused(name, value, "numbers of detectors are needed, for example [1, 2]", of_type=True) from None


def _noise(name: str, value: Any) -> Any:
    if isinstance(value, str):
        return value
    if _single(value):
        return _real(name, value, "'poisson', 'none', a level, or (lo, hi) in Hz is needed", None)
    return interval("Hz")(name, value)


def two_noises(name: str, value: Any) -> Any:
    """One noise level, or a list of one for each of two sides; a tuple of two numbers is a band of frequencies."""
    if isinstance(value, list) and len(value) == 2:
        return [_noise(name, one) for one in value]
    if isinstance(value, tuple) and len(value) == 2 and not all(_is_number(one) for one in value):
        return tuple(_noise(name, one) for one in value)
    return _noise(name, value)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float, np.number))


def two_numbers(name: str, value: Any) -> Any:
    if _single(value):
        return _real(name, value, "a number, or one for each side, is needed", None)
    if len(value) != 2:
        raise refused(name, value, "a number, or one for each side, is needed", of_type=True)
    return tuple(_real(name, one, "two numbers are needed", None) for one in value)


def edges(unit: str | None = None) -> Check:
    """Edges of bins, rising."""

    def check(name: str, value: Any) -> npt.NDArray[np.float64]:
        made = floats(in_unit(value, unit, name) if unit else value, name)
        if made.ndim != 1 or len(made) < 2:
            raise refused(name, value, "two edges at least are needed, one after the other")
        if not np.all(np.diff(made) > 0):
            raise OptionError(f"{name}: the edges must be numbers that rise")
        return made

    return check


def _gti(name: str, value: Any) -> Any:
    return path(name, value) if isinstance(value, (str, os.PathLike)) else intervals(value)


def intervals(gti: Any, name: str = "gti") -> list[tuple[float, float]]:
    """Good time intervals as pairs of start and stop."""
    needed = "starts and stops in seconds are needed, one pair an interval: [(0, 100), (200, 300)]"
    gti = in_unit(gti, "s", name)
    if isinstance(gti, (list, tuple)) and not gti:
        return []
    try:
        array = floats(gti, name)
    except OptionTypeError:
        raise refused(name, gti, needed, of_type=True) from None
    if array.ndim != 2 or array.shape[1] != 2:
        hint = f"; one interval is [({array[0]:g}, {array[1]:g})]" if array.shape == (2,) else ""
        raise OptionError(f"{name}: {needed}, not an array of shape {array.shape}{hint}")
    return [(float(start), float(stop)) for start, stop in array]


def exact(unit: str | None = None) -> Check:
    """A number as the sum of two: with all digits of text, or of a longdouble."""
    needed = "a number is needed, as it is or as text with all of its digits"

    def check(name: str, value: Any) -> tuple[float, float]:
        if unit is not None:
            value = in_unit(value, unit, name)
        if isinstance(value, (str, Decimal)):
            try:
                digits = Decimal(value)
                high = float(digits)
                if digits.is_finite():
                    return high, float(digits - Decimal(high))
            except (InvalidOperation, OverflowError):
                pass
            raise refused(name, value, needed)
        if isinstance(value, np.longdouble) and np.isfinite(value):
            high = float(value)
            return high, float(value - np.longdouble(high))
        return _real(name, value, needed, None), 0.0

    return check


# Options by name.

_SECONDS, _HERTZ = number("s", " of seconds"), number("Hz", " of Hz")
_BAND = interval("keV")

#: What options are, for all functions alike that do not say something else.
KINDS: dict[str, Check] = {
    **dict.fromkeys(("dt", "segment_size", "min_gti", "gti_margin", "length", "tstart", "lag"), _SECONDS),
    **dict.fromkeys(("max_freq", "fad_smoothing"), _HERTZ),
    **dict.fromkeys(
        (
            "rebin_log", "rebin_time_log", "dead_time_rate", "min_fracexp", "nw", "oversample", "detection_level", "background",
            "phase_lag", "coherence",
        ),
        number(),
    ),
    **dict.fromkeys(("rebin", "rebin_time", "dead_time_detectors", "tapers", "nharm", "nbin", "rows"), count(1)),
    **dict.fromkeys(("max_lag", "candidates", "seed"), count()),
    **dict.fromkeys(
        (
            "use_common_mean", "paralysable", "subtract_noise", "intervals", "probabilities", "rates", "fullspec", "channels",
            "floating_mean", "weighted", "direct", "adaptive", "jackknife", "cumulants", "unbiased", "across_gaps", "detrend",
            "epoch_in_seconds", "no_gti", "mixed", "salvage", "overwrite",
        ),
        flag,
    ),
    **dict.fromkeys(("energy", "subject", "ref"), _BAND),
    "pi": interval(),
    "time": interval("s"),
    "freq": interval("Hz"),
    **dict.fromkeys(("fdot", "fddot"), interval()),
    "dead_time": either(_SECONDS, interval("Hz")),
    "noise": _noise,
    "energies": edges("keV"),
    "times": edges("s"),
    **dict.fromkeys(
        (
            "norm", "compat", "method", "algorithm", "kind", "window", "time_column", "rate_column", "error_column", "weights",
            "combine", "mission", "negative",
        ),
        word,
    ),
    **dict.fromkeys(("par", "rmf", "template"), path),
    "extension": _extension,
    "gti": _gti,
    **dict.fromkeys(("detector", "exclude_detector"), _detectors),
}  # fmt: skip


def unknown(function: str, name: str, names: Iterable[str]) -> OptionTypeError:
    """The exception for an option that a function does not have."""
    known = sorted(names)
    near = difflib.get_close_matches(name, known, 1)
    meant = f"; did you mean {near[0]!r}?" if near else "."
    error = OptionTypeError(f"{function} has no option {name!r}{meant} It has {', '.join(known)}")
    error.field = name
    return error


def options(**special: Check) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Checks the options of a function before it is called; `special` are those that are not what others of their name are."""

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        parameters = inspect.signature(function).parameters.values()
        names = {one.name for one in parameters if one.kind is one.KEYWORD_ONLY}
        given_always = {one.name for one in parameters if one.kind is one.KEYWORD_ONLY and one.default is not None}
        positional = {one.name for one in parameters if one.kind is one.POSITIONAL_OR_KEYWORD}
        if any(one.kind is one.VAR_KEYWORD for one in parameters):
            from ._source import SELECTED

            names |= set(SELECTED)

        @functools.wraps(function)
        def checked(*args: P.args, **kwargs: P.kwargs) -> R:
            for name, value in kwargs.items():
                if name not in names:
                    if name in positional:
                        continue
                    raise unknown(function.__name__, name, names)
                check = special.get(name) or KINDS.get(name)
                if check is not None and (value is not None or name in given_always):
                    kwargs[name] = check(name, value)
            return function(*args, **kwargs)

        return checked

    return decorate
