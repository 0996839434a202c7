"""A promise is broken: everybody hears of it who must, once, and it comes to an end."""

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from email.message import EmailMessage
from random import Random
from threading import Event
from typing import Any

import psycopg
import pytest

from shared.domain.events import AnyEvent
from tests.support.builders.broken_promise import PROCESSES, Story, Timeline, told
from tests.support.builders.promises import brief, local, shown
from tests.support.faults.verdict import all_rows, assert_log_is_whole
from tests.support.folders import reachable_folder

SEED = int(os.environ.get("FAULTS_SEED", "20250630"))
KILLED_AT_ONCE = 2
NOT_THE_SAME = {"at", "attempts", "receipt", "answer_by", "whose"}
"""When it was noticed, how often it was tried; and what is counted from then."""


@pytest.fixture(scope="module")
def undisturbed() -> Iterator[Story]:
    with reachable_folder() as folder, told(folder) as story:
        story.play()
        yield story


def has_changed_hands(story: Story) -> bool:
    """Tell whether another process took over the outbox: it sends again what waits.

    Nobody has disturbed the first one, but a busy machine may let it stand still.
    """
    with psycopg.connect(story.desk.database.owner_dsn) as connection:
        lease = "SELECT fence > 1 FROM escalation.leases WHERE name = 'outbox'"
        return connection.execute(lease).fetchone() == (True,)


def once(story: Story, mails: Sequence[EmailMessage]) -> set[str]:
    """Return the ids of mails; each comes once, unless who sends them has changed."""
    ids = [str(mail["message-id"]) for mail in mails]
    assert len(ids) == len(set(ids)) or has_changed_hands(story)
    return set(ids)


def of(events: Sequence[AnyEvent], happened: str) -> list[Any]:
    return [event for event in events if event.type == happened]


def test_promises_are_warned_of_broken_and_overrun_at_their_instants(
    undisturbed: Story,
) -> None:
    said = [brief(event) for event in undisturbed.timeline()["sla"]]  # type: ignore[arg-type] # the stream holds no other

    assert said[:6] == [
        "tto armed 09:40",
        "ttr armed 15:10",
        "tto warned 75 % 09:32:30",
        "tto breached 09:40",
        "ttr warned 75 % 13:40",
        "ttr breached 15:10",
    ]
    assert [each for each in said if "overran" in each] == [
        "tto overran 15:55",
        "ttr overran 16:10",
    ]


def test_nobody_acknowledges_and_the_next_ones_are_paged(undisturbed: Story) -> None:
    events = undisturbed.timeline()["escalation"]

    levels = [
        (each.to_level, each.cause, shown(each.escalated_at))
        for each in of(events, "escalation.escalated")
    ]
    assert levels == [("n2", "dwell", "09:30"), ("n3", "unanswered", "10:30")]
    pages = [(*p.people, shown(p.due_at)) for p in of(events, "escalation.paged")]
    assert pages == [
        ("bruno", "09:30"),
        ("chloe", "09:45"),
        ("sylvie", "10:00"),
        ("sylvie", "10:15"),
        ("karim", "10:30"),
    ]


def test_the_breach_is_handed_over_once_and_the_manager_told(
    undisturbed: Story,
) -> None:
    timeline = undisturbed.timeline()

    (handover,) = of(timeline["handover"], "handover.requested")
    assert (handover.team, shown(handover.breached_at)) == ("problem", "15:10")
    raised = of(timeline["escalation"], "escalation.raised")
    assert [(each.on, each.people) for each in raised] == [
        ("ttr_warning", ("sylvie",)),
        ("ttr_breach", ("sylvie",)),
    ]


def test_the_user_hears_of_each_visible_change_once_and_then_it_is_closed(
    undisturbed: Story,
) -> None:
    timeline = undisturbed.timeline()

    asked = of(timeline["escalation"], "notification.requested")
    to_user = [each.kind for each in asked if each.person == "roche"]
    assert to_user == ["receipt", "taken", "restored", "resolved"]
    letters = [m for m in undisturbed.inbox.mails if "roche@" in m["to"]]
    assert len(once(undisturbed, letters)) == len(to_user)
    assert all(undisturbed.incident in m["subject"] for m in letters)
    assert timeline["incident"][-1].type == "incident.closed"
    assert timeline["incident"][-1].at == local("07-01 16:20")


