"""Objects of Stingray as products of eagleray."""

from __future__ import annotations

import functools
import json
import warnings
from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt

from .. import _products
from .._errors import article
from .._source import as_light_curve
from ._to_stingray import ENERGY_CLASSES

_Array = npt.NDArray[Any]


def from_stingray(obj: Any) -> Any:
    """What eagleray has for an object of Stingray.

    Parameters
    ----------
    obj : EventList, Lightcurve, Powerspectrum, Crossspectrum, DynamicalPowerspectrum, DynamicalCrossspectrum, or a spectrum of
        `stingray.varenergyspectrum`
        Averaged or not. A spectrum must have its powers.

    Notes
    -----
    What Stingray does not keep is nan in columns, and 0 or empty in metadata: the balance of photons (``photons``), the mission, the options;
    of cross spectra the intrinsic coherence's error; of dynamical cross spectra the powers of the sides; of energy spectra the photons
    (``counts``, ``nphots``), ``m``, ``k`` and ``nfreq``, and the columns ``lag_phase``, ``freq``, ``variance``, ``upper_limit``,
    ``m_eff``, ``rate`` of counts, and the parts of a covariance that is not complex. Segments of energy spectra are those that fit into the
    intervals.

    Returns
    -------
    Observation, LightCurve, AveragedPowerSpectrum, AveragedCrossSpectrum, DynamicalPowerSpectrum, DynamicalCrossSpectrum or
    EnergySpectrum
        A product has the values of the object; those that Stingray does not keep are NaN.

    Raises
    ------
    TypeError
        Another object, or one without values.
    """
    import stingray
    import stingray.varenergyspectrum

    from .._source import Observation

    if isinstance(obj, stingray.EventList):
        return Observation(obj)
    if isinstance(obj, stingray.Lightcurve):
        return as_light_curve(obj, {})
    if isinstance(obj, (stingray.DynamicalPowerspectrum, stingray.DynamicalCrossspectrum)):
        return _of_dynamical(_whole(obj, "dyn_ps"), isinstance(obj, stingray.DynamicalPowerspectrum))
    if isinstance(obj, stingray.Powerspectrum):
        return _of_power(_whole(obj, "power"))
    if isinstance(obj, stingray.Crossspectrum):
        return _of_cross(_whole(obj, "power"))
    if isinstance(obj, stingray.varenergyspectrum.VarEnergySpectrum):
        return _of_energy(_whole(obj, "spectrum"))
    if type(obj).__module__.partition(".")[0] == "stingray":
        raise TypeError(f"eagleray has no product for {article(type(obj).__name__)} of Stingray")
    raise TypeError(f"an object of Stingray is needed, not {article(type(obj).__name__)}")


def _whole(obj: Any, name: str) -> Any:
    if getattr(obj, name, None) is None:
        raise TypeError(f"this {type(obj).__name__} has no {name}: it was made without data")
    return obj


@functools.cache
def _pattern(name: str) -> str:
    """A product of this class, whose values are replaced: as the extension writes it."""
    import eagleray as functions

    times = np.array([0.5, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5])
    given: dict[str, Any] = {"dt": 1.0, "segment_size": 4.0, "backend": "cpu"}
    gti = [(0.0, 8.0)]
    with warnings.catch_warnings():
        # Nobody sees these values.
        warnings.simplefilter("ignore")
        if name.startswith("EnergySpectrum of "):
            made: Any = _energies(times, gti, name.removeprefix("EnergySpectrum of "))
        elif name == "AveragedPowerSpectrum":
            made = functions.pds(times, gti=gti, **given)
        elif name == "AveragedCrossSpectrum":
            made = functions.cs(_observed(times), _observed(times), **given)
        elif name == "DynamicalPowerSpectrum":
            made = functions.dyn(times, gti=gti, **given)
        else:
            made = functions.dyn(_observed(times), _observed(times), **given)
    return bytes(made._core.to_bytes()).decode()


