"""What observations hold, and counts of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Unpack

import numpy as np
import numpy.typing as npt

from . import _eagleray
from ._arguments import floats
from ._arguments import options as checked
from ._products import (
    Histogram,
    LightCurve,
)
from ._session import Backend, Session, session_of
from ._source import Selection, observe
from ._words import delivered


@checked()
def info(src: Any, **selection: Unpack[Selection]) -> list[dict[str, Any]]:
    """What each input holds: mission, events or bins, clock, intervals, channels, energies, and the resolution that is suggested.

    Returns
    -------
    list of dict
        One of each input, with the keys of ``eagleray info --json``: ``file``, ``kind``, ``table`` (the extension), ``mission``,
        ``telescop``, ``instrume``, ``object``; ``events`` (of light curves ``bins``), ``first`` and ``last`` (s), ``sorted``,
        ``not_finite``; ``gti`` (pairs, s) and ``exposure`` (s); the clock: ``mjdref`` (``day`` and ``fraction``), ``time_offset`` (s),
        ``timedel`` (s), ``timesys``, ``timeref``, ``barycentred``, ``plephem``; ``channel_column``, ``channels`` and ``energy_kev``,
        each the lowest and the highest; ``detector_column`` and ``detectors``; ``facts``, pairs of text on the mission; and
        ``suggested``: ``dt`` and ``segment_size`` (s) with its ``n`` bins.
    """
    found: list[dict[str, Any]] = json.loads(_eagleray.facts(observe(src, dict(selection), None)))
    return found


@checked()
def lc(
    src: Any,
    *,
    dt: float | None = None,
    session: Session | None = None,
    backend: Backend | None = None,
    **selection: Unpack[Selection],
) -> LightCurve:
    """The light curve of events, or a light curve with coarser bins.

    Parameters
    ----------
    dt : float, optional
        Bin width, s. By default a power of two that makes at most 2048 bins, or the frame time.
    src, session, backend, **selection
        See `pds`.
    """
    observation = observe(src, dict(selection), None)
    made: LightCurve = delivered(_eagleray.light_curve(session_of(session, backend), observation, dt))
    return made


@checked()
def bin(
    src: Any,
    *,
    times: Sequence[float] | npt.NDArray[np.floating[Any]],
    energies: Sequence[float] | None = None,
    channels: bool = False,
    session: Session | None = None,
    backend: Backend | None = None,
    **selection: Unpack[Selection],
) -> Histogram:
    """Counts of events in any bins of time, and of energy.

    Parameters
    ----------
    times : sequence of float
        Edges of the bins of time, seconds of the frame, rising.
    energies : sequence of float, optional
        Edges of the bins of energy, keV, or of channels.
    channels : bool
        `energies` are edges of channels.
    src, session, backend, **selection
        See `pds`.
    """
    edges = floats(times, "times")
    of_energy = None if energies is None else [float(edge) for edge in energies]
    observation = observe(src, dict(selection), None)
    made: Histogram = delivered(_eagleray.bin(session_of(session, backend), observation, edges, of_energy, channels))
    return made
