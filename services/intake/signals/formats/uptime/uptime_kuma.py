"""Uptime Kuma's webhook.

https://github.com/louislam/uptime-kuma/wiki/Notification-Methods

The monitor's number is the key. A notification without a monitor is a test, or a
warning that a certificate expires: that has no recovery, and its text contains the
number of days left.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime

from services.intake.records.signal import Action
from services.intake.signals.formats.elements.fields import (
    first_text,
    inner,
    instant,
    rendered,
    text,
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
    "0": "trigger",
    "down": "trigger",
    "1": "resolve",
    "up": "resolve",
}
_WAITING = {"2": "pending", "pending": "pending", "3": "in maintenance"}
_DIGITS = re.compile(r"\d+")


def read(document: object, post: InboundDocument) -> list[Heard]:
    """Return the result of reading the one heartbeat."""
    if not isinstance(document, dict):
        return [Rejected(0, "this is not an Uptime Kuma webhook: send a JSON object")]
    beat, monitor = inner(document, "heartbeat"), inner(document, "monitor")
    if not beat and not monitor:
        return [_notice(document, post)]
    return [_beat(document, beat, monitor, post)]


def _notice(document: Mapping[str, object], post: InboundDocument) -> Heard:
    said = text(document.get("msg"))
    if said is None:
        return missing(0, "heartbeat", "choose the body `application/json`")
    if said.endswith("Testing"):
        return Ignored(0, "this is Uptime Kuma's test", title=said)
    told = UpstreamAlert(
        key=("notice", _DIGITS.sub("#", said)),
        action="trigger",
        title=said,
        severity="warning",
    )
    return signal_of(told, post)


def _beat(
    document: Mapping[str, object],
    beat: Mapping[str, object],
    monitor: Mapping[str, object],
    post: InboundDocument,
) -> Heard:
    number = text(monitor.get("id")) or text(beat.get("monitorID"))
    if number is None:
        return missing(0, "monitor", "choose the body `application/json`")
    name = text(monitor.get("name")) or f"monitor {number}"
    status = (text(beat.get("status")) or "").lower()
    if status in _WAITING:
        return Ignored(0, f"the monitor is {_WAITING[status]}", title=name)
    if status not in _ACTION:
        return Rejected(0, "`status` is 0, 1, 2 or 3", ("heartbeat", "status"))
    said = text(beat.get("msg")) or text(document.get("msg"))
    told = UpstreamAlert(
        key=(number,),
        action=_ACTION[status],
        title=f"{name}: {said}" if said else name,
        at=_instant(beat, post),
        labels={**_tags(monitor), "monitor": name}
        | texts(monitor, host="hostname", type="type", url="url"),
        details=rendered({"heartbeat": beat, "msg": document.get("msg")}),
    )
    return signal_of(told, post)


def _instant(beat: Mapping[str, object], post: InboundDocument) -> datetime | None:
    """Return the time of the heartbeat; `time` is UTC without saying so."""
    local = text(beat.get("localDateTime"))
    if "time" in beat or not local:
        return instant(text(beat.get("time")), UTC)
    return instant(f"{local}{first_text(beat, 'timezoneOffset') or ''}", post.zone)


def _tags(monitor: Mapping[str, object]) -> dict[str, object]:
    tags = monitor.get("tags")
    return {
        name: text(tag.get("value")) or ""
        for tag in (tags if isinstance(tags, list) else ())
        if isinstance(tag, dict) and (name := text(tag.get("name")))
    }
