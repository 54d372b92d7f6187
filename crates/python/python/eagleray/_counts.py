"""What observations hold, and counts of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Unpack

import numpy as np
import numpy.typing as npt

from . import _eagleray
from ._products import (
    Histogram,
    LightCurve,
)
from ._session import Backend, Session, session_of
from ._source import Selection, exact_float64, observe
from ._words import delivered


def info(src: Any, **selection: Unpack[Selection]) -> list[dict[str, Any]]:
    """What each input holds: mission, events or bins, clock, intervals, channels, energies, and the resolution that is suggested.

    The keys are those of ``eagleray info --json``.
    """
    found: list[dict[str, Any]] = json.loads(_eagleray.facts(observe(src, dict(selection), None)))
    return found


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
    edges = exact_float64(np.asarray(times, dtype=float), "times")
    of_energy = None if energies is None else [float(edge) for edge in energies]
    observation = observe(src, dict(selection), None)
    made: Histogram = delivered(_eagleray.bin(session_of(session, backend), observation, edges, of_energy, channels))
    return made
