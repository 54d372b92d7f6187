"""What the tests share: a real file, and times."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

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


@contextmanager
def quiet() -> Iterator[None]:
    """Without eagleray's warnings, where they are not what is tested."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", er.EaglerayWarning)
        yield
