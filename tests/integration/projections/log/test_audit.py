"""What auditors judge: kinds and lists, samples, the chain, and their screens."""

import csv
import io
from typing import Any

import psycopg
import pytest

from services.projections.api.session_cookie import COOKIE
from services.projections.audit.rules import sample
from services.projections.web.csrf import token_for
from shared.domain.events import EVENT_TYPES
from tests.support.builders.june_log import June, june
from tests.support.desks.api import Api, problem

pytestmark = pytest.mark.servers

JUNE = {"from": "2025-06-01", "to": "2025-07-01", "zone": "UTC"}
SECRET = "Mrs Duval called twice"  # words that no list may show
REFS = [f"INC-{number:06}" for number in range(1, 13)]


@pytest.fixture(scope="module")
def judged(shared_api: Api, shared_month: June) -> Api:
    """Give an API with a June of decisions that need judgement."""
    month = shared_month
    for number, ref in enumerate(REFS, 1):
        late = {"reported_at": june(1), "backdated_because": SECRET}
        given = {"title": SECRET, **(late if number == 1 else {})}
        priority = "p1" if number % 2 else "p3"
        month.opens(june(2, number), ref, priority=priority, **given)
    _overrides(month)
    for number, ref in enumerate(REFS[:10], 1):
        month.says(june(10, number), "incident.resolved", ref, cycle=1, note=SECRET)
    for number, ref in enumerate(REFS[:10], 1):
        month.says(june(11, number), "incident.closed", ref)
    month.says(june(12), "incident.cancelled", REFS[10], reason="test", note=SECRET)
    _agreements(month)
    _journals(shared_api)
    return shared_api


def _overrides(month: June) -> None:
    for hour, by in ((1, "person:paul"), (2, "person:nadia"), (3, "person:paul")):
        classified = {"service": "portal", "impact": "low", "urgency": "low"}
        month.says(
            june(3, hour),
            "incident.classified",
            REFS[hour],
            by=by,
            priority="p1",
            override=True,
            reason=SECRET if hour < 3 else None,
            **classified,
        )
    month.says(
        june(3, 4),
        "incident.classified",
        REFS[4],
        priority="p3",
        override=False,
        **classified,
    )


def _agreements(month: June) -> None:
    """Record an answer by the user, and one that an agent recorded for them."""
    for hour, by in ((1, "person:lefevre"), (2, "person:paul")):
        at = june(5, hour)
        event = EVENT_TYPES["sla.extension_refused"].model_validate(
            {
                "at": at,
                "by": by,
                "whose": "person:lefevre",
                "incident": REFS[0],
                "policy": 1,
                "target": "ttr",
                "cycle": 1,
                "extension": f"{REFS[0]}-E{hour}",
                "refused_by": "lefevre",
                "channel": "phone",
                "evidence": SECRET,
                "refused_at": june(4),
            }
        )
        month.now = june(12, hour)
        stream = f"sla-{REFS[0]}"
        month.log.record(stream, month.log.head_version(stream), [event])


def _journals(api: Api) -> None:
    with psycopg.connect(api.database.owner_dsn) as connection:
        for number in range(5):
            schema = ("intake", "sla", "escalation")[number % 3]
            connection.execute(
                f"INSERT INTO {schema}.refusals"
                " (at, actor, verb, incident, code, reason)"
                " VALUES (%s, 'person:paul', 'close', %s, 'not_resolved', 'no')",
                (june(6), REFS[number]),
            )
        connection.execute(
            "INSERT INTO vault.keys (key_id, owner, created_at, destroyed_at,"
            " destroyed_because) VALUES ('00000000000000aa', 'person:gone', %s, %s,"
            " 'ticket 42')",
            (june(1), june(7)),
        )


def _counts(api: Api, **given: str) -> dict[str, int]:
    found = api.get("/v1/audit/kinds", "auditor", **{**JUNE, **given})
    return {each["kind"]: each["count"] for each in found["items"]}


def _all(api: Api, kind: str, limit: int, **given: str) -> list[dict[str, Any]]:
    """Return all entries of a kind, read page by page."""
    items: list[dict[str, Any]] = []
    asked = {**JUNE, **given, "limit": str(limit)}
    while True:
        page = api.get(f"/v1/audit/kinds/{kind}", "auditor", **asked)
        items += page["items"]
        if page["next_cursor"] is None:
            return items
        asked["cursor"] = page["next_cursor"]


def test_each_kind_is_counted_and_lists_are_as_long_as_the_counts(judged: Api) -> None:
    counts = _counts(judged)

    assert counts == {
        "overrides": 3,
        "attributions": 0,
        "agreements": 1,
        "backdating": 1,
        "forced_ends": 1,
        "policies": 1,
        "rights": 0,
        "removed_files": 0,
        "forgets": 1,
        "refusals": 5,
        "epochs": 0,
    }
    for kind, count in counts.items():
        newest = _all(judged, kind, 2)
        assert len(newest) == count, kind
        oldest = _all(judged, kind, 3, newest="false")
        assert oldest == newest[::-1], kind


