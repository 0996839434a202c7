"""The effect of each verb in each status; every combination has an entry.

A cell is DO (the rule of the verb decides), ALREADY (the effect exists: `repeats`
decides) or a refusal that says what to do instead.
"""

from collections.abc import Mapping

from services.intake.commands.rules.context import Refused
from shared.domain.incident import Incident, Status

DO = "do"
ALREADY = "already"

_REOPEN = "reopen it first"
_RESOLVE = "resolve it first"
_UNMERGE = "unmerge it first"
_LINK = "link the two instead"
_NEW = "open a new incident and link it"
_THERE = "do this on {into}"
_OVER = "there is nothing left to end"
_UNSOLVED = "nothing was solved"

Row = Mapping[Status, str]


def _row(*cells: str) -> Row:
    return dict(zip(Status, cells, strict=True))


# In the order of Status: new, acknowledged, paused, resolved, closed, cancelled,
# merged.
TABLE: Mapping[str, Row] = {
    "open": _row(*[ALREADY] * 7),
    "attach": _row(*[DO] * 6, _THERE),
    "classify": _row(DO, DO, DO, DO, _REOPEN, _NEW, _THERE),
    "edit": _row(DO, DO, DO, DO, _REOPEN, _NEW, _THERE),
    "assign": _row(DO, DO, DO, _REOPEN, _REOPEN, _NEW, _THERE),
    "acknowledge": _row(DO, ALREADY, DO, _REOPEN, _REOPEN, _NEW, _THERE),
    "return": _row(DO, DO, DO, _REOPEN, _REOPEN, _NEW, _THERE),
    "pause": _row(DO, DO, DO, _REOPEN, _REOPEN, _NEW, _THERE),
    "resume": _row(ALREADY, ALREADY, DO, _REOPEN, _REOPEN, _NEW, _THERE),
    "inform": _row(*[DO] * 6, _THERE),
    "restore": _row(DO, DO, DO, ALREADY, ALREADY, _NEW, _THERE),
    "relapse": _row(DO, DO, DO, _REOPEN, _REOPEN, _NEW, _THERE),
    "resolve": _row(DO, DO, DO, ALREADY, ALREADY, _NEW, _THERE),
    "solution": _row(_RESOLVE, _RESOLVE, _RESOLVE, DO, DO, _UNSOLVED, _THERE),
    "reopen": _row(ALREADY, ALREADY, ALREADY, DO, DO, _NEW, _UNMERGE),
    "close": _row(_RESOLVE, _RESOLVE, _RESOLVE, DO, ALREADY, _OVER, _THERE),
    "cancel": _row(DO, DO, DO, "close it instead", _OVER, ALREADY, _UNMERGE),
    "snooze": _row(DO, DO, DO, _REOPEN, _REOPEN, _NEW, _THERE),
    "wake": _row(DO, DO, DO, *[ALREADY] * 3, _THERE),
    "link": _row(*[DO] * 6, _THERE),
    "unlink": _row(*[DO] * 6, _THERE),
    "merge": _row(DO, DO, DO, _LINK, _LINK, _LINK, DO),
    "unmerge": _row(*[ALREADY] * 6, DO),
    "split": _row(DO, DO, DO, _REOPEN, _REOPEN, _NEW, _THERE),
    "trigger": _row(*[DO] * 5, _NEW, _THERE),
    "recover": _row(*[DO] * 6, _THERE),
    "flap": _row(*[DO] * 6, _THERE),
    "acknowledge_source": _row(DO, DO, DO, *[ALREADY] * 4),
    "note_source": _row(*[DO] * 6, ALREADY),
    "close_silent": _row(*[ALREADY] * 3, DO, *[ALREADY] * 3),
}


def is_to_do(verb: str, incident: Incident) -> bool:
    """Return whether there is something to decide; raises `Refused` if not allowed."""
    cell = TABLE[verb][incident.status]
    if cell in (DO, ALREADY):
        return cell == DO
    instead = cell.format(into=incident.merged_into)
    raise Refused(f"{incident.ref} is {incident.status}: {instead}", "state")


def life_of_an_incident() -> str:
    """Return the table as Markdown: a row for each verb, a column for each status."""
    head = ["", *Status]
    rows = [
        [f"**{verb}**", *(row[status].format(into="that one") for status in Status)]
        for verb, row in TABLE.items()
    ]
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)
