"""Satisfaction as metrics and the results of a survey show it, from a real log."""

from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import pytest

from services.projections.api.session_cookie import COOKIE
from shared.domain.identifiers import (
    survey_answers_stream,
    survey_results_stream,
    survey_stream,
)
from shared.security.access import create
from tests.support.builders.june_log import June, asked, figures, june
from tests.support.desks.api import Api

pytestmark = pytest.mark.servers

SURVEY = "voyageurs"


def invites(month: June, number: int, day: int, **given: Any) -> None:
    at = june(day, 9)
    month.surveys(
        at,
        "survey.invited",
        survey_stream(f"INC-{number:06d}"),
        **{
            "survey": SURVEY,
            "version": "v2",
            "policy": 1,
            "incident": f"INC-{number:06d}",
            "person": "lefevre",
            "expires_at": at + timedelta(days=7),
            "service": "billetterie",
            "team": "accueil",
            "channel": "phone",
            **given,
        },
    )


def answers(
    month: June, number: int, day: int, choice: int, comment: str | None = None
) -> None:
    month.surveys(
        june(day, 10),
        "survey.answered",
        survey_stream(f"INC-{number:06d}"),
        survey=SURVEY,
        version="v2",
        incident=f"INC-{number:06d}",
        person="lefevre",
        choices={"content": choice},
        comment=comment,
        whose="person:lefevre" if comment else None,
    )


def answered(month: June, choices: list[int], **given: Any) -> None:
    for number, choice in enumerate(choices, 1):
        invites(month, number, number, **given)
        answers(month, number, number, choice)


def owner_of(api: Api) -> str:
    """Return as whom the owner of the surveys asks."""
    with api.log.transaction() as cursor:
        made = create(cursor, datetime.now(UTC), "person:ghislaine", ["agent"])
    api.tokens["owner"] = made.token
    return "owner"


def results(api: Api, month: June, **given: str) -> dict[str, Any]:
    found: dict[str, Any] = api.get(
        f"/v1/surveys/{SURVEY}/results",
        min_position=month.position,
        **{"from": "2025-06-01", "to": "2025-07-01", **given},
    )
    return found


def test_a_share_comes_with_its_n_and_from_five_answers_on(
    api: Api, month: June
) -> None:
    answered(month, [5, 4, 3, 2], survey="old")
    invites(month, 8, 20, channel="email", survey="old")

    few = figures(api, month)["satisfaction"]
    answers(month, 8, 21, 5)
    enough = asked(api, month, group_by="channel")

    assert (few["n"], few["share"], few["note"]) == (4, None, "fewer than 5 answers")
    assert (few["invited"], few["responded"], few["response_rate"]) == (5, 4, 0.8)
    whole = enough["figures"]["satisfaction"]
    assert (whole["n"], whole["share"], whole["note"]) == (5, 0.6, None)
    assert {
        each["name"]: each["figures"]["satisfaction"]["n"] for each in enough["groups"]
    } == {"email": 1, "phone": 4}


def test_no_choice_of_incidents_has_a_share_that_its_groups_do_not_have(
    api: Api, month: June
) -> None:
    answered(month, [5, 4, 3, 2, 5, 5, 4, 1])
    by_service = asked(api, month, group_by="service")["groups"]
    (of_service,) = [each for each in by_service if each["name"] == "billetterie"]

    by_one = asked(api, month, service="billetterie", every="week", group_by="team")
    by_two = figures(api, month, service="billetterie", team="accueil")

    satisfaction = by_one["figures"]["satisfaction"]
    assert satisfaction == of_service["figures"]["satisfaction"]
    assert satisfaction["share"] is not None
    divided = (*by_one["periods"], *by_one["groups"])
    assert {each["figures"]["satisfaction"]["share"] for each in divided} == {None}
    assert by_two["satisfaction"]["share"] is None
    assert "what a single person answered" in by_two["satisfaction"]["note"]


def test_an_answer_after_the_period_is_not_a_response_of_it(
    api: Api, month: June
) -> None:
    answered(month, [5])
    answers_late = {"from": "2025-06-01T00:00:00Z", "to": "2025-06-01T09:30:00Z"}

    found = figures(api, month, **answers_late)["satisfaction"]

    assert (found["invited"], found["responded"], found["n"]) == (1, 0, 0)


