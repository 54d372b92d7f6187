"""What options may be, and what is said of those that may not."""

from __future__ import annotations

import inspect
import typing

import eagleray as er
import numpy as np
import pytest
from conftest import quiet
from eagleray import _arguments, _source

SEGMENTS = {"dt": 1 / 16, "segment_size": 10.0}


@pytest.fixture
def spectrum(times):
    return er.pds(times, gti=[(0, 1000)], **SEGMENTS)


WRONG = [
    ("energy", 5),
    ("energy", (1, 2, 3)),
    ("energy", (30, 10)),
    ("energy", "3:10"),
    ("energy", (np.nan, 10)),
    ("pi", (40, 10)),
    ("time", (5, 1)),
    ("gti", (0, 1000)),
    ("gti", [(5, 1)]),
    ("gti", [(np.nan, 1)]),
    ("gti", []),
    ("gti", 3.0),
    ("detector", "one"),
    ("dt", "soon"),
    ("dt", True),
    ("dt", np.nan),
    ("dt", -1.0),
    ("norm", 3),
    ("norm", None),
    ("norm", "loud"),
    ("rebin", 2.5),
    ("rebin", -1),
    ("rebin", 0),
    ("rebin_log", -1.0),
    ("rates", None),
    ("intervals", "no"),
    ("no_gti", 1),
    ("noise", {}),
    ("noise", (3, 1)),
    ("dead_time", (1, 2, 3)),
    ("combine", "somehow"),
    ("compat", "other"),
    ("rmf", 3),
    ("session", "cpu"),
    ("backend", []),
]


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_a_wrong_value_is_an_option_error_with_its_name(b1509, name, value):
    with pytest.raises(er.OptionError, match=name) as wrong:
        er.pds(b1509, **{name: value})
    assert "Geometric" not in str(wrong.value) and isinstance(wrong.value, ValueError)


def test_every_option_is_of_a_kind():
    functions = [
        er.pds,
        er.cs,
        er.dyn,
        er.fad,
        er.ls,
        er.multitaper,
        er.bispectrum,
        er.varenergy,
        er.lc,
        er.bin,
        er.info,
    ]
    functions += [er.search, er.accel, er.fold, er.phaseogram, er.toas, er.simulate]
    others = {"session", "backend", "f", "epoch", "rate", "gaps", "model", "bands", "frame_time"}
    for function in functions:
        parameters = inspect.signature(function).parameters.values()
        names = {one.name for one in parameters if one.kind is one.KEYWORD_ONLY}
        assert names - others <= set(_arguments.KINDS), function.__name__
    assert set(_source.SELECTED) <= set(_arguments.KINDS)
    assert set(_source.SELECTED) == set(typing.get_type_hints(er.Selection))
    assert all(name in er.Selection.__doc__ for name in _source.SELECTED)


def test_an_unknown_option_is_told_from_those_that_there_are(b1509):
    with pytest.raises(
        er.OptionTypeError, match="pds has no option 'enrgy'; did you mean 'energy'.*segment_size"
    ) as wrong:
        er.pds(b1509, enrgy=(1, 2))
    assert isinstance(wrong.value, TypeError) and wrong.value.field == "enrgy"
    with pytest.raises(er.OptionTypeError, match="Observation has no option"):
        er.Observation(b1509, enrgy=(1, 2))
    with pytest.raises(er.OptionTypeError, match="simulate has no option 'lenght'; did you mean 'length'"):
        er.simulate("none.evt", lenght=3)


def test_quantities_are_options(b1509, times):
    units = pytest.importorskip("astropy.units")
    given = {"dt": 62.5 * units.ms, "segment_size": (1 / 6) * units.min, "gti": [(0, 1)] * units.ks}
    np.testing.assert_array_equal(er.pds(times, **given).power, er.pds(times, gti=[(0, 1000)], **SEGMENTS).power)
    assert er.lc(b1509, dt=1, energy=(5000, 9000) * units.eV).nphots == er.lc(b1509, dt=1, energy=(5, 9)).nphots
    assert er.lc(b1509, dt=1, energy=(5 * units.keV, 9 * units.keV)).nphots == er.lc(b1509, dt=1, energy=(5, 9)).nphots
    with quiet():
        assert er.fold(b1509, f=6.5961 * units.Hz).freq == er.fold(b1509, f=6.5961).freq
    with pytest.raises(er.OptionError, match="dt: .* m "):
        er.pds(times, dt=1 * units.m)


