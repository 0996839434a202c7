"""Where signals and contacts come from, and how to read them."""

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from shared.policy.clause import Clause
from shared.policy.counts import Count
from shared.policy.durations import Duration, Patience
from shared.policy.limits import Quota, Rate
from shared.policy.local_times import Zone
from shared.policy.mapped import Mapped
from shared.policy.networks import Network
from shared.policy.scales import Severity, Urgency
from shared.policy.secret import Secret
from shared.policy.signatures import Signature
from shared.policy.targets import Channel

ALLOWED_MAX = 100
AUTHSERV_ID = r"^[A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9])?$"
LABELS = "labels."
SERVICE = "service"
"""What `by` calls the service of a signal."""
THRESHOLD_MAX = 100
SERVICE_OR_LABEL = (
    r"^(labels\.[A-Za-z_][A-Za-z0-9_.-]{0,99}|[A-Za-z0-9][A-Za-z0-9_-]{0,63})$"
)
# `labels.<name>` reads the service from a label of the signal; a name is the service.
ServiceOrLabel = Annotated[
    str,
    StringConstraints(pattern=SERVICE_OR_LABEL),
    Field(examples=["a-service", "labels.service"]),
]


class Correlation(Clause):
    """Signals that agree in all of `by` belong to one incident while it is at work."""

    by: Annotated[tuple[ServiceOrLabel, ...], Field(min_length=1)]
    """`service`, and labels as `labels.<name>`; without one of them it stands alone."""
    within: Duration
    """How long after the last of them another still belongs to it; each extends it."""
    threshold: Annotated[Count, Field(ge=2, le=THRESHOLD_MAX)] | None = None
    """Open only once so many different alerts fire within that time."""


class Flapping(Clause):
    """So many changes of state within a time make one flapping incident.

    It ends when the state holds for `hold_down`, or else for `within`; no recovery is
    believed before.
    """

    changes: Annotated[Count, Field(ge=2)]
    within: Duration


class Monitor(Clause):
    """A monitoring system that posts or publishes signals."""

    type: Literal[
        "native",
        "alerta",
        "alertmanager",
        "azure_monitor",
        "checkmk",
        "cloudevents",
        "cloudwatch",
        "datadog",
        "gcp_monitoring",
        "grafana",
        "graylog",
        "icinga",
        "librenms",
        "mapped",
        "nagios",
        "newrelic",
        "opsgenie",
        "pagerduty",
        "pagerduty_changes",
        "pagerduty_events",
        "pingdom",
        "rackspace",
        "riemann",
        "sentry",
        "sentry_legacy",
        "site24x7",
        "uptime_kuma",
        "uptimerobot",
        "vrealize",
        "vrealize_logs",
        "wazuh",
        "zabbix",
    ]
    mapping: Mapped | None = None
    """How its documents are read; of type `mapped` only, and needed there."""
    timezone: Zone | None = None
    """The zone of local times in its documents; none: UTC."""
    key: Secret | None = None
    """A key it may authenticate with, beside those made with `permanence token`."""
    signature: Signature | None = None
    """How its bodies are signed over HTTP; left out: they are not."""
    allow_from: Annotated[tuple[Network, ...], Field(max_length=ALLOWED_MAX)] = ()
    """The networks it may send from over HTTP; none named: from anywhere."""
    nats: bool = False
    """Whether it may send over NATS although it has to sign or has networks: a body
    carries no signature there, and networks are checked once, when it connects."""
    rate: Rate | None = None
    """How fast it may send; left out: 2,000 elements a second, 100,000 at once."""
    quota: Quota | None = None
    service: ServiceOrLabel | None = None
    """Its one service, or `labels.<name>`: the label that names it."""
    urgency: Mapping[Severity, Urgency] = {}
    """Where this source means something else by a severity than is usual."""
    correlate: Correlation | None = None
    open_after: Duration | None = None
    """An alert opens an incident only if it still fires after this long."""
    hold_down: Duration | None = None
    """A recovery takes effect only after it has held this long."""
    flapping: Flapping | None = None
    recovers_after: Patience | None = None
    """Silent for so long counts as recovered: by itself 24h of what never says so."""

    @model_validator(mode="after")
    def _mapped_by_a_mapping(self) -> Self:
        if self.type == "mapped" and self.mapping is None:
            raise ValueError("a source of type mapped needs a `mapping`: add it")
        if self.type != "mapped" and self.mapping is not None:
            raise ValueError("write `type: mapped`, or take `mapping` out")
        return self


class Mailbox(Clause):
    """A mailbox whose messages are contacts."""

    type: Literal["imap"]
    url: Secret
    channel: Channel = "email"
    authserv_id: Annotated[str, StringConstraints(pattern=AUTHSERV_ID)] | None = None
    """The name under which its mail server writes `Authentication-Results`. Left out,
    only replies to mails of the desk are known to be their sender's."""


Source = Annotated[Monitor | Mailbox, Field(discriminator="type")]
