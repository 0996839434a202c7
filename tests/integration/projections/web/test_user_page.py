"""The page of a user, by the link in their mails, on a desk whose services run."""

import re
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from services.projections.api.survey_links.endpoints import published_figures
from shared.domain.events.survey.results import SurveyPublished, SurveyResults
from shared.domain.identifiers import survey_stream
from shared.domain.survey.record import SurveyRecord
from shared.http.form_limits import USER_ACTS_MAX
from shared.security.signed_links import PURPOSE, AnswerLink, token_of
from tests.support.builders.promises import local
from tests.support.builders.user_links import link_to
from tests.support.desks.notifying import OPENED, CallingDesk, calling_desk
from tests.support.desks.on_call.paging import elsewhere
from tests.support.faults.later_version import write_unknown
from tests.support.folders import reachable_folder
from tests.support.patience import SECONDS, answered, awaited, posted, until
from tests.support.policies import full

pytestmark = pytest.mark.servers

SECRET_NOTE = "Nur für uns: der Rechner von Costa ist schuld."


@pytest.fixture(scope="module")
def desk() -> Iterator[CallingDesk]:
    with reachable_folder() as folder, calling_desk(folder) as running:
        yield running


def token_for(desk: CallingDesk, ref: str, person: str = "roche", days: int = 1) -> str:
    """Return a link that this desk has signed, without waiting for its mail."""
    return link_to(desk.desk.log(), ref, person, OPENED + timedelta(days=days))


def mailed(desk: CallingDesk, person: str, words: str) -> str:
    """Return the token in the mail to a person that has these words."""

    def found() -> list[str]:
        bodies = [
            str(body.get_content())
            for mail in desk.inbox.to(f"{person}@valmont.example")
            if (body := mail.get_body(("plain",)))
        ]
        links = r"desk\.valmont\.example/my/([A-Za-z0-9_-]+)"
        return [re.findall(links, body)[-1] for body in bodies if words in body]

    until(lambda: bool(found()), f"a mail with {words}")
    return found()[-1]


def seen(desk: CallingDesk, token: str) -> dict[str, Any]:
    answer = desk.desk.get(f"/v1/user-pages/{token}", None)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def act(
    desk: CallingDesk, token: str, action: str, key: str | None = None, **more: str
) -> httpx.Response:
    return posted(
        f"{desk.desk.api_url}/v1/user-pages/{token}",
        json={"action": action, "key": key or uuid4().hex, **more},
        headers=elsewhere(),
    )


def form(desk: CallingDesk, token: str, **fields: str) -> httpx.Response:
    """Send the form of the page as a browser does, and follow where it leads."""
    return posted(
        f"{desk.desk.api_url}/my/{token}",
        data={"key": uuid4().hex, **fields},
        headers=elsewhere(),
        follow_redirects=True,
    )


def events_of(desk: CallingDesk, ref: str, type_: str) -> list[dict[str, Any]]:
    found = desk.get(f"/v1/incidents/{ref}/events?limit=500", "auditor")["items"]
    return [each["event"] for each in found if each["type"] == type_]


def test_a_user_follows_the_incident_and_answers(desk: CallingDesk) -> None:
    ref = desk.open(channel="phone")
    desk.post(f"/v1/incidents/{ref}/inform", {"message": "Nous cherchons."})
    desk.post(
        f"/v1/incidents/{ref}/pause", {"reason": "user", "question": "Quel mois ?"}
    )
    token = mailed(desk, "roche", "Quel mois ?")

    page = desk.desk.get(f"/my/{token}", None)
    assert page.status_code == 200
    for text in (ref, "Totaux faux", "Quel mois ?", "Nous cherchons.", "la paie sont"):
        assert text in page.text, text
    assert "nadia" not in page.text.lower()
    assert page.headers["referrer-policy"] == "no-referrer"
    assert page.headers["cache-control"] == "no-store"
    assert "noindex" in page.headers["x-robots-tag"]
    assert seen(desk, token)["standing"] == "waiting_for_you"  # a GET resumes nothing

    after = form(desk, token, action="words", words="Juin.\r\nEt mai.")
    assert (after.status_code, "Juin." in after.text) == (200, True)
    assert seen(desk, token)["standing"] == "taken"
    (said,) = events_of(desk, ref, "incident.contacted")[-1:]
    assert (said["words"], said["by"]) == ("Juin.\nEt mai.", "person:roche")


