"""What analyses take: files, arrays, objects of others, iterators."""

from __future__ import annotations

import eagleray as er
import numpy as np
import pytest
from conftest import quiet

SEGMENTS = {"dt": 1 / 16, "segment_size": 10.0}


def powers(times, segment_size, dt):
    """Leahy powers by their definition."""
    n = round(segment_size / dt)
    counts = np.histogram(times, bins=np.arange(0, 1000 + dt / 2, dt))[0].reshape(-1, n)
    raw = np.abs(np.fft.rfft(counts, axis=1)[:, 1 : (n + 1) // 2]) ** 2
    return 2 * raw.mean(axis=0) / counts.sum(axis=1).mean()


def test_times_have_the_powers_of_the_definition(times):
    spectrum = er.pds(times, gti=[(0, 1000)], **SEGMENTS)
    np.testing.assert_allclose(spectrum.power, powers(times, 10.0, 1 / 16), rtol=1e-12)
    # As for the peer, photons are those of a segment.
    assert spectrum.segments == 100 and spectrum.nphots == len(times) / 100


def test_times_in_any_type_that_loses_nothing(times):
    whole = np.round(times * 1024).astype(np.int64)
    expected = er.pds(whole.astype(float), gti=[(0, 1_024_000)], dt=64, segment_size=10240).power
    for given in (whole, whole.astype(np.longdouble), list(whole)):
        np.testing.assert_array_equal(er.pds(given, gti=[(0, 1_024_000)], dt=64, segment_size=10240).power, expected)
    fine = times.astype(np.longdouble) + np.longdouble(2) ** -60 + 1e8
    with pytest.raises(er.OptionError, match="longdouble"):
        er.pds(fine, gti=[(1e8, 1e8 + 1000)], **SEGMENTS)


def test_a_strided_or_reversed_array_is_taken_as_it_is(times):
    expected = er.pds(times, gti=[(0, 1000)], **SEGMENTS).power
    with pytest.warns(er.EaglerayWarning, match="W-TIME-UNSORTED"):
        backwards = er.pds(times[::-1], gti=[(0, 1000)], **SEGMENTS)
    np.testing.assert_array_equal(backwards.power, expected)
    np.testing.assert_array_equal(er.pds(np.repeat(times, 3)[::3], gti=[(0, 1000)], **SEGMENTS).power, expected)


def test_bands_of_times_with_energies(times):
    from types import SimpleNamespace

    energy = np.linspace(1, 10, len(times))
    events = SimpleNamespace(time=times, energy=energy, gti=[(0, 1000)])
    some = er.pds(events, energy=(2, 5), **SEGMENTS)
    np.testing.assert_allclose(100 * some.nphots, ((energy >= 2) & (energy < 5)).sum())
    with pytest.raises(er.OptionError, match="energies"):
        er.pds(times, energy=(2, 5), **SEGMENTS)


def test_objects_of_stingray_and_astropy(times):
    from astropy import units
    from astropy.table import Table
    from stingray import EventList, Lightcurve

    expected = er.pds(times, gti=[(0, 1000)], **SEGMENTS).power
    events = EventList(times, gti=[[0, 1000]])
    np.testing.assert_array_equal(er.pds(events, **SEGMENTS).power, expected)
    table = Table({"time": times * units.s})
    np.testing.assert_array_equal(er.pds(table, gti=[(0, 1000)], **SEGMENTS).power, expected)
    milliseconds = (times * 1000) * units.ms
    np.testing.assert_allclose(er.pds(milliseconds, gti=[(0, 1000)], **SEGMENTS).power, expected, rtol=1e-9)
    curve = Lightcurve.make_lightcurve(times, dt=1 / 16, tstart=0, tseg=1000)
    curve.gti = np.array([[0, 1000]])
    np.testing.assert_allclose(er.pds(curve, segment_size=10.0).power, expected, rtol=1e-12)


def test_a_light_curve_of_this_package_is_a_source(b1509):
    curve = er.lc(b1509, dt=1 / 16)
    spectrum = er.pds(curve, segment_size=32)
    assert spectrum.dt == 1 / 16


def test_segments_of_flux_from_arrays_and_generators(times):
    counts = np.histogram(times, bins=np.arange(0, 1000 + 1 / 32, 1 / 16))[0].reshape(-1, 160).astype(float)
    expected = powers(times, 10.0, 1 / 16)
    np.testing.assert_allclose(er.pds(counts, dt=1 / 16).power, expected, rtol=1e-12)
    np.testing.assert_allclose(er.pds((row for row in counts), dt=1 / 16).power, expected, rtol=1e-12)
    with_errors = er.pds(((row, np.sqrt(np.full(160, 1.25))) for row in counts), dt=1 / 16)
    np.testing.assert_allclose(with_errors.power, expected * counts.mean() / 1.25, rtol=1e-9)
    cross = er.cs(counts, counts[::-1], dt=1 / 16)
    spectra = np.fft.rfft(counts, axis=1)[:, 1:80]
    expected_cross = (spectra.conj() * spectra[::-1]).mean(axis=0)
    np.testing.assert_allclose(cross.unnorm_power, expected_cross, rtol=1e-9, atol=1e-9 * np.abs(expected_cross).max())
    with pytest.raises(er.OptionError, match="dt"):
        er.pds(counts)
    with pytest.raises(er.OptionError, match="energy"):
        er.pds(counts, dt=1 / 16, energy=(1, 2))


def test_an_exception_of_a_generator_comes_through(times):
    def segments():
        yield np.ones(16)
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        er.pds(segments(), dt=1.0)


def test_observations_are_opened_once(b1509):
    observation = er.Observation(b1509, energy=(3, 10))
    assert observation.kind == "events" and observation.files == [b1509]
    assert er.pds(observation).nphots == er.pds(b1509, energy=(3, 10)).nphots
    with pytest.raises(TypeError, match="energy"):
        er.pds(observation, energy=(1, 2))
    with pytest.raises(TypeError, match="unexpected keyword: enrgy"):
        er.pds(b1509, enrgy=(1, 2))


def test_intervals_select(b1509):
    curve = er.lc(b1509, dt=1)
    start = curve.time[0]
    some = er.lc(b1509, dt=1, gti=[(start, start + 100)])
    assert 0 < some.nphots < curve.nphots
    assert er.lc(b1509, dt=1, time=(start, start + 100)).nphots == some.nphots


def test_energies_of_photons_in_memory_make_bands(tmp_path):
    stingray = pytest.importorskip("stingray")
    random = np.random.default_rng(4)
    times = np.sort(random.uniform(0, 200, 20_000))
    energy, gti = random.uniform(0.5, 10, len(times)), np.array([[0.0, 200.0]])
    events = stingray.EventList(times, energy=energy, pi=np.floor(energy * 100), gti=gti)
    how = {"dt": 1 / 16, "segment_size": 5.0}
    soft, hard = (times[(energy >= lo) & (energy < hi)] for lo, hi in [(0.5, 2), (2, 10)])
    sides = [er.Observation(side, gti=gti) for side in (soft, hard)]
    expected = er.cs(sides[0], sides[1], **how)
    np.testing.assert_array_equal(er.cs(events, subject=(0.5, 2), ref=(2, 10), **how).power, expected.power)
    np.testing.assert_array_equal(
        er.cs(er.Observation(events, pi=None), subject=(0.5, 2), ref=(2, 10), **how).power, expected.power
    )
    np.testing.assert_array_equal(er.pds(events, energy=(2, 10), **how).power, er.pds(hard, gti=gti, **how).power)
    np.testing.assert_array_equal(er.pds(events, pi=(200, 999), **how).power, er.pds(hard, gti=gti, **how).power)
    counted = er.varenergy(events, energies=[0.5, 2, 10], kind="count")
    np.testing.assert_array_equal(counted.counts, [len(soft), len(hard)])
    with quiet():
        lags = er.varenergy(events, energies=[0.5, 2, 10], kind="lag", freq=(0.1, 5), **how)
    assert np.isfinite(lags.value).all()
    with pytest.raises(er.OptionError, match="energ"):
        er.pds(times, energy=(2, 10), gti=gti, **how)
