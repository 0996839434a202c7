"""Reviews as the API shows them: the page to write, editions, and the lists."""

from datetime import datetime
from typing import Any

import pytest

from shared.domain.events import EVENT_TYPES
from shared.domain.identifiers import review_stream
from tests.support.builders.june_log import ONE, TWO, June, june
from tests.support.desks.api import Api

pytestmark = pytest.mark.servers

AT = june(10, 9)
SECTIONS = ("summary", "timeline", "impact", "actions")


def review(
    month: June, type_: str, ref: str = ONE, at: datetime = AT, **given: Any
) -> int:
    """Record an event of a review by Tariq; return its position."""
    head = {"at": at, "by": "person:tariq", "whose": "person:tariq", "incident": ref}
    event = EVENT_TYPES[type_].model_validate({**head, **given})
    stream = review_stream(ref)
    month.now = at
    (entry,) = month.log.record(stream, month.log.head_version(stream), [event])
    month.position = entry.position
    return entry.position


def incident(month: June, ref: str = ONE, day: int = 9) -> None:
    month.opens(june(day, 8), ref, team="exploitation", reporter="lefevre")
    month.says(june(day, 9), "incident.acknowledged", ref, by="person:tariq")
    month.says(june(day, 10), "incident.resolved", ref, cycle=1, by="person:tariq")


def opened(month: June, ref: str = ONE, owner: str = "tariq") -> None:
    about: dict[str, Any] = {"policy": 1, "cause": "by_hand", "sections": SECTIONS}
    review(month, "review.opened", ref, owner=owner, due_at=june(16), **about)


def written(month: June, text: str, revision: int = 1, ref: str = ONE) -> None:
    about: dict[str, Any] = {"section": "summary", "revision": revision, "text": text}
    review(month, "review.written", ref, **about)


def published(api: Api, month: June, edition: int = 1) -> None:
    found = api.get(f"/v1/incidents/{ONE}/review", min_position=month.position)
    facts = [fact["position"] for fact in found["facts"] if not fact["left_out"]]
    about: dict[str, Any] = {
        "edition": edition,
        "revisions": {"summary": edition},
        "facts": facts,
    }
    upto = month.position
    review(month, "review.published", policy=1, upto=upto, at=AT, **about)


def action(month: June, number: int, owner: str, due: int, ref: str = ONE) -> None:
    about: dict[str, Any] = {
        "action": number,
        "owner": owner,
        "due_at": june(due),
        "task": f"Do {number}",
    }
    review(month, "review.action_opened", ref, **about)


def test_a_draft_has_the_facts_and_figures_of_the_log(api: Api, month: June) -> None:
    incident(month)
    about: dict[str, Any] = {"by": "person:tariq", "message": "On cherche."}
    month.says(june(9, 11), "incident.informed", ONE, **about)
    opened(month)
    written(month, "Le lien était coupé.")

    path = f"/v1/incidents/{ONE}/review"
    found = api.get(path, min_position=month.position, lang="en")

    kinds = [fact["kind"] for fact in found["facts"]]
    assert kinds == [
        "incident.opened",
        "incident.acknowledged",
        "incident.resolved",
        "incident.informed",
    ]
    first, *_, last = (fact["sentence"] for fact in found["facts"])
    assert first.startswith("It was opened on service portal with priority P3")
    assert last == "tariq informed the users."
    assert found["figures"]["acknowledged_seconds"] == 3_600
    assert found["figures"]["restored_seconds"] == 7_200
    (summary, *_) = found["sections"]
    assert (summary["title"], summary["text"]) == ("Summary", "Le lien était coupé.")
    assert "publish_review" not in found["possible"]


def test_an_edition_stays_as_it_was_published(api: Api, month: June) -> None:
    incident(month)
    opened(month)
    written(month, "Première version")
    action(month, 1, "jos", 20)
    published(api, month)
    path = f"/v1/incidents/{ONE}/review/document"
    asked: dict[str, Any] = {"edition": 1, "lang": "fr"}
    before = api.get(path, min_position=month.position, **asked)

    month.says(
        june(11), "incident.reopened", ONE, cycle=2, cause="user", after_closure=False
    )
    review(month, "review.revised", at=june(12), reason="Faux")
    written(month, "Deuxième version", 2)
    review(month, "review.action_done", at=june(12), action=1)
    published(api, month, 2)
    after = api.get(path, min_position=month.position, **asked)

    assert {**after, "as_of": 0} == {**before, "as_of": 0}
    newest = api.get(path, lang="fr")
    assert (newest["edition"], newest["sections"][0]["text"]) == (2, "Deuxième version")
    assert [each["status"] for each in newest["actions"]] == ["done"]
    missing = api.call("GET", path, params={"edition": 3})
    assert (missing.status_code, missing.json()["code"]) == (404, "unknown_edition")


