"""The analyses, by the words of the command line."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any, Literal, Unpack

import numpy as np
import numpy.typing as npt

from . import _eagleray
from ._errors import OptionError, warn
from ._products import (
    AveragedCrossSpectrum,
    AveragedPowerSpectrum,
    Bispectrum,
    CrossPowers,
    CumulantBispectrum,
    DynamicalCrossSpectrum,
    DynamicalPowerSpectrum,
    EnergySpectrum,
    FadSpectrum,
    Histogram,
    LightCurve,
    PulseProfile,
    SearchResult,
    wrap,
)
from ._session import Backend, Session, session_of
from ._source import Interval, Path, Selection, exact_float64, flux_segments, observe, pair

Norm = Literal["leahy", "frac", "abs", "none"]
Noise = Literal["poisson", "none"] | float | Interval
Compat = Literal["stingray"] | None


def _delivered(core: _eagleray.Product) -> Any:
    """A product in its class, with a warning for each thing that was odd."""
    warn([(code, message) for code, message, _ in core.warnings()], 4)
    return wrap(core)


def _power_options(
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


def pds(
    src: Any,
    *,
    dt: float | None = None,
    segment_size: float | None = None,
    norm: Norm = "leahy",
    use_common_mean: bool = True,
    rebin: int | None = None,
    rebin_log: float | None = None,
    background: float = 0.0,
    noise: Noise = "poisson",
    dead_time: float | Interval | None = None,
    paralysable: bool = False,
    dead_time_detectors: int = 1,
    dead_time_rate: float | None = None,
    subtract_noise: bool = False,
    intervals: bool = False,
    probabilities: bool = False,
    min_fracexp: float = 0.9,
    compat: Compat = None,
    rates: bool = False,
    session: Session | None = None,
    backend: Backend | None = None,
    **selection: Unpack[Selection],
) -> AveragedPowerSpectrum:
    """The averaged power spectrum.

    Parameters
    ----------
    src : see `Observation`; or segments of flux
        Segments come as an array of shape (segments, bins) or from an iterator of arrays, or of pairs of an array and its standard
        errors; `dt` is needed then, and they are computed while they come.
    dt : float, optional
        Bin width, s. By default 1/1024 s or the frame time; of a light curve its own.
    segment_size : float, optional
        Length of a segment, s. By default a power of two of bins that makes at least 50 segments.
    norm : {"leahy", "frac", "abs", "none"}
        Normalisation of the powers.
    use_common_mean : bool
        Normalise by the common mean of all segments, or each segment by its own.
    rebin : int, optional
        Average this many frequencies into one.
    rebin_log : float, optional
        Average frequencies into bins whose widths grow by ``1 + rebin_log``.
    background : float
        Background in the mean rate, counts/s: ``frac`` powers and rms are those of the source alone.
    noise : {"poisson", "none"}, float, or (lo, hi)
        Noise level: that of Poisson counts, a value in the normalisation of the powers, or the mean power from `lo` to `hi` Hz.
    dead_time : float or (lo, hi), optional
        Dead time of the detectors, s, or the frequencies, Hz, to whose powers it is fitted; the noise level becomes that of Zhang et al.
        (1995, doi:10.1086/176111).
    paralysable : bool
        Events that arrive in a dead time prolong it.
    dead_time_detectors : int
        Independent detectors that share the rate.
    dead_time_rate : float, optional
        Rate of all events that block, counts/s, where the spectrum has only some.
    subtract_noise : bool
        Subtract the noise level from the powers.
    intervals : bool
        Add the columns `power_lo` and `power_hi`: 68.27 % intervals.
    probabilities : bool
        Add the column `log10_p`: the probability that noise reaches the power of a bin, one trial.
    min_fracexp : float
        Bins of a light curve with less of their time exposed count as missing.
    compat : {"stingray"}, optional
        Follow Stingray's rules where they differ.
    rates : bool
        Values of segments are rates, counts/s, and not counts.
    session, backend
        Where it is computed; see `Session`.
    **selection
        See `Selection`.

    Returns
    -------
    AveragedPowerSpectrum
        Columns of one value a frequency: ``freq`` (Hz), ``power``, ``power_err``, ``noise``, …

    Raises
    ------
    FileError
        A file cannot be read.
    OptionError
        Options that are not possible, or leave no segment or no event.

    Examples
    --------
    >>> spectrum = pds("obs.evt", dt=1 / 256, segment_size=64, energy=(3, 10))  # doctest: +SKIP
    >>> spectrum.freq[spectrum.power.argmax()]  # doctest: +SKIP
    """
    blocked = None
    if dead_time is not None:
        fit = tuple(dead_time) if np.ndim(dead_time) else None
        seconds = None if fit else dead_time
        blocked = dict(
            seconds=seconds, fit=fit, paralysable=paralysable, detectors=dead_time_detectors, rate=dead_time_rate
        )
    options = _power_options(
        dt, segment_size, norm, use_common_mean, rebin, rebin_log, background, noise, subtract_noise, min_fracexp, compat,
        blocked, intervals, probabilities,
    )  # fmt: skip
    device = session_of(session, backend)
    segments = flux_segments(src)
    if segments is not None:
        if selection:
            raise OptionError(f"segments of flux take no {', '.join(sorted(selection))}")
        return _fed(_eagleray.PowerFeed(device, options, rates), segments)
    return _delivered(_eagleray.power_spectrum(device, observe(src, dict(selection), compat), options))


def _fed(feed: Any, segments: Iterable[Any]) -> Any:
    """The product of segments that come one by one."""
    for segment in segments:
        flux, errors = segment if isinstance(segment, tuple) else (segment, None)
        feed.push(_flux(flux), None if errors is None else _flux(errors))
    return _delivered(feed.finish())


def _flux(values: Any) -> npt.NDArray[np.float64]:
    return exact_float64(np.asarray(values), "flux")


def _two(given: Any) -> tuple[Any, Any]:
    """One value for both sides, or one each."""
    if isinstance(given, (list, tuple)) and len(given) == 2 and not isinstance(given[0], str):
        return given[0], given[1]
    return given, given


def _sides(src: Any, other: Any, selection: dict[str, Any], compat: Compat) -> _eagleray.Observation:
    return observe(src, selection, compat) if other is None else pair(src, other, selection, compat)


def _cross_options(
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


def cs(
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
    background: float | tuple[float, float] = 0.0,
    noise: Noise | tuple[Noise, Noise] = "poisson",
    fullspec: bool = False,
    min_fracexp: float = 0.9,
    compat: Compat = None,
    rates: bool = False,
    session: Session | None = None,
    backend: Backend | None = None,
    **selection: Unpack[Selection],
) -> AveragedCrossSpectrum:
    """The averaged cross spectrum: lags and coherence.

    Parameters
    ----------
    src : see `Observation`
        The subject, or the events of which `subject` and `ref` are bands. An iterator of pairs (subject, reference) of arrays, or an array
        of shape (segments, bins) with one in `reference`, is of segments of flux.
    reference : see `Observation`, optional
        The reference; a positive lag says that the subject is late.
    subject, ref : (lo, hi), optional
        Bands of `src`, keV, ``lo <= E < hi``. Photons of both leave the reference, or the subject where it holds the reference.
    channels : bool
        The bands are of channels, both ends included.
    background, noise
        One for both, or one for the subject and one for the reference; see `pds`. A pair of numbers in `noise` is a band of frequencies:
        two levels are a list.
    fullspec : bool
        All frequencies, in the order of ``numpy.fft.fftfreq``.
    dt, segment_size, norm, use_common_mean, rebin, rebin_log, min_fracexp, compat, rates, session, backend, **selection
        See `pds`.

    Returns
    -------
    AveragedCrossSpectrum
        Columns of one value a frequency: ``freq`` (Hz), ``power`` (complex), ``lag_time`` (s), ``lag_phase`` (rad),
        ``coherence_raw``, …
    """
    options = _cross_options(
        subject, ref, channels, dt, segment_size, norm, use_common_mean, rebin, rebin_log, background, noise, fullspec,
        min_fracexp, compat,
    )  # fmt: skip
    device = session_of(session, backend)
    segments = flux_segments(src)
    if segments is not None:
        if selection:
            raise OptionError(f"segments of flux take no {', '.join(sorted(selection))}")
        both = segments if reference is None else zip(segments, reference, strict=True)
        feed = _eagleray.CrossFeed(device, options, rates)
        for one, other in both:
            values, errors = one if isinstance(one, tuple) else (one, None)
            values2, errors2 = other if isinstance(other, tuple) else (other, None)
            feed.push(
                _flux(values),
                _flux(values2),
                None if errors is None else _flux(errors),
                None if errors2 is None else _flux(errors2),
            )
        return _delivered(feed.finish())
    return _delivered(_eagleray.cross_spectrum(device, _sides(src, reference, dict(selection), compat), options))


def fad(
    src: Any,
    reference: Any = None,
    *,
    subject: Interval | None = None,
    ref: Interval | None = None,
    channels: bool = False,
    dt: float | None = None,
    segment_size: float | None = None,
    norm: Norm = "leahy",
    rebin: int | None = None,
    rebin_log: float | None = None,
    fad_smoothing: float = 3.0,
    compat: Compat = None,
    session: Session | None = None,
    backend: Backend | None = None,
    **selection: Unpack[Selection],
) -> FadSpectrum:
    """Spectra of two simultaneous detectors, corrected for dead time by the difference of their Fourier amplitudes (Bachetti & Huppenkothen
    2018, doi:10.3847/2041-8213/aaa83b).

    Parameters
    ----------
    fad_smoothing : float
        Standard deviation of the Gaussian that smooths the differences, Hz.
    src, reference, subject, ref, channels, dt, segment_size, norm, rebin, rebin_log, compat, session, backend, **selection
        See `cs`.
    """
    options = {
        "subject": subject,
        "reference": ref,
        "channels": channels,
        "dt": dt,
        "segment_size": segment_size,
        "norm": norm,
        "rebin": rebin,
        "rebin_log": rebin_log,
        "smoothing": fad_smoothing,
        "compat": compat,
    }
    observation = _sides(src, reference, dict(selection), compat)
    made: FadSpectrum = _delivered(_eagleray.fad(session_of(session, backend), observation, options))
    return made


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
    made: EnergySpectrum = _delivered(_eagleray.energy_spectrum(session_of(session, backend), observation, options))
    return made


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
    device, observation = session_of(session, backend), _sides(src, reference, dict(selection), compat)
    if subject is None and ref is None and reference is None:
        options = _power_options(
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
        spectrum: DynamicalPowerSpectrum = _delivered(_eagleray.dynamical_spectrum(device, observation, options, time))
        return spectrum
    if background or subtract_noise:
        raise OptionError("background, subtract_noise: are of dynamical power spectra")
    options = _cross_options(
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
    cross: DynamicalCrossSpectrum = _delivered(_eagleray.dynamical_cross(device, observation, options, time))
    return cross


def ls(
    src: Any,
    reference: Any = None,
    *,
    dt: float | None = None,
    norm: Norm = "leahy",
    freq: tuple[float | None, float | None] | None = None,
    oversample: float = 1.0,
    floating_mean: bool = True,
    weighted: bool = False,
    direct: bool = False,
    rebin: int | None = None,
    rebin_log: float | None = None,
    min_fracexp: float = 0.9,
    session: Session | None = None,
    backend: Backend | None = None,
    **selection: Unpack[Selection],
) -> AveragedPowerSpectrum | CrossPowers:
    """The Lomb-Scargle spectrum of a light curve with gaps, or of events in bins; with a reference, the cross spectrum.

    Parameters
    ----------
    dt : float, optional
        Bin width of events, s.
    freq : (lo, hi), optional
        Frequencies, Hz; None for one step, and for the Nyquist frequency.
    oversample : float
        Frequencies to an independent one.
    floating_mean : bool
        Fit a constant together with the sinusoid.
    weighted : bool
        Weight points by their errors, counts by their exposures.
    direct : bool
        Sum directly (slow), instead of by a nonuniform transform.
    src, reference, norm, rebin, rebin_log, min_fracexp, session, backend, **selection
        See `pds`.
    """
    options = {
        "dt": dt,
        "norm": norm,
        "freq": freq or (None, None),
        "oversample": oversample,
        "floating_mean": floating_mean,
        "weighted": weighted,
        "direct": direct,
        "rebin": rebin,
        "rebin_log": rebin_log,
        "min_fracexp": min_fracexp,
    }
    device, observation = session_of(session, backend), _sides(src, reference, dict(selection), None)
    if reference is None:
        spectrum: AveragedPowerSpectrum = _delivered(_eagleray.lomb_scargle(device, observation, options))
        return spectrum
    cross: CrossPowers = _delivered(_eagleray.lomb_scargle_cross(device, observation, options))
    return cross


def multitaper(
    src: Any,
    *,
    nw: float = 4.0,
    tapers: int | None = None,
    adaptive: bool = False,
    jackknife: bool = False,
    dt: float | None = None,
    segment_size: float | None = None,
    norm: Norm = "leahy",
    rebin: int | None = None,
    rebin_log: float | None = None,
    background: float = 0.0,
    noise: Noise = "poisson",
    subtract_noise: bool = False,
    intervals: bool = False,
    probabilities: bool = False,
    min_fracexp: float = 0.9,
    session: Session | None = None,
    backend: Backend | None = None,
    **selection: Unpack[Selection],
) -> AveragedPowerSpectrum:
    """The multitaper power spectrum (Thomson 1982, doi:10.1109/PROC.1982.12433).

    Parameters
    ----------
    nw : float
        Half bandwidth, in units of ``1/segment_size``.
    tapers : int, optional
        Number of Slepian tapers; those with more than 0.9 of their energy in the band by default.
    adaptive : bool
        Thomson's adaptive weights.
    jackknife : bool
        Errors by leaving out one taper at a time.
    src, dt, segment_size, norm, rebin, rebin_log, background, noise, subtract_noise, intervals, probabilities, min_fracexp, session, backend, **selection
        See `pds`.
    """
    options = _power_options(
        dt, segment_size, norm, True, rebin, rebin_log, background, noise, subtract_noise, min_fracexp, None, None, intervals,
        probabilities,
    )  # fmt: skip
    taper = {"nw": nw, "tapers": tapers, "adaptive": adaptive, "jackknife": jackknife}
    observation = observe(src, dict(selection), None)
    made: AveragedPowerSpectrum = _delivered(
        _eagleray.multitaper(session_of(session, backend), observation, options, taper)
    )
    return made


def bispectrum(
    src: Any,
    *,
    cumulants: bool = False,
    dt: float | None = None,
    segment_size: float | None = None,
    max_freq: float | None = None,
    max_lag: int | None = None,
    window: str | None = None,
    unbiased: bool = False,
    compat: Compat = None,
    session: Session | None = None,
    backend: Backend | None = None,
    **selection: Unpack[Selection],
) -> Bispectrum | CumulantBispectrum:
    """The bispectrum: how the phases of two frequencies and of their sum agree.

    Parameters
    ----------
    cumulants : bool
        By Stingray's definition, the transform of the third-order cumulant; `max_lag` (bins), `window` and `unbiased` are its own.
    max_freq : float, optional
        Largest sum of two frequencies, Hz; the Nyquist frequency by default.
    src, dt, segment_size, compat, session, backend, **selection
        See `pds`.
    """
    device, observation = session_of(session, backend), observe(src, dict(selection), compat)
    if not cumulants:
        if max_lag is not None or window is not None or unbiased or compat is not None:
            raise OptionError("max_lag, window, unbiased, compat: are of cumulants=True")
        made: Bispectrum = _delivered(_eagleray.bispectrum(device, observation, dt, segment_size, max_freq))
        return made
    options = {
        "dt": dt,
        "segment_size": segment_size,
        "max_lag": max_lag,
        "window": window,
        "unbiased": unbiased,
        "max_freq": max_freq,
        "compat": compat,
    }
    cumulant: CumulantBispectrum = _delivered(_eagleray.cumulant_bispectrum(device, observation, options))
    return cumulant


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
    made: LightCurve = _delivered(_eagleray.light_curve(session_of(session, backend), observation, dt))
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
    made: Histogram = _delivered(_eagleray.bin(session_of(session, backend), observation, edges, of_energy, channels))
    return made


def search(
    src: Any,
    *,
    freq: Interval | None = None,
    fdot: Interval | None = None,
    fddot: Interval | None = None,
    par: Path | None = None,
    method: Literal["z2", "ef", "h", "pdm"] = "z2",
    nharm: int = 2,
    nbin: int = 64,
    oversample: float | None = None,
    algorithm: Literal["auto", "fft", "fold", "ffa"] = "auto",
    candidates: int = 10,
    detection_level: float = 0.01,
    dt: float | None = None,
    min_fracexp: float | None = None,
    session: Session | None = None,
    backend: Backend | None = None,
    **selection: Unpack[Selection],
) -> SearchResult:
    """A search for a pulsation of unknown frequency.

    Parameters
    ----------
    freq : (lo, hi)
        Frequencies, Hz, at the middle of the good time; with `par`, 100/span to both sides of its frequency by default.
    fdot, fddot : (lo, hi), optional
        Ranges of the derivatives, Hz/s and Hz/s²; one value twice is known, and not refined.
    par : path, optional
        An ephemeris file: times become times of emission.
    method : {"z2", "ef", "h", "pdm"}
        Z² of `nharm` harmonics, epoch folding with `nbin` bins, the H test, or phase dispersion of light curves and of events in bins of
        `dt`.
    oversample : float, optional
        Trials to an independent frequency.
    algorithm : {"auto", "fft", "fold", "ffa"}
        All frequencies at once, a profile of each trial, or fast folding.
    candidates : int
        Candidates listed.
    detection_level : float
        Probability that noise reaches the detection level, trials included.
    src, session, backend, **selection
        See `pds`; `weights` names a column.
    """
    options = {
        "freq": freq,
        "fdot": fdot,
        "fddot": fddot,
        "par": None if par is None else os.fspath(par),
        "method": method,
        "nharm": nharm,
        "nbin": nbin,
        "oversample": oversample,
        "algorithm": algorithm,
        "candidates": candidates,
        "detection_level": detection_level,
        "dt": dt,
        "min_fracexp": min_fracexp,
    }
    observation = observe(src, dict(selection), None)
    made: SearchResult = _delivered(_eagleray.search(session_of(session, backend), observation, options))
    return made


def accel(
    src: Any,
    *,
    freq: Interval,
    fdot: Interval,
    fddot: Interval = (0.0, 0.0),
    par: Path | None = None,
    nharm: int = 4,
    detrend: bool = False,
    candidates: int = 10,
    detection_level: float = 0.01,
    session: Session | None = None,
    backend: Backend | None = None,
    **selection: Unpack[Selection],
) -> SearchResult:
    """An acceleration search (Ransom et al. 2002, doi:10.1086/342285).

    Parameters
    ----------
    freq, fdot, fddot : (lo, hi)
        Frequencies, Hz, and their derivatives, Hz/s and Hz/s².
    nharm : {1, 2, 4, 8}
        Largest number of harmonics summed.
    detrend : bool
        Divide powers by the local noise level, for sources with red noise.
    src, par, candidates, detection_level, session, backend, **selection
        See `search`.
    """
    options = {
        "freq": freq,
        "fdot": fdot,
        "fddot": fddot,
        "par": None if par is None else os.fspath(par),
        "nharm": nharm,
        "detrend": detrend,
        "candidates": candidates,
        "detection_level": detection_level,
    }
    observation = observe(src, dict(selection), None)
    made: SearchResult = _delivered(_eagleray.accel(session_of(session, backend), observation, options))
    return made


def fold(
    src: Any,
    *,
    f: float | np.longdouble | str | None = None,
    fdot: float = 0.0,
    fddot: float = 0.0,
    epoch: float | np.longdouble | str | None = None,
    epoch_in_seconds: bool = False,
    par: Path | None = None,
    nbin: int = 32,
    nharm: int = 2,
    background: float = 0.0,
    session: Session | None = None,
    backend: Backend | None = None,
    **selection: Unpack[Selection],
) -> PulseProfile:
    """The pulse profile at a known frequency, or by an ephemeris.

    Parameters
    ----------
    f : float, longdouble or str
        Frequency at the epoch, Hz; as text with all of its digits.
    fdot, fddot : float
        Its derivatives, Hz/s and Hz/s².
    epoch : float, longdouble or str, optional
        Where phases count from, MJD, or seconds of the frame; the whole second next to the middle of good time by default.
    par : path, optional
        An ephemeris file, instead of all these.
    nbin : int
        Number of phase bins.
    nharm : int
        Harmonics of Z² and of the pulsed fraction.
    background : float
        Background rate, counts/s, for the pulsed fractions.
    src, session, backend, **selection
        See `pds`; `weights` names a column.

    Returns
    -------
    PulseProfile
        ``phase``, ``counts``, ``rate`` (counts/s), ``rate_err``, ``exposure`` (s), one value a bin of phase.
    """
    options = _fold_options(f, fdot, fddot, epoch, epoch_in_seconds, par, nbin, nharm, background)
    observation = observe(src, dict(selection), None)
    made: PulseProfile = _delivered(_eagleray.fold(session_of(session, backend), observation, options))
    return made


def _fold_options(
    f: float | np.longdouble | str | None,
    fdot: float,
    fddot: float,
    epoch: float | np.longdouble | str | None,
    epoch_in_seconds: bool,
    par: Path | None,
    nbin: int,
    nharm: int = 2,
    background: float = 0.0,
) -> dict[str, Any]:
    if f is None and par is None:
        raise OptionError("f: the frequency, Hz, or an ephemeris file (par) is needed")
    return {
        "f": None if f is None else _two_parts(f),
        "fdot": fdot,
        "fddot": fddot,
        "epoch": None if epoch is None else _two_parts(epoch),
        "epoch_in_seconds": epoch_in_seconds,
        "par": None if par is None else os.fspath(par),
        "nbin": nbin,
        "nharm": nharm,
        "background": background,
    }


def phaseogram(
    src: Any,
    *,
    rows: int = 64,
    f: float | np.longdouble | str | None = None,
    fdot: float = 0.0,
    fddot: float = 0.0,
    epoch: float | np.longdouble | str | None = None,
    epoch_in_seconds: bool = False,
    par: Path | None = None,
    nbin: int = 32,
    session: Session | None = None,
    backend: Backend | None = None,
    **selection: Unpack[Selection],
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Rates by time and phase.

    Parameters
    ----------
    rows : int
        Intervals of time.
    src, f, fdot, fddot, epoch, epoch_in_seconds, par, nbin, session, backend, **selection
        See `fold`.

    Returns
    -------
    time : array of rows + 1
        Edges of the intervals, s from the epoch.
    rate : array of shape (rows, nbin)
        Rates, counts/s; nan where a bin has no exposure.
    """
    options = _fold_options(f, fdot, fddot, epoch, epoch_in_seconds, par, nbin)
    return _eagleray.phaseogram(session_of(session, backend), observe(src, dict(selection), None), options, rows)


