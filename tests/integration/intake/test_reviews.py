"""Reviews on a real log: opened once, sealed, followed, and never changed."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest

from services.intake.log_follower import batch_handler
from services.intake.policy import store as policy_store
from services.intake.policy.store import Applied, Policies, Signature
from services.intake.reviews.store import ReviewDesk
from services.intake.reviews.worker import ReviewWarnings
from shared.domain.commands.incident import Open, Resolve
from shared.domain.commands.review import BODIES, ReviewAnswer
from shared.domain.events.review import ReviewOpened, ReviewPublished
from shared.domain.events.sla import SlaBreached
from shared.domain.identifiers import review_stream, sla_stream
from shared.domain.review.facts import facts_of
from shared.eventlog.log import EventLog
from shared.http.problem_details import HttpError
from shared.messaging.commands import CommandRequest, Scope
from shared.reviews import history_of, review_of
from shared.vault.vault import forget
from tests.integration.intake.commands.test_commands import INC, done
from tests.integration.intake.conftest import MASTER, NOW, POLICY, Hands, hands_on
from tests.support.servers.servers import Database

pytestmark = pytest.mark.servers

REVIEWS = """
reviews:
  required_for: [p1, breached]
  owner: manager
"""
TEXT = "Le lien était coupé."
LATE = NOW + timedelta(days=30)


@pytest.fixture
def reviewing(owner: EventLog, hands: Hands) -> Hands:
    """Give a desk whose policy requires reviews."""
    text = POLICY.read_text(encoding="utf-8") + REVIEWS
    signature = Signature(by="root", reason="learn from outages")
    assert isinstance(policy_store.apply(owner, text, signature, NOW, "test"), Applied)
    return hands


def resolved(hands: Hands, **given: Any) -> None:
    done(hands, Open(title="No mail", **given), None)
    done(hands, Resolve(note="rebooted"))


def follow(hands: Hands, now: datetime = NOW) -> None:
    """Let the reader apply the whole log, as if it began again."""
    apply = batch_handler(hands.log, lambda: now)
    entries = hands.log.since(0, 1_000)
    with hands.log.transaction() as cursor:
        apply(cursor, entries)


def take(
    hands: Hands,
    verb: str,
    by: str = "person:manager",
    scopes: tuple[Scope, ...] = ("manager",),
    key: int | None = None,
    at: datetime = NOW,
    **body: Any,
) -> ReviewAnswer:
    desk = ReviewDesk(hands.log, Policies(hands.log), lambda: at)
    request = CommandRequest[Any](
        incident=INC,
        actor=by,
        scopes=scopes,
        command_id=UUID(int=key) if key else None,
        body=BODIES[verb].model_validate(body),
    )
    return desk.take(request)


def openings(hands: Hands) -> list[ReviewOpened]:
    found = [entry.event for entry in hands.log.history(review_stream(INC))]
    return [each for each in found if isinstance(each, ReviewOpened)]


def breached(owner: EventLog) -> None:
    owner.record(
        sla_stream(INC),
        owner.head_version(sla_stream(INC)),
        [
            SlaBreached(
                at=NOW,
                by="system:sla_watcher",
                incident=INC,
                policy=1,
                target="ttr",
                cycle=1,
                contract="standard",
                seconds=3_600,
                due_at=NOW,
                breached_at=NOW,
            )
        ],
    )


def test_a_required_review_is_opened_once_whatever_is_read_again(
    reviewing: Hands,
) -> None:
    resolved(reviewing, impact="high", urgency="high")
    for _ in range(3):
        follow(reviewing)

    (opened,) = openings(reviewing)
    assert (opened.cause, opened.owner) == ("priority", "manager")


def test_a_breach_that_is_recorded_after_the_resolution_opens_one(
    reviewing: Hands, owner: EventLog
) -> None:
    resolved(reviewing, impact="low", urgency="low")
    follow(reviewing)
    assert openings(reviewing) == []
    breached(owner)
    follow(reviewing)

    assert [opened.cause for opened in openings(reviewing)] == ["breached"]


def test_a_reader_that_begins_again_opens_none_for_what_is_long_past(
    reviewing: Hands,
) -> None:
    resolved(reviewing, impact="high", urgency="high")
    last = reviewing.log.since(0, 1_000)[-1].recorded_at
    follow(reviewing, last + timedelta(days=4))

    assert openings(reviewing) == []


def test_words_are_sealed_and_blank_once_their_author_is_forgotten(
    reviewing: Hands, ruled: Database
) -> None:
    resolved(reviewing)
    take(reviewing, "open_review")
    take(reviewing, "write_review", "person:agent", section="summary", text=TEXT)
    take(reviewing, "submit_review")
    take(reviewing, "publish_review")
    with psycopg.connect(ruled.owner_dsn) as connection:
        row = connection.execute(
            "SELECT convert_from(state, 'UTF8') FROM log.events"
            " WHERE topic = 'review.written'"
        ).fetchone()
    assert row is not None
    assert "lien" not in row[0]

    with psycopg.connect(ruled.dsn("desk_admin")) as connection:
        forget(connection.cursor(), "person:agent", "asked by letter", NOW)

    reader = EventLog.open(ruled.dsn("desk_intake"), master=MASTER)
    with reader.transaction() as cursor:
        held, _ = review_of(reader, cursor, INC)
    reader.close()
    assert held is not None
    assert held.text("summary") == "[forgotten]"
    assert held.editions[0].revisions == {"summary": 1}


def test_an_edition_has_the_facts_of_the_log_and_no_later_ones(
    reviewing: Hands,
) -> None:
    resolved(reviewing)
    take(reviewing, "open_review")
    take(reviewing, "write_review", section="summary", text=TEXT)
    take(reviewing, "submit_review")
    take(reviewing, "publish_review")

    with reviewing.log.transaction() as cursor:
        held, _ = review_of(reviewing.log, cursor, INC)
        facts = facts_of(history_of(reviewing.log, cursor, INC))
    assert held is not None
    (edition,) = held.editions
    assert isinstance(edition, ReviewPublished)
    assert edition.facts == tuple(fact.position for fact in facts)
    assert "incident.resolved" in {fact.event.type for fact in facts}
    with pytest.raises(HttpError) as no:
        take(reviewing, "write_review", section="summary", text="Autre")
    assert no.value.details.code == "state"


def test_a_command_sent_twice_is_recorded_once(reviewing: Hands) -> None:
    resolved(reviewing)
    take(reviewing, "open_review")
    due = (NOW + timedelta(days=5)).date().isoformat()
    body: dict[str, Any] = {"owner": "expert", "due": due, "task": "Doubler le lien"}

    first = take(reviewing, "open_review_action", key=7, **body)
    again = take(reviewing, "open_review_action", key=7, **body)

    assert (first.outcome, first.action) == ("recorded", 1)
    assert (again.outcome, again.positions) == ("repeated", first.positions)


def test_sections_written_at_the_same_time_are_all_kept(
    reviewing: Hands, ruled: Database
) -> None:
    resolved(reviewing)
    take(reviewing, "open_review")
    with ThreadPoolExecutor(2) as pool:
        other = hands_on(ruled)
        answers = [
            pool.submit(take, on, "write_review", section=name, text=f"{name} {n}")
            for n, (on, name) in enumerate(
                [(reviewing, "summary"), (other, "causes")] * 4
            )
        ]
        outcomes = {each.result().outcome for each in answers}
        other.log.close()

    with reviewing.log.transaction() as cursor:
        held, version = review_of(reviewing.log, cursor, INC)
    assert held is not None
    assert outcomes == {"recorded"}
    assert (held.revision("summary"), held.revision("causes"), version) == (4, 4, 9)


def test_what_is_overdue_is_warned_of_once_whoever_looks(
    reviewing: Hands, ruled: Database
) -> None:
    resolved(reviewing)
    take(reviewing, "open_review")
    due = (NOW + timedelta(days=5)).date().isoformat()
    take(reviewing, "open_review_action", owner="expert", due=due, task="Doubler")
    other = hands_on(ruled)
    lookers = [ReviewWarnings(on.log, lambda: LATE) for on in (reviewing, other)]

    with ThreadPoolExecutor(2) as pool:
        found = [*pool.map(ReviewWarnings.look, lookers)]

    assert sum(found) == 2
    assert [each.look() for each in lookers] == [0, 0]
    take(reviewing, "complete_review_action", action=1, at=LATE)
    other.log.close()


def test_what_nobody_has_opened_is_not_found(reviewing: Hands) -> None:
    resolved(reviewing)

    with pytest.raises(HttpError) as no:
        take(reviewing, "submit_review")

    assert (no.value.details.status, no.value.details.code) == (404, "unknown_review")
