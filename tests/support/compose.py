"""docker-compose.yml as compose itself sees it: variables put in, anchors merged.

And with deploy/compose.tls.yaml laid over it.
"""

import json
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from compose_spec import PyCompose, PyOptions

ROOT = Path(__file__).parents[2]
FILE = ROOT / "docker-compose.yml"
TLS_FILE = ROOT / "deploy" / "compose.tls.yaml"
_VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?:(?P<how>:-|:\?)(?P<word>[^}]*))?\}")


class Missing(Exception):
    """A variable that has no default is not set."""


def text() -> str:
    """Return the file as it stands."""
    return FILE.read_text(encoding="utf-8")


def variables(of: str | None = None) -> dict[str, str | None]:
    """Return each variable of the file with its default; None: it must be set."""
    return {
        found["name"]: found["word"] if found["how"] == ":-" else None
        for found in _VARIABLE.finditer(text() if of is None else of)
    }


def interpolated(of: str, given: Mapping[str, str]) -> str:
    """Return a file with `given` put in, as compose does. `Missing`: its words."""

    def value(found: re.Match[str]) -> str:
        if found["name"] in given:
            return given[found["name"]]
        if found["how"] == ":-":
            return found["word"]
        raise Missing(f"{found['name']}: {found['word'] or 'no word about it'}")

    return _VARIABLE.sub(value, of)


def parsed(given: Mapping[str, str]) -> dict[str, Any]:
    """Return the file as the specification reads it. ValueError: it does not."""
    return _validated(interpolated(text(), given))


def with_secrets() -> dict[str, Any]:
    """Return the file with some value for every variable that must be set."""
    return parsed(_some_values(text()))


def with_tls() -> dict[str, Any]:
    """Return the file with the proxy that speaks TLS laid over it."""
    over = TLS_FILE.read_text(encoding="utf-8")
    overlay = yaml.safe_load(interpolated(over, _some_values(over)))
    return _validated(json.dumps(_overlaid(with_secrets(), overlay)))


def _some_values(of: str) -> dict[str, str]:
    return {name: f"s{name}" for name, word in variables(of).items() if not word}


def _validated(whole: str) -> dict[str, Any]:
    compose: PyCompose = PyOptions(apply_merge=True).from_yaml(whole)
    compose.validate()
    return compose.to_dict()


def _overlaid(under: Any, over: Any) -> Any:
    if not (isinstance(under, dict) and isinstance(over, dict)):
        return over
    return {
        name: _overlaid(under.get(name), over[name]) if name in over else under[name]
        for name in {**under, **over}
    }


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
