"""A plugin of pytest for Stingray's own tests: what became of each test, and who answered the calls of the functions of a committed list.

``EAGLERAY_PEER`` is ``on`` or ``off``; ``EAGLERAY_PEER_OUT`` is the file of JSON that is written.
"""

from __future__ import annotations

import functools
import json
import os
import sys
from collections.abc import Callable
from typing import Any

ON = os.environ.get("EAGLERAY_PEER") == "on"

#: The functions whose calls count, replaced or not: where they are, and the counter of the extension for those who answer. Dynamical spectra
#: are made by the averages.
FUNCTIONS = [
    ("stingray.fourier", "avg_pds_from_timeseries", "avg_pds_from_timeseries"),
    ("stingray.fourier", "avg_pds_from_iterable", "avg_pds_from_iterable"),
    ("stingray.fourier", "avg_cs_from_timeseries", "avg_cs_from_timeseries"),
    ("stingray.fourier", "avg_cs_from_iterables", "avg_cs_from_iterables"),
    ("stingray.fourier", "avg_cs_from_iterables_quick", "avg_cs_from_iterables_quick"),
    ("stingray.varenergyspectrum", "RmsSpectrum._spectrum_function", "RmsSpectrum._spectrum_function"),
    ("stingray.varenergyspectrum", "LagSpectrum._spectrum_function", "LagSpectrum._spectrum_function"),
    (
        "stingray.varenergyspectrum",
        "ComplexCovarianceSpectrum._spectrum_function",
        "ComplexCovarianceSpectrum._spectrum_function",
    ),
    ("stingray.varenergyspectrum", "CountSpectrum._spectrum_function", "CountSpectrum._spectrum_function"),
    (
        "stingray.varenergyspectrum",
        "ExcessVarianceSpectrum._spectrum_function",
        "ExcessVarianceSpectrum._spectrum_function",
    ),
    ("stingray.pulse.search", "z_n_search", "z_n_search"),
    ("stingray.pulse.search", "epoch_folding_search", "epoch_folding_search"),
    ("stingray.pulse.search", "phase_dispersion_search", "phase_dispersion_search"),
    ("stingray.pulse.accelsearch", "accelsearch", "accelsearch"),
    ("stingray.utils", "histogram", "histogram"),
]

#: By file: calls, calls that were answered, calls that raised.
calls: dict[str, dict[str, int]] = {}
outcomes: dict[str, str] = {}
current = {"file": "", "path": "", "depth": 0}


def answered(name: str) -> int:
    from eagleray.stingray._core import seams

    return int(dict(seams.answered()).get(name, 0))


def counted(function: Callable[..., Any], name: str) -> Callable[..., Any]:
    """A function whose outermost calls are counted."""

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        if current["depth"]:
            return function(*args, **kwargs)
        of = calls.setdefault(str(current["file"]), {"calls": 0, "answered": 0, "raised": 0})
        before = answered(name)
        current["depth"] = 1
        try:
            made = function(*args, **kwargs)
        except BaseException:
            of["raised"] += 1
            raise
        finally:
            current["depth"] = 0
        of["calls"] += 1
        of["answered"] += answered(name) > before
        return made

    return call


def watch() -> None:
    """Counts the calls of the functions of the list, under every name they have in Stingray."""
    import importlib

    for module_name, path, counter in FUNCTIONS:
        module = importlib.import_module(module_name)
        owner, _, attribute = path.rpartition(".")
        holder = getattr(module, owner) if owner else module
        function = getattr(holder, attribute)
        watched = counted(function, counter)
        if owner:
            setattr(holder, attribute, watched)
            continue
        for name, other in list(sys.modules.items()):
            if name == "stingray" or name.startswith("stingray."):
                for known in [key for key, value in vars(other).items() if value is function]:
                    setattr(other, known, watched)


def pytest_configure(config: Any) -> None:
    if ON:
        import eagleray.stingray
        import stingray  # noqa: F401
        import stingray.pulse  # noqa: F401

        eagleray.stingray.install()
        watch()


def pytest_runtest_setup(item: Any) -> None:
    current["file"], current["path"] = item.path.name, str(item.path)


def pytest_runtest_logreport(report: Any) -> None:
    # Of files that are elsewhere the names of tests lack the file.
    name = f"{current['path']}::{report.nodeid.partition('::')[2]}"
    worst = outcomes.get(name, "passed")
    # What the peer expects to fail now and then says nothing when it does.
    outcome = "expected" if hasattr(report, "wasxfail") else report.outcome
    if report.when == "call" or outcome != "passed":
        outcomes[name] = outcome if worst != "failed" else worst
    outcomes.setdefault(name, "passed")


def pytest_collectreport(report: Any) -> None:
    if report.failed:
        outcomes[report.nodeid] = "failed"


def pytest_sessionfinish(session: Any) -> None:
    made: dict[str, Any] = {"outcomes": outcomes, "calls": calls}
    if ON:
        import eagleray.stingray
        from eagleray import _eagleray

        made["extension"] = _eagleray.__file__
        made["stats"] = eagleray.stingray.stats()
    with open(os.environ["EAGLERAY_PEER_OUT"], "w") as out:
        json.dump(made, out)