def _energies(times: _Array, gti: Any, kind: str) -> Any:
    import eagleray as functions

    photons = SimpleNamespace(time=times, energy=np.array([1.0, 3.0] * (len(times) // 2)), gti=gti)
    how = {} if kind == "count" else {"dt": 0.5, "segment_size": 4.0, "freq": (0.2, 1.0)}
    return functions.varenergy(photons, energies=[0.0, 2.0, 4.0], kind=kind, backend="cpu", **how)  # type: ignore[arg-type]


def _observed(times: _Array) -> Any:
    from .._source import Observation

    return Observation(times, gti=[(0.0, 8.0)])


def _of(name: str, columns: dict[str, Any], meta: dict[str, Any], pattern: str | None = None) -> Any:
    """A product with these columns and these entries of its metadata."""
    made = json.loads(_pattern(pattern or name))
    missing = set(made["columns"]) - set(columns) - {"energy_lo", "energy_hi"}
    if missing:
        raise TypeError(f"a {name} needs {', '.join(sorted(missing))}")
    made["columns"] = {key: _listed(value) for key, value in columns.items()}
    # Of the pattern nothing but the form is left.
    blank = {key: value if key in _FORM else _blank(value) for key, value in made["meta"].items()}
    blank.update(adapter="", **meta)
    blank.update(inputs=[], options={}, warnings=[])
    if "reference" in blank and "reference" not in meta:
        blank["reference"] = None
    made["meta"] = blank
    return _products._unpickled(json.dumps(made).encode())


#: Entries of the metadata that say how the product is to be read.
_FORM = ("product", "eagleray_version", "lag_sign", "err_dist", "power_type", "backend", "precision", "kind", "axes")


def _blank(value: Any) -> Any:
    """What stands for a value that is not known."""
    if isinstance(value, bool) or value is None:
        return value if value is None else False
    if isinstance(value, dict):
        return {key: _blank(one) for key, one in value.items()}
    return {int: 0, float: 0.0, str: "", list: []}[type(value)]


def _mjdref(obj: Any) -> dict[str, Any] | None:
    """The day from which times are counted, as metadata have it; none where it is not known."""
    mjdref = getattr(obj, "mjdref", None)
    if not mjdref:
        return None
    day = int(np.floor(mjdref))
    return {"day": day, "fraction": float(mjdref - day)}


def _listed(values: Any) -> list[Any]:
    """Numbers as JSON has them."""
    return [None if isinstance(one, float) and one != one else one for one in np.asarray(values).tolist()]


def _numbers(obj: Any, name: str, count: int) -> _Array:
    """A value of each bin, of an attribute that may be one for all."""
    return np.broadcast_to(np.asarray(getattr(obj, name, 1) if getattr(obj, name, None) is not None else 1), count)


def _segments(obj: Any) -> tuple[dict[str, Any], dict[str, _Array], int]:
    """Metadata and columns that power and cross spectra share, and the number of segments."""
    count = len(obj.freq)
    k, m = (np.rint(_numbers(obj, name, count)).astype(int) for name in ("k", "m"))
    if np.all(k == 1) and getattr(obj, "n", None):
        # Where equal numbers of bins were combined, Stingray keeps the number in `m` alone, or in the width.
        k = np.full(count, max(1, round(float(np.min(obj.df)) * obj.n * obj.dt))) if np.ndim(obj.df) == 0 else k
    segments = max(1, int(np.min(m // k)))
    dt, n = float(obj.dt), int(obj.n)
    meta = {
        "n": n,
        "dt": dt,
        "df": 1 / (n * dt),
        "segment_size": n * dt,
        "norm": obj.norm,
        "segments": segments,
        "skipped_segments": 0,
        "exposure": segments * n * dt,
        "use_common_mean": True,
        "err_dist": getattr(obj, "err_dist", None) or "poisson",
        "gti": _intervals(obj),
        "mjdref": _mjdref(obj),
        "m": int(np.min(m)),
        "k": int(np.min(k)),
    }
    columns = {"freq": obj.freq, "width": k / (n * dt), "k": k, "m": m}
    return meta, columns, segments


def _intervals(obj: Any) -> list[list[float]]:
    gti = getattr(obj, "gti", None)
    return [] if gti is None else np.asarray(gti, dtype=float).tolist()


def _level(norm: str, nphots: Any, size: float) -> float:
    """The power of Poisson noise."""
    from stingray.fourier import poisson_level

    return float(poisson_level(norm, meanrate=float(nphots) / size, n_ph=float(nphots)))


def _of_power(obj: Any) -> Any:
    meta, columns, segments = _segments(obj)
    nphots = float(obj.nphots1 if getattr(obj, "nphots", None) is None else obj.nphots)
    noise = _level(obj.norm, nphots, meta["segment_size"])
    power = np.asarray(obj.power).real
    errors = power / np.sqrt(columns["m"]) if obj.power_err is None else np.asarray(obj.power_err).real
    raw = np.full(len(power), np.nan) if obj.unnorm_power is None else np.asarray(obj.unnorm_power).real
    columns.update(power=power, power_err=errors, unnorm_power=raw, noise=np.full(len(power), noise))
    meta.update(nphots=nphots, mean=nphots / meta["n"], noise_mean=noise, noise_mean_err=0.0, noise_subtracted=False)
    meta.update({name: float(segments) for name in ("m_eff", "m_eff_order3", "m_eff_order4")})
    if getattr(obj, "variance", None) is not None:
        meta["variance"] = float(obj.variance)
    return _of("AveragedPowerSpectrum", columns, meta)


def _of_cross(obj: Any) -> Any:
    if getattr(obj, "pds1", None) is None or getattr(obj, "pds2", None) is None:
        raise TypeError("this cross spectrum has no powers of its sides (pds1, pds2)")
    meta, columns, segments = _segments(obj)
    size, m = meta["segment_size"], columns["m"]
    power, raw = np.asarray(obj.power, dtype=complex), np.asarray(obj.unnorm_power, dtype=complex)
    one, two = (np.asarray(side.power).real for side in (obj.pds1, obj.pds2))
    nphots = [float(obj.nphots1), float(obj.nphots2)]
    noises = [_level(obj.norm, count, size) for count in nphots]
    with np.errstate(all="ignore"):
        product, square = one * two, np.abs(power) ** 2
        turn = power.real**2 - power.imag**2
        above = (m * square - product) / (m - 1)
        raw_coherence, intrinsic = above / product, above / ((one - noises[0]) * (two - noises[1]))
        seen = [side - noise > 3 * side / np.sqrt(m) for side, noise in zip((one, two), noises)]
        intrinsic = np.where(seen[0] & seen[1], intrinsic, np.nan)
        phase, phase_err = np.angle(power), np.sqrt((1 - raw_coherence) / (2 * raw_coherence * m))
        to_time = 1 / (2 * np.pi * np.asarray(obj.freq))
        columns.update(
            power_re=power.real,
            power_im=power.imag,
            power_err=np.sqrt((product + square) / (2 * m)),
            unnorm_power_re=raw.real,
            unnorm_power_im=raw.imag,
            cross_err_re=np.sqrt((product + turn) / (2 * m)),
            cross_err_im=np.sqrt((product - turn) / (2 * m)),
            power1=one,
            power2=two,
            noise1=np.full(len(power), noises[0]),
            noise2=np.full(len(power), noises[1]),
            lag_phase=phase,
            lag_phase_err=phase_err,
            lag_time=phase * to_time,
            lag_time_err=phase_err * np.abs(to_time),
            coherence_raw=raw_coherence,
            coherence_raw_err=np.sqrt(2 / m) * np.sqrt(raw_coherence) * (1 - raw_coherence),
            coherence_intrinsic=intrinsic,
            coherence_intrinsic_err=np.full(len(power), np.nan),
        )
    for i in (1, 2):
        side = {"nphots": nphots[i - 1], "mean": nphots[i - 1] / meta["n"], "countrate": nphots[i - 1] / size}
        meta.update({f"{name}{i}": value for name, value in side.items()})
        meta.update({f"background{i}": 0.0, f"noise{i}_mean": noises[i - 1]})
        if getattr(obj, f"variance{i}", None) is not None:
            meta[f"variance{i}"] = float(getattr(obj, f"variance{i}"))
    known = json.loads(_pattern("AveragedCrossSpectrum"))["meta"]
    meta.update({name: float(segments) for name in known if name.startswith("m_eff")})
    return _of("AveragedCrossSpectrum", columns, meta)


def _of_dynamical(obj: Any, of_power: bool) -> Any:
    name = "DynamicalPowerSpectrum" if of_power else "DynamicalCrossSpectrum"
    known = json.loads(_pattern(name))["meta"]
    freq, time = np.asarray(obj.freq, dtype=float), np.asarray(obj.time, dtype=float)
    cells = np.asarray(obj.dyn_ps).T
    segment_size, m = float(obj.segment_size), int(np.max(obj.m))
    dt = float(obj.sample_time) if getattr(obj, "sample_time", None) else 0.5 / float(freq[-1] + freq[0])
    k = max(1, round(float(np.min(obj.df)) * segment_size))
    half = 0.5 * float(obj.dt)
    rows = len(time)
    nphots = [
        float(value)
        for value in (getattr(obj, key, None) for key in ("nphots", "nphots1", "nphots2"))
        if value is not None
    ]
    nphots = nphots or [0.0]
    noise = _level(obj.norm, nphots[0], segment_size)
    axes = {
        **known["axes"],
        "time": time,
        "start": time - half,
        "stop": time + half,
        "m": [m] * rows,
        "m_eff": [float(m)] * rows,
    }
    axes.update(
        freq=freq, width=[k / segment_size] * len(freq), k=[k] * len(freq), rate=[nphots[0] / segment_size] * rows
    )
    axes.update({key: [noise] * rows for key in known["axes"] if key.startswith("noise")})
    meta: dict[str, Any] = {
        "n": round(segment_size / dt),
        "dt": dt,
        "df": 1 / segment_size,
        "segment_size": segment_size,
    }
    meta.update(
        norm=obj.norm,
        segments=m * rows,
        skipped_segments=0,
        exposure=m * rows * segment_size,
        gti=_intervals(obj),
        mjdref=_mjdref(obj),
    )
    meta["axes"] = {key: np.asarray(value).tolist() for key, value in axes.items()}
    for key in known:
        stem = key.rstrip("12")
        if stem in ("nphots", "mean"):
            count = nphots[-1] if key.endswith("2") else nphots[0]
            meta[key] = count if stem == "nphots" else count / meta["n"]
        elif key.startswith("noise") and key.endswith("_mean"):
            meta[key] = noise
    columns: dict[str, Any] = {"time": np.repeat(time, len(freq)), "freq": np.tile(freq, rows)}
    if of_power:
        columns["power"] = cells.real.ravel()
    else:
        nothing = np.full(cells.size, np.nan)
        columns.update(power_re=cells.real.ravel(), power_im=cells.imag.ravel(), power1=nothing, power2=nothing)
        columns["lag_phase"] = np.angle(cells).ravel()
    return _of(name, columns, meta)


def _of_energy(obj: Any) -> Any:
    import stingray.varenergyspectrum as energy

    kind = next((kind for kind, name in ENERGY_CLASSES.items() if isinstance(obj, getattr(energy, name))), None)
    spectrum, errors = np.asarray(obj.spectrum), np.asarray(obj.spectrum_error)
    if isinstance(obj, energy.ComplexCovarianceSpectrum):
        kind = "covariance"
    if kind is None:
        raise TypeError(f"eagleray has no product for {article(type(obj).__name__)} of Stingray")
    pattern = json.loads(_pattern(f"EnergySpectrum of {kind}"))
    count = len(spectrum)
    nothing = np.full(count, np.nan)
    columns: dict[str, Any] = {name: nothing for name in pattern["columns"]}
    intervals = np.asarray(obj.energy_intervals, dtype=float)
    ends = ("channel_lo", "channel_hi") if getattr(obj, "use_pi", False) else ("energy_lo", "energy_hi")
    for name in ("energy_lo", "energy_hi"):
        columns.pop(name)
    columns = {ends[0]: intervals[:, 0], ends[1]: intervals[:, 1], **columns}
    columns.update(value=np.abs(spectrum), value_err=np.abs(errors)) if np.iscomplexobj(spectrum) else columns.update(
        value=spectrum, value_err=errors
    )
    if np.iscomplexobj(spectrum):
        columns.update(covariance_re=spectrum.real, covariance_im=spectrum.imag)
    columns["counts"] = np.rint(spectrum).astype(int) if kind == "count" else np.zeros(count, dtype=int)
    return _of("EnergySpectrum", columns, _of_bands(obj, kind, pattern["meta"]), f"EnergySpectrum of {kind}")


def _of_bands(obj: Any, kind: str, known: dict[str, Any]) -> dict[str, Any]:
    """What a spectrum of energies tells of itself."""
    from stingray.gti import time_intervals_from_gtis

    gti, events = _intervals(obj), getattr(obj, "events1", None)
    reference = np.ravel(obj.ref_band)
    band, size, dt = getattr(obj, "freq_interval", None), obj.segment_size, obj.bin_time
    told: dict[str, Any] = {
        "norm": getattr(obj, "norm", None),
        "dt": dt,
        "segment_size": size,
        "channels": bool(getattr(obj, "use_pi", False)),
        "freq_band": None if band is None else [float(end) for end in band],
    }
    if size:
        told.update(df=1 / size, n=round(size / dt) if dt else 0)
    if gti and size:
        segments = len(time_intervals_from_gtis(np.asarray(gti), size)[0])
        told.update(segments=segments, exposure=segments * float(size))
    elif gti:
        told["exposure"] = float(np.diff(gti).sum())
    # Stingray's reference without ends is of all energies.
    if known["reference"] is not None and len(reference) == 2 and np.all(np.isfinite(reference.astype(float))):
        told["reference"] = {"lo": float(reference[0]), "hi": float(reference[1])}
    meta = {name: value for name, value in told.items() if value is not None and name in known}
    return {"kind": kind, "gti": gti, "mjdref": _mjdref(events), **meta}