def test_methods_refuse_what_makes_no_sense(spectrum, times):
    for wrong in [
        lambda: spectrum.rms(np.nan, 3),
        lambda: spectrum.rms(3, 1),
        lambda: spectrum.rms("a", 1),
        lambda: spectrum.pulsation(1, 2, 3.0),
        lambda: spectrum.detection_level(2),
        lambda: spectrum.detection_level(0),
        lambda: spectrum.significant(-1),
        lambda: spectrum.rebin(-1),
        lambda: spectrum.rebin(2.0),
        lambda: spectrum.rebin(),
        lambda: spectrum.rebin(2, log=0.1),
        lambda: spectrum.rebin(log=-1.0),
        lambda: spectrum.to_norm(3),
        lambda: er.cs(times, times[::2], **SEGMENTS).lag(3, 1),
        lambda: er.join([1, 2]),
        lambda: er.join(spectrum),
        lambda: er.join([]),
        lambda: er.stats.poisson(-1),
        lambda: er.stats.poisson(1.5),
        lambda: er.stats.power_to_p(np.nan),
        lambda: er.stats.power_to_p("a"),
        lambda: er.stats.p_to_power(),
        lambda: er.stats.p_to_power(log10_p=3),
        lambda: er.fold(times, f="abc"),
        lambda: er.fold(times),
        lambda: er.search(times),
        lambda: er.search(times, freq=(7, 6)),
        lambda: er.varenergy(times, energies=[30, 10]),
        lambda: er.varenergy(times, energies=5),
        lambda: er.bin(times, times=[3, 1]),
    ]:
        with quiet(), pytest.raises(er.OptionError):
            wrong()


def test_sessions_are_refused_when_they_are_made():
    for wrong in [
        {"backend": "tpu"},
        {"threads": -1},
        {"threads": 1.5},
        {"progress": 5},
        {"strict": "yes"},
        {"adapter": 1.0},
        {"gpu_profile": "other"},
        {"backend": "cpu", "precision": "single"},
        {"backend": "cpu", "adapter": 1},
    ]:
        with pytest.raises(er.OptionError, match=list(wrong)[-1]):
            er.Session(**wrong)


@pytest.mark.parametrize(
    ("source", "told"),
    [
        (None, "not a NoneType"),
        (3, "not an int"),
        (b"x", "not a bytes"),
        ({}, "not a dict"),
        (np.datetime64("2020-01-01") + np.arange(5), "dates"),
        (np.array(["1", "2"]), "text"),
        (np.array([b"1"]), "bytes"),
        (np.array([True]), "truth"),
        (np.array([1j]), "complex"),
        ([[1.0, 2.0], [3.0]], "segments of flux"),
        (["a.evt", 3.0], "not both"),
        (np.ma.array([1.0, 2.0], mask=[True, False]), "masked"),
    ],
)
def test_what_is_no_source_is_told(source, told):
    with pytest.raises(er.OptionError, match=told):
        er.pds(source, **SEGMENTS)


def test_messages_are_in_the_words_of_python(b1509, spectrum, tmp_path):
    path = tmp_path / "pds.json"
    spectrum.write(path)
    with pytest.raises(FileExistsError, match="overwrite=True"):
        spectrum.write(path)
    with pytest.raises(er.OptionError, match="no_gti=True"):
        er.pds(b1509, gti=[])
    with pytest.raises(er.FileError, match="no product"):
        er.read(b1509)
    with pytest.raises(KeyError, match="its columns are freq"):
        spectrum["powr"]
