"""Google Cloud Monitoring (formerly Stackdriver): incidents, versions 1.0 to 1.2.

https://cloud.google.com/monitoring/support/notification-options#webhooks

An incident opens and closes with the same id. Its severity is that of the alerting
policy; before policies had a severity, people wrote it into the policy's labels or its
documentation, which may be JSON in a text. The instant 0 means unknown.
"""

from collections.abc import Mapping

from services.intake.records.signal import Action, Signal
from services.intake.signals.formats.clouds.cloudwatch import object_in
from services.intake.signals.formats.elements.fields import (
    all_texts,
    first_text,
    inner,
    instant,
    rendered,
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
from services.intake.signals.schemas import Heard, Ignored, Rejected

_STATES: Mapping[str, Action] = {
    "open": "trigger",
    "acknowledged": "acknowledge",
    "closed": "resolve",
}
_TEST = "test"
"""The version that `Send test notification` sends."""


def read(document: object, post: InboundDocument) -> list[Heard]:
    """Return the single incident in a Cloud Monitoring body."""
    if not isinstance(document, dict) or not isinstance(document.get("incident"), dict):
        reason = (
            "this is not a webhook of Google Cloud Monitoring: `incident` is missing"
        )
        return [Rejected(0, reason)]
    incident = document["incident"]
    if text(document.get("version")) == _TEST:
        title = title_of(incident.get("summary"))
        return [Ignored(0, "a test notification", title=title)]
    return [_incident(incident, post)]


def _incident(said: Mapping[str, object], post: InboundDocument) -> Signal | Rejected:
    action = _STATES.get((text(said.get("state")) or "").lower())
    if action is None:
        reason = f"the state of an incident is one of {', '.join(_STATES)}"
        return Rejected(0, reason, ("incident", "state"))
    name = text(said.get("incident_id"))
    if name is None:
        return Rejected(0, "an incident has an id", ("incident", "incident_id"))
    severity = _severity(said)
    told = UpstreamAlert(
        key=(name,),
        action=action,
        title=title_of(
            said.get("summary"),
            said.get("condition_name"),
            said.get("policy_name"),
        ),
        severity=severity_of(severity),
        at=instant(said.get("ended_at" if action == "resolve" else "started_at")),
        labels=_labels(said, severity),
        details={**rendered(said), **_documentation(said)},
    )
    return signal_of(told, post)


def _severity(said: Mapping[str, object]) -> str | None:
    places = (said, inner(said, "policy_user_labels"), _content(said))
    words = (text(place.get("severity")) for place in places)
    return next(filter(None, words), None)


def _content(said: Mapping[str, object]) -> Mapping[str, object]:
    """Return the documentation of the policy if it is JSON in a text."""
    documentation = said.get("documentation")
    if isinstance(documentation, dict):
        documentation = documentation.get("content")
    return object_in(documentation) or {}


def _documentation(said: Mapping[str, object]) -> dict[str, object]:
    content = _content(said)
    return {"documentation": content} if content else {}


def _labels(said: Mapping[str, object], severity: str | None) -> dict[str, str]:
    told = {
        **inner(inner(said, "resource"), "labels"),
        **inner(inner(said, "metric"), "labels"),
        **inner(inner(said, "metadata"), "user_labels"),
        **inner(said, "policy_user_labels"),
    }
    resource = first_text(said, "resource_display_name", "resource_name", "resource_id")
    return {
        **all_texts(told),
        **texts(
            said,
            project="scoping_project_id",
            policy="policy_name",
            condition="condition_name",
        ),
        **({"resource": resource} if resource else {}),
        **({"severity": severity} if severity else {}),
    }
