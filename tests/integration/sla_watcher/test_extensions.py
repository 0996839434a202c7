"""More time, asked for, answered and counted by the services as they run."""

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.support.builders.promises import local
from tests.support.desks.notifying import CallingDesk, calling_desk
from tests.support.desks.running import SERVICES, TWIN
from tests.support.folders import reachable_folder
from tests.support.patience import SECONDS, answered, posted, until

pytestmark = pytest.mark.servers

MORE = {"new_due_at": local("07-01 10:00").isoformat(), "reason": "La pièce manque."}
YES = {"accepted_by": "roche", "channel": "phone", "evidence": "« Mardi me va. »"}
TWINS = (*SERVICES, f"sla_watcher{TWIN}")


@pytest.fixture
def desk() -> Iterator[CallingDesk]:
    with reachable_folder() as folder, calling_desk(folder, start=TWINS) as running:
        yield running


def reported(desk: CallingDesk) -> str:
    """Return an incident of Roche's, taken at 09:14 and due at 15:10."""
    ref = desk.open()
    desk.desk.move_to(local("09:14"))
    desk.post(f"/v1/incidents/{ref}/acknowledge")
    desk.until_said(ref, "notification.confirmed", 2)
    return ref


def ttr(desk: CallingDesk, ref: str) -> dict[str, Any]:
    promises = desk.get(f"/v1/incidents/{ref}/sla")["items"]
    (found,) = [each for each in promises if each["target"] == "ttr"]
    return dict(found)


def ttr_of_june(desk: CallingDesk) -> dict[str, Any]:
    period = "from=2025-06-30&to=2025-07-03"
    found = desk.get(f"/v1/metrics?{period}")["figures"]["sla"]["ttr"]
    return dict(found)


def test_a_phone_agreement_from_the_question_to_the_metrics(desk: CallingDesk) -> None:
    ref = reported(desk)
    desk.desk.move_to(local("14:00"))
    asked = desk.post(f"/v1/incidents/{ref}/extensions", MORE)
    extension = asked.json()["extension"]
    assert (asked.status_code, extension) == (201, f"{ref}-E1")
    assert asked.headers["Location"] == f"/v1/extensions/{extension}"
    until(lambda: "Nous accordez-vous" in str(desk.to("roche")), "the question")

    desk.post(f"/v1/extensions/{extension}/accept", YES)
    until(lambda: "Vous avez accepté" in str(desk.to("roche")), "the confirmation")
    promise = ttr(desk, ref)
    assert promise["due_at"] == promise["agreed_due_at"] == "2025-07-01T08:00:00Z"
    assert promise["original_due_at"] == "2025-06-30T13:10:00Z"
    seen = desk.get(f"/v1/extensions/{extension}")
    assert (seen["answered_by"], seen["recorded_by"]) == ("roche", "person:nadia")
    assert (seen["reason"], seen["evidence"]) == (MORE["reason"], YES["evidence"])
    assert promise["extensions"][0]["evidence"] == YES["evidence"]

    desk.desk.move_to(local("07-01 09:00"))
    desk.post(f"/v1/incidents/{ref}/resolve")
    until(lambda: ttr(desk, ref)["state"] == "met", "met after the extension")
    until(lambda: ttr_of_june(desk)["met"] == 1, "metrics")
    found = ttr_of_june(desk)
    assert (found["met_after_extension"], found["breached"]) == (1, 0)
    assert (found["against_original"], found["against_agreed"]) == (0, 1)


def test_watchers_killed_between_lose_and_double_nothing(desk: CallingDesk) -> None:
    ref = reported(desk)
    watchers = [desk.desk.services[name] for name in TWINS if "watcher" in name]
    desk.desk.move_to(local("14:00"))
    key = {"Idempotency_Key": "more-time"}
    first = desk.post(f"/v1/incidents/{ref}/extensions", MORE, **key).json()
    for watcher in watchers:
        watcher.kill()
    away = desk.ask_once(f"/v1/extensions/{ref}-E1/accept", YES)
    assert (away.status_code, "retry-after" in away.headers) == (503, True)
    for watcher in watchers:
        watcher.start()
    desk.desk.wait_ready(TWINS)

    again = desk.post(f"/v1/incidents/{ref}/extensions", MORE, **key).json()
    assert (again["outcome"], again["extension"]) == ("repeated", first["extension"])
    assert desk.post(f"/v1/extensions/{ref}-E1/accept", YES).json()["outcome"] == (
        "recorded"
    )
    assert desk.post(f"/v1/extensions/{ref}-E1/accept", YES).json()["outcome"] == (
        "already"
    )
    desk.desk.move_to(local("07-01 10:01"))
    until(lambda: ttr(desk, ref)["state"] == "breached", "the breach")
    events = desk.get(f"/v1/incidents/{ref}/events?limit=500", "auditor")["items"]
    ours = [each for each in events if each["event"].get("target") == "ttr"]
    kinds = [each["type"] for each in ours]
    assert kinds.count("sla.extension_proposed") == 1
    assert kinds.count("sla.extension_accepted") == kinds.count("sla.breached") == 1


