"""An anonymous answer counts once, and cannot be joined to who gave it: on a real log.

The attacker reads the log and every table, with the numbers of transactions and the
places of rows, and has watched in which order people answered.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import datetime, timedelta
from functools import partial
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pytest
from psycopg import sql

from services.intake.anonymous_answers.rules import SHUFFLE, Shuffle
from services.intake.anonymous_answers.worker import AnonymousAnswers
from services.intake.policy import store as policy_store
from services.intake.policy.store import Applied, Signature
from services.intake.surveys.commands import SurveyDesk
from shared.domain.commands.survey import AnswerSurvey
from shared.domain.events.survey import SurveyInvited
from shared.domain.events.survey.anonymous import (
    SurveyAnswerReleased,
    SurveyCommentReleased,
)
from shared.domain.identifiers import survey_answers_stream, survey_stream
from shared.domain.survey.periods import day_begins
from shared.eventlog.entry import Entry
from shared.eventlog.log import EventLog
from shared.http.problem_details import HttpError
from shared.messaging.commands import CommandRequest
from shared.surveys.invitations import invitation_named
from shared.surveys.results import do_answers_wait, results_in
from tests.integration.intake.conftest import MASTER, NOW, POLICY, Hands
from tests.support.servers.servers import Database

pytestmark = pytest.mark.servers

DAY = timedelta(days=1)
LATER = NOW + DAY
ROUNDS, PEOPLE = 15, 6
SURVEY = """
surveys:
  after:
    audience: users
    expires_days: 10
    anonymous: {by: [channel]}
    questions: {v1: [{id: one, en: "Are you satisfied?"}, {id: two, en: "And now?"}]}
    owner: manager
