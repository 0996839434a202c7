"""Which commands an incident allows now, and why not: by status and by what is so.

The owner of a stream decides with the same table, so that nobody is offered a command
only to hear that it is not possible. Whose a command is to say is in `relations`; what
depends on its body, on the caller's role or on other records is left to its owner.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from shared.domain.commands import incident as commands
from shared.domain.commands.escalation import Accept, Escalate
from shared.domain.incident.state import AT_WORK, Incident, Status
from shared.domain.policy.targets import SupportLevel
from shared.domain.refusal import Refused
from shared.domain.sla import Clock, extendable

DO = "do"
"""The rule of the command decides."""
ALREADY = "already"
"""The effect exists; any other text is a refusal that says what to do instead."""
REOPEN = "reopen it first"
NEW = "open a new incident and link it"
THERE = "do this on {into}"
_RESOLVE = "resolve it first"
_UNMERGE = "unmerge it first"
_LINK = "link the two instead"
_OVER = "there is nothing left to end"
_UNSOLVED = "nothing was solved"

# In the order of Status: new, acknowledged, paused, resolved, closed, cancelled,
# merged.
UNLESS_MERGED = (*[DO] * 6, THERE)
_UNTIL_CLOSED = (*[DO] * 4, REOPEN, NEW, THERE)
_AT_WORK = (DO, DO, DO, REOPEN, REOPEN, NEW, THERE)
_ENDING = (DO, DO, DO, ALREADY, ALREADY, NEW, THERE)
_WITHOUT_WORK = (DO, DO, DO, "close it instead", _OVER, ALREADY, _UNMERGE)
_AFTER_WORK = (_RESOLVE, _RESOLVE, _RESOLVE)

EFFECTS: Mapping[str, tuple[str, ...]] = {
    commands.Open.verb: (ALREADY,) * 7,
    commands.Attach.verb: UNLESS_MERGED,
    commands.Classify.verb: _UNTIL_CLOSED,
    commands.Edit.verb: _UNTIL_CLOSED,
    commands.Assign.verb: _AT_WORK,
    commands.Acknowledge.verb: (DO, ALREADY, DO, REOPEN, REOPEN, NEW, THERE),
    commands.Return.verb: _AT_WORK,
    commands.Pause.verb: _AT_WORK,
    commands.Resume.verb: (ALREADY, ALREADY, DO, REOPEN, REOPEN, NEW, THERE),
    commands.Inform.verb: UNLESS_MERGED,
    commands.Restore.verb: _ENDING,
    commands.Relapse.verb: _AT_WORK,
    commands.Resolve.verb: _ENDING,
    commands.NoteSolution.verb: (*_AFTER_WORK, DO, DO, _UNSOLVED, THERE),
    commands.Reopen.verb: (ALREADY, ALREADY, ALREADY, DO, DO, NEW, _UNMERGE),
    commands.Close.verb: (*_AFTER_WORK, DO, ALREADY, _OVER, THERE),
    commands.Cancel.verb: _WITHOUT_WORK,
    commands.Redirect.verb: _WITHOUT_WORK,
    commands.RemoveAttachment.verb: (DO,) * 7,
    commands.Snooze.verb: _AT_WORK,
    commands.Wake.verb: (DO, DO, DO, *[ALREADY] * 3, THERE),
    commands.Note.verb: UNLESS_MERGED,
    commands.Remind.verb: _UNTIL_CLOSED,
    commands.Unremind.verb: (DO,) * 7,
    commands.Link.verb: UNLESS_MERGED,
    commands.Unlink.verb: UNLESS_MERGED,
    commands.Merge.verb: (DO, DO, DO, _LINK, _LINK, _LINK, DO),
    commands.Unmerge.verb: (*[ALREADY] * 6, DO),
    commands.Split.verb: _AT_WORK,
}
"""The effect of each verb of people in each status."""
EXTENSIONS = "extensions"
"""The end of the path at which a longer delay is proposed."""


class Situation(NamedTuple):
    """An incident, where it is and what is promised about it."""

    incident: Incident
    level: SupportLevel
    accepted_by: str | None
    """Who accepted it at this level."""
    clocks: Sequence[Clock]
    may_say: Callable[[str], bool]
    """Whether a verb is the reader's to say, by their relation to it."""
    otherwise: Callable[[str], str] = lambda _: ""
    """What is done instead of a verb that is not the reader's to say."""


