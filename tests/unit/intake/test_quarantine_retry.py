"""What is quarantined is read again as of when it came; and the past, beside today."""

from datetime import timedelta

import orjson
import pytest

from services.intake.quarantine.remap import PastBody, compare
from services.intake.quarantine.retry import reread
from services.intake.quarantine.store import QuarantinedElement
from services.intake.records.signal import Signal
from services.intake.signals.reception import NOBODY, UNREADABLE
from services.intake.signals.schemas import Delivery, halves
from shared.domain.policy.sources import Monitor
from tests.unit.intake.commands.scenario import NINE

EVENT = {"action": "trigger", "title": "Hot", "event_id": "e-1"}


def mapped(values: dict[str, str]) -> Monitor:
    mapping = {"title": "text", "action": {"from": "up", "values": values}}
    return Monitor.model_validate({"type": "mapped", "mapping": mapping})


def kept(document: object, **facts: object) -> QuarantinedElement:
    known: dict[str, object] = {
        "id": 7,
        "source": "demo",
        "adapter": "mapped",
        "received_at": NINE,
        "element": 0,
        "elements": 1,
        "body": document if isinstance(document, bytes) else orjson.dumps(document),
    }
    return QuarantinedElement(**(known | facts))  # type: ignore[arg-type] # facts are its fields


def taken(one: QuarantinedElement, said: Monitor | None = None) -> Delivery:
    found = reread(one, said, "person:nadia")
    assert isinstance(found, Delivery), found
    return found


def test_without_names_of_its_own_it_is_the_same_message_however_often() -> None:
    one, said = kept({"text": "Hot", "up": "no"}), mapped({"no": "trigger"})

    (first,), (second,) = taken(one, said).heard, taken(one, said).heard

    assert isinstance(first, Signal)
    assert first == second
    assert (first.event_id or "").startswith("quarantine:7/0/")
    assert first.occurred_at == NINE, "at the latest when it came"
    assert taken(one, said).received_at == NINE


def test_a_later_arrival_of_the_same_is_another_message() -> None:
    said = mapped({"no": "trigger"})
    later = kept({"text": "Hot", "up": "no"}, received_at=NINE + timedelta(seconds=1))

    (first,) = taken(kept({"text": "Hot", "up": "no"}), said).heard
    (second,) = taken(later, said).heard

    assert isinstance(first, Signal)
    assert isinstance(second, Signal)
    assert first.event_id != second.event_id


def test_of_a_group_the_one_element_is_taken_under_its_number() -> None:
    group = [{"text": "a", "up": "x"}, {"text": "b", "up": "no"}]

    delivery = taken(kept(group, element=1, elements=2), mapped({"no": "trigger"}))

    assert (delivery.first, len(delivery.heard)) == (1, 1)


@pytest.mark.parametrize("elements", [None, 2])
def test_what_came_before_elements_were_counted_is_taken_by_its_number(
    elements: int | None,
) -> None:
    group = [{"text": "a", "up": "x"}, {"text": "b", "up": "no"}]

    one = kept(group, element=1, elements=elements)

    assert len(taken(one, mapped({"no": "trigger"})).heard) == 1


def test_what_could_not_be_read_over_nats_is_read_as_our_own_format() -> None:
    (heard,) = taken(kept(EVENT, adapter=UNREADABLE)).heard

    assert isinstance(heard, Signal)
    assert heard.event_id == "e-1"


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (kept(b"{", adapter=UNREADABLE), "not JSON"),
        (kept([], adapter=UNREADABLE), "the array is empty"),
        (kept(EVENT, adapter=UNREADABLE, source=NOBODY), "came from no source"),
        (kept(EVENT), "give it a mapping"),
        (kept(EVENT, adapter="native", element=1, elements=None), "no such element"),
        (kept({"title": ""}, adapter="native"), "action: this field is missing"),
    ],
)
def test_what_can_still_not_be_mapped_says_why(
    one: QuarantinedElement, words: str
) -> None:
    why = reread(one, None, "person:nadia")

    assert isinstance(why, str)
    assert words in why


def test_of_a_divided_delivery_the_last_part_settles() -> None:
    group = [{"text": "a", "up": "no"}, {"text": "b", "up": "no"}]
    whole = taken(kept(group), mapped({"no": "trigger"}))

    head, tail = halves(whole)

    assert head.settles is None
    assert tail.settles == whole.settles


def test_each_element_is_read_by_the_word_of_then_and_of_now() -> None:
    group = [
        {"text": "a", "up": "no"},
        {"text": "b", "up": "yes"},
        {"text": "c", "up": "off"},
        {"text": "d", "up": "on"},
    ]
    then = mapped({"no": "trigger", "yes": "resolve", "off": "trigger"})
    now = mapped({"no": "trigger", "yes": "ignore", "on": "trigger"})

    compared = compare(PastBody(kept(group), {}), then, now)

    verdicts = [each.verdict for each in compared]
    assert verdicts == ["same", "changed", "now_rejected", "now_mapped"]


def test_what_an_adapter_refused_then_is_refused_whatever_it_would_say_now() -> None:
    past = PastBody(kept([EVENT, EVENT], adapter="native"), {1: "no title"})

    first, second = compare(past, None, None)

    assert (first.verdict, second.verdict) == ("same", "now_mapped")
    assert second.then == {"error": "no title", "index": 1}
