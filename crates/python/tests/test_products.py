"""Products: arrays, metadata, files, other libraries."""

from __future__ import annotations

import copy
import gc
import json
import pickle

import eagleray as er
import numpy as np
import pytest
from conftest import quiet


@pytest.fixture(scope="module")
def spectrum(b1509):
    return er.pds(b1509, dt=1 / 128, segment_size=64)


def test_columns_are_read_only_arrays_that_share_the_memory_of_the_product(b1509):
    spectrum = er.pds(b1509, dt=1 / 128, segment_size=64)
    power = spectrum.power
    assert power.dtype == np.float64 and power.base is not None and not power.flags.owndata
    assert spectrum.power is power
    with pytest.raises(ValueError):
        power[0] = 1.0
    before = power.copy()
    del spectrum
    gc.collect()
    np.testing.assert_array_equal(power, before)


def test_a_column_is_what_the_library_declares(spectrum):
    assert spectrum.colnames[:3] == ["freq", "width", "power"]
    assert spectrum.units["freq"] == "Hz"
    assert "frequency" in type(spectrum).freq.__doc__
    assert len(spectrum) == len(spectrum.freq) == 4095
    # Nothing is rebinned, so the number of values is an entry of the metadata.
    assert spectrum.m == spectrum.meta["m"] and "m" not in spectrum.colnames
    assert spectrum.rebin(4).m.dtype == np.int64
    with pytest.raises(AttributeError, match="its columns are freq"):
        spectrum.nothing


def test_the_metadata_are_those_of_the_program(spectrum):
    meta = spectrum.meta
    assert meta["segment_size"] == 64.0 and meta["telescop"] == "XTE"
    assert meta["photons"]["read"] == meta["photons"]["used"] + sum(
        value for name, value in meta["photons"].items() if name not in ("read", "used")
    )
    assert "AveragedPowerSpectrum: 4095 rows" in repr(spectrum) and "<table>" in spectrum._repr_html_()


def test_files_and_pickles_give_the_same_bits(spectrum, tmp_path):
    for name in ("pds.ecsv", "pds.csv", "pds.json", "pds.fits"):
        spectrum.write(tmp_path / name)
        read = er.read(tmp_path / name)
        assert type(read) is er.AveragedPowerSpectrum
        for column in spectrum.colnames:
            np.testing.assert_array_equal(read[column], spectrum[column])
    with pytest.raises(er.FileError):
        spectrum.write(tmp_path / "pds.ecsv")
    spectrum.write(tmp_path / "pds.ecsv", overwrite=True)
    again = pickle.loads(pickle.dumps(spectrum))
    assert again.meta == spectrum.meta
    np.testing.assert_array_equal(again.power, spectrum.power)
    with pytest.raises(TypeError, match="not a light curve"):
        er.LightCurve.read(tmp_path / "pds.json")


def test_methods_are_those_of_the_library(spectrum):
    coarse = spectrum.rebin(log=0.1)
    assert len(coarse) < 200 and coarse.k[-1] > 1
    frac = spectrum.to_norm("frac")
    np.testing.assert_allclose(frac.power * frac.mean / frac.dt, spectrum.power, rtol=1e-6)
    assert set(spectrum.rms(1, 10)) >= {"rms", "rms_err"}
    best = spectrum.significant(3)
    assert len(best) == 3 and best[0]["log10_p"] <= best[1]["log10_p"]
    assert (spectrum.detection_level(0.01) > spectrum.noise).all()
    with pytest.raises(er.OptionError, match="norm"):
        spectrum.to_norm("other")


def test_other_libraries_take_products(spectrum):
    table = spectrum.to_table()
    assert str(table["freq"].unit) == "Hz" and table.meta["segment_size"] == 64.0
    frame = spectrum.to_pandas()
    assert list(frame.columns) == spectrum.colnames and frame.attrs["norm"] == "leahy"
    import pyarrow

    arrow = pyarrow.table(spectrum)
    np.testing.assert_array_equal(arrow["power"].to_numpy(), spectrum.power)


def test_cross_spectra_are_complex(b1509):
    cross = er.cs(b1509, subject=(3, 8), ref=(8, 30), dt=1 / 64, segment_size=32, rebin_log=0.2)
    assert cross.power.dtype == np.complex128
    np.testing.assert_allclose(np.angle(cross.power), cross.lag_phase, atol=1e-12)
    assert set(cross.lag(1, 10)) >= {"lag_time", "lag_time_err"}
    assert list(cross.to_arrow().column_names)[2:4] == ["power_re", "power_im"]