class ArrivalTimes:
    """Times of arrival of pulses.

    Attributes
    ----------
    mjd : list of Decimal
        Times of arrival at the barycentre, with all digits.
    error : array
        Standard errors, s.
    shift, shift_err : array
        Residuals against the ephemeris, cycles, positive where the pulse is late, and their standard errors.
    nphots, exposure : array
        Events and good time (s) of each interval.
    left_out : int
        Intervals with events that gave no time of arrival.
    chi2 : float
        Of the residuals against their weighted mean.
    tim : str
        The times as a file of tempo2 (FORMAT 1).
    """

    def __init__(self, found: dict[str, Any], tim: str) -> None:
        rows = found["toas"]
        self.tim = tim
        self.mjd = [Decimal(line.split()[2]) for line in tim.splitlines() if len(line.split()) > 4]
        self.error = np.array([row["error"] for row in rows])
        self.shift = np.array([row["shift"] for row in rows])
        self.shift_err = np.array([row["shift_err"] for row in rows])
        self.nphots = np.array([row["nphots"] for row in rows], dtype=np.int64)
        self.exposure = np.array([row["exposure"] for row in rows])
        self.left_out: int = found["left_out"]
        self.chi2: float = found["chi2"]

    def __len__(self) -> int:
        return len(self.error)

    def __repr__(self) -> str:
        return f"<ArrivalTimes: {len(self)} times, {self.left_out} intervals left out, χ² {self.chi2:.2f}>"


