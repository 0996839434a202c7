"""Rules for files attached to an incident.

The same content is attached to an incident once. A file that came with a message is
recorded where its message is, even if that incident was merged in the meantime.
"""

from dataclasses import asdict

from services.intake.records.rules.context import DecisionContext
from services.intake.records.system_command import (
    AttachFile,
    LeaveOutFile,
    RecordScan,
)
from shared.domain import events
from shared.domain.commands.incident import RemoveAttachment
from shared.domain.events.event import FORGOTTEN
from shared.domain.incident import Incident, Status
from shared.domain.refusal import Refused

FILES_MAX = 200
"""Files that one incident may have, removed ones not counted."""
REMOVERS = frozenset({"manager", "admin"})


def attached(
    command: AttachFile, incident: Incident, context: DecisionContext
) -> list[events.IncidentEvent]:
    """Return the attachment, unless the incident has the same content already."""
    if incident.status is Status.MERGED and command.message is None:
        raise Refused(
            f"{incident.ref} is merged: do this on {incident.merged_into}", "state"
        )
    if same_file(incident, command.content_sha256) is not None:
        return []
    if sum(not each.removed for each in incident.files.values()) >= FILES_MAX:
        raise Refused(
            f"{incident.ref} has {FILES_MAX} files, and no incident may have more: "
            "remove some, or put these into one archive",
            "state",
        )
    return [
        events.IncidentFileAttached(
            **_owned(command.person, incident, context), **asdict(command)
        )
    ]


def left_out(
    command: LeaveOutFile, incident: Incident, context: DecisionContext
) -> list[events.IncidentEvent]:
    """Return the note about a file that was not kept."""
    return [
        events.IncidentFileLeftOut(
            **_owned(command.person, incident, context), **asdict(command)
        )
    ]


def scanned(
    command: RecordScan, incident: Incident, context: DecisionContext
) -> list[events.IncidentEvent]:
    """Return the verdict, unless it is known or the file was removed.

    What was found infected stays so: a scanner that was late, or whose signatures were
    older, does not make it available again.
    """
    held = incident.files.get(command.attachment)
    if held is None:
        raise _unknown(incident, command.attachment)
    if held.removed or held.verdict in {command.verdict, "infected"}:
        return []
    return [events.IncidentFileScanned(**context.on(incident.ref), **asdict(command))]


def removed(
    command: RemoveAttachment, incident: Incident, context: DecisionContext
) -> list[events.IncidentEvent]:
    """Return the removal, which destroys the content."""
    if REMOVERS.isdisjoint(context.roles):
        raise Refused(
            "a file can only be removed by a manager: its content is destroyed",
            "role",
        )
    held = incident.files.get(command.attachment)
    if held is None:
        raise _unknown(incident, command.attachment)
    if held.removed:
        return []
    return [
        events.IncidentFileRemoved(
            **context.about(incident),
            attachment=command.attachment,
            reason=command.reason,
        )
    ]


def same_file(incident: Incident, content_sha256: str) -> str | None:
    """Return the id of the attached file with this content, or None."""
    if content_sha256 == FORGOTTEN:
        return None
    return next(
        (
            id_
            for id_, each in incident.files.items()
            if each.content_sha256 == content_sha256 and not each.removed
        ),
        None,
    )


def _owned(
    person: str | None, incident: Incident, context: DecisionContext
) -> dict[str, object]:
    """Return the common fields; the file belongs to the person whose message it is."""
    if person is None:
        return context.about(incident)
    return context.on(incident.ref, f"person:{person}")


def _unknown(incident: Incident, attachment: str) -> Refused:
    return Refused(
        f"{incident.ref} has no attachment {attachment}", "unknown_attachment"
    )
