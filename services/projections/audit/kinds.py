"""Which events need an auditor's judgement, and of which kind each is.

The decision is total: an event type is in `JUDGED` or in `ROUTINE`, and a test fails
for a new one that is in neither. Some types need judgement only if a field says so;
that condition is SQL over the stored bytes, as in the partial indexes of the log.
Refusals and forgotten people are not events; they have journals of their own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

Kind = Literal[
    "overrides",
    "attributions",
    "agreements",
    "backdating",
    "forced_ends",
    "policies",
    "rights",
    "removed_files",
    "forgets",
    "refusals",
    "epochs",
]
KINDS: tuple[Kind, ...] = get_args(Kind)
OUTSIDE: tuple[Kind, ...] = ("forgets", "refusals")
"""The kinds whose entries are not in the log but in a journal beside it."""


@dataclass(frozen=True, slots=True)
class Judged:
    """An event type that needs judgement.

    `condition` is SQL over `state`; empty if all events of the type do. `reason` is the
    field with the reason that was given, `effective` that with the instant for which
    the event was recorded, `subject` that with the person whom it is about.
    """

    kind: Kind
    type: str
    condition: str = ""
    reason: str = "reason"
    effective: str | None = None
    subject: str | None = None


# A JSON text has its quotes escaped, so such bytes are the name of a field. They occur
# in a nested object as well only if its field has the same name, which none has.
_OVERRIDE = """position('"override":true'::bytea in state) > 0"""
_BACKDATED = """position('"backdated_because":'::bytea in state) > 0"""
# The person who answered, unless they answered themselves, by a link.
_FOR_ANOTHER = """
substring(encode(state, 'escape') from '"by":"person:([^"]*)"')
    IS DISTINCT FROM substring(encode(state, 'escape') from '"{}":"([^"]*)"')
"""
_FORCED = """position('"forced_because":'::bytea in state) > 0"""
JUDGED: Sequence[Judged] = (
    Judged("overrides", "incident.opened", _OVERRIDE, "override_reason"),
    Judged("overrides", "incident.classified", _OVERRIDE),
    Judged("attributions", "sla.breach_attributed"),
    Judged(
        "agreements",
        "sla.extension_accepted",
        _FOR_ANOTHER.format("accepted_by"),
        reason="evidence",
        effective="accepted_at",
        subject="accepted_by",
    ),
    Judged(
        "agreements",
        "sla.extension_refused",
        _FOR_ANOTHER.format("refused_by"),
        reason="evidence",
        effective="refused_at",
        subject="refused_by",
    ),
    Judged(
        "backdating", "incident.opened", _BACKDATED, "backdated_because", "reported_at"
    ),
    Judged("forced_ends", "incident.resolved", _FORCED, "forced_because"),
    Judged("forced_ends", "incident.cancelled", reason="note"),
    Judged("forced_ends", "incident.redirected", reason="message"),
    Judged("policies", "policy.applied"),
    Judged("policies", "promises.moved", effective="moved_at"),
    Judged("rights", "person.role_granted", subject="person"),
    Judged("rights", "person.role_withdrawn", subject="person"),
    Judged("rights", "person.invited", subject="person"),
    Judged("rights", "person.removed", subject="person"),
    Judged("removed_files", "incident.file_removed"),
    Judged("epochs", "log.restored"),
)
_ROUTINE: Mapping[str, str] = {
    "change": """
        assigned cancelled implemented incident_linked incident_unlinked note_added
        planned problem_linked problem_unlinked requested
    """,
    "escalation": """
        accepted acknowledgement_lapsed acknowledgement_reminded another_requested
        declined escalated exhausted nobody_notified paged problem_suggested raised
        returned step_skipped unanswered unreachable
    """,
    "handover": """
        accepted declined joined proposed reopened requested service_accepted
        service_declined service_joined service_reopened service_requested
        service_unanswered unanswered
    """,
    "incident": """
        absorbed acknowledged assigned closed contacted edited file_attached
        file_left_out file_scanned flapping_ended flapping_started informed linked
        merged note_added noted paused problem_presumed problem_resolved recovered
        relapsed released reminded reminder_cleared reminder_set reopened
        restored resumed signalled snoozed solution_noted source_acknowledged
        source_noted split unlinked unmerged woken
    """,
    "maintenance": """
        announced cancelled
    """,
    "month_report": """
        approved commented published
    """,
    "notification": """
        bundled confirmed delivered failed planned requested sent throttled
    """,
    "on_call": """
        absence_added absence_withdrawn explained gap_closed gap_found handed_over
        intervention_declared intervention_withdrawn override_added override_withdrawn
        swap_accepted swap_declined swap_requested swap_withdrawn
        temporary_schedule_added temporary_schedule_withdrawn
    """,
    "page_test": """
        answered confirmed delivered failed planned requested sent
    """,
    "person": """
        address_changed contact_method_added contact_method_removed
        contact_method_verified
        notification_rules_set
    """,
    "problem": """
        assigned change_linked change_unlinked diagnosed identified incident_linked
        incident_presumed incident_related incident_unlinked note_added resolved
        workaround_published
    """,
    "record": """
        linked put unlinked
    """,
    "review": """
        action_assigned action_done action_dropped action_opened assigned facts_chosen
        opened published returned revised submitted warned written
    """,
    "sla": """
        armed breached cancelled continued extension_expired extension_proposed met
        overran paused resumed retargeted warned
    """,
    "survey": """
        action_done action_opened answer_released answered closed comment_released
        contact_answered contact_invited invited opened published warned
    """,
}
ROUTINE: frozenset[str] = frozenset(
    f"{aggregate}.{happened}"
    for aggregate, types in _ROUTINE.items()
    for happened in types.split()
)
"""The types that need none: the desk's own work, and what machines did."""


def judged_of(kind: Kind) -> Sequence[Judged]:
    """Return the event types of a kind; none for the kinds `OUTSIDE` of the log."""
    return [each for each in JUDGED if each.kind == kind]
