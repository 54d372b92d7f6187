"""Spectra of one observation, or of two: averaged, tapered, of uneven series, of three frequencies."""

from __future__ import annotations

from typing import Any, Unpack

from . import _eagleray
from ._arguments import interval, two_noises, two_numbers
from ._arguments import options as checked
from ._errors import OptionError, OptionTypeError
from ._products import (
    AveragedCrossSpectrum,
    AveragedPowerSpectrum,
    Bispectrum,
    CrossPowers,
    CumulantBispectrum,
    FadSpectrum,
)
from ._session import Backend, Session, chosen, session_of
from ._source import Interval, Selection, flux_segments, observe
from ._words import Compat, Noise, Norm, cross_options, delivered, fed, fed_pairs, power_options, sides


@checked()
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
        Segments come as an array of shape (segments, bins), as a list of arrays, or from an iterator (a generator, say) of arrays; each
        array has the values of one segment, or is a pair (tuple) of an array and its standard errors. `dt` is needed then, and they are
        computed while they come.
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
        constant = isinstance(dead_time, (int, float))
        fit, seconds = (None, dead_time) if constant else (dead_time, None)
        blocked = dict(
            seconds=seconds, fit=fit, paralysable=paralysable, detectors=dead_time_detectors, rate=dead_time_rate
        )
    options = power_options(
        dt, segment_size, norm, use_common_mean, rebin, rebin_log, background, noise, subtract_noise, min_fracexp, compat,
        blocked, intervals, probabilities,
    )  # fmt: skip
    where, segments = chosen(session, backend), flux_segments(src)
    if segments is not None:
        if selection:
            raise OptionError(f"segments of flux take no {', '.join(sorted(selection))}")
        with where._for_segments() as core:
            of_segments: AveragedPowerSpectrum = fed(_eagleray.PowerFeed(core, options, rates), segments)
        return of_segments
    observation = observe(src, dict(selection), compat)
    made: AveragedPowerSpectrum = delivered(_eagleray.power_spectrum(where._core, observation, options))
    return made


@checked(background=two_numbers, noise=two_noises)
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
    options = cross_options(
        subject, ref, channels, dt, segment_size, norm, use_common_mean, rebin, rebin_log, background, noise, fullspec,
        min_fracexp, compat,
    )  # fmt: skip
    where, segments = chosen(session, backend), flux_segments(src)
    if segments is not None:
        if selection:
            raise OptionError(f"segments of flux take no {', '.join(sorted(selection))}")
        others = None if reference is None else flux_segments(reference)
        if reference is not None and others is None:
            raise OptionTypeError("reference: segments of flux are needed, as the subject is made of them")
        with where._for_segments() as core:
            of_segments: AveragedCrossSpectrum = fed_pairs(_eagleray.CrossFeed(core, options, rates), segments, others)
        return of_segments
    observation = sides(src, reference, dict(selection), compat)
    made: AveragedCrossSpectrum = delivered(_eagleray.cross_spectrum(where._core, observation, options))
    return made


@checked()
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
    observation = sides(src, reference, dict(selection), compat)
    made: FadSpectrum = delivered(_eagleray.fad(session_of(session, backend), observation, options))
    return made


@checked(freq=interval("Hz", open_ends=True))
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
    device, observation = session_of(session, backend), sides(src, reference, dict(selection), None)
    if reference is None:
        spectrum: AveragedPowerSpectrum = delivered(_eagleray.lomb_scargle(device, observation, options))
        return spectrum
    cross: CrossPowers = delivered(_eagleray.lomb_scargle_cross(device, observation, options))
    return cross


@checked()
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
    options = power_options(
        dt, segment_size, norm, True, rebin, rebin_log, background, noise, subtract_noise, min_fracexp, None, None, intervals,
        probabilities,
    )  # fmt: skip
    taper = {"nw": nw, "tapers": tapers, "adaptive": adaptive, "jackknife": jackknife}
    observation = observe(src, dict(selection), None)
    made: AveragedPowerSpectrum = delivered(
        _eagleray.multitaper(session_of(session, backend), observation, options, taper)
    )
    return made


@checked()
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
        made: Bispectrum = delivered(_eagleray.bispectrum(device, observation, dt, segment_size, max_freq))
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
    cumulant: CumulantBispectrum = delivered(_eagleray.cumulant_bispectrum(device, observation, options))
    return cumulant
