"""No two figures of satisfaction, shown anywhere, differ by the answers of a few."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import combinations
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from services.projections.metrics.figures import Satisfaction
from services.projections.metrics.period import Disclosure
from services.projections.metrics.satisfaction import (
    DIMENSIONS,
    WHOLE,
    Answers,
    Cell,
    MonthlySatisfaction,
    shown_cells,
)
from shared.domain.events.survey import SurveyAnswered, SurveyInvited
from shared.domain.events.survey.results import SurveyResults
from shared.domain.policy.surveys import MIN_ANSWERS
from shared.domain.survey.results import InvitationRecord, agree, results

UTC_DESK = Disclosure(ZoneInfo("UTC"))
_few = st.sampled_from(["a", "b", None])
_answers = st.lists(
    st.builds(
        Answers,
        month=st.just(0),
        survey=st.sampled_from(["one", "two"]),
        service=_few,
        client=_few,
        team=_few,
        channel=_few,
        n=st.integers(1, 9),
        satisfied=st.just(0),
    ),
    max_size=12,
    unique_by=lambda each: each[:6],
)


def cells(answers: Sequence[Answers]) -> Iterator[Cell]:
    yield WHOLE
    for by in DIMENSIONS:
        yield from ((by, name) for name in {getattr(one, by) for one in answers})


def members(answers: Sequence[Answers], cell: Cell) -> frozenset[Answers]:
    return frozenset(each for each in answers if each.is_in(cell))


def size(part: frozenset[Answers]) -> int:
    return sum(each.n for each in part)


@given(_answers)
def test_all_pairs_of_shown_cells_differ_by_enough_answers_or_by_none(
    answers: list[Answers],
) -> None:
    shown = [members(answers, cell) for cell in shown_cells(answers, UTC_DESK)]
    surveys = {each.survey for each in answers}
    if shown:  # what the surveys themselves publish
        shown += [
            frozenset(each for each in answers if each.survey == name)
            for name in surveys
        ]

    assert all(size(each) >= MIN_ANSWERS for each in shown)
    for one, other in combinations(shown, 2):
        differ = size(one ^ other)
        assert differ == 0 or differ >= MIN_ANSWERS


@given(_answers)
def test_what_is_left_of_the_whole_is_nothing_or_enough_answers(
    answers: list[Answers],
) -> None:
    shown = shown_cells(answers, UTC_DESK)

    for by in DIMENSIONS:
        named = [cell for cell in shown if cell[0] == by]
        rest = sum(each.n for each in answers) - sum(
            size(members(answers, cell)) for cell in named
        )
        assert not named or rest == 0 or rest >= MIN_ANSWERS


START = datetime(2025, 6, 1, tzinfo=UTC)
END = datetime(2025, 7, 1, tzinfo=UTC)


def asked(answers: Sequence[Answers]) -> Iterator[InvitationRecord]:
    """Yield each of the answers; `survey` is the version of its questions."""
    for kind in answers:
        version = {"one": "v1", "two": "v2"}[kind.survey]
        for _ in range(kind.n):
            about: dict[str, Any] = {"survey": "after", "version": version}
            about |= {"at": START, "incident": "INC-000001", "person": "lefevre"}
            invited = SurveyInvited.model_validate(
                {
                    **about,
                    "by": "system:intake",
                    "policy": 1,
                    "expires_at": END,
                    "service": kind.service or "c",
                    "team": kind.team or "c",
                    "client": kind.client,
                    "channel": {"a": "phone", "b": "email"}.get(kind.channel or ""),
                }
            )
            answered = SurveyAnswered.model_validate(
                {**about, "by": "person:lefevre", "choices": {"ok": 5}}
            )
            yield InvitationRecord(invited, START, answered, START + timedelta(days=1))


def shown_by(
    found: SurveyResults, given: Sequence[Answers]
) -> list[frozenset[Answers]]:
    """Return what the figures of results are about, and what follows from the whole."""
    whole = frozenset(given)
    named = {"phone": "a", "email": "b", "c": None}
    of_groups = {
        by: [
            frozenset(
                each
                for each in given
                if getattr(each, by) == named.get(group.name or "c", group.name)
            )
            for group in found.groups
            if group.by == by and group.satisfied is not None
        ]
        for by in DIMENSIONS
    }
    of_groups["version"] = [
        frozenset(
            each
            for each in given
            if {"one": "v1", "two": "v2"}[each.survey] == one.version
        )
        for one in found.questions
        if one.counts
    ]
    rests = [whole.difference(*parts) for parts in of_groups.values() if parts]
    return [whole, *rests, *(part for parts in of_groups.values() for part in parts)]


@given(_answers)
def test_no_figures_of_a_survey_differ_by_a_few_answers_whatever_divides_them(
    answers: list[Answers],
) -> None:
    found = results(asked(answers), (START, END), MIN_ANSWERS)

    if found.satisfied is None:
        return  # too few answers: no group of them has figures either
    for one, other in combinations(shown_by(found, answers), 2):
        differ = size(one ^ other)
        assert differ == 0 or differ >= MIN_ANSWERS


@given(_answers)
def test_what_was_published_with_more_figures_still_agrees_with_the_log(
    answers: list[Answers],
) -> None:
    more = results(asked(answers), (START, END), 1)
    less = results(asked(answers), (START, END), MIN_ANSWERS)

    assert agree(more, less)
    if answers:
        other = results(asked(answers[1:]), (START, END), MIN_ANSWERS)
        assert not agree(more, other)


def test_a_team_and_its_service_have_not_both_figures_if_they_differ_by_one() -> None:
    wifi, mail = ("a", 9), ("b", 9)
    kinds = [
        Answers(0, "one", service, "a", service, "a", n, 0)
        for service, n in (wifi, mail)
    ]
    stray = Answers(0, "one", "b", "a", "a", "a", 1, 0)

    alone = results(asked(kinds), (START, END), MIN_ANSWERS)
    found = results(asked([*kinds, stray]), (START, END), MIN_ANSWERS)

    assert _by(alone) == {"channel", "service", "team", "client"}
    assert _by(found) == {"channel", "service", "client"}


def _by(found: SurveyResults) -> set[str]:
    """Return what the answers are divided by where a group has figures."""
    return {each.by for each in found.groups if each.satisfied is not None}


@given(st.lists(st.integers(0, 12), min_size=3, max_size=3))
def test_a_longer_period_has_a_share_only_if_each_of_its_months_has_one(
    counts: list[int],
) -> None:
    bounds = [datetime(2025, month, 1, tzinfo=UTC) for month in (1, 2, 3, 4)]
    answers = [
        Answers(month, "one", "a", "a", "a", "a", n, n)
        for month, n in enumerate(counts)
        if n
    ]
    monthly = MonthlySatisfaction(bounds, answers, UTC_DESK)
    n = sum(counts)
    counted = Satisfaction(
        share=None, n=n, invited=n, responded=n, response_rate=None, note=None
    )

    whole = monthly.of(counted, bounds[0], bounds[-1])

    is_shown = n > 0 and not any(0 < each < MIN_ANSWERS for each in counts)
    assert whole.share == (1.0 if is_shown else None)
    assert (whole.note is None) == (is_shown or n == 0)


def test_a_month_has_no_figures_before_it_is_over() -> None:
    start, end = (datetime(2025, month, 1, tzinfo=UTC) for month in (5, 7))
    during = datetime(2025, 6, 30, 23, 59, tzinfo=UTC)

    assert UTC_DESK.months(start, end, end) == [
        start,
        datetime(2025, 6, 1, tzinfo=UTC),
        end,
    ]
    assert UTC_DESK.months(start, end, during)[-1] == datetime(2025, 6, 1, tzinfo=UTC)
