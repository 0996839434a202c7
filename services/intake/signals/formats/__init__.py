"""Adapters that turn a source's document into signals, one for each format.

An adapter takes the parsed body and its `InboundDocument`. For each element, in order,
it returns a signal, a rejection or an ignored element. It never raises: one bad element
does not fail the others.
"""

from collections.abc import Callable, Mapping
from functools import partial

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
from services.intake.signals.formats.clouds import (
    azure_monitor,
    cloudevents,
    cloudwatch,
    gcp_monitoring,
)
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