def test_no_list_shows_words_of_people(judged: Api) -> None:
    for kind in _counts(judged):
        answer = judged.call(
            "GET", f"/v1/audit/kinds/{kind}", "auditor", params={**JUNE, "lang": "fr"}
        )
        assert SECRET not in answer.text
        look = _look(judged, f"/audit/kinds/{kind}?from=2025-06-01&last=2025-06-30")
        assert SECRET not in look
    assert SECRET not in judged.call("GET", "/v1/audit/log/2", "auditor").text


def test_a_row_says_who_when_for_when_and_whether_there_is_a_reason(
    judged: Api,
) -> None:
    (late,) = _all(judged, "backdating", 5)
    (agreed,) = _all(judged, "agreements", 5)
    given = {each["incident"]: each for each in _all(judged, "overrides", 5)}

    assert late["backdated_seconds"] == 25 * 3600
    assert (late["reason"], late["has_reason"]) == (None, True)
    assert (agreed["actor"], agreed["subject"]) == ("person:paul", "lefevre")
    assert [given[ref]["has_reason"] for ref in REFS[1:4]] == [True, True, False]
    assert _all(judged, "policies", 5)[0]["reason"] == "first one"
    assert _all(judged, "forgets", 5)[0]["reason"] == "ticket 42"


@pytest.mark.parametrize(
    ("given", "counts"),
    [
        ({"actor": "person:nadia"}, {"overrides": 1, "refusals": 0, "forgets": 0}),
        ({"actor": "person:paul"}, {"overrides": 2, "refusals": 5, "forgets": 0}),
        ({"incident": REFS[0]}, {"agreements": 1, "refusals": 1, "backdating": 1}),
        ({"from": "2025-06-04"}, {"overrides": 0, "policies": 0, "forced_ends": 1}),
        ({"to": "2025-06-03"}, {"overrides": 0, "policies": 1, "refusals": 0}),
    ],
)
def test_the_period_the_actor_and_the_incident_limit_counts_and_lists(
    judged: Api, given: dict[str, str], counts: dict[str, int]
) -> None:
    found = _counts(judged, **given)

    assert {kind: found[kind] for kind in counts} == counts
    for kind, count in counts.items():
        assert len(_all(judged, kind, 2, **given)) == count


def test_a_list_is_a_table_as_well(judged: Api) -> None:
    asked = {**JUNE, "format": "csv"}
    table = judged.call("GET", "/v1/audit/kinds/overrides", "auditor", params=asked)
    rows = list(csv.DictReader(io.StringIO(table.text)))

    assert [row["incident"] for row in rows] == REFS[3:0:-1]
    assert {row["kind"] for row in rows} == {"overrides"}


@pytest.mark.parametrize(
    ("path", "given"),
    [
        ("kinds", {"to": "2025-06-01"}),
        ("kinds", {"actor": 'costa"'}),
        ("kinds/overrides", {"cursor": "x~y"}),
        ("kinds/refusals", {"cursor": "12"}),
        ("kinds/refusals", {"cursor": "2025-06-01~intake~1"}),
        ("kinds/forgets", {"cursor": "1~2~3"}),
        ("kinds/nothing", {}),
        ("sample", {"seed": "é"}),
        ("sample", {"seed": "1", "size": "501"}),
    ],
)
def test_what_makes_no_sense_is_a_422(
    judged: Api, path: str, given: dict[str, str]
) -> None:
    asked = {**JUNE, **given}
    problem(judged.call("GET", f"/v1/audit/{path}", "auditor", params=asked), 422)


def test_agents_and_managers_are_refused(judged: Api) -> None:
    for who in ("agent", "manager", "source"):
        for path in ("kinds", "kinds/overrides", "chain", "sample", "log/1"):
            answer = judged.call("GET", f"/v1/audit/{path}", who, params=JUNE)
            problem(answer, 403)
        problem(judged.call("POST", "/v1/audit/verifications", who, json={}), 403)


def _drawn(api: Api, **given: str) -> dict[str, Any]:
    asked = {**JUNE, "seed": "2025-Q2", "size": "4", **given}
    return api.get("/v1/audit/sample", "auditor", **asked)


