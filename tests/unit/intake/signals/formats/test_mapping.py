"""Any format, read by the mapping of its source. The bodies are our own."""

from datetime import UTC, datetime
from time import monotonic
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from services.intake.records.signal import Signal, default_dedup_key
from services.intake.signals.formats.elements.upstream_alert import InboundDocument
from services.intake.signals.formats.mapping import (
    ELEMENTS_MAX,
    LINKS_MAX,
    STEPS_MAX,
    read,
)
from services.intake.signals.schemas import Heard, Ignored, Rejected
from shared.domain.bounded_text import TITLE_MAX
from shared.domain.policy.mappings import Mapped
from shared.domain.policy.sources import Monitor
from tests.support.policies import full
from tests.unit.intake.commands.scenario import NINE

BRUSSELS = ZoneInfo("Europe/Brussels")
ALARM: dict[str, Any] = {
    "numero": 4711,
    "lieu": "quais",
    "texte": "Pression basse",
    "etat": "ACTIF",
    "gravite": 1,
    "point": "CH-2/P",
    "heure": "30/06/2025 08:52:10",
    "plan": "https://plans.example/ch2",
    "mesure": 0.4,
    "seuil": 1,
}


def boiler() -> Mapped:
    source = full().sources["chaudiere"]
    assert isinstance(source, Monitor)
    assert source.mapping is not None
    return source.mapping


def mapping(**parts: Any) -> Mapped:
    return Mapped.model_validate(
        {"title": "title", "action": {"default": "trigger"}, **parts}
    )


def heard(document: object, by: Mapped, **post: Any) -> list[Heard]:
    return read(by, document, InboundDocument("boiler", NINE, **post))


def signal(document: object, by: Mapped, **post: Any) -> Signal:
    (one,) = heard(document, by, **post)
    assert isinstance(one, Signal), one
    return one


def rejected(document: object, by: Mapped) -> Rejected:
    (one,) = heard(document, by)
    assert isinstance(one, Rejected), one
    return one


def test_each_part_is_found_where_the_mapping_says() -> None:
    one = signal({"alarmes": [ALARM]}, boiler(), zone=BRUSSELS)

    assert one == Signal(
        source="boiler",
        event_id="4711",
        dedup_key="CH-2/P",
        action="trigger",
        title="quais Pression basse",
        severity="critical",
        occurred_at=datetime(2025, 6, 30, 6, 52, 10, tzinfo=UTC),
        labels={"site": "quais"},
        details='{"details":{"seuil":1,"valeur":0.4},"links":"https://plans.example/ch2"}',
    )


def test_a_recovery_that_says_less_closes_the_same_trouble() -> None:
    less = {"etat": "fini", "point": "CH-2/P", "lieu": "quais", "texte": "-"}

    one = signal({"alarmes": [less]}, boiler())

    assert (one.action, one.dedup_key) == ("resolve", "CH-2/P")
    assert (one.occurred_at, one.event_id, one.details) == (None, None, None)


def test_one_bad_element_does_not_fail_its_group() -> None:
    nameless = {name: value for name, value in ALARM.items() if name != "point"}

    first, second, third = heard({"alarmes": [nameless, ALARM, 7]}, boiler())

    assert isinstance(first, Rejected)
    assert (first.index, first.loc) == (0, ("dedup_key",))
    assert isinstance(second, Signal)
    assert isinstance(third, Ignored), "no state: the table's default"


def test_an_action_that_no_table_knows_waits_and_says_what_to_add() -> None:
    by = mapping(action={"from": "state", "values": {"up": "resolve"}})

    unknown = rejected({"title": "t", "state": "flapping"}, by)
    absent = rejected({"title": "t"}, by)

    assert (unknown.loc, absent.loc) == (("action",), ("action",))
    assert "`values` does not list it" in unknown.reason
    assert "flapping" not in unknown.reason, "reasons are kept in clear"
    assert "nothing is there" in absent.reason


@pytest.mark.parametrize("state", [3, 3.0, "3", " 3 "])
def test_a_number_is_looked_up_as_its_digits(state: object) -> None:
    by = mapping(action={"from": "state", "values": {"3": "resolve"}})

    assert signal({"title": "t", "state": state}, by).action == "resolve"


def test_a_truth_value_is_looked_up_by_its_name() -> None:
    table = {"from": "up", "values": {"true": "resolve", "false": "trigger"}}

    assert signal({"title": "t", "up": False}, mapping(action=table)).action == (
        "trigger"
    )