def toas(
    src: Any,
    *,
    length: float,
    template: Path | None = None,
    f: float | np.longdouble | str | None = None,
    fdot: float = 0.0,
    fddot: float = 0.0,
    epoch: float | np.longdouble | str | None = None,
    epoch_in_seconds: bool = False,
    par: Path | None = None,
    nbin: int = 32,
    session: Session | None = None,
    backend: Backend | None = None,
    **selection: Unpack[Selection],
) -> ArrivalTimes:
    """Times of arrival of pulses, one an interval of good time.

    Parameters
    ----------
    length : float
        Length of an interval, s.
    template : path, optional
        A profile that was written, or ``"sinusoid"``; the profile of all events by default.
    src, f, fdot, fddot, epoch, epoch_in_seconds, par, nbin, session, backend, **selection
        See `fold`.
    """
    options = _fold_options(f, fdot, fddot, epoch, epoch_in_seconds, par, nbin)
    given = None if template is None else os.fspath(template)
    observation = observe(src, dict(selection), None)
    found, tim = _eagleray.toas(session_of(session, backend), observation, options, length, given)
    return ArrivalTimes(json.loads(found), tim)


def _two_parts(number: float | np.longdouble | str) -> tuple[float, float]:
    """A number as the sum of two: with all digits of text, or of a longdouble."""
    if isinstance(number, str):
        exact = Decimal(number)
        high = float(exact)
        return high, float(exact - Decimal(high))
    high = float(number)
    return high, float(np.longdouble(number) - np.longdouble(high))
