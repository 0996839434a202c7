"""PagerDuty's Events API v2, which nearly every monitoring tool can send.

https://developer.pagerduty.com/docs/events-api-v2/trigger-events/

The sender reads our answer, so what PagerDuty rejects is rejected: an unknown action, a
trigger without summary, source or severity, a recovery without a key. What PagerDuty
truncates is truncated. For a trigger without a key PagerDuty generates a random one;
here it is derived from the content, so that a trigger sent again because our answer was
lost is still the same alert.
"""

from collections.abc import Mapping
from typing import Any, get_args

from services.intake.records.signal import Action, default_dedup_key
from services.intake.signals.formats.elements.fields import (
    details_text,
    instant,
    labels_of,
    one_line,
)
from services.intake.signals.formats.elements.upstream_alert import InboundDocument
from services.intake.signals.schemas import Heard, Rejected, signal_from
from shared.domain.bounded_text import TITLE_MAX
from shared.domain.policy.priorities import Severity

_ACTIONS: tuple[str, ...] = get_args(Action)
_SEVERITIES: tuple[str, ...] = get_args(Severity)
_BESIDE = ("links", "images", "client", "client_url")
_PLACES = ("source", "component", "group", "class")


def read(document: object, post: InboundDocument) -> list[Heard]:
    """Return the signal of an event, or why it is rejected."""
    if not isinstance(document, dict):
        return [Rejected(0, "an event is a JSON object: see PagerDuty's Events API v2")]
    wrong = _wrong(document)
    if wrong:
        return [Rejected(0, *wrong)]
    said = document.get("payload")
    payload = said if isinstance(said, dict) else {}
    key = document.get("dedup_key") or _key_of(post.source, payload)
    severity = payload.get("severity")
    fields = {
        "source": post.source,
        "event_id": post.event_id,
        "dedup_key": key,
        "action": document["event_action"],
        "title": _title(payload) or one_line(key, TITLE_MAX),
        "severity": severity if severity in _SEVERITIES else None,
        "occurred_at": instant(payload.get("timestamp")),
        "labels": labels_of(
            payload.get("custom_details"),
            **{name: payload.get(name) for name in _PLACES},
        ),
        "details": _details(document, payload),
    }
    return [signal_from(fields, 0, post.received_at)]


def _wrong(document: Mapping[str, Any]) -> tuple[str, tuple[str, ...]] | None:
    """Return what PagerDuty would reject, and where it is."""
    action, key = document.get("event_action"), document.get("dedup_key")
    if action not in _ACTIONS:
        return f"must be one of {', '.join(_ACTIONS)}", ("event_action",)
    if key is not None and not isinstance(key, str):
        return "must be a text", ("dedup_key",)
    if action != "trigger":
        missing = f"{action} needs the key of what it is about"
        return None if key else (missing, ("dedup_key",))
    return _wrong_in_trigger(document.get("payload"))


def _wrong_in_trigger(payload: object) -> tuple[str, tuple[str, ...]] | None:
    if not isinstance(payload, dict):
        return "a trigger needs summary, source and severity", ("payload",)
    for name in ("summary", "source"):
        if not isinstance(payload.get(name), str) or not payload[name].strip():
            return "is missing or blank", ("payload", name)
    if payload.get("severity") not in _SEVERITIES:
        return f"must be one of {', '.join(_SEVERITIES)}", ("payload", "severity")
    return None


def _key_of(source: str, payload: Mapping[str, Any]) -> str:
    places = [str(payload.get(name) or "") for name in _PLACES]
    return default_dedup_key(source, "\0".join(places), payload["summary"])


def _title(payload: Mapping[str, Any]) -> str:
    said = payload.get("summary")
    return one_line(said, TITLE_MAX) if isinstance(said, str) else ""


def _details(document: Mapping[str, Any], payload: Mapping[str, Any]) -> str | None:
    said = {name: document[name] for name in _BESIDE if document.get(name)}
    if payload.get("custom_details"):
        said["custom_details"] = payload["custom_details"]
    return details_text(said) if said else None
