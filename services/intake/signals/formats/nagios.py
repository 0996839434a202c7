"""Notifications from the scripts of Nagios, Icinga 2 and Checkmk.

https://assets.nagios.com/downloads/nagioscore/docs/nagioscore/4/en/macrolist.html
https://icinga.com/docs/icinga-2/latest/doc/03-monitoring-basics/#notification-runtime-macros
https://docs.checkmk.com/latest/en/notifications.html#environment_variables

The body is a flat JSON object or a form; its fields are named like the macros:
`NOTIFICATIONTYPE`, `NOTIFY_HOSTNAME`, `host.name`, `service_description`. The host, or
host and service, form the key.

While something flaps, these systems do not report its state changes. So FLAPPINGSTART
is a trigger, even if the state is OK: something is wrong, and nothing else would report
it until the flapping ends. FLAPPINGSTOP is a recovery if the state is good, since no
RECOVERY will follow; otherwise the alert keeps firing. Downtimes and custom
notifications are ignored.
"""

import re
from collections.abc import Mapping

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

_GOOD = {"up", "ok"}
_SEVERITY: Mapping[str, Severity | None] = {
    "down": "critical",
    "unreachable": "error",
    "unreach": "error",
    "unknown": "error",  # the check gives no result; Checkmk ranks it above WARNING
    "unkn": "error",
}
_ACTION: Mapping[str, Action] = {
    "problem": "trigger",
    "recovery": "resolve",
    "acknowledgement": "acknowledge",
    "acknowledgment": "acknowledge",
    "flappingstart": "trigger",
}
_BY_STATE = {"", "flappingstop", "flappingend", "flappingdisabled"}
_QUIET = re.compile(r"downtime[a-z]*|custom|alerthandler[a-z]*")
_PREFIX = re.compile(r"^(?:NOTIFY|NAGIOS|ICINGA|CMK)_", re.IGNORECASE)
_HOST = ("hostname", "host", "hostalias", "hostdisplayname")
_SERVICE = ("servicedesc", "servicedescription", "servicename", "servicedisplayname")
_OUTPUT = ("pluginoutput", "output", "checkoutput")
_TIMES = ("timet", "icingatimet", "microtime", "timestamp", "shortdatetime")
_LABEL = re.compile(r"(?:host|service)label_(.+)", re.IGNORECASE)


def read(document: object, post: InboundDocument) -> list[Heard]:
    """Return the result of reading the one notification."""
    if not isinstance(document, dict):
        return [Rejected(0, "this is not a notification: send a JSON object or a form")]
    return [_read(document, post)]


def _read(document: Mapping[str, object], post: InboundDocument) -> Heard:
    said = {_PREFIX.sub("", name): value for name, value in document.items()}
    fields = plainly_named(said)
    host, service = first_text(fields, *_HOST), first_text(fields, *_SERVICE)
    if host is None:
        return missing(0, "hostname", "send the macro HOSTNAME (Icinga: host.name)")
    name = f"{host}/{service}" if service else host
    state = _state(fields, service)
    kind = re.sub("[^a-z]", "", (first_text(fields, "notificationtype") or "").lower())
    if _QUIET.fullmatch(kind):
        return Ignored(0, f"{kind} reports no problem", title=name)
    action = _action(kind, state)
    if action is None:
        reason = "is PROBLEM, RECOVERY, ACKNOWLEDGEMENT, FLAPPINGSTART or FLAPPINGSTOP"
        return Rejected(0, f"`notification_type` {reason}", ("notification_type",))
    told = UpstreamAlert(
        key=("service", host, service) if service else ("host", host),
        action=action,
        title=f"{name}: {_output(fields, service) or state or kind}",
        severity=_severity(action, kind, state),
        at=instant(first_text(fields, *_TIMES), post.zone),
        labels=_labels(said, fields, host, service, state),
        details=rendered(document),
    )
    return signal_of(told, post)


def _state(fields: Mapping[str, object], service: str | None) -> str:
    """Return the state in lower case: that of the service, if there is one."""
    names = ("servicestate", "state") if service else ("hoststate", "state")
    return (first_text(fields, *names) or "").lower()


def _output(fields: Mapping[str, object], service: str | None) -> str | None:
    return first_text(fields, "serviceoutput" if service else "hostoutput", *_OUTPUT)


def _action(kind: str, state: str) -> Action | None:
    if kind in _BY_STATE:
        if not state:
            return None
        return "resolve" if state in _GOOD else "trigger"
    return _ACTION.get(kind)


def _severity(action: Action, kind: str, state: str) -> Severity | None:
    if action == "trigger" and kind == "flappingstart" and state in _GOOD:
        return "warning"
    return severity_of(state, _SEVERITY)


def _labels(
    said: Mapping[str, object],
    fields: Mapping[str, object],
    host: str,
    service: str | None,
    state: str,
) -> dict[str, str]:
    own = {
        found[1]: value
        for name, value_said in said.items()
        if (found := _LABEL.fullmatch(name)) and (value := text(value_said))
    }
    named = {"host": host, "check": service, "state": state}
    more = texts(fields, address="hostaddress", hostgroup="hostgroupnames")
    return {**own, **more, **{name: value for name, value in named.items() if value}}
