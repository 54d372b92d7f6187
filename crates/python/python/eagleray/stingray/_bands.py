"""Energy spectra in one pass: their own methods run, and ask for bands; what they get was computed for all bands at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import stingray.fourier as fourier
from stingray.utils import HAS_NUMBA, fix_segment_size_to_integer_samples

from ._core import Array, Unanswered, cut_edges, floats, plain, positive_frequencies, seams, split_times


class Band:
    """The events of a band, as the methods of energy spectra hand them on.

    Parameters
    ----------
    made : Pass
        The pass that knows of it.
    place : int
        Its place among the bands of the first list, those of the second, and the reference.
    """

    __slots__ = ("made", "place")

    def __init__(self, made: Pass, place: int) -> None:
        self.made, self.place = made, place

    @property
    def size(self) -> int:
        """Number of events."""
        return int(self.made.sizes[self.place])

    def powers(self, norm: str) -> Results | None:
        """The averaged power spectrum."""
        made = self.made
        m, photons, _, power = made.powers[min(self.place, made.count)]
        return None if m == 0 else made.results(m, np.float64(photons) / m, power, norm)

    def cross(self, other: Band, norm: str) -> Results | None:
        """The averaged cross spectrum with another band: the reference, or the same of other events."""
        made = self.made
        m, photons, others, power = made.crosses[self.place]
        return None if m == 0 else made.results(m, np.sqrt((photons / m) * (np.float64(others) / m)), power, norm)

    def rate(self, segment_size: Any) -> Any:
        """Events a second between the edges of segments."""
        return int(self.made.within[self.place]) / (self.made.segments * segment_size)


class Results:
    """Columns and metadata of a spectrum; powers are those of the frequencies that are wanted, and zero elsewhere."""

    __slots__ = ("columns", "meta")

    def __init__(self, columns: dict[str, Array], meta: dict[str, Any]) -> None:
        self.columns, self.meta = columns, meta

    def __getitem__(self, name: str) -> Array:
        return self.columns[name]


class Pass:
    """All bands of an energy spectrum, binned and transformed once.

    Parameters
    ----------
    spectrum : stingray.varenergyspectrum.VarEnergySpectrum
        What asks.
    name : str
        The method for which the work is done.
    paired : bool
        Whether bands are compared with those of the second list, not with the reference.
    """

    def __init__(self, spectrum: Any, name: str, paired: bool) -> None:
        if not HAS_NUMBA:
            raise Unanswered("without numba, Stingray bins events otherwise")
        self.spectrum = spectrum
        self.dt = spectrum.bin_time
        size, self.n_bin = fix_segment_size_to_integer_samples(spectrum.segment_size, self.dt)
        if np.asanyarray(size).dtype.itemsize > 8 or self.n_bin < 2:
            raise Unanswered("segments of this length")
        #: Whether rates are counted in the same segments.
        self.rated = size == spectrum.segment_size
        energies = _edges(spectrum.energy_intervals)
        self.places = {interval: place for place, interval in enumerate(spectrum.energy_intervals)}
        self.count = len(spectrum.energy_intervals)
        self.freq = positive_frequencies(self.n_bin, self.dt)
        good = np.flatnonzero(spectrum._get_good_frequency_bins(self.freq))
        wanted = (int(good[0]), int(good[-1]) + 1) if good.size else (0, 0)
        if good.size != wanted[1] - wanted[0]:
            raise Unanswered("frequencies that are no interval")
        self.wanted = slice(*wanted)
        edges = cut_edges(spectrum.gti, size)
        self.segments = edges[0].size
        second = None if spectrum.same_events else _events(spectrum.events2)
        reference = None if paired else tuple(float(edge) for edge in spectrum.ref_band[0])
        found = seams.bands(
            [name], _events(spectrum.events1), edges, energies, float(size), self.n_bin, wanted, second, reference
        )
        if found is None:
            raise Unanswered("times do not ascend")
        self.sizes, self.within, self.powers, self.crosses = found

    def events(self, events: Any, interval: Any, use_pi: bool = False) -> Band:
        """In the place of the method that selects the events of a band."""
        if not isinstance(interval, tuple):
            return Band(self, 2 * self.count)
        place = self.places[interval]
        return Band(self, place if events is self.spectrum.events1 else self.count + place)

    def times(self, place: int) -> Any:
        """The times of a band, as Stingray selects them."""
        spectrum = self.spectrum
        second, band = divmod(place, self.count)
        events = spectrum.events2 if second else spectrum.events1
        interval = spectrum.ref_band[0] if place == 2 * self.count else spectrum.energy_intervals[band]
        return type(spectrum)._get_times_from_energy_range(spectrum, events, interval)

    def results(self, m: int, n_ph: Any, power: Array, norm: str) -> Results:
        """A spectrum of the sums of `m` segments."""
        mean = n_ph / self.n_bin
        normalised = fourier.normalize_periodograms(power / m, self.dt, self.n_bin, mean, n_ph=n_ph, norm=norm)
        all_powers = np.zeros(self.freq.size, dtype=power.dtype)
        all_powers[self.wanted] = normalised
        return Results({"freq": self.freq, "power": all_powers}, {"m": m, "mean": mean, "nphots": n_ph})


def _edges(intervals: Any) -> Array:
    """The edges of bands that adjoin."""
    edges = floats(np.array([interval[0] for interval in intervals] + [intervals[-1][1]]))
    if not np.all(np.diff(edges) > 0):
        raise Unanswered("edges of energies do not ascend")
    return edges


def _events(events: Any) -> tuple[Any, Any]:
    """Times and energies of a list of events."""
    return split_times(events.time), floats(plain(events.energy, "energies"))


def _asking(spectrum: Any, method: Callable[[Any], Any], selected: Callable[..., Any]) -> Any:
    """Runs a method of an energy spectrum for which another function selects events."""
    spectrum._get_times_from_energy_range = selected
    try:
        return method(spectrum)
    finally:
        del spectrum._get_times_from_energy_range


def one_pass(name: str, paired: bool, original: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """The method that makes an energy spectrum, with all bands in one pass."""

    def method(self: Any) -> Any:
        made = Pass(self, name, paired)
        return _asking(self, original, made.events)

    return method


class Counted:
    """A band of which no more is asked than how many events there are."""

    __slots__ = ("size",)

    def __init__(self, size: int) -> None:
        self.size = size


def count_spectrum(original: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """The method of the spectrum of counts, with all bands in one pass."""

    def method(self: Any) -> Any:
        energies = self.events1.pi if self.use_pi else self.events1.energy
        edges = _edges(self.energy_intervals)
        sizes = seams.band_sizes(["CountSpectrum._spectrum_function"], floats(plain(energies, "energies")), edges)
        bands = iter(sizes)
        return _asking(self, original, lambda *_, **__: Counted(next(bands)))

    return method


def average_rate(original: Callable[..., Any]) -> Callable[..., Any]:
    """The function for rates between edges of segments, which knows of bands."""

    def rate(times: Any, gti: Any, segment_size: Any, counts: Any = None) -> Any:
        if type(times) is not Band:
            return original(times, gti, segment_size, counts=counts)
        if times.made.rated:
            return times.rate(segment_size)
        return original(times.made.times(times.place), gti, segment_size)

    return rate
