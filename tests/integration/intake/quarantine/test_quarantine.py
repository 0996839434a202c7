"""What waits in quarantine is listed, tried again after a mending, or discarded."""

import asyncio
import json
from datetime import datetime, timedelta
from typing import Any

import httpx
import psycopg
import pytest

from services.intake.assembly import Parts
from services.intake.partitions import expire_quarantine
from services.intake.quarantine.retry import QuarantineRetry
from shared.eventlog.log import EventLog
from tests.integration.intake.conftest import NOW
from tests.integration.intake.signals.mapped_desk import BAD, MENDED, MappedDesk

pytestmark = pytest.mark.servers

LATER = timedelta(hours=2)


def test_what_cannot_be_mapped_is_listed_with_its_reason(desk: MappedDesk) -> None:
    assert desk.post([{**BAD, "up": False}, BAD]) == ["opened", "quarantined"]

    (one,) = desk.listed()

    assert (one["source"], one["adapter"], one["element"]) == ("demo", "mapped", 1)
    assert (one["state"], one["tries"]) == ("waiting", 0)
    assert one["reason"].startswith("action: `values` does not list it")


def test_a_mended_mapping_takes_the_one_element_and_says_what_became_of_it(
    desk: MappedDesk,
) -> None:
    desk.post([{**BAD, "point": "d1", "up": False}, BAD])
    (one,) = desk.listed()
    desk.map(MENDED)
    desk.now = NOW + LATER

    tried = desk.retry(one["id"])

    assert tried["state"] == "released"
    (became,) = tried["results"]
    assert became["status"] == "opened"
    assert became["incident"]
    assert became["position"]
    assert desk.listed() == []
    assert len(desk.opened()) == 2
    assert desk.opened()[-1].received_at == NOW, "when it came, not when it was tried"


def test_what_can_still_not_be_mapped_stays_with_a_fresh_reason(
    desk: MappedDesk,
) -> None:
    desk.post(BAD)
    (one,) = desk.listed()
    desk.map("{title: wording, action: {default: trigger}}")

    assert desk.retry(one["id"])["state"] == "waiting"
    tried = desk.retry(one["id"])

    (still,) = desk.listed()
    assert tried["reason"] == still["reason"] == "title: there is nothing at this place"
    assert still["tries"] == 2


def test_a_second_try_changes_nothing(desk: MappedDesk) -> None:
    desk.post(BAD)
    (one,) = desk.listed()
    desk.map(MENDED)

    assert desk.retry(one["id"])["state"] == "released"
    before = desk.log.head()
    assert desk.retry(one["id"]) == {
        "id": one["id"],
        "state": "released",
        "reason": None,
        "results": [],
    }

    assert desk.log.head() == before


def test_two_who_try_at_once_take_it_once(desk: MappedDesk) -> None:
    desk.post(BAD)
    (one,) = desk.listed()
    desk.map(MENDED)

    async def twice(_: httpx.AsyncClient, parts: Parts) -> Any:
        retrying = QuarantineRetry(
            parts.log,
            parts.reception,
            parts.in_force,
            lambda: NOW,
            parts.context.executor,
        )
        return await asyncio.gather(
            *(retrying.one(one["id"], f"person:p{n}") for n in range(5))
        )

    tried = desk.run(twice)

    assert {each.state for each in tried} == {"released"}
    assert len(desk.opened()) == 1
    history = desk.ask("GET", f"/v1/quarantine/{one['id']}").json()["journal"]
    assert [each["what"] for each in history] == ["released"]


def test_what_is_let_out_and_marked_is_so_in_one_transaction(desk: MappedDesk) -> None:
    desk.post(BAD)
    (one,) = desk.listed()
    desk.map(MENDED)
    owner = EventLog.open(desk.database.owner_dsn)
    with owner.transaction() as cursor:
        cursor.execute("REVOKE INSERT ON intake.quarantine_journal FROM desk_intake")
    refused = desk.ask("POST", f"/v1/quarantine/{one['id']}/retry")
    with owner.transaction() as cursor:
        cursor.execute("GRANT INSERT ON intake.quarantine_journal TO desk_intake")
    owner.close()

    assert refused.status_code >= 500
    assert desk.opened() == [], "nothing of it is done where it cannot be marked"
    assert desk.retry(one["id"])["state"] == "released"
    assert len(desk.opened()) == 1


