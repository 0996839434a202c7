"""Opsgenie alerts, from its webhooks and from our Opsgenie-compatible Alert API.

https://support.atlassian.com/opsgenie/docs/opsgenie-edge-connector-alert-action-data/

The key is the alias, or the alert's id without an alias. Instants are in milliseconds
when created and in nanoseconds when updated. Deleting an alert resolves it, since
nothing else will ever close it.
"""

from collections.abc import Mapping
from typing import Any

from services.intake.records.signal import DETAILS_MAX, NOTE, Action
from services.intake.signals.formats.elements.fields import (
    details_text,
    instant,
    labels_of,
    one_line,
    some_lines,
)
from services.intake.signals.formats.elements.upstream_alert import InboundDocument
from services.intake.signals.schemas import Heard, Ignored, Rejected, signal_from
from shared.domain.bounded_text import TITLE_MAX
from shared.domain.policy.priorities import Severity

_ACTIONS: Mapping[str, Action] = {
    "Create": "trigger",
    "UnAcknowledge": "trigger",
    "Acknowledge": "acknowledge",
    "Close": "resolve",
    "Delete": "resolve",
}
PRIORITIES: Mapping[str, Severity] = {
    "1": "critical",
    "2": "error",
    "3": "warning",
    "4": "info",
    "5": "info",
}
"""The severity by the number of a priority, which is written `P3` or `3`."""
_FOR_PEOPLE = (
    "description",
    "details",
    "note",
    "responders",
    "alertId",
    "tinyId",
    "tags",
    "url",
)


def read(document: object, post: InboundDocument) -> list[Heard]:
    """Return the signal for an action on an alert, or why it gives none."""
    match document:
        case {"action": str(action), "alert": dict(alert)}:
            return [_read(action, alert, post)]
        case _:
            reason = "this is not an Opsgenie webhook: `action` or `alert` is missing"
            return [Rejected(0, reason)]


def severity_of(priority: object) -> Severity | None:
    """Return the severity of a priority, or None for an unknown one."""
    return PRIORITIES.get(str(priority).strip().upper().removeprefix("P"))


def _read(action: str, alert: Mapping[str, Any], post: InboundDocument) -> Heard:
    if action == "AddNote":
        return _noted(alert, post)
    if action not in _ACTIONS:
        reason = f"`{action}` says nothing about the problem itself; its body is kept"
        return Ignored(0, reason, event_id=post.event_id)
    key = alert.get("alias") or alert.get("alertId")
    if not isinstance(key, str):
        return Rejected(0, "an alert has an alias or an id", ("alert", "alias"))
    title = _title(alert)
    if not title and action == "Create":
        return Rejected(0, "is missing or blank", ("alert", "message"))
    at = "createdAt" if action == "Create" else "updatedAt"
    fields = {
        "source": post.source,
        "event_id": post.event_id,
        "dedup_key": key,
        "action": _ACTIONS[action],
        "title": title or one_line(key, TITLE_MAX),
        "severity": severity_of(alert.get("priority")),
        "occurred_at": instant(alert.get(at)),
        "labels": labels_of(
            alert.get("details"),
            entity=alert.get("entity"),
            source=alert.get("source"),
            tags=_tags(alert.get("tags")),
            priority=alert.get("priority"),
        ),
        "details": details_text({n: alert[n] for n in _FOR_PEOPLE if alert.get(n)}),
    }
    return signal_from(fields, 0, post.received_at)


def _noted(alert: Mapping[str, Any], post: InboundDocument) -> Heard:
    """Return a note about an alert, for the timeline of its incident."""
    said, key = alert.get("note"), alert.get("alias") or alert.get("alertId")
    if not isinstance(said, str) or not said.strip():
        return Ignored(0, "a note without words", event_id=post.event_id)
    if not isinstance(key, str):
        return Rejected(0, "an alert has an alias or an id", ("alert", "alias"))
    fields = {
        "source": post.source,
        "event_id": post.event_id,
        "dedup_key": key,
        "action": NOTE,
        "title": one_line(said, TITLE_MAX),
        "occurred_at": instant(alert.get("updatedAt")),
        "labels": labels_of({}, author=alert.get("username") or alert.get("user")),
        "details": some_lines(said, DETAILS_MAX),
    }
    return signal_from(fields, 0, post.received_at)


def _title(alert: Mapping[str, Any]) -> str:
    said = alert.get("message")
    return one_line(said, TITLE_MAX) if isinstance(said, str) else ""


def _tags(tags: object) -> str:
    return ", ".join(map(str, tags)) if isinstance(tags, list) else ""
