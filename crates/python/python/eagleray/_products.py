"""What comes of analyses: classes made from the columns that the library declares."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterable, Iterator
from copy import deepcopy
from html import escape
from pathlib import Path as _Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from . import _eagleray
from ._arguments import count, flag, interval, number, word
from ._arguments import path as a_path
from ._errors import OptionTypeError, article, refused
from ._frozen import frozen

_whole = count()

#: Classes by the name that the library has for them.
CLASSES: dict[str, type[Product]] = {}


class Product:
    """A result, and what made it.

    Columns are attributes: numpy arrays that share the memory of the product and cannot be written to. So are the entries of `meta`.
    """

    #: The declarations of the columns: name, kind, unit, meaning, formula, source, and when a product has it.
    columns_declared: ClassVar[dict[str, dict[str, str]]] = {}
    #: What products of the class are called.
    kind: ClassVar[str] = "product"

    def __init__(self, core: _eagleray.Product) -> None:
        self._core = core
        self._cached: dict[str, Any] = {}

    @property
    def meta(self) -> dict[str, Any]:
        """What made the product: resolution, inputs, options, device, good time, photons' balance, warnings.

        It cannot be written to; ``copy.deepcopy(product.meta)`` is a dictionary that can. Of spectra, ``nphots`` are the photons of a
        segment, and ``mean`` is that of the counts of a bin: ``mean / dt`` is the rate, counts/s. Of pulse profiles and light curves
        it is the rate itself.
        """
        if "meta" not in self._cached:
            self._cached["meta"] = frozen(json.loads(self._core.metadata()))
        meta: dict[str, Any] = self._cached["meta"]
        return meta

    @property
    def units(self) -> dict[str, str]:
        """The unit of each column, in the notation of FITS; empty for pure numbers."""
        if "units" not in self._cached:
            self._cached["units"] = dict(self._core.columns())
        units: dict[str, str] = self._cached["units"]
        return units

    @property
    def colnames(self) -> list[str]:
        """The names of the columns."""
        return list(self.units)

    def __getitem__(self, name: str) -> npt.NDArray[Any]:
        """A column."""
        if name not in self._cached:
            self._known(name)
            self._cached[name] = self._core.column(name)
        column: npt.NDArray[Any] = self._cached[name]
        return column

    def _known(self, name: str) -> None:
        """Refuses the name of a column that there is not."""
        if not isinstance(name, str) or name not in self.colnames:
            raise KeyError(f"{article(self.kind)} has no column {name!r}; its columns are {', '.join(self.colnames)}")

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        if name in self.meta:
            return self.meta[name]
        raise AttributeError(f"{article(self.kind)} has no {name!r}; its columns are {', '.join(self.colnames)}")

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self.colnames, *(key for key in self.meta if key.isidentifier())})

    def __len__(self) -> int:
        return len(self[self.colnames[0]])

    def __iter__(self) -> Iterator[Any]:
        raise TypeError(f"{article(self.kind)} is no sequence; its columns are attributes")

    def _essentials(self) -> list[tuple[str, str]]:
        """What one would ask first, as names and values."""
        meta, found = self.meta, []
        for name, unit in [
            ("segments", ""),
            ("segment_size", " s"),
            ("dt", " s"),
            ("nphots", ""),
            ("exposure", " s"),
            ("norm", ""),
            ("object", ""),
            ("backend", ""),
        ]:
            value = meta.get(name)
            if value not in (None, "", []):
                found.append((name, f"{value:.6g}{unit}" if isinstance(value, float) else f"{value}{unit}"))
            if name == "nphots" and isinstance(meta.get("mean"), float):
                found.append(("rate", f"{self._rate(meta):.6g} counts/s"))
        if meta.get("warnings"):
            found.append(("warnings", ", ".join(warning["code"] for warning in meta["warnings"])))
        return found

    @staticmethod
    def _rate(meta: dict[str, Any]) -> float:
        """The mean rate, counts/s: what is kept of spectra is the mean of a bin."""
        return float(meta["mean"] / meta.get("dt", 1.0))

    def __repr__(self) -> str:
        facts = ", ".join(f"{name} {value}" for name, value in self._essentials())
        return f"<{type(self).__name__}: {len(self)} rows of {', '.join(self.colnames)}; {facts}>"

    def _repr_html_(self) -> str:
        facts = "".join(
            f"<tr><th style='text-align:left'>{escape(name)}</th><td style='text-align:left'>{escape(value)}</td></tr>"
            for name, value in self._essentials()
        )
        columns = ", ".join(f"{name} ({unit})" if unit else name for name, unit in self.units.items())
        return f"<b>{type(self).__name__}</b>: {len(self)} rows<br>{escape(columns)}<table>{facts}</table>"

    # Elsewhere.

    def to_table(self) -> Any:
        """An astropy ``Table`` with units, and the metadata in its ``meta``."""
        from astropy.table import Table

        table = Table(meta=deepcopy(self.meta))
        for name, unit in self.units.items():
            table[name] = np.array(self[name])
            if unit:
                table[name].unit = unit
            table[name].description = self.columns_declared.get(name, {}).get("meaning", "")
        return table

    def to_pandas(self) -> Any:
        """A pandas ``DataFrame`` of the columns; the metadata are in its ``attrs``."""
        import pandas

        frame = pandas.DataFrame({name: self[name] for name in self.colnames})
        frame.attrs.update(deepcopy(self.meta))
        return frame

    def to_arrow(self) -> Any:
        """A pyarrow ``Table`` that shares the memory of the real columns; of complex ones it has ``NAME_re`` and ``NAME_im``."""
        import pyarrow

        arrays: dict[str, Any] = {}
        for name in self.colnames:
            values = self[name]
            if np.iscomplexobj(values):
                arrays[f"{name}_re"] = pyarrow.array(np.ascontiguousarray(values.real))
                arrays[f"{name}_im"] = pyarrow.array(np.ascontiguousarray(values.imag))
            else:
                arrays[name] = pyarrow.array(values)
        return pyarrow.table(arrays).replace_schema_metadata({"eagleray": json.dumps(self.meta)})

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        stream: object = self.to_arrow().__arrow_c_stream__(requested_schema)
        return stream

    def to_stingray(self) -> Any:
        """The object of Stingray that holds the same."""
        from .stingray import to_stingray

        return to_stingray(self)

    def plot(self, ax: Any = None, **style: Any) -> Any:
        """Draws the product with matplotlib; the axes are returned."""
        from ._plot import draw

        return draw(self, ax, **style)

    def write(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
        """Writes the product; the name ends in ``.ecsv``, ``.csv``, ``.fits`` or ``.json``, which is the format.

        Raises
        ------
        FileError
            The file exists, or cannot be written.
        """
        self._core.write(a_path("path", path), flag("overwrite", overwrite))

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> Any:
        """A product that was written, of this class."""
        made = read(path)
        if not isinstance(made, cls):
            raise OptionTypeError(f"{os.fspath(path)} holds {article(made.kind)}, not {article(cls.kind)}")
        return made

    def __reduce__(self) -> tuple[Any, ...]:
        return _unpickled, (self._core.to_bytes(),)


def wrap(core: _eagleray.Product) -> Any:
    """A product of the library in its class."""
    return CLASSES[core.class_name](core)


def read(path: str | os.PathLike[str]) -> Any:
    """A product that a function, or the program, wrote: in its class.

    Raises
    ------
    FileError
        The file cannot be read, or is no product: an event file, say, which is what functions take.
    """
    return wrap(_eagleray.read(a_path("path", path)))


def join(parts: Iterable[Product], *, mixed: bool = False) -> Any:
    """Power spectra, cross spectra or light curves of several observations as one: what one analysis of all of them would have made.

    Parameters
    ----------
    parts : iterable of Product
        Products of one kind, with the same bins and normalisation, and no time in common.
    mixed : bool
        Of several missions, instruments, time systems or bands, too.
    """
    if isinstance(parts, Product) or not isinstance(parts, Iterable):
        raise refused("parts", parts, "several products are needed, in a list", of_type=True)
    held = list(parts)
    for part in held:
        if not isinstance(part, Product):
            raise refused(
                "parts", part, "products are joined: power spectra, cross spectra or light curves", of_type=True
            )
    if not held:
        raise refused("parts", held, "one product at least is needed")
    return wrap(_eagleray.join([part._core for part in held], flag("mixed", mixed)))


def from_stingray(obj: Any) -> Any:
    """The product that holds the same as an object of Stingray: an averaged power or cross spectrum, a light curve, …"""
    from .stingray import from_stingray as convert

    return convert(obj)


def _unpickled(encoded: bytes) -> Any:
    with tempfile.TemporaryDirectory() as folder:
        path = _Path(folder) / "product.json"
        path.write_bytes(encoded)
        return read(path)


class _Rebinned(Product):
    def rebin(self, k: int | None = None, *, log: float | None = None) -> Any:
        """Every `k` bins as one, or bins that are each ``1 + log`` times as wide as the one before; from original bins where they were kept."""
        if (k is None) == (log is None):
            raise OptionTypeError("k, log: give one of them, the number of bins or the growth of their widths")
        given = None if k is None else count(1)("k", k), None if log is None else number()("log", log)
        return wrap(self._core.rebin(*given))


class _Normalised(_Rebinned):
    def to_norm(self, norm: str) -> Any:
        """The spectrum in another normalisation: ``leahy``, ``frac``, ``abs`` or ``none``."""
        return wrap(self._core.to_norm(word("norm", norm)))


def _band(lo: float, hi: float) -> tuple[float, float]:
    band: tuple[float, float] = interval("Hz")("lo, hi", (lo, hi))
    return band


def _probability(given: float) -> float:
    made: float = number()("probability", given)
    if not 0 < made < 1:
        raise refused("probability", given, "a probability above 0 and below 1 is needed")
    return made


def _loaded(text: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(text)
    return found


class AveragedPowerSpectrum(_Normalised):
    """The power spectrum averaged over segments."""

    def rms(self, lo: float, hi: float) -> dict[str, Any]:
        """The fractional rms from `lo` to `hi` Hz, noise subtracted, with its error; an upper limit (95 %) where it is not significant.

        Returns
        -------
        dict
            ``rms`` and ``rms_err``, of the mean rate; ``rms_abs``, counts/s; ``rms_variance`` and ``rms_variance_err``, the square of
            the rms, which noise can make negative; ``rms_upper_limit``, None where it is significant; ``rms_band``, Hz, that of the
            bins that were summed.
        """
        return _loaded(self._core.rms(*_band(lo, hi)))

    def pulsation(self, lo: float, hi: float, probability: float = 0.01) -> dict[str, Any]:
        """Upper limit (95 %) of the pulsed fraction of a sinusoid from `lo` to `hi` Hz, and the fraction itself where one is detected with
        that probability of a false alarm.

        Returns
        -------
        dict
            ``pulsed_upper_limit``; ``pulsed_fraction`` with ``pulsed_fraction_lo`` and ``pulsed_fraction_hi``, None where nothing is
            detected; ``pulsed_freq`` (Hz) and ``pulsed_leahy_power`` of the largest power; ``pulsed_log10_p``, in all
            ``pulsed_trials``; ``pulsed_band`` (Hz); ``pulsed_binning_loss``, of the power, and ``pulsed_corrections`` in words.
        """
        return _loaded(self._core.pulsation(*_band(lo, hi), _probability(probability)))

    def significant(self, count: int = 5) -> list[dict[str, Any]]:
        """The most significant powers, with the probability that white noise reaches each at any frequency.

        Returns
        -------
        list of dict
            ``freq`` (Hz), ``power``, ``leahy_power`` (noise 2), ``m`` segments and ``k`` frequencies averaged, ``log10_p`` in all
            ``trials``.
        """
        found: list[dict[str, Any]] = json.loads(self._core.significant(_whole("count", count)))
        return found

    def detection_level(self, probability: float = 0.01) -> npt.NDArray[np.float64]:
        """The power that white noise reaches in each bin with that probability, trials included."""
        return self._core.detection_level(_probability(probability))


class AveragedCrossSpectrum(_Normalised):
    """The cross spectrum averaged over segments; lags are positive where the subject is late.

    With ``compat="stingray"``, ``power_err`` is the modulus of Stingray's complex error, and not by the formula of the column.
    """

    def lag(self, lo: float, hi: float) -> dict[str, Any]:
        """Lag and coherence of the mean cross spectrum from `lo` to `hi` Hz.

        Returns
        -------
        dict
            ``lag_time`` (s) and ``lag_phase`` (rad), positive where the subject is late; ``coherence_raw``, and
            ``coherence_intrinsic``, noise subtracted, None where a side does not vary above its noise; each with its ``…_err``;
            ``freq``, the mean frequency (Hz), and ``m``, the values averaged.
        """
        return _loaded(self._core.lag(*_band(lo, hi)))


class LightCurve(_Rebinned):
    """Counts and rates in equal bins of time."""

    @staticmethod
    def _rate(meta: dict[str, Any]) -> float:
        return float(meta["mean"])


class SearchResult(Product):
    """The statistic of every trial of a search, and its candidates."""

    @property
    def candidates(self) -> list[dict[str, Any]]:
        """The candidates, the most significant one first: dictionaries.

        ``freq`` (Hz, at the epoch of `meta`) and ``freq_err``, ``period`` (s), ``fdot``, ``fddot``; ``stat``, the statistic with
        ``nharm`` harmonics at its maximum, and ``grid_stat`` at the trial; ``log10_p`` in all trials, and ``sigma``, which is exceeded
        as rarely; ``rms``, of the signal in ``signal_harmonics``. ``group`` is that of candidates that are one signal, ``relation``
        says how one belongs to it (``source``, or harmonic, window, …), ``harmonic`` by which ratio, and ``alias`` by which line of
        the window.
        """
        if "summary" not in self._cached:
            self._cached["summary"] = json.loads(self._core.summary())
        candidates: list[dict[str, Any]] = self._cached["summary"]["candidates"]
        return candidates


class _Dynamical(Product):
    """Spectra against time: `time` and `freq` are axes, the other columns matrices of shape (times, frequencies)."""

    @property
    def shape(self) -> tuple[int, int]:
        """Number of times and of frequencies."""
        return len(self["time"]), len(self["freq"])

    def __getitem__(self, name: str) -> npt.NDArray[Any]:
        if name not in self._cached:
            self._known(name)
            if name in ("time", "freq"):
                self._cached["time"], self._cached["freq"] = self._core.axes()
            else:
                self._cached[name] = self._core.column(name).reshape(self.shape)
        column: npt.NDArray[Any] = self._cached[name]
        return column

    def _long(self) -> dict[str, npt.NDArray[Any]]:
        time, freq = np.repeat(self["time"], self.shape[1]), np.tile(self["freq"], self.shape[0])
        others = {name: self[name].ravel() for name in self.colnames if name not in ("time", "freq")}
        return {"time": time, "freq": freq, **others}

    def to_table(self) -> Any:
        from astropy.table import Table

        table = Table(self._long(), meta=deepcopy(self.meta))
        for name, unit in self.units.items():
            if unit:
                table[name].unit = unit
        return table

    def to_pandas(self) -> Any:
        import pandas

        frame = pandas.DataFrame(self._long())
        frame.attrs.update(deepcopy(self.meta))
        return frame


class DynamicalPowerSpectrum(_Dynamical):
    """Power spectra against time."""


class DynamicalCrossSpectrum(_Dynamical):
    """Cross spectra against time."""


class CrossPowers(Product):
    """Cross spectra without averages: of Lomb-Scargle, or shifted and added."""


class FadSpectrum(Product):
    """Spectra of two detectors corrected for dead time."""


class EnergySpectrum(Product):
    """Lags, covariance, rms, excess variance or counts against energy."""


class Bispectrum(Product):
    """The bispectrum at pairs of frequencies."""


class CumulantBispectrum(Product):
    """The bispectrum of third-order cumulants."""


class Histogram(Product):
    """Counts in bins of time, and of energy."""


class PulseProfile(Product):
    """Counts and rates by pulse phase."""


def _column(name: str, declared: dict[str, str]) -> property:
    """The attribute of a column."""

    def get(self: Product) -> Any:
        try:
            return self[name]
        except KeyError:
            # Where all values are the same, the column is an entry of the metadata.
            return self.__getattr__(name)

    unit = f" ({declared['unit']})" if declared["unit"] else ""
    text = [f"{declared['meaning']}{unit}, {declared['kind']}."]
    text += [
        f"{what}: {declared[key]}."
        for what, key in [("Formula", "formula"), ("Source", "source"), ("Where", "when")]
        if declared[key]
    ]
    return property(get, doc=" ".join(text))


def _declare() -> None:
    """Gives each class the columns of its kind."""
    for kind in json.loads(_eagleray.kinds()):
        made: type[Product] = globals()[kind["class"]]
        CLASSES[kind["class"]] = made
        made.kind = kind["kind"]
        made.columns_declared = {column["name"]: column for column in kind["columns"]}
        listed = "\n".join(f"{name} : {c['kind']}\n    {c['meaning']}" for name, c in made.columns_declared.items())
        made.__doc__ = f"{(made.__doc__ or '').strip()}\n\nAttributes\n----------\n{listed}\n"
        for name, declared in made.columns_declared.items():
            setattr(made, name, _column(name, declared))


_declare()
