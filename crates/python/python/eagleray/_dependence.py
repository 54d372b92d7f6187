"""Spectra against energy and time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, Unpack

import numpy as np
import numpy.typing as npt

from . import _eagleray
from ._arguments import options as checked
from ._errors import OptionError
from ._products import (
    DynamicalCrossSpectrum,
    DynamicalPowerSpectrum,
    EnergySpectrum,
)
from ._session import Backend, Session, session_of
from ._source import Interval, Selection, observe
from ._words import Compat, Norm, cross_options, delivered, power_options, sides


@checked()
def varenergy(
    src: Any,
    *,
    energies: Sequence[float] | npt.NDArray[np.floating[Any]],
    freq: Interval | None = None,
    kind: Literal["lag", "covariance", "rms", "excvar", "count"] = "lag",
    ref: Interval | None = None,
    channels: bool = False,
    norm: Literal["frac", "abs"] | None = None,
    dt: float | None = None,
    segment_size: float | None = None,
    session: Session | None = None,
    backend: Backend | None = None,
    **selection: Unpack[Selection],
) -> EnergySpectrum:
    """Lags, covariance, rms, excess variance or counts against energy, all bands in one pass over the events.

    Parameters
    ----------
    energies : sequence of float
        Edges of the bands, keV, rising; of channels, a band ends below the edge that begins the next.
    freq : (lo, hi)
        Frequencies to average over, Hz; not for counts.
    ref : (lo, hi), optional
        The reference, all bands by default; a band inside it leaves it, for itself.
    channels : bool
        Edges and reference are of channels.
    norm : {"frac", "abs"}, optional
        Over the mean rate of the band, or in counts/s; by default ``abs`` for covariance and ``frac`` for rms and excess variance.
    src, dt, segment_size, session, backend, **selection
        See `pds`.
    """
    options = {
        "kind": kind,
        "edges": [float(edge) for edge in energies],
        "channels": channels,
        "reference": ref,
        "freq": freq,
        "norm": norm,
        "dt": dt,
        "segment_size": segment_size,
    }
    observation = observe(src, dict(selection), None)
    made: EnergySpectrum = delivered(_eagleray.energy_spectrum(session_of(session, backend), observation, options))
    return made


@checked()
def dyn(
    src: Any,
    reference: Any = None,
    *,
    subject: Interval | None = None,
    ref: Interval | None = None,
    channels: bool = False,
    dt: float | None = None,
    segment_size: float | None = None,
    norm: Norm = "leahy",
    use_common_mean: bool = True,
    rebin: int | None = None,
    rebin_log: float | None = None,
    rebin_time: int | None = None,
    rebin_time_log: float | None = None,
    across_gaps: bool = False,
    background: float = 0.0,
    noise: Literal["poisson", "none"] | float = "poisson",
    subtract_noise: bool = False,
    min_fracexp: float = 0.9,
    compat: Compat = None,
    session: Session | None = None,
    backend: Backend | None = None,
    **selection: Unpack[Selection],
) -> DynamicalPowerSpectrum | DynamicalCrossSpectrum:
    """The power spectra of all segments against time, or the cross spectra of two bands or of two observations.

    Parameters
    ----------
    rebin_time : int, optional
        Average this many neighbouring segments into one row; rows begin anew after gaps.
    rebin_time_log : float, optional
        Average segments into rows whose lengths grow by ``1 + rebin_time_log``.
    across_gaps : bool
        Average segments on both sides of gaps into one row, too.
    src, reference, subject, ref, channels
        See `cs`; without two sides, power spectra.
    dt, segment_size, norm, use_common_mean, rebin, rebin_log, background, noise, subtract_noise, min_fracexp, compat, session, backend, **selection
        See `pds`.

    Returns
    -------
    DynamicalPowerSpectrum or DynamicalCrossSpectrum
        ``time`` (s), ``freq`` (Hz) and matrices of shape (times, frequencies): ``power``, …
    """
    time = {"rebin_time": rebin_time, "rebin_time_log": rebin_time_log, "across_gaps": across_gaps}
    device, observation = session_of(session, backend), sides(src, reference, dict(selection), compat)
    if subject is None and ref is None and reference is None:
        options = power_options(
            dt,
            segment_size,
            norm,
            use_common_mean,
            rebin,
            rebin_log,
            background,
            noise,
            subtract_noise,
            min_fracexp,
            compat,
        )
        spectrum: DynamicalPowerSpectrum = delivered(_eagleray.dynamical_spectrum(device, observation, options, time))
        return spectrum
    if background or subtract_noise:
        raise OptionError("background, subtract_noise: are of dynamical power spectra")
    options = cross_options(
        subject,
        ref,
        channels,
        dt,
        segment_size,
        norm,
        use_common_mean,
        rebin,
        rebin_log,
        0.0,
        noise,
        False,
        min_fracexp,
        compat,
    )
    cross: DynamicalCrossSpectrum = delivered(_eagleray.dynamical_cross(device, observation, options, time))
    return cross
