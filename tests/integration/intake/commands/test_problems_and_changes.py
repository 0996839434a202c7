"""Problems and changes beside their incidents: one transaction, both sides know."""

from typing import Any
from uuid import UUID

from services.intake.records.system_command import AnyCommand
from shared.domain.commands.change import CancelChange, PlanChange, RequestChange
from shared.domain.commands.incident import Acknowledge, Link, Merge, Unlink
from shared.domain.commands.problem import (
    IdentifyProblem,
    LinkProblem,
    PublishWorkaround,
    ResolveProblem,
)
from shared.http.problem_details import HttpError
from shared.messaging.commands import RecordAnswer
from tests.integration.intake.commands.test_commands import INC, refused, wanted
from tests.integration.intake.conftest import NOW, Hands
from tests.integration.intake.signals.test_receiving import DISK, receive, types

PRB, CHG = "PRB-000001", "CHG-000001"
FOUND = IdentifyProblem(title="Disks fill up", incident=INC)


def done(
    hands: Hands, wish: AnyCommand, ref: str | None = PRB, **more: Any
) -> RecordAnswer:
    (answer,) = hands.commands.flush([wanted(wish, ref, **more)])
    assert isinstance(answer, RecordAnswer), answer
    return answer


def links(hands: Hands, ref: str = INC) -> list[tuple[str, str]]:
    """Return what the incident's stream says it was linked to."""
    found = [entry.event.model_dump() for entry in hands.log.history(f"incident-{ref}")]
    return [(e["relation"], e["target"]) for e in found if e["type"].endswith("linked")]


def test_a_problem_and_its_incident_are_linked_in_one_transaction(hands: Hands) -> None:
    receive(hands, DISK)

    answer = done(hands, FOUND, None)

    assert (answer.record, answer.version) == (PRB, 1)
    recorded = hands.log.since(answer.positions[0] - 1, 10)
    assert [(entry.stream, entry.type) for entry in recorded] == [
        (f"problem-{PRB}", "problem.identified"),
        (f"incident-{INC}", "incident.linked"),
    ]


def test_the_title_is_sealed(hands: Hands) -> None:
    receive(hands, DISK)
    done(hands, FOUND, None)

    with hands.log.transaction() as cursor:
        (row,) = cursor.execute(
            "SELECT event FROM log.readable WHERE type = 'problem.identified'"
        ).fetchall()
    assert "Disks" not in str(row)


def test_identifying_twice_with_one_key_identifies_one(hands: Hands) -> None:
    receive(hands, DISK)

    first = done(hands, FOUND, None, command_id=UUID(int=5))
    again = done(hands, FOUND, None, command_id=UUID(int=5))

    assert again.outcome == "repeated"
    assert (again.record, again.version) == (first.record, first.version)
    assert again.positions == first.positions


def test_a_key_used_for_an_incident_is_not_used_for_a_problem(hands: Hands) -> None:
    receive(hands, DISK)
    (answer,) = hands.commands.flush([wanted(Acknowledge(), command_id=UUID(int=5))])
    assert not isinstance(answer, Exception)

    assert refused(hands, FOUND, None, command_id=UUID(int=5)).details.status == 422


def test_either_side_links_and_both_know(hands: Hands) -> None:
    receive(hands, DISK, DISK.model_copy(update={"dedup_key": "web-2/disk"}))
    done(hands, FOUND, None)
    (answer,) = hands.commands.flush(
        [wanted(Link(relation="problem", target=PRB), "INC-000002")]
    )
    assert not isinstance(answer, Exception)

    assert done(hands, LinkProblem(incident="INC-000002")).outcome == "already"
    assert links(hands, "INC-000002") == [("problem", PRB)]
    assert types(hands).count("problem.incident_linked") == 1


def test_commands_of_one_batch_see_each_others_records(hands: Hands) -> None:
    receive(hands, DISK)
    done(hands, FOUND, None)

    answers = hands.commands.flush(
        [
            wanted(PublishWorkaround(text="Delete it"), PRB),
            wanted(RequestChange(title="Bigger", incident=INC, problem=PRB), None),
            wanted(ResolveProblem(), PRB),
            wanted(PublishWorkaround(text="None"), PRB),
            wanted(Unlink(relation="problem", target=PRB)),
        ]
    )

    assert isinstance(answers[3], HttpError)
    assert answers[3].details.status == 409
    assert ("change", CHG) in links(hands)


def test_a_change_is_planned_at_the_version_that_was_read(hands: Hands) -> None:
    asked = done(hands, RequestChange(title="Bigger"), None)
    plan = PlanChange(planned_for=NOW)

    assert refused(hands, plan, CHG, if_match=7).details.status == 412
    assert done(hands, plan, CHG, if_match=asked.version).version == 2
    assert done(hands, CancelChange(reason="too dear"), CHG).version == 3


def test_what_is_not_there_is_a_404_and_what_is_named_so_a_422(hands: Hands) -> None:
    receive(hands, DISK)

    assert refused(hands, ResolveProblem(), PRB).details.status == 404
    assert refused(hands, CancelChange(reason="x"), CHG).details.status == 404
    unknown = IdentifyProblem(title="x", incident="INC-000777")
    assert refused(hands, unknown, None).details.status == 422
    no = refused(hands, Link(relation="problem", target=PRB))
    assert (no.details.status, no.details.code) == (422, "unknown_target")


def test_a_refusal_names_the_record_and_its_kind(hands: Hands) -> None:
    refused(hands, ResolveProblem(), PRB)

    with hands.log.transaction() as cursor:
        rows = cursor.execute("SELECT verb, incident, code FROM intake.refusals")
        assert rows.fetchall() == [("problem.resolve", PRB, "unknown_problem")]


def test_what_was_merged_is_not_linked(hands: Hands) -> None:
    receive(hands, DISK, DISK.model_copy(update={"dedup_key": "web-2/disk"}))
    done(hands, FOUND, None)
    (answer,) = hands.commands.flush([wanted(Merge(into="INC-000002"))])
    assert not isinstance(answer, Exception)

    no = refused(hands, LinkProblem(incident=INC), PRB)

    assert "link to INC-000002 instead" in no.details.detail
