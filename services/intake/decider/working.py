"""The desk at work: in touch, classifying, giving out, taking on, waiting, telling."""

from typing import assert_never

from services.intake.decider.circumstances import Circumstances
from services.intake.decider.describing import described
from services.intake.decider.giving import given
from services.intake.decider.refused import Refused
from services.intake.decider.taking import taken
from shared.domain.commands.incident import (
    Acknowledge,
    Assign,
    Attach,
    Classify,
    Edit,
    Inform,
    Pause,
    Resume,
    Return,
)
from shared.domain.events import IncidentEvent
from shared.domain.events.incident import (
    IncidentContacted,
    IncidentInformed,
    IncidentPaused,
    IncidentResumed,
)
from shared.domain.incident import Incident

WorkWish = (
    Attach | Classify | Edit | Assign | Return | Acknowledge | Pause | Resume | Inform
)


def worked(  # noqa: PLR0911 one return a case
    wish: WorkWish, incident: Incident, circumstances: Circumstances
) -> list[IncidentEvent]:
    """Return the events of a wish the table lets through."""
    match wish:
        case Attach():
            return _attached(wish, incident, circumstances)
        case Classify() | Edit():
            return described(wish, incident, circumstances)
        case Assign() | Return():
            return given(wish, incident, circumstances)
        case Acknowledge():
            return taken(incident, circumstances)
        case Pause():
            return _paused(wish, incident, circumstances)
        case Resume():
            common = circumstances.on(incident.ref)
            return [IncidentResumed(**common, cause="agent")]
        case Inform():
            return _informed(wish, incident, circumstances)
        case _:
            assert_never(wish)


def _attached(
    wish: Attach, incident: Incident, circumstances: Circumstances
) -> list[IncidentEvent]:
    now = circumstances.command.at
    if wish.contacted_at and wish.contacted_at > now:
        raise Refused(
            f"`contacted_at` lies ahead; it is {now:%Y-%m-%dT%H:%M:%SZ} now: leave it "
            "out to say now",
            "invalid",
        )
    contacted = IncidentContacted(
        **circumstances.on(incident.ref, f"person:{wish.person}"),
        person=wish.person,
        direction=wish.direction,
        channel=wish.channel,
        contacted_at=wish.contacted_at or now,
        words=wish.words,
        waited_seconds=wish.waited_seconds,
        abandoned=wish.abandoned,
        unconfirmed=wish.unconfirmed or None,
        sender_unconfirmed=wish.sender_unconfirmed or None,
    )
    if contacted == incident.last_contact:
        return []
    inbound = wish.direction == "inbound" and wish.person in incident.reporters
    asked = incident.pause is not None and incident.pause.reason == "user"
    silent = wish.abandoned and wish.words is None
    doubtful = wish.unconfirmed or wish.sender_unconfirmed
    if silent or doubtful or not (inbound and asked):
        return [contacted]
    # The user's reply resumes by itself.
    resumed = IncidentResumed(**circumstances.on(incident.ref), cause="reply")
    return [contacted, resumed]


def _paused(
    wish: Pause, incident: Incident, circumstances: Circumstances
) -> list[IncidentEvent]:
    if wish.reason == "user" and wish.question is None:
        raise Refused("say in `question` what the user is asked", "invalid")
    held = incident.pause
    if held and (held.reason, held.question) == (wish.reason, wish.question):
        return []
    if held:
        raise Refused(
            f"{incident.ref} waits already, for the {held.reason}: resume it first",
            "state",
        )
    paused = IncidentPaused(
        **circumstances.about(incident), reason=wish.reason, question=wish.question
    )
    return [*taken(incident, circumstances), paused]


def _informed(
    wish: Inform, incident: Incident, circumstances: Circumstances
) -> list[IncidentEvent]:
    last = (incident.last_message, incident.last_informed_at)
    if last == (wish.message, circumstances.command.at):
        return []
    return [IncidentInformed(**circumstances.about(incident), message=wish.message)]
