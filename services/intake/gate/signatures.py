"""Verifies the signature of a body: HMAC-SHA256 in six formats. Pure.

| scheme | header value | signed content |
|---|---|---|
| `sha256_hex`, `sentry` | hex | the body |
| `grafana` | hex | the body, or time, `:` and body |
| `github` | `sha256=` hex | the body |
| `pagerduty_v3` | `v1=` hex, separated by commas | the body |
| `standard_webhooks` | `v1,` base64, separated by spaces | id, `.`, time, `.`, body |

https://docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries
https://developer.pagerduty.com/docs/verifying-webhook-signatures
https://docs.sentry.io/integrations/integration-platform/webhooks/
https://grafana.com/docs/grafana/latest/alerting/configure-notifications/manage-contact-points/integrations/webhook-notifier/
https://www.standardwebhooks.com
"""

import hmac
from base64 import b64decode, b64encode
from binascii import Error
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import assert_never

from shared.domain.policy.sources import Signature

SIGNATURES_MAX = 8
"""Signatures in one request that are examined."""
DIGITS_MAX = 12
_WHSEC = "whsec_"
_SVIX = {"webhook-id": "svix-id", "webhook-timestamp": "svix-timestamp"}


def fault(
    rule: Signature,
    secrets: Sequence[bytes],
    headers: Mapping[str, str],
    body: bytes,
    now: datetime,
) -> str | None:
    """Return why a request does not satisfy `rule`, or None if it does.

    `headers` have lower-case names; any one of `secrets` may match.
    """
    written = headers.get(rule.signed_in)
    if written is None and rule.scheme == "standard_webhooks":
        written = headers.get("svix-signature")
    if written is None:
        return f"the header `{rule.signed_in}` with the signature is missing"
    try:
        signed = _signed(rule, headers, body, now)
    except ValueError as error:
        return str(error)
    given = list(_given(rule, written))[:SIGNATURES_MAX]
    wanted = [_written(rule, _key(rule, secret), signed) for secret in secrets]
    # Every pair is compared, so that the duration reveals nothing.
    pairs = [hmac.compare_digest(one, other) for one in given for other in wanted]
    if any(pairs):
        return None
    return f"the signature in `{rule.signed_in}` is not that of this body"


def _signed(
    rule: Signature, headers: Mapping[str, str], body: bytes, now: datetime
) -> bytes:
    match rule.scheme:
        case "sha256_hex" | "github" | "pagerduty_v3" | "sentry":
            return body
        case "grafana":
            if rule.timestamp_header is None:
                return body
            at = _time(rule, headers, rule.timestamp_header.lower(), now)
            return at.encode() + b":" + body
        case "standard_webhooks":
            name = _header(headers, "webhook-id")
            at = _time(rule, headers, "webhook-timestamp", now)
            return f"{name}.{at}.".encode() + body
        case _:
            assert_never(rule.scheme)


def _time(
    rule: Signature, headers: Mapping[str, str], header: str, now: datetime
) -> str:
    written = _header(headers, header)
    if not (written.isascii() and written.isdigit() and len(written) <= DIGITS_MAX):
        raise ValueError(f"the header `{header}` holds no time in seconds since 1970")
    if abs(now.timestamp() - int(written)) > rule.tolerance / timedelta(seconds=1):
        raise ValueError(
            f"the time in `{header}` is more than {rule.tolerance} away from ours: "
            "set the clock, and send it when it happens"
        )
    return written


def _header(headers: Mapping[str, str], name: str) -> str:
    value = headers.get(name) or headers.get(_SVIX.get(name, name))
    if not value:
        raise ValueError(f"the header `{name}`, which is signed along, is missing")
    return value


def _given(rule: Signature, written: str) -> Iterator[bytes]:
    match rule.scheme:
        case "sha256_hex" | "sentry" | "grafana":
            parts: Iterable[str] = [written.strip().lower()]
        case "github":
            parts = _after("sha256=", [written.strip().lower()])
        case "pagerduty_v3":
            parts = _after("v1=", [part.strip() for part in written.split(",")])
        case "standard_webhooks":
            parts = _after("v1,", written.split())
        case _:
            assert_never(rule.scheme)
    for part in parts:
        yield part.encode(errors="replace")


def _after(prefix: str, parts: Iterable[str]) -> Iterator[str]:
    return (each.removeprefix(prefix) for each in parts if each.startswith(prefix))


def _written(rule: Signature, key: bytes, signed: bytes) -> bytes:
    digest = hmac.digest(key, signed, "sha256")
    if rule.scheme == "standard_webhooks":
        return b64encode(digest)
    return digest.hex().encode()


def _key(rule: Signature, secret: bytes) -> bytes:
    if rule.scheme != "standard_webhooks":
        return secret
    try:
        return b64decode(secret.decode().removeprefix(_WHSEC), validate=True)
    except (Error, UnicodeDecodeError):
        return secret
