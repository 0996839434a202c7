"""Alerta's API `POST /alert`, so that senders to Alerta can send to this desk.

https://docs.alerta.io/api/reference.html#alerts

Environment, resource and event form the key. In Alerta, the events listed in
`correlate` are one problem, so if they are listed, all of them replace the event in the
key: list them with the recovery as well. A forwarded alert keeps its id when its
severity changes, so the event id consists of id, severity, status and time.
"""

from collections.abc import Mapping

from services.intake.records.signal import Action
from services.intake.signals.formats.elements.fields import (
    first_text,
    inner,
    instant,
    rendered,
    text,
    texts,
)
from services.intake.signals.formats.elements.severities import severity_of
from services.intake.signals.formats.elements.upstream_alert import (
    InboundDocument,
    UpstreamAlert,
    missing,
    signal_of,
)
from services.intake.signals.schemas import Heard, Ignored, Rejected
from shared.domain.policy.priorities import Severity

_GOOD = {"normal", "ok", "cleared"}
_STATUS: Mapping[str, Action] = {
    "closed": "resolve",
    "expired": "resolve",
    "ack": "acknowledge",
}
_SEVERITY: Mapping[str, Severity | None] = {
    "security": "critical",
    "indeterminate": None,
    "trace": "info",
}
"""Those of Alerta's thirteen severities that are not common elsewhere."""
_FOR_PEOPLE = (
    "attributes",
    "correlate",
    "group",
    "origin",
    "rawData",
    "service",
    "tags",
    "text",
    "timeout",
    "type",
    "value",
)


def read(document: object, post: InboundDocument) -> list[Heard]:
    """Return the result of reading the one alert."""
    if not isinstance(document, dict):
        return [Rejected(0, "this is not an alert: send a JSON object")]
    return [_read(document, post)]


def _read(alert: Mapping[str, object], post: InboundDocument) -> Heard:
    resource, event = text(alert.get("resource")), text(alert.get("event"))
    if resource is None:
        return missing(0, "resource", "an alert names what is in trouble")
    if event is None:
        return missing(0, "event", "an alert names what happened to it")
    status = (text(alert.get("status")) or "").lower()
    if status in {"blackout", "shelved"}:
        return Ignored(0, f"it is in {status} at its sender", title=event)
    ranked = text(alert.get("severity"))
    good = (ranked or "").lower() in _GOOD
    told = UpstreamAlert(
        key=_key(alert, resource, event),
        action="resolve" if good else _STATUS.get(status, "trigger"),
        title=text(alert.get("text")) or f"{event} on {resource}",
        severity=severity_of(ranked, _SEVERITY),
        at=instant(text(alert.get("createTime"))),
        event_id=_event_id(alert),
        labels=_labels(alert),
        details=rendered({name: alert.get(name) for name in _FOR_PEOPLE}),
    )
    return signal_of(told, post)


def _key(alert: Mapping[str, object], resource: str, event: str) -> tuple[str, ...]:
    events = {event, *_listed(alert, "correlate")}
    customer = text(alert.get("customer"))
    of = (text(alert.get("environment")) or "", resource, *sorted(events))
    return (*of, f"customer:{customer}") if customer else of


def _event_id(alert: Mapping[str, object]) -> tuple[str, ...]:
    if text(alert.get("id")) is None:
        return ()
    names = ("id", "severity", "status", "createTime")
    return tuple(text(alert.get(name)) or "" for name in names)


def _labels(alert: Mapping[str, object]) -> dict[str, object]:
    """Return attributes and `name=value` tags; the alert's own fields win."""
    tags = (tag.partition("=") for tag in _listed(alert, "tags"))
    services = _listed(alert, "service")
    attributes = inner(alert, "attributes")
    return {
        **{name: value for name, equals, value in tags if name and equals},
        **{
            name: value
            for name in attributes
            if (value := first_text(attributes, name))
        },
        **texts(alert, customer="customer", environment="environment", event="event"),
        **texts(alert, group="group", resource="resource", severity="severity"),
        **({"service": services[0]} if services else {}),
    }


def _listed(alert: Mapping[str, object], name: str) -> list[str]:
    said = alert.get(name)
    return list(filter(None, map(text, said))) if isinstance(said, list) else []
