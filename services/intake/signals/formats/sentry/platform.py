"""Sentry's integration platform: issues, issue alerts and metric alerts.

https://docs.sentry.io/organization/integrations/integration-platform/webhooks/

The header `Sentry-Hook-Resource` says what a body is about; without it, the body does.
An issue and the alerts about it share one dedup key. Archiving an issue is a recovery:
people who archive it want no more alerts, and Sentry reports if it comes back. A
body without `action` comes from the legacy plug-in.
"""

from collections.abc import Mapping

from services.intake.records.signal import Action, Signal
from services.intake.signals.formats.elements.fields import (
    first_text,
    inner,
    instant,
    rendered,
    text,
    texts,
    title_of,
)
from services.intake.signals.formats.elements.severities import severity_of
from services.intake.signals.formats.elements.upstream_alert import (
    InboundDocument,
    UpstreamAlert,
    signal_of,
)
from services.intake.signals.formats.sentry import legacy
from services.intake.signals.formats.sentry.legacy import tags_of
from services.intake.signals.schemas import Heard, Ignored, Rejected

_RESOURCE = "sentry-hook-resource"
_TIMESTAMP = "sentry-hook-timestamp"
HEADERS = (_RESOURCE, _TIMESTAMP)
_HOLDS: Mapping[str, str] = {
    "metric_alert": "metric_alert",
    "event": "event_alert",
    "error": "error",
    "comment": "comment",
    "issue": "issue",
    "installation": "installation",
}
"""The resource, by the field of `data` that contains it."""
_ISSUE: Mapping[str, Action] = {
    "created": "trigger",
    "unresolved": "trigger",
    "assigned": "acknowledge",
    "resolved": "resolve",
    "ignored": "resolve",
    "archived": "resolve",
}
_METRIC: Mapping[str, Action] = {
    "critical": "trigger",
    "warning": "trigger",
    "resolved": "resolve",
}


def read(document: object, post: InboundDocument) -> list[Heard]:
    """Return the result of reading a Sentry webhook."""
    if not isinstance(document, dict):
        return [
            Rejected(0, "this is not a webhook of Sentry: a JSON object is expected")
        ]
    if "action" not in document:
        return legacy.read(document, post)
    data = inner(document, "data")
    inside = next((kind for field, kind in _HOLDS.items() if field in data), "nothing")
    match post.headers.get(_RESOURCE, inside):
        case "issue":
            return [_issue(document, inner(data, "issue"), post)]
        case "event_alert" | "error":
            return [_event(inner(data, "event") or inner(data, "error"), data, post)]
        case "metric_alert":
            return [_metric(document, data, post)]
        case resource:
            what = title_of(resource) or "nothing"
            return [Ignored(0, f"of {what}, not of any issue or alert")]


def _issue(
    document: Mapping[str, object], said: Mapping[str, object], post: InboundDocument
) -> Heard:
    word = (text(document.get("action")) or "").lower()
    if word not in _ISSUE:
        reason = f"what happened to an issue is one of {', '.join(_ISSUE)}"
        return Rejected(0, reason, ("action",))
    issue = text(said.get("id"))
    if issue is None:
        return Rejected(0, "an issue has an id", ("data", "issue", "id"))
    title = title_of(said.get("title"), said.get("culprit"))
    action = _ISSUE[word]
    if action == "acknowledge" and inner(document, "actor").get("type") != "user":
        return Ignored(0, "assigned by a rule, not by a person", title=title)
    told = said.get("firstSeen") if word == "created" else None
    told = UpstreamAlert(
        key=("issue", issue),
        action=action,
        title=title,
        severity=severity_of(said.get("level")),
        at=instant(told) or instant(post.headers.get(_TIMESTAMP)),
        labels={
            **texts(said, severity="level", issue="shortId", substatus="substatus"),
            **texts(inner(said, "project"), project="slug"),
        },
        details=rendered(said),
    )
    return signal_of(told, post)


def _event(
    said: Mapping[str, object], data: Mapping[str, object], post: InboundDocument
) -> Signal | Rejected:
    issue = text(said.get("issue_id"))
    if issue is None:
        reason = "an event names its issue"
        return Rejected(0, reason, ("data", "event", "issue_id"))
    told = UpstreamAlert(
        key=("issue", issue),
        action="trigger",
        title=title_of(
            said.get("title"),
            said.get("message"),
            said.get("culprit"),
        ),
        severity=severity_of(said.get("level")),
        at=instant(said.get("datetime")) or instant(said.get("timestamp")),
        labels={
            **tags_of(said.get("tags")),
            **texts(said, severity="level", environment="environment"),
            **texts(data, rule="triggered_rule"),
        },
        details=rendered(
            {**_short(said), "triggered_rule": data.get("triggered_rule")}
        ),
    )
    return signal_of(told, post)


def _short(event: Mapping[str, object]) -> dict[str, object]:
    """Return the fields of an event that people read, without its stack trace."""
    names = ("web_url", "issue_url", "culprit", "message", "metadata", "event_id")
    return {name: event[name] for name in names if name in event}


def _metric(
    document: Mapping[str, object], data: Mapping[str, object], post: InboundDocument
) -> Signal | Rejected:
    word = (text(document.get("action")) or "").lower()
    if word not in _METRIC:
        reason = f"what a metric alert says is one of {', '.join(_METRIC)}"
        return Rejected(0, reason, ("action",))
    said = inner(data, "metric_alert")
    rule = inner(said, "alert_rule")
    alert = text(said.get("id"))
    if alert is None:
        return Rejected(0, "an alert has an id", ("data", "metric_alert", "id"))
    action = _METRIC[word]
    when = ("date_closed",) if action == "resolve" else ("date_started", "date_created")
    told = UpstreamAlert(
        key=("metric", alert),
        action=action,
        title=title_of(
            said.get("title"),
            rule.get("name"),
            data.get("description_title"),
        ),
        severity=severity_of(word),
        at=instant(first_text(said, *when)) or instant(post.headers.get(_TIMESTAMP)),
        labels={
            **texts(rule, rule="name", environment="environment"),
            "severity": word,
        },
        details=rendered(data),
    )
    return signal_of(told, post)
