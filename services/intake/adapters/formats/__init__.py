"""Formats that are mappings: each file is a source of type `mapped`, to be copied.

Who has a format of their own begins with one of these, in the policy.
"""

from collections.abc import Mapping
from pathlib import Path

from shared import yaml12
from shared.policy.mapped import Mapped
from shared.policy.sources import Monitor

FOLDER = Path(__file__).parent


def _source(file: Path) -> Monitor:
    written = yaml12.read(file.read_text(encoding="utf-8"))
    assert isinstance(written, yaml12.Written), written  # noqa: S101 # it is ours
    return Monitor.model_validate(written.value)


SOURCES: Mapping[str, Monitor] = {
    file.stem: _source(file) for file in sorted(FOLDER.glob("*.yaml"))
}
MAPPINGS: Mapping[str, Mapped] = {
    name: source.mapping for name, source in SOURCES.items() if source.mapping
}
NEVER_RECOVERS = frozenset(
    name for name, source in SOURCES.items() if source.recovers_after
)
"""The formats that give a time after which silence counts as recovered: else nothing
would tell so."""
