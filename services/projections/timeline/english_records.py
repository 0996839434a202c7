"""Timeline sentences in English: hand-overs, problems, changes and announced work."""

from collections.abc import Mapping

from services.projections.timeline.sentence_parts import Part

RECORDS: Mapping[str, tuple[Part, ...]] = {
    "handover.requested": (
        "It was handed to Problem Management, team {team}",
        ", since service {service} broke TTR at {breached_at}",
        "; it may be part of {problem}",
        "; it may be part of one of {proposed}",
        "; an answer is due {answer_by}",
    ),
    "handover.accepted": ("Problem Management took it on as {problem}",),
    "handover.joined": ("Problem Management made it part of {problem}",),
    "handover.reopened": (
        "It was taken out of {problem} again, and awaits Problem Management",
        "; an answer is due {answer_by}",
    ),
    "handover.declined": ("{who} declined the hand-over: {reason}",),
    "handover.unanswered": ("Problem Management had not answered by {unanswered_at}",),
    "handover.service_requested": (
        "Service {service} was handed to Problem Management, team {team}",
        ": {breaches} broken promises within {within_days} days",
        ", {overrun_seconds} too late in all",
        "; it is part of {problem}",
        "; it may be part of one of {proposed}",
        "; an answer is due {answer_by}",
    ),
    "handover.service_accepted": (
        "Problem Management took service {service} on as {problem}",
    ),
    "handover.service_joined": ("Service {service} became part of {problem}",),
    "handover.service_declined": (
        "{who} declined the hand-over of service {service}: {reason}",
    ),
    "handover.service_unanswered": (
        "Problem Management had not answered for {service} by {unanswered_at}",
    ),
    "escalation.problem_suggested": (
        "A problem was suggested to team {team}",
        ", since incidents of the same kind came within {within_days} days",
        ": {incidents}",
    ),
    "problem.identified": (
        "{who} identified the problem “{title}”",
        "of service {service}, for team {team}",
        ", found by {incident}",
    ),
    "problem.incident_linked": ("{who} found that {incident} has this cause too",),
    "problem.incident_presumed": (
        "{incident} broke its promise on the same service",
        "so it may have this cause: to be confirmed",
    ),
    "problem.incident_related": ("{who} found that {incident} has to do with it",),
    "problem.incident_unlinked": ("{who} removed the link to {incident}",),
    "problem.change_linked": ("{who} asked for {change} to remove the cause",),
    "problem.change_unlinked": ("{who} removed the link to {change}",),
    "problem.assigned": ("{who} gave it to team {team}", ", with {incidents}"),
    "problem.workaround_published": ("{who} published a workaround: “{workaround}”",),
    "problem.diagnosed": ("{who} found the cause: “{cause}”",),
    "problem.resolved": ("{who} resolved it", ": {note}"),
    "problem.note_added": ("{who} added: “{note}”",),
    "change.requested": (
        "{who} requested the change “{title}”",
        "of service {service}, for team {team}",
        ", because of {incident}",
        ", because of {problem}",
    ),
    "change.incident_linked": ("{who} linked {incident} ({relation})",),
    "change.incident_unlinked": ("{who} removed the link to {incident} ({relation})",),
    "change.problem_linked": ("{who} linked {problem}, which it is to solve",),
    "change.problem_unlinked": ("{who} removed the link to {problem}",),
    "change.assigned": ("{who} gave it to team {team}", ", with {incidents}"),
    "change.planned": ("{who} planned it for {planned_for}",),
    "change.implemented": ("{who} made it", ": {note}"),
    "change.cancelled": ("{who} cancelled it: {reason}",),
    "change.note_added": ("{who} added: “{note}”",),
    "maintenance.announced": (
        "{who} announced work on service {service}, {window}",
        ", until {until}: {reason}",
    ),
    "log.restored": (
        "{who} began epoch {epoch} of the log, after position {begins_after}",
        ": {reason}",
    ),
    "maintenance.cancelled": ("{who} cancelled the work {window}", ": {reason}"),
}
