"""What the functions share: their options, and how they end."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from . import _eagleray
from ._errors import warn
from ._products import (
    wrap,
)
from ._source import Interval, exact_float64, observe, pair

Norm = Literal["leahy", "frac", "abs", "none"]
Noise = Literal["poisson", "none"] | float | Interval
Compat = Literal["stingray"] | None


def delivered(core: _eagleray.Product) -> Any:
    """A product in its class, with a warning for each thing that was odd."""
    warn([(code, message) for code, message, _ in core.warnings()], 4)
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


def fed(feed: Any, segments: Iterable[Any]) -> Any:
    """The product of segments that come one by one."""
    for segment in segments:
        flux, errors = segment if isinstance(segment, tuple) else (segment, None)
        feed.push(as_flux(flux), None if errors is None else as_flux(errors))
    return delivered(feed.finish())


def as_flux(values: Any) -> npt.NDArray[np.float64]:
    return exact_float64(np.asarray(values), "flux")


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
