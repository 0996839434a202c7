"""Riemann events, one or an array of them, as a stream posts them as JSON.

https://riemann.io/concepts.html

Host and service form the key. `state` may be any word: the good ones resolve, all
others trigger. An expired event means that its sender has gone silent: it triggers.
"""

from collections.abc import Mapping

from services.intake.signals.formats.alertmanager import ALERTS_MAX
from services.intake.signals.formats.elements.fields import (
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
from services.intake.signals.schemas import Heard, Rejected

_GOOD = {"ok", "up", "normal", "success", "passing", "cleared"}


def read(document: object, post: InboundDocument) -> list[Heard]:
    """Return the result for each event."""
    events = document if isinstance(document, list) else [document]
    if len(events) > ALERTS_MAX:
        return [Rejected(0, f"more than {ALERTS_MAX} events")]
    return [_read(event, n, post) for n, event in enumerate(events)]


def _read(event: object, index: int, post: InboundDocument) -> Heard:
    if not isinstance(event, dict):
        return Rejected(index, "a Riemann event is a JSON object")
    host, service = text(event.get("host")), text(event.get("service"))
    if host is None and service is None:
        return missing(index, "service", "an event has a host or a service")
    state = text(event.get("state"))
    if state is None:
        return missing(index, "state", "an event says how it is: ok, warning, …")
    named = " ".join(filter(None, (host, service)))
    told = UpstreamAlert(
        key=(host or "", service or ""),
        action="resolve" if state.lower() in _GOOD else "trigger",
        title=text(event.get("description")) or f"{named} is {state}",
        severity=severity_of(state),
        at=instant(event.get("time")),
        labels={**_custom(event), **texts(event, host="host", check="service")}
        | {"severity": state},
        details=rendered(event),
    )
    return signal_of(told, post, index)


_STANDARD = {"host", "service", "state", "description", "metric", "time", "tags", "ttl"}


def _custom(event: Mapping[str, object]) -> dict[str, str]:
    """Return the custom fields of an event, which may have any name."""
    return texts(event, **{name: name for name in event if name not in _STANDARD})
