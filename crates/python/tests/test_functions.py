"""Functions against the program, simulations of a known truth, and each other."""

from __future__ import annotations

import json
import os
import subprocess
from decimal import Decimal

import eagleray as er
import numpy as np
import pytest
from conftest import quiet


def program():
    """The program that was built last."""
    root = os.environ.get("EAGLERAY_ROOT", "../../..")
    target = os.environ.get("CARGO_TARGET_DIR", os.path.join(root, "target"))
    built = [os.path.join(target, kind, "eagleray") for kind in ("release", "debug")]
    built = [path for path in built if os.path.exists(path)]
    if built:
        return max(built, key=os.path.getmtime)
    pytest.skip("the program is not built: cargo build --release")


@pytest.mark.parametrize(
    ("words", "make"),
    [
        (["pds", "--dt", "1/64", "--segment-size", "100"], lambda f: er.pds(f, dt=1 / 64, segment_size=100)),
        (["pds", "--pi", "10:40", "--norm", "frac"], lambda f: er.pds(f, pi=(10, 40), norm="frac")),
        (
            ["cs", "--subject-pi", "10:20", "--ref-pi", "21:40", "--dt", "1/16", "--rebin-log", "0.2"],
            lambda f: er.cs(f, subject=(10, 20), ref=(21, 40), channels=True, dt=1 / 16, rebin_log=0.2),
        ),
        (["lc", "--dt", "10"], lambda f: er.lc(f, dt=10)),
        (["ls", "--dt", "1", "--freq", "0.01:0.4"], lambda f: er.ls(f, dt=1, freq=(0.01, 0.4))),
        (["search", "--freq", "6.5:6.7"], lambda f: er.search(f, freq=(6.5, 6.7))),
        (["fold", "--f", "6.5961"], lambda f: er.fold(f, f="6.5961")),
    ],
)
def test_numbers_are_those_of_the_program(words, make, b1509, tmp_path):
    out = tmp_path / "product.json"
    subprocess.run([program(), words[0], b1509, *words[1:], "-o", out, "--quiet"], check=True)
    with quiet():
        expected, found = er.read(out), make(b1509)
    assert expected.colnames == found.colnames
    for name in found.colnames:
        np.testing.assert_array_equal(found[name], expected[name], err_msg=name)


def test_facts_are_those_of_the_program(b1509):
    told = subprocess.run([program(), "info", b1509, "--json"], check=True, capture_output=True, text=True)
    expected = json.loads(told.stdout)[0]
    expected.pop("selected")
    assert er.info(b1509) == [expected]


def test_a_pulsar_is_simulated_found_folded_and_timed(tmp_path):
    path = tmp_path / "pulsar.evt"
    made = er.simulate(path, rate=50, length=1000, model=["pulsar:7.1:0.5"], seed=3, frame_time="none")
    assert abs(made["events"] - 50_000) < 2000
    with pytest.raises(er.FileError):
        er.simulate(path)
    with quiet():
        best = er.search(path, freq=(7, 7.2)).candidates[0]
        assert abs(best["freq"] - 7.1) < 4 * best["freq_err"] < 1e-4
        profile = er.fold(path, f=7.1, nbin=16)
        times = er.toas(path, f=7.1, length=100, template="sinusoid", nbin=16)
        edges, rate = er.phaseogram(path, f=7.1, rows=8, nbin=16)
    # The sinusoid is brightest a quarter of a cycle after its phase 0.
    assert len(times) == 10
    assert np.abs((times.shift - 0.25) / times.shift_err).max() < 5
    assert all(isinstance(mjd, Decimal) for mjd in times.mjd) and len(times.mjd) == 10 and times.chi2 < 40
    assert edges.shape == (9,) and rate.shape == (8, 16)
    np.testing.assert_allclose(np.nanmean(rate, axis=0), profile.rate, rtol=0.02)


def test_terms_of_a_model_are_text_or_tuples(tmp_path):
    for i, model in enumerate(["lorentzian:4:Q=8:0.3", ("lorentzian", 4, 0.5, 0.3)]):
        with quiet():
            er.simulate(tmp_path / f"{i}.evt", length=50, model=[model], seed=2)
    assert (tmp_path / "0.evt").read_bytes() == (tmp_path / "1.evt").read_bytes()
    for wrong in ("lorentzian:4", "nothing:1", ("pulsar", "x", 1)):
        with pytest.raises(er.OptionError, match="model"):
            er.simulate(tmp_path / "wrong.evt", model=[wrong])


