"""Zabbix' media type "Webhook".

https://www.zabbix.com/documentation/current/en/manual/config/notifications/media/webhook
https://www.zabbix.com/documentation/current/en/manual/appendix/macros/supported_by_location

The fields are those configured in the media type: `hostname`, `triggerid`, `eventid`,
`status`, `severity`, `trigger`, `item`, `link`, in any spelling, or those of Zabbix'
own media types (`event_nseverity`, `event_update_status`, …). A recovery has a
different event id and text, so host and trigger form the key; the trigger may appear in
the link only. A raised severity keeps the event id of the problem, so the event id here
consists of event, status and severity.

Tags (`service`, `team`, …) come from `{EVENT.TAGSJSON}`, an array of `{"tag", "value"}`
that is mostly sent as text.
"""

import re
from collections.abc import Mapping
from datetime import datetime

import orjson

from services.intake.records.signal import Action
from services.intake.signals.formats.elements.fields import (
    first_text,
    instant,
    plainly_named,
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


def tags_of(event: Mapping[str, object]) -> dict[str, str]:
    """Return the tags as labels; empty if they cannot be read."""
    said = event.get("eventtags") or event.get("tags") or event.get("eventtagsjson")
    if isinstance(said, str):
        said = _parsed(said)
    labels: dict[str, str] = {}
    for each in said if isinstance(said, list) else ():
        if isinstance(each, dict) and (name := text(each.get("tag"))):
            labels.setdefault(name, text(each.get("value")) or "")
    return labels


def _parsed(said: str) -> object:
    try:
        return orjson.loads(said)
    except orjson.JSONDecodeError:
        return None


_ACTION: Mapping[str, Action] = {
    "problem": "trigger",
    "1": "trigger",
    "ok": "resolve",
    "resolved": "resolve",
    "recovery": "resolve",
    "0": "resolve",
    "acknowledge": "acknowledge",
    "acknowledged": "acknowledge",
}
_SEVERITY: Mapping[str, Severity | None] = {
    "not classified": None,
    "0": None,
    "information": "info",
    "1": "info",
    "warning": "warning",
    "2": "warning",
    "average": "warning",
    "3": "warning",
    "high": "error",
    "4": "error",
    "disaster": "critical",
    "5": "critical",
}
_TRIGGER_IN_LINK = re.compile(r"[?&]triggerids?(?:\[\]|%5B%5D)?=(\d{1,20})")
_TIMES: Mapping[Action, str] = {
    "trigger": "event",
    "resolve": "eventrecovery",
    "acknowledge": "eventupdate",
}


def read(document: object, post: InboundDocument) -> list[Heard]:
    """Return the result of reading the one event."""
    if not isinstance(document, dict):
        return [Rejected(0, "this is not a Zabbix message: send a JSON object")]
    return [_read(document, plainly_named(document), post)]


def _read(
    said: Mapping[str, object], event: Mapping[str, object], post: InboundDocument
) -> Heard:
    host = first_text(event, "hostname", "host")
    if host is None:
        return missing(0, "hostname", "set it to {HOST.NAME} in the media type")
    trigger = _trigger(event)
    if trigger is None:
        return missing(0, "triggerid", "set it to {TRIGGER.ID} in the media type")
    title = first_text(event, "trigger", "triggername", "eventname", "name", "subject")
    action = _action(event)
    if action is None and _is_update(event):
        return Ignored(0, "an update that neither acknowledges nor ranks", title=title)
    if action is None:
        return missing(0, "status", "set it to {EVENT.STATUS} in the media type")
    ranked = first_text(event, "severity", "eventseverity", "triggerseverity")
    ranked = ranked or first_text(event, "nseverity", "eventnseverity")
    eventid = first_text(event, "eventid")
    told = UpstreamAlert(
        key=(host, "trigger", trigger),
        action=action,
        title=title,
        severity=severity_of(ranked, _SEVERITY),
        at=_instant(event, action, post),
        event_id=(eventid, action, ranked or "") if eventid else (),
        labels={
            **texts(
                {"host": host, "severity": ranked}, host="host", severity="severity"
            ),
            **texts(event, item="item", hostgroup="hostgroup"),
            **tags_of(event),
        },
        details=rendered(said),
    )
    return signal_of(told, post)


def _trigger(event: Mapping[str, object]) -> str | None:
    link = first_text(event, "link", "url", "triggerurl", "eventurl") or ""
    in_link = _TRIGGER_IN_LINK.search(link)
    return first_text(event, "triggerid") or (in_link[1] if in_link else None)


def _is_update(event: Mapping[str, object]) -> bool:
    status = first_text(event, "status", "eventstatus") or ""
    return status.lower() == "update" or first_text(event, "eventupdatestatus") == "1"


def _action(event: Mapping[str, object]) -> Action | None:
    if _is_update(event):
        done = (first_text(event, "eventupdateaction", "updateaction") or "").lower()
        if re.search(r"(?<!un)acknowledged", done):
            return "acknowledge"
        return "trigger" if "changed severity" in done else None
    said = first_text(event, "status", "eventstatus", "triggerstatus", "eventvalue")
    return _ACTION.get((said or "").lower())


def _instant(
    event: Mapping[str, object], action: Action, post: InboundDocument
) -> datetime | None:
    """Return when it happened: `2025.06.30` and `07:52:01`, in server local time."""
    of = _TIMES[action]
    day, time = first_text(event, f"{of}date"), first_text(event, f"{of}time")
    if day and time:
        return instant(f"{day.replace('.', '-')} {time}", post.zone)
    return instant(first_text(event, "timestamp", "clock"), post.zone)
