"""Histograms of one dimension."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
from stingray.utils import HAS_NUMBA

from ._core import Unanswered, seams


def histogram(
    a: Any, bins: Any = None, range: Any = None, weights: Any = None, use_memmap: Any = False, tmp: Any = None
) -> Any:
    """As in Stingray."""
    if not HAS_NUMBA or bins is None or range is None:
        raise Unanswered("no equal bins are given")
    try:
        count = operator.index(bins)
        lo, hi = (float(edge) for edge in range)
    except (TypeError, ValueError):
        raise Unanswered("no equal bins are given") from None
    if use_memmap and count > 10**7:
        raise Unanswered("a file is asked for")
    if count < 1 or not hi > lo:
        raise Unanswered("no equal bins are given")
    if not _double(a) or not (weights is None or _double(weights)):
        raise Unanswered("values are no plain array of 64-bit numbers of one dimension")
    if weights is not None and weights.size != a.size:
        raise Unanswered("values and weights differ in number")
    weights = None if weights is None else np.require(weights, requirements=["C", "A"])
    return seams.histogram(["histogram"], np.require(a, requirements=["C", "A"]), count, lo, hi, weights)


def _double(values: Any) -> bool:
    return type(values) is np.ndarray and values.ndim == 1 and values.dtype == np.float64
