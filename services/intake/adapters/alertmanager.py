"""Alertmanager's webhook, versions 3 and 4.

https://prometheus.io/docs/alerting/latest/configuration/#webhook_config

Each alert is a trouble of its own, named by its fingerprint, or where there is none
(version 3) by its labels. Alertmanager does not read our answers, so what is too long
is cut rather than refused; fields we do not know are allowed.
"""

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from services.intake.adapters.cutting import fitting_labels, one_line
from services.intake.adapters.details import details_text
from services.intake.adapters.post import Post
from services.intake.signals import Action, Heard, Rejected, Signal, signal_from
from shared.texts import TITLE_MAX

ALERTS_MAX = 16_384
"""More than fit into a body, where each is an alert: it is kept as a whole."""
_ACTION: Mapping[str, Action] = {"firing": "trigger", "resolved": "resolve"}
_SEVERITIES = frozenset({"critical", "error", "warning", "info"})
_NOT_SET = "0001-01-01T"
"""How Go writes an instant that is not set: an alert that has not ended."""


def read(document: object, post: Post) -> list[Heard]:
    """Return a signal or a rejection for each alert of the group."""
    if not isinstance(document, dict) or not isinstance(document.get("alerts"), list):
        return [Rejected(0, "this is no Alertmanager webhook: `alerts` is missing", ())]
    if len(document["alerts"]) > ALERTS_MAX:
        return [Rejected(0, f"more than {ALERTS_MAX} alerts", ("alerts",))]
    group = _group(document)
    return [_read(alert, n, post, group) for n, alert in enumerate(document["alerts"])]


def _group(document: Mapping[str, Any]) -> dict[str, str]:
    # In version 3 the group key is a number beyond what a double can hold: as text.
    names = ("externalURL", "groupKey", "receiver")
    return {name: str(document[name]) for name in names if name in document}


def _read(
    alert: object, index: int, post: Post, group: Mapping[str, str]
) -> Signal | Rejected:
    if not isinstance(alert, dict):
        return Rejected(index, "an alert is a JSON object", ("alerts", index))
    labels, annotations = alert.get("labels"), alert.get("annotations")
    if not isinstance(labels, dict):
        return Rejected(index, "an alert has labels", ("alerts", index, "labels"))
    annotations = annotations if isinstance(annotations, dict) else {}
    action = _ACTION.get(str(alert.get("status")))
    if action is None:
        return Rejected(
            index,
            "the status of an alert is `firing` or `resolved`",
            ("alerts", index, "status"),
        )
    severity = str(labels.get("severity")).lower()
    fields = {
        "source": post.source,
        "event_id": post.id_of(index),
        "dedup_key": alert.get("fingerprint") or _key_of(labels),
        "action": action,
        "title": _title(labels, annotations),
        "severity": severity if severity in _SEVERITIES else None,
        "occurred_at": _instant(alert, action),
        "labels": fitting_labels(labels),
        "details": _details(alert, annotations, group),
    }
    return signal_from(fields, index, post.received_at)


def _key_of(labels: Mapping[str, object]) -> str:
    told = json.dumps(sorted((name, str(value)) for name, value in labels.items()))
    return f"labels:{sha256(told.encode()).hexdigest()}"


def _title(labels: Mapping[str, object], annotations: Mapping[str, object]) -> str:
    said = (
        annotations.get("summary"),
        annotations.get("description"),
        labels.get("alertname"),
    )
    titles = (one_line(text, TITLE_MAX) for text in said if isinstance(text, str))
    return next(filter(None, titles), "an alert without a name")


def _instant(alert: Mapping[str, Any], action: Action) -> object:
    said = alert.get("endsAt" if action == "resolve" else "startsAt")
    return None if isinstance(said, str) and said.startswith(_NOT_SET) else said


def _details(
    alert: Mapping[str, Any],
    annotations: Mapping[str, object],
    group: Mapping[str, str],
) -> str:
    said: dict[str, object] = {**group, "annotations": annotations}
    if "generatorURL" in alert:
        said["generatorURL"] = alert["generatorURL"]
    return details_text(said)
