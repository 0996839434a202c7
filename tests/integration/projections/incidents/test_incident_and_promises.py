"""One incident in one read: what was promised, who is at work, who was told."""

from datetime import UTC, datetime, timedelta

import pytest

from services.intake.directory.store import import_people
from shared.domain import events
from shared.eventlog.documents import name_of, store
from tests.support.builders.promise_events import told
from tests.support.desks.api import Api
from tests.support.policies import full
from tests.support.strategies.histories import START, opened

pytestmark = pytest.mark.servers

_REF = "INC-000001"
_PATH = f"/v1/incidents/{_REF}"
_NOON = datetime(2030, 7, 1, 12, tzinfo=UTC)  # a Monday, 14:00 in Brussels
"""Long after anything was recorded: an instant asked for knows all of it."""
_CALENDAR = {"calendar": "jour"}
_HEAD = {"at": START, "by": "person:paul", "incident": _REF, "policy": 1}
_STAFF = {
    "key": "page-1",
    "kind": "page",
    "audience": "staff",
    "channel": "webhook",
    "person": "amina",
    "cause_stream": "escalation-INC-000001",
    "cause_version": 1,
}


def _at(minutes: int) -> str:
    return (_NOON + timedelta(minutes=minutes)).isoformat()


@pytest.fixture(scope="module")
def api(shared_api: Api) -> Api:
    members = "[tariq, ines, jos], manager"
    policy = full((members, "[tariq, ines, jos, nadia], manager"))
    body = events.document_bytes(policy.document())
    name = name_of(body)
    applied = events.PolicyApplied(
        at=START,
        by="person:root",
        document_hash=name.hash,
        document_size=name.size,
        text_digest="a" * 64,
        reason="The first",
    )
    with shared_api.log.transaction() as cursor:
        store(cursor, body)
    shared_api.log.record(events.STREAM, 0, [applied])
    due_at = _NOON + timedelta(hours=1)
    terms = {"started_at": _NOON, "seconds": 3_600, "due_at": due_at} | _CALENDAR
    shared_api.happened(
        opened(_REF, reporter="lefevre"),
        told("sla.armed", _REF, target="tto", **terms),
        told("sla.armed", _REF, target="ttr", **terms),
        told("sla.warned", _REF, target="ttr", warned_at=_at(45), due_at=due_at),
        told("sla.met", _REF, target="tto", met_at=_at(10), elapsed_seconds=600),
        told("sla.breached", _REF, target="ttr", due_at=due_at, breached_at=due_at),
        told(
            "incident.contacted",
            _REF,
            by="person:paul",
            whose="person:lefevre",
            person="lefevre",
            direction="inbound",
            channel="phone",
            contacted_at=START,
            words="Plus rien ne marche !",
            waited_seconds=18,
        ),
        told("escalation.escalated", _REF),
        told("escalation.accepted", _REF),
        told("notification.requested", _REF, **_STAFF),
        told("notification.sent", _REF, key="page-1"),
        told("notification.failed", _REF, key="page-1", attempts=3, reason="no answer"),
        events.HandoverRequested.model_validate(
            {
                **_HEAD,
                "service": "portal",
                "team": "problem",
                "cycle": 1,
                "breached_at": due_at,
            }
        ),
        events.HandoverDeclined.model_validate(
            {**_HEAD, "whose": "person:paul", "reason": "A single user"}
        ),
        events.IncidentLinked.model_validate(
            {**_HEAD, "relation": "problem", "target": "PRB-000001"}
        ),
    )
    return shared_api


def test_the_desk_stays_owner_of_what_another_team_works_on(api: Api) -> None:
    shown = api.get(_PATH)

    assert (shown["owner_team"], shown["team"]) == ("desk", "network")
    assert (shown["level"], shown["accepted_by"]) == ("n2", "amina")
    assert (shown["user_reported"], shown["breached"]) == (True, True)
    assert shown["problems"] == ["PRB-000001"]


def test_its_version_is_that_of_its_own_events(api: Api) -> None:
    answer = api.call("GET", _PATH)

    assert answer.headers["ETag"] == '"3"'
    assert answer.json()["version"] == 3


def test_a_promise_says_what_is_left_at_the_instant_asked_for(api: Api) -> None:
    tto, ttr = api.get(_PATH, at=_at(40))["promises"]

    assert (ttr["target"], ttr["state"]) == ("ttr", "breached")
    assert (ttr["elapsed_seconds"], ttr["left_seconds"]) == (2_400, 1_200)
    assert ttr["warned"] == [75]
    assert (tto["state"], tto["elapsed_seconds"]) == ("met", 600)
    assert api.get(_PATH, at=_at(90))["promises"][1]["left_seconds"] == -1_800


