"""A page is answered by the link in it, on a desk whose services run."""

import json
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from email.message import EmailMessage
from functools import partial
from typing import Any
from uuid import uuid4

import httpx
import pytest

from services.escalation.notifications.channels.mattermost import take_button
from services.projections.api.session_cookie import COOKIE
from services.projections.web.csrf import token_for
from shared.domain.events import EscalationPaged
from shared.http.form_limits import USER_ACTS_MAX
from tests.support.builders.on_call.parcels import PAGE, to_contact
from tests.support.desks.notifying import CallingDesk
from tests.support.desks.on_call.paging import (
    answer,
    body_of,
    delivered,
    elsewhere,
    events_of,
    form,
    key_pressed,
    link,
    mailed,
    page,
    paged,
    press,
    reply,
    seen,
    signalled,
    tto_ended,
    user_link,
)
from tests.support.patience import SECONDS, answered, posted, until

pytestmark = pytest.mark.servers

WORDS = "Les totaux de la paie sont faux"


@pytest.fixture
def desk(paging_desk: CallingDesk) -> CallingDesk:
    return paging_desk


def test_the_link_in_the_mail_takes_the_incident_with_one_button(
    desk: CallingDesk,
) -> None:
    ref = paged(desk)
    (token,) = re.findall(
        r"desk\.valmont\.example/take/([A-Za-z0-9_-]+)",
        body_of(mailed(desk, "bruno", ref)),
    )
    before = page(desk, token)
    assert before.status_code == 200
    for text in (ref, "Je prends", "Pas moi", "P2", "Paie"):
        assert text in before.text, text
    for text in ("Totaux", WORDS, "roche", "Roche", "nadia"):
        assert text not in before.text, text
    assert before.headers["cache-control"] == "no-store"
    assert before.headers["referrer-policy"] == "no-referrer"
    assert "noindex" in before.headers["x-robots-tag"]

    after = press(desk, token, "take")
    assert (after.status_code, "Il est à vous" in after.text) == (200, True)
    assert 'name="action"' not in after.text
    incident = desk.get(f"/v1/incidents/{ref}")
    assert (incident["accepted_by"], incident["assignee"]) == ("bruno", "bruno")
    (accepted,) = events_of(desk, ref, "escalation.accepted")
    assert (accepted["person"], accepted["via"]) == ("bruno", "link")
    (taken,) = events_of(desk, ref, "incident.acknowledged")
    assert taken["by"] == "person:bruno"
    until(lambda: tto_ended(desk, ref), "the time to own ends")


def test_the_button_of_mattermost_takes_the_incident_and_says_so_to_its_reader(
    desk: CallingDesk,
) -> None:
    ref = paged(desk)
    place = f"{desk.desk.api_url}/take/{link(desk, ref)}"
    message = replace(PAGE, accept_url=place)
    (action,) = take_button(to_contact("mattermost", "@bruno", message))["actions"]
    pressed = {"user_id": "u1", "post_id": "p1", "type": "button"}
    good, bad = action["integration"]["context"], {"action": "take"}

    def told(more: dict[str, Any]) -> str:
        answer = posted(place, json=pressed | more, headers=elsewhere())
        assert answer.status_code == 200, answer.text
        return str(answer.json()["ephemeral_text"])

    taken = "est pris en compte"
    assert [taken in told(more) for more in ({}, {"context": bad})] == [False] * 2
    for _ in range(2):  # who is busy says so in words
        until(lambda: taken in told({"context": good}), "it is taken")
    (accepted,) = events_of(desk, ref, "escalation.accepted")
    assert (accepted["person"], accepted["via"]) == ("bruno", "link")


def test_a_second_answer_says_that_they_have_it_and_records_nothing(
    desk: CallingDesk,
) -> None:
    ref = paged(desk)
    token, key = link(desk, ref), uuid4().hex
    outcomes = [answer(desk, token, key=each).json()["outcome"] for each in (key, key)]
    assert outcomes == ["recorded", "repeated"]
    assert answer(desk, token).json()["outcome"] == "already"
    assert seen(desk, token)["state"] == "yours"
    assert len(events_of(desk, ref, "escalation.accepted")) == 1
    assert len(events_of(desk, ref, "incident.acknowledged")) == 1


def test_opening_the_link_changes_nothing_however_often(desk: CallingDesk) -> None:
    ref = paged(desk)
    token = link(desk, ref)
    version = desk.get(f"/v1/incidents/{ref}")["version"]
    head = httpx.head(f"{desk.desk.api_url}/take/{token}", timeout=SECONDS)
    assert head.status_code == 405
    with httpx.Client(timeout=SECONDS) as scanner:
        for _ in range(50):
            url, fetched = f"{desk.desk.api_url}/take/{token}", {"Purpose": "prefetch"}
            opened = answered(partial(scanner.get, url, headers=fetched))
            assert opened.status_code == 200
    assert seen(desk, token)["state"] == "waiting"
    assert desk.get(f"/v1/incidents/{ref}")["version"] == version
    assert not events_of(desk, ref, "escalation.accepted")


