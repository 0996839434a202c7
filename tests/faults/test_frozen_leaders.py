"""A frozen leader holds up nobody: its twin takes over, and what thaws is fenced.

The short form is part of `make test`; `make faults` freezes them many times.
"""

import os
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from time import monotonic
from typing import Any

import pytest

from shared.domain.events import AnyEvent
from tests.support.builders.promises import local
from tests.support.desks.notifying import CallingDesk, calling_desk
from tests.support.desks.running import SERVICES, TWIN, other
from tests.support.folders import reachable_folder
from tests.support.patience import SECONDS, until

pytestmark = pytest.mark.servers

ROUNDS = 12 if os.environ.get("FAULTS") == "long" else 2
_BREACHES = """
SELECT count(*) FROM log.events
WHERE originator_id = 'sla-' || %s AND topic = 'sla.breached'
    AND convert_from(state, 'UTF8')::jsonb ->> 'target' = 'tto'
"""
BOTH = (*SERVICES, f"escalation{TWIN}")


@pytest.fixture
def desk() -> Iterator[CallingDesk]:
    with reachable_folder() as folder, calling_desk(folder, start=BOTH) as running:
        yield running


def told(desk: CallingDesk, incidents: list[str]) -> list[AnyEvent]:
    return [event for incident in incidents for event in desk.said(incident)]


def keys(events: list[AnyEvent], kind: str) -> Counter[str]:
    return Counter(getattr(e, "key", "") for e in events if e.type == kind)


def assert_each_is_told_once(desk: CallingDesk, incidents: list[str]) -> None:
    """Everything requested has left under its one key, and is recorded once."""
    events = told(desk, incidents)
    requested = keys(events, "notification.requested")
    assert requested
    assert set(requested.values()) == {1}
    assert keys(events, "notification.sent") == requested
    assert keys(events, "notification.confirmed") == requested
    posted = {post.headers["idempotency-key"] for post in desk.postbox.requests}
    mailed = {str(mail["Message-ID"]) for mail in desk.letters}
    # A repeat has the same key: as many different ones as were requested.
    assert len(posted) + len(mailed) == len(requested)


def test_pages_and_mail_go_on_whoever_is_frozen(desk: CallingDesk) -> None:
    incidents: list[str] = []
    for _ in range(ROUNDS):
        frozen = desk.desk.leader("escalation", "outbox")
        desk.desk.services[frozen].freeze()
        began = monotonic()
        letter, paged = desk.open(), desk.open(reporter="petit")
        incidents += [letter, paged]
        desk.post(f"/v1/incidents/{paged}/escalate", {"reason": "personne ici"})
        for incident in (letter, paged):
            until(
                lambda seen=incident: desk.count(seen, "notification.confirmed") > 0,  # type: ignore[misc] # mypy knows no default of a lambda
                "the twin sends",
            )
        print(f"\nthe twin sent after {monotonic() - began:.1f} s")  # noqa: T201 # to be noted
        assert desk.desk.leader("escalation", "outbox") == other(frozen)
        desk.desk.services[frozen].thaw()
    desk.until_quiet()
    desk.desk.wait_ready(BOTH)

    assert_each_is_told_once(desk, incidents)
    for name in ("escalation", f"escalation{TWIN}"):
        assert "Traceback" not in desk.desk.output(name)


def test_what_was_being_handed_over_leaves_again_under_its_key(
    desk: CallingDesk,
) -> None:
    desk.inbox.hang = True
    incident = desk.open()
    desk.until_said(incident, "notification.sent")
    frozen = desk.desk.leader("escalation", "outbox")
    desk.desk.services[frozen].freeze()
    desk.inbox.hang = False
    until(
        lambda: desk.count(incident, "notification.confirmed") == 1,
        "the twin hands it over",
    )
    desk.desk.services[frozen].thaw()
    later = desk.open()
    until(
        lambda: desk.count(later, "notification.confirmed") == 1,
        "the next leaves too",
    )
    desk.until_quiet()

    assert_each_is_told_once(desk, [incident, later])


def test_promises_are_watched_whoever_is_frozen() -> None:
    """Nobody leads here: any number may decide what is due, each thing once."""
    both = (*SERVICES, f"sla_watcher{TWIN}")
    with reachable_folder() as folder, calling_desk(folder, start=both) as desk:
        rounds = {
            "sla_watcher": local("09:50"),
            f"sla_watcher{TWIN}": local("10:30"),
        }
        breaches = [breach_while_frozen(desk, *each) for each in rounds.items()]
        desk.desk.wait_ready(both)
        times = [desk.sql(_BREACHES, incident) for incident in breaches]

    assert times == [[(1,)], [(1,)]]


def breach_while_frozen(desk: CallingDesk, name: str, later: datetime) -> str:
    """Freeze a watcher until the other notices a breach; return of which incident."""
    desk.desk.services[name].freeze()
    incident = desk.open()
    desk.desk.move_to(later)
    until(
        lambda: desk.sql(_BREACHES, incident) != [(0,)],
        f"a breach is noticed without {name}",
    )
    desk.desk.services[name].thaw()
    return incident


def standing_by(desk: CallingDesk) -> tuple[str, dict[str, Any]]:
    """Return a process of escalation that does not send, and what its outbox says.

    On a busy machine the lease may change hands between two questions.
    """
    found: list[tuple[str, dict[str, Any]]] = []

    def stands_by() -> bool:
        name = other(desk.desk.leader("escalation", "outbox"))
        said = desk.desk.checks(name).get("outbox", {})
        found[:] = [(name, said)]
        pid = desk.desk.services[other(name)].pid
        return said.get("leads") == 0 and f":{pid}/" in str(said.get("holder"))

    until(stands_by, lambda: f"one leads, and the other says so: {found}")
    return found[0]


def test_a_standby_says_who_sends_and_what_waits(desk: CallingDesk) -> None:
    standby, outbox = standing_by(desk)
    pid = desk.desk.services[other(standby)].pid
    assert f":{pid}/" in outbox["holder"]
    assert outbox["ready"]
    assert outbox["renewed_seconds"] < SECONDS

    # Neither may take the lease: nobody sends, and both say so.
    desk.sql("REVOKE UPDATE ON escalation.leases FROM desk_escalation")
    desk.sql(
        "REVOKE UPDATE (fence, holder, renewed_at, expires_at) ON escalation.leases"
        " FROM desk_escalation"
    )
    desk.sql(
        "UPDATE escalation.leases SET fence = fence + 1, holder = 'a machine far away',"
        " expires_at = clock_timestamp() + interval '4.5 s'"
    )
    desk.open()
    overdue = desk.desk.check(
        standby, "outbox", lambda said: "no process has sent any" in said.get("why", "")
    )
    desk.sql("GRANT UPDATE ON escalation.leases TO desk_escalation")
    desk.desk.wait_ready(BOTH)

    assert not overdue["ready"]
    assert overdue["holder"] == "nobody; until now a machine far away"
    assert overdue["waiting"] >= 1
    assert overdue["free_seconds"] > 10
