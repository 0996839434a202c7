"""Live promises move to another policy through the running desk, killed in between."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from threading import Thread
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from cli.app import command_line
from services.intake.policy import store as policy_store
from services.intake.policy.store import Applied, Signature
from tests.support.builders.promises import FILE, local
from tests.support.desks.notifying import CallingDesk, calling_desk
from tests.support.desks.running import SERVICES, TWIN
from tests.support.folders import reachable_folder
from tests.support.patience import until

pytestmark = pytest.mark.servers

WATCHERS = ("sla_watcher", f"sla_watcher{TWIN}")
MANY = 60
DOOR = "/v1/sla/moves/july"
WHY = {"to": 2, "reason": "Avenant de juillet"}


@pytest.fixture
def desk() -> Iterator[CallingDesk]:
    start = (*SERVICES, WATCHERS[1])
    with reachable_folder() as folder, calling_desk(folder, start=start) as running:
        yield running


def another_policy(desk: CallingDesk) -> None:
    """Apply version 2: what is P2 is to be resolved within five hours."""
    text = FILE.read_text(encoding="utf-8").replace("p2: 6h", "p2: 5h")
    log = desk.desk.log()
    try:
        signed = Signature(by="root", reason="July")
        done = policy_store.apply(log, text, signed, local("09:50"), "test")
        assert isinstance(done, Applied), done
    finally:
        log.close()


def reported(desk: CallingDesk, many: int) -> list[str]:
    refs = [desk.open() for _ in range(many)]
    desk.desk.move_to(local("09:50"))
    armed = "SELECT count(*) FROM log.events WHERE topic = 'sla.armed'"
    until(lambda: desk.sql(armed)[0][0] >= 3 * many, "all promises")
    desk.until_quiet()  # a page that is sent again says only what it moved itself
    another_policy(desk)
    return refs


def happened(desk: CallingDesk) -> Counter[str]:
    rows = desk.sql(
        "SELECT stream || ' ' || type || ' ' || coalesce(event ->> 'target', '')"
        " FROM log.readable WHERE type IN ('promises.moved', 'sla.retargeted')"
    )
    return Counter(row for (row,) in rows)


def moved(desk: CallingDesk) -> int:
    return sum("promises.moved" in row for row in happened(desk))


def ttr(desk: CallingDesk, ref: str) -> dict[str, Any]:
    promises = desk.get(f"/v1/incidents/{ref}/sla")["items"]
    (found,) = [each for each in promises if each["target"] == "ttr"]
    return dict(found)


def all_pages(ask: Callable[..., httpx.Response]) -> None:
    after: dict[str, Any] = {}
    while True:
        page = ask(DOOR, WHY | {"limit": 7} | after, who="sylvie")
        if not page.is_success or page.json()["next_after"] is None:
            return
        after = {"after": page.json()["next_after"]}


def test_killed_in_the_middle_it_goes_on_and_moves_each_once(desk: CallingDesk) -> None:
    refs = reported(desk, MANY)
    page = desk.post(DOOR, WHY | {"limit": 7}, who="sylvie").json()
    assert [each["incident"] for each in page["items"]] == refs[:7]
    assert page["next_after"] == refs[6]
    seen = desk.get(DOOR)
    assert (seen["moved"], seen["left"], seen["to"]) == (7, MANY - 7, 2)

    running = Thread(target=all_pages, args=(desk.ask_once,))
    running.start()
    until(lambda: moved(desk) > 10, "some more")
    for name in WATCHERS:
        desk.desk.services[name].kill()
    running.join()
    for name in WATCHERS:
        desk.desk.services[name].start()
    desk.desk.wait_ready(WATCHERS)
    all_pages(desk.post)
    all_pages(desk.post)

    told = happened(desk)
    assert set(told.values()) == {1}
    assert sum("promises.moved" in row for row in told) == MANY
    assert sum("sla.retargeted ttr" in row for row in told) == MANY
    seen = desk.get(DOOR)
    assert (seen["moved"], seen["left"]) == (MANY, 0)
    assert (seen["by"], seen["reason"]) == ("person:sylvie", WHY["reason"])
    promise = ttr(desk, refs[-1])
    assert (promise["due_at"], promise["policy"]) == ("2025-06-30T12:10:00Z", 2)


def test_the_preview_says_what_the_move_then_does(desk: CallingDesk) -> None:
    refs = reported(desk, 3)
    desk.post(f"/v1/incidents/{refs[0]}/resolve")
    asked = "/v1/sla/preview-move?to=2&limit=1&service=paie"
    until(
        lambda: [each["incident"] for each in desk.get(asked)["items"]] == [refs[1]],
        "the watcher has read that it is resolved",
    )

    first = desk.get(asked)
    second = desk.get(f"{asked}&after={first['next_after']}")
    assert moved(desk) == 0
    desk.post("/v1/sla/moves/paie", WHY | {"service": "paie"}, who="sylvie")

    shown = [*first["items"], *second["items"]]
    assert [each["incident"] for each in shown] == refs[1:]
    told = {each["target"]: each for each in shown[0]["promises"]}
    assert (told["ttr"]["was_seconds"], told["ttr"]["seconds"]) == (21_600, 18_000)
    assert told["ttr"]["was_due_at"] == "2025-06-30T13:10:00Z"
    assert told["ttr"]["due_at"] == ttr(desk, refs[1])["due_at"]
    assert not told["ttr"]["breached_at_once"]
    assert told["update"]["change"] == "kept"
    timeline = f"/v1/incidents/{refs[1]}/timeline?limit=500"
    until(
        lambda: any(
            each["kind"] == "promises.moved"
            and "from version 1 of the policy to 2" in each["sentence"]
            for each in desk.get(timeline)["items"]
        ),
        "the move in the timeline",
    )


def test_who_may_not_and_what_is_not_there_is_said(desk: CallingDesk) -> None:
    reported(desk, 1)
    manager = {"who": "sylvie"}
    for body, who, status, words in (
        (WHY, {"who": "agent"}, 403, "desk-manager"),
        (WHY | {"to": 9}, manager, 422, "no version 9"),
        ({"to": 2}, manager, 422, "reason"),
        (WHY | {"operation": "june"}, manager, 422, "path says"),
    ):
        no = desk.ask(DOOR, body, **who)
        assert (no.status_code, words in no.text) == (status, True), no.text
    nothing = desk.ask("/v1/sla/moves/june", WHY, who="agent")
    assert nothing.status_code == 403
    assert moved(desk) == 0
    desk.post(DOOR, WHY, **manager)
    other = desk.ask(DOOR, WHY | {"service": "vpn"}, **manager)
    assert (other.status_code, "other incidents" in other.text) == (422, True)
    codes = desk.sql("SELECT code FROM sla.refusals ORDER BY refusal_id")
    assert [code for (code,) in codes] == ["role", "invalid", "role", "invalid"]


def test_the_command_line_shows_it_then_does_it(desk: CallingDesk) -> None:
    refs = reported(desk, 3)
    whole = ["--api", desk.desk.api_url, "--token", desk.desk.tokens["manager"]]

    def says(*words: str, code: int = 0) -> str:
        wide = {"COLUMNS": "160"}
        done = CliRunner().invoke(command_line(), ["sla", *words, *whole], env=wide)
        assert done.exit_code == code, done.output
        return done.output

    shown = says("move", "--to", "2", "--preview", "--limit", "2")
    assert "3 incidents would be moved to version 2; 0 promises broken" in shown
    assert "6h00 → 5h00" in shown
    assert "--reason" in says("move", "--to", "2", code=2)
    told = json.loads(
        says("move", "--to", "2", "--reason", "July", "--limit", "2", "--json")
    )
    assert [each["incident"] for each in told["items"]] == refs
    assert told["operation"] == "to-2"
    assert "3 incidents moved to version 2, 0 left" in says("moved", "to-2")
    assert "nothing was moved" in says("moved", "no-such", code=2)
