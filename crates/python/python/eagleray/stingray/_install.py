"""Putting functions in the place of Stingray's, and back."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import stingray

from .._errors import Error
from . import _core

#: The version of Stingray whose inside is known.
VERSION = "2.3.2"

_lock = threading.RLock()
#: Originals and what stands in their place: functions, which any module of Stingray may have imported.
_functions: list[tuple[Any, Any]] = []
#: Classes, methods, originals and what stands in their place.
_methods: list[tuple[type, str, Any, Any]] = []
#: Contexts that are open; and whether names are replaced beyond them.
_contexts = 0
_installed = False
_active = False


def _refuse_others() -> None:
    if stingray.__version__ != VERSION:
        raise Error(
            f"Stingray {stingray.__version__} is installed, and only the inside of {VERSION} is known: install stingray=={VERSION}, or "
            "use Stingray as it is"
        )


def _declare() -> None:
    """Makes what stands in the place of Stingray's functions, once."""
    if _functions:
        return
    import stingray.fourier as fourier
    import stingray.pulse.accelsearch as accelsearch
    import stingray.pulse.search as search
    import stingray.utils as utils
    import stingray.varenergyspectrum as energy

    from . import _accel, _bands, _fourier, _histogram, _pulse

    def function(module: Any, name: str, ours: Callable[..., Any], counted: str | None = None) -> None:
        original = getattr(module, name)
        _functions.append((original, _core.seam(counted or name, ours, original)))

    for name in (
        "avg_pds_from_timeseries",
        "avg_pds_from_iterable",
        "avg_cs_from_timeseries",
        "avg_cs_from_iterables",
        "avg_cs_from_iterables_quick",
    ):
        function(fourier, name, getattr(_fourier, name))
    for name in ("z_n_search", "epoch_folding_search", "phase_dispersion_search"):
        function(search, name, getattr(_pulse, name))
    function(accelsearch, "_calculate_all_convolutions", _accel.calculate_all_convolutions, "accelsearch")
    function(utils, "histogram", _histogram.histogram)
    _functions.append((fourier.get_average_ctrate, _bands.average_rate(fourier.get_average_ctrate)))

    def method(kind: type, made: Callable[[Callable[[Any], Any]], Callable[[Any], Any]]) -> None:
        original = kind.__dict__["_spectrum_function"]
        counted = f"{kind.__name__}._spectrum_function"
        _methods.append((kind, "_spectrum_function", original, _core.seam(counted, made(original), original)))

    for kind, paired in (
        (energy.RmsSpectrum, True),
        (energy.LagSpectrum, False),
        (energy.ComplexCovarianceSpectrum, False),
    ):
        name = f"{kind.__name__}._spectrum_function"
        method(kind, lambda original, name=name, paired=paired: _bands.one_pass(name, paired, original))  # type: ignore[misc]
    method(energy.CountSpectrum, _bands.count_spectrum)


def _swap(forth: bool) -> None:
    """Replaces the names in all modules of Stingray that are loaded, or puts the originals back."""
    global _active
    if forth == _active:
        return
    swapped = {id(old if forth else new): (old, new) for old, new in _functions}
    for name, module in list(sys.modules.items()):
        if name != "stingray" and not name.startswith("stingray."):
            continue
        for attribute, value in list(vars(module).items()):
            pair = swapped.get(id(value))
            if pair is not None:
                setattr(module, attribute, pair[1] if forth else pair[0])
    for kind, attribute, old, new in _methods:
        if kind.__dict__.get(attribute) is (old if forth else new):
            setattr(kind, attribute, new if forth else old)
    _active = forth


def install() -> None:
    """Lets eagleray answer what Stingray is asked, from here on, in all threads.

    Names that other modules imported from Stingray before keep the functions of Stingray.

    Raises
    ------
    Error
        Another version of Stingray than `VERSION` is installed.
    """
    global _installed
    _refuse_others()
    with _lock:
        _declare()
        _installed = True
        _swap(True)


def uninstall() -> None:
    """Puts the functions of Stingray back, unless a `backend` context is still open: then when the last one ends."""
    global _installed
    with _lock:
        _installed = False
        if _contexts == 0:
            _swap(False)


@contextmanager
def backend(device: str = "cpu") -> Iterator[None]:
    """Lets eagleray answer within a context, which may hold others.

    Parameters
    ----------
    device : {"cpu", "gpu", "auto"}
        The device that calls of this thread or task ask for. So far the CPU answers all of them, in f64; `stats` has the number of those
        that asked for another device under ``on_cpu``.

    Raises
    ------
    Error
        Another version of Stingray than `VERSION` is installed.
    """
    global _contexts
    if device not in ("cpu", "gpu", "auto"):
        raise ValueError(f"device {device!r} is none of cpu, gpu, auto")
    _refuse_others()
    with _lock:
        _declare()
        _contexts += 1
        _swap(True)
    before = _core.device.set(None if device == "cpu" else device)
    try:
        yield
    finally:
        _core.device.reset(before)
        with _lock:
            _contexts -= 1
            if _contexts == 0 and not _installed:
                _swap(False)


def stats() -> dict[str, Any]:
    """How many calls were answered, and why others were left to Stingray.

    Returns
    -------
    dict
        ``{"answered": n, "fell_back": {reason: n}, "by_function": {name: {"answered": n, "fell_back": {reason: n}}}}``, and
        ``on_cpu``: how often the CPU answered calls that asked for another device. What was answered is counted where the work was done.
    """
    functions: dict[str, dict[str, Any]] = {
        name: {"answered": count, "fell_back": {}} for name, count in _core.seams.answered()
    }
    reasons: dict[str, int] = {}
    for name, reason, count in _core.seams.fallen_back():
        functions[name]["fell_back"][reason] = count
        reasons[reason] = reasons.get(reason, 0) + count
    used = {name: one for name, one in functions.items() if one["answered"] or one["fell_back"]}
    answered = sum(one["answered"] for one in used.values())
    return {"answered": answered, "fell_back": reasons, "by_function": used, "on_cpu": sum(_core.on_cpu.values())}


def forget_stats() -> None:
    """Counts from zero again."""
    _core.seams.forget()
    _core.on_cpu.clear()
