"""What happened, in English; `sentence_parts` says in which form."""

from collections.abc import Mapping

from services.projections.timeline.sentence_parts import Part, Words

ENGLISH: Mapping[str, tuple[Part, ...]] = {
    "incident.opened": (
        "{who} opened the incident “{title}”",
        "on service {service}",
        "(the source calls it {claimed_service})",
        "with priority {priority}",
        "for team {team}",
        "as reported by {reporter}",
        ("override", "; its priority was set by hand"),
        ", because: {override_reason}",
        "; recorded late, because: {backdated_because}",
        "; split off {split_from}",
        "; the same trouble as {follows} before",
    ),
    "incident.contacted": (
        "{who} noted a contact, {direction} by {channel}, with {person}",
        ", who waited {waited_seconds}",
        ("abandoned", "and gave up"),
        ": “{words}”",
    ),
    "incident.classified": (
        "{who} classified it: service {service}, impact {impact}, urgency {urgency}",
        ", priority {priority}",
        ("override", "set by hand"),
        ", category {category}",
        ", client {client}",
        ", because: {reason}",
    ),
    "incident.assigned": ("{who} gave it to team {team}", ", to {assignee}"),
    "incident.acknowledged": ("{who} took it on",),
    "incident.paused": (
        "{who} paused it, waiting for the {reason}",
        ", and asked: “{question}”",
    ),
    "incident.resumed": ("{who} ended the pause ({cause})",),
    "incident.informed": ("{who} told the user: “{message}”",),
    "incident.restored": (
        "{who} noted that service is back",
        ("workaround", ", by a workaround"),
        ": {note}",
    ),
    "incident.relapsed": ("{who} noted that service is down again", ": {reason}"),
    "incident.resolved": ("{who} resolved it", ": {note}"),
    "incident.reopened": (
        "{who} reopened it",
        ("after_closure", "after it was closed"),
        "({cause}, cycle {cycle})",
        ": {reason}",
    ),
    "incident.closed": ("{who} closed it", ": {note}"),
    "incident.cancelled": ("{who} cancelled it ({reason})", ": {note}"),
    "incident.signalled": (
        "{source} signalled it",
        "with severity {severity}",
        "(repeats: {repeats})",
    ),
    "incident.recovered": ("{source} sent a recovery", "(repeats before: {repeats})"),
    "incident.source_acknowledged": ("It was acknowledged at {source}",),
    "incident.linked": ("{who} linked it to {target} ({relation})",),
    "incident.unlinked": ("{who} removed its link to {target} ({relation})",),
    "incident.merged": ("{who} merged it into {into}",),
    "incident.absorbed": ("{who} merged {merged} into it",),
    "incident.unmerged": ("{who} took it out of {out_of} again",),
    "incident.released": ("{who} took {merged} out of it again",),
    "incident.split": ("{who} split {into} off it",),
    "sla.armed": (
        "Contract {contract} promises {target} within {seconds}",
        "of calendar {calendar}: due {due_at}",
    ),
    "sla.warned": ("{percent} % of {target} are used up: due {due_at}",),
    "sla.breached": (
        "{target} was broken at {breached_at}",
        ": contract {contract} promised it within {seconds}",
    ),
    "sla.met": ("{target} was met at {met_at}, after {elapsed_seconds} of {seconds}",),
    "sla.overran": (
        "What {target} promised was done at {done_at}, {overrun_seconds} too late",
    ),
    "sla.cancelled": ("{target} was cancelled at {cancelled_at} ({reason})",),
    "sla.paused": (
        "{target} stands, waiting for the {reason}, with {left_seconds} left",
    ),
    "sla.resumed": ("{target} goes on: due {due_at}",),
    "sla.continued": ("{target} goes on ({cause}): due {due_at}",),
    "sla.retargeted": (
        "{target} is promised within {seconds} now, not {was_seconds}",
        ", by contract {contract}",
        ": due {due_at}, not {was_due_at}",
    ),
    "escalation.escalated": (
        "It was escalated from {from_level} to {to_level}, to team {team}: {cause}",
        "({dwell_seconds})",
        ", because: {reason}",
    ),
    "escalation.paged": (
        "Paged: {people}, since step {step} of {level}, try {loop}, asks for {whom}",
        "of schedule {schedule}",
        "of team {team}",
        "; due {due_at}, under policy version {policy}",
        ("nobody_on_call", "; nobody was on call: these stand in for a gap"),
    ),
    "escalation.accepted": ("{person} took it on at {level} ({how})",),
    "escalation.unanswered": (
        "Nobody took it on at {level}: all steps were tried by {unanswered_at}",
    ),
    "escalation.raised": (
        "Told: {people}, as {whom}",
        "of schedule {schedule}",
        "of team {team}",
        ", of {on}",
        "({percent} %)",
    ),
    "notification.requested": (
        "A message ({kind})",
        "to {person}",
        "is to go out by {channel}",
    ),
    "notification.sent": ("Message {key} went out",),
    "notification.confirmed": (
        "Message {key} was taken by the other side (attempts: {attempts})",
    ),
    "notification.failed": (
        "Message {key} could not be delivered (attempts: {attempts}): {reason}",
    ),
    "handover.requested": (
        "It was handed to Problem Management, team {team}",
        ", since service {service} broke TTR at {breached_at}",
        "; it may be part of {problem}",
        "; an answer is due {answer_by}",
    ),
    "handover.accepted": ("Problem Management took it on as {problem}",),
    "handover.joined": ("Problem Management made it part of {problem}",),
    "handover.declined": ("{who} declined the hand-over: {reason}",),
    "handover.unanswered": ("Problem Management had not answered by {unanswered_at}",),
    "problem.identified": (
        "{who} identified the problem “{title}”",
        "of service {service}, for team {team}",
        ", found by {incident}",
    ),
    "problem.incident_linked": ("{who} found that {incident} has this cause too",),
    "problem.assigned": ("{who} gave it to team {team}",),
    "problem.workaround_published": ("{who} published a workaround: “{workaround}”",),
    "problem.resolved": ("{who} resolved it", ": {note}"),
    "change.requested": (
        "{who} requested the change “{title}”",
        "of service {service}, for team {team}",
        ", because of {incident}",
        ", because of {problem}",
    ),
    "change.planned": ("{who} planned it for {planned_for}",),
    "change.implemented": ("{who} made it", ": {note}"),
    "change.cancelled": ("{who} cancelled it: {reason}",),
}

WORDS: Words = {
    "target": {"tto": "TTO", "ttr": "TTR", "update": "next update"},
    "cause": {
        "by_hand": "by hand",
        "dwell": "its time there was used up",
        "desk_closed": "nobody is at the desk",
        "no_contract": "no contract says how long it may stay",
        "unanswered": "nobody took it on",
        "relapsed": "the trouble is back",
        "unmerged": "it was no duplicate",
        "covered": "a contract covers it again",
    },
    "whom": {
        "on_call": "whoever is on call",
        "next": "whoever comes next",
        "manager": "the manager",
        "members": "all members",
    },
    "on": {
        "tto_warning": "a TTO that is nearly used up",
        "tto_breach": "a broken TTO",
        "ttr_warning": "a TTR that is nearly used up",
        "ttr_breach": "a broken TTR",
        "ping_pong": "an incident that goes to and fro",
    },
}
"""What is not said as its own name."""
