"""The definitions of all metrics, as answers and pages show them."""

from collections.abc import Mapping
from typing import NamedTuple

from shared.domain.grace_periods import HOLDS_DAYS

FIRST_CONTACT_DAYS = HOLDS_DAYS
"""How long a resolution must hold to count as a first-contact resolution."""


class Definition(NamedTuple):
    """The meaning of a number, and whether parts of a period can be added up."""

    meaning: str
    adds_up: bool


DEFINITIONS: Mapping[str, Definition] = {
    "satisfaction": Definition(
        "Of the surveys of users about incidents: answers of 4 or more on average ÷ "
        "answers (`n`) in the period. Only months of the desk's time zone that are "
        "over have a share, and periods of such months; none has one that would tell "
        "what fewer people than `min_answers` answered, also by its difference to "
        "another one. "
        "`invited`: invitations in the period; `response_rate`: the share of them that "
        "was answered by its end (`responded`). "
        "Grouped by what the incident was at the invitation. Anonymous surveys are not "
        "in it: their results are published.",
        adds_up=False,
    ),
    "balance": Definition(
        "open_before + recorded + split + unmerged + reopened_after_closure − closed"
        " − cancelled − redirected − merged = open_at_end. An incident that is "
        "reopened while resolved never left and is not in it. `redirected`: requests "
        "that were not incidents and were handed elsewhere. `awaiting_closure`: of "
        "those open at the end, the resolved ones.",
        adds_up=True,
    ),
    "backlog_age": Definition(
        "Of the incidents open at the end of the period, resolved ones included: how "
        "many days ago they were first recorded, at that end; at present while the "
        "period is not over. Around the clock, pauses included. One that was reopened "
        "or unmerged is as old as it was.",
        adds_up=False,
    ),
    "resolved_within": Definition(
        "Incidents whose last resolution in the period still stands at its end and "
        "took at most so long, each once; `standing` is how many there are however "
        "long they took. `working`: open hours of the incident's contract over all "
        "its cycles, from the report, without the time it was resolved and without "
        "the pauses its contract names (waiting for a user: from when they "
        "received the question); without a contract all hours are open. "
        "`wall_clock`: the same around the clock, pauses included.",
        adds_up=False,
    ),
    "time_to_acknowledge": Definition(
        "From the report to the first time that a person took the incident on, "
        "counted when it was recorded; nothing pauses it. `still_waiting`: at the "
        "end of the period, those at work that nobody has taken on in their present "
        "cycle. Percentiles are by nearest rank: times that occurred.",
        adds_up=False,
    ),
    "time_to_restore": Definition(
        "From the report until service was back, perhaps by a workaround, measured "
        "as in `resolved_within` without the time it was restored before; of "
        "restorations in the period that still stand at its end. Percentiles are by "
        "nearest rank.",
        adds_up=False,
    ),
    "time_to_resolve": Definition(
        "From the report to the resolution, measured as in `resolved_within`; of "
        "resolutions in the period that still stand at its end. Percentiles are by "
        "nearest rank.",
        adds_up=False,
    ),
    "dwell": Definition(
        "Of the incidents whose time to resolve ended in the period, in time or not: "
        "the working time it consumed, divided among the support levels that held the "
        "incident; the totals of all levels are the whole. Where it went on and ended "
        "again, the last end counts. In seconds; percentiles are by nearest rank.",
        adds_up=True,
    ),
    "sla": Definition(
        "Met ÷ (met + breached) of the targets that ended in the period: each clock "
        "of each cycle by itself, so that a breach in any cycle counts. Cancelled "
        "ones are shown and not counted. A clock that went on after it was met has "
        "not ended; one that was breached stays so. A next update is met by a message "
        "that was delivered, or by a contact in which an agent told a user; in older "
        "records, by what the desk did. `against_original`: what was "
        "promised at first, whatever a user agreed to, (met − met_after_extension) ÷ "
        "(met + breached). `against_agreed`: what a user agreed to at last, (met + "
        "done_as_agreed) ÷ (met + breached); a longer delay that was agreed on after "
        "the breach undoes no breach, and shows only here. `breached_by`: breached = "
        "user + vendor + provider + unattributed, by the last attribution of each "
        "breach, counted when the breach was recorded.",
        adds_up=True,
    ),
    "ola": Definition(
        "What support levels owe the desk, apart from what users are promised and in "
        "no number of `sla`: met ÷ (met + breached) of the targets that ended in the "
        "period, by level and target. `own`: somebody at the level took it on in time; "
        "`work`: the level was done with it in time, by ending the alert or passing it "
        "on. Cancelled ones are shown and not counted.",
        adds_up=True,
    ),
    "reported": Definition(
        "How incidents came to be known, each in one place: by users only or by "
        "monitoring and then by users, counted at the first contact of a user; by "
        "monitoring only or by the desk itself, counted when they were recorded and "
        "as long as no user reports them. Merged ones are included, split ones are "
        "not: they were reported before. By category as it is known now.",
        adds_up=True,
    ),
    "first_contact_resolution": Definition(
        "Of the incidents that users had reported when they were first resolved, in "
        "the period: those with one inbound contact, no change of team, and no "
        f"reopening within {FIRST_CONTACT_DAYS} days. Abandoned contacts count, and so "
        "do contacts and changes of team after the resolution. Those for which the "
        "days are not over are `not_yet_known` and in neither number.",
        adds_up=True,
    ),
    "reopened": Definition(
        "Reopenings ÷ resolutions recorded in the period.",
        adds_up=True,
    ),
    "ping_pong": Definition(
        "How often an incident came to a team that had it before in the same cycle: "
        "given back, escalated again or assigned. A reopened incident begins at the "
        "desk with none.",
        adds_up=True,
    ),
    "quick_fixes": Definition(
        "Resolutions on a workaround alone, which left the root cause open, with or "
        f"without a problem that looks for it; and, within {HOLDS_DAYS} days of one, "
        "reopenings. Both count when they were recorded.",
        adds_up=True,
    ),
    "solutions": Definition(
        "`noted`: solution notes that were written. Resolutions by people, each when "
        "it was recorded: `above_n1`, which ask for a note; `at_n1`; and of these "
        "`at_n1_by_note`, which name the note that was used. `share`: at_n1_by_note ÷ "
        "at_n1. How often each note was used is shown with the notes.",
        adds_up=True,
    ),
    "problems": Definition(
        "Problems that came of incidents, counted when they were identified: one "
        "that several incidents led to counts once. Apart: those the staff found, "
        "and the outcome of hand-overs after a breach.",
        adds_up=True,
    ),
    "changes": Definition(
        "Changes that came of incidents, directly or through a problem that has "
        "incidents, whenever that was found: requested; planned, where the first "
        "planning counts; cancelled. Each counts when it was recorded.",
        adds_up=True,
    ),
    "answering": Definition(
        "Inbound contacts answered within the contract's target for their channel ÷ "
        "those answered for which wait and target are known. A mail or a form is "
        "answered by its automatic receipt. Abandoned ones are apart.",
        adds_up=True,
    ),
}
"""By field name, in the order in which they are shown."""

GROUPING = (
    "An incident is grouped by what it is known as now, in all numbers: so the balance "
    "of each group is true, and an incident that is reclassified moves as a whole."
)
COUNTING = (
    "Everything is counted by when it was recorded in the log, from the beginning of "
    "the period up to, but not including, its end."
)
