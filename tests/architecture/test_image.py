"""The image has what it needs, as pinned, and nothing else."""

import re
import tomllib
from fnmatch import fnmatch

from tests.support import compose
from tests.support.compose import ROOT

DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
IGNORED = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
COPIED = [
    source
    for line in re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, re.MULTILINE)
    for source in line.split()[:-1]
]


def test_what_is_copied_is_there_and_not_ignored() -> None:
    let_in = [line[1:] for line in IGNORED if line.startswith("!")]

    assert "*" in IGNORED
    assert COPIED
    for source in COPIED:
        assert (ROOT / source).exists(), source
        assert any(fnmatch(source, pattern) for pattern in let_in), source


def test_nothing_is_let_in_that_is_not_copied() -> None:
    assert {line[1:] for line in IGNORED if line.startswith("!")} == set(COPIED)


def test_uv_is_the_same_everywhere() -> None:
    (pinned,) = [
        one for one in PROJECT["dependency-groups"]["dev"] if one.startswith("uv==")
    ]

    assert f"pip install --no-cache-dir {pinned}" in DOCKERFILE


def test_our_modules_are_compiled_when_it_is_built() -> None:
    (compiled,) = re.findall(
        r"^RUN python -m compileall .+ unchecked-hash (.+)$", DOCKERFILE, re.MULTILINE
    )
    packages = {one for one in COPIED if (ROOT / one / "__init__.py").exists()}

    assert packages
    assert set(compiled.split()) == packages


def test_its_python_is_one_we_support() -> None:
    (image,) = re.findall(r"^ARG PYTHON_IMAGE=(\S+)$", DOCKERFILE, re.MULTILINE)
    bases = set(re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE))

    assert bases == {"${PYTHON_IMAGE}"}
    assert image == compose.variables()["PYTHON_IMAGE"]
    assert image.startswith("python:3.13-")
    assert PROJECT["project"]["requires-python"] == ">=3.11"


def test_it_does_not_run_as_root() -> None:
    assert re.search(r"^USER desk$", DOCKERFILE, re.MULTILINE)