def test_what_is_refused_says_why_and_what_is_broken_is_somebodys(
    desk: CallingDesk,
) -> None:
    ref = reported(desk)
    for path, body, status, code in (
        (f"/v1/incidents/{ref}/extensions", MORE | {"target": "tto"}, 422, "invalid"),
        (f"/v1/incidents/{ref}/extensions", {"reason": "x"}, 422, "invalid"),
        (f"/v1/incidents/{ref}/sla/ttr/attribution", {"party": "user"}, 409, "state"),
        (f"/v1/incidents/{ref}/sla/ttr/attribution", {"target": "tto"}, 422, "invalid"),
        (f"/v1/extensions/{ref}-E9/accept", YES, 404, "unknown_extension"),
        ("/v1/extensions/INC-999999-E1/accept", YES, 404, "unknown_incident"),
    ):
        no = desk.ask(path, body)
        assert (no.status_code, no.json()["code"]) == (status, code), no.text
    desk.desk.move_to(local("14:00"))
    desk.post(f"/v1/incidents/{ref}/extensions", MORE)
    stranger = desk.ask(f"/v1/extensions/{ref}-E1/accept", YES | {"accepted_by": "moi"})
    assert (stranger.status_code, stranger.json()["code"]) == (403, "role")
    desk.post(f"/v1/extensions/{ref}-E1/refuse", {**YES_NO, "evidence": "« Non. »"})
    no = desk.ask(f"/v1/extensions/{ref}-E1/accept", YES)
    assert (no.status_code, no.json()["code"]) == (409, "state")
    assert ttr(desk, ref)["due_at"] == "2025-06-30T13:10:00Z"

    desk.desk.move_to(local("15:11"))
    until(lambda: ttr(desk, ref)["state"] == "breached", "the breach")
    path = f"/v1/incidents/{ref}/sla/ttr/attribution"
    agent = desk.ask(path, {"party": "provider"}, "agent")
    assert (agent.status_code, agent.json()["code"]) == (403, "role")
    desk.post(path, {"party": "provider"}, "sylvie")
    desk.post(path, {"party": "vendor", "who": "imprimeur"}, "sylvie")
    said = ttr(desk, ref)["attributed"]
    assert (said["party"], said["who"], said["by"]) == (
        "vendor",
        "imprimeur",
        "person:sylvie",
    )
    by = {"user": 0, "vendor": 1, "provider": 0, "unattributed": 0}
    until(lambda: ttr_of_june(desk)["breached_by"] == by, "whose it is, in metrics")
    # A command that is not answered within two seconds is sent to another process, and
    # each of them notes that it refused it.
    query = "SELECT DISTINCT verb FROM sla.refusals WHERE code = 'role' ORDER BY verb"
    assert desk.sql(query) == [("accept",), ("attribute",)]


YES_NO = {"refused_by": "roche", "channel": "email"}


def link(desk: CallingDesk) -> str:
    """Return the address of the page that Roche's letter names, at this desk."""
    bodies = [
        str(body.get_content())
        for mail in desk.inbox.to("roche@valmont.example")
        if (body := mail.get_body(("plain",)))
    ]
    found = [
        name
        for body in bodies
        for name in re.findall(r"/answer/([A-Za-z0-9_-]+)", body)
    ]
    return f"/answer/{found[-1]}"


def page(url: str, headers: dict[str, str] | None = None) -> httpx.Response:
    return answered(lambda: httpx.get(url, headers=headers, timeout=SECONDS))


def test_a_user_answers_by_the_link_of_the_letter_once(desk: CallingDesk) -> None:
    ref = reported(desk)
    desk.desk.move_to(local("14:00"))
    desk.post(f"/v1/incidents/{ref}/extensions", MORE)
    until(lambda: "Nous accordez-vous" in str(desk.to("roche")), "the question")
    door = desk.desk.api_url + link(desk)

    for _ in range(3):  # a mail server looks at every link before its reader does
        seen = page(door, {"Accept-Language": "en"})
        assert seen.status_code == 200
        assert "La pièce manque." in seen.text
        assert "J’accepte" in seen.text
        assert seen.headers["referrer-policy"] == "no-referrer"
    assert "I agree" in page(f"{door}?lang=en").text
    assert ttr(desk, ref)["agreed_due_at"] is None

    done = posted(door, data={"answer": "accept"})
    assert (done.status_code, "Vous avez accepté" in done.text) == (200, True)
    assert "<button" not in done.text.partition("<main")[2]
    promise = ttr(desk, ref)
    assert promise["due_at"] == "2025-07-01T08:00:00Z"
    (extension,) = promise["extensions"]
    assert (extension["answered_by"], extension["recorded_by"]) == (
        "roche",
        "person:roche",
    )
    assert extension["channel"] == "web"
    late = posted(door, data={"answer": "refuse"})
    assert (late.status_code, "déjà été donnée" in late.text) == (409, True)
    assert ttr(desk, ref)["due_at"] == "2025-07-01T08:00:00Z"


def test_a_link_that_is_late_or_not_ours_answers_nothing(desk: CallingDesk) -> None:
    ref = reported(desk)
    desk.desk.move_to(local("14:00"))
    by = {"answer_by": local("14:30").isoformat()}
    desk.post(f"/v1/incidents/{ref}/extensions", MORE | by)
    until(lambda: "Nous accordez-vous" in str(desk.to("roche")), "the question")
    path = link(desk)
    door, api = desk.desk.api_url + path, desk.desk.api_url
    changed = door[:-5] + ("A" if door[-5] != "A" else "B") + door[-4:]
    for wrong in (changed, f"{api}/answer/x", f"{api}/answer/{'A' * 600}"):
        no = posted(wrong, data={"answer": "accept"})
        assert no.status_code in {404, 422}, no.text
        assert "<h1>" in no.text
    for body in ({"answer": "maybe"}, {}):
        no = posted(door, data=body)
        assert (no.status_code, "<button" in no.text) == (422, True)
    desk.desk.move_to(local("14:31"))
    late = posted(door, data={"answer": "accept"})
    assert late.status_code == 409
    assert ttr(desk, ref)["agreed_due_at"] is None