"""
_TABLES = """
SELECT schemaname, tablename FROM pg_tables
WHERE schemaname NOT IN ('pg_catalog', 'information_schema')
ORDER BY 1, 2
"""
_MARKS = """
SELECT invitation, xmin::text FROM intake.used_invitations ORDER BY ctid
"""


@pytest.fixture
def asking(ruled: Database, owner: EventLog, hands: Hands) -> Hands:
    """Give a desk with an anonymous survey."""
    text = POLICY.read_text(encoding="utf-8") + SURVEY
    signature = Signature(by="root", reason="ask users")
    assert isinstance(policy_store.apply(owner, text, signature, NOW, "test"), Applied)
    assert ruled
    return hands


def invite(hands: Hands, refs: Sequence[str]) -> None:
    version = hands.log.head_version("policy-desk")
    for ref in refs:
        event = SurveyInvited(
            at=NOW,
            by="system:intake",
            survey="after",
            version="v1",
            policy=version,
            incident=ref,
            person=f"user-{ref.lower()}",
            expires_at=NOW + 10 * DAY,
            service="mail",
            team="desk",
            channel="email",
            kept=("channel",),
        )
        hands.log.record(survey_stream(ref), 0, [event])


def answer(
    hands: Hands,
    ref: str,
    choices: Mapping[str, int],
    shuffle: Shuffle = SHUFFLE,
) -> str:
    desk = SurveyDesk(hands.log, lambda: NOW, shuffle)
    body = AnswerSurvey(invitation=ref, choices=choices, comment=f"I am {ref}")
    actor = f"person:user-{ref.lower()}"
    return desk.take(CommandRequest[Any](actor=actor, scopes=(), body=body)).outcome


def worker(
    hands: Hands,
    now: datetime = LATER,
    shuffle: Shuffle = SHUFFLE,
) -> AnonymousAnswers:
    return AnonymousAnswers(hands.log, lambda: now, shuffle)


def references(round_: int) -> list[str]:
    return [f"INC-{round_ * PEOPLE + number:06d}" for number in range(1, PEOPLE + 1)]


def choices_of(number: int) -> dict[str, int]:
    """Return choices that nobody else of a round has, so that a hit can be counted."""
    return {"one": number % 5 + 1, "two": number // 5 + 1}


def released(hands: Hands) -> list[Entry]:
    return hands.log.history(survey_answers_stream("after"))


def marks(database: Database) -> list[tuple[str, str]]:
    with psycopg.connect(database.owner_dsn) as connection:
        return connection.execute(_MARKS).fetchall()


def rows(database: Database) -> Iterator[tuple[str, str, str]]:
    """Yield each row of each table: its table, transaction and text."""
    with psycopg.connect(database.owner_dsn) as connection:
        for names in connection.execute(_TABLES).fetchall():
            query = sql.SQL("SELECT xmin::text, t::text FROM ONLY {} AS t")
            found = connection.execute(query.format(sql.Identifier(*names)))
            yield from ((".".join(names), *row) for row in found)


def hits(people: Sequence[str], answers: Sequence[str]) -> int:
    """Return how often the attacker is right who gives out `answers` in order."""
    return sum(one == other for one, other in zip(people, answers, strict=True))


def attacked(hands: Hands, database: Database, shuffle: Shuffle) -> dict[str, int]:
    """Return how often each attack names the person of an answer or comment."""
    order, found = Random(3), dict[str, int]()  # noqa: S311 # the same in each run
    for round_ in range(ROUNDS):
        refs = references(round_)
        invite(hands, refs)
        watched = order.sample(refs, PEOPLE)
        for ref in watched:
            answer(hands, ref, choices_of(refs.index(ref)), shuffle)
        before = len(released(hands))
        worker(hands, shuffle=shuffle).look()
        events = [entry.event for entry in released(hands)[before:]]
        by_choices = {tuple(choices_of(n).values()): ref for n, ref in enumerate(refs)}
        given = [
            by_choices[tuple(each.choices.values())]
            for each in events
            if isinstance(each, SurveyAnswerReleased)
        ]
        said = [
            each.comment.removeprefix("I am ")
            for each in events
            if isinstance(each, SurveyCommentReleased)
        ]
        marked = [ref for ref, _ in marks(database) if ref in refs]
        guesses = {"watched": watched, "invited": refs, "marked": marked}
        for name, people in guesses.items():
            for kind, answers in (("answer", given), ("comment", said)):
                for way in (people, people[::-1]):
                    key = f"{name} {kind} {'back' if way is not people else ''}"
                    found[key] = found.get(key, 0) + hits(way, answers)
    return found


def test_no_order_or_row_tells_who_gave_an_anonymous_answer(
    asking: Hands, ruled: Database
) -> None:
    """By chance one of each batch is right; four deviations more would be a trace."""
    found = attacked(asking, ruled, Random(4).shuffle)  # noqa: S311 # the same each run

    assert found
    assert max(found.values()) < ROUNDS + 4 * ROUNDS**0.5


def test_the_attack_finds_everybody_without_the_shuffle(
    asking: Hands, ruled: Database
) -> None:
    found = attacked(asking, ruled, lambda _: None)

    assert found["watched answer "] == ROUNDS * PEOPLE
    assert found["watched comment "] == ROUNDS * PEOPLE


def test_no_table_has_a_trace_of_an_answer_or_of_its_transaction(
    asking: Hands, ruled: Database
) -> None:
    refs = references(0)
    invite(asking, refs)
    transactions: set[str] = set()
    for number, ref in enumerate(reversed(refs)):
        answer(asking, ref, choices_of(number))
        (xmin,) = {xmin for marked, xmin in marks(ruled) if marked == ref}
        transactions.add(xmin)
        written = {table for table, each, _ in rows(ruled) if each == xmin}
        assert written == {"intake.anonymous_answers", "intake.used_invitations"}
    waiting = [text for _, _, text in rows(ruled)]
    assert not any("I am" in text or '"one"' in text for text in waiting)

    worker(asking).look()

    assert [xmin for _, xmin, _ in rows(ruled) if xmin in transactions] == []
    assert [ref for ref, _ in marks(ruled)] == refs
    assert len({xmin for _, xmin in marks(ruled)}) == 1
    entries = released(asking)
    begins = day_begins(LATER.date(), ZoneInfo("UTC"))
    assert len(entries) == 2 * PEOPLE
    for entry in entries:
        assert (entry.command_id, entry.event.by) == (None, "system:intake")
        assert entry.event.at == begins
        assert not any(
            ref in entry.event.model_dump_json(exclude={"comment"}) for ref in refs
        )


def test_an_answer_counts_once_whatever_fails(
    asking: Hands, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that dies between two steps leaves what was before the first."""
    refs = references(0)
    invite(asking, refs)

    def lost(*_: object) -> str:
        raise RuntimeError("killed")

    def fails(place: object, name: str, act: Callable[[], object]) -> None:
        with monkeypatch.context() as patched:
            patched.setattr(place, name, lost)
            with pytest.raises(RuntimeError):
                act()

    for number, ref in enumerate(refs):
        choices = choices_of(number)
        fails(asking.log.vault, "seal", partial(answer, asking, ref, choices))
        assert answer(asking, ref, choices) == "recorded"
        assert answer(asking, ref, choices) == "already"
    assert worker(asking, NOW).look() == 0
    fails(EventLog, "append", worker(asking).look)

    assert [worker(asking).look(), worker(asking).look()] == [2 * PEOPLE, 0]

    events = [entry.event for entry in released(asking)]
    chosen = [e.choices for e in events if isinstance(e, SurveyAnswerReleased)]
    assert sorted(map(str, chosen)) == sorted(
        str(choices_of(number)) for number in range(PEOPLE)
    )
    assert answer(asking, refs[0], choices_of(0)) == "already"