def test_dynamical_spectra_are_matrices(b1509):
    dynamical = er.dyn(b1509, dt=1 / 16, segment_size=32, norm="leahy")
    assert dynamical.power.shape == dynamical.shape == (len(dynamical.time), len(dynamical.freq))
    mean = er.pds(b1509, dt=1 / 16, segment_size=32)
    weight = dynamical.power.mean(axis=0) / mean.power
    assert abs(weight.mean() - 1) < 0.05
    assert len(dynamical.to_table()) == dynamical.power.size
    again = pickle.loads(pickle.dumps(dynamical))
    np.testing.assert_array_equal(again.power, dynamical.power)


@pytest.mark.parametrize(
    "make",
    [
        lambda f: er.pds(f, dt=1 / 16, segment_size=32),
        lambda f: er.cs(f, subject=(3, 8), ref=(8, 30), dt=1 / 16, segment_size=32, rebin_log=0.3),
        lambda f: er.varenergy(f, energies=[3, 6, 10, 30], freq=(0.1, 10), kind="rms", dt=1 / 32, segment_size=32),
        lambda f: er.dyn(f, dt=1 / 16, segment_size=32),
        lambda f: er.dyn(f, subject=(3, 8), ref=(8, 30), dt=1 / 16, segment_size=32),
        lambda f: er.ls(f, dt=0.5, freq=(None, 0.5)),
        lambda f: er.multitaper(f, dt=1 / 16, segment_size=32),
        lambda f: er.bispectrum(f, dt=1 / 4, segment_size=16),
        lambda f: er.bispectrum(f, cumulants=True, dt=1 / 4, segment_size=8),
        lambda f: er.lc(f, dt=10),
        lambda f: er.bin(f, times=np.linspace(0, 100, 11) + er.lc(f).time[0]),
        lambda f: er.search(f, freq=(6.5, 6.7)),
        lambda f: er.accel(f, freq=(6.5, 6.7), fdot=(-1e-7, 1e-7)),
        lambda f: er.fold(f, f=6.59),
    ],
)
def test_every_product_is_drawn_written_and_pickled(make, b1509, tmp_path):
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    with quiet():
        product = make(b1509)
    axes = product.plot()
    axes.figure.savefig(tmp_path / "picture.png")
    assert axes.get_xlabel() and axes.get_ylabel()
    pyplot.close("all")
    again = pickle.loads(pickle.dumps(product))
    assert type(again) is type(product) and again.colnames == product.colnames
    assert repr(product).startswith(f"<{type(product).__name__}")


def test_the_rate_of_a_product_is_that_of_seconds(b1509, times):
    made = [
        er.pds(times, gti=[(0, 1000)], dt=1 / 64, segment_size=16),
        er.dyn(times, gti=[(0, 1000)], dt=1 / 64, segment_size=16),
        er.multitaper(times, gti=[(0, 1000)], dt=1 / 64, segment_size=16),
        er.ls(times, gti=[(0, 1000)], dt=0.5),
        er.bispectrum(times, gti=[(0, 1000)], dt=1 / 4, segment_size=16),
        er.lc(times, gti=[(0, 1000)], dt=10),
    ]
    with quiet():
        made.append(er.fold(times, gti=[(0, 1000)], f=1.0))
    for product in made:
        told = float(repr(product).split("rate ")[1].split(" counts/s")[0])
        assert abs(told - 20) < 0.1, repr(product)
        assert "counts/s" in product._repr_html_()
    assert abs(made[0].meta["mean"] - 20 / 64) < 0.01


def test_metadata_cannot_be_written_to(spectrum):
    for write in (
        lambda: spectrum.meta.update(norm="x"),
        lambda: spectrum.meta.__setitem__("norm", "x"),
        lambda: spectrum.meta["photons"].pop("read"),
        lambda: spectrum.meta["gti"].append([0, 1]),
    ):
        with pytest.raises(TypeError, match="deepcopy"):
            write()
    assert json.loads(json.dumps(spectrum.meta)) == spectrum.meta
    for copied in (copy.deepcopy(spectrum.meta), pickle.loads(pickle.dumps(spectrum.meta)), spectrum.to_table().meta):
        copied["photons"]["read"] = 0
        copied["gti"].append([0, 1])
    assert type(copy.deepcopy(spectrum.meta)) is dict and spectrum.meta["photons"]["read"] > 0


def test_times_of_arrival_are_tables_and_files(b1509, tmp_path):
    with quiet():
        times = er.toas(b1509, f=6.5961, length=500, nbin=16)
    table = times.to_table()
    assert len(table) == len(times) and str(table["error"].unit) == "s"
    assert abs(float(times.mjd[0]) - (table["mjd_day"][0] + table["mjd_fraction"][0])) < 1e-9
    times.write(tmp_path / "a.tim")
    assert (tmp_path / "a.tim").read_text() == times.tim
    with pytest.raises(FileExistsError):
        times.write(tmp_path / "a.tim")
    times.write(tmp_path / "a.tim", overwrite=True)
