"""Objects of Stingray as products, and products as objects of Stingray."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from conftest import quiet

stingray = pytest.importorskip("stingray")
import eagleray as er
from eagleray.stingray import from_stingray, to_stingray

GTI = [(0.0, 1000.0)]
HOW: dict[str, Any] = {"dt": 1 / 16, "segment_size": 16, "backend": "cpu"}


@pytest.fixture(scope="module")
def events() -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(1)
    return np.sort(random.uniform(0, 1000, 20_000)), np.sort(random.uniform(0, 1000, 15_000))


def of_stingray(times: np.ndarray) -> Any:
    return stingray.EventList(times, gti=GTI)


@pytest.mark.parametrize("norm", ["leahy", "frac", "abs", "none"])
@pytest.mark.parametrize("bins", [{}, {"k": 4}, {"log": 0.1}])
def test_power_there_and_back(events: Any, norm: str, bins: dict[str, Any]) -> None:
    product = er.pds(events[0], gti=GTI, norm=norm, **HOW)
    product = product.rebin(**bins) if bins else product
    there = product.to_stingray()
    assert type(there) is stingray.AveragedPowerspectrum
    assert np.array_equal(there.power, product.power)
    back = from_stingray(there)
    for name in ("freq", "width", "power", "power_err", "unnorm_power", "noise", "m"):
        assert np.allclose(getattr(back, name), getattr(product, name), rtol=1e-12, atol=0), name
    assert back.meta["norm"] == norm and back.meta["nphots"] == product.meta["nphots"]


@pytest.mark.parametrize("norm", ["leahy", "frac", "abs", "none"])
def test_spectra_of_stingray_there_and_back(events: Any, norm: str) -> None:
    given: dict[str, Any] = {"dt": 1 / 16, "segment_size": 16, "norm": norm, "silent": True}
    power = stingray.AveragedPowerspectrum(of_stingray(events[0]), **given)
    for made in (power, power.rebin(f=4), power.rebin_log(0.1)):
        back = from_stingray(made).to_stingray()
        for name in ("freq", "power", "unnorm_power", "power_err"):
            assert np.array_equal(getattr(back, name), getattr(made, name)), name
        assert np.isclose(back.nphots, made.nphots) and back.n == made.n
    assert np.allclose(from_stingray(power).to_stingray().compute_rms(0.5, 4), power.compute_rms(0.5, 4))
    cross = stingray.AveragedCrossspectrum(of_stingray(events[0]), of_stingray(events[1]), **given)
    back = from_stingray(cross).to_stingray()
    assert np.array_equal(back.power, cross.power) and np.array_equal(back.unnorm_power, cross.unnorm_power)
    for one, other in ((back.pds1, cross.pds1), (back.pds2, cross.pds2)):
        assert np.array_equal(one.power, other.power)
        assert np.allclose(one.unnorm_power, other.unnorm_power, rtol=1e-12)
    assert np.array_equal(back.time_lag()[0], cross.time_lag()[0])


def test_cross_there_and_back(events: Any) -> None:
    product = er.cs(*(er.Observation(times, gti=GTI) for times in events), **HOW)
    there = to_stingray(product)
    assert np.allclose(there.time_lag()[0], product.lag_time, rtol=1e-12)
    back = from_stingray(there)
    for name in ("freq", "power", "unnorm_power", "power1", "power2", "noise1", "noise2", "lag_phase", "lag_time"):
        assert np.allclose(back[name], product[name], rtol=1e-12, atol=0), name
    # Errors are those of so many segments, where ours know how many of equal weight they are worth.
    assert np.allclose(back.power_err, product.power_err, rtol=1e-2)


def test_light_curves(events: Any) -> None:
    product = er.lc(events[0], dt=1.0, gti=GTI)
    there = product.to_stingray()
    assert type(there) is stingray.Lightcurve and there.err_dist == "poisson"
    back = from_stingray(there)
    assert np.array_equal(back.counts, product.counts) and np.array_equal(back.time, product.time)


def test_dynamical_spectra(events: Any) -> None:
    product = er.dyn(events[0], gti=GTI, **HOW)
    back = from_stingray(product.to_stingray())
    for name in ("power", "time", "freq"):
        assert np.array_equal(back[name], product[name]), name
    power = stingray.DynamicalPowerspectrum(of_stingray(events[0]), segment_size=16, sample_time=1 / 16, norm="leahy")
    lists = [of_stingray(times) for times in events]
    cross = stingray.DynamicalCrossspectrum(*lists, segment_size=16, sample_time=1 / 16, norm="leahy")
    for made in (power, cross):
        back = from_stingray(made).to_stingray()
        assert np.array_equal(back.dyn_ps, made.dyn_ps) and np.allclose(back.time, made.time.astype(float))
        assert (back.dt, back.df, back.m) == (made.dt, made.df, made.m)


def test_events(events: Any) -> None:
    observation = from_stingray(of_stingray(events[0]))
    assert np.array_equal(er.pds(observation, **HOW).power, er.pds(events[0], gti=GTI, **HOW).power)


def test_what_cannot_be_converted() -> None:
    with pytest.raises(TypeError, match="made without data"):
        from_stingray(stingray.Powerspectrum())
    with pytest.raises(TypeError, match="not a dict"):
        from_stingray({})


def test_energy_spectra_there_and_back() -> None:
    from stingray import varenergyspectrum as energy

    random = np.random.default_rng(9)
    times = np.sort(random.uniform(0, 400, 40_000))
    events = stingray.EventList(times, energy=random.uniform(0.3, 12, len(times)), gti=[[0, 400]])
    how = {"freq_interval": [0.1, 5], "energy_spec": (0.3, 12, 4, "log"), "bin_time": 1 / 16, "segment_size": 16}
    for name in ("LagSpectrum", "RmsSpectrum", "CovarianceSpectrum", "ExcessVarianceSpectrum"):
        made = getattr(energy, name)(events, **how)
        product = from_stingray(made)
        assert type(product).__name__ == "EnergySpectrum"
        back = product.to_stingray()
        assert type(back) is type(made)
        assert np.array_equal(back.spectrum, made.spectrum, equal_nan=True), name
        assert np.array_equal(back.spectrum_error, made.spectrum_error, equal_nan=True), name
        assert np.array_equal(np.asarray(back.energy_intervals), np.asarray(made.energy_intervals)), name
    counted = energy.CountSpectrum(events, energy_spec=(0.3, 12, 4, "log"))
    assert np.array_equal(from_stingray(counted).counts, counted.spectrum)
    with quiet():
        lags = er.varenergy(events, energies=[0.3, 2, 12], kind="lag", freq=(0.1, 5), dt=1 / 16, segment_size=16.0)
    again = from_stingray(lags.to_stingray())
    assert np.array_equal(again.value, lags.value) and np.array_equal(again.energy_lo, lags.energy_lo)


def test_no_metadata_are_invented(events: Any) -> None:
    from stingray import varenergyspectrum as energy

    times = events[0][events[0] < 400]
    photons = stingray.EventList(times, energy=np.linspace(0.3, 12, len(times)), gti=[[0, 400]], mjdref=55000.25)
    how = {"freq_interval": [0.1, 5], "energy_spec": (0.3, 12, 4, "log"), "bin_time": 1 / 16, "segment_size": 16}
    for name in ("LagSpectrum", "RmsSpectrum", "CovarianceSpectrum", "ExcessVarianceSpectrum"):
        made = from_stingray(getattr(energy, name)(photons, **how))
        meta = made.meta
        assert (meta["gti"], meta["segments"], meta["exposure"], meta["n"]) == ([[0.0, 400.0]], 25, 400.0, 256)
        assert (meta["nphots"], meta["m"], meta["freq_band"]) == (0, 0, [0.1, 5.0]) and meta["reference"] is None
        assert meta["mjdref"] == {"day": 55000, "fraction": 0.25}
        assert set(meta["photons"].values()) == {0}
        again = from_stingray(made.to_stingray()).meta
        assert {key for key in meta if again[key] != meta[key]} <= {"mjdref"}
    counted = from_stingray(energy.CountSpectrum(photons, energy_spec=(0.3, 12, 4, "log"))).meta
    assert (counted["gti"], counted["exposure"], counted["nphots"]) == ([[0.0, 400.0]], 400.0, 0)
    lists = [of_stingray(one) for one in events]
    given: dict[str, Any] = {"dt": 1 / 16, "segment_size": 16, "norm": "leahy", "silent": True}
    for one in (
        stingray.AveragedPowerspectrum(lists[0], **given),
        stingray.AveragedCrossspectrum(*lists, **given),
        stingray.DynamicalPowerspectrum(lists[0], segment_size=16, sample_time=1 / 16, norm="leahy"),
    ):
        meta = from_stingray(one).meta
        assert set(meta["photons"].values()) == {0} and meta["segments"] == 62 and meta["adapter"] == ""
        assert meta["gti"] in ([[0.0, 1000.0]], [])


def test_arrays_of_events_may_lie_anywhere(events: Any) -> None:
    import eagleray.stingray as seams

    moved = np.frombuffer(b"x" + events[0].tobytes(), "u1")[1:].view("f8")
    assert not moved.flags.aligned
    given: dict[str, Any] = {"dt": 1 / 16, "segment_size": 16, "norm": "leahy", "silent": True}
    with seams.backend():
        found = stingray.AveragedPowerspectrum(of_stingray(moved), **given)
        expected = stingray.AveragedPowerspectrum(of_stingray(events[0]), **given)
    assert np.array_equal(found.power, expected.power)
