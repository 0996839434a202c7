"""PagerDuty webhooks about its incidents: v3, and the older v1 and v2.

https://developer.pagerduty.com/docs/webhooks/webhook-behavior/

The type of a message says what happened; the status beside it is often out of date.
Messages of one body are processed in order. A message that changes neither whether the
alert fires nor who has acknowledged it is ignored, and so is PagerDuty's ping.
"""

from collections.abc import Mapping
from typing import Any

from services.intake.records.signal import Action
from services.intake.signals.formats.elements.fields import (
    details_text,
    instant,
    labels_of,
    one_line,
)
from services.intake.signals.formats.elements.upstream_alert import InboundDocument
from services.intake.signals.schemas import Heard, Ignored, Rejected, signal_from
from shared.domain.bounded_text import TITLE_MAX
from shared.domain.policy.priorities import Severity

MESSAGES_MAX = 1_000
_ACTIONS: Mapping[str, Action] = {
    "incident.trigger": "trigger",
    "incident.triggered": "trigger",
    "incident.reopened": "trigger",
    "incident.unacknowledge": "trigger",
    "incident.unacknowledged": "trigger",
    "incident.acknowledge": "acknowledge",
    "incident.acknowledged": "acknowledge",
    "incident.resolve": "resolve",
    "incident.resolved": "resolve",
}
_SEVERITIES: Mapping[str, Severity] = {
    "P1": "critical",
    "P2": "error",
    "P3": "warning",
    "P4": "info",
    "P5": "info",
}
"""PagerDuty's names of priorities; urgency is about paging and stays a label."""
_PLACES = ("html_url", "incident_number", "number", "status", "urgency")


def read(document: object, post: InboundDocument) -> list[Heard]:
    """Return a signal, or why it gives none, for each message of the body."""
    match document:
        case {"event": dict(event)}:
            data = event.get("data")
            return [_read(event, "event_type", data, 0, post)]
        case {"messages": list(messages)} if len(messages) <= MESSAGES_MAX:
            return [_message(each, n, post) for n, each in enumerate(messages)]
        case {"messages": list()}:
            return [Rejected(0, f"more than {MESSAGES_MAX} messages", ("messages",))]
        case _:
            reason = (
                "this is not a PagerDuty webhook: `event` and `messages` are missing"
            )
            return [Rejected(0, reason)]


def _message(message: object, index: int, post: InboundDocument) -> Heard:
    if not isinstance(message, dict):
        return Rejected(index, "a message is a JSON object", ("messages", index))
    if "event" in message:  # version 2
        return _read(message, "event", message.get("incident"), index, post)
    data = message.get("data")
    incident = data.get("incident") if isinstance(data, dict) else None
    return _read(message, "type", incident, index, post)


def _read(
    message: Mapping[str, Any],
    name: str,
    incident: object,
    index: int,
    post: InboundDocument,
) -> Heard:
    kind = message.get(name)
    if not isinstance(kind, str):
        return Rejected(index, f"`{name}` is a text", (name,))
    if kind == "pagey.ping":
        return Ignored(index, "a test of the webhook", title="pagey.ping")
    if kind not in _ACTIONS:
        return Ignored(index, f"`{kind}` says nothing about the problem itself")
    if not isinstance(incident, dict):
        return Rejected(index, "there is no incident in it", (name,))
    fields = {
        "source": post.source,
        "event_id": message.get("id"),
        "dedup_key": incident.get("incident_key") or incident.get("id"),
        "action": _ACTIONS[kind],
        "title": _title(incident),
        "severity": _SEVERITIES.get(str(_named(incident.get("priority"))).upper()),
        "occurred_at": instant(message.get("occurred_at") or message.get("created_on")),
        "labels": labels_of(
            None,
            service=_named(incident.get("service")),
            urgency=incident.get("urgency"),
            priority=_named(incident.get("priority")),
        ),
        "details": details_text({n: incident[n] for n in _PLACES if n in incident}),
    }
    return signal_from(fields, index, post.received_at)


def _title(incident: Mapping[str, Any]) -> str:
    subject = incident.get("trigger_summary_data")
    summary = subject if isinstance(subject, dict) else {}
    said = (
        incident.get("title"),
        summary.get("subject"),
        summary.get("description"),
        incident.get("description"),
        incident.get("id"),
    )
    titles = (one_line(text, TITLE_MAX) for text in said if isinstance(text, str))
    return next(filter(None, titles), "an incident without a title")


def _named(reference: object) -> object:
    """Return the name in a PagerDuty reference."""
    if not isinstance(reference, dict):
        return None
    return reference.get("summary") or reference.get("name")
