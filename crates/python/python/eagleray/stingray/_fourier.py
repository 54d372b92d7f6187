"""Averaged power and cross spectra of events, light curves and iterables: sums by the extension, means and normalisations by Stingray."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain
from typing import Any

import numpy as np
import stingray.fourier as fourier
from astropy.table import Table
from stingray.gti import bin_intervals_from_gtis
from stingray.utils import HAS_NUMBA, fftfreq, fix_segment_size_to_integer_samples, show_progress

from ._bands import Band
from ._core import Array, Unanswered, cut_edges, numbers, plain, positive_frequencies, seams, split_times

_NORMS = ("leahy", "frac", "abs", "none")
_POWER_TYPES = ("all", "real", "abs", "absolute")
#: Values, and segments, of an iterable that are held together.
_HELD_VALUES, _HELD_SEGMENTS = 1 << 22, 4096


def _words(norm: Any, power_type: Any = "all") -> None:
    """Leaves to Stingray what it does not know."""
    if norm not in _NORMS:
        raise Unanswered("the normalisation is unknown")
    if power_type not in _POWER_TYPES:
        raise Unanswered("the type of powers is unknown")


def _bins(gti: Any, segment_size: Any, dt: Any, fluxes: Any) -> tuple[Any, int]:
    """Length of segments and number of their bins."""
    if segment_size is not None:
        size, n_bin = fix_segment_size_to_integer_samples(segment_size, dt)
        return size, n_bin
    if fluxes is not None:
        return None, fluxes.size
    return None, fix_segment_size_to_integer_samples(gti.max() - gti.min(), dt)[1]


def _series(times: Any, gti: Any, segment_size: Any, n_bin: int, dt: Any, fluxes: Any, errors: Any) -> tuple[Any, ...]:
    """A series of segments as the extension takes it."""
    if fluxes is None:
        return _events(times, gti, segment_size, n_bin)
    fluxes = plain(np.asanyarray(fluxes), "fluxes", complex_too=True)
    if segment_size is None:
        first, end = np.array([0]), np.array([times.size])
    else:
        first, end = bin_intervals_from_gtis(np.asanyarray(gti), segment_size, np.asanyarray(times), dt=dt)
    if errors is not None:
        errors = plain(errors, "errors", complex_too=fluxes.dtype.kind == "c")
        if errors.size != fluxes.size:
            raise Unanswered("fluxes and errors differ in number")
        errors = numbers(errors)
    return numbers(fluxes), errors, first.astype(np.int64), end.astype(np.int64)


def _events(times: Any, gti: Any, segment_size: Any, n_bin: int) -> tuple[Any, ...]:
    if not HAS_NUMBA:
        raise Unanswered("without numba, Stingray bins events otherwise")
    whole = segment_size is None
    if whole:
        segment_size = gti[-1, 1] - gti[0, 0]
    if np.asanyarray(segment_size).dtype.itemsize > 8:
        raise Unanswered("the length of segments has more than 64 bits")
    if n_bin < 1:
        raise Unanswered("segments have no bins")
    given = split_times(times)
    edges, start = (None, gti[0, 0]) if whole else (cut_edges(gti, segment_size), 0.0)
    return given, edges, float(start), float(segment_size), n_bin


def _number(pair: tuple[float, float], complex_values: bool) -> Any:
    return np.complex128(*pair) if complex_values else np.float64(pair[0])


# Power spectra.


def avg_pds_from_timeseries(
    times: Any,
    gti: Any,
    segment_size: Any,
    dt: Any,
    norm: Any = "frac",
    use_common_mean: Any = True,
    silent: Any = False,
    fluxes: Any = None,
    errors: Any = None,
    return_subcs: Any = False,
) -> Any:
    """As in Stingray, without a bar of progress."""
    if type(times) is Band:
        return times.powers(norm)
    _words(norm)
    size, n_bin = _bins(gti, segment_size, dt, fluxes)
    series = _series(times, gti, size, n_bin, dt, fluxes, errors)
    sums = seams.Powers(None if use_common_mean else (norm, "all", float(dt)), bool(return_subcs))
    sums.add(series)
    complex_values = fluxes is not None and series[0].dtype.kind == "c"
    n_bin = sums.n
    made = _power_table(
        sums.finish(["avg_pds_from_timeseries"]), n_bin, dt, norm, use_common_mean, return_subcs, complex_values
    )
    if made is not None:
        made.meta["gti"] = gti
    return made


def avg_pds_from_iterable(
    flux_iterable: Any,
    dt: Any,
    norm: Any = "frac",
    use_common_mean: Any = True,
    silent: Any = False,
    return_subcs: Any = False,
) -> Any:
    """As in Stingray."""
    _words(norm)
    sums = seams.Powers(None if use_common_mean else (norm, "all", float(dt)), bool(return_subcs))
    held = _Held(1)
    iterator = iter(flux_iterable)
    for flux in iterator if silent else show_progress(iterator):
        if flux is None:
            continue
        try:
            held.take(flux)
        except Unanswered as left:
            raise Unanswered(left.reason, (chain([flux], iterator),)) from None
        if held.full:
            sums.add(*held.release())
    sums.add(*held.release())
    name = "avg_pds_from_iterable"
    return _power_table(sums.finish([name]), sums.n, dt, norm, use_common_mean, return_subcs, held.kinds[0])


def _power_table(
    found: Any, n_bin: int, dt: Any, norm: Any, use_common_mean: Any, return_subcs: Any, complex_values: bool
) -> Table | None:
    """What Stingray makes of sums of powers."""
    if found is None:
        return None
    m, (photons, variances), (unnorm, unnorm_rows), (own, own_rows) = found
    n_ph = _number(photons, complex_values) / m
    mean = n_ph / n_bin
    variance = None if variances is None else _number(variances, complex_values) / m
    unnorm /= m
    if use_common_mean:
        factor = fourier.normalize_periodograms(1, dt, n_bin, mean, n_ph=n_ph, norm=norm, variance=variance)
        power, rows = unnorm * factor, [row * factor for row in unnorm_rows]
    else:
        power, rows = own / m, own_rows
        if not (complex_values and norm in ("leahy", "frac")):
            power, rows = power.real.copy(), [row.real.copy() for row in rows]
    made = Table({"freq": positive_frequencies(n_bin, dt), "power": power, "unnorm_power": unnorm}, copy=False)
    made.meta.update(
        n=n_bin,
        m=m,
        dt=dt,
        norm=norm,
        df=1 / (dt * n_bin),
        nphots=n_ph,
        mean=mean,
        variance=variance,
        segment_size=dt * n_bin,
    )
    if return_subcs:
        made.meta.update(subcs=rows, unnorm_subcs=unnorm_rows)
    return made


class _Held:
    """Segments of an iterable that wait to be summed.

    Parameters
    ----------
    sides : int
        Number of series.
    errors : bool
        Whether segments may have errors.
    """

    def __init__(self, sides: int, errors: bool = True) -> None:
        self.errors = errors
        self.sides: list[list[tuple[Array, Array | None]]] = [[] for _ in range(sides)]
        self.values = 0
        self.kinds = [False] * sides
        self.begun = False

    def take(self, *segments: Any) -> None:
        """Takes a segment of each side. Only the first can be left to Stingray."""
        taken = []
        for segment in segments:
            values, errors = segment, None
            if isinstance(segment, tuple) and self.errors:
                values, errors = segment
            if not self.begun:
                plain(values, "segments", complex_too=True)
                if values.dtype.itemsize > (16 if values.dtype.kind == "c" else 8):
                    raise Unanswered("segments have more than 64 bits")
            values = numbers(np.asanyarray(values))
            taken.append((values, None if errors is None else numbers(np.asanyarray(errors))))
        self.begun = True
        for i, (values, errors) in enumerate(taken):
            self.sides[i].append((values, errors))
            self.values += values.size
            self.kinds[i] |= values.dtype.kind == "c"

    @property
    def full(self) -> bool:
        """Whether enough wait."""
        return self.values >= _HELD_VALUES or len(self.sides[0]) >= _HELD_SEGMENTS

    def release(self) -> list[list[tuple[Array, Array | None]]]:
        """What waits; then nothing does."""
        released, self.sides, self.values = self.sides, [[] for _ in self.sides], 0
        return released


# Cross spectra.


def avg_cs_from_timeseries(
    times1: Any,
    times2: Any,
    gti: Any,
    segment_size: Any,
    dt: Any,
    norm: Any = "frac",
    use_common_mean: Any = True,
    fullspec: Any = False,
    silent: Any = False,
    power_type: Any = "all",
    fluxes1: Any = None,
    fluxes2: Any = None,
    errors1: Any = None,
    errors2: Any = None,
    return_auxil: Any = False,
    return_subcs: Any = False,
) -> Any:
    """As in Stingray, without a bar of progress."""
    if type(times1) is Band:
        return times1.cross(times2, norm)
    _words(norm, power_type)
    binned = fluxes1 is not None and fluxes2 is not None
    size, n_bin = _bins(gti, segment_size, dt, fluxes1 if binned else None)
    first = _series(times1, gti, size, n_bin, dt, fluxes1, errors1)
    second = _series(times2, gti, size, n_bin, dt, fluxes2, errors2)
    events = all(given is None for given in (fluxes1, fluxes2, errors1, errors2))
    quick = events and silent and use_common_mean and power_type == "all"
    quick = bool(quick and not fullspec and not return_auxil and not return_subcs)
    how = _Cross(dt, norm, use_common_mean, fullspec, power_type, return_auxil, return_subcs, quick)
    how.sums.add(first, second)
    kinds = [
        given is not None and series[0].dtype.kind == "c" for given, series in ((fluxes1, first), (fluxes2, second))
    ]
    made = how.table("avg_cs_from_timeseries", kinds)
    if made is not None:
        made.meta["gti"] = gti
    return made


def avg_cs_from_iterables_quick(flux_iterable1: Any, flux_iterable2: Any, dt: Any, norm: Any = "frac") -> Any:
    """As in Stingray."""
    _words(norm)
    how = _Cross(dt, norm, True, False, "all", False, False, True)
    return _cross_of_iterables(flux_iterable1, flux_iterable2, how, True, "avg_cs_from_iterables_quick")


def avg_cs_from_iterables(
    flux_iterable1: Any,
    flux_iterable2: Any,
    dt: Any,
    norm: Any = "frac",
    use_common_mean: Any = True,
    silent: Any = False,
    fullspec: Any = False,
    power_type: Any = "all",
    return_auxil: Any = False,
    return_subcs: Any = False,
) -> Any:
    """As in Stingray."""
    _words(norm, power_type)
    how = _Cross(dt, norm, use_common_mean, fullspec, power_type, return_auxil, return_subcs, False)
    return _cross_of_iterables(flux_iterable1, flux_iterable2, how, silent, "avg_cs_from_iterables")


def _cross_of_iterables(one: Iterable[Any], other: Iterable[Any], how: _Cross, silent: Any, name: str) -> Any:
    held = _Held(2, errors=not how.quick)
    iterators = iter(one), iter(other)
    pairs = zip(*iterators)
    for first, second in pairs if silent else show_progress(pairs):
        if first is None or second is None:
            continue
        try:
            held.take(first, second)
        except Unanswered as left:
            rest = chain([first], iterators[0]), chain([second], iterators[1])
            raise Unanswered(left.reason, rest) from None
        if held.full:
            how.sums.add(*held.release())
    how.sums.add(*held.release())
    return how.table(name, held.kinds)


class _Cross:
    """How cross spectra are averaged, and their sums."""

    def __init__(
        self,
        dt: Any,
        norm: Any,
        use_common_mean: Any,
        fullspec: Any,
        power_type: Any,
        return_auxil: Any,
        return_subcs: Any,
        quick: bool,
    ) -> None:
        self.dt, self.norm, self.use_common_mean, self.fullspec = dt, norm, use_common_mean, fullspec
        self.power_type, self.return_auxil, self.return_subcs, self.quick = (
            power_type,
            return_auxil,
            return_subcs,
            quick,
        )
        own = None if use_common_mean else (norm, power_type, float(dt))
        self.sums = seams.Crosses(own, bool(return_subcs), bool(fullspec), bool(return_auxil))

    def _normalised(self, values: Any, n_bin: int, mean: Any, n_ph: Any, variance: Any) -> Any:
        return fourier.normalize_periodograms(
            values, self.dt, n_bin, mean, n_ph=n_ph, norm=self.norm, variance=variance, power_type=self.power_type
        )

    def _kept(self, values: Array, complex_values: bool) -> Array:
        """Values of segments that were normalised by themselves, with the type of numbers that Stingray gives them."""
        return values if complex_values else values.real.copy()

    def table(self, name: str, kinds: list[bool]) -> Table | None:
        """What Stingray makes of sums of cross spectra, of sides that are complex or not."""
        n_bin, found = self.sums.n, self.sums.finish([name])
        if found is None:
            return None
        m, photons, (unnorm, unnorm_rows), (own, own_rows), powers, own_powers = found
        n_phs = [_number(one, kind) / m for (one, _), kind in zip(photons, kinds)]
        n_ph = np.sqrt(n_phs[0] * n_phs[1])
        means, mean = [one / n_bin for one in n_phs], n_ph / n_bin
        variances: list[Any] = [None, None]
        variance = None
        if photons[0][1] is not None:
            variances = [_number(one, kind) / m for (_, one), kind in zip(photons, kinds)]
            variance = np.sqrt(variances[0] * variances[1])
        unnorm /= m
        powers = [one / m for one in powers]
        rows: Any = np.array(unnorm_rows)
        if self.use_common_mean:
            cross = self._normalised(unnorm, n_bin, mean, n_ph, variance)
            rows_made = self._normalised(rows, n_bin, mean, n_ph, variance) if self.return_subcs else rows
            sides = zip(powers, means, n_phs, variances)
            made_powers = [self._normalised(one, n_bin, *level) for one, *level in sides] if self.return_auxil else []
        else:
            complex_powers = self.power_type == "all"
            cross, rows_made = self._kept(own / m, complex_powers), self._kept(np.array(own_rows), complex_powers)
            # These are sums in Stingray, too.
            complex_factor = complex_powers and self.norm in ("leahy", "frac")
            made_powers = [self._kept(one, kind and complex_factor) for one, kind in zip(own_powers, kinds)]
        frequencies = fftfreq(n_bin, self.dt) if self.fullspec else positive_frequencies(n_bin, self.dt)
        columns = {"freq": frequencies, "power": cross, "unnorm_power": unnorm}
        if self.return_auxil:
            columns.update(pds1=made_powers[0], pds2=made_powers[1], unnorm_pds1=powers[0], unnorm_pds2=powers[1])
        # Columns are contiguous, and have memory of their own.
        shared = ("power", "pds1", "pds2") if self.norm == "none" else ()
        columns.update({key: columns[key].copy() for key in shared if key in columns})
        made = Table({key: np.ascontiguousarray(column) for key, column in columns.items()}, copy=False)
        dt = self.dt
        made.meta.update(n=n_bin, m=m, dt=dt, norm=self.norm, df=1 / (dt * n_bin), segment_size=dt * n_bin)
        made.meta.update(nphots=n_ph, nphots1=n_phs[0], nphots2=n_phs[1], mean=mean, mean1=means[0], mean2=means[1])
        made.meta.update(power_type=self.power_type, fullspec=self.fullspec, variance=variance)
        if not self.quick:
            made.meta.update(countrate1=means[0] / dt, countrate2=means[1] / dt)
            made.meta.update(variance1=variances[0], variance2=variances[1])
        if self.return_subcs:
            made.meta.update(subcs=rows_made, unnorm_subcs=rows)
        return made
