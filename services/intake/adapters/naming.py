"""Formats by the names people write, beside the one that is in addresses."""

from collections.abc import Mapping

ALSO_CALLED: Mapping[str, str] = {
    "alert_manager": "alertmanager",
    "aria_operations": "vrealize",
    "aria_operations_for_logs": "vrealize_logs",
    "azure": "azure_monitor",
    "cloudwatch_sns": "cloudwatch",
    "gcp": "gcp_monitoring",
    "google_cloud_monitoring": "gcp_monitoring",
    "grafana_legacy": "grafana",
    "grafana_unified": "grafana",
    "log_insight": "vrealize_logs",
    "new_relic": "newrelic",
    "opsgenie_webhook": "opsgenie",
    "pagerduty_webhook": "pagerduty",
    "prometheus": "alertmanager",
    "sns": "cloudwatch",
    "stackdriver": "gcp_monitoring",
    "stackdriver_gcp": "gcp_monitoring",
    "vrealize_log_insight": "vrealize_logs",
    "vrealize_operations": "vrealize",
    "vrops": "vrealize",
}


def format_named(written: str) -> str:
    """Return the format that is meant: `Azure-Monitor` → `azure_monitor`."""
    name = written.lower().replace("-", "_")
    return ALSO_CALLED.get(name, name)
