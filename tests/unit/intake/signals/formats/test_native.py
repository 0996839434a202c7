"""Our own format of events."""

from typing import Any

import pytest

from services.intake.records.signal import Signal, default_dedup_key
from services.intake.signals.formats import ADAPTERS
from services.intake.signals.formats.elements.upstream_alert import InboundDocument
from services.intake.signals.schemas import Heard, Rejected
from tests.unit.intake.commands.scenario import NINE

EVENT = {"title": "Disk full", "action": "trigger", "severity": "error"}


def read(document: object, event_id: str | None = None) -> list[Heard]:
    return ADAPTERS["native"](document, InboundDocument("prom", NINE, event_id))


def signal(**said: Any) -> Signal:
    (heard,) = read({**EVENT, **said})
    assert isinstance(heard, Signal), heard
    return heard


def rejected(document: object) -> Rejected:
    (heard,) = read(document)
    assert isinstance(heard, Rejected), heard
    return heard


def test_one_event() -> None:
    heard = signal(dedup_key="disk-1", service="billetterie")

    assert (heard.source, heard.dedup_key) == ("prom", "disk-1")
    assert (heard.title, heard.action) == ("Disk full", "trigger")
    assert (heard.severity, heard.service) == ("error", "billetterie")


def test_an_array_keeps_its_order_and_its_good_elements() -> None:
    one, two, three = read([EVENT, {"title": "no action"}, EVENT])

    assert isinstance(one, Signal)
    assert two == Rejected(1, "this field is missing", ("action",))
    assert isinstance(three, Signal)


def test_without_a_key_source_service_and_title_are_one() -> None:
    assert signal().dedup_key == default_dedup_key("prom", None, "Disk full")
    assert signal().dedup_key == signal(severity="info").dedup_key
    assert signal().dedup_key != signal(service="billetterie").dedup_key
    assert signal().dedup_key != signal(title="Disk fuller").dedup_key
    assert signal().dedup_key != signal(source="web-1").dedup_key


def test_who_authenticated_is_the_source_and_what_it_claims_a_label() -> None:
    heard = signal(source="web-1", labels={"rack": "4"})

    assert (heard.source, heard.labels) == ("prom", {"source": "web-1", "rack": "4"})


def test_an_idempotency_key_names_what_names_itself_not() -> None:
    (alone,) = read(EVENT, "key-1")
    first, second = read([EVENT, {**EVENT, "event_id": "own"}], "key-1")

    assert isinstance(alone, Signal)
    assert isinstance(first, Signal)
    assert isinstance(second, Signal)
    assert (alone.event_id, first.event_id, second.event_id) == (
        "key-1",
        "key-1/0",
        "own",
    )


def test_details_and_links_become_text_for_people() -> None:
    heard = signal(details={"free": 0}, links=["https://x.example/1"])

    assert heard.details == '{"details":{"free":0},"links":["https://x.example/1"]}'


def test_details_too_long_are_cut() -> None:
    heard = signal(details={"dump": "x" * 100_000})

    assert heard.details is not None
    assert len(heard.details) == 4_000
    assert heard.details.endswith("(cut; the raw body has all of it)")


def test_a_number_beyond_64_bits_survives_in_the_details() -> None:
    assert "123456789012345678901234567890" in str(
        signal(details={"n": 123456789012345678901234567890}).details
    )


def test_null_is_as_good_as_left_out() -> None:
    names = ("event_id", "dedup_key", "source", "service", "occurred_at")
    nothing = dict.fromkeys((*names, "labels", "details", "links"))

    assert signal(**nothing) == signal()


def test_times_with_nanoseconds_and_offsets_are_read() -> None:
    heard = signal(occurred_at="2025-06-30T08:59:59.123456789+02:00")

    assert str(heard.occurred_at) == "2025-06-30 06:59:59.123456+00:00"


@pytest.mark.parametrize(
    ("said", "reason", "loc"),
    [
        ({"colour": "red"}, "no such field: remove it", ("colour",)),
        ({"title": " "}, "at least 1 character", ("title",)),
        ({"title": "x" * 1025}, "at most 1024", ("title",)),
        ({"title": 7}, "valid string", ("title",)),
        ({"title": "\ud800"}, "unicode", ("title",)),
        ({"title": "a\x00"}, "U+0000: remove it", ("title",)),
        ({"action": "explode"}, "'trigger', 'acknowledge' or 'resolve'", ("action",)),
        ({"severity": "page"}, "'critical', 'error'", ("severity",)),
        ({"dedup_key": "k" * 513}, "at most 512", ("dedup_key",)),
        ({"dedup_key": ""}, "at least 1", ("dedup_key",)),
        ({"event_id": "k" * 257}, "at most 256", ("event_id",)),
        ({"occurred_at": "yesterday"}, "valid datetime", ("occurred_at",)),
        ({"occurred_at": "2025-06-30T09:00:00"}, "needs its zone", ("occurred_at",)),
        ({"occurred_at": "1999-12-31T23:59:59Z"}, "not credible", ("occurred_at",)),
        ({"occurred_at": "0001-01-01T00:00:00Z"}, "not credible", ("occurred_at",)),
        ({"occurred_at": "2025-07-01T07:00:01Z"}, "a day ahead", ("occurred_at",)),
        ({"labels": {"a": 1}}, "valid string", ("labels", "a")),
        ({"labels": ["a"]}, "an object of texts", ("labels",)),
        ({"labels": {"a": "x" * 1025}}, "at most 1024", ("labels", "a")),
        ({"labels": {"a": "\x00"}}, "U+0000", ("labels",)),
        ({"labels": {str(n): "" for n in range(65)}}, "at most 64", ("labels",)),
        (
            {"labels": {str(n): "é" * 1000 for n in range(64)}},
            "at most 16384: send fewer or shorter",
            ("labels",),
        ),
        (
            {"labels": {"a": "\x01" * 1000, "b": "\x01" * 1000, "c": "\x01" * 1000}},
            "the labels take 18022 bytes",
            ("labels",),
        ),
        ({"details": "text"}, "`details` is an object", ("details",)),
        ({"links": "https://x.example"}, "an array of at most 32", ("links",)),
        ({"links": ["x"] * 33}, "an array of at most 32", ("links",)),
        ({"source": 7}, "`source` is a text", ("source",)),
    ],
)
def test_what_does_not_fit_is_rejected_with_the_reason(
    said: dict[str, Any], reason: str, loc: tuple[str, ...]
) -> None:
    heard = rejected({**EVENT, **said})

    assert reason in heard.reason
    assert heard.loc == loc


def test_a_day_ahead_is_still_credible() -> None:
    assert signal(occurred_at="2025-07-01T07:00:00Z").occurred_at is not None


@pytest.mark.parametrize("document", [None, 7, "text", [7]])
def test_what_is_no_object_is_no_event(document: object) -> None:
    assert "a JSON object" in rejected(document).reason
