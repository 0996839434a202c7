"""Azure Monitor: the common alert schema, metric alerts, and classic metric alerts.

https://learn.microsoft.com/en-us/azure/azure-monitor/alerts/alerts-common-schema
https://learn.microsoft.com/en-us/azure/azure-monitor/alerts/alerts-metric-near-real-time
https://learn.microsoft.com/en-us/azure/azure-monitor/alerts/alerts-webhooks

In the common schema an alert keeps its id from firing to resolution. In the older
schemas the key is the rule and the resource, plus the dimensions if a rule watches
several series of one resource. Azure is inconsistent about the case of resource ids, so
case is ignored.
"""

from collections.abc import Mapping

from services.intake.records.signal import Action
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
from shared.domain.policy.priorities import Severity

_COMMON = "azureMonitorCommonAlertSchema"
_METRIC = "AzureMonitorMetricAlert"
_CONDITIONS: Mapping[str, Action] = {"fired": "trigger", "resolved": "resolve"}
_STATUSES: Mapping[str, Action] = {
    "activated": "trigger",
    "resolved": "resolve",
    "deactivated": "resolve",
}
_SEVERITIES: Mapping[str, Severity | None] = {
    "0": "critical",
    "1": "error",
    "2": "warning",
    "3": "info",
    "4": "info",
}
_NOBODYS = "/subscriptions/11111111-1111-1111-1111-111111111111/"
"""The subscription in the samples that `Test action group` sends."""
_TEST = "a test of an action group"


def read(document: object, post: InboundDocument) -> list[Heard]:
    """Return the single alert in an Azure Monitor body."""
    if not isinstance(document, dict):
        return [Rejected(0, "this is not an alert of Azure: a JSON object is expected")]
    schema, data = document.get("schemaId"), inner(document, "data")
    if schema == _COMMON:
        return [_common(data, post)]
    if schema == _METRIC:
        return [_older(data, post, ("data",))]
    if schema is None and "context" in document:
        return [_older(document, post, ())]
    reason = "no alert we know: let the action group use the common alert schema"
    return [Rejected(0, reason, ("schemaId",))]


def _common(data: Mapping[str, object], post: InboundDocument) -> Heard:
    said, context = inner(data, "essentials"), inner(data, "alertContext")
    action = _CONDITIONS.get((text(said.get("monitorCondition")) or "").lower())
    if action is None:
        reason = "`monitorCondition` is `Fired` or `Resolved`"
        return Rejected(0, reason, ("data", "essentials", "monitorCondition"))
    targets = said.get("alertTargetIDs")
    listed = targets if isinstance(targets, list) else []
    resources = [each for target in listed if (each := text(target))]
    rule = text(said.get("alertRule"))
    named = [text(said.get("alertId"))] if "alertId" in said else [rule, *resources]
    if not (names := [name for name in named if name]):
        reason = "an alert has an id"
        return Rejected(0, reason, ("data", "essentials", "alertId"))
    if names[0].lower().startswith(_NOBODYS):
        return Ignored(0, _TEST, title=title_of(rule))
    told = UpstreamAlert(
        key=tuple(name.lower() for name in names),
        action=action,
        title=title_of(_last(rule)),
        severity=severity_of(said.get("severity"), _SEVERITIES),
        at=instant(
            said.get("resolvedDateTime" if action == "resolve" else "firedDateTime")
        ),
        labels={
            **all_texts(inner(context, "properties")),
            **all_texts(inner(data, "customProperties")),
            **texts(said, severity="severity", signal_type="signalType"),
            **({"resource": resources[0].lower()} if resources else {}),
        },
        details={**rendered(said), "alertContext": context},
    )
    return signal_of(told, post)


def _older(
    data: Mapping[str, object], post: InboundDocument, at: tuple[str, ...]
) -> Heard:
    said = inner(data, "context")
    action = _STATUSES.get((text(data.get("status")) or "").lower())
    if action is None:
        reason = f"the status of an alert is one of {', '.join(_STATUSES)}"
        return Rejected(0, reason, (*at, "status"))
    rule, resource = text(said.get("id")), text(said.get("resourceId"))
    if rule is None:
        return Rejected(0, "an alert names its rule", (*at, "context", "id"))
    if rule.lower().startswith(_NOBODYS):
        return Ignored(0, _TEST, title=title_of(said.get("name")))
    parts = (rule, resource or "", *_dimensions(inner(said, "condition")))
    told = UpstreamAlert(
        key=("|".join(parts).lower(),),
        action=action,
        title=title_of(said.get("name"), _last(rule)),
        severity=severity_of(said.get("severity"), _SEVERITIES),
        at=instant(said.get("timestamp")),
        labels={
            **all_texts(inner(data, "properties")),
            **texts(said, severity="severity", resource_name="resourceName"),
            **({"resource": resource.lower()} if resource else {}),
        },
        details=rendered(said),
    )
    return signal_of(told, post)


def _dimensions(condition: Mapping[str, object]) -> list[str]:
    """Return the dimensions that distinguish the series of a resource, sorted."""
    criteria = condition.get("allOf")
    listed = [
        each
        for criterion in (criteria if isinstance(criteria, list) else [])
        if isinstance(criterion, dict) and isinstance(criterion.get("dimensions"), list)
        for each in criterion["dimensions"]
        if isinstance(each, dict)
    ]
    told = {
        f"{name}={first_text(each, 'value') or ''}"
        for each in listed
        if (name := text(each.get("name")))
        and not name.lower().startswith("microsoft.resource")
    }
    return sorted(told)


def _last(resource: str | None) -> str:
    """Return the last segment of a resource id."""
    return (resource or "").rstrip("/").rpartition("/")[2]
