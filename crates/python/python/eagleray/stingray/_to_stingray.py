"""Products of eagleray as objects of Stingray."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from .._errors import article

_Array = npt.NDArray[Any]
#: Kinds of energy spectra, and the classes of Stingray that hold them.
ENERGY_CLASSES = {
    "lag": "LagSpectrum",
    "covariance": "CovarianceSpectrum",
    "rms": "RmsSpectrum",
    "excvar": "ExcessVarianceSpectrum",
    "count": "CountSpectrum",
}


def to_stingray(product: Any) -> Any:
    """The object of Stingray that holds the same as a product.

    Parameters
    ----------
    product : eagleray.Product
        A power or cross spectrum, a light curve, a dynamical spectrum, or an energy spectrum.

    Returns
    -------
    Powerspectrum, AveragedPowerspectrum, Crossspectrum, AveragedCrossspectrum, Lightcurve, DynamicalPowerspectrum,
    DynamicalCrossspectrum, or a spectrum of `stingray.varenergyspectrum`
        Arrays are copies, which may be changed.

    Notes
    -----
    Stingray has no place for noise levels, intervals and probabilities of powers, and the errors of the parts of a cross spectrum; it
    computes lags and coherences anew. ``power_err`` of a cross spectrum is real, where Stingray has a complex one: with
    ``compat="stingray"`` it is that one's modulus. Of energy spectra the phase lag, the frequency, variances, upper limits and
    photons are lost.

    Raises
    ------
    TypeError
        Stingray has nothing for this kind of product.
    """
    made = _TO.get(type(product).__name__)
    if made is None:
        kind = getattr(product, "kind", None)
        if kind is None:
            raise TypeError(f"a product of eagleray is needed, not {article(type(product).__name__)}")
        raise TypeError(f"Stingray has no object for {article(kind)}")
    return made(product)


def _same(values: _Array) -> Any:
    """One number where all are the same, as Stingray has it before bins are combined."""
    values = np.array(values)
    return values[0].item() if values.size and np.all(values == values[0]) else values


def _set(made: Any, product: Any) -> None:
    """What all spectra have."""
    meta = product.meta
    for name in ("n", "dt", "segment_size", "norm", "err_dist"):
        setattr(made, name, meta.get(name))
    made.freq = np.array(product["freq"])
    made.fullspec, made.channels_overlap = False, False
    made.gti = np.array(meta["gti"]) if meta.get("gti") else None
    mjdref = meta.get("mjdref")
    made.mjdref = 0 if mjdref is None else mjdref["day"] + mjdref["fraction"]


def _spectrum(made: Any, product: Any) -> None:
    """What averaged spectra have."""
    _set(made, product)
    made.power, made.unnorm_power = np.array(product["power"]), np.array(product["unnorm_power"])
    made.power_err = np.array(product["power_err"])
    m = np.asarray(_column(product, "m"))
    k = np.asarray(_column(product, "k"))
    made.unnorm_power_err = made.unnorm_power / np.sqrt(m)
    made.m, made.k = _same(m), _same(k)
    made.df = _same(product["width"]) if np.any(k != k[0]) or k[0] != 1 else product.meta["df"]


def _column(product: Any, name: str) -> _Array:
    """A column, which may be an entry of the metadata where all values are the same."""
    if name in product.colnames:
        return np.array(product[name])
    return np.full(len(product["freq"]), product.meta[name])


def _power(product: Any) -> Any:
    import stingray

    meta = product.meta
    made = stingray.AveragedPowerspectrum() if meta["segments"] > 1 else stingray.Powerspectrum()
    _spectrum(made, product)
    made.nphots = made.nphots1 = made.nphots2 = meta["nphots"]
    made.mean, made.variance = meta["mean"], meta.get("variance")
    made.power_type = "all"
    return made


def _cross(product: Any) -> Any:
    import stingray

    meta = product.meta
    kind = stingray.AveragedCrossspectrum if meta["segments"] > 1 else stingray.Crossspectrum
    made, sides = kind(), [kind(), kind()]
    _spectrum(made, product)
    made.power_type = meta.get("power_type", "all")
    made.fullspec = bool(np.any(made.freq < 0))
    for i, side in enumerate(sides, 1):
        _set(side, product)
        side.type, side.fullspec = "powerspectrum", made.fullspec
        side.power = np.array(product[f"power{i}"])
        side.unnorm_power = side.power * _raw(meta, i)
        side.power_err, side.unnorm_power_err = (
            one / np.sqrt(_column(product, "m")) for one in (side.power, side.unnorm_power)
        )
        side.m, side.k, side.df, side.power_type = made.m, made.k, made.df, made.power_type
        for name in ("nphots", "mean", "countrate", "variance"):
            setattr(side, name, meta.get(f"{name}{i}"))
            setattr(made, f"{name}{i}", meta.get(f"{name}{i}"))
        made.__dict__[f"pds{i}"] = side
    made.nphots, made.mean = np.sqrt(meta["nphots1"] * meta["nphots2"]), np.sqrt(meta["mean1"] * meta["mean2"])
    made.nph = made.nphots
    variances = meta.get("variance1"), meta.get("variance2")
    made.variance = None if None in variances else np.sqrt(variances[0] * variances[1])
    return made


def _raw(meta: dict[str, Any], side: int) -> float:
    """What turns a power of one side into a raw one."""
    n, dt, mean, variance = meta["n"], meta["dt"], meta[f"mean{side}"], meta.get(f"variance{side}")
    if meta["norm"] == "leahy":
        return float(n * (mean if variance is None else variance) / 2)
    net = mean - meta.get(f"background{side}", 0.0) * dt
    return float({"frac": n * net**2 / (2 * dt), "abs": n * dt / 2, "none": 1.0}[meta["norm"]])


def _light_curve(product: Any) -> Any:
    import stingray

    meta = product.meta
    dt = meta["dt"]
    mjdref = meta.get("mjdref")
    counts = np.array(product["counts"])
    errors = np.array(product["rate_err"]) * dt * np.array(product["fracexp"])
    poisson = bool(np.all(counts == np.rint(counts))) and not meta.get("series", False)
    given = {} if poisson else {"err": errors}
    return stingray.Lightcurve(
        np.array(product["time"]),
        counts,
        dt=dt,
        gti=np.array(meta["gti"]) if meta.get("gti") else None,
        mjdref=0 if mjdref is None else mjdref["day"] + mjdref["fraction"],
        err_dist="poisson" if poisson else "gauss",
        skip_checks=True,
        **given,
    )


def _dynamical(product: Any) -> Any:
    import stingray

    meta = product.meta
    crossed = type(product).__name__ == "DynamicalCrossSpectrum"
    made = stingray.DynamicalCrossspectrum() if crossed else stingray.DynamicalPowerspectrum()
    _set(made, product)
    made.dyn_ps, made.time = np.array(product["power"]).T, np.array(product["time"])
    made.df = float(np.diff(made.freq).mean()) if len(made.freq) > 1 else meta["df"]
    made.sample_time, made.dt, made.m = meta["dt"], meta["segment_size"], 1
    if len(made.time) > 1 and np.min(np.diff(made.time)) > 1.5 * made.dt:
        made.dt = float(np.min(np.diff(made.time)))
        made.m = round(made.dt / meta["segment_size"])
    for name in ("nphots", "nphots1", "nphots2"):
        if name in meta:
            setattr(made, name, meta[name])
    if not crossed:
        made.meanrate = meta["mean"] / meta["dt"]
    return made


def _energy(product: Any) -> Any:
    import stingray.varenergyspectrum as energy

    kind = getattr(energy, ENERGY_CLASSES[product.meta["kind"]])
    made = kind.__new__(kind)
    energy.VarEnergySpectrum.__init__(made)
    low, high = ("energy_lo", "energy_hi") if "energy_lo" in product.colnames else ("channel_lo", "channel_hi")
    made.energy_intervals = list(zip(product[low].tolist(), product[high].tolist()))
    made.use_pi = low == "channel_lo"
    made.spectrum, made.spectrum_error = np.array(product["value"]), np.array(product["value_err"])
    made.bin_time, made.segment_size = product.meta.get("dt"), product.meta.get("segment_size")
    made.norm = product.meta.get("norm")
    made.gti = np.array(product.meta["gti"]) if product.meta.get("gti") else None
    made.freq_interval = product.meta.get("freq_band")
    reference = product.meta.get("reference")
    if reference:
        made.ref_band = np.array([[reference["lo"], reference["hi"]]])
    return made


_TO: dict[str, Callable[[Any], Any]] = {
    "AveragedPowerSpectrum": _power,
    "AveragedCrossSpectrum": _cross,
    "LightCurve": _light_curve,
    "DynamicalPowerSpectrum": _dynamical,
    "DynamicalCrossSpectrum": _dynamical,
    "EnergySpectrum": _energy,
}