def test_a_severity_no_table_knows_is_the_default_or_none() -> None:
    table = {"from": "level", "values": {"Disaster": "critical"}}
    document = {"title": "t", "level": "page"}

    assert signal(document, mapping(severity=table)).severity is None
    of_all = mapping(severity={**table, "default": "warning"})
    assert signal(document, of_all).severity == "warning"
    assert signal({**document, "level": "DISASTER"}, of_all).severity == "critical"


def test_without_a_title_the_key_is_one() -> None:
    assert signal({"id": 12}, mapping(dedup_key="id")).title == "12"
    assert rejected({}, mapping()).loc == ("title",)


def test_without_a_key_it_is_made_as_for_our_own_format() -> None:
    one = signal({"title": "Hot", "of": "web"}, mapping(service="of"))

    assert one.dedup_key == default_dedup_key("boiler", "web", "Hot")


def test_a_long_title_is_cut_and_is_one_line() -> None:
    one = signal({"title": "a\nb" + "x" * 2_000}, mapping())

    assert one.title.startswith("a b")
    assert len(one.title) == TITLE_MAX


def test_a_title_that_is_a_list_is_none() -> None:
    assert rejected({"title": ["a"]}, mapping()).loc == ("title",)


def test_the_post_names_what_names_itself_not() -> None:
    first, second = heard([{"title": "a"}, {"title": "b"}], mapping(), event_id="e")

    assert isinstance(first, Signal)
    assert isinstance(second, Signal)
    assert (first.event_id, second.event_id) == ("e/0", "e/1")


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ("epoch_s", 1751266800),
        ("epoch_s", "1751266800"),
        ("epoch_ms", 1751266800000),
        ("epoch_ms", "1751266800000"),
        ("auto", 1751266800),
        ("auto", "2025-06-30T09:00:00"),
        ("%Y%m%d %H%M", "20250630 0900"),
        ("%Y-%m-%dT%H:%M:%S%z", "2025-06-30T08:00:00+0100"),
    ],
)
def test_an_instant_is_read_in_its_form_and_zone(form: str, said: object) -> None:
    by = mapping(occurred_at="at", time_format=form)

    one = signal({"title": "t", "at": said}, by, zone=BRUSSELS)

    assert one.occurred_at == datetime(2025, 6, 30, 7, tzinfo=UTC)


@pytest.mark.parametrize("form", ["auto", "epoch_s", "epoch_ms", "%d/%m/%Y"])
@pytest.mark.parametrize(
    "said", [None, 0, -1, "soon", True, {}, [], 1e300, "0001-01-01T00:00:00Z"]
)
def test_an_instant_that_is_none_costs_no_signal(form: str, said: object) -> None:
    by = mapping(occurred_at="at", time_format=form)

    assert signal({"title": "t", "at": said}, by).occurred_at is None


def test_a_place_with_no_list_is_told_and_one_with_an_empty_one_ignored() -> None:
    by = mapping(elements="a.b")

    assert rejected({"a": {}}, by).loc == ("elements",)
    (one,) = heard({"a": {"b": []}}, by)
    assert isinstance(one, Ignored)


def test_one_element_need_not_stand_in_a_list() -> None:
    assert signal({"a": {"title": "t"}}, mapping(elements="a")).title == "t"


def test_a_crowd_is_kept_as_a_whole() -> None:
    crowd = [{"title": "t"}] * (ELEMENTS_MAX + 1)

    assert "more than" in rejected(crowd, mapping()).reason


def test_of_many_links_the_first_are_kept() -> None:
    one = signal({"title": "t", "urls": ["u"] * 99}, mapping(links="urls"))

    assert (one.details or "").count('"u"') == LINKS_MAX


def test_an_expression_that_cannot_be_followed_is_told() -> None:
    assert rejected({"title": 1}, mapping(title="length(title)")).loc == ("title",)
    assert rejected({"title": 1}, mapping(title="a[")).loc == ("title",)


def test_labels_are_texts() -> None:
    by = mapping(labels={"n": "n", "o": "o", "x": "x", "e": "e"})

    one = signal({"title": "t", "n": 3, "o": {"a": [1]}, "e": ""}, by)

    assert one.labels == {"n": "3", "o": '{"a":[1]}'}


def test_a_large_document_takes_no_unbounded_work() -> None:
    by = mapping(title="[*][*][*] | [0]", elements="[@]")
    document: list[Any] = [[[[]] * 10] * 100] * 1_000
    began = monotonic()

    one = rejected(document, by)

    assert "too large" in one.reason
    assert monotonic() - began < STEPS_MAX / 30_000
