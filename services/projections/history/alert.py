"""What the source of an incident's first alert said: labels, details, links to it.

A link leads somewhere by HTTP alone: what else is written where an address should be
(`javascript:`, `file:`) is a detail like any other.
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
"""What sources call the machine, the plainest word first."""
_NO_ADDRESS = re.compile(r"[\x00-\x20\x7f\\]")
_RUNBOOKS = ("runbook", "runbook_url", "runbookurl", "runbook_link", "playbook")


@dataclass(frozen=True, slots=True)
class AlertLink:
    """Where more is to be read, by the name its source gives it."""

    href: str
    text: str


@dataclass(frozen=True, slots=True)
class Alert:
    """What the source said, as far as it still opens."""

    labels: Mapping[str, str] = field(default_factory=dict)
    details: Mapping[str, str] = field(default_factory=dict)
    """By field, those of a field with a dot between; empty if it said plain text."""
    links: tuple[AlertLink, ...] = ()
    host: str | None = None
    runbook: str | None = None
    """What to do about it: mostly an address, but sources write what they like."""


def alert(event: IncidentOpened) -> Alert:
    """Return what the source of an opening said."""
    labels = dict(sorted((event.labels or {}).items()))
    said = _document(event.details)
    listed = list(_listed(said.pop(_LINKS, None)))
    own = said.pop(_DETAILS, {})  # in our own format they are apart from the links
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
    """Tell whether a text is an address that a browser opens by HTTP."""
    if len(text) > ADDRESS_MAX or _NO_ADDRESS.search(text):
        return False
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname)


def is_document(text: str) -> bool:
    """Tell whether a description is what a machine said, field by field."""
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
    """Return what is said by the first of some names; prefixes do not matter."""
    known: dict[str, str] = {}
    for name, text in named:
        known.setdefault(name.rpartition(".")[2].lower(), text)
    return next((known[name] for name in wanted if known.get(name)), None)