@pytest.mark.parametrize(
    ("given", "population"),
    [
        ({}, REFS[:10]),
        ({"to": "2025-06-11T03:30:00Z"}, REFS[:3]),
        ({"priority": "p3"}, [REFS[4], REFS[5], REFS[7], REFS[9]]),
        ({"overridden": "true"}, REFS[1:4]),
        ({"client": "nobody"}, []),
    ],
)
def test_a_sample_is_what_the_documented_method_draws(
    judged: Api, given: dict[str, str], population: list[str]
) -> None:
    found = _drawn(judged, **given)

    assert found["population"] == len(population)
    drawn = sample("2025-Q2", population, 4)
    assert [(each["rank"], each["incident"]) for each in found["items"]] == drawn


def test_a_sample_is_drawn_again_by_its_position_and_chain(judged: Api) -> None:
    before = _drawn(judged, to="2030-01-01")
    position, chain = before["position"], before["chain"]
    past = _drawn(judged, position=str(before["items"][0]["closed_position"] - 1))
    again = _drawn(judged, to="2030-01-01", position=str(position), chain=chain)
    wrong = {**JUNE, "seed": "1", "position": str(position), "chain": "0" * 64}

    assert again["items"] == before["items"]
    assert before["items"][0]["incident"] not in {
        each["incident"] for each in past["items"]
    }
    answer = judged.call("GET", "/v1/audit/sample", "auditor", params=wrong)
    assert problem(answer, 409)["code"] == "other_log"


def _look(api: Api, path: str, status: int = 200, who: str = "auditor") -> str:
    cookie = {"Cookie": f"{COOKIE}={api.tokens[who]}"}
    answer = api.call("GET", path, None, cookie)
    assert answer.status_code == status, answer.text
    return answer.text


def test_the_screens_lead_from_the_period_to_the_event(judged: Api) -> None:
    june_ = "from=2025-06-01&last=2025-06-30"
    drawn = _look(judged, f"/audit/sample?{june_}&seed=2025-Q2&size=4")

    assert "/audit/kinds/overrides?from=2025-06-01" in _look(judged, f"/audit?{june_}")
    assert 'href="/audit/log/' in _look(judged, f"/audit/kinds/overrides?{june_}")
    assert "4 of 10" in drawn
    first = _drawn(judged)["items"][0]["incident"]
    worked = _look(judged, f"/audit/incidents/{first}?{june_}&seed=2025-Q2&size=4")
    assert "1 of 4" in worked
    assert "incident.opened" in _look(judged, "/audit/log/2")


def test_a_wrong_address_is_explained_on_the_screen(judged: Api) -> None:
    assert "before the first" in _look(
        judged, "/audit?from=2025-06-30&last=2025-06-01", 422
    )
    for path in (
        "/audit?actor=a%20b",
        "/audit/kinds/overrides?cursor=x",
        "/audit/sample?seed=%C3%A9",
        "/audit/sample?seed=1&size=0",
    ):
        assert 'role="alert"' in _look(judged, path, 422)
    _look(judged, "/audit/kinds/nothing", 404)
    _look(judged, "/audit", 403, "agent")


def test_parts_of_the_chain_are_verified_and_a_change_is_found(
    api: Api, month: June
) -> None:
    for number, ref in enumerate(REFS, 1):
        month.opens(june(2, number), ref)
    head = month.log.head().position

    part = api.call("POST", "/v1/audit/verifications", "auditor", json={"upto": 5})
    rest = api.call("POST", "/v1/audit/verifications", "auditor", json={})
    whole = api.get("/v1/audit/chain", "auditor")
    assert (part.json()["after"], part.json()["upto"]) == (0, 5)
    assert (rest.json()["after"], rest.json()["upto"]) == (5, head)
    assert (whole["verified_upto"], whole["contradicted"]) == (head, 0)
    assert all(each["matches"] for each in whole["anchors"])
    assert any("read model queue" in each["whose"] for each in whole["anchors"])

    for wrong in ({"after": head + 5}, {"after": 7, "upto": 3}, {"upto": "x"}):
        sent = api.call("POST", "/v1/audit/verifications", "auditor", json=wrong)
        problem(sent, 422)
    with psycopg.connect(api.database.owner_dsn) as connection:
        connection.execute("ALTER TABLE log.events DISABLE TRIGGER ALL")
        connection.execute(
            "UPDATE log.events SET state = state || ' '::bytea"
            " WHERE notification_id = 7"
        )
    again = {"after": 0, "upto": head}
    found = api.call("POST", "/v1/audit/verifications", "auditor", json=again).json()
    assert (found["found_at"], found["upto"]) == (7, 6)
    assert "is not the one recorded there" in found["finding"]
    link = api.get("/v1/audit/log/7", "auditor")
    assert not link["follows"]
    token = api.tokens["auditor"]
    sent = api.call(
        "POST",
        "/audit/chain/verify",
        None,
        {"Cookie": f"{COOKIE}={token}"},
        data={"csrf": token_for(token), "after": "6", "upto": "8"},
    )
    assert sent.status_code == 303
    assert "is not the one recorded there" in _look(api, "/audit/chain")
