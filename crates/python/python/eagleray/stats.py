"""Statistics of powers and counts, without data: the questions of the command ``stats``.

Powers are Leahy's, averages of `m` segments and `k` frequencies; white noise has a power of 2. Answers are dictionaries with the names
that the command prints.
"""

from __future__ import annotations

import json
from math import log10
from typing import Any

from . import _eagleray
from ._arguments import count, flag, number
from ._errors import OptionError, OptionTypeError

__all__ = ["amplitude", "p_to_power", "poisson", "power_to_p"]


def power_to_p(power: float, *, m: int = 1, k: int = 1, trials: float = 1.0) -> dict[str, Any]:
    """The probability that white noise reaches a power.

    Parameters
    ----------
    power : float
        Leahy power, the noise of 2 included.
    m, k : int
        Segments and frequencies averaged.
    trials : float
        Frequencies (and spectra) searched.

    Returns
    -------
    dict
        ``log10_p`` in all trials, ``log10_p_one_trial``, ``p``, and the ``sigma`` that is exceeded as rarely.
    """
    _positive(trials=trials)
    _not_negative(power=power)
    return _loaded(_eagleray.power_to_p(power, *_averaged(m, k), trials))


def p_to_power(
    p: float | None = None, *, log10_p: float | None = None, m: int = 1, k: int = 1, trials: float = 1.0
) -> dict[str, Any]:
    """The detection level: the power that white noise reaches with a probability, given as `p` or as its decimal logarithm.

    Parameters
    ----------
    p, log10_p : float
        Probability of a false alarm in all trials, or its decimal logarithm, for probabilities of any smallness.
    m, k, trials
        See `power_to_p`.
    """
    if (p is None) == (log10_p is None):
        raise OptionTypeError("p, log10_p: give one of them")
    if log10_p is not None and not number()("log10_p", log10_p) < 0:
        raise OptionError(f"log10_p: {log10_p} must be below 0")
    if p is not None and not 0 < number()("p", p) < 1:
        raise OptionError(f"p: {p} is no probability between 0 and 1")
    _positive(trials=trials)
    logarithm = log10(p) if p is not None else log10_p
    assert logarithm is not None
    return _loaded(_eagleray.p_to_power(logarithm, *_averaged(m, k), trials))


def amplitude(
    *,
    power: float | None = None,
    fraction: float | None = None,
    photons: float,
    m: int = 1,
    k: int = 1,
    freq: float | None = None,
    dt: float | None = None,
    centred: bool = False,
    background: float = 0.0,
    confidence: float = 0.95,
) -> dict[str, Any]:
    """The pulsed fraction of a sinusoid from its power, with interval and upper limit; or the power of a pulsed fraction.

    Parameters
    ----------
    power : float
        Leahy power, the noise of 2 included; or
    fraction : float
        pulsed fraction of all photons, ``(max − min)/(max + min)``.
    photons : float
        Photons in a segment.
    m, k : int
        Segments and frequencies averaged.
    freq, dt : float, optional
        Frequency, Hz, and bin width, s, for the loss by bins.
    centred : bool
        The frequency is that of the bin's centre; else it may be anywhere in the bin.
    background : float
        Part of the photons that are background.
    confidence : float
        Confidence of the upper limit.
    """
    if (power is None) == (fraction is None):
        raise OptionTypeError("power, fraction: give one of them")
    if (freq is None) != (dt is None):
        raise OptionTypeError("freq, dt: they belong together")
    _positive(photons=photons)
    _not_negative(power=power or 0.0, fraction=fraction or 0.0, background=background)
    bins = None if freq is None or dt is None else (number("Hz")("freq", freq), number("s")("dt", dt))
    if not 0 < number()("confidence", confidence) < 1:
        raise OptionError(f"confidence: {confidence} is no probability between 0 and 1")
    made = _eagleray.amplitude(
        power, fraction or 0.0, photons, _averaged(m, k), bins, flag("centred", centred), background, confidence
    )
    return _loaded(made)


def poisson(counts: int, *, sigma: float = 1.0) -> dict[str, Any]:
    """Limits of the mean that led to counts (Gehrels 1986), and symmetrical errors.

    Parameters
    ----------
    counts : int
        What was counted.
    sigma : float
        Each limit is transgressed with the probability of exceeding this many standard deviations.
    """
    _positive(sigma=sigma)
    return _loaded(_eagleray.poisson(count()("counts", counts), sigma))


def _loaded(text: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(text)
    return found


def _positive(**numbers: float) -> None:
    for name, given in numbers.items():
        if not number()(name, given) > 0:
            raise OptionError(f"{name}: {given} must be above 0")


def _not_negative(**numbers: float) -> None:
    for name, given in numbers.items():
        if not number()(name, given) >= 0:
            raise OptionError(f"{name}: {given} must not be negative")


def _averaged(m: int, k: int) -> tuple[int, int]:
    """Segments and frequencies averaged."""
    return count(1)("m", m), count(1)("k", k)
