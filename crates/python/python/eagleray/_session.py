"""Where and how analyses are computed."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any, Literal

from . import _eagleray

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
        self._options: tuple[Any, ...] = (
            backend,
            None if adapter is None else str(adapter),
            gpu_profile,
            precision,
            threads,
            strict,
            _callback(progress),
        )
        self._opened: _eagleray.Session | None = None

    @property
    def _core(self) -> _eagleray.Session:
        if self._opened is None:
            self._opened = _eagleray.Session(*self._options)
        return self._opened

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
        self._options, self._opened = options, None


_DEFAULTS: dict[str, Session] = {}


def session_of(session: Session | None, backend: Backend | None) -> _eagleray.Session:
    """The session that is meant: the one given, or one of the process with a backend."""
    if session is not None:
        if backend is not None:
            raise TypeError("give a session or a backend, not both")
        return session._core
    chosen = backend or "auto"
    if chosen not in _DEFAULTS:
        _DEFAULTS[chosen] = Session(chosen)
    return _DEFAULTS[chosen]._core


def devices() -> list[dict[str, Any]]:
    """The GPU adapters that there are, as ``eagleray devices --json`` lists them."""
    found: list[dict[str, Any]] = json.loads(_eagleray.devices())
    return found


def _callback(progress: bool | Progress) -> Progress | None:
    if progress is False:
        return None
    if progress is not True:
        return progress
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
