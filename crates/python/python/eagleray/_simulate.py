"""Simulated event files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from . import _eagleray
from ._arguments import Check, either, interval, number, two_numbers
from ._arguments import options as checked
from ._arguments import path as a_path
from ._errors import OptionError, warn
from ._source import Interval, Path

#: Options that are not what others of their name are.
_SPECIAL: dict[str, Check] = {
    "rate": two_numbers,
    "energies": lambda name, value: value,
    "frame_time": lambda name, value: value if isinstance(value, str) else number("s")(name, value),
    "dead_time": either(number("s"), interval("s")),
}


@checked(**_SPECIAL)
def simulate(
    path: Path,
    *,
    mission: str = "generic",
    rate: float | tuple[float, float] = 100.0,
    length: float = 1000.0,
    tstart: float | None = None,
    gaps: Sequence[Interval] = (),
    energies: str | tuple[float, Interval | None] = "flat",
    model: str | Sequence[str | Sequence[Any]] = (),
    dt: float | None = None,
    negative: Literal["exp", "refuse"] = "exp",
    bands: tuple[Interval, Interval] | None = None,
    lag: float | None = None,
    phase_lag: float | None = None,
    coherence: float = 1.0,
    frame_time: float | Literal["clock", "mission", "none"] = "clock",
    dead_time: float | Interval | None = None,
    paralysable: bool = False,
    seed: int = 0,
    overwrite: bool = False,
) -> dict[str, Any]:
    """Write an event file of a chosen power spectrum, rate, length and mission. The same options and seed give the same bytes.

    Parameters
    ----------
    path : path
        The file (FITS).
    mission : str
        Mission whose files are imitated.
    rate : float, or two
        Mean rate, counts/s; with `bands` of each.
    length, tstart : float
        Length, gaps included, and start, s.
    gaps : sequence of (from, to)
        Bad times, s from the start.
    energies : "flat" or (index, (lo, hi) or None)
        Photon spectrum, a power law in a range of keV.
    model : sequence of terms, or one
        As on the command line (``"lorentzian:5:1:0.1"``), or as tuples: ``("white",)``, ``("pulsar", frequency, pulsed_fraction)``,
        ``("lorentzian", f0, fwhm, rms)``, ``("powerlaw", index, rms[, fmin, fmax])``; terms add up.
    dt : float, optional
        Bins of the noise series, s.
    negative : {"exp", "refuse"}
        Negative rates: a lognormal series, or an error.
    bands : ((lo, hi), (lo, hi)), optional
        Subject and reference, keV; `lag` (s) or `phase_lag` (rad) of the subject, and the noise's `coherence`.
    frame_time : float or {"clock", "mission", "none"}
        Resolution of the times, s.
    dead_time : float or (lo, hi), optional
        Dead time after each event, s; `paralysable` where events prolong it.
    seed : int
        Seed of all random numbers.
    overwrite : bool
        Replace an existing file.

    Returns
    -------
    dict
        ``events``, ``exposure`` (s) and events ``lost`` to dead time.
    """
    if isinstance(model, str) or isinstance(model, tuple) and len(model) > 0 and all(map(_is_part, enumerate(model))):
        model = [model]
    given = {
        "mission": mission,
        "rate": [rate] if isinstance(rate, float) else list(rate),
        "length": length,
        "tstart": tstart,
        "gaps": list(gaps),
        "energies": (0.0, None) if isinstance(energies, str) else energies,
        "model": [_term(term) for term in model],
        "dt": dt,
        "refuse_negative": negative == "refuse",
        "bands": bands,
        "lag": lag,
        "phase_lag": phase_lag,
        "coherence": coherence,
        "frame_time": frame_time,
        "dead_time": dead_time,
        "paralysable": paralysable,
        "seed": seed,
    }
    if isinstance(energies, str) and energies != "flat":
        raise OptionError(f"energies = {energies!r}: 'flat', or an index and a range (lo, hi) of keV")
    events, exposure, lost, warnings = _eagleray.simulate(a_path("path", path), given, overwrite)
    warn(warnings)
    return {"events": events, "exposure": exposure, "lost": lost}


def _is_part(part: tuple[int, Any]) -> bool:
    """True for a part of a term: its name first, then numbers."""
    i, value = part
    return isinstance(value, str) if i == 0 else isinstance(value, (int, float))


def _term(term: str | Sequence[Any]) -> tuple[str, list[float]]:
    parts: list[Any] = list(term.split(":")) if isinstance(term, str) else list(term)
    try:
        name, numbers = str(parts[0]), parts[1:]
        if name == "lorentzian" and isinstance(numbers[1], str) and numbers[1].upper().startswith("Q="):
            numbers[1] = float(numbers[0]) / float(numbers[1][2:])
        return name, [float(number) for number in numbers]
    except (ValueError, IndexError, ZeroDivisionError) as wrong:
        raise OptionError(f"model = {term!r}: {wrong}") from wrong
