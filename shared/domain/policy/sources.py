"""Where signals and contacts come from, and how to read them.

How much a source may send: counted in elements, so an array is not one for many.

Networks a source may send from, written as `10.0.0.0/8` or as one address.

Signatures of bodies: whoever has only the key of a source cannot speak for it.

Secrets stand in the environment or in a file; a policy only says where.

Heartbeats: what has to report regularly, and whose silence is the trouble.
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
    """A token bucket: it holds `burst`, and `per_second` flow into it."""

    per_second: Annotated[int, Strict(), Field(ge=1, le=PER_SECOND_MAX)]
    """Elements a second, in the long run; all processes of intake together."""
    burst: Annotated[int, Strict(), Field(ge=1, le=BURST_MAX)]
    """Elements that may come at once after a rest."""

    @model_validator(mode="after")
    def _holds_a_second(self) -> Self:
        if self.burst < self.per_second:
            raise ValueError(
                "a `burst` below `per_second` is never reached: write at least as much"
            )
        return self


DEFAULT_RATE = Rate(per_second=2_000, burst=100_000)
"""Of a source of which the policy says nothing: far above a storm, and below what all
sources together may send."""


class Quota(Clause):
    """How many elements a source may send in a day of UTC."""

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
        # The words themselves stay out of the sentence: it may end in a log.
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
    """Something that beats; no beat for `every` and `grace` opens an incident."""

    every: Duration
    """How long after a beat the next one is expected."""
    grace: Delay = timedelta(0)
    """How much later it may be."""
    service: Name
    """What is in trouble when it is silent."""
    severity: Severity = "error"
    calendar: Name | None = None
    """Both are counted in its open hours; left out: around the clock."""
    armed: Literal["first_beat", "at_once"] = "first_beat"
    """From when silence counts: a first beat, or when the policy is applied."""
    source: Name | None = None
    """Whose key may beat it; left out: that of the source that beats it first."""


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
"""Where each scheme has its signature, if the policy says nothing else."""

HEADER = r"^[A-Za-z0-9-]{1,64}$"
_Header = Annotated[
    str,
    StringConstraints(pattern=HEADER),
    Field(examples=["x-signature"]),
]


class Signature(Clause):
    """How a source signs its bodies, by HMAC-SHA256; without it nothing is taken."""

    scheme: Scheme
    """`github`: `sha256=` and hex. `sha256_hex`, `sentry`, `grafana`: hex alone."""
    secret: Secret
    old_secret: Secret | None = None
    """Accepted as well, while the sender is being changed to `secret`."""
    header: _Header | None = None
    """The header that holds it; left out: the usual one of the scheme."""
    timestamp_header: _Header | None = None
    """`grafana` only: the header that holds the time that is signed along."""
    tolerance: Duration = timedelta(minutes=5)
    """How old or new a signed time may be, where the scheme has one."""

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
        """The name of the header that holds the signature, in lower case."""
        return (self.header or HEADERS[self.scheme]).lower()


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