def test_what_is_left_is_counted_in_open_hours(api: Api) -> None:
    night = api.get(_PATH, at=_at(12 * 60))["promises"][1]

    assert night["elapsed_seconds"] == 3 * 3_600 + 1_800  # closed at 17:30


def test_a_calendar_that_is_not_in_the_log_is_not_made_up(api: Api) -> None:
    ref = "INC-000002"
    api.happened(opened(ref), told("sla.armed", ref, target="ttr", due_at=_at(60)))

    (promise,) = api.get(f"/v1/incidents/{ref}/sla")["items"]

    assert (promise["calendar"], promise["left_seconds"]) == ("always", None)


def test_what_support_levels_owe_stands_apart_and_explains_itself(api: Api) -> None:
    ref = "INC-000003"
    due_at = _NOON + timedelta(hours=1)
    terms = {"started_at": _NOON, "seconds": 3_600, "due_at": due_at} | _CALENDAR
    gone = {"reason": "escalated", "cancelled_at": _at(30)}
    api.happened(
        opened(ref),
        told("sla.armed", ref, target="ttr", **terms),
        told("sla.armed", ref, target="ola_n2_own", **terms),
        told("sla.cancelled", ref, target="ola_n2_own", **gone),
    )

    whole = api.get(f"/v1/incidents/{ref}", at=_at(90))
    alone = api.get(f"/v1/incidents/{ref}/sla", at=_at(90))
    asked = {"target": "ola_n2_own", "at": _at(90)}
    explained = {
        lang: api.get(f"/v1/incidents/{ref}/sla/explain", lang=lang, **asked)
        for lang in ("en", "fr")
    }

    assert [each["target"] for each in whole["promises"]] == ["ttr"]
    assert [each["target"] for each in whole["olas"]] == ["ola_n2_own"]
    assert alone["items"] == whole["promises"]
    assert alone["olas"] == whole["olas"]
    (english,), (french,) = (each["items"] for each in explained.values())
    assert (
        "the time of N2 to take it on is agreed internally: 1 hour"
        in english["text"][0]
    )
    assert "before anybody there took it on" in " ".join(english["text"])
    assert "convenu en interne la prise en charge par N2" in french["text"][0]
    assert "sentence" in english["happened"][0]


def test_it_says_what_can_be_done_now_to_those_who_may_do_it(api: Api) -> None:
    ref = "INC-000004"
    api.happened(opened(ref, reporter="lefevre"))
    path = f"/v1/incidents/{ref}"

    offered = api.get(path)["actions"]

    assert {"acknowledge", "inform", "resolve", "escalate", "note"} <= {*offered}
    assert {"accept", "reopen", "resume", "unremind"}.isdisjoint(offered)
    assert "accept" not in api.get(_PATH)["actions"]  # amina has
    assert "reopen" not in api.get(_PATH)["actions"]
    assert api.get(path, who="auditor")["actions"] == []
    assert api.get(path, at=_at(0))["actions"] == []


def test_what_ends_a_search_is_offered_to_those_it_concerns(api: Api) -> None:
    ref, team = "INC-000021", "exploitation"
    asked = {"cycle": 1, "service": "portail", "team": team, "breached_at": START}
    api.happened(
        opened(ref),
        told("escalation.escalated", ref, team=team),
        told("handover.requested", ref, **asked),
    )
    path, queue = f"/v1/incidents/{ref}", "/v1/queues/exploitation/incidents"

    def offered(who: str) -> tuple[bool, bool, list[str]]:
        """Return whether the page and the row offer to accept, and what a hand-over."""
        row, waiting = api.get(queue, who)["actions"], api.get("/v1/handovers", who)
        in_row = "accept" in row.get(ref, ())
        return (
            "accept" in api.get(path, who)["actions"],
            in_row,
            waiting["actions"].get(ref, []),
        )

    assert offered("other_agent") == (True, True, ["accept", "join", "decline"])
    assert offered("agent") == (False, False, ["accept", "join"])
    assert offered("auditor") == (False, False, [])
    page = {"level": "n2", "step": 0, "loop": 1, "key": "page", "who": "person"}
    api.happened(told("escalation.paged", ref, due_at=START, people=("paul",), **page))
    assert offered("agent") == (True, False, ["accept", "join"])


