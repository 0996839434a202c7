"""Random histories through a real watcher: what the pure rules say, and every end one.

Several drawn scripts are played at once on one desk, their incidents told apart by
their numbers: the log's instants never go back, so one desk can play only one game.
"""

import re
from collections.abc import Sequence
from datetime import timedelta

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from shared.domain.events import IncidentEvent
from shared.domain.identifiers import incident_ref
from shared.domain.sla.clock import ENDED
from tests.property.incidents.test_any_watch import said, watched
from tests.support.builders.incidents_with_escalation import streams
from tests.support.desks.watching import SlaDesk, sla_desk
from tests.support.examples import examples_with_servers
from tests.support.policies import FULL, full
from tests.support.servers.servers import Database
from tests.support.strategies.command_scripts import Step, play, scripts

pytestmark = pytest.mark.servers

A_GAME = settings(examples_with_servers(1), phases=[Phase.generate])
SCRIPTS = 12
APART = 10_000
LATER = timedelta(days=120)


def renumbered(event: IncidentEvent, game: int) -> IncidentEvent:
    """Return the event of a script as one of a game with others."""
    moved = re.sub(
        r"INC-(\d{6})",
        lambda found: incident_ref(int(found[1]) + game * APART),
        event.model_dump_json(),
    )
    return type(event).model_validate_json(moved)


def walked(desk: SlaDesk, log: Sequence[IncidentEvent], seed: int) -> None:
    """Record what happens; the watcher reads now and then, and wakes on time."""
    for n, event in enumerate(log):
        if (n * seed) % 3:
            desk.walk(max(desk.now, event.at))
        desk.now = event.at
        desk.happens(event)
    desk.walk(desk.now + LATER)


@A_GAME
@given(st.lists(scripts(), min_size=SCRIPTS, max_size=SCRIPTS), st.integers(0, 9))
def test_a_real_watcher_says_of_any_history_what_the_pure_rules_say(
    database: Database, games: list[list[Step]], seed: int
) -> None:
    log = [
        renumbered(event, number)
        for number, script in enumerate(games)
        for event in play(script).log
    ]
    log.sort(key=lambda event: event.at)
    histories = streams(log)
    with sla_desk(database, log[0].at, FULL) as desk:
        walked(desk, log, seed)
        found = {ref: desk.said(int(ref[4:])) for ref in histories}
        assert desk.ask("SELECT count(*) FROM sla.parked") == [(0,)]
        assert desk.worker.stuck_total == 0

    for ref, entries in histories.items():
        pure = watched(ref, entries, full(), late=True)
        pure.reach(log[-1].at + LATER, log[-1].at + LATER)
        assert [(version, words) for version, _, words in found[ref]] == said(pure)
        assert pure.case is not None
        for clock in pure.case.clocks:
            over = pure.case.resolved_at or pure.case.gone
            assert clock.state in ENDED or not over, clock
