"""A question about the pages of a colleague: in the log once, its reason encrypted."""

from collections.abc import Iterator
from contextlib import closing
from typing import Any
from uuid import UUID

import pytest

from services.intake.page_explanations.store import ExplanationDesk
from services.intake.policy.store import Policies
from shared.domain.commands.page_explanation import ExplainPages, ExplanationAnswer
from shared.domain.events.on_call_history import OnCallExplained
from shared.domain.identifiers import explanations_stream, incident_stream
from shared.eventlog.log import EventLog
from shared.http.problem_details import HttpError
from shared.messaging.commands import CommandRequest
from tests.integration.intake.conftest import MASTER, NOW
from tests.support.servers.servers import Database
from tests.support.strategies.histories import opened

pytestmark = pytest.mark.servers

REASON = "Mme Roche asks who knew"


@pytest.fixture
def desk(ruled: Database) -> Iterator[ExplanationDesk]:
    dsn = ruled.dsn("desk_intake")
    with closing(EventLog.open(dsn, master=MASTER, clock=lambda: NOW)) as log:
        yield ExplanationDesk(log, Policies(log), lambda: NOW)


def ask(
    desk: ExplanationDesk, incident: str, number: int | None = None
) -> ExplanationAnswer:
    return desk.take(
        CommandRequest[Any](
            actor="person:ida",
            scopes=("auditor",),
            incident=incident,
            command_id=None if number is None else UUID(int=number),
            body=ExplainPages(person="nadia", reason=REASON),
        )
    )


def test_a_question_is_recorded_once_and_its_reason_is_encrypted(
    desk: ExplanationDesk, owner: EventLog
) -> None:
    ref = "INC-000042"
    owner.record(incident_stream(ref), 0, [opened(ref, at=NOW)])

    first, again, repeat = ask(desk, ref, 1), ask(desk, ref, 1), ask(desk, ref)

    assert (first.outcome, again.outcome, repeat.outcome) == (
        "recorded",
        "repeated",
        "already",
    )
    (entry,) = owner.history(explanations_stream("nadia"))
    event = entry.event
    assert isinstance(event, OnCallExplained)
    assert (event.by, event.incident, event.reason) == ("person:ida", ref, REASON)
    with owner.transaction() as cursor:
        query = "SELECT state FROM log.events WHERE topic = 'on_call.explained'"
        ((state,),) = cursor.execute(query).fetchall()
    assert b"Roche" not in bytes(state)


def test_an_incident_that_does_not_exist_is_refused(desk: ExplanationDesk) -> None:
    with pytest.raises(HttpError) as refused:
        ask(desk, "INC-999999")

    assert refused.value.details.code == "unknown_incident"
