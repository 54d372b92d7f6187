"""What the functions share: their options, and how they end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from . import _eagleray
from ._arguments import floats
from ._errors import OptionError, OptionTypeError, article, warn
from ._products import (
    wrap,
)
from ._source import Interval, observe, pair

Norm = Literal["leahy", "frac", "abs", "none"]
Noise = Literal["poisson", "none"] | float | Interval
Compat = Literal["stingray"] | None


def delivered(core: _eagleray.Product) -> Any:
    """A product in its class, with a warning for each thing that was odd."""
    warn([(code, message) for code, message, _ in core.warnings()])
    return wrap(core)


def power_options(
    dt: float | None,
    segment_size: float | None,
    norm: Norm,
    use_common_mean: bool = True,
    rebin: int | None = None,
    rebin_log: float | None = None,
    background: float = 0.0,
    noise: Noise = "poisson",
    subtract_noise: bool = False,
    min_fracexp: float = 0.9,
    compat: Compat = None,
    dead_time: dict[str, Any] | None = None,
    intervals: bool = False,
    probabilities: bool = False,
) -> dict[str, Any]:
    return dict(locals())


def as_flux(values: Any, segment: int) -> npt.NDArray[np.float64]:
    made = floats(values, f"segment {segment}")
    if made.ndim != 1:
        raise OptionTypeError(f"segment {segment}: an array of one dimension is needed, not of {made.ndim}")
    return made


def _flux(given: Any, segment: int) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64] | None]:
    """A segment, and its errors where there are some."""
    if not isinstance(given, tuple):
        return as_flux(given, segment), None
    if len(given) != 2:
        raise OptionTypeError(
            f"segment {segment}: an array, or a pair of an array and its errors, is needed, not {len(given)} things"
        )
    flux, errors = given
    return as_flux(flux, segment), None if errors is None else as_flux(errors, segment)


def fed(feed: Any, segments: Iterable[Any]) -> Any:
    """The product of segments that come one by one."""
    number = 0
    for number, segment in enumerate(segments, 1):
        feed.push(*_flux(segment, number - 1))
    _some(number)
    return delivered(feed.finish())


def fed_pairs(feed: Any, subjects: Iterable[Any], references: Iterable[Any] | None) -> Any:
    """The product of pairs of segments that come one by one, from two iterables or from one."""
    number = 0
    for number, (subject, reference) in enumerate(_pairs(subjects, references), 1):
        flux, errors = _flux(subject, number - 1)
        flux2, errors2 = _flux(reference, number - 1)
        feed.push(flux, flux2, errors, errors2)
    _some(number)
    return delivered(feed.finish())


def _some(segments: int) -> None:
    if not segments:
        raise OptionError("src: there is no segment: the iterator was empty, or has been used before")


def _pairs(subjects: Iterable[Any], references: Iterable[Any] | None) -> Iterator[tuple[Any, Any]]:
    if references is None:
        for i, both in enumerate(subjects):
            if not (isinstance(both, (tuple, list)) or np.ndim(both) == 2) or len(both) != 2:
                raise OptionTypeError(
                    f"segment {i}: a pair (subject, reference) of arrays is needed, not {article(type(both).__name__)}; where the "
                    "references come by themselves, they are the second argument"
                )
            yield both[0], both[1]
        return
    of_reference = iter(references)
    nothing = object()
    number = 0
    for number, subject in enumerate(subjects, 1):
        reference = next(of_reference, nothing)
        if reference is nothing:
            raise OptionError(f"reference: it has {number - 1} segments, and the subject more")
        yield subject, reference
    if next(of_reference, nothing) is not nothing:
        raise OptionError(f"reference: it has more segments than the {number} of the subject")


def _two(given: Any) -> tuple[Any, Any]:
    """One value for both sides, or one each."""
    if isinstance(given, (list, tuple)) and len(given) == 2 and not isinstance(given[0], str):
        return given[0], given[1]
    return given, given


def sides(src: Any, other: Any, selection: dict[str, Any], compat: Compat) -> _eagleray.Observation:
    return observe(src, selection, compat) if other is None else pair(src, other, selection, compat)


def cross_options(
    subject: Interval | None,
    reference: Interval | None,
    channels: bool,
    dt: float | None,
    segment_size: float | None,
    norm: Norm,
    use_common_mean: bool = True,
    rebin: int | None = None,
    rebin_log: float | None = None,
    background: float | tuple[float, float] = 0.0,
    noise: Noise | tuple[Noise, Noise] = "poisson",
    fullspec: bool = False,
    min_fracexp: float = 0.9,
    compat: Compat = None,
) -> dict[str, Any]:
    made = dict(locals())
    made["background"], made["noise"] = _two(background), _two(noise) if isinstance(noise, list) else (noise, noise)
    if isinstance(noise, tuple) and any(not isinstance(side, (int, float)) for side in noise):
        made["noise"] = noise
    return made
