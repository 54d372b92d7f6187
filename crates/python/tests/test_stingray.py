"""Functions of Stingray answered by eagleray: what they return is what Stingray returns, to rounding."""

from __future__ import annotations

import multiprocessing
import sys
import threading
from typing import Any

import numpy as np
import pytest

stingray = pytest.importorskip("stingray")
import eagleray.stingray as seams
from stingray import fourier, utils
from stingray.events import EventList
from stingray.varenergyspectrum import (
    ComplexCovarianceSpectrum,
    CountSpectrum,
    CovarianceSpectrum,
    LagSpectrum,
    RmsSpectrum,
)
from stingray_pairs import DT, GTI, SEGMENT, both, close, reason, same_tables


@pytest.mark.parametrize("norm", ["leahy", "frac", "abs", "none"])
@pytest.mark.parametrize("common", [True, False])
@pytest.mark.parametrize("rows", [True, False])
@pytest.mark.parametrize("segment_size", [SEGMENT, 3.999, None])
def test_power_of_events(made: Any, norm: str, common: bool, rows: bool, segment_size: Any) -> None:
    gti = GTI if segment_size else GTI[1:]
    times = made["times"][0] if segment_size else made["times"][0][made["times"][0] > gti[0, 0]]

    def call() -> Any:
        return fourier.avg_pds_from_timeseries(
            times, gti, segment_size, DT, norm=norm, use_common_mean=common, silent=True, return_subcs=rows
        )

    same_tables(*both("avg_pds_from_timeseries", call))


@pytest.mark.parametrize("kind", ["flux", "errors", "complex", "whole", "integers", "strided"])
@pytest.mark.parametrize("common", [True, False])
def test_power_of_flux(made: Any, kind: str, common: bool) -> None:
    bins, flux, errors, segment = made["bins"], made["fluxes"][0], None, SEGMENT
    if kind == "errors":
        errors = made["errors"][0]
    if kind == "complex":
        flux = flux + 1j * made["fluxes"][1]
    if kind == "whole":
        segment = None
    if kind == "integers":
        flux = np.rint(flux).astype(int)
    if kind == "strided":
        flux = np.repeat(flux, 2)[::2]
    norms = ["abs"] if kind == "complex" else ["leahy", "frac"]
    for norm in norms:

        def call() -> Any:
            return fourier.avg_pds_from_timeseries(
                bins,
                GTI,
                segment,
                DT,
                norm=norm,
                use_common_mean=common,
                silent=True,
                fluxes=flux,
                errors=errors,
                return_subcs=True,
            )

        same_tables(*both("avg_pds_from_timeseries", call))


@pytest.mark.parametrize("common", [True, False])
@pytest.mark.parametrize("full", [True, False])
@pytest.mark.parametrize("power_type", ["all", "real", "abs"])
@pytest.mark.parametrize("more", [True, False])
@pytest.mark.parametrize("kind", ["events", "flux", "errors", "mixed"])
def test_cross(made: Any, common: bool, full: bool, power_type: str, more: bool, kind: str) -> None:
    given: dict[str, Any] = {}
    times = made["times"]
    if kind in ("flux", "errors"):
        times = [made["bins"]] * 2
        given.update(fluxes1=made["fluxes"][0], fluxes2=made["fluxes"][1])
    if kind == "errors":
        given.update(errors1=made["errors"][0], errors2=made["errors"][1])
    if kind == "mixed":
        times = [made["bins"], made["times"][1]]
        given.update(fluxes1=made["fluxes"][0], errors1=made["errors"][0])
    for norm in ["leahy", "frac", "abs", "none"]:

        def call() -> Any:
            return fourier.avg_cs_from_timeseries(
                *times,
                GTI,
                SEGMENT,
                DT,
                norm=norm,
                use_common_mean=common,
                fullspec=full,
                silent=True,
                power_type=power_type,
                return_auxil=more,
                return_subcs=more,
                **given,
            )

        same_tables(*both("avg_cs_from_timeseries", call))


def test_cross_of_complex_flux(made: Any) -> None:
    fluxes = [made["fluxes"][0] + 1j * made["fluxes"][1], made["fluxes"][1]]
    for full in (True, False):

        def call() -> Any:
            return fourier.avg_cs_from_timeseries(
                made["bins"],
                made["bins"],
                GTI,
                SEGMENT,
                DT,
                norm="leahy",
                fullspec=full,
                silent=True,
                fluxes1=fluxes[0],
                fluxes2=fluxes[1],
            )

        same_tables(*both("avg_cs_from_timeseries", call))


def segments(made: Any, side: int, errors: bool) -> Any:
    """An iterable of segments, some of which do not count."""
    for i in range(40):
        flux = np.rint(made["fluxes"][side][100 * i : 100 * i + 100])
        if i % 7 == 3:
            yield None
        elif i % 7 == 4 and not errors:
            yield np.zeros(100)
        else:
            yield (flux, made["errors"][side][:100]) if errors else flux


