"""Pingdom webhooks: state changes, and the older ones of BeepManager.

https://www.pingdom.com/resources/webhooks

The check is the key. Its `importance_level` is the only severity; the older format,
often a form with the JSON in its field `message`, has none.
"""

from collections.abc import Mapping

import orjson

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

_ACTION: Mapping[str, Action] = {
    "down": "trigger",
    "failing": "trigger",
    "assign": "trigger",
    "up": "resolve",
    "success": "resolve",
    "notify_close": "resolve",
}
_WAITING = {"unknown", "paused", "unconfirmed_down"}
_SEVERITY: Mapping[str, Severity | None] = {"high": "critical", "low": "warning"}


def read(document: object, post: InboundDocument) -> list[Heard]:
    """Return the result of reading the one check."""
    if isinstance(document, dict) and isinstance(document.get("message"), str):
        document = _parsed(document["message"])
    if not isinstance(document, dict):
        return [Rejected(0, "this is not a Pingdom webhook: send a JSON object")]
    return [_read(document, post)]


def _parsed(said: str) -> object:
    try:
        return orjson.loads(said)
    except orjson.JSONDecodeError:
        return None


def _read(change: Mapping[str, object], post: InboundDocument) -> Heard:
    check = first_text(change, "check_id", "checkid", "check")
    if check is None:
        return missing(0, "check_id", "this is not a state of a check")
    name = first_text(change, "check_name", "checkname", "host") or f"check {check}"
    # In the older format only the description reliably says up or down.
    said = (first_text(change, "current_state") or _old_state(change)).lower()
    if said in _WAITING:
        return Ignored(0, f"a check that is {said} reports no problem", title=name)
    if said not in _ACTION:
        return Rejected(0, "`current_state` is DOWN or UP", ("current_state",))
    why = first_text(change, "description")
    ranked = text(change.get("importance_level"))
    told = UpstreamAlert(
        key=(check,),
        action=_ACTION[said],
        title=f"{name}: {why}" if why and _ACTION[said] == "trigger" else name,
        severity=severity_of(ranked, _SEVERITY),
        at=instant(
            first_text(change, "state_changed_timestamp", "state_changed_utc_time")
        ),
        labels={"check": name}
        | texts(change, severity="importance_level", type="check_type")
        | texts(inner(change, "check_params"), host="hostname", url="full_url"),
        details=rendered(change),
    )
    return signal_of(told, post)


def _old_state(change: Mapping[str, object]) -> str:
    said = (first_text(change, "description") or "").lower()
    return said if said in _ACTION else (first_text(change, "action") or "")
