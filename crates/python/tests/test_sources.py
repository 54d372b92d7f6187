"""What analyses take: files, arrays, objects of others, iterators."""

from __future__ import annotations

import pickle

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
    with pytest.raises(TypeError, match="pds has no option 'enrgy'; did you mean 'energy'"):
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


def unaligned(values):
    """The same numbers at an address that no processor likes."""
    moved = (
        np.frombuffer(b"x" + np.ascontiguousarray(values).tobytes(), "u1")[1:].view(values.dtype).reshape(values.shape)
    )
    assert not moved.flags.aligned
    return moved


def test_arrays_may_lie_anywhere(times):
    from types import SimpleNamespace

    expected = er.pds(times, gti=[(0, 1000)], **SEGMENTS).power
    np.testing.assert_array_equal(
        er.pds(unaligned(times), gti=unaligned(np.array([[0.0, 1000.0]])), **SEGMENTS).power, expected
    )
    energy = np.linspace(1, 10, len(times))
    there, here = (
        SimpleNamespace(time=t, energy=e, gti=[(0, 1000)])
        for t, e in ((unaligned(times), unaligned(energy)), (times, energy))
    )
    np.testing.assert_array_equal(
        er.pds(there, energy=(2, 5), **SEGMENTS).power, er.pds(here, energy=(2, 5), **SEGMENTS).power
    )
    edges = np.linspace(0, 1000, 11)
    np.testing.assert_array_equal(er.bin(times, times=unaligned(edges)).counts, er.bin(times, times=edges).counts)
    flux = np.random.default_rng(3).poisson(9, (8, 64)).astype(float)
    with quiet():
        expected = er.pds(flux, dt=1.0).power
        for given in (
            unaligned(flux),
            [unaligned(row) for row in flux],
            iter([(unaligned(row), unaligned(row + 1)) for row in flux]),
        ):
            assert er.pds(given, dt=1.0).power.shape == expected.shape
        np.testing.assert_array_equal(er.pds(unaligned(flux), dt=1.0).power, expected)
        np.testing.assert_array_equal(
            er.cs(unaligned(flux), unaligned(flux[::-1]), dt=1.0).power, er.cs(flux, flux[::-1], dt=1.0).power
        )
    other = times.astype(times.dtype.newbyteorder())
    np.testing.assert_array_equal(
        er.pds(other, gti=[(0, 1000)], **SEGMENTS).power, er.pds(times, gti=[(0, 1000)], **SEGMENTS).power
    )


@pytest.mark.parametrize("kind", ["Table", "QTable"])
@pytest.mark.parametrize(("time", "energy"), [("time", "energy"), ("TIME", "ENERGY"), ("Time", "PI")])
def test_tables_have_units_and_names_in_any_case(times, kind, time, energy):
    astropy_table, units = pytest.importorskip("astropy.table"), pytest.importorskip("astropy.units")
    photons = np.linspace(1, 10, len(times))
    counted = ((photons >= 2) & (photons < 5)).sum() / 100
    channels = energy == "PI"
    for of_time, of_energy in ((None, None), (units.s, units.keV), (units.s, units.eV)):
        scale = 1000 if of_energy == units.eV else 1
        values = np.floor(photons * 100) if channels else photons * scale
        table = getattr(astropy_table, kind)({time: times, energy: values})
        if of_time is not None:
            table[time].unit = of_time
        if of_energy is not None and not channels:
            table[energy].unit = of_energy
        band = {"pi": (200, 499)} if channels else {"energy": (2, 5)}
        np.testing.assert_allclose(er.pds(table, gti=[(0, 1000)], **band, **SEGMENTS).nphots, counted)
    minutes = astropy_table.Table({time: times / 60})
    minutes[time].unit = units.min
    np.testing.assert_allclose(er.lc(minutes, dt=10, gti=[(0, 1000)]).counts.sum(), len(times))
    with pytest.raises(er.OptionError, match="no column time; it has t"):
        er.pds(astropy_table.Table({"t": times}), **SEGMENTS)


def test_event_lists_with_more_digits_are_shifted_exactly(b1509):
    stingray = pytest.importorskip("stingray")
    events = stingray.EventList.read(b1509, fmt="hea")
    with pytest.raises(er.OptionError, match=r"events.shift\(-t0\)"):
        er.pds(events, **SEGMENTS)
    shifted = events.shift(-np.floor(events.time[0]))
    with quiet():
        expected = er.pds(b1509, compat="stingray", gti=None, **SEGMENTS)
        found = er.pds(shifted, **SEGMENTS)
    assert found.segments == expected.segments
    # Starts of segments are those of the same sums, so that no photon changes its bin.
    np.testing.assert_allclose(found.power, expected.power, rtol=1e-9)


def test_lists_of_several_event_lists_are_refused_at_once(times):
    stingray = pytest.importorskip("stingray")
    events = stingray.EventList(times, gti=[[0, 1000]])
    with pytest.raises(er.OptionError, match="no EventList; .*join"):
        er.pds([events, events], **SEGMENTS)
    with pytest.raises(er.OptionError, match="segments of flux"):
        er.lc([times, times], dt=1)


def test_pairs_of_segments_fit(times):
    flux = np.random.default_rng(3).poisson(9, (8, 64)).astype(float)
    with quiet():
        expected = er.cs(flux, flux[::-1], dt=1.0).power
        np.testing.assert_array_equal(er.cs(zip(flux, flux[::-1]), dt=1.0).power, expected)
        np.testing.assert_array_equal(er.cs(list(flux), list(flux[::-1]), dt=1.0).power, expected)
    for wrong, told in [
        (lambda: er.cs(flux, flux[:5], dt=1.0), "5 segments"),
        (lambda: er.cs(flux[:5], flux, dt=1.0), "more segments"),
        (lambda: er.cs(iter(flux), dt=1.0), "a pair"),
        (lambda: er.cs(flux, times, dt=1.0), "reference"),
        (lambda: er.pds(iter([]), dt=1.0), "no segment"),
        (lambda: er.pds(iter([None]), dt=1.0), "segment 0"),
        (lambda: er.pds(iter([(flux[0],) * 3]), dt=1.0), "segment 0"),
    ]:
        with pytest.raises(er.OptionError, match=told):
            wrong()


def test_observations_of_files_are_pickled(b1509, times):
    again = pickle.loads(pickle.dumps(er.Observation(b1509, energy=(3, 10))))
    assert er.lc(again, dt=1).nphots == er.lc(b1509, dt=1, energy=(3, 10)).nphots
    with pytest.raises(TypeError, match="in memory"):
        pickle.dumps(er.Observation(times))
