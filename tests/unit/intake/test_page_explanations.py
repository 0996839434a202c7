"""Who may ask about the pages of a colleague, and when it is recorded."""

from datetime import UTC, datetime, timedelta

import pytest

from services.intake.page_explanations.rules import Asker, explained
from shared.domain.commands.page_explanation import ExplainPages
from shared.domain.limits import Limits, Within
from shared.domain.refusal import Refused
from shared.messaging.commands import Scope
from tests.support.builders.promises import VALMONT

NOW = datetime(2026, 11, 4, 9, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
QUESTION = ExplainPages(person="bruno", reason="The customer asks.")
ELSEWHERE = (Limits(teams=frozenset({"desk"})),)


def asker(
    who: str, scope: Scope = "agent", within: Within = None, at: datetime = NOW
) -> Asker:
    return Asker(f"person:{who}", at, {scope: within}, VALMONT)


@pytest.mark.parametrize(
    "who",
    [
        asker("sylvie"),
        asker("ida", "auditor"),
        asker("root", "admin"),
    ],
    ids=["manager by the policy", "auditor", "administrator"],
)
def test_a_manager_or_an_auditor_asks_and_it_is_recorded(who: Asker) -> None:
    (event,) = explained(QUESTION, "INC-000042", (), who)

    assert (event.person, event.by, event.whose) == ("bruno", who.by, who.by)
    assert (event.incident, event.reason) == ("INC-000042", "The customer asks.")


@pytest.mark.parametrize(
    "who",
    [asker("chloe"), asker("marc", "manager", ELSEWHERE)],
    ids=["colleague", "manager of another team"],
)
def test_nobody_else_may(who: Asker) -> None:
    with pytest.raises(Refused, match="only a manager of their team or an auditor"):
        explained(QUESTION, "INC-000042", (), who)


def test_about_oneself_there_is_nothing_to_record() -> None:
    with pytest.raises(Refused, match="about yourself"):
        explained(QUESTION, "INC-000042", (), asker("bruno"))


@pytest.mark.parametrize(
    ("minutes", "incident", "recorded"),
    [(14, "INC-000042", 0), (15, "INC-000042", 1), (1, "INC-000043", 1)],
)
def test_a_repeat_within_a_quarter_of_an_hour_is_recorded_once(
    minutes: int, incident: str, recorded: int
) -> None:
    first = explained(QUESTION, "INC-000042", (), asker("sylvie"))
    later = asker("sylvie", at=NOW + minutes * MINUTE)

    assert len(explained(QUESTION, incident, first, later)) == recorded
