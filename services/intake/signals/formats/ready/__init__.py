"""Formats defined by mappings: each file is a source of type `mapped`.

To support a format of your own, copy one of these into the policy and adapt it.
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from services.intake.signals.formats import mapping as formats_mapping
from services.intake.signals.formats.elements.upstream_alert import InboundDocument
from services.intake.signals.schemas import Heard
from shared.domain.policy.mappings import Mapped
from shared.domain.policy.sources import Monitor

TEXTS: Mapping[str, str] = {
    file.stem: file.read_text(encoding="utf-8")
    for file in sorted(Path(__file__).parent.glob("*.yaml"))
}
NEVER_RECOVERS = frozenset(
    name for name, text in TEXTS.items() if "\nrecovers_after:" in text
)
"""The formats for which a period of silence counts as recovery."""


def read(name: str, document: object, post: InboundDocument) -> list[Heard]:
    """Read a document with the format of this name."""
    return formats_mapping.read(_mapping(name), document, post)


@cache
def _mapping(name: str) -> Mapped:
    # Imported lazily: it is slow, and other formats do not need it.
    from shared import yaml12

    written = yaml12.read(TEXTS[name])
    assert isinstance(written, yaml12.ParsedYaml), written  # noqa: S101 # a file of ours
    mapping = Monitor.model_validate(written.value).mapping
    assert mapping is not None  # noqa: S101 # its type is `mapped`
    return mapping
