"""The convolutions of the acceleration search."""

from __future__ import annotations

from typing import Any

import numpy as np

from ._core import Unanswered, plain, seams


def calculate_all_convolutions(
    A: Any,
    responses: Any,
    freq_intv_to_search: Any,
    detlev: Any,
    debug: Any = False,
    interbin: Any = False,
    nproc: Any = 4,
) -> tuple[list[float], list[int], list[float]]:
    """As in Stingray, in this process; candidates are in the order of responses."""
    spectrum = np.require(plain(A, "the spectrum", complex_too=True), np.complex128, ["C", "A"])
    shapes = [np.require(np.atleast_1d(response), np.complex128, ["C", "A"]) for response in responses]
    if any(shape.size > spectrum.size for shape in shapes):
        raise Unanswered("responses longer than the spectrum")
    searched = np.flatnonzero(freq_intv_to_search)
    wanted = (int(searched[0]), int(searched[-1]) + 1) if searched.size else (0, 0)
    if wanted[1] - wanted[0] != searched.size or (interbin and searched.size == 0):
        raise Unanswered("frequencies that are no interval")
    places, found, powers = seams.convolve(["accelsearch"], spectrum, shapes, wanted, float(detlev), bool(interbin))
    return places.tolist(), found, powers.tolist()
