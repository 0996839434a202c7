"""From the document a source sends to signals: a module or a mapping for each format.

An adapter takes the parsed body and the post it came by. It returns a signal, a
rejection or what is to be ignored for each element, in order, and never raises: a bad
element does not fail its group.
"""

from collections.abc import Callable, Mapping
from functools import partial

from services.intake.adapters import (
    alerta,
    alertmanager,
    azure_monitor,
    cloudevents,
    cloudwatch,
    datadog,
    formats,
    gcp_monitoring,
    grafana,
    librenms,
    nagios,
    native,
    newrelic,
    opsgenie,
    pagerduty,
    pagerduty_changes,
    pagerduty_events,
    pingdom,
    riemann,
    sentry,
    sentry_legacy,
    site24x7,
    uptime_kuma,
    uptimerobot,
    zabbix,
)
from services.intake.adapters.post import Post
from services.intake.signals import Heard

Adapter = Callable[[object, Post], list[Heard]]

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
    "pagerduty": pagerduty.read,
    "pagerduty_changes": pagerduty_changes.read,
    "pagerduty_events": pagerduty_events.read,
    "pingdom": pingdom.read,
    "riemann": riemann.read,
    "sentry": sentry.read,
    "sentry_legacy": sentry_legacy.read,
    "site24x7": site24x7.read,
    "uptime_kuma": uptime_kuma.read,
    "uptimerobot": uptimerobot.read,
    "zabbix": zabbix.read,
    **{name: partial(formats.read, name) for name in formats.TEXTS},
}
ADAPTERS: Mapping[str, Adapter] = {
    "native": native.read,
    **{name: _FOREIGN[name] for name in sorted(_FOREIGN)},
}
"""The formats there are, by the name they have in addresses and in the policy."""