def test_an_intake_whose_clock_is_behind_takes_no_second_answer(asking: Hands) -> None:
    refs = references(0)
    invite(asking, refs)
    for number, ref in enumerate(refs):
        answer(asking, ref, choices_of(number))

    worker(asking, NOW + 10 * DAY + timedelta(minutes=30)).look()

    assert answer(asking, refs[0], choices_of(0)) == "already"


def test_what_is_published_of_an_anonymous_survey_follows_from_the_log(
    asking: Hands,
) -> None:
    refs = references(0)
    invite(asking, refs)
    for number, ref in enumerate(refs):
        answer(asking, ref, choices_of(number))
    worker(asking).look()
    at = released(asking)[0].recorded_at
    with asking.log.transaction() as cursor:
        found = results_in(asking.log, cursor, "after", (at - DAY, at + DAY), 5)

    assert (found.invited, found.responded, found.n) == (PEOPLE, PEOPLE, PEOPLE)
    assert found.satisfied is not None
    assert [(each.by, each.name, each.n) for each in found.groups] == [
        ("channel", "email", PEOPLE)
    ]


def test_who_publishes_is_told_that_answers_wait_until_they_are_appended(
    asking: Hands, ruled: Database
) -> None:
    refs = references(0)
    invite(asking, refs)
    with closing(EventLog.open(ruled.dsn("desk_projections"), master=MASTER)) as log:

        def wait() -> bool:
            with log.transaction() as cursor:
                return do_answers_wait(cursor, "after")

        before = wait()
        for number, ref in enumerate(refs):
            answer(asking, ref, choices_of(number))
        while_waiting = wait()
        worker(asking).look()

        assert (before, while_waiting, wait()) == (False, True, False)


@pytest.mark.parametrize("role", ["desk_projections", "desk_escalation"])
def test_the_page_and_the_reminder_know_that_an_invitation_was_used(
    asking: Hands, ruled: Database, role: str
) -> None:
    first, second, *_ = references(0)
    invite(asking, [first, second])
    answer(asking, first, choices_of(0))

    with (
        closing(EventLog.open(ruled.dsn(role), master=MASTER)) as log,
        log.transaction() as cursor,
    ):
        held = [invitation_named(log, cursor, ref) for ref in (first, second)]

    assert [each and each.is_answered for each in held] == [True, False]


@pytest.mark.parametrize(
    ("now", "choices", "status"),
    [(NOW, {"one": 1}, 422), (NOW + 10 * DAY, {"one": 1, "two": 2}, 409)],
)
def test_a_refused_anonymous_answer_leaves_nothing(
    asking: Hands, ruled: Database, now: datetime, choices: dict[str, int], status: int
) -> None:
    (ref, *_) = references(0)
    invite(asking, [ref])
    body = AnswerSurvey(invitation=ref, choices=choices)
    request = CommandRequest[Any](
        actor=f"person:user-{ref.lower()}", scopes=(), body=body
    )
    written = {(table, xmin) for table, xmin, _ in rows(ruled)}

    with pytest.raises(HttpError) as refused:
        SurveyDesk(asking.log, lambda: now).take(request)

    assert refused.value.details.status == status
    after = {(table, xmin) for table, xmin, _ in rows(ruled)} - written
    assert {table for table, _ in after} <= {"vault.keys"}
