"""Checks the recipes: that they can be read, and that what they say of versions is what the project says."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent


def balanced(text: str) -> bool:
    """The parentheses of Lisp, outside of strings and comments, close each other."""
    text = re.sub(r'"(\\.|[^"\\])*"', '""', text)
    text = re.sub(r";.*", "", text)
    depth = 0
    for sign in text:
        depth += (sign == "(") - (sign == ")")
        if depth < 0:
            return False
    return depth == 0


def main() -> None:
    workspace = tomllib.loads((ROOT / "Cargo.toml").read_text())["workspace"]["package"]
    project = tomllib.loads((ROOT / "crates/python/pyproject.toml").read_text())
    [numpy] = [re.fullmatch(r"numpy>=(.+)", one)[1] for one in project["project"]["dependencies"]]
    python = re.fullmatch(r">=(.+)", project["project"]["requires-python"])[1]
    [maturin] = [re.fullmatch(r"maturin>=(.+),<2", one)[1] for one in project["build-system"]["requires"]]
    [stingray] = [one.partition("==")[2] for one in project["project"]["optional-dependencies"]["all"] if "stingray" in one]
    conda, guix, spack = (
        (HERE / name).read_text()
        for name in ("conda-forge/recipe.yaml", "guix/eagleray.scm", "spack/packages/py-eagleray/package.py")
    )
    wanted = {
        "conda-forge": (
            conda,
            [
                f'version: "{workspace["version"]}"',
                f"python >={python}",
                f"numpy >={numpy}",
                f"maturin >={maturin},<2",
                f"stingray =={stingray}",
                f"license: {workspace['license']}",
            ],
        ),
        "guix": (guix, [f'(version "{workspace["version"]}")', "python-numpy", "license:expat license:asl2.0"]),
        "spack": (
            spack,
            [
                f'"python@{python}:"',
                f'"py-numpy@{numpy}:"',
                f'"py-maturin@{maturin}:1"',
                f'"rust@{workspace["rust-version"]}:"',
                f'"py-stingray@{stingray}"',
                f'license("{workspace["license"]}")',
            ],
        ),
    }
    complaints = [f"{name}: lacks {one}" for name, (text, all_of) in wanted.items() for one in all_of if one not in text]
    ast.parse(spack)
    if not balanced(guix):
        complaints.append("guix: parentheses do not close")
    try:
        import yaml
    except ImportError:
        print("SKIPPED: conda-forge and the workflow are not read as YAML: PyYAML is not installed")
    else:
        recipe = yaml.safe_load(conda)
        if not {"package", "source", "build", "requirements", "tests", "about"} <= set(recipe):
            complaints.append("conda-forge: a section is missing")
        workflow = yaml.safe_load((ROOT / ".github/workflows/wheels.yml").read_text())
        targets = {f"{row['os']} {row['target']} {row.get('manylinux', '')}".strip() for row in workflow["jobs"]["wheel"]["strategy"]["matrix"]["include"]}
        if len(targets) < 8:
            complaints.append(f"workflow: platforms are missing: {sorted(targets)}")
    for complaint in complaints:
        print(f"FAIL {complaint}")
    sys.exit(1 if complaints else 0)


if __name__ == "__main__":
    main()