def test_answers_are_proposed_in_the_language_and_zone_of_who_gets_them(
    api: Api,
) -> None:
    ref, unreported = "INC-000005", "INC-000014"
    person = {
        "id": "vandam",
        "name": "Mme Van Dam",
        "language": "fr",
        "zone": "Europe/Lisbon",
    }
    with api.log.transaction() as cursor:
        import_people(cursor, [person], START)
    due_at = _NOON + timedelta(hours=1)
    terms = {"started_at": _NOON, "seconds": 3_600, "due_at": due_at} | _CALENDAR
    api.happened(
        opened(ref, reporter="vandam"),
        told("sla.armed", ref, target="ttr", **terms),
        opened(unreported),
    )
    path = f"/v1/incidents/{ref}/answer-templates"

    (template,) = api.get(path, lang="en")["items"]

    assert template["title"] == "Nous y travaillons"  # there is no English one
    assert template["text"] == (
        f"Bonjour Mme Van Dam, nous travaillons à votre incident {ref}. "
        "Rétablissement prévu : lundi 1er juillet 2030 à 14:00, heure de Lisbonne."
    )
    (nameless,) = api.get(path, who="auditor")["items"]
    assert nameless["text"].startswith("Bonjour, nous travaillons")
    unknown_path = f"/v1/incidents/{unreported}/answer-templates"
    (unknown,) = api.get(unknown_path)["items"]
    assert unknown["text"].endswith("Rétablissement prévu : dès que possible.")
    assert api.call("GET", "/v1/incidents/INC-000099/answer-templates").is_error
    elsewhere = api.get("/v1/destinations", lang="fr")["items"]
    assert elsewhere == [{"destination": "rh", "name": "Service du personnel"}]


def test_what_may_be_the_same_is_proposed_with_the_reason(api: Api) -> None:
    same, other, closed = "INC-000007", "INC-000008", "INC-000009"
    vpn = {"title": "VPN drops every minute", "service": "billetterie"}
    position = api.happened(
        opened("INC-000006", reporter="costa", **vpn),
        opened(same, reporter="costa", **vpn),
        opened(other, reporter="petit", title="Toner", service="billetterie"),
        opened(closed, reporter="costa", **vpn),
        told("incident.cancelled", closed, reason="test", by="person:paul"),
    )
    path = "/v1/incidents/INC-000006/candidates"

    (found,) = api.get(path, min_position=position)["items"]

    assert found["incident"]["ref"] == same
    assert found["because"][0] in {"reporter", "words"}
    assert {"reporter", "words", "service"} == {*found["because"]}
    unknown = api.call("GET", "/v1/incidents/INC-000099/candidates")
    assert unknown.status_code == 404


def test_promises_can_be_asked_for_alone(api: Api) -> None:
    alone = api.get(f"{_PATH}/sla", at=_at(90))

    assert alone["items"] == api.get(_PATH, at=_at(90))["promises"]
    assert datetime.fromisoformat(alone["at"]) == _NOON + timedelta(minutes=90)


def test_a_promise_explains_why_it_is_due(api: Api) -> None:
    asked = {"target": "ttr", "at": _at(90), "lang": "en"}

    (ttr,) = api.get(f"{_PATH}/sla/explain", **asked)["items"]

    assert ttr["promise"] == api.get(_PATH, at=_at(90))["promises"][1]
    (window,) = ttr["windows"]
    assert (window["seconds"], window["stood_for"]) == (3_600, None)
    assert ttr["seconds"] == ttr["promise"]["target_seconds"]
    assert [each["kind"] for each in ttr["happened"]] == [
        "sla.armed",
        "sla.warned",
        "sla.breached",
    ]
    assert ttr["text"][-3].startswith("So it was due on Monday 1 July 2030 at 15:00")


def test_a_promise_says_who_consumed_it(api: Api) -> None:
    asked = {"target": "ttr", "at": _at(90), "lang": "en"}

    (ttr,) = api.get(f"{_PATH}/sla/explain", **asked)["items"]

    consumed = ttr["consumed"]
    assert consumed["seconds"] == consumed["passed_seconds"] == 5_400
    assert consumed["seconds"] == ttr["promise"]["elapsed_seconds"]
    assert sum(each["seconds"] for each in consumed["levels"]) == 5_400
    assert [each["level"] for each in consumed["levels"]] == ["n1", "n2"]
    assert consumed["parties"][-1] == {
        "party": "provider",
        "passed_seconds": 5_400,
        "counted_seconds": 5_400,
    }
    assert ttr["text"][-2].startswith("By Monday 1 July 2030 at 15:30")


def test_it_explains_itself_in_the_language_of_who_asks(api: Api) -> None:
    answer = api.call(
        "GET", f"{_PATH}/sla/explain", headers={"Accept-Language": "fr-BE, en;q=0.5"}
    )

    assert answer.headers["Content-Language"] == "fr"
    assert answer.json()["items"][0]["text"][0].startswith("Le contrat ")


