"""Maps foreign severities, format names and keys to ours.

A key is never rejected for its length or characters: its digest is used instead.
"""

from collections.abc import Mapping
from hashlib import sha256

from services.intake.signals.formats.elements.fields import text
from services.intake.signals.schemas import DEDUP_KEY_MAX, EVENT_ID_MAX
from shared.domain.policy.priorities import Severity

_USUAL: Mapping[str, Severity] = {
    "disaster": "critical",
    "emergency": "critical",
    "emerg": "critical",
    "fatal": "critical",
    "critical": "critical",
    "crit": "critical",
    "p1": "critical",
    "sev0": "critical",
    "error": "error",
    "err": "error",
    "major": "error",
    "high": "error",
    "p2": "error",
    "sev1": "error",
    "warning": "warning",
    "warn": "warning",
    "minor": "warning",
    "medium": "warning",
    "moderate": "warning",
    "p3": "warning",
    "sev2": "warning",
    "information": "info",
    "informational": "info",
    "info": "info",
    "notice": "info",
    "low": "info",
    "debug": "info",
    "p4": "info",
    "p5": "info",
    "sev3": "info",
    "sev4": "info",
}
"""Words that mean the same in every system; plain numbers are not among them."""


def severity_of(
    said: object, own: Mapping[str, Severity | None] | None = None
) -> Severity | None:
    """Return the severity that a word means, or None if it is unknown.

    `own` maps the words of the system, in lower case, and takes precedence over the
    common words. None is not an error: the policy defines what a missing severity
    counts as.
    """
    word = (text(said) or "").lower()
    if own is not None and word in own:
        return own[word]
    return _USUAL.get(word)


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


def key_of(*parts: str) -> str:
    """Return the dedup key for these parts; different parts give different keys."""
    return _fitting(_joined(parts), DEDUP_KEY_MAX)


def event_id_of(*parts: str) -> str:
    """Return the event id for these parts; different parts give different ids."""
    return _fitting(_joined(parts), EVENT_ID_MAX)


def _joined(parts: tuple[str, ...]) -> str:
    if len(parts) == 1:
        return parts[0]
    return "/".join(part.replace("%", "%25").replace("/", "%2F") for part in parts)


def _fitting(key: str, most: int) -> str:
    if 0 < len(key) <= most and key.isprintable():
        return key
    return f"sha256:{sha256(key.encode(errors='backslashreplace')).hexdigest()}"
