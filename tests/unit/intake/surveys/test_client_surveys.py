"""When a survey of clients opens and closes, and which contacts are asked."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from services.intake.client_surveys.rules import (
    closed,
    contacts,
    opened,
    period_at,
)
from shared.domain.policy.document import Policy
from shared.domain.policy.surveys import ClientSurvey
from shared.domain.survey.record import SurveyRecord, replay_record
from tests.support.policies import full

PARIS = ZoneInfo("Europe/Paris")
PLACE = "{audience: clients,"


def survey_of(policy: Policy) -> ClientSurvey:
    survey = policy.surveys["clients"]
    assert isinstance(survey, ClientSurvey)
    return survey


def asking(written: str) -> tuple[ClientSurvey, Policy]:
    policy = full((PLACE, f"{PLACE} {written},"))
    return survey_of(policy), policy


@pytest.mark.parametrize(
    ("now", "first"),
    [
        (datetime(2025, 3, 31, 21, 59, tzinfo=UTC), None),
        (datetime(2025, 3, 31, 22, tzinfo=UTC), date(2025, 4, 1)),
        (datetime(2025, 4, 21, 21, 59, tzinfo=UTC), date(2025, 4, 1)),
        (datetime(2025, 4, 21, 22, tzinfo=UTC), None),
        (datetime(2026, 1, 2, 12, tzinfo=UTC), date(2026, 1, 1)),
    ],
)
def test_a_period_is_open_from_its_first_day_until_answers_expire(
    now: datetime, first: date | None
) -> None:
    found = period_at(survey_of(full()), now, PARIS)

    assert (found and found.first) == first


def test_a_month_without_the_day_begins_with_the_next_one() -> None:
    survey = survey_of(full(("from: 2025-04-01}", "from: 2025-01-31}")))
    now = datetime(2025, 5, 3, tzinfo=UTC)

    found = period_at(survey, now, ZoneInfo("UTC"))

    assert found is not None
    assert found.first == date(2025, 5, 1)


@pytest.mark.parametrize(
    ("written", "asked"),
    [
        ("contacts: {ville: [ada, bo], fret: [ada]}", {"ada": "fret", "bo": "ville"}),
        ("contacts: {ville: [ada]}, scope: {clients: [fret]}", {}),
        ("contacts: {ville: [ada]}, scope: {services: [horaires]}", {}),
    ],
)
def test_a_contact_is_asked_once_for_a_client_in_the_scope(
    written: str, asked: dict[str, str]
) -> None:
    assert contacts(*asking(written)) == asked


def test_a_period_is_opened_with_an_invitation_for_each_contact_and_closed_once() -> (
    None
):
    survey = survey_of(full())
    now = datetime(2025, 4, 1, 6, tzinfo=UTC)
    period = period_at(survey, now, PARIS)
    assert period is not None

    begins, invited = opened("clients", survey, period, {"ada": "ville"}, 3, now)

    assert (begins.invited, begins.closes_at) == (1, period.closes_at)
    assert [(each.invitation, each.client) for each in invited] == [
        ("SVY-clients.20250401.ada", "ville")
    ]
    held = replay_record([begins])
    assert closed("clients", held, period.closes_at - timedelta(seconds=1)) == []
    (ends,) = closed("clients", held, period.closes_at)
    assert closed("clients", replay_record([begins, ends]), period.closes_at) == []
    assert closed("clients", SurveyRecord(), period.closes_at) == []
