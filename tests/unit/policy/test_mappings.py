"""A mapping is checked with its policy: each expression, its line and a sentence."""

import pytest

from shared.domain.policy.document import Policy
from shared.domain.policy.mappings import COPIES_MAX, DEPTH_MAX, Mapped, mistakes_in
from shared.domain.policy.sources import Monitor
from tests.support.policies import full, mistakes


def test_a_mapping_is_read_as_it_is_written() -> None:
    source = full().sources["chaudiere"]

    assert isinstance(source, Monitor)
    assert source.timezone == "Europe/Brussels"
    assert isinstance(source.mapping, Mapped)
    assert source.mapping.action.found_at == "etat"
    assert source.mapping.action.values["fini"] == "resolve"


def test_a_policy_with_a_mapping_is_read_back_as_it_was_applied() -> None:
    policy = full()

    assert Policy.from_document(policy.document()) == policy


@pytest.mark.parametrize(
    ("change", "path", "words"),
    [
        (("dedup_key: point", "dedup_key: 'point['"), "dedup_key", "JMESPath"),
        (("event_id: numero", "event_id: 'a..b'"), "event_id", "character 3"),
        (("links: plan", "links: upper(plan)"), "links", "no function `upper`"),
        (
            ("site: lieu", "site: 'join(lieu, [a])'"),
            "labels.site",
            "`join` takes a text",
        ),
        (("{from: etat, values", "{values"), "action", "say with `from`"),
        (("fini: resolve", "fini: close"), "action.values.fini", "write one of"),
        (("fini: resolve", "ACTIF: resolve"), "action.values.ACTIF", "given twice"),
        (('"%d/%m/%Y %H:%M:%S"', "hh:mm"), "time_format", "no form of a time"),
        (('"%d/%m/%Y %H:%M:%S"', '"%H:%M"'), "time_format", "no form of a time"),
    ],
)
def test_what_cannot_be_followed_is_told_by_its_line(
    change: tuple[str, str], path: str, words: str
) -> None:
    (mistake,) = mistakes(change)

    assert mistake.path == f"sources.chaudiere.mapping.{path}"
    assert words in mistake.sentence
    assert mistake.line


def test_the_zone_of_a_source_exists() -> None:
    (mistake,) = mistakes(("timezone: Europe/Brussels\n    m", "timezone: Mars\n    m"))

    assert mistake.path == "sources.chaudiere.timezone"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("type: mapped", "type: zabbix"), "take `mapping` out"),
        (("type: native, key", "type: mapped, key"), "needs a `mapping`"),
    ],
)
def test_a_mapping_stands_where_it_is_needed_and_nowhere_else(
    change: tuple[str, str], words: str
) -> None:
    (mistake,) = mistakes(change)

    assert words in mistake.sentence


@pytest.mark.parametrize(
    "expression",
    [
        "[@,@][] | [@,@][] | [@,@][] | [@,@][] | [@,@][] | [@,@][] | [@,@][]",
        "|".join(["to_string(@)"] * 7),
        "map(&[@,@,@,@,@,@,@,@,@], [@,@,@,@,@,@,@,@])",
    ],
)
def test_an_expression_that_multiplies_a_document_is_refused(expression: str) -> None:
    (sentence,) = mistakes_in(expression)

    assert f"more than {COPIES_MAX} times" in sentence


@pytest.mark.parametrize("expression", ["!" * DEPTH_MAX + "a", "(" * 240 + "a"])
def test_an_expression_that_nests_deeply_is_refused(expression: str) -> None:
    assert mistakes_in(expression)


@pytest.mark.parametrize(
    "expression",
    [
        "alerts[*].labels",
        "alerts[?status=='firing'].{a: a, b: b} | [0]",
        "join(' - ', [host, service, to_string(value)])",
        "not_null(a, b, `1`)",
        "sort_by(a, &b)[:2]",
    ],
)
def test_what_people_write_is_taken(expression: str) -> None:
    assert mistakes_in(expression) == []
