"""Timeline sentences in English; `sentence_parts` describes the form.

Some rules have sentences of their own.
"""

from collections.abc import Mapping

from services.projections.timeline.english_records import RECORDS
from services.projections.timeline.sentence_parts import Part

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
        "{rule}",
        "({rule_of})",
    ),
    "incident.contacted": (
        "{who} noted a contact, {direction} by {channel}, with {person}",
        ", who waited {waited_seconds}",
        ("abandoned", "and gave up"),
        ("unconfirmed", "(nobody confirmed that they have to do with it)"),
        ("sender_unconfirmed", "(nothing proves who sent it)"),
        ": “{words}”",
    ),
    "incident.edited": (
        "{who} reworded it",
        ": “{title}”",
        "; description: “{description}”",
    ),
    "incident.classified": (
        "{who} classified it: service {service}, impact {impact}, urgency {urgency}",
        ", priority {priority}",
        ("override", "set by hand"),
        ", category {category}",
        ", client {client}",
        ", because: {reason}",
    ),
    "incident.assigned": (
        "{who} gave it to team {team}",
        ", to {assignee}",
        ", because: {reason}",
        "; not named as knowing the service: {unskilled}",
    ),
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
    "incident.relapsed": (
        "{who} noted that service is down again",
        ": {reason}",
        "{rule}",
        "({rule_of})",
    ),
    "incident.resolved": (
        "{who} resolved it",
        ": {note}",
        "; a signal still fired, but: {forced_because}",
        ("root_cause_open", "; the root cause is open"),
        ", by the solution note of {solution}",
        ("asks_for_solution", "; a solution note is asked for"),
    ),
    "incident.note_added": ("{who} added: “{note}”",),
    "incident.solution_noted": ("{who} noted for the desk how to solve it: “{note}”",),
    "incident.reopened": (
        "{who} reopened it",
        ("after_closure", "after it was closed"),
        "({cause}, cycle {cycle})",
        ("quick_fix", ", after a quick fix"),
        ": {reason}",
        "{rule}",
        "({rule_of})",
    ),
    "incident.closed": (
        "{who} closed it",
        ": {note}",
        ("asks_for_problem", "; the root cause is open, and no problem is linked"),
    ),
    "incident.cancelled": ("{who} cancelled it ({reason})", ": {note}"),
    "incident.signalled": (
        "{source} signalled it",
        "as “{title}”",
        "with severity {severity}",
        "(repeats: {repeats})",
        "{rule}",
        "({rule_of})",
    ),
    "incident.recovered": (
        "{source} sent a recovery",
        "(repeats before: {repeats})",
        "{rule}",
        "({rule_of})",
        ", as of {held_until}",
    ),
    "incident.flapping_started": (
        "A signal of {source} goes up and down: {changes} changes since {since}",
    ),
    "incident.flapping_ended": (
        "A signal of {source} is calm as of {held_until}",
        ", after {changes} changes since {since}",
    ),
    "incident.snoozed": ("{who} wants no news of its repeats until {until}: {reason}",),
    "incident.woken": ("News is made of its repeats again ({cause})",),
    "incident.source_acknowledged": ("It was acknowledged at {source}",),
    "incident.source_noted": ("Noted at {source}", "by {author}", ": “{note}”"),
    "incident.linked": ("{who} linked it to {target} ({relation})",),
    "incident.unlinked": ("{who} removed its link to {target} ({relation})",),
    "incident.problem_presumed": (
        "It joined {problem}, open for the same service: to be confirmed",
    ),
    "incident.problem_resolved": ("{problem}, its cause, was resolved",),
    "incident.merged": ("{who} merged it into {into}",),
    "incident.absorbed": ("{who} merged {merged} into it",),
    "incident.unmerged": ("{who} took it out of {out_of} again",),
    "incident.released": ("{who} took {merged} out of it again",),
    "incident.split": ("{who} split {into} off it",),
    "sla.armed": (
        "Contract {contract} promises {target} within {seconds}",
        "of calendar {calendar}: due {due_at}",
    ),
    "sla.warned": (
        "{percent} % of {target} is used up: due {due_at}",
        "{before_seconds} of {target} are left: due {due_at}",
        "{target} was due {after_seconds} ago, at {due_at}, and is not kept yet",
    ),
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
    "promises.moved": (
        "{who} moved its promises from version {was_policy} of the policy to {policy}",
        "(move {operation})",
        ", because: {reason}",
    ),
    "sla.extension_proposed": (
        "{who} asked for more time for {target} ({extension}): until {proposed_due_at}",
        ", not {was_due_at}",
        ", because: {reason}",
        "; {asked} may answer by {expires_at}",
    ),
    "sla.extension_accepted": (
        "{accepted_by} agreed to more time for {target} ({extension})",
        "by {channel}: until {agreed_due_at}",
        ", not {was_due_at}",
        "; that is within {seconds}, not {was_seconds}",
        "; taken down by {who}",
        ", as evidence: “{evidence}”",
        ("after_breach", "; the breach before that stays"),
    ),
    "sla.extension_refused": (
        "{refused_by} did not agree to more time for {target} ({extension})",
        "by {channel}",
        "; taken down by {who}",
        ", as evidence: “{evidence}”",
    ),
    "sla.extension_expired": (
        "The wish for more time for {target} ({extension})",
        "expired at {expired_at}: {cause}",
    ),
    "sla.breach_attributed": (
        "{who} said whose the breach of {target} is: {party}",
        "({whom})",
        ", because: {reason}",
        "; shown by the log at {evidence}",
    ),
    "escalation.escalated": (
        "It was escalated from {from_level} to {to_level}, to team {team}: {cause}",
        "({dwell_seconds})",
        ", because: {reason}",
    ),
    "escalation.returned": (
        "It went back from {from_level} to {to_level}, to team {team}",
    ),
    "escalation.paged": (
        "Paged: {people}, since step {step} of {level}, try {loop}, asks for {whom}",
        "of schedule {schedule}",
        "of team {team}",
        "; due {due_at}, under policy version {policy}",
        "; not named as knowing the service: {unskilled}",
        ("nobody_on_call", "; nobody was on call: these stand in for a gap"),
    ),
    "escalation.accepted": (
        "{person} took it on at {level} ({how})",
        "; not named as knowing the service: {unskilled}",
    ),
    "escalation.unanswered": (
        "Nobody took it on at {level}: all steps were tried by {unanswered_at}",
    ),
    "escalation.raised": (
        "Told: {people}, as {whom}",
        "of schedule {schedule}",
        "of team {team}",
        ", of {on}",
        "({percent} %)",
        "({before_seconds} before it is due)",
        "({after_seconds} after it was due)",
        "(returns: {returns})",
    ),
    "notification.requested": (
        "A message ({kind})",
        "to {person}",
        "is to leave by {channel}",
    ),
    "notification.sent": (
        "The message",
        "({kind})",
        "to {person}",
        "left",
        "by {channel}",
    ),
    "notification.confirmed": (
        "The message",
        "({kind})",
        "to {person}",
        "by {channel}",
        "was taken by the other side",
        "(attempts: {attempts})",
    ),
    "notification.failed": (
        "The message",
        "({kind})",
        "to {person}",
        "could not be delivered",
        "by {channel}",
        "(attempts: {attempts}): {reason}",
    ),
    **RECORDS,
}


