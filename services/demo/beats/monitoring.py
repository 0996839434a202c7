"""What monitoring systems post: Alertmanager's webhook, and native events."""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

from services.demo.seeing import see
from services.demo.stage import Stage

ALERTS = ("ServiceDown", "LatencyHigh", "CertificateUnreachable")
"""What Alertmanager says of one fault: alerts with fingerprints of their own."""


def webhook(
    stage: Stage,
    status: str,
    service: str,
    started: str,
    alerts: Sequence[str] = ALERTS,
) -> Mapping[str, Any]:
    """Return a group of alerts on a service as Alertmanager posts it."""
    ended = "0001-01-01T00:00:00Z"
    if status == "resolved":
        ended = stage.now.isoformat()
    common = {"service": service, "severity": "critical"}
    return {
        "version": "4",
        "groupKey": f'{{}}:{{service="{service}"}}',
        "truncatedAlerts": 0,
        "status": status,
        "receiver": "permanence",
        "groupLabels": {"service": service},
        "commonLabels": common,
        "commonAnnotations": {},
        "externalURL": "http://alertmanager.example",
        "alerts": [
            {
                "status": status,
                "labels": {**common, "alertname": name, "instance": f"{service}-1:443"},
                "annotations": {"summary": f"{service} ne répond plus ({name})"},
                "startsAt": started,
                "endsAt": ended,
                "generatorURL": "http://prometheus.example/graph",
                "fingerprint": sha256(f"{service}{name}".encode()).hexdigest()[:16],
            }
            for name in alerts
        ],
    }


VPN_MONITOR = "zabbix"
"""It flaps: its recoveries must hold before they are believed."""


async def fires(
    stage: Stage,
    service: str,
    *,
    key: str,
    severity: str = "warning",
    source: str = VPN_MONITOR,
) -> str:
    """Post a native event that fires; return the reference of its incident."""
    return await _native(stage, source, service, key, "trigger", severity)


async def recovers(
    stage: Stage, service: str, *, key: str, source: str = VPN_MONITOR
) -> str:
    """Post that it is over; return the reference of its incident."""
    return await _native(stage, source, service, key, "resolve", "info")


async def beats(stage: Stage, name: str, source: str = VPN_MONITOR) -> bool:
    """Let something report that it did its work; tell whether it had been silent."""
    answer = await stage.signals(source, {}, f"/v1/heartbeats/{name}")
    see(f"the beat of {name} is taken", answer.is_success, answer.text)
    await stage.settle()
    recovered: bool = answer.json()["recovered"]
    return recovered


async def _native(
    stage: Stage, source: str, service: str, key: str, action: str, severity: str
) -> str:
    body = {
        "dedup_key": key,
        "action": action,
        "title": f"{service} : liaison coupée",
        "severity": severity,
        "service": service,
        "occurred_at": stage.now.isoformat(),
    }
    answer = await stage.signals(source, [body], "/v1/events")
    see(f"{service} {action} is taken", answer.is_success, answer.text)
    await stage.settle()
    incident: str = answer.json()["results"][0]["incident"]
    return incident
