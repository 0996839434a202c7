"""What the attributes of a CloudEvent mean to a desk."""

import re
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from services.intake.adapters.cutting import one_line
from services.intake.signals import DEDUP_KEY_MAX, EVENT_ID_MAX, Action
from shared.domain.bounded_text import TITLE_MAX
from shared.domain.policy.priorities import Severity

_ENDS: Mapping[str, Action] = {
    "resolved": "resolve",
    "resolve": "resolve",
    "recovered": "resolve",
    "recovery": "resolve",
    "cleared": "resolve",
    "closed": "resolve",
    "ok": "resolve",
    "acknowledged": "acknowledge",
    "acknowledge": "acknowledge",
    "acked": "acknowledge",
}
"""By the last word of a type; any other word is trouble."""
_VERSION = re.compile(r"[._-]v?[0-9]+(\.[0-9]+)*$")
_WORDS = re.compile(r"[._:/-]+")
_TEXTS: Mapping[str, Severity] = {
    "fatal": "critical",
    "critical": "critical",
    "emergency": "critical",
    "alert": "critical",
    "error": "error",
    "err": "error",
    "warn": "warning",
    "warning": "warning",
    "notice": "info",
    "info": "info",
    "information": "info",
    "informational": "info",
    "debug": "info",
    "trace": "info",
}
_NUMBERS: tuple[tuple[int, Severity], ...] = (
    (21, "critical"),
    (17, "error"),
    (13, "warning"),
    (1, "info"),
)
"""From which number of the severity extension on; they are OpenTelemetry's, 1 to 24."""
_NUMBER = re.compile(r"[0-9]{1,2}", re.ASCII)
_NUMBER_MAX = 24


def event_id_of(event: Mapping[str, Any]) -> str:
    """Return the name of the message: source and id together are unique."""
    return _fitting(f"{event['source']}|{event['id']}", EVENT_ID_MAX)


def key_of(event: Mapping[str, Any]) -> str:
    """Return the name of the trouble: where it is, not what happened to it."""
    subject = event.get("subject")
    at = f"{event['source']}|{subject}" if subject else str(event["source"])
    return _fitting(at, DEDUP_KEY_MAX)


def action_of(type_: str) -> Action:
    """Return what a type says by its last word, its version apart."""
    words = _WORDS.split(_VERSION.sub("", type_.strip()).lower())
    return _ENDS.get(words[-1], "trigger")


def severity_of(event: Mapping[str, Any]) -> Severity | None:
    """Return what the severity extension says, the number before the text."""
    number = str(event.get("severitynumber") or "")
    if _NUMBER.fullmatch(number) and 1 <= int(number) <= _NUMBER_MAX:
        return next(name for least, name in _NUMBERS if int(number) >= least)
    return _TEXTS.get(str(event.get("severitytext")).strip().lower())


def title_of(event: Mapping[str, Any], data: object) -> str:
    """Return one line for people: what the data says first, else type and subject."""
    said = data if isinstance(data, dict) else {}
    for name in ("title", "summary", "message"):
        text = said.get(name)
        if isinstance(text, str) and (line := one_line(text, TITLE_MAX)):
            return line
    subject = event.get("subject")
    whole = f"{event['type']}: {subject}" if subject else str(event["type"])
    return one_line(whole, TITLE_MAX) or "an event without a type"


def _fitting(name: str, most: int) -> str:
    if len(name) <= most:
        return name
    return f"sha256:{sha256(name.encode(errors='replace')).hexdigest()}"