BY_RULE: Mapping[tuple[str, str], tuple[Part, ...]] = {
    ("incident.recovered", "timeout"): (
        "{source} signalled nothing more",
        "for {rule_of}",
        "and never told of a recovery: it counts as recovered",
        "(repeats before: {repeats})",
        ", as of {held_until}",
    ),
    ("handover.requested", "signature"): (
        "It was handed to Problem Management, team {team}",
        ", since service {service} broke TTR at {breached_at}",
        "; it joins {problem}, so nothing has to be answered",
    ),
    ("handover.joined", "signature"): (
        "It joined {problem}, which has an incident of the same kind",
    ),
    ("handover.joined", "service"): (
        "The hand-over awaits Problem Management: is it part of {problem}?",
    ),
    ("handover.service_requested", "downtime"): (
        "Service {service} was handed to Problem Management, team {team}",
        ", down for {downtime_seconds} of its hours within {within_days} days",
        "by {outages}",
        "; it is part of {problem}",
        "; it may be part of one of {proposed}",
        "; an answer is due {answer_by}",
    ),
    ("incident.linked", "signature"): (
        "It was linked to {target}, which has an incident of the same kind",
    ),
    ("problem.incident_linked", "signature"): (
        "{incident} joined it, being of the same kind as one it has",
    ),
}
