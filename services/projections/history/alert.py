"""The data of an incident's first alert: labels, details and links.

Only HTTP addresses become links: any other value of an address field (`javascript:`,
`file:`) is shown as a plain detail.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any
from urllib.parse import urlsplit

import orjson

from shared.domain.events.incident import IncidentOpened

LINKS_MAX = 20
DETAILS_MAX = 64
ADDRESS_MAX = 2_000
_DEPTH_MAX = 4
_LINKS, _DETAILS = "links", "details"
_HOSTS = ("host", "hostname", "node", "instance", "device", "server")
"""The field names that sources use for the machine, the clearest first."""
_NO_ADDRESS = re.compile(r"[\x00-\x20\x7f\\]")
_RUNBOOKS = ("runbook", "runbook_url", "runbookurl", "runbook_link", "playbook")


@dataclass(frozen=True, slots=True)
class AlertLink:
    """A link to more information, with the name that its source gives it."""

    href: str
    text: str


@dataclass(frozen=True, slots=True)
class Alert:
    """The data of the source, as far as it can still be decrypted."""

    labels: Mapping[str, str] = field(default_factory=dict)
    details: Mapping[str, str] = field(default_factory=dict)
    """By field name, nested ones with a dot; empty if it sent plain text."""
    links: tuple[AlertLink, ...] = ()
    host: str | None = None
    runbook: str | None = None
    """The runbook: usually an address, but sources may send any text."""


def alert(event: IncidentOpened) -> Alert:
    """Return the data of the alert that opened an incident."""
    labels = dict(sorted((event.labels or {}).items()))
    said = _document(event.details)
    listed = list(_listed(said.pop(_LINKS, None)))
    own = said.pop(_DETAILS, {})  # the native format separates them from the links
    said |= own if isinstance(own, dict) else {_DETAILS: own}
    details = dict(islice(_flat(said), DETAILS_MAX))
    named = [*labels.items(), *details.items()]
    runbook = _first(named, _RUNBOOKS)
    links: dict[str, AlertLink] = {}
    for link in (*listed, *(AlertLink(text, name) for name, text in named)):
        if leads_to_web(link.href) and link.href != runbook:
            links.setdefault(link.href, link)
    return Alert(
        labels=labels,
        details=details,
        links=tuple(links.values())[:LINKS_MAX],
        host=_first(named, _HOSTS),
        runbook=runbook,
    )


def leads_to_web(text: str) -> bool:
    """Return whether a text is an HTTP address."""
    if len(text) > ADDRESS_MAX or _NO_ADDRESS.search(text):
        return False
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname)


def is_document(text: str) -> bool:
    """Return whether a description is a machine's data, field by field."""
    return bool(_document(text))


def _document(details: str | None) -> dict[str, Any]:
    try:
        said = orjson.loads(details or "")
    except orjson.JSONDecodeError:
        return {}
    return said if isinstance(said, dict) else {}


def _listed(links: object) -> Iterator[AlertLink]:
    for link in links if isinstance(links, list) else ():
        match link:
            case str():
                yield AlertLink(link, link)
            case {"href": str(href), "text": str(text)} if text.strip():
                yield AlertLink(href, text)
            case {"href": str(href)}:
                yield AlertLink(href, href)
            case _:
                pass


def _flat(
    said: Mapping[str, Any], before: str = "", depth: int = 1
) -> Iterator[tuple[str, str]]:
    for name, value in said.items():
        if value in (None, "", {}, []):
            continue
        match value:
            case dict() if depth < _DEPTH_MAX:
                yield from _flat(value, f"{before}{name}.", depth + 1)
            case str():
                yield f"{before}{name}", value
            case _:
                yield f"{before}{name}", orjson.dumps(value).decode()


def _first(named: Iterable[tuple[str, str]], wanted: Sequence[str]) -> str | None:
    """Return the value of the first of some names; prefixes are ignored."""
    known: dict[str, str] = {}
    for name, text in named:
        known.setdefault(name.rpartition(".")[2].lower(), text)
    return next((known[name] for name in wanted if known.get(name)), None)
