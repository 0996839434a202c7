"""Files attached to an incident: what is recorded, and under whose key."""

from typing import Any

import pytest

from services.intake.records.rules.attachments import FILES_MAX
from services.intake.records.system_command import (
    AttachFile,
    LeaveOutFile,
    RecordScan,
)
from shared.domain import events
from shared.domain.commands.incident import RemoveAttachment
from shared.domain.events.event import FORGOTTEN
from tests.unit.intake.commands.scenario import (
    ODETTE,
    OTHER,
    event,
    given,
    opened,
    reported,
)

FILE = "5b6f1c1e-0c1d-5a1b-9c39-0f7c6f0e7a10"
SECOND = "6b6f1c1e-0c1d-5a1b-9c39-0f7c6f0e7a10"
USUAL: dict[str, Any] = {
    "name": "screen.png",
    "media_type": "image/png",
    "size": 9,
    "sha256": "2" * 64,
    "content_sha256": "3" * 64,
}
MESSAGE: dict[str, Any] = {"person": "costa", "channel": "email", "message": "m1"}


def attached(attachment: str = FILE, **fields: Any) -> events.IncidentFileAttached:
    usual = {**USUAL, "attachment": attachment}
    return event(events.IncidentFileAttached, **{**usual, **fields})


attach = AttachFile(attachment=FILE, **USUAL)
removal = RemoveAttachment(attachment=FILE, reason="a password is visible")
removed = event(
    events.IncidentFileRemoved, attachment=FILE, reason="a password is visible"
)


def test_a_file_is_attached() -> None:
    given(opened()).when(attach).then(attached())


@pytest.mark.parametrize(
    ("history", "command", "owner"),
    [
        (opened(), attach, ODETTE),
        (reported(), attach, "person:lefevre"),
        (reported(), AttachFile(attachment=FILE, **USUAL, **MESSAGE), "person:costa"),
    ],
    ids=["nobody reported it", "the first reporter", "the author of the message"],
)
def test_a_file_is_sealed_under_the_key_of_the_person_it_is_about(
    history: events.IncidentOpened, command: AttachFile, owner: str
) -> None:
    (recorded,) = given(history).when(command).events()

    assert recorded.whose == owner


def test_the_same_content_is_attached_once() -> None:
    again = AttachFile(attachment=SECOND, **USUAL)

    given(opened(), attached()).when(again).then()
    given(opened(), attached(), removed).when(again).then(attached(SECOND))


def test_files_of_a_forgotten_person_are_not_taken_for_the_same() -> None:
    forgotten = attached(content_sha256=FORGOTTEN)
    again = AttachFile(attachment=SECOND, **{**USUAL, "content_sha256": FORGOTTEN})

    given(opened(), forgotten).when(again).then_types("file_attached")


def test_an_incident_has_room_for_so_many_files() -> None:
    many = [
        attached(f"{n:08x}{FILE[8:]}", content_sha256=f"{n:064x}")
        for n in range(FILES_MAX)
    ]

    given(opened(), *many).when(attach).then_refused(f"has {FILES_MAX} files")


def test_what_came_with_a_message_stays_with_it_though_the_incident_was_merged() -> (
    None
):
    merged = (opened(), event(events.IncidentMerged, into=OTHER))

    given(*merged).when(attach).then_refused(f"do this on {OTHER}")
    given(*merged).when(AttachFile(attachment=FILE, **USUAL, **MESSAGE)).then(
        attached(**MESSAGE)
    )


def test_a_file_that_is_not_kept_is_noted() -> None:
    told: dict[str, Any] = {"name": "film.mp4", "media_type": "video/mp4", "size": 9**9}

    given(opened()).when(LeaveOutFile(**told, **MESSAGE, why="too_large")).then(
        event(events.IncidentFileLeftOut, **told, **MESSAGE, why="too_large")
    )


def test_a_verdict_is_recorded_once_and_a_later_one_replaces_it() -> None:
    clean = event(events.IncidentFileScanned, attachment=FILE, verdict="clean")
    infected = RecordScan(FILE, "infected", "Win.Test.EICAR_HDB-1")

    given(opened(), attached()).when(RecordScan(FILE, "clean")).then(clean)
    given(opened(), attached(), clean).when(RecordScan(FILE, "clean")).then()
    given(opened(), attached(), clean).when(infected).then_types("file_scanned")
    given(opened(), attached(), removed).when(infected).then()


def test_what_was_found_infected_stays_so_whatever_a_late_scanner_says() -> None:
    found = event(
        events.IncidentFileScanned, attachment=FILE, verdict="infected", signature="x"
    )
    clean = RecordScan(FILE, "clean")

    given(opened(), attached(), found).when(clean).then()


def test_only_a_manager_removes_a_file() -> None:
    past = given(opened(), attached())

    past.when(removal).then_refused("by a manager", "role")
    past.when(removal, roles=("manager",)).then(removed)


def test_removing_twice_changes_nothing() -> None:
    given(opened(), attached(), removed).when(removal, roles=("admin",)).then()


@pytest.mark.parametrize("command", [removal, RecordScan(FILE, "clean")])
def test_what_is_not_attached_is_neither_removed_nor_scanned(command: Any) -> None:
    given(opened()).when(command, roles=("manager",)).then_refused(
        "has no attachment", "unknown_attachment"
    )
