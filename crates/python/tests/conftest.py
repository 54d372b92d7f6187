"""What the tests share: a real file, and times."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import eagleray as er
import numpy as np
import pytest

ROOT = Path(os.environ.get("EAGLERAY_ROOT", Path(__file__).parents[3]))


@pytest.fixture(scope="session")
def b1509() -> str:
    """A real event file: PSR B1509-58 by RXTE."""
    return str(ROOT / "examples/data/b1509.fits")


@pytest.fixture
def times() -> np.ndarray:
    """Events of a constant source: 1000 s of 20 counts/s."""
    random = np.random.default_rng(1)
    return np.sort(random.uniform(0, 1000, 20_000))


@pytest.fixture(scope="session")
def made() -> dict[str, Any]:
    """Events of two detectors, and fluxes of bins."""
    from stingray_pairs import DT

    random = np.random.default_rng(2)
    times = [np.sort(random.uniform(0, 310, count)) for count in (30_000, 20_000)]
    energies = [random.uniform(0.3, 12, len(one)) for one in times]
    bins = np.arange(0.5, 310 / DT) * DT
    fluxes = [random.poisson(3, len(bins)).astype(float) + random.normal(0, 0.1, len(bins)) for _ in range(2)]
    errors = [np.full(len(bins), 0.5) + random.uniform(0, 0.1, len(bins)) for _ in range(2)]
    return {"times": times, "energies": energies, "bins": bins, "fluxes": fluxes, "errors": errors}


@contextmanager
def quiet() -> Iterator[None]:
    """Without eagleray's warnings, where they are not what is tested."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", er.EaglerayWarning)
        yield
