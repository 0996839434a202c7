"""Adapters that turn a source's document into signals, one for each format.

An adapter takes the parsed body and its `InboundDocument`. For each element, in order,
it returns a signal, a rejection or an ignored element. It never raises: one bad element
does not fail the others.

Here are all formats by name, what their documents do not say about them, and which one
a source uses according to the policy.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, tzinfo
from functools import partial
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from services.intake.signals.formats import (
    alerta,
    alertmanager,
    datadog,
    grafana,
    librenms,
    nagios,
    native,
    newrelic,
    opsgenie,
    ready,
    riemann,
    zabbix,
)
from services.intake.signals.formats import mapping as formats_mapping
from services.intake.signals.formats.clouds import (
    azure_monitor,
    cloudevents,
    cloudwatch,
    gcp_monitoring,
)
from services.intake.signals.formats.clouds.cloudevents import CE
from services.intake.signals.formats.elements.upstream_alert import InboundDocument
from services.intake.signals.formats.pagerduty import changes, webhooks
from services.intake.signals.formats.pagerduty import events as pagerduty_events
from services.intake.signals.formats.sentry import legacy, platform
from services.intake.signals.formats.uptime import (
    pingdom,
    site24x7,
    uptime_kuma,
    uptimerobot,
)
from services.intake.signals.schemas import Heard
from shared.domain.policy.mappings import Mapped
from shared.domain.policy.sources import Monitor, Source

Adapter = Callable[[object, InboundDocument], list[Heard]]

_FOREIGN: Mapping[str, Adapter] = {
    "alerta": alerta.read,
    "alertmanager": alertmanager.read,
    "azure_monitor": azure_monitor.read,
    "checkmk": nagios.read,
    "cloudevents": cloudevents.read,
    "cloudwatch": cloudwatch.read,
    "datadog": datadog.read,
    "gcp_monitoring": gcp_monitoring.read,
    "grafana": grafana.read,
    "icinga": nagios.read,
    "librenms": librenms.read,
    "nagios": nagios.read,
    "newrelic": newrelic.read,
    "opsgenie": opsgenie.read,
    "pagerduty": webhooks.read,
    "pagerduty_changes": changes.read,
    "pagerduty_events": pagerduty_events.read,
    "pingdom": pingdom.read,
    "riemann": riemann.read,
    "sentry": platform.read,
    "sentry_legacy": legacy.read,
    "site24x7": site24x7.read,
    "uptime_kuma": uptime_kuma.read,
    "uptimerobot": uptimerobot.read,
    "zabbix": zabbix.read,
    **{name: partial(ready.read, name) for name in ready.TEXTS},
}
ADAPTERS: Mapping[str, Adapter] = {
    "native": native.read,
    **{name: _FOREIGN[name] for name in sorted(_FOREIGN)},
}
"""All formats, by the name used in URLs and in the policy."""


NEVER_RECOVERS = ready.NEVER_RECOVERS | {"sentry_legacy"}
"""The formats that never send a recovery."""

KEEPS_ITS_INSTANT = frozenset({"alertmanager", "grafana"})
"""The formats in which an alert that seemed resolved resumes with its old instant.

If the watcher is cut off from what it watches, it reports a recovery; once they
reconnect, the alert fires with its original start. In all other formats an old instant
means an old message.
"""


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


HEADER_MAX = 1_024
"""Characters of a header that are read, now and in later readings."""
CLOUDEVENTS = "cloudevents"
_DECLARED: Mapping[str, tuple[str, ...]] = {
    "cloudevents": cloudevents.HEADERS,
    "cloudwatch": cloudwatch.HEADERS,
    "sentry": platform.HEADERS,
}


def headers_read(adapter: str, headers: Mapping[str, str]) -> dict[str, str]:
    """Return the request headers that the format reads; names in lower case."""
    declared = _DECLARED.get(adapter, ())
    return {
        name: value if adapter == CLOUDEVENTS else value[:HEADER_MAX]
        for name, value in headers.items()
        if name in declared or (adapter == CLOUDEVENTS and name.startswith(CE))
    }


MAPPED = "mapped"
"""The adapter that uses a mapping of the policy, in URLs and in the policy."""


def adapter_for(name: str, source: Source | None) -> Adapter | None:
    """Return the adapter of that name for `source`; None if unknown or unmapped."""
    if name == MAPPED:
        mapping = mapping_of(source)
        return partial(formats_mapping.read, mapping) if mapping else None
    return ADAPTERS.get(name)


def mapping_of(source: Source | None) -> Mapped | None:
    """Return the policy's mapping for a source, if any."""
    return source.mapping if isinstance(source, Monitor) else None


def zone_of(source: Source | None) -> tzinfo:
    """Return the zone of local times in a source's documents."""
    named = source.timezone if isinstance(source, Monitor) else None
    try:
        return ZoneInfo(named) if named else UTC
    except (ZoneInfoNotFoundError, ValueError):  # since removed from tzdata
        return UTC