@pytest.mark.parametrize(
    "sent", [{}, {"csrf": "0" * 64}, {"key": "short"}], ids=["none", "forged", "key"]
)
def test_what_did_not_come_from_the_page_answers_nothing(
    desk: CallingDesk, sent: dict[str, str]
) -> None:
    ref = paged(desk)
    token = link(desk, ref)
    if sent == {"key": "short"}:
        refused = press(desk, token, "take", **sent)
        assert refused.status_code == 422
    else:
        refused = httpx.post(
            f"{desk.desk.api_url}/take/{token}",
            data={"action": "take", "key": uuid4().hex, **sent},
            headers=elsewhere(),
            timeout=SECONDS,
        )
        assert refused.status_code == 403
    other_site = httpx.post(
        f"{desk.desk.api_url}/take/{token}",
        data=form(desk, token) | {"action": "take"},
        headers={**elsewhere(), "Sec-Fetch-Site": "cross-site"},
        timeout=SECONDS,
    )
    assert other_site.status_code == 403
    assert not events_of(desk, ref, "escalation.accepted")


def test_of_two_who_answer_at_once_one_has_it_and_the_other_hears_so(
    desk: CallingDesk,
) -> None:
    ref = paged(desk)
    assert answer(desk, link(desk, ref), "another").json()["outcome"] == "recorded"
    tokens = [link(desk, ref), link(desk, ref, "chloe", step=1)]
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda t: answer(desk, t), tokens * 2))
    assert sorted({each.status_code for each in answers}) == [200, 409]
    (accepted,) = events_of(desk, ref, "escalation.accepted")
    (taken,) = events_of(desk, ref, "incident.acknowledged")
    assert taken["by"] == f"person:{accepted['person']}"
    assert desk.get(f"/v1/incidents/{ref}")["assignee"] == accepted["person"]

    loser = tokens[1] if accepted["person"] == "bruno" else tokens[0]
    other = "chloe" if accepted["person"] == "bruno" else "bruno"
    lost = page(desk, loser)
    assert "Un collègue l’a pris" in lost.text
    assert accepted["person"] not in lost.text.lower().replace(loser.lower(), "")
    desk.until_quiet()
    subjects = [each for each in desk.to(other) if ref in each]
    assert sum("collègue" in each for each in subjects) == 1
    winner = [each for each in desk.to(accepted["person"]) if ref in each]
    assert not any("collègue" in each for each in winner)
    posts = [json.loads(each.body) for each in desk.postbox.requests]
    kinds = {each["kind"] for each in posts if each["incident"] == ref}
    assert kinds == {"page"}


def test_not_me_pages_the_next_person_at_once(desk: CallingDesk) -> None:
    ref = paged(desk)
    token = link(desk, ref)
    after = press(desk, token, "decline")
    assert "une autre personne est appelée" in after.text
    assert [each["people"] for each in events_of(desk, ref, "escalation.paged")] == [
        ["bruno"],
        ["chloe"],
    ]
    assert answer(desk, token, "decline").json()["outcome"] == "already"
    assert answer(desk, link(desk, ref, "chloe", step=1)).status_code == 200
    refused = answer(desk, token)
    assert (refused.status_code, "colleague" in refused.json()["detail"]) == (409, True)


def test_an_answer_that_was_interrupted_is_completed_by_the_next(
    desk: CallingDesk,
) -> None:
    ref = paged(desk)
    token = link(desk, ref)
    desk.desk.services["intake"].kill()
    try:
        broken = answer(desk, token, retry_on=())
        assert broken.status_code == 503, broken.text
        # Nobody is there, or NATS does not know it yet.
        assert broken.json()["code"] in {"owner_away", "unanswered"}
        until(lambda: desk.count(ref, "escalation.accepted") == 1, "it is accepted")
        assert seen(desk, token)["state"] == "waiting"  # the button is still there
    finally:
        desk.desk.services["intake"].start()
        desk.desk.until_commands_are_taken()
    assert answer(desk, token).json()["outcome"] == "recorded"
    assert seen(desk, token)["state"] == "yours"
    assert desk.count(ref, "escalation.accepted") == 1
    assert len(events_of(desk, ref, "incident.acknowledged")) == 1


def test_only_the_title_of_monitoring_is_shown(desk: CallingDesk) -> None:
    ref = signalled(desk)
    desk.post(f"/v1/incidents/{ref}/edit", {"title": "Le serveur de Roche"})
    if not desk.count(ref, "escalation.paged"):
        desk.post(f"/v1/incidents/{ref}/escalate", {"reason": "N2 knows it"})
    desk.until_said(ref, "escalation.paged")
    found = seen(desk, link(desk, ref))
    assert (found["title"], found["service"]) == ("paie ne répond plus", "Paie")