def test_a_trouble_that_recovered_meanwhile_is_not_opened_again(
    desk: MappedDesk,
) -> None:
    desk.post(BAD)
    (one,) = desk.listed()
    desk.map("{title: text, dedup_key: point, occurred_at: at, action: {from: up,"
             " values: {'true': resolve, down: trigger}}}")  # fmt: skip
    desk.now = NOW + LATER
    desk.post({**BAD, "up": True, "at": desk.now.isoformat()})

    tried = desk.retry(one["id"])

    (became,) = tried["results"]
    assert became["status"] == "suppressed"
    assert became["reason"] == "it is older than its recovery"
    assert desk.opened() == []


def test_a_body_kept_as_a_whole_is_taken_with_all_its_elements(
    desk: MappedDesk,
) -> None:
    desk.map("{elements: gone, title: text, action: {default: trigger}}")
    crowd = [{"text": f"Door {n}", "point": f"p{n}"} for n in range(450)]
    assert desk.post({"doors": [*crowd, {}]}) == ["quarantined"]
    (one,) = desk.listed()
    desk.map("{elements: doors, title: text, action: {default: trigger}}")

    tried = desk.retry(one["id"])

    assert tried["state"] == "released"
    assert len(tried["results"]) == 451
    assert len(desk.opened()) == 450
    (left,) = desk.listed()
    assert left["element"] == 450, "the one that is bad waits on by itself"


def test_a_body_that_reads_as_another_number_of_elements_waits(
    desk: MappedDesk,
) -> None:
    desk.post([BAD, {**BAD, "point": "d8"}])
    (one, _) = desk.listed()
    desk.map("{elements: '[0]', title: text, action: {default: trigger}}")

    assert "which of them it is" in desk.retry(one["id"])["reason"]


def test_many_are_tried_by_a_filter_so_many_at_once(desk: MappedDesk) -> None:
    for n in range(5):
        desk.post({**BAD, "point": f"d{n}"})
    desk.post({**BAD, "text": None, "up": "strange"})
    desk.map(MENDED)

    def some(**asked: object) -> Any:
        return desk.ask("POST", "/v1/quarantine/retry", json=asked).json()

    nothing = some(source="other")
    first = some(source="demo", reason="does not LIST", limit=3)
    rest = some(cursor=first["next_cursor"])

    assert (nothing["items"], nothing["next_cursor"]) == ([], None)
    assert (first["released"], first["waiting"]) == (3, 0)
    assert (rest["released"], rest["waiting"], rest["next_cursor"]) == (2, 1, None)
    assert len(desk.listed()) == 1
    assert len(desk.listed(state="released")) == 5


def test_pages_follow_one_another(desk: MappedDesk) -> None:
    for n in range(5):
        desk.now = NOW + timedelta(minutes=n)
        desk.post({**BAD, "point": f"d{n}"})

    pages, cursor = [], "0"
    while cursor is not None:
        page = desk.ask("GET", f"/v1/quarantine?limit=2&cursor={cursor}").json()
        pages.append(len(page["items"]))
        cursor = page["next_cursor"]

    assert pages == [2, 2, 1]
    since = (NOW + timedelta(minutes=1)).isoformat()
    until = (NOW + timedelta(minutes=3)).isoformat()
    assert len(desk.listed(since=since, until=until)) == 2


def test_what_is_discarded_is_kept_with_who_and_why(desk: MappedDesk) -> None:
    desk.post(BAD)
    (one,) = desk.listed()
    path = f"/v1/quarantine/{one['id']}"

    bare = desk.ask("POST", f"{path}/discard")
    done = desk.ask("POST", f"{path}/discard", json={"reason": "a test of the doors"})
    again = desk.ask("POST", f"{path}/discard", json={"reason": "once more"})

    assert bare.status_code == 422
    assert done.json()["state"] == "discarded"
    assert again.status_code == 409
    (entry,) = desk.ask("GET", path).json()["journal"]
    assert (entry["what"], entry["by"]) == ("discarded", "person:agent")
    assert entry["reason"] == "a test of the doors"
    assert desk.listed() == []
    desk.map(MENDED)
    assert desk.retry(one["id"])["state"] == "discarded"


