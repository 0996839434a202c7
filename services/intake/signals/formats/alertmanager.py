"""Groups of alerts as sent by Prometheus Alertmanager, and by Grafana.

https://prometheus.io/docs/alerting/latest/configuration/#webhook_config

Webhook versions 3 and 4 are read. The key of each alert is its fingerprint, or its
labels if it has none: alerts with equal labels and different fingerprints are
different.

Alertmanager does not read our answers, so overlong texts are cut rather than rejected,
and unknown fields are allowed. The label `severity` may be any word: a word without a
known meaning gives no severity, and stays a label.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import sha256

from services.intake.records.signal import Action, Signal
from services.intake.signals.formats.elements.fields import (
    inner,
    instant,
    rendered,
    text,
)
from services.intake.signals.formats.elements.severities import severity_of
from services.intake.signals.formats.elements.upstream_alert import (
    InboundDocument,
    UpstreamAlert,
    signal_of,
)
from services.intake.signals.schemas import Heard, Rejected

ALERTS_MAX = 16_384
"""More alerts than this do not fit into a body; it is then quarantined whole."""
_ACTION: Mapping[str, Action] = {"firing": "trigger", "resolved": "resolve"}
_OF_THE_GROUP = ("externalURL", "groupKey", "receiver")


def read_group(
    document: Mapping[str, object], post: InboundDocument, also: Sequence[str]
) -> list[Heard]:
    """Return a signal or rejection for each alert; `also` names detail fields."""
    alerts = document.get("alerts")
    if not isinstance(alerts, list):
        return [Rejected(0, "`alerts` is an array of alerts", ("alerts",))]
    if len(alerts) > ALERTS_MAX:
        return [Rejected(0, f"more than {ALERTS_MAX} alerts", ("alerts",))]
    group = _group(document)
    return [_read(alert, n, post, group, also) for n, alert in enumerate(alerts)]


def _group(document: Mapping[str, object]) -> dict[str, object]:
    # In version 3 the group key is an integer too large for a double: keep it as text.
    said: dict[str, object] = {
        name: str(document[name]) for name in _OF_THE_GROUP if name in document
    }
    if document.get("truncatedAlerts"):  # this many were not sent
        said["truncatedAlerts"] = document["truncatedAlerts"]
    return said


def _read(
    alert: object,
    index: int,
    post: InboundDocument,
    group: Mapping[str, object],
    also: Sequence[str],
) -> Signal | Rejected:
    if not isinstance(alert, dict):
        return Rejected(index, "an alert is a JSON object", ("alerts", index))
    labels, annotations = alert.get("labels"), inner(alert, "annotations")
    if not isinstance(labels, dict):
        return Rejected(index, "an alert has labels", ("alerts", index, "labels"))
    action = _ACTION.get(str(alert.get("status")))
    if action is None:
        return Rejected(
            index,
            "the status of an alert is `firing` or `resolved`",
            ("alerts", index, "status"),
        )
    more = rendered({name: alert.get(name) for name in also})
    told = UpstreamAlert(
        key=(text(alert.get("fingerprint")) or _key_of(labels),),
        action=action,
        title=_title(labels, annotations),
        severity=severity_of(labels.get("severity")),
        at=_instant(alert, action),
        labels=labels,
        details={**group, "annotations": annotations, **more},
    )
    return signal_of(told, post, index)


def _key_of(labels: Mapping[str, object]) -> str:
    told = json.dumps(sorted((name, str(value)) for name, value in labels.items()))
    return f"labels:{sha256(told.encode()).hexdigest()}"


def _title(
    labels: Mapping[str, object], annotations: Mapping[str, object]
) -> str | None:
    said = (
        annotations.get("summary"),
        annotations.get("description"),
        labels.get("alertname"),
    )
    return next(filter(None, map(text, said)), None)


def _instant(alert: Mapping[str, object], action: Action) -> datetime | None:
    # For a firing alert `endsAt` is a forecast or the year 1, so it is not used.
    return instant(alert.get("endsAt" if action == "resolve" else "startsAt"))


def read(document: object, post: InboundDocument) -> list[Heard]:
    """Return a signal or a rejection for each alert of the group."""
    if not isinstance(document, dict) or not isinstance(document.get("alerts"), list):
        return [
            Rejected(0, "this is not an Alertmanager webhook: `alerts` is missing", ())
        ]
    return read_group(document, post, ("generatorURL",))
