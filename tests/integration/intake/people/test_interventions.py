"""Interventions in a real log: in the person's own stream, and once for a key."""

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from services.intake.interventions.store import InterventionDesk
from shared.domain.commands.escalation_preview import PreviewEscalation
from shared.domain.commands.intervention import (
    DeclareIntervention,
    InterventionAnswer,
    WithdrawIntervention,
)
from shared.domain.identifiers import interventions_stream
from shared.domain.limits import Limits
from shared.eventlog.log import EventLog
from shared.http.problem_details import HttpError
from shared.messaging.commands import CommandMessage, CommandRequest
from shared.security.access import Caller
from shared.security.command_limits import CommandLimits
from shared.security.rights import Grant
from shared.security.sender import COMMANDERS
from tests.integration.intake.conftest import MASTER, NOW
from tests.support.servers.servers import Database

pytestmark = pytest.mark.servers

HOUR = timedelta(hours=1)
LIMITED = Caller(
    "person:nadia", (Grant("", "agent", Limits(clients=frozenset({"ours"}))),), "t"
)
WORKED = {"person": "nadia", "start": NOW - 3 * HOUR, "end": NOW - HOUR}


@pytest.fixture
def desk(ruled: Database) -> Iterator[InterventionDesk]:
    dsn = ruled.dsn("desk_intake")
    with closing(EventLog.open(dsn, master=MASTER, clock=lambda: NOW)) as log:
        yield InterventionDesk(log, lambda: NOW)


def take(
    desk: InterventionDesk, body: Any, number: int | None = None
) -> InterventionAnswer:
    command_id = None if number is None else UUID(int=number)
    given = {"actor": "person:nadia", "scopes": ("agent",), "command_id": command_id}
    return desk.take(CommandRequest[Any](body=body, **given))


def test_a_declaration_is_recorded_once_and_can_be_withdrawn(
    desk: InterventionDesk, owner: EventLog
) -> None:
    body = DeclareIntervention.model_validate(WORKED)
    done, again = take(desk, body, 1), take(desk, body, 1)
    known = take(desk, body)
    gone = take(desk, WithdrawIntervention(person="nadia", intervention="nadia.1"))

    assert (done.outcome, done.intervention, done.version) == ("recorded", "nadia.1", 1)
    assert (again.outcome, again.positions) == ("repeated", done.positions)
    assert (known.outcome, gone.outcome) == ("already", "recorded")
    assert [each.type for each in owner.history(interventions_stream("nadia"))] == [
        "on_call.intervention_declared",
        "on_call.intervention_withdrawn",
    ]


@pytest.mark.parametrize(
    "body",
    [
        DeclareIntervention.model_validate(WORKED),
        WithdrawIntervention(person="nadia", intervention="nadia.1"),
        PreviewEscalation(service="paie", priority="p1"),
    ],
    ids=lambda body: body.verb,
)
def test_limits_do_not_keep_people_from_what_is_not_about_records(
    desk: InterventionDesk, body: Any
) -> None:
    limits = CommandLimits(desk.log)
    message = CommandMessage[Any](body=body)

    assert limits.narrowed(LIMITED, message, COMMANDERS) == LIMITED


def test_whose_rights_are_limited_names_only_an_incident_within_them(
    desk: InterventionDesk,
) -> None:
    body = DeclareIntervention.model_validate({**WORKED, "incident": "INC-000001"})
    with pytest.raises(HttpError) as refused:
        CommandLimits(desk.log).narrowed(
            LIMITED, CommandMessage[Any](body=body), COMMANDERS
        )

    assert refused.value.details.code == "unknown_target"


@pytest.mark.parametrize(
    ("person", "code"), [("nadia", "unknown_incident"), ("chloe", "role")]
)
def test_only_oneself_learns_whether_an_incident_exists(
    desk: InterventionDesk, person: str, code: str
) -> None:
    named = {**WORKED, "person": person, "incident": "INC-999999"}
    with pytest.raises(HttpError) as refused:
        take(desk, DeclareIntervention.model_validate(named))

    assert refused.value.details.code == code