def test_what_was_discarded_and_comes_again_waits_again(desk: MappedDesk) -> None:
    desk.post(BAD)
    (one,) = desk.listed()
    path = f"/v1/quarantine/{one['id']}"
    desk.ask("POST", f"{path}/discard", json={"reason": "a test"})
    desk.now = NOW + LATER

    desk.post(BAD)

    (again,) = desk.listed()
    assert again["id"] == one["id"]
    assert datetime.fromisoformat(again["received_at"]) == desk.now


def test_only_an_administrator_sees_the_body(desk: MappedDesk) -> None:
    desk.post(BAD)
    (one,) = desk.listed()
    path = f"/v1/quarantine/{one['id']}"

    assert desk.ask("GET", path).json()["body"] is None
    seen = desk.ask("GET", path, "admin").json()

    assert json.loads(seen["body"]) == BAD
    assert seen["encoding"] == "utf-8"


def test_a_source_may_not_look_and_an_auditor_may_not_change(desk: MappedDesk) -> None:
    desk.post(BAD)
    (one,) = desk.listed()
    path = f"/v1/quarantine/{one['id']}"

    assert desk.ask("GET", path, "source").status_code == 403
    assert desk.ask("GET", path, "auditor").status_code == 200
    assert desk.ask("POST", f"{path}/retry", "auditor").status_code == 403
    assert desk.ask("POST", "/v1/quarantine/retry", "auditor").status_code == 403
    assert desk.ask("POST", f"{path}/discard", "auditor").status_code == 403


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/v1/quarantine/12", None, 404),
        ("GET", "/v1/quarantine/x", None, 404),
        ("GET", f"/v1/quarantine/{'9' * 40}", None, 404),
        ("POST", "/v1/quarantine/12/retry", None, 404),
        ("GET", "/v1/quarantine?limit=0", None, 422),
        ("GET", "/v1/quarantine?cursor=a", None, 422),
        ("GET", "/v1/quarantine?since=monday", None, 422),
        ("GET", "/v1/quarantine?colour=red", None, 422),
        ("GET", "/v1/quarantine?source=%00", None, 422),
        ("POST", "/v1/quarantine/retry", b"{", 400),
        ("POST", "/v1/quarantine/retry", b"[]", 422),
        ("POST", "/v1/quarantine/retry", b'{"limit": 101}', 422),
    ],
)
def test_a_bad_question_is_told(
    desk: MappedDesk, method: str, path: str, body: bytes | None, status: int
) -> None:
    answer = desk.ask(method, path, content=body)

    assert answer.status_code == answer.json()["status"] == status
    assert answer.json()["detail"]


def shown(desk: MappedDesk, number: int) -> dict[str, Any]:
    """Return one with its body, as an administrator sees it."""
    whole: dict[str, Any] = desk.ask("GET", f"/v1/quarantine/{number}", "admin").json()
    return whole


def test_a_body_is_deleted_after_its_time_and_the_fact_stays(desk: MappedDesk) -> None:
    other = {**BAD, "point": "d2"}
    desk.post(BAD)
    desk.post(other)
    old, fresh = (one["id"] for one in desk.listed())
    with psycopg.connect(desk.database.owner_dsn) as owner:
        owner.execute(
            "UPDATE intake.quarantine SET received_at = received_at - interval '31 d' "
            "WHERE quarantine_id = %s",
            (old,),
        )

    assert expire_quarantine(desk.log.transaction, NOW.date()) == 1
    assert expire_quarantine(desk.log.transaction, NOW.date()) == 0

    assert [one["id"] for one in desk.listed()] == [fresh]
    whole = shown(desk, old)
    assert (whole["state"], whole["body"]) == ("expired", None)
    assert whole["reason"].startswith("action: `values` does not list it")
    assert whole["journal"][0]["reason"] == "its body was deleted after 30 days"
    assert desk.retry(old)["state"] == "expired"
    assert shown(desk, fresh)["body"] is not None
    assert desk.post(BAD) == ["quarantined"], "if it comes again it waits again"
    assert {one["id"] for one in desk.listed()} == {old, fresh}
    assert shown(desk, old)["body"] is not None