@pytest.mark.parametrize("errors", [True, False])
@pytest.mark.parametrize("common", [True, False])
def test_iterables(made: Any, errors: bool, common: bool) -> None:
    def power() -> Any:
        return fourier.avg_pds_from_iterable(
            segments(made, 0, errors), DT, norm="leahy", use_common_mean=common, silent=True, return_subcs=True
        )

    def cross() -> Any:
        return fourier.avg_cs_from_iterables(
            segments(made, 0, errors),
            segments(made, 1, errors),
            DT,
            norm="leahy",
            use_common_mean=common,
            silent=True,
            return_auxil=True,
        )

    same_tables(*both("avg_pds_from_iterable", power))
    same_tables(*both("avg_cs_from_iterables", cross))
    if not errors:

        def quick() -> Any:
            return fourier.avg_cs_from_iterables_quick(segments(made, 0, False), segments(made, 1, False), DT)

        same_tables(*both("avg_cs_from_iterables_quick", quick))


def test_iterables_without_segments() -> None:
    ours, peer = both(
        "avg_pds_from_iterable", lambda: fourier.avg_pds_from_iterable([None, np.zeros(9)], 1.0, silent=True)
    )
    assert ours is None and peer is None
    segments = [np.ones(8), np.ones(9)]
    with seams.backend(), pytest.raises(ValueError, match="8 and of 9 bins"):
        fourier.avg_pds_from_iterable(segments, 1.0, silent=True)


def test_what_iterables_gave_is_not_lost(made: Any) -> None:
    def given() -> Any:
        return iter([made["fluxes"][0][:100].astype(np.longdouble), made["fluxes"][0][100:200].astype(np.longdouble)])

    peer = fourier.avg_pds_from_iterable(given(), dt=DT, silent=True)
    assert reason(lambda: fourier.avg_pds_from_iterable(given(), dt=DT, silent=True)) == {
        "segments have more than 64 bits"
    }
    with seams.backend():
        ours = fourier.avg_pds_from_iterable(flux_iterable=given(), dt=DT, silent=True)
    assert ours.meta["m"] == 2 and np.array_equal(ours["power"], peer["power"])


def test_times_of_more_digits(made: Any) -> None:
    """Long doubles lose nothing before the start of their segment is subtracted."""
    steps = np.arange(200, 15_000).astype(np.longdouble) * DT
    times = np.longdouble(500_000_000) + steps - np.longdouble(1e-9) * (np.arange(len(steps)) % 3)
    gti = GTI + 500_000_000
    same_tables(
        *both("avg_pds_from_timeseries", lambda: fourier.avg_pds_from_timeseries(times, gti, SEGMENT, DT, silent=True))
    )
    rounded = fourier.avg_pds_from_timeseries(times.astype(float), gti, SEGMENT, DT, silent=True)
    with seams.backend():
        ours = fourier.avg_pds_from_timeseries(times, gti, SEGMENT, DT, silent=True)
    assert not np.allclose(ours["power"], rounded["power"], rtol=1e-9)


def test_unsorted_times(made: Any) -> None:
    times = made["times"][0].copy()
    times[100:20_000:7] = times[100:20_000:7][::-1]
    same_tables(
        *both("avg_pds_from_timeseries", lambda: fourier.avg_pds_from_timeseries(times, GTI, SEGMENT, DT, silent=True))
    )


def test_many_short_segments(made: Any) -> None:
    gti = np.array([[0.0, 310.0]])
    for times in (made["times"][0], made["times"][0][::50]):
        ours, peer = both(
            "avg_pds_from_timeseries",
            lambda: fourier.avg_pds_from_timeseries(
                times, gti, 0.125, DT, use_common_mean=False, norm="leahy", silent=True
            ),
        )
        same_tables(ours, peer)


@pytest.mark.parametrize("two", [True, False])
@pytest.mark.parametrize("kind", [LagSpectrum, RmsSpectrum, CovarianceSpectrum, ComplexCovarianceSpectrum])
@pytest.mark.parametrize("ref_band", [[0.3, 12], [2.0, 9.0]])
@pytest.mark.filterwarnings("ignore")
def test_energy_spectra(made: Any, two: bool, kind: Any, ref_band: Any) -> None:
    lists = [EventList(t, energy=e, gti=GTI) for t, e in zip(made["times"], made["energies"])]
    more = {"events2": lists[1]} if two else {}
    name = "ComplexCovarianceSpectrum" if kind is CovarianceSpectrum else kind.__name__
    for spec in [(0.3, 12, 7, "log"), [0.3, 0.301, 5, 14]]:

        def call() -> Any:
            made = kind(
                lists[0],
                freq_interval=[1, 10],
                energy_spec=spec,
                ref_band=ref_band,
                bin_time=DT,
                segment_size=SEGMENT,
                **more,
            )
            assert "_get_times_from_energy_range" not in vars(made)
            return made

        ours, peer = both(f"{name}._spectrum_function", call)
        close(ours.spectrum, peer.spectrum, 1e-11)
        close(ours.spectrum_error, peer.spectrum_error, 1e-11)


