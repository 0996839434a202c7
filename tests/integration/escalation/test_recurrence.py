"""A row of incidents of one kind suggests a problem once, however the log is read."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from services.escalation.notifications.outbox import Waiting
from services.escalation.notifications.recall import MessageContext, recall
from services.escalation.notifications.staff_notices import (
    SOLUTION_CHARACTERS_MAX,
    for_staff,
)
from shared.domain.events.incident import IncidentCancelled, IncidentSolutionNoted
from shared.domain.events.incident_ties import IncidentLinked
from shared.domain.identifiers import escalation_stream, incident_ref
from shared.eventlog.log import EventLog
from shared.eventlog.policies import PolicyVersions
from shared.i18n.staff_notices import Suggestion
from tests.support.builders.promises import local
from tests.support.desks.escalating import HelpingDesk, helping_desk
from tests.support.desks.watching import happened, opened
from tests.support.servers.servers import Database

pytestmark = pytest.mark.servers

DAY = timedelta(days=1)
START = local("02 11:00")
VPN = {"service": "vpn", "title": "vpn: tunnel 3 is down", "source": "zabbix"}


@pytest.fixture
def desk(database: Database) -> Iterator[HelpingDesk]:
    with helping_desk(database, START) as desk:
        yield desk


def down(desk: HelpingDesk, number: int, days: int, **words: Any) -> None:
    """An incident of the tunnel, so many days after the first."""
    desk.sla.now = START + days * DAY
    desk.sla.happens(opened(number, desk.sla.now, **(VPN | words)))


def rows(desk: HelpingDesk, *numbers: int) -> list[list[int]]:
    """Return which incidents were named where a problem was suggested."""
    found = []
    for number in numbers:
        for entry in desk.log.history(escalation_stream(incident_ref(number))):
            if entry.type == "escalation.problem_suggested":
                refs = getattr(entry.event, "incidents", ())
                found.append([int(ref.removeprefix("INC-")) for ref in refs])
    return found


@pytest.mark.parametrize("batch", [1, 2, 200])
def test_the_third_suggests_and_the_next_begin_a_row_of_their_own(
    desk: HelpingDesk, batch: int
) -> None:
    for number in range(1, 8):
        down(desk, number, number)
    desk.read(batch=batch)

    assert rows(desk, *range(1, 8)) == [[1, 2, 3], [4, 5, 6]]


def test_a_memory_made_anew_suggests_nothing_twice(desk: HelpingDesk) -> None:
    for number in range(1, 5):
        down(desk, number, number)
    desk.read()
    desk.forget()
    desk.read(batch=2)

    assert rows(desk, 1, 2, 3, 4) == [[1, 2, 3]]
    down(desk, 5, 5)
    down(desk, 6, 6)
    desk.read()
    assert rows(desk, 5, 6) == [[4, 5, 6]]


def test_what_is_older_than_the_window_counts_no_more(desk: HelpingDesk) -> None:
    for number, days in ((1, 0), (2, 29), (3, 31)):
        down(desk, number, days)
    desk.read()

    assert rows(desk, 1, 2, 3) == []


def test_neither_does_what_was_none_or_has_its_problem_or_is_of_another_kind(
    desk: HelpingDesk,
) -> None:
    down(desk, 1, 0)
    desk.sla.happens(
        happened(IncidentCancelled, 1, desk.sla.now, reason="not_an_incident", cycle=1)
    )
    down(desk, 2, 1)
    desk.sla.happens(
        happened(
            IncidentLinked, 2, desk.sla.now, target="PRB-000001", relation="problem"
        )
    )
    down(desk, 3, 2)
    down(desk, 4, 3, service="paie")
    down(desk, 5, 4)
    desk.read()
    assert rows(desk, 1, 2, 3, 4, 5) == []

    down(desk, 6, 5)
    desk.read()
    assert rows(desk, 6) == [[3, 5, 6]]


def suggestion(log: EventLog, number: int) -> Suggestion:
    """Return what Problem Management is told of the row this incident completed."""
    ref = incident_ref(number)
    tip = next(
        entry
        for entry in log.history(escalation_stream(ref))
        if entry.type == "escalation.problem_suggested"
    )
    waiting = Waiting(
        f"{ref}/1",
        log.head().position,
        ref,
        1,
        "suggestion",
        "mail",
        "helene",
        tip.stream,
        tip.version,
        tip.recorded_at,
        sent=False,
        attempts=0,
    )
    with log.transaction() as cursor:
        context = MessageContext.of(log, cursor, [waiting])
        of = recall(context, waiting, PolicyVersions(log)(1))
    notice = for_staff(of, "en", "")
    assert isinstance(notice, Suggestion)
    return notice


def test_the_suggestion_tells_how_incidents_of_the_row_were_solved(
    desk: HelpingDesk,
) -> None:
    notes = {1: "Call the provider", 2: "Restart it\n" * 100, 4: "Another row"}
    for number in range(1, 5):
        down(desk, number, number)
        if note := notes.get(number):
            words = {"service": "vpn", "note": note, "whose": "person:amina"}
            desk.sla.happens(
                happened(IncidentSolutionNoted, number, desk.sla.now, **words)
            )
    desk.read()

    second, first = suggestion(desk.log, 3).solutions.splitlines()

    assert first == "INC-000001: Call the provider"
    assert second.startswith("INC-000002: Restart it Restart it")
    assert len(second) <= len("INC-000002: ") + SOLUTION_CHARACTERS_MAX
