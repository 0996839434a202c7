"""The sources of signals and contacts: formats, limits, networks and signatures.

Rates count elements, so an array counts as many. With a signature, the key of a source
alone is not enough to send for it. Secrets are in the environment or in a file; a
policy only says where. Heartbeats have to report regularly: their silence raises an
alert.
"""

import re
from collections.abc import Mapping
from datetime import timedelta
from ipaddress import ip_network
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, Strict, StringConstraints, model_validator

from shared.domain.policy.clause import Clause, Count, Name
from shared.domain.policy.durations import Delay, Duration, Patience
from shared.domain.policy.local_times import Zone
from shared.domain.policy.mappings import Mapped
from shared.domain.policy.priorities import Severity, Urgency
from shared.domain.policy.targets import Channel

PER_SECOND_MAX = 100_000
BURST_MAX = 1_000_000
PER_DAY_MAX = 1_000_000_000


class Rate(Clause):
    """A token bucket: its capacity is `burst`, its refill rate `per_second`.

    A body with more than 8 KiB for each of its elements counts as one for each 8 KiB.
    """

    per_second: Annotated[int, Strict(), Field(ge=1, le=PER_SECOND_MAX)]
    """Elements a second in the long run, for all processes of intake together."""
    burst: Annotated[int, Strict(), Field(ge=1, le=BURST_MAX)]
    """Elements that may come at once after a pause."""

    @model_validator(mode="after")
    def _holds_a_second(self) -> Self:
        if self.burst < self.per_second:
            raise ValueError(
                "a `burst` below `per_second` is never reached: write at least as much"
            )
        return self


DEFAULT_RATE = Rate(per_second=2_000, burst=100_000)
"""The rate of a source without one: far above an alert storm, and below the total that
all sources together may send."""


class Quota(Clause):
    """How many elements a source may send on a day in UTC."""

    per_day: Annotated[int, Strict(), Field(ge=1, le=PER_DAY_MAX)]


def _network(written: str) -> str:
    try:
        ip_network(written)
    except ValueError as error:
        raise ValueError(
            "write a network as 10.0.0.0/8 or 2001:db8::/32, its host bits zero, or "
            "one address"
        ) from error
    return written


Network = Annotated[
    str,
    StringConstraints(max_length=43),
    AfterValidator(_network),
    Field(examples=["10.0.0.0/8", "2001:db8::/32"]),
]


_PATTERN = r"^(env:[A-Za-z_][A-Za-z0-9_]*|file:\S+)$"


def _reference(written: str) -> str:
    if not re.fullmatch(_PATTERN, written):
        # The message does not contain the value: it may end up in a log.
        raise ValueError(
            "a secret does not belong in a policy, which is kept for ever: "
            "put it elsewhere, write `env:NAME` or `file:PATH` here, and change it"
        )
    return written


Secret = Annotated[
    str,
    AfterValidator(_reference),
    Field(json_schema_extra={"pattern": _PATTERN}, examples=["env:NAME", "file:PATH"]),
]


HEARTBEATS_MAX = 1_000


class Heartbeat(Clause):
    """A heartbeat; without a beat for `every` plus `grace`, an incident is opened."""

    every: Duration
    """How long after a beat the next one is expected."""
    grace: Delay = timedelta(0)
    """How much later it may be."""
    service: Name
    """The service affected by its silence."""
    severity: Severity = "error"
    calendar: Name | None = None
    """Both are measured in its open hours. Default: around the clock."""
    armed: Literal["first_beat", "at_once"] = "first_beat"
    """When it is armed: at the first beat, or when the policy is applied."""
    source: Name | None = None
    """The source that may beat it. Default: the source that beats it first."""


Scheme = Literal[
    "sha256_hex", "github", "pagerduty_v3", "sentry", "grafana", "standard_webhooks"
]
HEADERS: Mapping[Scheme, str] = {
    "sha256_hex": "x-signature",
    "github": "x-hub-signature-256",
    "pagerduty_v3": "x-pagerduty-signature",
    "sentry": "sentry-hook-signature",
    "grafana": "x-grafana-alerting-signature",
    "standard_webhooks": "webhook-signature",
}
"""The header of each scheme's signature, unless the policy names another."""

