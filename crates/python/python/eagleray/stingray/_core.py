"""What all seams use: the functions of the extension, the reasons to leave a call to Stingray, and arrays as the extension takes them."""

from __future__ import annotations

import functools
import inspect
from collections import Counter
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

import numpy as np
import numpy.typing as npt
from stingray.gti import time_intervals_from_gtis

from .. import _eagleray

seams: Any = getattr(_eagleray, "seams")

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]

#: The device that the calls of this thread or task ask for, where it is not the CPU.
device: ContextVar[str | None] = ContextVar("device", default=None)
#: Calls for which another device was asked, and which the CPU answered.
on_cpu: Counter[str] = Counter()


class Unanswered(Exception):
    """A call that is left to Stingray.

    Parameters
    ----------
    reason : str
        Why; reasons are counted, so they hold no values of the call.
    arguments : tuple, optional
        What Stingray is given in the place of the first positional arguments, where those of the call are used up.
    """

    def __init__(self, reason: str, arguments: tuple[Any, ...] | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.arguments = arguments


def seam(name: str, ours: Callable[..., Any], original: Callable[..., Any]) -> Callable[..., Any]:
    """The function that stands in the place of `original`: `ours`, and what that leaves goes to `original`."""

    @functools.wraps(original)
    def replaced(*args: Any, **kwargs: Any) -> Any:
        try:
            made = ours(*args, **kwargs)
            if device.get() is not None:
                # No seam has work for a GPU yet; that an answer came from the CPU is not hidden.
                on_cpu[name] += 1
            return made
        except Unanswered as left:
            seams.fell_back(name, left.reason)
            if left.arguments is not None:
                args, kwargs = _instead(original, left.arguments, args, kwargs)
        return original(*args, **kwargs)

    return replaced


def _instead(
    original: Callable[..., Any], first: tuple[Any, ...], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments of a call with others in the first places, however they were named."""
    bound = inspect.signature(original).bind(*args, **kwargs)
    bound.arguments.update(zip(bound.arguments, first))
    return bound.args, bound.kwargs


def plain(values: Any, what: str, complex_too: bool = False) -> Array:
    """An array of one dimension that holds numbers, and is no subclass."""
    if type(values) is not np.ndarray or values.ndim != 1:
        raise Unanswered(f"{what} are no plain array of one dimension")
    if values.dtype.kind not in ("fiubc" if complex_too else "fiub"):
        raise Unanswered(f"{what} are no numbers")
    return values


def floats(values: Array) -> Floats:
    """Contiguous numbers of 64 bits."""
    return np.require(values, np.float64, ["C", "A"])


def numbers(values: Array) -> Array:
    """Contiguous real or complex numbers."""
    return np.require(values, np.complex128, ["C", "A"]) if values.dtype.kind == "c" else floats(values)


def halves(values: Array) -> tuple[Floats, Floats]:
    """Numbers, which may have more than 64 bits, as numbers of 64 bits and what these leave."""
    high = values.astype(np.float64)
    return high, (values - high).astype(np.float64)


def split_times(times: Any) -> tuple[Floats, Floats | None]:
    """Times as numbers of 64 bits, and what these leave, if anything."""
    times = plain(times, "times")
    if times.dtype.itemsize <= 8:
        return floats(times), None
    high, low = halves(times)
    return high, low if low.any() else None


def cut_edges(gti: Any, segment_size: Any) -> tuple[Floats, Floats, Floats, Floats]:
    """Starts and stops of segments, each as two numbers of 64 bits."""
    start, stop = time_intervals_from_gtis(np.asanyarray(gti), segment_size)
    return (*halves(start), *halves(stop))


def positive_frequencies(n_bin: int, dt: Any) -> Floats:
    """Positive frequencies, with the rounding of numpy's."""
    frequencies: Floats = np.arange(1, (n_bin + 1) // 2, dtype=int) * (1.0 / (n_bin * dt))
    return frequencies