def test_a_user_says_whether_it_is_solved(desk: CallingDesk) -> None:
    ref = desk.open(channel="phone")
    token = token_for(desk, ref)
    assert seen(desk, token)["may"] == ["words"]
    desk.post(f"/v1/incidents/{ref}/restore", {})
    assert seen(desk, token)["may"] == ["words", "not_solved"]
    form(desk, token, action="not_solved", words="Encore faux.")
    (relapsed,) = events_of(desk, ref, "incident.relapsed")
    assert relapsed["by"] == "person:roche"
    assert (seen(desk, token)["standing"], seen(desk, token)["may"]) == (
        "taken",
        ["words"],
    )
    desk.post(f"/v1/incidents/{ref}/resolve", {"note": "Recalculé."})
    assert set(seen(desk, token)["may"]) == {"words", "solved", "not_solved"}
    after = form(desk, token, action="not_solved", words="Toujours faux.")
    assert "Nous reprenons" in after.text
    (reopened,) = events_of(desk, ref, "incident.reopened")
    assert (reopened["cause"], reopened["by"]) == ("user", "person:roche")

    desk.post(f"/v1/incidents/{ref}/resolve", {"note": "Corrigé."})
    assert "clos" in form(desk, token, action="solved").text
    assert seen(desk, token)["standing"] == "closed"


def test_the_same_form_twice_counts_once(desk: CallingDesk) -> None:
    ref = desk.open(channel="phone")
    token, key = token_for(desk, ref), uuid4().hex
    before = len(events_of(desk, ref, "incident.contacted"))

    first, again = (act(desk, token, "words", key, words="Encore.") for _ in "12")
    assert (first.json()["outcome"], again.json()["outcome"]) == (
        "recorded",
        "repeated",
    )
    assert len(events_of(desk, ref, "incident.contacted")) == before + 1
    assert act(desk, token, "words", key, words="Autre chose.").status_code == 422


def test_it_shows_nothing_of_others(desk: CallingDesk) -> None:
    ref = desk.open(channel="phone", description="Mots de Roche")
    desk.post(f"/v1/incidents/{ref}/inform", {"message": "Avant le second appel"})
    until(lambda: "Des nouvelles" in " ".join(desk.to("roche")), "news")
    call = {"person": "costa", "channel": "phone", "words": "Mots de Costa"}
    desk.post("/v1/contacts", call | {"incident": ref})
    desk.post(
        f"/v1/incidents/{ref}/assign",
        {"team": "support", "reason": SECRET_NOTE},
    )
    desk.post(f"/v1/incidents/{ref}/inform", {"message": "À tous les deux"})
    until(lambda: len(desk.to("costa")) >= 2, "what both are told")

    hers = token_for(desk, ref, "costa")

    def words() -> list[str]:
        entries = seen(desk, hers)["entries"]
        return [each["words"] for each in entries if each["words"]]

    until(lambda: words() == ["À tous les deux", "Mots de Costa"], lambda: str(words()))
    page = desk.desk.get(f"/my/{token_for(desk, ref)}", None)
    assert "Mots de Roche" in page.text
    for text in ("Costa", SECRET_NOTE, "Nadia", "support"):
        assert text not in page.text, text

    desk.post(f"/v1/incidents/{ref}/resolve", {})
    assert seen(desk, token_for(desk, ref))["may"] == ["words", "not_solved"]
    no = act(desk, token_for(desk, ref), "solved")
    assert (no.status_code, no.json()["code"]) == (403, "role")
    assert not events_of(desk, ref, "incident.closed")


def test_the_link_of_a_merged_incident_leads_to_the_other(desk: CallingDesk) -> None:
    into = desk.open(channel="phone", reporter="costa", description="Seul Costa sait")
    mine = desk.open(channel="phone", description="Mes mots")
    desk.post(f"/v1/incidents/{mine}/merge", {"into": into})
    found = seen(desk, token_for(desk, mine))

    assert (found["incident"], found["merged_from"]) == (into, mine)
    words = [each["words"] for each in found["entries"]]
    assert "Mes mots" in words
    assert "Seul Costa sait" not in words
    done = act(desk, token_for(desk, mine), "words", words="Et moi.")
    assert (done.status_code, done.json()["incident"]) == (200, into)


def test_a_longer_delay_is_agreed_to_on_the_page(desk: CallingDesk) -> None:
    ref = desk.open(channel="phone")
    more = {"new_due_at": local("07-01 10:00").isoformat(), "reason": "Une pièce."}
    desk.post(f"/v1/incidents/{ref}/extensions", more)
    token = token_for(desk, ref)
    delay = seen(desk, token)["delay"]
    assert (delay["extension"], delay["why"]) == (f"{ref}-E1", "Une pièce.")

    page = form(desk, token, action="accept", extension=delay["extension"])
    assert "Vous avez accepté" in page.text or "vous avez accepté" in page.text
    given = desk.get(f"/v1/extensions/{ref}-E1")
    assert (given["state"], given["answered_by"]) == ("accepted", "roche")
    assert seen(desk, token)["delay"] is None


