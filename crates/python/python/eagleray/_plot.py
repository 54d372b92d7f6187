"""Pictures of products, by matplotlib."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ._products import (
    AveragedCrossSpectrum,
    AveragedPowerSpectrum,
    Bispectrum,
    CrossPowers,
    CumulantBispectrum,
    EnergySpectrum,
    FadSpectrum,
    Histogram,
    LightCurve,
    Product,
    PulseProfile,
    SearchResult,
    _Dynamical,
)


def draw(product: Product, ax: Any, **style: Any) -> Any:
    """Draws a product on some axes, or on new ones; the axes are returned."""
    drawer = next((how for kind, how in _DRAWERS if isinstance(product, kind)), None)
    if drawer is None:
        raise TypeError(f"a {product.kind} has no picture")
    if ax is None:
        from matplotlib import pyplot

        ax = pyplot.subplots(layout="constrained")[1]
    drawer(product, ax, style)
    name = product.meta.get("object")
    if name and not ax.get_title():
        ax.set_title(name)
    return ax


def _label(product: Product, name: str, words: str) -> str:
    unit = product.units.get(name, "")
    return f"{words} ({unit})" if unit else words


def _steps(ax: Any, freq: Any, values: Any, errors: Any, style: dict[str, Any]) -> None:
    style = {"drawstyle": "steps-mid", "linewidth": 1, **style}
    (line,) = ax.plot(freq, values, **style)
    if errors is not None:
        ax.errorbar(freq, values, errors, fmt="none", ecolor=line.get_color(), alpha=0.5, linewidth=1)


def _logarithmic(ax: Any, freq: Any, values: Any) -> None:
    """Logarithmic axes, where there are values for them."""
    if len(freq) > 1 and freq[0] > 0:
        ax.set_xscale("log")
    good = values[np.isfinite(values)]
    if len(good) and good.min() > 0:
        ax.set_yscale("log")


def _power(product: AveragedPowerSpectrum, ax: Any, style: dict[str, Any]) -> None:
    freq, power = product["freq"], product["power"]
    _steps(ax, freq, power, product["power_err"], style)
    if "noise" in product.colnames and not product.meta.get("subtracted", False):
        ax.plot(freq, product["noise"], linestyle="--", linewidth=1, color="gray", label="noise level")
    _logarithmic(ax, freq, power)
    ax.set(xlabel="Frequency (Hz)", ylabel=_label(product, "power", "Power"))


def _lags(product: AveragedCrossSpectrum, ax: Any, style: dict[str, Any]) -> None:
    freq = product["freq"]
    ax.axhline(0, color="gray", linewidth=0.8)
    ax.errorbar(freq, product["lag_time"], product["lag_time_err"], **{"fmt": ".", "elinewidth": 1, **style})
    if len(freq) > 1 and freq[0] > 0:
        ax.set_xscale("log")
    ax.set(xlabel="Frequency (Hz)", ylabel="Time lag (s), positive: subject late")
    # Where nothing is coherent errors are without bound, and would flatten the rest.
    known = np.isfinite(product["lag_time_err"])
    if known.any():
        reach = np.abs(product["lag_time"][known]) + product["lag_time_err"][known]
        most = 1.5 * np.percentile(reach, 90)
        ax.set_ylim(-most, most)


def _cross_powers(product: CrossPowers, ax: Any, style: dict[str, Any]) -> None:
    freq, power = product["freq"], np.abs(product["power"])
    _steps(ax, freq, power, None, style)
    _logarithmic(ax, freq, power)
    ax.set(xlabel="Frequency (Hz)", ylabel=_label(product, "power", "Modulus of the cross power"))


def _fad(product: FadSpectrum, ax: Any, style: dict[str, Any]) -> None:
    for name, words in [("power1", "subject"), ("power2", "reference"), ("power_total", "both")]:
        if name in product.colnames:
            _steps(ax, product["freq"], product[name], None, {"label": words, **style})
    ax.legend()
    if product["freq"][0] > 0:
        ax.set_xscale("log")
    ax.set(xlabel="Frequency (Hz)", ylabel=_label(product, "power1", "Power"))


def _energy(product: EnergySpectrum, ax: Any, style: dict[str, Any]) -> None:
    channels = "channel_lo" in product.colnames
    lo, hi = (product[f"{'channel' if channels else 'energy'}_{end}"] for end in ("lo", "hi"))
    middle = 0.5 * (lo + hi)
    style = {"fmt": "o", "markersize": 4, **style}
    ax.errorbar(middle, product["value"], product["value_err"], [middle - lo, hi - middle], **style)
    unit = product.units.get("value", "")
    name = str(product.meta.get("kind", "value"))
    ax.set(xlabel="Channel" if channels else "Energy (keV)", ylabel=f"{name} ({unit})" if unit else name)


def _dynamical(product: _Dynamical, ax: Any, style: dict[str, Any]) -> None:
    from matplotlib.colors import LogNorm

    time, freq, values = product["time"], product["freq"], np.abs(product["power"])
    good = values[np.isfinite(values) & (values > 0)]
    scale = LogNorm(*np.percentile(good, [5, 99.5])) if len(good) else None
    start = time[0]
    image = ax.pcolormesh(np.arange(len(time)), freq, values.T, **{"norm": scale, "shading": "nearest", **style})
    # Rows stand side by side: gaps take no room, and the ticks tell the times.
    ticks = np.unique(np.linspace(0, len(time) - 1, min(6, len(time))).astype(int))
    ax.set_xticks(ticks, [f"{time[i] - start:.0f}" for i in ticks])
    ax.set(xlabel=f"Time − {start:.0f} (s), without gaps", ylabel="Frequency (Hz)")
    ax.figure.colorbar(image, ax=ax, label=_label(product, "power", "Power"))


def _light_curve(product: LightCurve, ax: Any, style: dict[str, Any]) -> None:
    time, rate, dt = product["time"], product["rate"], product.meta["dt"]
    start = time[0]
    for part in np.split(np.arange(len(time)), np.flatnonzero(np.diff(time) > 1.5 * dt) + 1):
        style.setdefault("color", "C0")
        _steps(ax, time[part] - start, rate[part], product["rate_err"][part], dict(style))
    ax.set(xlabel=f"Time − {start:.3f} (s)", ylabel="Rate (counts/s)")


def _histogram(product: Histogram, ax: Any, style: dict[str, Any]) -> None:
    start = product["time_lo"][0]
    ax.plot(
        0.5 * (product["time_lo"] + product["time_hi"]) - start,
        product["counts"],
        **{"marker": ".", "linestyle": "", **style},
    )
    ax.set(xlabel=f"Time − {start:.3f} (s)", ylabel="Counts")


def _search(product: SearchResult, ax: Any, style: dict[str, Any]) -> None:
    ax.plot(product["freq"], product["stat"], **{"linewidth": 0.8, **style})
    level = product.meta.get("detection_level")
    if level:
        ax.axhline(level, linestyle="--", color="gray", linewidth=1, label="detection level")
        ax.legend()
    ax.set(xlabel="Frequency (Hz)", ylabel=str(product.meta.get("method", "statistic")))


def _profile(product: PulseProfile, ax: Any, style: dict[str, Any]) -> None:
    phase = np.concatenate([product["phase"], product["phase"] + 1])
    rate, error = (np.tile(product[name], 2) for name in ("rate", "rate_err"))
    _steps(ax, phase, rate, error, style)
    ax.set(xlabel="Phase (cycles)", ylabel="Rate (counts/s)")


def _bispectrum(product: Product, ax: Any, style: dict[str, Any]) -> None:
    name = next(name for name in ("bicoherence", "magnitude", "power") if name in product.colnames)
    values = np.abs(product[name])
    image = ax.scatter(product["freq1"], product["freq2"], c=values, **{"s": 4, "marker": "s", **style})
    ax.set(xlabel="Frequency 1 (Hz)", ylabel="Frequency 2 (Hz)")
    ax.figure.colorbar(image, ax=ax, label=_label(product, name, name))


_DRAWERS: list[tuple[type[Product], Callable[[Any, Any, dict[str, Any]], None]]] = [
    (AveragedPowerSpectrum, _power),
    (AveragedCrossSpectrum, _lags),
    (CrossPowers, _cross_powers),
    (FadSpectrum, _fad),
    (EnergySpectrum, _energy),
    (_Dynamical, _dynamical),
    (LightCurve, _light_curve),
    (Histogram, _histogram),
    (SearchResult, _search),
    (PulseProfile, _profile),
    (Bispectrum, _bispectrum),
    (CumulantBispectrum, _bispectrum),
]