_CHANGES_NOTHING: Mapping[str, Callable[[Situation, str | None], bool]] = {
    commands.RemoveAttachment.verb: lambda now, _: all(
        file.removed for file in now.incident.files.values()
    ),
    commands.Acknowledge.verb: lambda now, person: (
        now.incident.acknowledged_at is not None or person is None
    ),
    commands.Restore.verb: lambda now, _: now.incident.restored_at is not None,
    commands.Relapse.verb: lambda now, _: now.incident.restored_at is None,
    commands.Return.verb: lambda now, _: now.level == "n1",
    commands.Pause.verb: lambda now, _: now.incident.pause is not None,
    commands.Wake.verb: lambda now, _: now.incident.snoozed_until is None,
    commands.Remind.verb: lambda _, person: person is None,
    commands.Unremind.verb: lambda now, person: person not in now.incident.reminders,
    commands.Unlink.verb: lambda now, _: not now.incident.links,
    commands.Merge.verb: lambda now, _: now.incident.merged_into is not None,
}
"""Whether a verb would change nothing, or is refused whatever its body says."""


def possible(now: Situation, person: str | None) -> list[str]:
    """Return the verbs that would change something if `person` used them now."""
    incident = now.incident
    order = list(Status).index(incident.status)
    found = [
        verb
        for verb, effects in EFFECTS.items()
        if effects[order] == DO
        and not (verb in _CHANGES_NOTHING and _CHANGES_NOTHING[verb](now, person))
    ]
    if incident.status in AT_WORK:
        found.append(Escalate.verb)
        if _can_be_accepted(now.level, now.accepted_by, person):
            found.append(Accept.verb)
        found += [] if _refused_extension(now) else [EXTENSIONS]
    return [verb for verb in found if now.may_say(verb)]


def why_refused(now: Situation, person: str | None) -> dict[str, str]:
    """Return why verbs would be refused, whatever their bodies say, by verb.

    Each is the sentence of the owner who decides; only of escalating and accepting what
    is over it says more. A verb that would merely change nothing is not among them.
    """
    incident = now.incident
    order = list(Status).index(incident.status)
    escalations = dict.fromkeys((Accept.verb, Escalate.verb), _AT_WORK)
    found = {
        verb: refused_by_status(
            incident.ref, incident.status, effects[order], incident.merged_into
        )
        for verb, effects in {**EFFECTS, **escalations}.items()
        if effects[order] not in (DO, ALREADY)
    }
    if incident.status in AT_WORK:
        own = {
            commands.Pause.verb: refused_by_pause(incident),
            Accept.verb: refused_acceptance(
                incident.ref, now.level, now.accepted_by, person
            ),
            EXTENSIONS: _refused_extension(now),
        }
        found |= {verb: why for verb, why in own.items() if why}
    why_not = {verb: str(why) for verb, why in found.items()}
    theirs = [*EFFECTS, Accept.verb, Escalate.verb, EXTENSIONS]
    others = {v: now.otherwise(v) for v in theirs if not now.may_say(v)}
    return {**others, **why_not}


def refused_by_status(ref: str, status: str, effect: str, into: str | None) -> Refused:
    """Return the refusal of a verb with this effect, about any kind of record."""
    instead = effect.format(into=into)
    return Refused(f"{ref} is {status}: {instead}", "state")


def refused_by_pause(incident: Incident) -> Refused | None:
    """Return the refusal of another pause, None for an incident that is not paused."""
    if incident.pause is None:
        return None
    return Refused(
        f"{incident.ref} waits already, for the {incident.pause.reason}: resume it "
        "first",
        "state",
    )


def refused_acceptance(
    incident: str, level: SupportLevel, accepted_by: str | None, person: str | None
) -> Refused | None:
    """Return the refusal to accept an incident at work; None if nothing is against it.

    `accepted_by`: who has, if nobody else is needed.
    """
    if level == "n1":
        return Refused(
            f"{incident} is with the desk: acknowledge it, or escalate it first",
            "state",
        )
    if accepted_by not in (None, person):
        return Refused(
            f"{accepted_by} has accepted {incident} at {level}: ask them, or have it "
            "assigned to you",
            "state",
        )
    return None


class Standing(NamedTuple):
    """What a row of a queue says about an incident, enough for the commands below."""

    status: Status
    is_acknowledged: bool
    level: SupportLevel
    accepted_by: str | None
    may_say: Callable[[str], bool]
    """Whether a verb is the reader's to say, by their relation to it."""


def possible_from_row(standing: Standing, person: str | None) -> list[str]:
    """Return which of `acknowledge` and `accept` would change something now."""
    effects = EFFECTS[commands.Acknowledge.verb]
    effect = effects[list(Status).index(standing.status)]
    can_be_taken = effect == DO and not standing.is_acknowledged and person is not None
    found = [commands.Acknowledge.verb] if can_be_taken else []
    if standing.status in AT_WORK and _can_be_accepted(
        standing.level, standing.accepted_by, person
    ):
        found.append(Accept.verb)
    return [verb for verb in found if standing.may_say(verb)]


def _can_be_accepted(
    level: SupportLevel, accepted_by: str | None, person: str | None
) -> bool:
    return level != "n1" and accepted_by is None and person is not None


def _refused_extension(now: Situation) -> Refused | None:
    incident = now.incident
    try:
        extendable(incident.ref, now.clocks, incident.cycle, incident.reporters)
    except Refused as why:
        return why
    return None
