"""Signatures of bodies: whoever has only the key of a source cannot speak for it."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from shared.policy.clause import Clause
from shared.policy.durations import Duration
from shared.policy.secret import Secret

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
