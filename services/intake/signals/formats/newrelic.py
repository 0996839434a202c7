"""New Relic: webhooks of workflows, and of the older alerts.

https://docs.newrelic.com/docs/alerts/get-notified/notification-integrations/#webhook
https://docs.newrelic.com/docs/alerts/get-notified/custom-variables-incident-workflows/

A workflow reports an issue, identified by `id`, whatever its links contain. The older
alerts report an incident. Instants are in milliseconds; an unreadable one is ignored.
"""

from collections.abc import Mapping

from services.intake.records.signal import Action, Signal
from services.intake.signals.formats.elements.fields import (
    all_texts,
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
from services.intake.signals.schemas import Heard, Ignored, Rejected
from shared.domain.policy.priorities import Severity

_STATES: Mapping[str, Action] = {
    "created": "trigger",
    "activated": "trigger",
    "acknowledged": "acknowledge",
    "closed": "resolve",
}
_OLDER_STATES: Mapping[str, Action] = {
    "open": "trigger",
    "acknowledged": "acknowledge",
    "closed": "resolve",
}
_PRIORITIES: Mapping[str, Severity | None] = {
    "critical": "critical",
    "high": "error",
    "medium": "warning",
    "low": "info",
}
_ACKNOWLEDGED = "acknowledged"
_TEST = "test"


def read(document: object, post: InboundDocument) -> list[Heard]:
    """Return the single issue or incident in a New Relic webhook."""
    if isinstance(document, dict) and "current_state" in document:
        return [_incident(document, post)]
    if isinstance(document, dict) and "state" in document:
        return [_issue(document, post)]
    reason = "this is not a webhook of New Relic: `state` or `current_state` is missing"
    return [Rejected(0, reason)]


def _issue(said: Mapping[str, object], post: InboundDocument) -> Signal | Rejected:
    action = _action(said)
    if action is None:
        reason = f"the state of an issue is one of {', '.join(_STATES)}"
        return Rejected(0, reason, ("state",))
    name = first_text(said, "id", "issueId", "issue_id")
    if name is None:
        return Rejected(0, "an issue has an id: send `issueId` as `id`", ("id",))
    when = "createdAt" if action == "trigger" else "updatedAt"
    told = UpstreamAlert(
        key=("issue", name),
        action=action,
        title=title_of(
            _first(said.get("title")),
            _first(said.get("alertConditionNames")),
        ),
        severity=severity_of(said.get("priority"), _PRIORITIES),
        at=instant(said.get(when)),
        labels={
            **_joined(said, "policy", "alertPolicyNames"),
            **_joined(said, "condition", "alertConditionNames"),
            **_joined(said, "entity", "impactedEntities"),
            **texts(said, severity="priority", workflow="workflowName"),
        },
        details=rendered(said),
    )
    return signal_of(told, post)


def _action(said: Mapping[str, object]) -> Action | None:
    """Return the action for the state; an acknowledged issue stays active."""
    action = _STATES.get((text(said.get("state")) or "").lower())
    why = (first_text(said, "trigger", "triggerEvent") or "").lower()
    if action == "trigger" and why.endswith(_ACKNOWLEDGED):
        return "acknowledge"
    return action


def _incident(said: Mapping[str, object], post: InboundDocument) -> Heard:
    state = (text(said.get("current_state")) or "").lower()
    title = title_of(
        said.get("condition_name"),
        said.get("details"),
    )
    if state == _TEST:
        return Ignored(0, "a test notification", title=title)
    if state not in _OLDER_STATES:
        reason = f"the state of an incident is one of {', '.join(_OLDER_STATES)}, test"
        return Rejected(0, reason, ("current_state",))
    name = text(said.get("incident_id"))
    if name is None:
        return Rejected(0, "an incident has an id", ("incident_id",))
    told = UpstreamAlert(
        key=("incident", name),
        action=_OLDER_STATES[state],
        title=title,
        severity=severity_of(said.get("severity")),
        at=instant(said.get("timestamp")),
        labels={**_target(said), **_older_labels(said)},
        details=rendered(said),
    )
    return signal_of(told, post)


def _older_labels(said: Mapping[str, object]) -> dict[str, str]:
    return texts(
        said,
        account="account_name",
        policy="policy_name",
        condition="condition_name",
        severity="severity",
    )


def _target(said: Mapping[str, object]) -> dict[str, str]:
    """Return labels of the incident's first target: its labels, type and name."""
    targets = said.get("targets")
    target = targets[0] if isinstance(targets, list) and targets else None
    if not isinstance(target, dict):
        return {}
    own = all_texts(inner(target, "labels"))
    return {**own, **texts(target, target="name", target_type="type")}


def _joined(said: Mapping[str, object], label: str, name: str) -> dict[str, str]:
    values = said.get(name)
    listed = values if isinstance(values, list) else [values]
    words = ", ".join(filter(None, (text(each) for each in listed)))
    return {label: words} if words else {}


def _first(said: object) -> object:
    return next(iter(said), None) if isinstance(said, list) else said
