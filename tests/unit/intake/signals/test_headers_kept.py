"""What a body alone does not tell is kept with it: read again, it says the same."""

from collections.abc import Mapping

import orjson
import pytest

from services.intake.quarantine.retry import read_again
from services.intake.quarantine.store import QuarantinedElement
from services.intake.signals.body import FORM, read_posted
from services.intake.signals.formats import HEADER_MAX, adapter_for, headers_read
from services.intake.signals.formats.elements.upstream_alert import InboundDocument
from services.intake.signals.reception import cloud_body, cloud_document, headers_kept
from services.intake.signals.schemas import Delivery
from tests.unit.intake.commands.scenario import NINE

SENTRY = {"action": "created", "data": {"issue": {"id": "77", "title": "KeyError"}}}
SNS = {"AlarmName": "queue", "NewStateValue": "ALARM", "Region": "Ireland"}
ISSUE = {"sentry-hook-resource": "issue", "sentry-hook-timestamp": "1751266741"}
RAW = {
    "x-amz-sns-message-id": "m-1",
    "x-amz-sns-topic-arn": "arn:aws:sns:eu-west-1:42:alarms",
}
EVENT = {"ce-specversion": "1.0", "ce-id": "7", "ce-source": "/q", "ce-type": "x.stuck"}


def live(adapter: str, body: bytes, headers: Mapping[str, str]) -> list[object]:
    """Read a body as the door does when it comes."""
    if adapter == "cloudevents":
        document = cloud_document(body, headers)
    else:
        document = read_posted(body, headers.get("content-type", ""))
    read = adapter_for(adapter, None)
    assert read is not None
    return [
        *read(
            document, InboundDocument("s", NINE, headers=headers_read(adapter, headers))
        )
    ]


def later(adapter: str, body: bytes, headers: Mapping[str, str]) -> object:
    """Read it as it is kept."""
    if adapter == "cloudevents":
        body = cloud_body(body, cloud_document(body, headers), headers)
    kept = headers_kept(adapter, headers, body)
    return read_again(QuarantinedElement(1, "s", adapter, NINE, 0, 1, body, kept), None)


@pytest.mark.parametrize(
    ("adapter", "body", "headers"),
    [
        ("sentry", orjson.dumps(SENTRY), ISSUE),
        ("sentry", orjson.dumps({**SENTRY, "data": {}}), ISSUE),
        ("sentry", orjson.dumps(SENTRY), {"sentry-hook-resource": "comment"}),
        ("cloudwatch", orjson.dumps(SNS), RAW),
        ("cloudevents", b'{"a": 1}', {**EVENT, "content-type": "application/json"}),
        ("cloudevents", b"stuck", {**EVENT, "content-type": "text/plain"}),
        ("cloudevents", b"\xff\xfe", {**EVENT, "content-type": "image/png"}),
        ("cloudevents", b"", EVENT),
        ("uptimerobot", b"12", {"content-type": FORM}),
        ("uptimerobot", b"monitorID=7&alertType=1", {"content-type": FORM}),
        ("uptimerobot", b'{"monitorID": "7"}', {"content-type": FORM}),
    ],
)
def test_what_is_kept_reads_as_it_was_read_when_it_came(
    adapter: str, body: bytes, headers: Mapping[str, str]
) -> None:
    assert later(adapter, body, headers) == live(adapter, body, headers)


def test_no_other_header_is_read_or_kept() -> None:
    shown = {"authorization": "Bearer secret", "cookie": "a", "ce-id": "7", **ISSUE}

    assert headers_read("sentry", shown) == ISSUE
    assert headers_kept("sentry", shown, b"{}") == ISSUE
    assert headers_kept("alertmanager", shown, b"{}") == {}
    assert headers_kept("cloudevents", shown, b"{}") == {}


def test_a_header_without_end_is_cut_for_now_and_for_later_alike() -> None:
    long = {"sentry-hook-resource": "x" * 10_000}

    assert len(headers_read("sentry", long)["sentry-hook-resource"]) == HEADER_MAX
    assert headers_kept("sentry", long, b"{}") == headers_read("sentry", long)


def test_the_same_body_with_other_headers_is_another_one() -> None:
    def digest(headers: Mapping[str, str]) -> bytes:
        return Delivery("s", "sentry", b"{}", 0, (), NINE, headers=headers).digest

    other = {**ISSUE, "sentry-hook-resource": "metric_alert"}
    turned = dict(reversed(ISSUE.items()))
    assert digest(ISSUE) == digest(turned)
    assert len({digest({}), digest(ISSUE), digest(other)}) == 3