def test_a_promise_lies_on_an_axis_with_open_hours_to_the_latest_instant(
    api: Api,
) -> None:
    path, asked = f"{_PATH}/sla/intervals", {"target": "ttr", "at": _at(90)}

    (ttr,) = api.get(path, **asked)["items"]

    assert ttr["promise"] == api.get(_PATH, at=_at(90))["promises"][1]
    assert datetime.fromisoformat(ttr["begins_at"]) == _NOON
    assert datetime.fromisoformat(ttr["ends_at"]) == _NOON + timedelta(minutes=90)
    (span,) = ttr["open"]
    assert (span["begins_at"], span["ends_at"]) == (ttr["begins_at"], ttr["ends_at"])
    assert (ttr["stopped"], ttr["cut"]) == ([], False)
    assert api.call("GET", "/v1/incidents/INC-000099/sla/intervals").status_code == 404


def test_what_was_not_promised_yet_is_not_explained(api: Api) -> None:
    opening = api.log.history(f"incident-{_REF}")[0]
    then = {"at": opening.recorded_at.isoformat()}

    assert api.get(f"{_PATH}/sla/explain", **then)["items"] == []
    assert api.call("GET", "/v1/incidents/INC-000099/sla/explain").status_code == 404


def test_contacts_are_shown_with_the_very_words(api: Api) -> None:
    (contact,) = api.get(_PATH)["contacts"]

    assert contact["words"] == "Plus rien ne marche !"
    assert (contact["person"], contact["waited_seconds"]) == ("lefevre", 18)


def test_who_was_told_is_shown_and_how_far_it_came(api: Api) -> None:
    (notice,) = api.get(_PATH)["notifications"]

    assert (notice["person"], notice["kind"]) == ("amina", "page")
    assert (notice["state"], notice["reason"]) == ("failed", "no answer")


def test_what_became_of_a_message_is_told_with_what_it_was(api: Api) -> None:
    head = api.log.head().position
    told = {
        language: [
            line["sentence"].replace("\xa0", " ")
            for line in api.get(f"{_PATH}/timeline", lang=language, min_position=head)[
                "items"
            ]
            if line["kind"] in {"notification.sent", "notification.failed"}
        ]
        for language in ("en", "fr")
    }

    sent, failed = told["en"]
    assert sent == "Sent to amina by webhook (page)."
    assert failed.startswith("Not delivered to amina by webhook (page), attempt")
    assert told["fr"][0] == "Envoyé à amina par webhook (appel)."


def test_the_rest_of_a_timeline_still_knows_what_a_message_was(api: Api) -> None:
    head = api.log.head().position
    items = api.get(f"{_PATH}/timeline", min_position=head)["items"]
    sent = next(line for line in items if line["kind"] == "notification.sent")

    rest = api.get(f"{_PATH}/timeline", after=sent["position"] - 1)["items"]

    assert rest[0] == sent
    assert "page" not in sent["what"].values()


def test_what_problem_management_said_is_shown(api: Api) -> None:
    handover = api.get(_PATH)["handover"]

    assert (handover["state"], handover["reason"]) == ("declined", "A single user")
    assert handover["team"] == "problem"


def test_the_past_knows_no_promise_that_was_made_later(api: Api) -> None:
    opening = api.log.history(f"incident-{_REF}")[0]

    then = api.get(_PATH, at=opening.recorded_at.isoformat())

    assert then["promises"] == []
    assert (then["team"], then["level"], then["handover"]) == ("desk", "n1", None)
    assert then["version"] == 1


def test_an_incident_that_is_not_there_has_no_promises(api: Api) -> None:
    assert api.call("GET", "/v1/incidents/INC-000099/sla").status_code == 404
    later = api.call("GET", f"{_PATH}/sla", params={"at": "2020-01-01T00:00:00Z"})
    assert later.json()["detail"].endswith("it was recorded later")


def test_an_auditor_reads_all_streams_about_it_or_its_own_alone(api: Api) -> None:
    path = f"{_PATH}/events"
    everything = api.get(path, who="auditor")["items"]
    own = api.get(path, who="auditor", streams="own")["items"]
    first = api.get(path, who="auditor", limit=4)
    rest = api.get(path, who="auditor", after=first["next_after"])

    assert [item["position"] for item in everything] == list(range(2, 17))
    assert [item["type"].partition(".")[0] for item in own] == ["incident"] * 3
    assert [*first["items"], *rest["items"]] == everything
