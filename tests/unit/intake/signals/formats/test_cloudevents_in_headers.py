"""CloudEvents with their attributes in headers, and bodies that are what they say."""

import orjson
import pytest

from services.intake.records.signal import Signal
from services.intake.signals.formats import ADAPTERS
from services.intake.signals.formats.elements.upstream_alert import InboundDocument
from services.intake.signals.reception import cloud_body, cloud_document
from services.intake.signals.schemas import Heard
from shared.http.problem_details import HttpError
from tests.unit.intake.commands.scenario import NINE

STRUCTURED = {"content-type": "application/cloudevents+json"}
EVENT = {
    "specversion": "1.0",
    "id": "7",
    "source": "/quais/north",
    "type": "example.gate.stuck",
    "subject": "gate-12",
}
BINARY = {
    "content-type": "application/json",
    "ce-specversion": "1.0",
    "ce-id": "7",
    "ce-source": "/quais/north",
    "ce-type": "example.gate.stuck",
    "ce-subject": "gate%2012%20%E2%82%AC",
}


def read(document: object, headers: dict[str, str]) -> list[Heard]:
    return ADAPTERS["cloudevents"](
        document, InboundDocument("bus", NINE, headers=headers)
    )


def test_headers_hold_the_attributes_percent_coded() -> None:
    (heard,) = read({"tries": 3}, BINARY)

    assert isinstance(heard, Signal)
    assert heard.dedup_key == "/quais/north|gate 12 €"
    assert heard.details == '{"data":{"tries":3}}'


def test_a_body_of_whole_events_says_all_itself() -> None:
    (heard,) = read(EVENT, {**BINARY, **STRUCTURED})

    assert isinstance(heard, Signal)
    assert heard.dedup_key == "/quais/north|gate-12"


def test_an_array_as_data_is_one_event() -> None:
    assert len(read([1, 2], BINARY)) == 1


@pytest.mark.parametrize(
    ("body", "headers", "document"),
    [
        (b'{"a":1}', BINARY, {"a": 1}),
        (b"", BINARY, None),
        (b"plain", {**BINARY, "content-type": "text/plain"}, "plain"),
        (b"\xff", {**BINARY, "content-type": "image/png"}, "1 bytes of image/png"),
        (b"plain", {n: v for n, v in BINARY.items() if n != "content-type"}, "plain"),
        (orjson.dumps(EVENT), STRUCTURED, EVENT),
        (orjson.dumps([EVENT]), {}, [EVENT]),
    ],
)
def test_data_of_any_kind_is_taken(
    body: bytes, headers: dict[str, str], document: object
) -> None:
    assert cloud_document(body, headers) == document


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b'{"tries":[3]}', "application/json"),
        (b"it is stuck", "text/plain"),
        (b"\xff\x00", "image/png"),
        (b"", "application/json"),
    ],
)
def test_what_is_kept_of_a_binary_event_says_the_same_without_headers(
    body: bytes, kind: str
) -> None:
    headers = {**BINARY, "content-type": kind}
    document = cloud_document(body, headers)

    kept = cloud_body(body, document, headers)

    again = read(cloud_document(kept, STRUCTURED), STRUCTURED)
    assert again == read(document, headers)


def test_what_is_kept_of_whole_events_is_the_body() -> None:
    body = orjson.dumps(EVENT)

    assert cloud_body(body, EVENT, STRUCTURED) == body


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"<e/>", {"content-type": "application/cloudevents+xml"}, 415),
        (b"{", STRUCTURED, 400),
        (b"{", BINARY, 400),
        (b"plain", {}, 400),
        (b" " * 600_000, {**BINARY, "content-type": "text/plain"}, 413),
    ],
)
def test_a_body_that_is_not_what_it_says_is_refused(
    body: bytes, headers: dict[str, str], status: int
) -> None:
    with pytest.raises(HttpError) as refused:
        cloud_document(body, headers)

    assert refused.value.details.status == status
