"""LibreNMS' API transport.

https://docs.librenms.org/Alerting/Transports/Api
https://docs.librenms.org/Alerting/Templates

The body is flat, JSON or a form; every number is text, and times are local to the
poller, without a zone. The rule and the device form the key; `id` and `uid` identify
the message.
"""

from collections.abc import Mapping

from services.intake.records.signal import Action
from services.intake.signals.formats.elements.fields import (
    first_text,
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

_ACTION: Mapping[str, Action] = {
    "0": "resolve",
    "ok": "resolve",
    "recovered": "resolve",
    "1": "trigger",
    "alert": "trigger",
    "2": "acknowledge",
    "acknowledged": "acknowledge",
    "3": "trigger",  # worse: more faults than before
    "worse": "trigger",
    "4": "trigger",  # better, but some faults remain
    "better": "trigger",
    "5": "trigger",  # different faults than before
    "changed": "trigger",
}
_FOR_PEOPLE = (
    "alert_id",
    "alert_notes",
    "elapsed",
    "faults",
    "hardware",
    "location",
    "msg",
    "os",
    "sysDescr",
    "sysName",
    "uid",
)


def read(document: object, post: InboundDocument) -> list[Heard]:
    """Return the result of reading the one alert."""
    if not isinstance(document, dict):
        return [
            Rejected(0, "this is not a LibreNMS alert: send a JSON object or a form")
        ]
    return [_read(document, post)]


def _read(alert: Mapping[str, object], post: InboundDocument) -> Heard:
    rule = first_text(alert, "rule_id", "name")
    if rule is None:
        return missing(0, "rule_id", "add {{ $rule_id }} to the transport's body")
    device = first_text(alert, "device_id", "hostname")
    if device is None:
        return missing(0, "device_id", "add {{ $device_id }} to the transport's body")
    action = _ACTION.get((text(alert.get("state")) or "").lower())
    if action is None:
        return Rejected(0, "`state` is a number from 0 to 5", ("state",))
    told = UpstreamAlert(
        key=("rule", rule, "device", device),
        action=action,
        title=first_text(alert, "title", "name"),
        severity=severity_of(alert.get("severity")),
        at=instant(text(alert.get("timestamp")), post.zone),
        labels=texts(
            alert,
            host="hostname",
            ip="ip",
            location="location",
            rule="name",
            severity="severity",
            type="type",
        ),
        details=rendered({name: alert.get(name) for name in _FOR_PEOPLE}),
    )
    return signal_of(told, post)
