"""A good body for each format that senders of other systems speak at their doors."""

from typing import Any

DOORS: dict[str, dict[str, Any]] = {
    "cloudevents": {
        "specversion": "1.0",
        "id": "7",
        "source": "/quais/north",
        "type": "example.gate.stuck",
        "subject": "gate-12",
        "time": "2025-06-30T06:59:00Z",
        "severitynumber": 17,
        "datacontenttype": "application/json",
        "data": {"action": "trigger", "title": "Gate 12 is stuck", "labels": {}},
    },
    "opsgenie": {
        "action": "Create",
        "alert": {
            "alertId": "7f0e",
            "message": "Gate 12 is stuck",
            "alias": "gate/12",
            "priority": "P2",
            "tags": ["quais"],
            "createdAt": 1_751_266_741_123,
            "details": {"service": "gates"},
        },
    },
    "pagerduty": {
        "messages": [
            {
                "id": "m-1",
                "type": "incident.trigger",
                "created_on": "2025-06-30T06:59:00Z",
                "data": {
                    "incident": {
                        "id": "PGATE",
                        "incident_key": "gate/12",
                        "service": {"name": "gates"},
                        "priority": {"summary": "P2"},
                        "trigger_summary_data": {"subject": "Gate 12 is stuck"},
                    }
                },
            }
        ]
    },
    "pagerduty_changes": {"payload": {"summary": "Deployed 7.2"}, "links": []},
    "pagerduty_events": {
        "event_action": "trigger",
        "dedup_key": "gate/12",
        "payload": {
            "summary": "Gate 12 is stuck",
            "source": "gate-12",
            "severity": "error",
            "timestamp": "2025-06-30T06:59:00Z",
            "custom_details": {"service": "gates", "tries": [3]},
        },
        "links": [{"href": "https://runbook.example/7"}],
    },
}
