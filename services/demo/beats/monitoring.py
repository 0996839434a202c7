"""What monitoring systems post: Alertmanager's webhook, and native events."""

from collections.abc import Mapping
from typing import Any

from services.demo.seeing import see
from services.demo.stage import Stage


def webhook(stage: Stage, status: str, service: str, started: str) -> Mapping[str, Any]:
    """Return a group of one alert as Alertmanager posts it."""
    labels = {
        "alertname": "ServiceDown",
        "service": service,
        "severity": "critical",
        "instance": f"{service}-1:443",
    }
    ended = "0001-01-01T00:00:00Z"
    if status == "resolved":
        ended = stage.now.isoformat()
    alert = {
        "status": status,
        "labels": labels,
        "annotations": {"summary": f"{service} ne répond plus"},
        "startsAt": started,
        "endsAt": ended,
        "generatorURL": "http://prometheus.example/graph",
        "fingerprint": "791cec13fcba0368",
    }
    return {
        "version": "4",
        "groupKey": f'{{}}:{{service="{service}"}}',
        "truncatedAlerts": 0,
        "status": status,
        "receiver": "permanence",
        "groupLabels": {"service": service},
        "commonLabels": labels,
        "commonAnnotations": alert["annotations"],
        "externalURL": "http://alertmanager.example",
        "alerts": [alert],
    }


async def fires(
    stage: Stage, service: str, *, key: str, severity: str = "warning"
) -> str:
    """Post a native event that fires; return the reference of its incident."""
    return await _native(stage, service, key, "trigger", severity)


async def recovers(stage: Stage, service: str, *, key: str) -> str:
    """Post that it is over; return the reference of its incident."""
    return await _native(stage, service, key, "resolve", "info")


async def _native(
    stage: Stage, service: str, key: str, action: str, severity: str
) -> str:
    body = {
        "dedup_key": key,
        "action": action,
        "title": f"{service} : liaison coupée",
        "severity": severity,
        "service": service,
        "occurred_at": stage.now.isoformat(),
    }
    answer = await stage.signals("zabbix", [body], "/v1/events")
    see(f"{service} {action} is taken", answer.is_success, answer.text)
    await stage.settle()
    incident: str = answer.json()["results"][0]["incident"]
    return incident