HEADER = r"^[A-Za-z0-9-]{1,64}$"
_Header = Annotated[
    str,
    StringConstraints(pattern=HEADER),
    Field(examples=["x-signature"]),
]


class Signature(Clause):
    """How a source signs its bodies with HMAC-SHA256; unsigned bodies are rejected."""

    scheme: Scheme
    """`github`: `sha256=` and hex. `sha256_hex`, `sentry`, `grafana`: hex only."""
    secret: Secret
    old_secret: Secret | None = None
    """Also accepted, while the sender is being changed to `secret`."""
    header: _Header | None = None
    """The header with the signature. Default: the usual one of the scheme."""
    timestamp_header: _Header | None = None
    """`grafana` only: the header with the time that is signed too."""
    tolerance: Duration = timedelta(minutes=5)
    """Maximum deviation of a signed time, if the scheme has one."""

    @model_validator(mode="after")
    def _has_a_time(self) -> Self:
        if self.timestamp_header and self.scheme != "grafana":
            raise ValueError(
                f"`{self.scheme}` has no header of its own for the time: take out "
                "`timestamp_header`"
            )
        return self

    @property
    def signed_in(self) -> str:
        """The name of the header with the signature, in lower case."""
        return (self.header or HEADERS[self.scheme]).lower()


ALLOWED_MAX = 100
AUTHSERV_ID = r"^[A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9])?$"
LABELS = "labels."
SERVICE = "service"
"""The name of a signal's service in `by`."""
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
    """Alerts that agree in all of `by` belong to one incident while it is active."""

    by: Annotated[tuple[ServiceOrLabel, ...], Field(min_length=1)]
    """`service`, or labels as `labels.<name>`; without all of them, no correlation."""
    within: Duration
    """How long after the last one another may belong to it; each extends this time."""
    threshold: Annotated[Count, Field(ge=2, le=THRESHOLD_MAX)] | None = None
    """Open only once this number of different alerts fire within that time."""


class Flapping(Clause):
    """Several state changes within a time count as flapping.

    Flapping ends when the state is stable for `hold_down`, or else for `within`;
    recoveries do not count until then.
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
    """How its documents are read; required for type `mapped`, else not allowed."""
    timezone: Zone | None = None
    """The zone of local times in its documents. Default: UTC."""
    key: Secret | None = None
    """A key for authentication, besides those made with `permanence token`."""
    signature: Signature | None = None
    """How its bodies are signed over HTTP. Default: unsigned."""
    allow_from: Annotated[tuple[Network, ...], Field(max_length=ALLOWED_MAX)] = ()
    """The networks it may send from over HTTP. Default: any."""
    nats: bool = False
    """Whether it may use NATS although it must sign or is limited to networks: bodies
    are not signed there, and networks are checked only once, when it connects."""
    rate: Rate | None = None
    """Its rate limit. Default: 2,000 elements a second, 100,000 at once."""
    quota: Quota | None = None
    service: ServiceOrLabel | None = None
    """Its one service, or `labels.<name>`: the label with the service."""
    urgency: Mapping[Severity, Urgency] = {}
    """The urgency of severities that this source uses differently."""
    correlate: Correlation | None = None
    open_after: Duration | None = None
    """An alert opens an incident only if it still fires after this long."""
    hold_down: Duration | None = None
    """A recovery takes effect only after it has held this long."""
    flapping: Flapping | None = None
    recovers_after: Patience | None = None
    """Silence for this long is a recovery. Default: 24h if it never sends one."""

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
    """Where its address and password are, or what access tokens are asked for with."""
    channel: Channel = "email"
    authserv_id: Annotated[str, StringConstraints(pattern=AUTHSERV_ID)] | None = None
    """The name with which its mail server writes `Authentication-Results`. Without it,
    only replies to mails of the desk have a verified sender."""


Source = Annotated[Monitor | Mailbox, Field(discriminator="type")]
