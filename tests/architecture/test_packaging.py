"""Our packages have plain names: no dependency may bring its own."""

import ast
import re
import sys
import tomllib
from importlib.metadata import distributions, packages_distributions
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.support.compose import ROOT

OWN = ("services", "shared", "cli", "standalone", "demo")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
DECLARED = {
    re.split(r"[\[<>=~!;]", one)[0] for one in PROJECT["project"]["dependencies"]
}
INCLUDED = {"pydantic_core": "pydantic", "psycopg-pool": "psycopg"}
"""Distributions that come with a declared one, by intent: its core, its extra."""


@pytest.mark.parametrize("name", OWN)
def test_only_we_provide(name: str) -> None:
    assert set(packages_distributions().get(name, [])) <= {"permanence"}
    spec = find_spec(name)
    assert spec
    assert spec.origin
    assert Path(spec.origin).parent == ROOT / name


@pytest.mark.parametrize("name", OWN)
def test_no_distribution_has_a_file_in_our_folders(name: str) -> None:
    intruders = {
        one.metadata["Name"]
        for one in distributions()
        if one.metadata["Name"] != "permanence"
        and any(file.parts[0] == name for file in one.files or ())
    }

    assert intruders == set()


def test_what_is_imported_is_declared_and_nothing_else_is() -> None:
    providers = packages_distributions()
    imported = {
        providers[module][0]
        for room in OWN
        for path in (ROOT / room).rglob("*.py")
        for module in _imported(path)
    }
    needed = {INCLUDED.get(name, name).replace("_", "-").lower() for name in imported}

    assert needed <= DECLARED, "imported, and not declared in pyproject.toml"
    assert needed >= DECLARED - {"tzdata"}, "declared, and imported nowhere"


def test_it_is_never_uploaded() -> None:
    assert "Private :: Do Not Upload" in PROJECT["project"]["classifiers"]


def _imported(path: Path) -> set[str]:
    modules: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Import(names=names):
                modules |= {alias.name for alias in names}
            case ast.ImportFrom(module=str(module), level=0):
                modules.add(module)
            case _:
                pass
    roots = {module.partition(".")[0] for module in modules}
    return roots - set(sys.stdlib_module_names) - set(OWN)
