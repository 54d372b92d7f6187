"""What the tests of Stingray's functions share: observations, and both answers side by side."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

stingray = pytest.importorskip("stingray")
import eagleray.stingray as seams

DT, SEGMENT = 1 / 64, 4.0
GTI = np.array([[3.0, 100.25], [120.5, 300.75]])


def close(ours: Any, peer: Any, bound: float = 2e-14) -> None:
    """Equal to a few roundings of the largest value."""
    ours, peer = np.asarray(ours), np.asarray(peer)
    assert ours.shape == peer.shape and ours.dtype == peer.dtype
    if peer.size:
        scale = np.nanmax(np.abs(peer)) if np.any(peer == peer) else 1.0
        assert np.array_equal(np.isnan(ours), np.isnan(peer))
        assert np.nanmax(np.abs(ours - peer), initial=0) <= bound * scale


def same_tables(ours: Any, peer: Any) -> None:
    """The same columns and metadata."""
    if peer is None:
        assert ours is None
        return
    assert ours.colnames == peer.colnames
    for name in peer.colnames:
        close(ours[name], peer[name])
    assert set(ours.meta) == set(peer.meta)
    for key, value in peer.meta.items():
        if value is None or isinstance(value, (str, bool)):
            assert ours.meta[key] == value, key
        elif key.endswith("subcs"):
            assert type(ours.meta[key]) is type(value)
            close(np.array(ours.meta[key]), np.array(value))
        else:
            close(ours.meta[key], value)


def both(name: str, function: Callable[[], Any]) -> tuple[Any, Any]:
    """What eagleray returns, which it must answer, and what Stingray does."""
    peer = function()
    before = seams.stats()["by_function"].get(name, {"answered": 0})["answered"]
    with seams.backend():
        ours = function()
    after = seams.stats()["by_function"].get(name, {"answered": 0, "fell_back": {}})
    assert after["answered"] == before + 1, after["fell_back"]
    return ours, peer


def reason(function: Callable[[], Any]) -> set[str]:
    """Why a call was left to Stingray."""
    seams.forget_stats()
    with seams.backend():
        try:
            function()
        except Exception:
            pass
    return set(seams.stats()["fell_back"])
