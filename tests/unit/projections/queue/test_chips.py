"""The chips of a queue, and its filters written as one expression."""

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.projections.api.commands.bulk import Verb, not_done
from services.projections.queue.expression import Term, parse
from services.projections.queue.filter_fields import terms_of
from services.projections.web.queue.bulk_actions import BULK_ACTIONS, offered
from services.projections.web.queue.chips import Given, chips, expression, with_view
from shared.domain.incident import Status
from shared.domain.incident.possible import Standing, possible_from_row
from shared.domain.policy.targets import SupportLevel
from shared.messaging.commands import ProblemDetails

_GIVEN = [("queue", "all"), ("priority", "p1"), ("priority", "p2"), ("q", "mail")]


def test_each_value_is_a_chip_whose_link_leaves_it_out() -> None:
    found = chips([*_GIVEN, ("order", "priority"), ("service", "")])

    assert [(each.name, each.value) for each in found] == _GIVEN[1:]
    rest = "queue=all&priority=p2&q=mail&order=priority&service="
    assert found[0].without == rest


@pytest.mark.parametrize(
    ("given_", "written"),
    [
        ([], ""),
        (_GIVEN, "priority:p1,p2 mail"),
        ([("filter", "a OR b")], "a OR b"),
        (
            [("filter", "a OR b"), ("service", "two words")],
            'service:"two words" (a OR b)',
        ),
        ([("q", "-x OR :y")], '"-x" "OR" ":y"'),
        ([("order", "priority"), ("unknown", "x")], ""),
    ],
)
def test_filters_are_written_as_one_expression(given_: Given, written: str) -> None:
    assert expression(given_) == written


_names = st.text(
    st.characters(blacklist_categories=("Cs", "Cc")), min_size=1, max_size=20
)


@given(st.lists(_names.filter(lambda name: name.replace('"', "").strip()), max_size=3))
def test_any_name_is_read_back_as_it_was_given(services: list[str]) -> None:
    wanted = [name.replace('"', "") for name in services]
    text = expression([("service", name) for name in services])

    if services:
        assert parse(text, terms_of(None)) == Term("service", tuple(wanted))


def test_a_view_says_what_the_page_does_not_say_itself() -> None:
    view = {"queue": "mine", "filter": "priority:p1", "sort": None}

    assert dict(with_view([("view", "v")], view)) == {
        "view": "v",
        "queue": "mine",
        "filter": "priority:p1",
    }
    assert dict(with_view([("filter", "")], view))["filter"] == ""


@pytest.mark.parametrize(
    ("status", "is_acknowledged", "level", "accepted_by", "verbs"),
    [
        (Status.NEW, False, "n1", None, ["acknowledge"]),
        (Status.NEW, False, "n2", None, ["accept"]),
        (Status.ACKNOWLEDGED, True, "n1", None, []),
        (Status.PAUSED, False, "n1", None, ["acknowledge"]),
        (Status.PAUSED, True, "n2", None, ["accept"]),
        (Status.ACKNOWLEDGED, True, "n2", "tariq", []),
        (Status.RESOLVED, True, "n2", None, []),
        (Status.CLOSED, True, "n2", None, []),
    ],
)
def test_a_row_offers_what_comes_next_and_is_theirs_to_say(
    status: Status,
    is_acknowledged: bool,
    level: SupportLevel,
    accepted_by: str | None,
    verbs: list[str],
) -> None:
    standing = Standing(status, is_acknowledged, level, accepted_by, lambda _: True)
    of_others = standing._replace(may_say=lambda verb: verb != "accept")

    possible = possible_from_row(standing, "nadia")
    assert [each.verb for each in offered(possible)] == verbs
    assert possible_from_row(standing, None) == []
    assert possible_from_row(of_others, "nadia") == [
        v for v in possible if v != "accept"
    ]


@pytest.mark.parametrize(
    ("status", "code", "outcome"),
    [
        (409, "state", "refused"),
        (503, "record_unreadable", "refused"),
        (503, "log_silent", "unanswered"),
        (504, None, "unanswered"),
    ],
)
def test_one_incident_that_cannot_be_read_does_not_hold_up_the_others(
    status: int, code: str | None, outcome: str
) -> None:
    details = ProblemDetails(title="no", status=status, detail="why", code=code)

    assert not_done("INC-000001", details).outcome == outcome


def test_every_bulk_action_is_a_command_that_the_api_takes() -> None:
    assert {each.verb for each in BULK_ACTIONS} <= set(get_args(Verb))