def test_a_report_in_somebody_elses_name_is_not_shown_to_them(
    desk: CallingDesk,
) -> None:
    report = {
        "email": "petit@valmont.example",
        "words": "Achetez ici !",
        "key": uuid4().hex,
    }
    ref = posted(f"{desk.desk.api_url}/v1/reports", json=report).json()["incident"]
    token = token_for(desk, ref, "petit")

    found = seen(desk, token)
    assert (found["title"], found["entries"]) == (None, [])
    act(desk, token, "words", words="C’était bien moi.")
    assert "Achetez" in str(seen(desk, token)["title"])


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ("changed", "unknown_link"),
        ("expired", "expired_link"),
        ("another", "unknown_link"),
        ("unknown", "unknown_link"),
        ("answer", "unknown_link"),
    ],
)
def test_any_other_link_opens_nothing(desk: CallingDesk, wrong: str, code: str) -> None:
    ref = desk.open(channel="phone")
    log = desk.desk.log()
    other = log.vault.key_for(PURPOSE) or b""
    log.close()
    good = token_for(desk, ref)
    token = {
        "changed": good[:-9] + ("A" if good[-9] != "A" else "B") + good[-8:],
        "expired": token_for(desk, ref, days=0),
        "another": token_for(desk, ref, "costa"),
        "unknown": token_for(desk, "INC-999999"),
        "answer": token_of(other, AnswerLink(f"{ref}-E1", "roche", local("23:00"))),
    }[wrong]

    for answer in (
        act(desk, token, "words", words="Un voleur."),
        desk.desk.get(f"/v1/user-pages/{token}", None),
    ):
        assert (answer.status_code, answer.json()["code"]) == (404, code)
    page = form(desk, token, action="words", words="Ce que j’ai écrit")
    assert (page.status_code, ref in page.text) == (404, False)


def test_a_link_is_void_once_its_person_is_forgotten(desk: CallingDesk) -> None:
    ref = desk.open(channel="phone", reporter="morel")
    token = token_for(desk, ref, "morel")
    assert seen(desk, token)["standing"] == "taken"

    desk.sql(
        "UPDATE directory.people SET email = NULL, name = '[forgotten]'"
        " WHERE id = 'morel' RETURNING id"
    )
    answer = act(desk, token, "words", words="Je suis encore là.")
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_link")


def test_a_flood_by_one_link_is_limited_and_what_was_written_is_given_back(
    desk: CallingDesk,
) -> None:
    token = token_for(desk, desk.open(channel="phone"))
    for _ in range(USER_ACTS_MAX):
        assert act(desk, token, "words").status_code == 422
    until(
        lambda: act(desk, token, "words").status_code == 429,
        "the link has used up what came back meanwhile, too",
    )

    late = awaited(
        lambda: form(desk, token, action="words", words="Mes mots <gardés>"),
        lambda answer: answer.status_code == 429,
        "so it has for the form",
    )
    assert "Mes mots &lt;gardés&gt;" in late.text


def survey_of(desk: CallingDesk, person: str) -> str:
    """Return the token in the mail that asks a person about their incident."""
    pattern = r"desk\.valmont\.example/survey/([A-Za-z0-9_-]+)"

    def found() -> list[str]:
        return [
            token
            for mail in desk.inbox.to(f"{person}@valmont.example")
            if str(mail["subject"]).startswith("[INC-")
            and (body := mail.get_body(("plain",)))
            for token in re.findall(pattern, str(body.get_content()))
        ]

    until(lambda: bool(found()), f"a survey for {person}")
    return found()[-1]


def answer_survey(desk: CallingDesk, token: str, **fields: str) -> httpx.Response:
    """Send the form of a survey as a browser does, and follow where it leads."""
    url = f"{desk.desk.api_url}/survey/{token}"
    shown = answered(lambda: httpx.get(url, timeout=SECONDS)).text
    (csrf,) = re.findall(r'name="csrf" value="([0-9a-f]+)"', shown) or [""]
    given = {"csrf": csrf} | fields
    return posted(url, data=given, headers=elsewhere(), follow_redirects=True)


def surveyed(desk: CallingDesk, token: str) -> dict[str, Any]:
    answer = desk.desk.get(f"/v1/survey-links/{token}", None)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def closed_for(desk: CallingDesk, person: str) -> str:
    """Return an incident that a person reported, and that is closed."""
    ref = desk.open(channel="phone", reporter=person)
    desk.post(f"/v1/incidents/{ref}/resolve", {"note": "Relancé"})
    desk.post(f"/v1/incidents/{ref}/close")
    return ref


