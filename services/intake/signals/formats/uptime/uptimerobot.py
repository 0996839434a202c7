"""UptimeRobot's webhook: JSON or a form, with its variables in any spelling.

https://help.uptimerobot.com/en/articles/14498593-webhook-integration

The key is `monitorID`, or `monitorURL` without it. A variable that has no value is sent
as its own name, such as `*alertFriendlyDuration*`, and counts as absent. UptimeRobot
has no severities; the expiry of a certificate is an alert of its own, with severity
warning.
"""

from collections.abc import Mapping

from services.intake.records.signal import Action
from services.intake.signals.formats.elements.fields import (
    first_text,
    instant,
    plainly_named,
    rendered,
    texts,
)
from services.intake.signals.formats.elements.upstream_alert import (
    InboundDocument,
    UpstreamAlert,
    missing,
    signal_of,
)
from services.intake.signals.schemas import Heard, Ignored, Rejected

_ACTION: Mapping[str, Action] = {
    "1": "trigger",
    "down": "trigger",
    "2": "resolve",
    "up": "resolve",
}
_EXPIRES = {"3": "ssl expiry", "4": "domain expiry"}
_WAITING = {"paused", "started"}


def read(document: object, post: InboundDocument) -> list[Heard]:
    """Return the result of reading the one alert."""
    if not isinstance(document, dict):
        return [Rejected(0, "this is not an UptimeRobot alert: send JSON or a form")]
    return [_read(document, plainly_named(document), post)]


def _read(
    said: Mapping[str, object], alert: Mapping[str, object], post: InboundDocument
) -> Heard:
    monitor = first_text(alert, "monitorid", "monitorurl", "url", "monitorfriendlyname")
    if monitor is None:
        return missing(0, "monitorID", "add *monitorID* to the webhook's body")
    kind = (first_text(alert, "alerttype", "alerttypefriendlyname") or "").lower()
    expires = _EXPIRES.get(kind) or (kind if "expir" in kind else None)
    name = first_text(alert, "monitorfriendlyname", "monitorurl") or monitor
    if kind in _WAITING:
        return Ignored(0, f"a monitor that is {kind} reports no problem", title=name)
    if kind not in _ACTION and not expires:
        return Rejected(0, "`alertType` is 1, 2, 3 or 4", ("alertType",))
    why = first_text(alert, "alertdetails", "alerttypefriendlyname") or expires
    told = UpstreamAlert(
        key=(monitor, expires) if expires else (monitor,),
        action="trigger" if expires else _ACTION[kind],
        title=f"{name}: {why}" if why else name,
        severity="warning" if expires else None,
        at=instant(first_text(alert, "alertdatetime"), post.zone),
        labels={"monitor": name}
        | texts(alert, group="monitorgroup", type="monitortype", url="monitorurl"),
        details=rendered(said),
    )
    return signal_of(told, post)
