"""Pulsation searches: profiles and their statistics by the extension, grids and segments as in Stingray."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from stingray.utils import HAS_NUMBA, simon

from ._core import Array, Floats, Unanswered, floats, plain, seams


def epoch_folding_search(
    times: Any,
    frequencies: Any,
    nbin: Any = 128,
    segment_size: Any = np.inf,
    expocorr: Any = False,
    gti: Any = None,
    weights: Any = 1,
    fdots: Any = 0,
) -> Any:
    """As in Stingray."""
    search = _Search("epoch_folding_search", times, frequencies, fdots, segment_size, nbin)
    return search.run((None, False), *_weighted(times, weights, expocorr, gti))


def z_n_search(
    times: Any,
    frequencies: Any,
    nharm: Any = 4,
    nbin: Any = 128,
    segment_size: Any = np.inf,
    expocorr: Any = False,
    weights: Any = 1,
    gti: Any = None,
    fdots: Any = 0,
) -> Any:
    """As in Stingray."""
    search = _Search("z_n_search", times, frequencies, fdots, segment_size, nbin)
    # Middles of bins, as Stingray has them.
    phases = np.pi * 2 * np.arange(0.5 / search.nbin, 1, 1.0 / search.nbin)
    if phases.size != search.nbin:
        raise Unanswered("middles of bins that are no more than bins")
    statistic = ((np.sin(phases), np.cos(phases), int(nharm)), False)
    return search.run(statistic, *_weighted(times, weights, expocorr, gti))


def phase_dispersion_search(
    times: Any,
    flux: Any,
    frequencies: Any,
    nbin: Any = 128,
    segment_size: Any = 5000,
    expocorr: Any = False,
    gti: Any = None,
    fdots: Any = 0,
) -> Any:
    """As in Stingray."""
    values = _weights(times, flux)
    if np.allclose(values, 1.0):
        raise Unanswered("fluxes that are all 1")
    return _Search("phase_dispersion_search", times, frequencies, fdots, segment_size, nbin).run(
        (None, True), values, None
    )


def _weights(times: Any, weights: Any) -> Floats:
    """A weight of each event."""
    values = floats(plain(weights, "weights"))
    if values.size != len(times):
        raise Unanswered("times and weights differ in number")
    return values


def _weighted(times: Any, weights: Any, expocorr: Any, gti: Any) -> tuple[Floats | None, Floats | None]:
    """Weights and intervals, where profiles need them."""
    if not HAS_NUMBA:
        raise Unanswered("without numba, Stingray folds otherwise")
    single = not isinstance(weights, Iterable)
    if single and not expocorr:
        return None, None
    values = np.full(len(times), float(weights)) if single else _weights(times, weights)
    if not expocorr:
        return values, None
    if gti is None:
        raise Unanswered("exposure without good time intervals")
    intervals = np.require(gti, np.float64, ["C", "A"])
    if len(intervals) == len(times):
        raise Unanswered("as many good time intervals as events")
    return values, intervals


class _Search:
    """Trials, and the segments of the events."""

    def __init__(self, name: str, times: Any, frequencies: Any, fdots: Any, segment_size: Any, nbin: Any) -> None:
        times = plain(times, "times")
        self.name, self.nbin = name, int(nbin)
        self.grids = np.meshgrid(np.asanyarray(frequencies).astype(np.float64), np.asanyarray(fdots).astype(np.float64))
        if times.size == 0 or self.nbin < 1 or self.nbin != nbin:
            raise Unanswered("no events, or no bins")
        self.times = floats((times - times[0]).astype(np.float64))
        if not (np.isfinite(self.times).all() and all(np.isfinite(grid).all() for grid in self.grids)):
            raise Unanswered("times or trials that are no numbers")
        self.segment_size = min(segment_size, self.times[-1])
        if not self.segment_size > 0:
            raise Unanswered("segments without length")
        self.starts = np.arange(self.times[0], self.times[-1], self.segment_size)

    def run(self, statistic: Any, weights: Floats | None, intervals: Floats | None) -> tuple[Array, ...]:
        """Trial frequencies, derivatives where there are several, and statistics."""
        f, fdot = floats(self.grids[0][:1].ravel()), floats(self.grids[1][:, :1].ravel())
        edges = np.linspace(0, 1, self.nbin + 1)
        size = float(self.segment_size)
        found, count = seams.fold(
            [self.name], self.times, self.starts, size, f, fdot, self.nbin, statistic, edges, weights, intervals
        )
        if intervals is not None:
            simon("For exposure != 1, the uncertainty might be incorrect")
        stats = found.reshape(self.grids[0].shape)
        if len(fdot) == 1:
            return self.grids[0].flatten(), stats.flatten() / count
        return self.grids[0], self.grids[1], stats / count