def test_energies_of_a_simulation_give_lags_of_bands(tmp_path):
    path = tmp_path / "lag.evt"
    er.simulate(
        path,
        mission="nustar",
        rate=[200, 200],
        length=1000,
        model=["powerlaw:1:0.4"],
        bands=((3, 10), (10, 30)),
        lag=0.05,
        seed=5,
    )
    with quiet():
        lag = er.cs(path, subject=(3, 10), ref=(10, 30), dt=1 / 32, segment_size=32).lag(0.1, 1)
        energy = er.varenergy(path, energies=[3, 10, 30], freq=(0.1, 1), dt=1 / 32, segment_size=32)
    assert abs(lag["lag_time"] - 0.05) < 4 * lag["lag_time_err"]
    assert list(energy.energy_lo) == [3, 10] and energy.units["value"] == "s"


def test_statistics_are_those_of_the_program():
    def told(*words):
        ran = subprocess.run([program(), "stats", *words, "--json"], check=True, capture_output=True, text=True)
        return json.loads(ran.stdout)

    def given(text):
        return text.split()

    assert er.stats.power_to_p(40.0, m=3, k=2, trials=1e6) == told(
        *given("power-to-p --power 40 --m 3 --k 2 --trials 1e6")
    )
    assert er.stats.p_to_power(log10_p=-20.0, m=7) == told(*given("p-to-power --log10-p -20 --m 7"))
    assert er.stats.amplitude(power=50.0, photons=1e4, freq=100.0, dt=0.001, background=0.2) == told(
        *given("amplitude --power 50 --photons 1e4 --freq 100 --dt 0.001 --background 0.2")
    )
    assert er.stats.amplitude(fraction=0.1, photons=1e4, centred=True) == told(
        *given("amplitude --fraction 0.1 --photons 1e4 --centred")
    )
    assert er.stats.poisson(5, sigma=2.0) == told(*given("poisson --counts 5 --sigma 2"))
    # White noise of one segment and frequency: p = exp(-P/2).
    assert er.stats.power_to_p(10.0)["p"] == pytest.approx(np.exp(-5.0), rel=1e-12)
    assert er.stats.p_to_power(0.01)["power"] == pytest.approx(-2 * np.log(0.01), rel=1e-9)
    for wrong in [
        lambda: er.stats.power_to_p(10.0, m=0),
        lambda: er.stats.power_to_p(-1.0),
        lambda: er.stats.p_to_power(1.0),
        lambda: er.stats.amplitude(power=5.0, photons=10.0, background=1.0),
        lambda: er.stats.poisson(5, sigma=0.0),
    ]:
        with pytest.raises(er.OptionError):
            wrong()


def test_halves_that_are_joined_are_the_whole(times):
    options = {"dt": 1 / 16, "segment_size": 10.0}
    whole = er.pds(times, gti=[(0, 1000)], **options)
    halves = [
        er.pds(times[k], gti=[gti], **options) for k, gti in ((times < 500, (0, 500)), (times >= 500, (500, 1000)))
    ]
    joined = er.join(halves)
    assert joined.segments == whole.segments == 100
    np.testing.assert_allclose(joined.power, whole.power, rtol=1e-12)
    curves = er.join(
        [er.lc(times[times < 500], gti=[(0, 500)], dt=1.0), er.lc(times[times >= 500], gti=[(500, 1000)], dt=1.0)]
    )
    np.testing.assert_array_equal(curves.counts, er.lc(times, gti=[(0, 1000)], dt=1.0).counts)
    with pytest.raises(er.Error):
        er.join([whole, whole])
    with pytest.raises(er.OptionError, match="parts"):
        er.join([whole, curves])


def test_noisy_detectors_are_left_out(tmp_path):
    fits = pytest.importorskip("astropy.io.fits")
    path = tmp_path / "nicer.evt"
    er.simulate(path, mission="nicer", rate=50, length=100, seed=3, frame_time="none")
    with fits.open(path, mode="update") as file:
        names = [column.name for column in file[1].columns]
        if "DET_ID" not in names:
            detectors = np.resize(np.array([10, 11, 14, 34], dtype=np.int16), len(file[1].data))
            columns = file[1].columns + fits.ColDefs([fits.Column("DET_ID", "I", array=detectors)])
            file[1] = fits.BinTableHDU.from_columns(columns, header=file[1].header)
        else:
            file[1].data["DET_ID"] = np.resize([10, 11, 14, 34], len(file[1].data))
    with quiet():
        all_of, kept = er.lc(path, dt=1.0), er.lc(path, dt=1.0, exclude_detector=[14, 34])
        only = er.lc(path, dt=1.0, detector=[10, 11])
    np.testing.assert_array_equal(kept.counts, only.counts)
    assert abs(2 * kept.counts.sum() - all_of.counts.sum()) < 4
    with pytest.raises(er.OptionError, match="exclude_detector"):
        er.lc(path, dt=1.0, exclude_detector=[14], detector=[10])
    with pytest.warns(er.EaglerayWarning, match="W-NO-DETECTOR"):
        er.lc(path, dt=1.0, exclude_detector=[14, 99])
