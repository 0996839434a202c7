"""Limits, networks, signatures and heartbeats: what a policy may say, and what not."""

import pytest

from shared.domain.policy.sources import Monitor
from tests.support.policies import full, mistakes

RATE = "rate: {per_second: 100, burst: 500}"
NETWORKS = "10.0.0.0/8, 192.168.100.0/24"
SIGNED = "scheme: standard_webhooks,"


@pytest.mark.parametrize(
    ("change", "path", "told"),
    [
        ((RATE, "rate: {per_second: 9, burst: 5}"), "rate", "below `per_second`"),
        ((RATE, "rate: {per_second: 0, burst: 5}"), "rate.per_second", "1"),
        (
            (RATE, "rate: {per_second: 1.5, burst: 5}"),
            "rate.per_second",
            "whole number",
        ),
        (("per_day: 1000000", "per_day: 0"), "quota.per_day", "1"),
        ((NETWORKS, "10.0.0.1/8"), "allow_from[0]", "host bits zero"),
        ((NETWORKS, "intranet"), "allow_from[0]", "write a network as"),
        ((SIGNED, "scheme: md5,"), "signature.scheme", "sha256_hex"),
        ((SIGNED, f"{SIGNED} header: 'a b',"), "signature.header", "name of a header"),
        ((SIGNED, f"{SIGNED} timestamp_header: x-at,"), "signature", "of its own"),
        (('secret: "env:PROM_HMAC"', "secret: hush"), "signature.secret", "env:NAME"),
    ],
)
def test_what_limits_a_source_is_checked(
    change: tuple[str, str], path: str, told: str
) -> None:
    (found, *_) = mistakes(change)

    assert found.path.endswith(f"sources.prom.{path}")
    assert told in found.sentence


@pytest.mark.parametrize(
    ("change", "path"),
    [
        (("service: horaires, severity", "service: nowhere, severity"), "service"),
        (("source: quais", "source: nobody"), "source"),
        (("armed: at_once", "calendar: nuits, armed: at_once"), "calendar"),
        (("every: 24h", "every: 0m"), "every"),
        (("every: 24h", "every: 1d"), "every"),
    ],
)
def test_what_a_heartbeat_names_is_in_the_policy(
    change: tuple[str, str], path: str
) -> None:
    (found, *_) = mistakes(change)

    assert found.path == f"heartbeats.backup-nightly.{path}"


def test_what_was_written_is_what_is_applied_and_read_again() -> None:
    policy = full()
    again = type(policy).from_document(policy.document())

    assert again == policy
    prom = again.sources["prom"]
    assert isinstance(prom, Monitor)
    assert prom.signature
    assert prom.signature.signed_in == "webhook-signature"
