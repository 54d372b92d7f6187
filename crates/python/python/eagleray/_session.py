"""Where and how analyses are computed."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal

import numpy as np

from . import _eagleray
from ._arguments import count, flag
from ._errors import OptionTypeError, refused

Progress = Callable[[int, int], object]
Backend = Literal["auto", "cpu", "gpu"]


class Session:
    """A device and how it is used. Functions make one of their own by default; `Session` is for those who choose.

    Parameters
    ----------
    backend : {"auto", "cpu", "gpu"}
        The CPU, a GPU, or (auto) a real GPU where there is one, for all but event files, which the CPU does faster.
    adapter : int or str, optional
        A GPU by its number or a part of its name in `devices`.
    gpu_profile : {"auto", "native", "portable"}
        Capabilities of the GPU to use.
    precision : {"single", "double"}, optional
        Precision of the transforms on a GPU; the CPU has double precision.
    threads : int, optional
        Worker threads of the CPU; all cores by default.
    strict : bool
        Warnings are errors.
    progress : bool or callable
        True: a bar on standard error (of tqdm, where it is installed). A callable is given the steps that are done and all that there
        are, 0 where nobody knows; it is called ten times a second in the thread that waits, and an exception of it ends the run.

    Notes
    -----
    The device is opened when it is first used. Runs release the interpreter, and end within a second of Ctrl-C. Threads and devices do
    not survive `fork`: processes are to be started by ``multiprocessing.get_context("spawn")``.
    """

    def __init__(
        self,
        backend: Backend = "auto",
        *,
        adapter: int | str | None = None,
        gpu_profile: Literal["auto", "native", "portable"] = "auto",
        precision: Literal["single", "double"] | None = None,
        threads: int | None = None,
        strict: bool = False,
        progress: bool | Progress = False,
    ) -> None:
        if backend not in BACKENDS:
            raise refused("backend", backend, "'auto', 'cpu' or 'gpu' is needed", of_type=not isinstance(backend, str))
        if adapter is not None and (isinstance(adapter, bool) or not isinstance(adapter, (int, np.integer, str))):
            raise refused("adapter", adapter, "a number, or a part of a name, of er.devices() is needed", of_type=True)
        if gpu_profile not in ("auto", "native", "portable"):
            raise refused("gpu_profile", gpu_profile, "'auto', 'native' or 'portable' is needed")
        if precision not in (None, "single", "double"):
            raise refused("precision", precision, "'single' or 'double' is needed")
        if backend == "cpu":
            if adapter is not None:
                raise refused("adapter", adapter, "it names a GPU, but the backend is the CPU")
            if precision == "single":
                raise refused(
                    "precision",
                    precision,
                    "the CPU computes in double precision; of a GPU, backend='gpu', it can be chosen",
                )
        if not (isinstance(progress, (bool, np.bool_)) or callable(progress)):
            raise refused(
                "progress", progress, "True, or a function of steps done and of all steps, is needed", of_type=True
            )
        self._options: tuple[Any, ...] = (
            backend,
            None if adapter is None else str(adapter),
            gpu_profile,
            precision,
            None if threads is None else count(1)("threads", threads),
            flag("strict", strict),
            _callback(progress),
        )
        self._begin()

    def _begin(self) -> None:
        """Nothing is open yet."""
        self._opened: list[_eagleray.Session] = []
        self._feeding: list[_eagleray.Session] = []
        self._lock = threading.Lock()

    @property
    def _core(self) -> _eagleray.Session:
        """The device; another one where this thread is in a run of the first, whose progress or signal asked for it."""
        with self._lock:
            for core in self._opened:
                if not core.running_here:
                    return core
            self._opened.append(_eagleray.Session(*self._options))
            return self._opened[-1]

    @contextmanager
    def _for_segments(self) -> Iterator[_eagleray.Session]:
        """A device for segments that come one by one. It is taken until the last one, and what makes the segments may need one, too."""
        with self._lock:
            core = self._feeding.pop() if self._feeding else _eagleray.Session(*self._options)
        try:
            yield core
        finally:
            with self._lock:
                self._feeding.append(core)

    @property
    def device(self) -> dict[str, Any]:
        """The device: ``backend``, ``adapter`` and ``threads``."""
        backend, adapter, threads = self._core.device
        return {"backend": backend, "adapter": adapter, "threads": threads}

    def __repr__(self) -> str:
        backend, adapter, *_ = self._options
        return f"Session({backend!r}{'' if adapter is None else f', adapter={adapter!r}'})"

    def __getstate__(self) -> tuple[Any, ...]:
        return self._options

    def __setstate__(self, options: tuple[Any, ...]) -> None:
        self._options = options
        self._begin()


BACKENDS = ("auto", "cpu", "gpu")
_DEFAULTS: dict[str, Session] = {}


def chosen(session: Session | None, backend: Backend | None) -> Session:
    """The session that is meant: the one given, or one of the process with a backend."""
    if session is not None:
        if not isinstance(session, Session):
            of_backend = f"; backend={session!r} names a backend" if session in BACKENDS else ""
            raise refused("session", session, f"an er.Session is needed{of_backend}", of_type=True)
        if backend is not None:
            raise OptionTypeError("session, backend: give a session or a backend, not both")
        return session
    name: Any = "auto" if backend is None else backend
    if not isinstance(name, str) or name not in _DEFAULTS:
        _DEFAULTS[name] = Session(name)
    return _DEFAULTS[name]


def session_of(session: Session | None, backend: Backend | None) -> _eagleray.Session:
    """The open session that is meant."""
    return chosen(session, backend)._core


def devices() -> list[dict[str, Any]]:
    """The GPU adapters that there are, as ``eagleray devices --json`` lists them."""
    found: list[dict[str, Any]] = json.loads(_eagleray.devices())
    return found


def _callback(progress: bool | Progress) -> Progress | None:
    if callable(progress):
        return progress
    if not progress:
        return None
    try:
        from tqdm.auto import tqdm
    except ImportError:
        return _Line()
    return _Bar(tqdm)


class _Bar:
    """Progress by tqdm."""

    def __init__(self, make: Any) -> None:
        self._make = make
        self._bar: Any = None

    def __call__(self, done: int, total: int) -> None:
        if done == 0 and self._bar is not None:
            self._bar.close()
            self._bar = None
        if self._bar is None:
            if total == 0:
                return
            self._bar = self._make(total=total, unit="", unit_scale=True, leave=False)
        self._bar.total = total or None
        self._bar.update(done - self._bar.n)
        if done == total:
            self._bar.close()
            self._bar = None


class _Line:
    """Progress in a line of standard error, where that is a terminal."""

    def __call__(self, done: int, total: int) -> None:
        if total and sys.stderr.isatty():
            end = "\r" if done < total else "\n"
            sys.stderr.write(f"{100 * done // total:3d} %{end}")
            sys.stderr.flush()
