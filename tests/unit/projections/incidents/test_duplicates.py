"""Incidents that may report the same are proposed, with what they have in common."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.projections.queue.duplicates import LIKELY, likeness, ranked
from services.projections.queue.projection import project
from services.projections.queue.row import QueueRow, changed
from shared.domain.incident import Status
from tests.support.strategies.histories import START, entry, opened

PRINTER = {
    "title": "Printer on floor two is offline",
    "service": "print",
    "client": "valmont",
    "reporter": "roche",
    "labels": {"host": "prn-2", "site": "paris"},
}


def _row(ref: str = "INC-000001", **fields: object) -> QueueRow:
    row = project(None, entry(opened(ref, **{**PRINTER, **fields}), 1, 1))
    assert row is not None
    return row


@pytest.mark.parametrize(
    ("other", "because"),
    [
        ({}, ("reporter", "words", "service", "labels", "client")),
        ({"labels": None, "title": "x", "client": None}, ("reporter", "service")),
        ({"reporter": None, "title": "x", "client": "y"}, ("labels", "service")),
        ({"reporter": "petit", "labels": None}, ("words", "service", "client")),
        ({"service": "unknown", "labels": None}, ("reporter", "words", "client")),
    ],
)
def test_two_incidents_are_alike_for_reasons(
    other: dict[str, object], because: tuple[str, ...]
) -> None:
    found = likeness(_row(), _row("INC-000002", **other))

    assert set(found.because) == set(because)
    assert found.score >= LIKELY


def test_a_service_and_a_client_in_common_do_not_make_a_duplicate_but_a_host_does() -> (
    None
):
    nothing = {"title": "Toner", "reporter": "petit"}
    far = _row("INC-000002", labels=None, client="other", **nothing)
    same_host = _row("INC-000003", labels={"host": "prn-2"}, **nothing)

    assert likeness(_row(), far).because == ("service",)
    assert [each.row.ref for each in ranked(_row(), [far, same_host])] == ["INC-000003"]


def test_what_is_unknown_or_absent_is_nothing_in_common() -> None:
    nobody = {"service": "unknown", "reporter": None, "client": None, "labels": None}
    one, other = (
        _row(ref, title="a b c", **nobody) for ref in ("INC-000001", "INC-000002")
    )

    assert likeness(one, other) == (0, ())


def test_the_likeliest_is_first_and_of_two_the_one_reported_nearer_in_time() -> None:
    def at(ref: str, minutes: int, **fields: object) -> QueueRow:
        when = START + timedelta(minutes=minutes)
        return _row(ref, reported_at=when, **fields)

    of = at("INC-000001", 0)
    others = [
        at("INC-000002", 90),
        at("INC-000003", -10),
        at("INC-000004", 5, reporter="petit"),
    ]

    found = [each.row.ref for each in ranked(of, others)]

    assert found == ["INC-000003", "INC-000002", "INC-000004"]


def test_an_ended_one_comes_after_those_at_work_unless_it_is_much_likelier() -> None:
    def row(ref: str, status: str, **fields: object) -> QueueRow:
        return changed(_row(ref, **fields), {"status": Status(status)})

    little = {"labels": None, "title": "x", "client": None}
    at_work = row("INC-000002", "new", **little)
    ended = row("INC-000003", "closed", **{**little, "client": "valmont"})
    likelier = row("INC-000004", "closed")

    found = [each.row.ref for each in ranked(_row(), [ended, at_work, likelier])]

    assert found == ["INC-000004", "INC-000002", "INC-000003"]


_ROWS = st.builds(
    _row,
    title=st.text(max_size=30),
    service=st.sampled_from(["print", "mail", "unknown"]),
    client=st.sampled_from([None, "valmont"]),
    reporter=st.sampled_from([None, "roche"]),
    labels=st.none() | st.dictionaries(st.text("ab", min_size=1), st.text("ab")),
)


@given(_ROWS, _ROWS)
def test_two_are_as_alike_from_either_side(one: QueueRow, other: QueueRow) -> None:
    there, back = likeness(one, other), likeness(other, one)

    assert there == back
    assert (there.score == 0) is (there.because == ())
