"""Datadog webhooks: the default payload, or a custom one.

https://docs.datadoghq.com/integrations/webhooks/

The key is the monitor and, if it alerts by group, the group's scope. The default
payload has neither: the state is only in the title, as `[Triggered on {host:a}]`, and
the monitor only in a link. A value such as `$ALERT_ID` is a variable that was not
filled in. Tags are `env:prod,team:data` in one text, or a list of such texts.
"""

import re
from collections.abc import Mapping

from services.intake.records.signal import Action, Signal
from services.intake.signals.formats.elements.fields import (
    first_text,
    inner,
    instant,
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
from services.intake.signals.schemas import Heard, Rejected
from shared.domain.policy.priorities import Severity


def tags_of(said: object) -> list[str]:
    """Return the tags in a text or a list, in order."""
    listed = said if isinstance(said, list) else [said]
    words = ",".join(filter(None, (text(each) for each in listed))).split(",")
    return [tag for word in words if (tag := word.strip())]


def scope_of(said: object) -> str:
    """Return the tags of a group as one text, independent of their order."""
    return ",".join(sorted(set(tags_of(said))))


def labels_of(said: object) -> dict[str, str]:
    """Return tags as labels; several values of one name are joined with commas."""
    labels: dict[str, list[str]] = {}
    for tag in tags_of(said):
        name, _, value = tag.partition(":")
        labels.setdefault(name, []).append(value)
    return {name: ",".join(values) for name, values in labels.items()}


_STATES: Mapping[str, Action] = {
    "triggered": "trigger",
    "warn": "trigger",
    "no data": "trigger",
    "renotify": "trigger",
    "recovered": "resolve",
}
_TYPES: Mapping[str, str] = {
    "error": "triggered",
    "warning": "warn",
    "success": "recovered",
}
"""The state for an `$ALERT_TYPE`, used if no other field has the state."""
_MILD = ("warn", "no data")
_PRIORITIES: Mapping[str, Severity | None] = {
    "1": "critical",
    "2": "error",
    "3": "warning",
    "4": "info",
    "5": "info",
    "normal": None,  # the priority of the event, not of the monitor
    "low": None,
}
_PREFIX = re.compile(
    r"\s*(?:\[(?P<priority>P[1-5])\]\s*)?"
    r"\[(?:Re-)?(?P<state>Triggered|Recovered|Warn|No Data|Renotify)"
    r"(?: on \{(?P<scope>[^{}]*)\})?\]\s*",
    re.IGNORECASE,
)
_MONITOR_LINK = re.compile(r"/monitors[#/](\d{1,20})")
_NOT_FILLED_IN = re.compile(r"\s*\$[A-Z][A-Z0-9_]*(\[[^\[\]]*\])?\s*")
_LINKED = ("body", "link", "url", "alert_url", "event_msg", "message")


def read(document: object, post: InboundDocument) -> list[Heard]:
    """Return the single alert in a Datadog webhook."""
    if not isinstance(document, dict):
        return [
            Rejected(0, "this is not a webhook of Datadog: a JSON object is expected")
        ]
    return [_read(_filled_in(document), post)]


def _filled_in(document: Mapping[str, object]) -> dict[str, object]:
    return {
        name: value
        for name, value in document.items()
        if not (isinstance(value, str) and _NOT_FILLED_IN.fullmatch(value))
    }


def _read(said: Mapping[str, object], post: InboundDocument) -> Signal | Rejected:
    whole = first_text(said, "title", "alert_title", "event_title") or ""
    prefix = _PREFIX.match(whole)
    title = whole[prefix.end() :] if prefix else whole
    state = _state(said, prefix)
    if state not in _STATES:
        return Rejected(
            0, f"`{state}` is not a state of a monitor", ("alert_transition",)
        )
    named = first_text(said, "alert_scope", "scope") or said.get("scopes")
    priority = first_text(said, "alert_priority", "priority") or (
        prefix["priority"] if prefix else None
    )
    key = _key(said, title, scope_of(named or (prefix["scope"] if prefix else None)))
    if not key:
        reason = "neither a monitor nor a title: send `$ALERT_ID` as `alert_id`"
        return Rejected(0, reason, ("alert_id",))
    message = first_text(said, "id", "event_id")
    told = UpstreamAlert(
        event_id=(message,) if message else (),
        key=key,
        action=_STATES[state],
        title=title_of(title),
        severity=_severity(priority, state),
        at=instant(said.get("date")) or instant(said.get("last_updated")),
        labels=_labels(said, state, priority),
        details=said,
    )
    return signal_of(told, post)


def _state(said: Mapping[str, object], prefix: re.Match[str] | None) -> str:
    """Return the state in lower case; without a state, `triggered`."""
    transition = first_text(said, "alert_transition", "transition")
    if transition:
        return transition.lower().removeprefix("re-")
    if prefix:
        return prefix["state"].lower()
    return _TYPES.get((first_text(said, "alert_type") or "").lower(), "triggered")


def _monitor(said: Mapping[str, object]) -> str | None:
    named = first_text(said, "alert_id", "monitor_id")
    texts_ = (first_text(said, name) for name in _LINKED)
    links = (_MONITOR_LINK.search(each) for each in texts_ if each)
    return named or next((link[1] for link in links if link), None)


def _key(said: Mapping[str, object], title: str, scope: str) -> tuple[str, ...]:
    """Return the best available key, or an empty tuple."""
    group = (scope,) if scope else ()
    if monitor := _monitor(said):
        return ("monitor", monitor, *group)
    if aggregate := first_text(said, "aggreg_key", "aggregation_key", "aggregate"):
        return ("aggregate", aggregate)
    if cycle := first_text(said, "alert_cycle_key", "cycle_key"):
        return ("cycle", cycle)
    return ("title", title, *group) if title else ()


def _severity(priority: str | None, state: str) -> Severity | None:
    """Return the severity of the priority; a warning is never more than a warning."""
    severity = severity_of(priority, _PRIORITIES)
    if state in _MILD and severity != "info":
        return "warning"
    return severity


def _labels(
    said: Mapping[str, object], state: str, priority: str | None
) -> dict[str, str]:
    monitor = _monitor(said)
    return {
        **labels_of(said.get("tags")),
        **texts(said, host="hostname", event_type="event_type", metric="alert_metric"),
        **texts(inner(said, "org"), org="name"),
        "state": state,
        **({"monitor": monitor} if monitor else {}),
        **({"severity": priority} if priority else {}),
    }