def test_a_link_of_a_level_that_the_incident_has_left_answers_nothing(
    desk: CallingDesk,
) -> None:
    ref = paged(desk)
    token = link(desk, ref)
    back = {"team": "desk", "reason": "It is ours"}
    desk.post(f"/v1/incidents/{ref}/return", back)
    desk.until_said(ref, "escalation.returned")
    assert answer(desk, token).status_code == 409
    assert seen(desk, token)["state"] == "moved"
    desk.post(f"/v1/incidents/{ref}/escalate", {"reason": "N2 after all"})
    desk.until_said(ref, "escalation.paged", times=2)
    assert answer(desk, token).status_code == 409
    assert not events_of(desk, ref, "escalation.accepted")
    assert not events_of(desk, ref, "incident.acknowledged")


def test_once_it_is_resolved_the_page_says_so(desk: CallingDesk) -> None:
    ref = paged(desk)
    token = link(desk, ref)
    desk.post(f"/v1/incidents/{ref}/resolve", {"note": "Corrigé."})
    assert answer(desk, token).status_code == 409
    shown = page(desk, token)
    assert (shown.status_code, "C’est terminé" in shown.text) == (200, True)
    assert 'name="action"' not in shown.text


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ("changed", "unknown_link"),
        ("expired", "expired_link"),
        ("unknown", "unknown_link"),
        ("user", "unknown_link"),
        ("not paged", "role"),
        ("no right", "role"),
    ],
)
def test_any_other_link_answers_nothing(
    desk: CallingDesk, wrong: str, code: str
) -> None:
    ref = paged(desk)
    good = link(desk, ref)
    token = {
        "changed": good[:-9] + ("A" if good[-9] != "A" else "B") + good[-8:],
        "expired": link(desk, ref, hours=0),
        "unknown": link(desk, "INC-999999"),
        "user": user_link(desk, ref),
        "not paged": link(desk, ref, "karim"),
        "no right": link(desk, ref, "roche"),
    }[wrong]

    refused = answer(desk, token)
    assert (refused.status_code, refused.json()["code"]) in {(404, code), (403, code)}
    assert not events_of(desk, ref, "escalation.accepted")
    assert not events_of(desk, ref, "incident.acknowledged")
    if wrong != "not paged":
        shown = page(desk, token)
        assert (shown.status_code, ref in shown.text) == (refused.status_code, False)


def test_a_link_answers_only_its_own_incident(desk: CallingDesk) -> None:
    first, second = paged(desk), paged(desk)
    assert answer(desk, link(desk, first)).status_code == 200
    assert seen(desk, link(desk, second))["state"] == "waiting"
    assert not events_of(desk, second, "escalation.accepted")


def test_the_link_of_somebody_who_was_removed_is_void(desk: CallingDesk) -> None:
    ref = paged(desk)
    answer(desk, link(desk, ref), "decline")
    token = link(desk, ref, "chloe", step=1)
    assert seen(desk, token)["state"] == "waiting"
    desk.sql(
        "INSERT INTO access.removed_people (person, removal, removed_at, removed_by)"
        " VALUES ('chloe', 1, now(), 'person:sylvie')"
    )
    try:
        refused = answer(desk, token), page(desk, token)
        assert [each.status_code for each in refused] == [404, 404]
    finally:
        desk.sql("DELETE FROM access.removed_people WHERE person = 'chloe'")
    assert not events_of(desk, ref, "escalation.accepted")


def test_a_flood_by_one_link_is_limited(desk: CallingDesk) -> None:
    token = link(desk, paged(desk))
    for _ in range(USER_ACTS_MAX):
        assert answer(desk, token, key="short").status_code == 422

    used_up = "the link has used up what came back meanwhile, too"
    until(lambda: answer(desk, token, key="short").status_code == 429, used_up)
    until(lambda: press(desk, token, "take", key="short").status_code == 429, used_up)


def test_a_reply_of_one_word_takes_the_incident(desk: CallingDesk) -> None:
    ref = paged(desk)
    paging = mailed(desk, "bruno", ref)
    assert "« oui »" in body_of(paging).replace("\N{NO-BREAK SPACE}", " ")

    for said in ("Oui !", "ok"):
        taken = reply(desk, paging, said)
        assert (taken["verdict"], taken["incident"]) == ("answered", ref)
    (accepted,) = events_of(desk, ref, "escalation.accepted")
    assert (accepted["person"], accepted["via"]) == ("bruno", "mail")
    (acknowledged,) = events_of(desk, ref, "incident.acknowledged")
    assert acknowledged["by"] == "person:bruno"
    assert desk.get(f"/v1/incidents/{ref}")["assignee"] == "bruno"
    words = [each["words"] for each in events_of(desk, ref, "incident.contacted")]
    assert not any("Oui" in (each or "") for each in words)