def test_what_is_asked_to_leave_leaves_once_and_arrives(undisturbed: Story) -> None:
    events = undisturbed.timeline()["escalation"]

    assert_each_left(events)
    asked = of(events, "notification.requested")
    mails = once(undisturbed, undisturbed.mails())
    posts = {r.headers["webhook-id"] for r in undisturbed.postbox.requests}
    assert len(mails) == sum(e.channel == "mail" for e in asked)
    hooks = {each.key for each in asked if each.channel == "webhook"}
    assert posts == hooks
    assert len(undisturbed.postbox.requests) == len(posts) or has_changed_hands(
        undisturbed
    )


def assert_each_left(events: Sequence[AnyEvent]) -> None:
    """Every key is requested once, then sent once, then confirmed once."""
    for happened in ("requested", "sent", "confirmed"):
        keys = [each.key for each in of(events, f"notification.{happened}")]
        assert Counter(keys) == Counter(set(keys)), f"a key is {happened} twice"
        asked = {each.key for each in of(events, "notification.requested")}
        assert set(keys) == asked
    assert not of(events, "notification.failed")


def test_killed_at_any_moment_they_say_the_same_and_ask_for_nothing_twice(
    undisturbed: Story,
) -> None:
    print(f"\nFAULTS_SEED={SEED}")  # noqa: T201 # to be repeated
    random = Random(SEED)  # noqa: S311 # a game, to be played again
    killer = Killer(random)
    with reachable_folder() as folder, told(folder, killer) as story:
        story.play()
        timeline = story.timeline()
        log = story.desk.log()
        assert_log_is_whole(all_rows(log))
        log.close()
        for name in PROCESSES:
            assert "Traceback" not in story.desk.output(name), name

    print(f"killed: {Counter(killer.killed)}")  # noqa: T201 # likewise
    assert {*PROCESSES, "postgres", "nats"} <= set(killer.killed)
    assert story.steps == undisturbed.steps
    assert plain(timeline) == plain(undisturbed.timeline())
    assert_each_left(timeline["escalation"])
    assert_repeats_say_that_they_are(story, undisturbed)


class Killer:
    """Kills some of the processes a moment after the clock moved; they come back."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._deck: list[str] = []
        self.killed: list[str] = []

    def __call__(self, story: Story) -> None:
        desk = story.desk
        servers = {**desk.services, "postgres": desk.postgres, "nats": desk.nats}
        if len(self._deck) < KILLED_AT_ONCE:  # each once before any comes again
            self._deck = self._random.sample(sorted(servers), len(servers))
        names = [self._deck.pop() for _ in range(KILLED_AT_ONCE)]
        for name in names:
            Event().wait(self._random.uniform(0, 0.3))
            servers[name].kill()
            self.killed.append(name)
        for name in names:
            servers[name].start()
        desk.postgres.wait()
        desk.nats.wait()


def plain(timeline: Timeline) -> dict[str, list[dict[str, Any]]]:
    """Return what happened; what left is put in the order of its keys."""
    found = {}
    for stream, events in timeline.items():
        words = [event.model_dump(exclude=NOT_THE_SAME) for event in events]
        leaving = [w for w in words if w["type"] in LEFT]
        found[stream] = [w for w in words if w["type"] not in LEFT]
        found[f"{stream}, left"] = sorted(leaving, key=lambda w: (w["key"], w["type"]))
    return found


LEFT = {"notification.sent", "notification.confirmed"}


def assert_repeats_say_that_they_are(story: Story, undisturbed: Story) -> None:
    """What came twice came under the name it had: a receiver can tell."""
    mails = {m["message-id"] for m in story.mails()}
    assert mails == {m["message-id"] for m in undisturbed.mails()}
    print(f"again: {len(story.mails()) - len(mails)} mails")  # noqa: T201 # likewise
    posts = {r.headers["webhook-id"] for r in story.postbox.requests}
    assert posts == {r.headers["webhook-id"] for r in undisturbed.postbox.requests}
    bodies = {(r.headers["webhook-id"], r.body) for r in story.postbox.requests}
    assert len(bodies) == len(posts), "a repeat says something else"
