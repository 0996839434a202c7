"""A body is taken only as its source signed it: six ways of the same thing."""

import hmac
from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks import Webhook

from services.intake.gate.signatures import fault
from shared.domain.policy.sources import HEADERS, Scheme, Signature

NOW = datetime(2025, 6, 30, 8, tzinfo=UTC)
BODY = '{"title": "disk full, très plein"}'.encode()
SECRET, OLD = b"the secret of a sender", b"the one before it"
AT = str(int(NOW.timestamp()))
WHSEC = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
WEBHOOK = "msg_1"


def rule(scheme: Scheme, **given: str) -> Signature:
    return Signature.model_validate({"scheme": scheme, "secret": "env:S", **given})


def mac(signed: bytes = BODY, key: bytes = SECRET) -> str:
    return hmac.digest(key, signed, "sha256").hex()


def written(scheme: Scheme, mac_of_body: str) -> dict[str, str]:
    before = {"github": "sha256=", "pagerduty_v3": "v1="}.get(scheme, "")
    return {HEADERS[scheme]: before + mac_of_body}


def standard(at: datetime = NOW, body: bytes = BODY) -> dict[str, str]:
    signature = Webhook(WHSEC).sign(WEBHOOK, at, body.decode())
    return {
        "webhook-id": WEBHOOK,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": signature,
    }


SIMPLE: list[Scheme] = ["sha256_hex", "github", "pagerduty_v3", "sentry", "grafana"]
simple = pytest.mark.parametrize("scheme", SIMPLE)


@simple
def test_a_body_signed_with_the_secret_is_taken(scheme: Scheme) -> None:
    headers = written(scheme, mac())

    assert fault(rule(scheme), [SECRET], headers, BODY, NOW) is None


@simple
def test_another_body_under_the_same_signature_is_not(scheme: Scheme) -> None:
    headers = written(scheme, mac())

    said = fault(rule(scheme), [SECRET], headers, BODY + b" ", NOW)

    assert said == f"the signature in `{HEADERS[scheme]}` is not that of this body"


@simple
def test_while_a_secret_is_changed_the_old_one_does_too(scheme: Scheme) -> None:
    headers = written(scheme, mac(key=OLD))

    assert fault(rule(scheme), [SECRET, OLD], headers, BODY, NOW) is None
    assert fault(rule(scheme), [SECRET], headers, BODY, NOW)


@simple
@pytest.mark.parametrize(
    "header", ["", "sha256=", "v1=", "é", "v1=é,sha256=", "=" * 900]
)
def test_a_header_that_holds_no_signature_is_refused(
    scheme: Scheme, header: str
) -> None:
    assert fault(rule(scheme), [SECRET], {HEADERS[scheme]: header}, BODY, NOW)


@simple
def test_an_unsigned_request_hears_which_header_is_missing(scheme: Scheme) -> None:
    said = fault(rule(scheme), [SECRET], {}, BODY, NOW)

    assert said == f"the header `{HEADERS[scheme]}` with the signature is missing"


def test_a_header_of_its_own_is_looked_at_whatever_its_case() -> None:
    own = rule("sha256_hex", header="X-Shop-Hmac")

    assert fault(own, [SECRET], {"x-shop-hmac": mac()}, BODY, NOW) is None


def test_pagerduty_signs_with_two_secrets_while_one_is_changed() -> None:
    headers = {"x-pagerduty-signature": f"v1={mac(key=b'other')}, v1={mac()}"}

    assert fault(rule("pagerduty_v3"), [SECRET], headers, BODY, NOW) is None


def test_no_end_of_signatures_is_looked_at() -> None:
    headers = {"x-pagerduty-signature": "v1=00," * 1_000 + f"v1={mac()}"}

    assert fault(rule("pagerduty_v3"), [SECRET], headers, BODY, NOW)


def test_a_standard_webhook_is_taken_as_its_own_library_signs_it() -> None:
    assert (
        fault(rule("standard_webhooks"), [WHSEC.encode()], standard(), BODY, NOW)
        is None
    )


def test_a_standard_webhook_may_have_the_headers_of_svix() -> None:
    headers = {k.replace("webhook", "svix"): v for k, v in standard().items()}

    said = fault(rule("standard_webhooks"), [WHSEC.encode()], headers, BODY, NOW)

    assert said is None


@pytest.mark.parametrize("minutes", [-6, 6])
def test_an_old_standard_webhook_sent_again_by_somebody_else_is_refused(
    minutes: int,
) -> None:
    headers = standard(NOW + timedelta(minutes=minutes))

    said = fault(rule("standard_webhooks"), [WHSEC.encode()], headers, BODY, NOW)

    assert said is not None
    assert "`webhook-timestamp` is more than 0:05:00 away" in said


def test_an_old_standard_webhook_with_a_new_time_is_refused() -> None:
    headers = standard(NOW - timedelta(hours=1)) | {"webhook-timestamp": AT}

    assert fault(rule("standard_webhooks"), [WHSEC.encode()], headers, BODY, NOW)


@pytest.mark.parametrize("at", ["", "soon", "1e9", "-5", "9" * 40, "²"])
def test_a_time_that_is_none_is_refused(at: str) -> None:
    headers = standard() | {"webhook-timestamp": at}

    assert fault(rule("standard_webhooks"), [WHSEC.encode()], headers, BODY, NOW)


def test_grafana_signs_the_time_along_where_it_is_told_to() -> None:
    timed = rule("grafana", timestamp_header="X-Grafana-Alerting-Timestamp")
    headers = {
        "x-grafana-alerting-timestamp": AT,
        "x-grafana-alerting-signature": mac(AT.encode() + b":" + BODY),
    }

    assert fault(timed, [SECRET], headers, BODY, NOW) is None
    assert fault(timed, [SECRET], headers, BODY, NOW + timedelta(minutes=6))
    del headers["x-grafana-alerting-timestamp"]
    assert fault(timed, [SECRET], headers, BODY, NOW)
