"""Searches and histograms of Stingray answered by eagleray: what they return is what Stingray returns, to rounding."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

stingray = pytest.importorskip("stingray")
from stingray import utils
from stingray.pulse import accelsearch, search
from stingray_pairs import DT, both, close


@pytest.mark.parametrize("fdots", [0, np.array([-1e-5, 0, 2e-5])])
@pytest.mark.parametrize("segment_size", [np.inf, 75.0])
@pytest.mark.parametrize("kind", ["plain", "weights", "exposure"])
@pytest.mark.filterwarnings("ignore")
def test_searches(made: Any, fdots: Any, segment_size: float, kind: str) -> None:
    times = made["times"][0][:5000]
    frequencies = np.array([0.11, 0.37, 1.0, 3.0001, 17.7])
    given: dict[str, Any] = {"segment_size": segment_size, "fdots": fdots, "nbin": 20}
    if kind == "weights":
        given["weights"] = np.random.default_rng(3).uniform(0.5, 2, len(times))
    if kind == "exposure":
        given.update(expocorr=True, gti=np.array([[times[0], 20.0], [30.0, 70.3]]))
    calls: list[tuple[str, Callable[[], Any]]] = [
        ("z_n_search", lambda: search.z_n_search(times, frequencies, nharm=3, **given)),
        ("epoch_folding_search", lambda: search.epoch_folding_search(times, frequencies, **given)),
    ]
    for name, call in calls:
        ours, peer = both(name, call)
        assert len(ours) == len(peer)
        for one, other in zip(ours[:-1], peer[:-1]):
            close(one, other, 0)
        close(ours[-1], peer[-1], 1e-11)


def test_profiles_are_equal(made: Any) -> None:
    """Frequencies at which times are at edges of bins: one event in another bin would be seen."""
    times = np.round(made["times"][0], 2)
    frequencies = np.arange(1, 40) * 0.5
    ours, peer = both("epoch_folding_search", lambda: search.epoch_folding_search(times, frequencies, nbin=50))
    close(ours[1], peer[1], 1e-12)


@pytest.mark.filterwarnings("ignore")
def test_phase_dispersion(made: Any) -> None:
    times, flux = made["bins"][:4000], made["fluxes"][0][:4000]
    frequencies = np.array([0.113, 0.37, 1.07, 2.01, 8.0])

    def call() -> Any:
        return search.phase_dispersion_search(times, flux, frequencies, nbin=16, segment_size=30)

    ours, peer = both("phase_dispersion_search", call)
    close(ours[1], peer[1], 1e-11)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("interbin", [True, False])
@pytest.mark.parametrize("zmax", [10, 60])
def test_acceleration_search(interbin: bool, zmax: int) -> None:
    random = np.random.default_rng(4)
    times = np.arange(0.5, 64 / DT) * DT
    signal = random.poisson(3 * (1 + 0.6 * np.sin(2 * np.pi * (5.1 * times + 0.5 * 0.003 * times**2)))).astype(float)

    def call() -> Any:
        return accelsearch.accelsearch(
            times, signal, zmax=zmax, delta_z=2, fmin=1, fmax=20, nproc=1, interbin=interbin, det_p_value=0.5
        )

    ours, peer = both("accelsearch", call)
    assert len(ours) == len(peer) > 0
    for name in ("frequency", "fdot", "power"):
        close(np.array(ours[name]), np.array(peer[name]), 1e-11)


@pytest.mark.parametrize("count", [10, 100_000, 3_000_000])
def test_histograms(count: int) -> None:
    random = np.random.default_rng(5)
    values, weights = random.normal(3, 2, count), random.uniform(0, 1, count)
    for bins in (1, 17, 100_000):
        ours, peer = both("histogram", lambda: utils.histogram(values, bins=bins, range=[1, 5]))
        close(ours, peer, 0)
        ours, peer = both("histogram", lambda: utils.histogram(values, bins=bins, range=(1, 5.5), weights=weights))
        close(ours, peer, 1e-12)