def test_results_are_shown_beside_what_was_published(api: Api, month: June) -> None:
    answered(month, [5, 5, 4, 4, 3, 2, 5, 5])
    shown = results(api, month)
    month.surveys(
        june(30, 23),
        "survey.published",
        survey_results_stream(SURVEY),
        by="person:ghislaine",
        survey=SURVEY,
        policy=1,
        start=shown["from"],
        end=shown["to"],
        min_answers=8,
        results={
            **shown["figures"],
            "satisfied": 6,
            "questions": [
                {name: each[name] for name in ("version", "question", "counts")}
                for each in shown["figures"]["questions"]
            ],
        },
    )

    found = results(api, month)

    figures_of = found["figures"]
    assert (figures_of["n"], figures_of["satisfied"], figures_of["share"]) == (
        8,
        6,
        0.75,
    )
    (question,) = figures_of["questions"]
    assert question == {
        "version": "v2",
        "question": "content",
        "texts": question["texts"],
        "counts": [0, 1, 1, 2, 4],
    }
    assert set(question["texts"]) >= {"fr"}, "as it was asked, by language"
    assert found["as_published"] is True
    assert found["published"]["figures"] == figures_of
    (survey,) = [
        each
        for each in api.get("/v1/surveys", min_position=month.position)["items"]
        if each["survey"] == SURVEY
    ]
    assert [each["from"] for each in survey["published"]] == ["2025-05-31T22:00:00Z"]


def test_comments_are_shown_to_the_owner_without_the_choices_the_newest_first(
    api: Api, month: June
) -> None:
    for number, (day, comment) in enumerate(
        [(3, "Rapide, merci"), (4, None), (5, "Trois jours sans nouvelles")], 1
    ):
        invites(month, number, day)
        answers(month, number, day, 2, comment)
    invites(month, 4, 6, survey="old")
    month.surveys(
        june(6, 10),
        "survey.answered",
        survey_stream("INC-000004"),
        survey="old",
        version="v2",
        incident="INC-000004",
        person="lefevre",
        choices={"content": 1},
        comment="Of another",
        whose="person:lefevre",
    )
    month.surveys(
        june(7),
        "survey.comment_released",
        survey_answers_stream(SURVEY),
        survey=SURVEY,
        version="v2",
        comment="Sans nom",
        whose="person:lefevre",
    )

    given = {"who": owner_of(api)}
    found = results(api, month, **given)["comments"]
    before = {"from": "2025-05-01", "to": "2025-06-01"}
    earlier = results(api, month, **given, **before)

    assert [(each["words"], each["incident"], each["person"]) for each in found] == [
        ("Sans nom", None, None),
        ("Trois jours sans nouvelles", "INC-000003", "lefevre"),
        ("Rapide, merci", "INC-000001", "lefevre"),
    ]
    assert set(found[0]) == {"at", "person", "incident", "words"}
    assert earlier["comments"] == []
    of_others = results(api, month)
    assert [each["words"] for each in of_others["comments"]] == ["Sans nom"]
    assert of_others["withheld"] == ["comments"]


def test_the_screen_ends_a_period_on_its_last_day_and_shows_what_was_asked(
    api: Api, month: June
) -> None:
    invites(month, 1, 3)
    answers(month, 1, 3, 2, "Trois jours <b>sans</b> nouvelles")
    for number in range(2, 9):
        invites(month, number, number + 2)
        answers(month, number, number + 2, 5)
    query = {"from": "2025-06-01", "to": "2025-07-01", "lang": "fr"}
    (question,) = results(api, month)["figures"]["questions"]
    of_owner = {"Cookie": f"{COOKIE}={api.tokens[owner_of(api)]}"}
    cookie = {"Cookie": f"{COOKIE}={api.tokens['manager']}"}
    place = f"/surveys/{SURVEY}"

    page = api.call("GET", place, None, of_owner, params=query)
    of_others = api.call("GET", place, None, cookie, params=query)
    table = api.call("GET", f"{place}/rows", None, cookie, params=query)

    assert "dimanche 1er juin 2025 – lundi 30 juin 2025" in page.text
    assert question["texts"]["fr"] in unescape(page.text)
    assert "Trois jours &lt;b&gt;sans&lt;/b&gt; nouvelles" in page.text
    assert 'href="/incidents/INC-000001"' in page.text
    assert "Trois jours" not in of_others.text
    assert "Seul le responsable de l’enquête lit les commentaires" in of_others.text
    head, whole, *_ = table.content.decode("utf-8-sig").splitlines()
    assert head == "from;to;by;name;invited;n;satisfied;share"
    assert whole.startswith("2025-06-01 00:00:00;2025-07-01 00:00:00;;;8;8;7;0,875")