def test_the_key_1_in_a_call_takes_the_incident_unless_a_colleague_has_it(
    desk: CallingDesk,
) -> None:
    ref = paged(desk)
    assert answer(desk, link(desk, ref), "another").status_code == 200

    pressed = [key_pressed(desk, ref, who) for who in ("bruno", "bruno", "chloe")]

    told = ["est pris en compte", "est pris en compte", "un collègue"]
    assert all(words in each.text for each, words in zip(pressed, told, strict=True))
    (accepted,) = events_of(desk, ref, "escalation.accepted")
    assert (accepted["person"], accepted["via"]) == ("bruno", "call")
    (acknowledged,) = events_of(desk, ref, "incident.acknowledged")
    assert acknowledged["by"] == "person:bruno"


def test_the_same_reply_delivered_twice_counts_once(desk: CallingDesk) -> None:
    ref = paged(desk)
    written = EmailMessage()
    written["From"] = "bruno@valmont.example"
    written["Subject"] = "Re: page"
    written["Message-ID"] = f"<{uuid4().hex}@valmont.example>"
    written["In-Reply-To"] = str(mailed(desk, "bruno", ref)["message-id"])
    written.set_content("yes")
    first, again = delivered(desk, written), delivered(desk, written)
    assert (first["verdict"], again["verdict"]) == ("answered", "answered")
    assert desk.count(ref, "escalation.accepted") == 1


@pytest.mark.parametrize(
    ("words", "who", "headers"),
    [
        ("Oui, mais demain", "bruno", {}),
        ("oui", "chloe", {}),
        ("oui", "roche", {}),
        ("oui", "bruno", {"Auto_Submitted": "auto-replied"}),
    ],
    ids=["other words", "somebody else", "the user", "automatic"],
)
def test_any_other_reply_takes_nothing(
    desk: CallingDesk, words: str, who: str, headers: dict[str, str]
) -> None:
    ref = paged(desk)
    outcome = reply(desk, mailed(desk, "bruno", ref), words, who, **headers)
    assert outcome["verdict"] == ("automatic" if headers else "attached")
    assert not events_of(desk, ref, "escalation.accepted")
    assert not events_of(desk, ref, "incident.acknowledged")


def test_a_yes_that_comes_too_late_is_a_mail_like_others(desk: CallingDesk) -> None:
    ref = paged(desk)
    paging = mailed(desk, "bruno", ref)
    assert answer(desk, link(desk, ref), "another").status_code == 200
    assert answer(desk, link(desk, ref, "chloe", step=1)).status_code == 200

    assert reply(desk, paging, "yes")["verdict"] == "attached"
    assert desk.count(ref, "escalation.accepted") == 1


def test_the_one_on_call_is_paged_by_a_form_on_who_is_on_call(
    desk: CallingDesk,
) -> None:
    ref = desk.open()
    token = desk.desk.bearer("nadia")["Authorization"].removeprefix("Bearer ")
    form = {"csrf": token_for(token), "team": "support", "reason": "N2 knows it"}

    def sent(incident: str) -> httpx.Response:
        return posted(
            f"{desk.desk.api_url}/on-call",
            data=form | {"incident": incident, "key": uuid4().hex},
            headers={"Cookie": f"{COOKIE}={token}"},
        )

    refused, done = sent("INC-999999"), sent(ref.lower())

    assert (refused.status_code, "INC-999999" in refused.text) == (404, True)
    assert (done.status_code, done.headers["Location"]) == (303, f"/incidents/{ref}")
    desk.until_said(ref, "escalation.paged")
    (page,) = (each for each in desk.said(ref) if each.type == "escalation.paged")
    assert isinstance(page, EscalationPaged)
    assert page.people == ("bruno",)


def test_a_manager_asks_why_with_a_reason_and_the_colleague_sees_it(
    desk: CallingDesk,
) -> None:
    ref = paged(desk)
    path, body = f"/v1/incidents/{ref}/pages/why", {"person": "chloe"}

    told = desk.post(path, body | {"reason": "Mme Roche asks"}, "sylvie").json()
    again = desk.post(path, body | {"reason": "Again"}, "sylvie").json()
    oneself = desk.ask(path, body | {"reason": "I wonder"}, "chloe")

    assert told["steps"][0]["reason"] == again["steps"][0]["reason"] == "not_on_call"
    assert told["steps"][0]["others"] == ["bruno"]
    assert (oneself.status_code, oneself.json()["code"]) == (422, "invalid")
    asked = desk.get("/v1/people/chloe/page-questions", "chloe")["items"]
    (first,) = asked
    assert (first["by"], first["reason"]) == ("sylvie", "Mme Roche asks")