@pytest.mark.parametrize(
    ("lang", "member", "staff", "user"),
    [
        ("en", "A member of exploitation", "Somebody of the service desk", "A user"),
        (
            "fr",
            "Un membre de exploitation",
            "Quelqu’un du centre de services",
            "Un utilisateur",
        ),
    ],
)
def test_a_document_names_people_by_what_they_are(
    api: Api, month: June, lang: str, member: str, staff: str, user: str
) -> None:
    incident(month)
    again: dict[str, Any] = {"cycle": 2, "cause": "user", "after_closure": False}
    month.says(june(9, 11), "incident.reopened", ONE, by="person:lefevre", **again)
    month.says(june(9, 12), "incident.resolved", ONE, cycle=2, by="person:root")
    opened(month)
    written(month, "# Ce que *nous* savons")
    action(month, 1, "jos", 20)
    path = f"/v1/incidents/{ONE}/review/document"

    answer = api.call("GET", path, params={"format": "markdown", "lang": lang})

    assert answer.headers["content-type"].startswith("text/markdown")
    for each in (member, staff, user):
        assert each in answer.text
    for person in ("tariq", "lefevre", "root"):
        assert person not in answer.text
    assert "# Ce que *nous* savons" in answer.text
    assert "[ ] 1. Do 1" in answer.text
    named = api.get(path, people="names", lang=lang)
    assert any("tariq" in fact["sentence"] for fact in named["facts"])


def followed(api: Api, month: June) -> None:
    """Record two reviews, of which the first is published, with three actions."""
    for ref, day in ((ONE, 8), (TWO, 9)):
        incident(month, ref, day)
    for ref in (ONE, TWO):
        opened(month, ref)
    for number, due in ((1, 20), (2, 11)):
        action(month, number, "jos", due)
    action(month, 1, "ines", 15, TWO)
    published(api, month)


def test_reviews_are_paged_and_offered_as_rows(api: Api, month: June) -> None:
    followed(api, month)

    first = api.get("/v1/reviews", limit=1)
    second = api.get("/v1/reviews", limit=1, cursor=first["next_cursor"])

    assert [first["items"][0]["incident"], second["items"][0]["incident"]] == [TWO, ONE]
    assert second["next_cursor"] is None
    assert second["items"][0]["open_actions"] == 2
    still = api.get("/v1/reviews", status="open")
    assert [each["incident"] for each in still["items"]] == [TWO]
    lines = api.call("GET", "/v1/reviews", headers={"Accept": "application/jsonl"})
    assert len(lines.text.splitlines()) == 2


def test_actions_are_listed_by_their_due_date(api: Api, month: June) -> None:
    followed(api, month)
    path = "/v1/review-actions"
    every: list[tuple[str, int]] = []
    cursor: str | None = ""
    while cursor is not None:
        page = api.get(path, limit=1, **({"cursor": cursor} if cursor else {}))
        every += [(each["incident"], each["action"]) for each in page["items"]]
        cursor = page["next_cursor"]

    assert every == [(ONE, 2), (TWO, 1), (ONE, 1)]
    mine = api.get(path, owner="ines")
    assert [each["task"] for each in mine["items"]] == ["Do 1"]
    rows = api.call("GET", path, params={"format": "csv"})
    assert len(rows.text.splitlines()) == 4


def test_what_was_not_opened_is_not_found(api: Api, month: June) -> None:
    incident(month)

    for tail in ("", "/document"):
        answer = api.call("GET", f"/v1/incidents/{ONE}/review{tail}")
        assert (answer.status_code, answer.json()["code"]) == (404, "unknown_review")
    nowhere = api.call("GET", "/v1/review-actions", params={"cursor": f"{ONE}.9"})
    assert nowhere.status_code == 422
