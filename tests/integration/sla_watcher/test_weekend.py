"""Watchers that slept over a weekend say what they would have said awake."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

from shared.domain.events.sla import SlaBreached
from shared.domain.identifiers import about
from tests.support.builders.promises import FILE
from tests.support.desks.lever_walk import desk_until
from tests.support.desks.running import TWIN, Desk, Setting, running_desk
from tests.support.faults.verdict import all_rows, assert_log_is_whole
from tests.support.folders import reachable_folder
from tests.support.patience import SECONDS, answered

pytestmark = pytest.mark.servers

PARIS = ZoneInfo("Europe/Paris")
WATCHERS = ("sla_watcher", f"sla_watcher{TWIN}")
READERS = ("sla_watcher",)
Move = Callable[[Desk, datetime], None]
Said = dict[str, list[dict[str, Any]]]
Seen = dict[datetime, datetime]
SECOND = timedelta(seconds=1)


def paris(written: str) -> datetime:
    return datetime.fromisoformat(written).replace(tzinfo=PARIS).astimezone(UTC)


def signal(desk: Desk, week: str, service: str, severity: str, action: str) -> None:
    event = {
        "dedup_key": f"{service} {week}",
        "action": action,
        "title": service,
        "severity": severity,
        "service": service,
    }
    url, headers = f"{desk.intake_url}/v1/events", desk.bearer("source")
    answer = answered(
        lambda: httpx.post(url, json=event, headers=headers, timeout=SECONDS)
    )
    assert answer.status_code == 202, answer.text


def a_weekend(desk: Desk, friday: str, sunday: str, monday: str, move: Move) -> None:
    """Troubles on Friday evening, one is over on Saturday, one more comes on Sunday."""
    desk_until(desk, paris(f"{friday}T17:00"), READERS)
    signal(desk, friday, "portail", "critical", "trigger")
    desk_until(desk, paris(f"{friday}T17:40"), READERS)
    signal(desk, friday, "paie", "warning", "trigger")
    signal(desk, friday, "messagerie", "error", "trigger")
    if move is asleep:
        for name in WATCHERS:
            desk.services[name].stop()
    move(desk, paris(f"{friday}T21:30"))
    signal(desk, friday, "portail", "critical", "resolve")
    move(desk, paris(f"{sunday}T00:30"))
    signal(desk, friday, "entrepots", "critical", "trigger")
    move(desk, paris(f"{monday}T12:00"))
    if move is asleep:
        for name in WATCHERS:
            desk.services[name].start()
        desk.wait_ready(WATCHERS)
    desk_until(desk, paris(f"{monday}T12:01"), READERS)


def awake(desk: Desk, instant: datetime) -> None:
    desk_until(desk, instant, READERS)


def asleep(desk: Desk, instant: datetime) -> None:
    desk.move_to(instant)


def watched(folder: Path, move: Move) -> tuple[Said, Seen]:
    """Return what is said about promises but for `at`, and when breaches are seen."""
    setting = Setting(policy=FILE, at=paris("2025-06-27T16:00"))
    with running_desk(folder, start=("intake", *WATCHERS), setting=setting) as desk:
        a_weekend(desk, "2025-06-27", "2025-06-29", "2025-06-30", move)
        a_weekend(desk, "2025-10-24", "2025-10-26", "2025-10-27", move)
        for name in WATCHERS:
            assert "Traceback" not in desk.output(name)
        log = desk.log()
        rows = all_rows(log)
        entries = [log.entry(row) for row in rows]
        log.close()
    assert_log_is_whole(rows)
    said: Said = {}
    seen: Seen = {}
    for entry in entries:
        if entry.type.startswith("sla."):
            words = entry.event.model_dump(exclude={"at", "incident"})
            said.setdefault(about(entry.stream) or "", []).append(words)
        if isinstance(entry.event, SlaBreached):
            seen[entry.event.breached_at] = entry.event.at
    return said, seen


def test_a_watcher_that_slept_says_what_one_awake_said() -> None:
    with reachable_folder() as folder:
        said, seen = watched(folder, awake)
    with reachable_folder() as folder:
        said_late, seen_late = watched(folder, asleep)

    assert said_late == said
    night = paris("2025-06-27T17:15"), paris("2025-06-27T21:00")  # 24x7
    assert [seen[breach] for breach in night] == [at + SECOND for at in night]
    assert seen_late[night[1]] == paris("2025-06-30T12:00")
    autumn = paris("2025-10-26T03:30")  # four hours after half past midnight
    assert seen[autumn] == autumn + SECOND
    assert seen_late[autumn] == paris("2025-10-27T12:00")
