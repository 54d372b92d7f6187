"""Stingray's own tests with eagleray installed, by the package that is installed; and without it, those that do not pass with it.

All tests that pass without pass with: whole files are run without it of which a test fails with it, else the tests alone that were skipped; all of them
with ``--whole``. Of the calls of the functions in `peer_plugin.FUNCTIONS`, those that end without an exception, at least
85 % are answered by eagleray, as its extension counts them. Exit status 1 otherwise, and where nothing was answered.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
#: The files of Stingray's tests; dynamical spectra are in those of power and cross spectra.
FILES = [
    "tests/test_fourier.py",
    "tests/test_powerspectrum.py",
    "tests/test_crossspectrum.py",
    "tests/test_varenergyspectrum.py",
    "tests/test_covariancespectrum.py",
    "tests/test_spectroscopy.py",
    "deadtime/tests/test_fad.py",
    "pulse/tests/test_search.py",
    "pulse/tests/test_accelsearch.py",
]
LEAST = 0.85


def run(on: bool, names: list[str], keep: Path, more: list[str]) -> dict[str, Any]:
    """Runs tests in a process of their own: files, or names as pytest has them; what became of them."""
    if not names:
        return {"outcomes": {}}
    root = root_of_tests()
    out = keep / ("with.json" if on else "without.json")
    (keep / "pytest.ini").write_text("[pytest]\n")
    environment = {**os.environ, "EAGLERAY_PEER": "on" if on else "off", "EAGLERAY_PEER_OUT": str(out)}
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, [str(HERE), os.environ.get("PYTHONPATH")]))
    environment["MPLBACKEND"] = "Agg"
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-c",
        str(keep / "pytest.ini"),
        "-p",
        "no:cacheprovider",
        "-p",
        "peer_plugin",
    ]
    command += ["-q", "-W", "ignore", "--tb=short", *more, *(str(root / name) for name in names)]
    done = subprocess.run(command, env=environment, cwd=keep, capture_output=True, text=True)
    (keep / ("with.txt" if on else "without.txt")).write_text(done.stdout + done.stderr)
    if not out.exists():
        raise RuntimeError(f"pytest ended with {done.returncode}:\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}")
    found: dict[str, Any] = json.loads(out.read_text())
    return found


def root_of_tests() -> Path:
    """The folder of the peer."""
    import stingray

    return Path(stingray.__file__).parent


def again(with_us: dict[str, Any], files: list[str]) -> list[str]:
    """What to run without eagleray, so that every test that passes there only is found."""
    outcomes: dict[str, str] = with_us["outcomes"]
    file_of = {name: name.partition("::")[0] for name in outcomes}
    whole = {file_of[name] for name, outcome in outcomes.items() if outcome == "failed"}
    # Files of which no test was found.
    whole |= {str(root_of_tests() / file) for file in files} - set(file_of.values())
    # An expected failure is one in both.
    alone = [name for name, outcome in outcomes.items() if outcome == "skipped" and file_of[name] not in whole]
    return [*sorted(whole), *alone]


def report(without: dict[str, Any], with_us: dict[str, Any]) -> list[str]:
    """Prints who answered and what became of the tests; the complaints."""
    print(f"extension: {with_us['extension']}")
    complaints = []
    total = {"calls": 0, "answered": 0, "raised": 0}
    print(f"{'file':34} {'calls':>7} {'answered':>9} {'raised':>7}")
    for file, counts in sorted(with_us["calls"].items()):
        print(f"{file:34} {counts['calls']:7} {counts['answered']:9} {counts['raised']:7}")
        total = {key: total[key] + counts[key] for key in total}
    part = total["answered"] / total["calls"] if total["calls"] else 0.0
    print(f"{'all':34} {total['calls']:7} {total['answered']:9} {total['raised']:7}  {100 * part:.1f} % answered")
    for name, one in sorted(with_us["stats"]["by_function"].items()):
        print(f"  {name}: {one['answered']} answered")
        for reason, count in sorted(one["fell_back"].items()):
            print(f"    left to Stingray {count} times: {reason}")
    if not with_us["stats"]["answered"]:
        complaints.append("nothing was answered")
    if part < LEAST:
        complaints.append(f"{100 * part:.1f} % of the calls were answered, less than {100 * LEAST:.0f} %")
    passed = {name for name, outcome in without["outcomes"].items() if outcome == "passed"}
    lost = sorted(name for name in passed if with_us["outcomes"].get(name) != "passed")
    gained = sorted(
        name
        for name, outcome in with_us["outcomes"].items()
        if outcome == "passed" and without["outcomes"].get(name, "passed") != "passed"
    )
    ours = sum(outcome == "passed" for outcome in with_us["outcomes"].values())
    print(f"tests: {ours} of {len(with_us['outcomes'])} pass with eagleray")
    print(
        f"  {len(without['outcomes'])} run without it, of which {len(passed)} pass, {len(passed) - len(lost)} of these with it"
    )
    for name in gained:
        print(f"  passes only with eagleray: {name}")
    complaints += [f"fails only with eagleray: {name}" for name in lost]
    return complaints


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--keep",
        type=Path,
        help="folder for the results and what pytest printed",
    )
    parser.add_argument("--whole", action="store_true", help="runs all tests without eagleray, too")
    parser.add_argument("--file", action="append", help="only these files of tests")
    parser.add_argument("more", nargs="*", help="further arguments of pytest, after --")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        keep = given.keep or Path(made)
        keep.mkdir(parents=True, exist_ok=True)
        files = [name for name in FILES if not given.file or any(part in name for part in given.file)]
        with_us = run(True, files, keep, given.more)
        without = run(False, files if given.whole else again(with_us, files), keep, given.more)
        complaints = report(without, with_us)
    for complaint in complaints:
        print(f"FAIL {complaint}")
    sys.exit(1 if complaints else 0)


if __name__ == "__main__":
    main()