@pytest.mark.parametrize(
    ("survey", "query", "status", "words"),
    [
        ("none", {}, 404, "the policy has no survey `none`"),
        (SURVEY, {"from": "2025-06-02", "to": "2025-06-01"}, 422, "must be later"),
        (SURVEY, {"from": "June"}, 422, "write a date such as 2025-06-30"),
    ],
)
def test_a_wrong_question_is_told_what_to_ask(
    api: Api, month: June, survey: str, query: dict[str, str], status: int, words: str
) -> None:
    answer = api.call("GET", f"/v1/surveys/{survey}/results", params=query)

    assert month.position
    assert answer.status_code == status
    assert words in answer.text


def test_no_query_of_metrics_shows_a_share_of_anything_but_months_that_are_over(
    api: Api, month: June
) -> None:
    """Two of them would differ by the answers of a few people."""
    answered(month, [5, 4, 3, 2, 5, 4, 3, 5, 1, 5])
    periods = [
        {"from": "2025-06-01", "to": "2025-07-01"},
        {"from": "2025-06-01", "to": "2025-07-01", "zone": "America/Montreal"},
        {"from": "2025-06-01", "to": "2025-06-30"},
        {"from": "2025-06-02", "to": "2025-07-01"},
        {"from": "2025-05-31T22:00:01Z", "to": "2025-06-30T22:00:00Z"},
        {"from": "2025-06-01", "to": "2025-08-01"},
        {"from": "0001-01-02", "to": "9999-12-30"},
    ]
    shares: dict[tuple[str, ...], Any] = {}
    for query in periods:
        for every in ("day", "week", "month", ""):
            given = {**query, **({"every": every} if every else {})}
            answer = api.call(
                "GET",
                "/v1/metrics",
                params={**given, "min_position": str(month.position)},
            )
            if answer.status_code == 422:
                assert query is periods[-1]
                continue
            found = answer.json()
            for one in (found, *found["periods"]):
                share = one["figures"]["satisfaction"]["share"]
                if share is not None:
                    shares[one["from"], one["to"]] = share

    begin = "2025-05-31T22:00:00Z"
    assert shares == {
        (begin, "2025-06-30T22:00:00Z"): 0.6,
        (begin, "2025-07-31T22:00:00Z"): 0.6,  # July has no answers
    }


@pytest.mark.parametrize(
    ("until", "is_shown"),
    [("2025-07-01", True), ("2025-06-30", False), ("2025-07-02", False)],
)
def test_results_of_other_days_than_a_month_have_n_and_no_figure(
    api: Api, month: June, until: str, is_shown: bool
) -> None:
    answered(month, [5, 5, 4, 4, 3, 2, 5, 5])

    found = results(api, month, to=until)["figures"]

    assert found["n"] == 8
    shown = [
        found["share"],
        *(each["share"] for each in found["groups"]),
        *(each["counts"] or None for each in found["questions"]),
    ]
    assert [each is not None for each in shown] == [is_shown] * len(shown)


def test_a_group_that_the_whole_would_give_away_has_no_share(
    api: Api, month: June
) -> None:
    answered(month, [5, 4, 3, 2, 5, 4])
    for number, day in ((7, 20), (8, 21)):
        invites(month, number, day, service="vpn")
        answers(month, number, day, 5)

    found = asked(api, month, group_by="service")

    assert found["figures"]["satisfaction"]["share"] == 0.75
    assert {
        each["name"]: (each["figures"]["satisfaction"]["n"], share_of(each))
        for each in found["groups"]
        if each["figures"]["satisfaction"]["n"]
    } == {"billetterie": (6, None), "vpn": (2, None)}


def share_of(group: dict[str, Any]) -> float | None:
    found: float | None = group["figures"]["satisfaction"]["share"]
    return found
