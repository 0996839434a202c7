"""One promise worked through by hand, and by the running services.

A calendar of Paris, Monday to Friday 09:00 to 18:00, closed on Whit Monday 9 June 2025;
TTO in 30 minutes, TTR in 8 hours. Reported on Friday 6 June at 17:30, local time.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from tests.support.desks.lever_walk import desk_until
from tests.support.desks.running import Desk, Setting, running_desk
from tests.support.folders import reachable_folder

pytestmark = pytest.mark.servers

READERS = ("sla_watcher", "closing")
POLICY = """
version: 1
desk:
  team: desk
  timezone: Europe/Paris
  languages: [fr]
  close_after: 9h
  reopen_within: 9h
calendars:
  c:
    timezone: Europe/Paris
    weekly_hours: {mon-fri: ["09:00-18:00"]}
    closed: [2025-06-09]
priorities:
  high: {high: p1, medium: p2, low: p3}
  medium: {high: p2, medium: p3, low: p4}
  low: {high: p3, medium: p4, low: p4}
targets:
  standard:
    tto: {p1: 30m, p2: 30m, p3: 30m, p4: 30m}
    ttr: {p1: 8h, p2: 8h, p3: 8h, p4: 8h, paused_by: [user]}
services:
  web: {name: {fr: Site, en: Site}, criticality: medium, support: [desk]}
  unknown: {name: {fr: Inconnu, en: Unknown}, criticality: low, support: [desk]}
contracts:
  ours: {client: us, from: 2025-01-01, services: [web], calendar: c, targets: standard}
teams:
  desk: {level: n1, members: [nadia], manager: sylvie}
"""


def z(written: str) -> datetime:
    return datetime.fromisoformat(f"2025-06-{written}:00+00:00")


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    with reachable_folder() as folder:
        policy = folder / "c.yaml"
        policy.write_text(POLICY, encoding="utf-8")
        setting = Setting(policy=policy, at=z("06T15:30"))
        services = ("intake", "sla_watcher", "projections")
        with running_desk(folder, start=services, setting=setting) as desk:
            yield desk


def asked(desk: Desk, path: str, **body: Any) -> dict[str, Any]:
    answer = desk.post(path, body) if body else desk.get(path)
    assert answer.is_success, answer.text
    found: dict[str, Any] = answer.json()
    return found


def promise(desk: Desk, ref: str, target: str) -> dict[str, Any]:
    items = asked(desk, f"/v1/incidents/{ref}/sla")["items"]
    (found,) = [item for item in items if item["target"] == target]
    return dict(found)


def instant(promise: dict[str, Any], name: str) -> datetime:
    return datetime.fromisoformat(promise[name])


def warned_at(desk: Desk, ref: str) -> list[datetime]:
    lines = asked(desk, f"/v1/incidents/{ref}/timeline")["items"]
    return [
        datetime.fromisoformat(line["what"]["warned_at"])
        for line in lines
        if line["kind"] == "sla.warned" and line["what"]["target"] == "ttr"
    ]


def reported(desk: Desk, title: str) -> str:
    contact = asked(
        desk, "/v1/contacts", person="zoe", channel="email", service="web", title=title
    )
    desk_until(desk, z("06T15:30"), READERS)
    return str(contact["incident"])


def test_what_was_worked_out_by_hand_is_what_the_services_say(desk: Desk) -> None:
    undisturbed, paused = reported(desk, "One"), reported(desk, "Other")

    for ref in (undisturbed, paused):
        assert instant(promise(desk, ref, "tto"), "due_at") == z("06T16:00")
        assert instant(promise(desk, ref, "ttr"), "due_at") == z("10T14:30")

    desk_until(desk, z("10T08:00"), READERS)
    # At closing time all of TTO was used, and no more: it breaks when work goes on.
    assert instant(promise(desk, paused, "tto"), "breached_at") == z("10T07:00")
    asked(desk, f"/v1/incidents/{paused}/pause", reason="user", question="Which one?")
    said = {"person": "zoe", "channel": "phone", "direction": "outbound"}
    asked(desk, f"/v1/incidents/{paused}/attach", **said)  # nobody sends mail here
    desk_until(desk, z("10T10:00"), READERS)
    assert promise(desk, paused, "ttr")["due_at"] is None
    asked(
        desk,
        f"/v1/incidents/{paused}/attach",
        person="zoe",
        channel="email",
        words="The second",
    )
    desk_until(desk, z("10T12:00"), READERS)

    assert instant(promise(desk, paused, "ttr"), "due_at") == z("11T07:30")
    assert instant(promise(desk, paused, "tto"), "due_at") == z("06T16:00")

    desk_until(desk, z("11T08:00"), READERS)
    assert warned_at(desk, undisturbed) == [z("10T12:30")]
    assert warned_at(desk, paused) == [z("10T14:30")]
    assert instant(promise(desk, undisturbed, "ttr"), "breached_at") == z("10T14:30")
    assert instant(promise(desk, paused, "ttr"), "breached_at") == z("11T07:30")
