"""Filter expressions: what is written, what it means, and what is wrong with it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.projections.queue.expression import (
    DEPTH_MAX,
    EXPRESSION_MAX,
    TERMS_MAX,
    All,
    BadExpression,
    Expression,
    Not,
    Some,
    Term,
    parse,
)
from services.projections.queue.filter_fields import (
    FIELDS,
    Where,
    conditions,
    terms_of,
)
from services.projections.queue.filters import (
    Filters,
    Lifecycle,
    MixedStanding,
    standing,
)
from shared.domain.incident import Status

_READ = terms_of("paul")
_P1 = Term("priority", ("p1",))
_LATE = Term("breached", (True,))
_APPS = Term("team", ("apps",))
_MAIL = Term("service", ("mail",))


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("priority:p1", _P1),
        (" Priority:P1 ", _P1),
        ("priority:p1,p2", Term("priority", ("p1", "p2"))),
        ("priority:p1 team:apps", All((_P1, _APPS))),
        ("priority:p1 AND team:apps", All((_P1, _APPS))),
        ("priority:p1 OR team:apps breached:true", Some((_P1, All((_APPS, _LATE))))),
        (
            "(priority:P1 OR breached:true) AND team:apps -service:mail",
            All((Some((_P1, _LATE)), _APPS, Not(_MAIL))),
        ),
        ("NOT(priority:p1)", Not(_P1)),
        ('service:"two words"', Term("service", ("two words",))),
        ("web-01", Term("words", ("web-01",))),
        ('"web 01",db', Term("words", ("web 01", "db"))),
        ("assignee:me", Term("assignee", ("paul",))),
        ("assignee:none,nadia", Term("assignee", (None, "nadia"))),
        ("mine:true", Some((Term("assignee", ("paul",)),))),
        ("unassigned:false", Some((Not(Term("assignee", (None,))),))),
    ],
)
def test_an_expression_is_read_as_it_is_meant(written: str, meant: Expression) -> None:
    assert parse(written, _READ) == meant


@pytest.mark.parametrize(
    ("written", "position", "sentence"),
    [
        ("", 1, "a condition is missing here"),
        ("priority:p1 OR", 15, "a condition is missing here"),
        ("AND priority:p1", 1, "a condition is missing here"),
        ("priority:p1 OR OR team:apps", 16, "a condition is missing here"),
        ("(priority:p1", 1, "this `(` is never closed"),
        ("priority:p1)", 12, "`(` is missing before this `)`"),
        ("priority:p9", 1, "`p9` is not a value of `priority`: use p1, p2, p3, p4"),
        ("team:apps prio:p1", 11, "there is no field `prio`: use one of assignee"),
        ("team:apps priority:", 11, "a value is missing after `priority:`"),
        ("priority:p1, p2", 12, "a value is missing: write priority:p1,p2"),
        ('service:"mail', 9, "a quotation mark is missing"),
        ("--priority:p1", 2, "`NOT` is written twice"),
        ("breached:yes", 1, "write `breached:true` or `breached:false`"),
        ('team:""', 1, "`team` needs a name of 1 to 128 characters"),
        ("x" * (EXPRESSION_MAX + 1), EXPRESSION_MAX, "longer than"),
        ("(" * (DEPTH_MAX + 1), DEPTH_MAX + 1, "parentheses are open"),
        ("a " * (TERMS_MAX + 1), 2 * TERMS_MAX + 1, "more than 64 values"),
    ],
)
def test_what_is_wrong_is_told_with_its_character(
    written: str, position: int, sentence: str
) -> None:
    with pytest.raises(BadExpression) as refused:
        parse(written, _READ)

    assert refused.value.position == position
    assert sentence in str(refused.value)
    assert f"(at character {position})" in str(refused.value)


@pytest.mark.parametrize(
    "written", ["assignee:me", "reporter:me", "mine:true", "reminder:true"]
)
def test_a_machine_is_nobody(written: str) -> None:
    with pytest.raises(BadExpression, match="only a person"):
        parse(written, terms_of(None))


@given(
    st.one_of(
        st.text(),
        st.lists(
            st.sampled_from(
                ["(", ")", "-", "NOT", "AND", "OR", "a", "team:b", '"', ",", ":", " "]
            )
        ).map("".join),
    )
)
def test_any_text_is_an_expression_or_is_refused_at_one_of_its_characters(
    text: str,
) -> None:
    position = 1
    try:
        parse(text, _READ)
    except BadExpression as error:
        position = error.position

    assert 1 <= position <= len(text) + 1


def _search(words: object) -> Where:
    return "words", (words,)


def test_parts_of_a_conjunction_are_conditions_an_index_can_serve() -> None:
    expression = parse("team:apps (priority:p1 level:n2) mine:true", _READ)

    assert conditions(expression, _search) == [
        ("team = %s", ("apps",)),
        ("priority = %s", ("p1",)),
        ("level = %s", ("n2",)),
        ("assignee = %s", ("paul",)),
    ]


@pytest.mark.parametrize("name", FIELDS)
def test_values_are_parameters_never_part_of_the_text(name: str) -> None:
    hostile = "x'; DROP TABLE incidents; --"
    wanted = (hostile, None) if FIELDS[name].may_be_empty else (hostile,)
    text, values = conditions(Term(name, wanted), _search)[0]

    assert "DROP" not in text
    assert text.count("%s") == len(values)


@pytest.mark.parametrize(
    ("status", "written", "selected"),
    [
        ((), "priority:p1", Lifecycle.OPEN),
        ((), "-status:paused", Lifecycle.OPEN),
        ((), "-status:closed", Lifecycle.OPEN),
        ((), "status:closed", Lifecycle.ENDED),
        ((), "status:closed,merged -status:merged", Lifecycle.ENDED),
        ((), "-status:new,acknowledged,paused,resolved", Lifecycle.ENDED),
        ((), "waiting:user", Lifecycle.OPEN),
        ((Status.CLOSED,), "priority:p1", Lifecycle.ENDED),
        ((Status.CLOSED,), "priority:p1 OR team:apps", Lifecycle.ENDED),
    ],
)
def test_an_expression_selects_open_incidents_unless_it_can_only_match_ended_ones(
    status: tuple[Status, ...], written: str, selected: Lifecycle
) -> None:
    assert standing(Filters(status, where=(parse(written, _READ),))) is selected


@pytest.mark.parametrize(
    "written", ["status:closed OR priority:p1", "status:new,closed"]
)
def test_open_and_ended_incidents_are_not_listed_together(written: str) -> None:
    with pytest.raises(MixedStanding):
        standing(Filters(where=(parse(written, _READ),)))
