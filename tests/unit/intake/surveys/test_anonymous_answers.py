"""Anonymous answers are appended in groups of enough people, and none is lost."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.anonymous_answers.rules import (
    FULL,
    MIXED_AFTER,
    Pool,
    PooledAnswer,
    PooledComment,
    next_batch,
)
from shared.domain.events.survey.anonymous import (
    AnonymousEvent,
    SurveyAnswerReleased,
    SurveyCommentReleased,
)

TODAY = date(2025, 7, 31)
BEGAN = datetime(2025, 7, 31, tzinfo=UTC)
YESTERDAY = TODAY - timedelta(days=1)
LONG_AGO = TODAY - MIXED_AFTER
LEAST = 5


def an_answer(
    channel: str | None = None,
    day: date = YESTERDAY,
    version: str = "v1",
    choice: int = 3,
) -> PooledAnswer:
    return PooledAnswer.model_validate(
        {
            "version": version,
            "day": day,
            "choices": {"ok": choice},
            "kept": () if channel is None else ("channel",),
            "channel": channel,
        }
    )


def released(pool: Pool) -> tuple[list[list[AnonymousEvent]], Pool]:
    batches: list[list[AnonymousEvent]] = []
    while batch := next_batch("after", pool, (TODAY, BEGAN), LEAST, lambda _: None):
        batches.append([*batch.events])
        pool = batch.rest
    return batches, pool


_ANSWERS = st.builds(
    an_answer,
    st.sampled_from(["phone", "email", None]),
    st.sampled_from([TODAY, YESTERDAY, LONG_AGO]),
    st.sampled_from(["v1", "v2"]),
    st.integers(1, 5),
)
_COMMENTS = st.builds(
    PooledComment,
    version=st.sampled_from(["v1", "v2"]),
    day=st.sampled_from([TODAY, YESTERDAY]),
    comment=st.text(max_size=3),
)


@given(st.lists(_ANSWERS, max_size=40), st.lists(_COMMENTS, max_size=20))
def test_each_batch_is_of_enough_people_and_nothing_is_lost_or_counted_twice(
    answers: list[PooledAnswer], comments: list[PooledComment]
) -> None:
    batches, rest = released(Pool(answers=tuple(answers), comments=tuple(comments)))

    for batch in batches:
        assert len(batch) >= LEAST
        alike = {each.model_dump_json(exclude={"choices", "comment"}) for each in batch}
        assert len(alike) == 1
    events = [event for batch in batches for event in batch]
    chosen = [
        each.choices["ok"] for each in events if isinstance(each, SurveyAnswerReleased)
    ]
    said = [each.comment for each in events if isinstance(each, SurveyCommentReleased)]
    assert Counter(chosen) + Counter(each.choices["ok"] for each in rest.answers) == (
        Counter(each.choices["ok"] for each in answers)
    )
    assert Counter(said) + Counter(each.comment for each in rest.comments) == Counter(
        each.comment for each in comments
    )


@pytest.mark.parametrize(
    ("answers", "sizes"),
    [
        pytest.param([an_answer()] * 4, [], id="too few"),
        pytest.param([an_answer()] * 5, [5], id="enough"),
        pytest.param([an_answer(day=TODAY)] * 5, [], id="all of today"),
        pytest.param([an_answer(day=TODAY)] * FULL, [FULL], id="very many of today"),
        pytest.param(
            [an_answer("phone")] * 4 + [an_answer("email")] * 4, [], id="about others"
        ),
        pytest.param(
            [an_answer("phone", LONG_AGO)] * 2 + [an_answer("email", LONG_AGO)] * 3,
            [5],
            id="about others, long ago",
        ),
        pytest.param(
            [an_answer(version="v1", day=LONG_AGO)] * 3 + [an_answer(version="v2")] * 3,
            [],
            id="to other questions",
        ),
    ],
)
def test_answers_wait_until_there_are_enough_alike(
    answers: list[PooledAnswer], sizes: list[int]
) -> None:
    batches, _ = released(Pool(answers=tuple(answers)))

    assert [len(batch) for batch in batches] == sizes


def test_answers_that_waited_long_are_appended_without_what_they_keep() -> None:
    waiting = [an_answer("phone", LONG_AGO)] * 2 + [an_answer("email", LONG_AGO)] * 3
    ((*events,),), rest = released(Pool(answers=tuple(waiting)))

    assert rest == Pool()
    assert all(
        isinstance(each, SurveyAnswerReleased)
        and (each.kept, each.channel) == ((), None)
        for each in events
    )
