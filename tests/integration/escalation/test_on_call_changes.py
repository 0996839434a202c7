"""A page goes to whom an override puts on call, whenever the page is decided."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from psycopg import Cursor

from services.escalation.process import casework
from services.escalation.round_robin.rules import Turn
from services.escalation.rules.context import EscalationContext
from shared.domain.events.escalation import EscalationPaged
from shared.domain.events.incident import IncidentAcknowledged
from shared.domain.events.on_call import OverrideAdded, OverrideWithdrawn
from shared.domain.identifiers import escalation_stream, incident_ref, on_call_stream
from shared.eventlog.log import EventLog
from shared.eventlog.policies import PolicyVersions
from tests.support.builders.promises import FILE, local
from tests.support.desks.escalating import HelpingDesk, helping_desk
from tests.support.desks.watching import opened
from tests.support.patience import until
from tests.support.servers.servers import Database

pytestmark = pytest.mark.servers

STREAM = on_call_stream("astreinte")


@pytest.fixture
def desk(database: Database) -> Iterator[HelpingDesk]:
    with helping_desk(database, "09:00") as desk:
        yield desk


def changed(desk: HelpingDesk, change: type[Any], /, **given: Any) -> None:
    """Record a change of the schedule now, as intake does."""
    event = change(
        at=desk.sla.now,
        by="person:amina",
        schedule="astreinte",
        override="astreinte.1",
        **given,
    )
    dsn = desk.sla.database.dsn("desk_intake")
    with closing(EventLog.open(dsn, clock=desk.sla.clock, pool_size=1)) as log:
        log.record(STREAM, log.head_version(STREAM), [event])


def opens(desk: HelpingDesk, number: int) -> None:
    desk.sla.happens(opened(number, desk.sla.now, priority="p1"))


def first_page(desk: HelpingDesk, number: int) -> tuple[str, ...]:
    """Let escalation decide, and return whom it pages first."""
    desk.worker.wake()
    desk.read()
    history = desk.log.history(escalation_stream(incident_ref(number)))
    found = (each.event for each in history)
    return next(each.people for each in found if isinstance(each, EscalationPaged))


def holding(steps: str = "[{after: 0m, page: {who: on_call}}]") -> str:
    """Return the policy of Valmont: steps wait, and nobody is on call before ten."""
    text = FILE.read_text(encoding="utf-8")
    start = '{type: weekly, shift_length: 1, start: "2025-06-02T09:00", participants: '
    turns = f"{start}[amina, bruno, chloe]}}"
    by_day = f"layers: [{{hours: {{mon-fri: ['10:00-18:00']}}, rotation: {turns}}}]"
    policies = f"  policies: {{own: {{when_nobody: hold, steps: {steps}}}}}"
    for before, after in (
        ("schedule: astreinte}", "schedule: astreinte, escalation: own}"),
        ("  hierarchical:", f"{policies}\n  hierarchical:"),
        (f"rotation: {turns}", by_day),
    ):
        assert text.count(before) == 1, before
        text = text.replace(before, after)
    return text


def test_an_override_that_fills_a_gap_has_a_page_sent_that_waited(
    database: Database,
) -> None:
    with helping_desk(database, "09:00", holding()) as desk:
        desk.sla.happens(opened(1, desk.sla.now))
        desk.walk(local("09:30"))
        fills = {"kind": "add", "add": "amina", "end": local("12:00")}
        changed(desk, OverrideAdded, start=desk.sla.now, **fills)
        desk.read()

        assert first_page(desk, 1) == ("amina",)


def test_a_waiting_page_of_an_accepted_incident_is_sent_once_somebody_is_on_call(
    database: Database,
) -> None:
    """A step without `unless` pages although somebody has the incident."""
    both = "[{after: 0m, page: {person: bruno}}, {after: 15m, page: {who: on_call}}]"
    with helping_desk(database, "09:00", holding(both)) as desk:
        desk.sla.happens(opened(1, desk.sla.now))
        desk.walk(local("09:30"))
        took = {"incident": incident_ref(1), "policy": 1}
        desk.sla.happens(
            IncidentAcknowledged(at=desk.sla.now, by="person:bruno", **took)
        )
        desk.read()
        desk.worker.wake()
        desk.walk(local("09:50"))
        fills = {"kind": "add", "add": "amina", "end": local("12:00")}
        changed(desk, OverrideAdded, start=desk.sla.now, **fills)
        desk.read()
        desk.worker.wake()

        history = desk.log.history(escalation_stream(incident_ref(1)))
        types = [each.type for each in history]
        pages = [e.event for e in history if isinstance(e.event, EscalationPaged)]
    assert "escalation.accepted" in types
    assert [each.people for each in pages] == [("bruno",), ("amina",)]


def test_a_flood_of_incidents_alarms_the_manager_of_somebody_once(
    desk: HelpingDesk,
) -> None:
    """Nobody has verified a contact method: both are paged in one transaction."""
    for number in (1, 2):
        opens(desk, number)
    desk.sla.now = local("10:00")
    desk.read()
    desk.worker.wake()

    people = desk.sla.ask(
        "SELECT event ->> 'person' FROM log.readable "
        "WHERE type = 'escalation.unreachable'"
    )
    assert sorted(people) == [("bruno",), ("chloe",), ("sylvie",)]


def by_turns() -> str:
    """Return the policy of Valmont: the first step pages its members by turns."""
    text, step = FILE.read_text(encoding="utf-8"), "{after: 0m,  page: {who: on_call}}"
    assert text.count(step) == 1
    return text.replace(step, "{after: 0m, page: {who: members, round_robin: true}}")


def test_escalations_of_one_transaction_and_later_ones_page_the_next_each(
    database: Database,
) -> None:
    with helping_desk(database, "09:00", by_turns()) as desk:
        for number in (1, 2):
            opens(desk, number)
        desk.sla.now = local("10:00")
        desk.read()
        first = sorted([*first_page(desk, 1), *first_page(desk, 2)])
        opens(desk, 3)
        desk.sla.now = local("11:00")
        desk.read()

        assert first == ["amina", "bruno"]
        assert first_page(desk, 3) == ("chloe",)
        found = desk.sla.ask("SELECT target, number, person FROM escalation.turns")
        assert found == [("team/support/members", 3, "chloe")]


def paged_by_turns(team: str, number: int) -> EscalationPaged:
    """Return a page of the members of a team by turns."""
    return EscalationPaged(
        at=local("09:00"),
        by="system:escalation",
        incident=incident_ref(number),
        policy=1,
        cycle=1,
        level="n2",
        step=0,
        loop=1,
        key=f"k-{number}",
        team=team,
        who="members",
        people=("amina",),
        turn=1,
        due_at=local("09:00"),
    )


@dataclass
class Decider:
    """A process that decides about pages by turns, in a transaction."""

    log: EventLog
    cursor: Cursor[Any] | None = None

    def runs(self, work: Callable[[EscalationContext], object]) -> None:
        """Do some work in a transaction of its own."""
        rules = casework(self.log, PolicyVersions(self.log), webhook=False)
        with self.log.transaction() as self.cursor:
            work(rules.known(self.cursor, []))


@contextmanager
def meanwhile(
    desk: HelpingDesk, work: Callable[[EscalationContext], object]
) -> Iterator[None]:
    """Let another process do some work, and go on once it waits or is done."""
    other = Decider(desk.log)

    def is_waiting() -> bool:
        pid = other.cursor and other.cursor.connection.info.backend_pid
        waits = desk.sla.ask("SELECT pid FROM pg_locks WHERE NOT granted")
        return (pid,) in waits

    with ThreadPoolExecutor(1) as threads:
        done = threads.submit(other.runs, work)
        until(lambda: done.done() or is_waiting(), "the other waits, or is done")
        yield
        done.result()


def test_of_two_escalations_at_one_instant_the_second_waits_for_the_turn_of_the_first(
    desk: HelpingDesk,
) -> None:
    found: list[Turn | None] = []

    def takes_a_turn(known: EscalationContext) -> None:
        found.append(known.last_turn("team/support/members"))

    with ExitStack() as other:

        def both(known: EscalationContext) -> None:
            assert known.last_turn("team/support/members") is None
            other.enter_context(meanwhile(desk, takes_a_turn))
            known.note(paged_by_turns("support", 1))

        Decider(desk.log).runs(both)
    assert found == [Turn(1, "amina")]


def test_escalations_that_page_two_targets_in_different_orders_do_not_block_each_other(
    desk: HelpingDesk,
) -> None:
    def pages(first: str, then: str) -> Callable[[EscalationContext], None]:
        def work(known: EscalationContext) -> None:
            known.note(paged_by_turns(first, 1))
            known.note(paged_by_turns(then, 1))

        return work

    with ExitStack() as other:

        def both(known: EscalationContext) -> None:
            known.note(paged_by_turns("support", 2))
            other.enter_context(meanwhile(desk, pages("etudes", "support")))
            known.note(paged_by_turns("etudes", 2))

        Decider(desk.log).runs(both)
    found = desk.sla.ask("SELECT target FROM escalation.turns ORDER BY target")
    assert found == [("team/etudes/members",), ("team/support/members",)]


def test_an_override_counts_for_the_next_page_and_not_after_it_was_withdrawn(
    desk: HelpingDesk,
) -> None:
    takes_over = {"kind": "replace", "add": "amina", "remove": "bruno"}
    period = {"start": desk.sla.now, "end": local("07-03 09:00")}
    changed(desk, OverrideAdded, **takes_over, **period)
    opens(desk, 1)
    desk.walk(local("10:00"))
    before = first_page(desk, 1)

    changed(desk, OverrideWithdrawn)
    opens(desk, 2)
    desk.walk(local("11:00"))

    assert (before, first_page(desk, 2)) == (("amina",), ("bruno",))
