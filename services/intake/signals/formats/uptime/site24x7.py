"""Site24x7's webhook with its incident parameters, as JSON or a form.

https://www.site24x7.com/help/admin/configuration-profiles/incident-parameters.html

The key is `MONITOR_ID`, or `MONITORURL` without it. A status is not a severity: DOWN,
the worst, gives none, and the two lesser ones give a lower severity.
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
from services.intake.signals.formats.elements.upstream_alert import (
    InboundDocument,
    UpstreamAlert,
    missing,
    signal_of,
)
from services.intake.signals.schemas import Heard, Ignored, Rejected
from shared.domain.policy.priorities import Severity

_ACTION: Mapping[str, Action] = {
    "down": "trigger",
    "critical": "trigger",
    "trouble": "trigger",
    "up": "resolve",
}
_WAITING = {"suspended", "maintenance", "discovery"}
_SEVERITY: Mapping[str, Severity] = {"critical": "error", "trouble": "warning"}
_TIMES = ("INCIDENT_TIME_ISO", "ct", "OUTAGE_TIME_UNIX_FORMAT")


def read(document: object, post: InboundDocument) -> list[Heard]:
    """Return the result of reading the one monitor."""
    if not isinstance(document, dict):
        return [Rejected(0, "this is not a Site24x7 webhook: send a JSON object")]
    return [_read(document, post)]


def _read(said: Mapping[str, object], post: InboundDocument) -> Heard:
    monitor = first_text(said, "MONITOR_ID", "MONITORURL", "MONITORNAME")
    if monitor is None:
        return missing(0, "MONITOR_ID", "send the incident parameters")
    name = first_text(said, "MONITORNAME", "MONITORURL") or monitor
    status = (text(said.get("STATUS")) or "").lower()
    if status in _WAITING:
        return Ignored(0, f"a monitor in {status} reports no problem", title=name)
    if status not in _ACTION:
        return Rejected(0, "`STATUS` is DOWN, CRITICAL, TROUBLE or UP", ("STATUS",))
    why = first_text(said, "INCIDENT_REASON")
    told = UpstreamAlert(
        key=(monitor,),
        action=_ACTION[status],
        title=f"{name}: {why}" if why else name,
        severity=_SEVERITY.get(status),
        at=instant(first_text(said, *_TIMES), post.zone),
        labels=texts(
            said,
            group="MONITOR_GROUPNAME",
            monitor="MONITORNAME",
            status="STATUS",
            type="MONITORTYPE",
            url="MONITORURL",
        ),
        details=rendered(said),
    )
    return signal_of(told, post)
