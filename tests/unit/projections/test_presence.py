"""Who has an incident open: as long as their page says so, and within limits."""

import pytest

from services.projections.presence.state import (
    EXPIRES_SECONDS,
    PAGES_MAX,
    PRESENT_MAX,
    TABS_MAX,
    PageId,
    Presence,
    Present,
    TooManyPages,
    Visit,
)

ONE, OTHER = "INC-000001", "INC-000002"
ALL = 50
"""How many visits a process keeps here."""


def _visit(
    person: str,
    tab: str = "tab",
    form: str | None = None,
    incident: str = ONE,
    number: int | None = None,
) -> Visit:
    return Visit(incident, PageId(f"session-of-{person}", tab), person, form, number)


def _at(presence: Presence, incident: str = ONE) -> list[tuple[str, str | None]]:
    return list(presence.others(incident, "me"))


def test_others_are_seen_by_id_and_oneself_is_not() -> None:
    presence = Presence()
    for person in ("nadia", "me", "amina"):
        presence.report(_visit(person), 0)
    presence.report(_visit("amina", form="note"), 1)

    assert _at(presence) == [Present("amina", "note"), Present("nadia", None)]
    assert _at(presence, OTHER) == []


def test_somebody_with_two_pages_is_there_once_with_what_they_write() -> None:
    presence = Presence()
    presence.report(_visit("amina", "a", "note"), 0)
    presence.report(_visit("amina", "b"), 0)

    assert _at(presence) == [Present("amina", "note")]

    presence.end(_visit("amina", "a"), 1)
    assert _at(presence) == [Present("amina", None)]


def test_a_page_that_is_silent_expires_and_one_that_reports_stays() -> None:
    presence = Presence()
    presence.report(_visit("amina"), 0)
    presence.report(_visit("nadia"), 0)
    presence.report(_visit("nadia"), 1)

    presence.expire(EXPIRES_SECONDS)

    assert _at(presence) == [Present("nadia", None)]


@pytest.mark.parametrize("reported", [True, False], ids=["seen before", "never seen"])
def test_a_report_that_the_end_of_its_page_overtook_does_not_bring_it_back(
    *, reported: bool
) -> None:
    presence = Presence()
    if reported:
        presence.report(_visit("amina", number=1), 0)
    presence.end(_visit("amina", number=3), 1)

    presence.report(_visit("amina", number=2), 1)
    assert _at(presence) == []

    presence.report(_visit("amina", number=4), 2)  # the page was only hidden
    presence.end(_visit("amina", number=3), 3)
    assert _at(presence) == [Present("amina", None)]


def test_a_page_shows_one_incident_at_a_time() -> None:
    presence = Presence()
    presence.report(_visit("amina"), 0)
    presence.report(_visit("amina", incident=OTHER), 0)

    assert (_at(presence), _at(presence, OTHER)) == ([], [Present("amina", None)])


@pytest.mark.parametrize(
    ("visit", "rings"),
    [
        (_visit("nadia"), True),
        (_visit("amina", form="note"), True),
        (_visit("amina"), False),
        (_visit("nadia", incident=OTHER), False),
        (_visit("amina", incident=OTHER), True),
    ],
    ids=["one more", "one writes", "the same again", "elsewhere", "one leaves"],
)
def test_only_what_others_see_differently_rings(visit: Visit, *, rings: bool) -> None:
    presence = Presence()
    presence.report(_visit("amina"), 0)
    with presence.watching(ONE) as bell:
        bell.clear()
        presence.report(visit, 1)

        assert bell.is_set() is rings


def test_who_expires_is_noticed() -> None:
    presence = Presence()
    presence.report(_visit("amina"), 0)
    with presence.watching(ONE) as bell:
        bell.clear()
        presence.expire(EXPIRES_SECONDS)

        assert bell.is_set()


def test_who_comes_later_hears_at_once_of_those_who_are_there() -> None:
    presence = Presence()
    presence.report(_visit("nadia"), 0)

    with presence.watching(ONE) as here, presence.watching(OTHER) as elsewhere:
        assert (here.is_set(), elsewhere.is_set()) == (True, False)


def test_a_session_hears_of_others_where_its_own_pages_are_open() -> None:
    presence = Presence()
    own = _visit("amina")
    presence.report(own, 0)
    with presence.watching(own.page.session) as bell:
        bell.clear()
        presence.report(_visit("nadia", incident=OTHER), 1)
        assert not bell.is_set()

        presence.report(_visit("nadia"), 2)

        assert bell.is_set()
        assert presence.opened_by(own.page.session) == [ONE]


@pytest.mark.parametrize(
    "crowd",
    [
        [_visit("x", str(each)) for each in range(TABS_MAX)],
        [_visit("x", str(each), None, f"INC-{each:06d}") for each in range(PAGES_MAX)],
        [_visit(str(each)) for each in range(ALL)],
    ],
    ids=["of one incident", "of one session", "of everybody"],
)
def test_pages_beyond_a_limit_are_refused_and_those_that_are_kept_go_on(
    crowd: list[Visit], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.projections.presence.state.VISITS_MAX", ALL)
    presence = Presence()
    for each in crowd:
        presence.report(each, 0)

    with pytest.raises(TooManyPages):
        presence.report(_visit("x", "one more"), 0)

    presence.report(crowd[0], 1)
    presence.end(crowd[-1], 1)
    presence.report(_visit("x", "one more"), 1)


def test_of_a_crowd_some_are_named() -> None:
    presence = Presence()
    for each in range(PRESENT_MAX + 5):
        presence.report(_visit(f"agent-{each:03d}"), 0)

    assert len(_at(presence)) == PRESENT_MAX


def test_nothing_is_left_of_those_who_are_gone() -> None:
    presence = Presence()
    empty = str(vars(presence))
    with presence.watching(ONE):
        presence.report(_visit("amina"), 0)
    presence.end(_visit("nadia", number=1), 0)
    presence.expire(EXPIRES_SECONDS)

    assert str(vars(presence)) == empty
