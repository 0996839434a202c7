"""docker-compose.yml as compose itself sees it: variables put in, anchors merged."""

import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from compose_spec import PyCompose, PyOptions

ROOT = Path(__file__).parents[2]
FILE = ROOT / "docker-compose.yml"
_VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?:(?P<how>:-|:\?)(?P<word>[^}]*))?\}")


class Missing(Exception):
    """A variable that has no default is not set."""


def text() -> str:
    """Return the file as it stands."""
    return FILE.read_text(encoding="utf-8")


def variables() -> dict[str, str | None]:
    """Return each variable of the file with its default; None: it must be set."""
    return {
        found["name"]: found["word"] if found["how"] == ":-" else None
        for found in _VARIABLE.finditer(text())
    }


def interpolated(given: Mapping[str, str]) -> str:
    """Return the file with `given` put in, as compose does. `Missing`: its words."""

    def value(found: re.Match[str]) -> str:
        if found["name"] in given:
            return given[found["name"]]
        if found["how"] == ":-":
            return found["word"]
        raise Missing(f"{found['name']}: {found['word'] or 'no word about it'}")

    return _VARIABLE.sub(value, text())


def parsed(given: Mapping[str, str]) -> dict[str, Any]:
    """Return the file as the specification reads it. ValueError: it does not."""
    compose: PyCompose = PyOptions(apply_merge=True).from_yaml(interpolated(given))
    compose.validate()
    return compose.to_dict()


def with_secrets() -> dict[str, Any]:
    """Return the file with some value for every variable that must be set."""
    return parsed({name: f"s{name}" for name, word in variables().items() if not word})


def new_secrets(file: Path) -> subprocess.CompletedProcess[str]:
    """Run the script that makes secrets."""
    return subprocess.run(
        [ROOT / "deploy" / "new-secrets.sh", file],
        capture_output=True,
        text=True,
        check=False,
    )


def read(file: Path) -> dict[str, str]:
    """Return what an environment file sets."""
    lines = file.read_text().splitlines()
    return dict(line.split("=", 1) for line in lines)