def test_who_reported_a_closed_incident_is_asked_and_a_visit_answers_nothing(
    desk: CallingDesk,
) -> None:
    ref = closed_for(desk, "costa")
    token = survey_of(desk, "costa")
    for _ in range(3):  # a scanner of mails, whose visits answer nothing
        page = desk.desk.get(f"/survey/{token}", None)
        assert page.status_code == 200
    assert ref in page.text
    assert "Êtes-vous satisfait du traitement" in page.text
    assert f"jusqu’au {surveyed(desk, token)['expires_text']}" in page.text
    assert "Cette enquête n’est pas anonyme" in page.text
    assert "Totaux" not in page.text
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["referrer-policy"] == "no-referrer"
    assert "noindex" in page.headers["x-robots-tag"]
    assert surveyed(desk, token)["state"] == "open"


def test_only_the_complete_form_of_the_page_answers_and_only_once(
    desk: CallingDesk,
) -> None:
    ref = closed_for(desk, "petit")
    token = survey_of(desk, "petit")

    forged = answer_survey(desk, token, csrf="0" * 64, **{"choice.satisfied": "1"})
    missing = answer_survey(desk, token, comment="Merci <b>Paul</b>")
    assert (forged.status_code, missing.status_code) == (403, 422)
    assert "choisissez une réponse à chaque question".lower() in missing.text.lower()
    assert "Merci &lt;b&gt;Paul" in missing.text, "nothing that was written is lost"
    assert surveyed(desk, token)["state"] == "open"

    done = answer_survey(desk, token, **{"choice.satisfied": "4"})
    again = answer_survey(desk, token, **{"choice.satisfied": "1"})
    assert "votre réponse est bien reçue" in done.text
    assert "votre réponse est bien reçue" in again.text
    log = desk.desk.log()
    (_, answered) = log.history(survey_stream(ref))
    log.close()
    assert answered.event.choices == {"satisfied": 4}  # type: ignore[union-attr]


def test_who_answered_sees_what_is_published_by_a_manager(desk: CallingDesk) -> None:
    closed_for(desk, "lefevre")
    token = survey_of(desk, "lefevre")
    desk.post(
        "/v1/surveys/after-incident/publish",
        {"from": "2025-04-01", "to": "2025-05-01"},
        who="sylvie",
    )

    before = surveyed(desk, token)["published"]
    page = answer_survey(desk, token, **{"choice.satisfied": "4"})

    assert before == [], "it could sway the answer"
    assert surveyed(desk, token)["published"] == [
        {
            "first": "2025-04-01",
            "last": "2025-04-30",
            "first_text": "mardi 1er avril 2025",
            "last_text": "mercredi 30 avril 2025",
            "invited": 0,
            "n": 0,
            "share": None,
        }
    ]
    assert "mardi 1er avril 2025 – mercredi 30 avril 2025" in page.text
    assert "trop peu de réponses" in page.text, "a dash would say nothing"
    assert "ne peut plus être modifiée" in page.text


@pytest.mark.parametrize(("n", "share"), [(4, None), (5, 0.8)])
def test_a_link_shows_no_share_that_tells_another_what_a_single_client_answered(
    n: int, share: float | None
) -> None:
    start = datetime(2025, 4, 1, tzinfo=UTC)
    counted = SurveyResults(
        invited=9,
        responded=n,
        n=n,
        satisfied=4 if n == 5 else 1,
        questions=(),
        groups=(),
    )
    published = SurveyPublished(
        at=start,
        by="person:sylvie",
        survey="clients",
        policy=1,
        start=start,
        end=start + timedelta(days=30),
        min_answers=1,
        results=counted,
    )

    (found,) = published_figures(SurveyRecord(published=(published,)), full(), "fr")
    assert (found.n, found.share) == (n, share)


def test_the_link_of_a_user_does_not_answer_a_survey(desk: CallingDesk) -> None:
    ref = desk.open(channel="phone")
    token = token_for(desk, ref)
    assert desk.desk.get(f"/v1/survey-links/{token}", None).status_code == 404


def test_what_cannot_be_read_is_missing_and_said_to_be(desk: CallingDesk) -> None:
    token = token_for(desk, ref := desk.open(channel="phone"))
    desk.until_quiet()
    with closing(desk.desk.log()) as log:
        write_unknown(log, f"sla-{ref}")
    assert seen(desk, token)["incomplete"]
    assert 'id="incomplete"' in desk.desk.get(f"/my/{token}", None).text
