"""Who is asked for more time hears of it, and whoever is said to have agreed."""

from typing import Any

from shared.domain import events
from tests.support.builders.escalation import Search
from tests.support.builders.promises import INCIDENT, local

ABOUT = {"target": "ttr", "cycle": 1, "extension": f"{INCIDENT}-E1"}
LATER = local("07-01 10:00")


def reported() -> Search:
    search = Search()
    search.opened("09:10")
    return search


def proposed(search: Search, *asked: str) -> list[str]:
    words = {"reason": "La pièce manque.", "asked": asked, "by": "person:paul"}
    when = {"proposed_at": LATER, "proposed_due_at": LATER, "expires_at": LATER}
    return search.happens(
        "09:15", events.SlaExtensionProposed, **(ABOUT | words | when)
    )


def accepted(search: Search, by: str) -> list[str]:
    words: dict[str, Any] = {
        "accepted_by": "petit",
        "channel": "phone",
        "accepted_at": LATER,
        "seconds": 7_200,
        "was_seconds": 3_600,
        "agreed_due_at": LATER,
        "by": by,
    }
    return search.happens("09:16", events.SlaExtensionAccepted, **(ABOUT | words))


def test_each_who_may_agree_is_asked() -> None:
    assert proposed(reported(), "petit", "roche") == [
        "extension → petit",
        "extension → roche",
    ]


def test_whoever_is_said_to_have_agreed_is_told_so() -> None:
    assert accepted(reported(), "person:paul") == ["agreed → petit"]


def test_who_agreed_themselves_is_not() -> None:
    assert accepted(reported(), "person:petit") == []


def test_nobody_hears_of_what_changes_nothing_for_them() -> None:
    search = reported()
    refused = {"refused_by": "roche", "channel": "phone", "refused_at": LATER}
    expired = {"expired_at": LATER, "cause": "no_answer"}
    of_breach = {"target": "ttr", "cycle": 1, "party": "user"}

    assert (
        search.happens("09:17", events.SlaExtensionRefused, **(ABOUT | refused)) == []
    )
    assert (
        search.happens("09:18", events.SlaExtensionExpired, **(ABOUT | expired)) == []
    )
    assert search.happens("09:19", events.SlaBreachAttributed, **of_breach) == []
