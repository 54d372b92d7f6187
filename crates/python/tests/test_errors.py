"""Errors, warnings, interrupts, progress, processes."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import textwrap
import threading
import time
import warnings

import eagleray as er
import numpy as np
import pytest
from conftest import quiet


def test_errors_have_codes_files_and_fields(b1509, tmp_path):
    with pytest.raises(OSError) as missing:
        er.pds(tmp_path / "none.evt")
    assert isinstance(missing.value, er.FileError) and missing.value.code == "io"
    assert missing.value.file == str(tmp_path / "none.evt") and missing.value.errno == 2
    with pytest.raises(ValueError) as long:
        er.pds(b1509, dt=1.0, segment_size=1e6)
    assert isinstance(long.value, er.OptionError) and long.value.code == "no-segments"
    assert long.value.field == "segment_size" and "longest" in str(long.value)
    cut = tmp_path / "cut.fits"
    with open(b1509, "rb") as file:
        cut.write_bytes(file.read()[:40_000])
    with pytest.raises(er.FileError) as damaged:
        er.pds(cut)
    assert damaged.value.code == "format" and damaged.value.file == str(cut)
    with pytest.raises(er.OptionError, match="norm"):
        er.pds(b1509, norm="wrong")
    with pytest.raises(er.OptionError, match="backend"):
        er.pds(b1509, backend="quantum")


def test_warnings_have_codes_and_are_filtered_by_them(times):
    loose = {"gti": [(0, 1000)], "dt": 1 / 16, "segment_size": 10.0}
    doubled = np.concatenate([times, times])
    with pytest.warns(er.EaglerayWarning) as caught:
        er.pds(doubled, noise=(0.1, 7.9), rebin=2, **{**loose, "segment_size": 1.0})
        warnings.warn(er.EaglerayWarning("W-MINE", "told"), stacklevel=1)
    assert caught[-1].message.code == "W-MINE" and str(caught[-1].message) == "W-MINE: told"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", message="W-MINE", category=er.EaglerayWarning)
        warnings.warn(er.EaglerayWarning("W-MINE", "told"), stacklevel=1)


def test_progress_is_told_and_an_exception_of_it_ends_the_run(times):
    told = []
    session = er.Session("cpu", progress=lambda done, total: told.append((done, total)))
    er.pds(times, gti=[(0, 1000)], session=session)
    assert told and told[0] == (0, 0)

    def refuse(done, total):
        raise KeyError("enough")

    with pytest.raises(KeyError, match="enough"):
        er.pds(times, gti=[(0, 1000)], session=er.Session("cpu", progress=refuse))


def test_an_interrupt_ends_a_run_within_a_second():
    script = """
        import numpy as np, time, sys
        import eagleray as er
        times = np.sort(np.random.default_rng(1).uniform(0, 1e4, 100_000))
        print("ready", flush=True)
        try:
            er.search(times, freq=(1, 50), method="ef", algorithm="fold", nbin=64)
        except KeyboardInterrupt:
            print("interrupted", flush=True)
    """
    child = subprocess.Popen([sys.executable, "-c", textwrap.dedent(script)], stdout=subprocess.PIPE, text=True)
    assert child.stdout.readline() == "ready\n"
    time.sleep(1.5)
    child.send_signal(signal.SIGINT)
    told = time.monotonic()
    out, _ = child.communicate(timeout=60)
    assert out == "interrupted\n" and child.returncode == 0
    assert time.monotonic() - told < 5


def test_the_interpreter_is_free_during_a_run():
    times = np.sort(np.random.default_rng(1).uniform(0, 1e3, 10_000))
    ticks, ended = [0], threading.Event()

    def count():
        while not ended.is_set():
            ticks[0] += 1
            time.sleep(0.001)

    thread = threading.Thread(target=count)
    thread.start()
    before = time.monotonic()
    er.search(times, freq=(1, 5), method="ef", algorithm="fold", nbin=32)
    took = time.monotonic() - before
    ended.set()
    thread.join()
    assert took > 0.05, "the run is too short to tell"
    assert ticks[0] > 50 * took


def _child(times):
    return er.pds(times, gti=[(0, 1000)], dt=0.1, segment_size=10.0).segments


def test_a_fork_is_refused_and_a_spawned_process_is_not(times):
    assert _child(times) == 100
    if hasattr(os, "fork"):
        with multiprocessing.get_context("fork").Pool(1) as pool, pytest.raises(RuntimeError, match="spawn"):
            pool.map_async(_child, [times]).get(60)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.map_async(_child, [times]).get(120) == [100]


def test_strict_sessions_refuse_what_others_warn_of(b1509):
    session = er.Session("cpu", strict=True)
    with pytest.raises(er.Error, match="W-DATASUM") as refused:
        er.pds(b1509, session=session)
    assert refused.value.code == "strict"
    assert er.Session().device["backend"] in ("cpu", "gpu")
    with pytest.raises(TypeError, match="not both"):
        er.pds(b1509, session=session, backend="cpu")


def test_a_wrong_option_is_said_with_its_name(b1509, tmp_path):
    with pytest.raises(TypeError, match="dt = 'soon': a number of seconds"):
        er.pds(b1509, dt="soon")
    with pytest.raises(er.OptionError, match="kind") as kind:
        er.varenergy(b1509, kind="wrong", energies=[3, 5, 10])
    assert kind.value.field == "kind" and kind.value.value == "wrong"
    with pytest.raises(er.OptionError, match="combine"):
        er.pds(b1509, combine="somehow")
    with pytest.raises(er.OptionError, match="method"):
        er.search(b1509, freq=(1, 2), method="guess")
    with pytest.raises(er.OptionError, match="noise"):
        er.cs(b1509, subject=(1, 10), ref=(11, 20), channels=True, noise=("loud", "poisson"))


def test_a_generator_may_use_what_it_is_given_to(times):
    segment = np.random.default_rng(2).poisson(10, 64).astype(float)

    def nested():
        yield segment
        yield er.pds(times, gti=[(0, 1000)], dt=1.0, segment_size=100.0).power.repeat(2)[:64]
        er.pds(iter([segment, segment]), dt=1.0)
        yield segment

    session = er.Session("cpu")
    with quiet():
        for how in ({}, {"session": session}):
            assert er.pds(nested(), dt=1.0, **how).segments == 3
            assert er.cs(((one, one) for one in nested()), dt=1.0, **how).segments == 3


def test_progress_may_use_the_session_that_it_watches(times):
    found = []

    def told(done, total):
        if not found:
            found.append(None)
            found[0] = er.pds(times, gti=[(0, 1000)], dt=1.0, segment_size=20.0, session=session).segments

    session = er.Session("cpu", progress=told)
    er.pds(times, gti=[(0, 1000)], session=session)
    assert found == [50]


def test_who_waits_for_a_session_is_interrupted():
    script = """
        import numpy as np, threading
        import eagleray as er
        times = np.sort(np.random.default_rng(1).uniform(0, 1e4, 100_000))
        begun, free = threading.Event(), threading.Event()
        def told(done, total):
            begun.set()
            free.wait(60)
        session = er.Session("cpu", progress=told)
        thread = threading.Thread(target=lambda: er.pds(times, session=session))
        thread.start()
        begun.wait()
        print("ready", flush=True)
        try:
            er.pds(times, session=session)
        except KeyboardInterrupt:
            print("interrupted", flush=True)
        free.set()
        thread.join()
    """
    child = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", textwrap.dedent(script)], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout.readline() == "ready\n"
    time.sleep(0.5)
    child.send_signal(signal.SIGINT)
    out, _ = child.communicate(timeout=60)
    assert out == "interrupted\n" and child.returncode == 0


def _warned(times):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.warn(er.EaglerayWarning("W-MINE", "told"), stacklevel=1)


def test_warnings_and_errors_go_through_processes(b1509, tmp_path):
    again = pickle.loads(pickle.dumps(er.EaglerayWarning("W-MINE", "told")))
    assert (again.code, again.message, str(again)) == ("W-MINE", "told", "W-MINE: told")
    with multiprocessing.get_context("spawn").Pool(1) as pool, pytest.raises(er.EaglerayWarning, match="W-MINE: told"):
        pool.map_async(_warned, [0]).get(120)
    for make in (
        lambda: er.pds(tmp_path / "none.evt"),
        lambda: er.pds(b1509, norm="wrong"),
        lambda: er.pds(b1509, dt="x"),
    ):
        with pytest.raises(er.Error) as raised:
            make()
        again = pickle.loads(pickle.dumps(raised.value))
        assert type(again) is type(raised.value) and str(again) == str(raised.value) and again.code == raised.value.code


def test_warnings_point_at_who_called(times):
    segment = np.ones(64)
    for make in (
        lambda: er.pds(iter([segment] * 3), dt=1.0),
        lambda: er.cs(iter([(segment, segment)] * 3), dt=1.0),
        lambda: er.pds(times[::-1], gti=[(0, 1000)]),
        lambda: er.dyn(times[::-1], gti=[(0, 1000)]),
    ):
        with pytest.warns(er.EaglerayWarning) as caught:
            make()
        assert {warning.filename for warning in caught} == {__file__}


def test_errors_of_files_are_those_of_the_system(tmp_path):
    with pytest.raises(FileNotFoundError) as missing:
        er.read(tmp_path / "none.json")
    assert isinstance(missing.value, er.FileError) and missing.value.filename == str(tmp_path / "none.json")