def test_count_spectrum(made: Any) -> None:
    events = EventList(made["times"][0], energy=made["energies"][0], gti=GTI)
    ours, peer = both("CountSpectrum._spectrum_function", lambda: CountSpectrum(events, [0.3, 2, 5, 9]))
    close(ours.spectrum, peer.spectrum, 0)
    close(ours.spectrum_error, peer.spectrum_error, 0)


def names() -> dict[tuple[str, str], int]:
    """All functions of the loaded modules of Stingray."""
    found = {}
    for module_name, module in list(sys.modules.items()):
        if module_name.split(".")[0] == "stingray":
            found.update({(module_name, key): id(value) for key, value in vars(module).items() if callable(value)})
    for kind in (LagSpectrum, RmsSpectrum, ComplexCovarianceSpectrum, CountSpectrum):
        found[(kind.__name__, "_spectrum_function")] = id(kind.__dict__["_spectrum_function"])
    return found


def test_names_are_put_back() -> None:

    before = names()
    seams.install()
    during = names()
    changed = {key for key in before if before[key] != during[key]}
    assert ("stingray.fourier", "avg_pds_from_timeseries") in changed
    assert ("stingray.powerspectrum", "avg_pds_from_timeseries") in changed
    assert ("stingray.varenergyspectrum", "avg_cs_from_timeseries") in changed
    assert ("stingray.pulse", "z_n_search") in changed
    assert ("stingray.events", "histogram") in changed
    with seams.backend(), seams.backend():
        assert names() == during
    assert names() == during
    seams.uninstall()
    assert names() == before
    with seams.backend():
        with seams.backend("cpu"):
            pass
        assert names() == during
        seams.install()
        seams.uninstall()
        assert names() == during
    assert names() == before


def test_other_versions_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    import eagleray as er

    monkeypatch.setattr(stingray, "__version__", "2.4")
    before = names()
    with pytest.raises(er.Error, match=r"Stingray 2\.4 is installed.*2\.3\.2"):
        seams.install()
    with pytest.raises(er.Error), seams.backend():
        pass
    assert names() == before


def test_what_is_left_is_counted(made: Any) -> None:
    times = made["times"][0]
    power = fourier.avg_pds_from_timeseries
    assert reason(lambda: fourier.avg_pds_from_timeseries(times, GTI, SEGMENT, DT, norm="odd")) == {
        "the normalisation is unknown"
    }
    assert reason(lambda: fourier.avg_pds_from_timeseries(list(times), GTI, SEGMENT, DT)) == {
        "times are no plain array of one dimension"
    }
    assert reason(lambda: utils.histogram(times)) == {"no equal bins are given"}
    assert seams.stats()["answered"] == 0
    assert fourier.avg_pds_from_timeseries is power


def test_errors_are_those_of_stingray(made: Any) -> None:
    with seams.backend():
        with pytest.raises(AssertionError, match="No GTIs"):
            fourier.avg_pds_from_timeseries(made["times"][0], GTI, 1000.0, DT, silent=True)
        with pytest.raises(ValueError, match="Unknown value for the norm"):
            fourier.avg_pds_from_timeseries(made["times"][0], GTI, SEGMENT, DT, norm="odd", silent=True)


def test_threads(made: Any) -> None:
    """Contexts of several threads end in any order; answers do not depend on them."""
    peer = fourier.avg_pds_from_timeseries(made["times"][0], GTI, SEGMENT, DT, silent=True)
    before, wrong = names(), []

    def work() -> None:
        for _ in range(10):
            with seams.backend():
                ours = fourier.avg_pds_from_timeseries(made["times"][0], GTI, SEGMENT, DT, silent=True)
            if not np.allclose(ours["power"], peer["power"], rtol=1e-13):
                wrong.append(ours)

    threads = [threading.Thread(target=work) for _ in range(4)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert not wrong and names() == before


def child(queue: Any, times: Any) -> None:
    with seams.backend():
        queue.put(np.array(fourier.avg_pds_from_timeseries(times, GTI, SEGMENT, DT, silent=True)["power"]))


@pytest.mark.skipif(not hasattr(__import__("os"), "fork"), reason="no fork")
@pytest.mark.filterwarnings("ignore")
def test_children_of_a_fork_answer(made: Any) -> None:
    times = np.sort(np.random.default_rng(6).uniform(0, 310, 2_000_000))
    with seams.backend():
        here = np.array(fourier.avg_pds_from_timeseries(times, GTI, SEGMENT, DT, silent=True)["power"])
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    process = context.Process(target=child, args=(queue, times))
    process.start()
    there = queue.get(timeout=60)
    process.join()
    assert np.array_equal(here, there)
