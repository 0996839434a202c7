"""The effect of each verb on a problem or a change, by status; always complete."""

from collections.abc import Mapping

from services.intake.commands.rules.context import Refused
from services.intake.commands.rules.status_table import ALREADY, DO
from shared.domain import change, problem

Row = Mapping[str, str]

_IDENTIFY = "identify a new problem"
_REQUEST = "request a new change"


def _problem(*cells: str) -> Row:
    return dict(zip(problem.Status, cells, strict=True))


def _change(*cells: str) -> Row:
    return dict(zip(change.Status, cells, strict=True))


# In the order of Status: open, resolved.
PROBLEMS: Mapping[str, Row] = {
    "identify": _problem(ALREADY, ALREADY),
    "link": _problem(DO, DO),
    "unlink": _problem(DO, DO),
    "assign": _problem(DO, _IDENTIFY),
    "workaround": _problem(DO, _IDENTIFY),
    "diagnose": _problem(DO, _IDENTIFY),
    "resolve": _problem(DO, ALREADY),
}

# In the order of Status: requested, planned, implemented, cancelled.
CHANGES: Mapping[str, Row] = {
    "request": _change(*[ALREADY] * 4),
    "link": _change(*[DO] * 4),
    "unlink": _change(*[DO] * 4),
    "assign": _change(DO, DO, _REQUEST, _REQUEST),
    "plan": _change(DO, DO, _REQUEST, _REQUEST),
    "implement": _change(DO, DO, ALREADY, _REQUEST),
    "cancel": _change(DO, DO, f"{_REQUEST} that undoes it", ALREADY),
}


def is_record_to_do(
    table: Mapping[str, Row], verb: str, record: problem.Problem | change.Change
) -> bool:
    """Return whether there is something to decide; raises `Refused` if not allowed."""
    cell = table[verb][record.status]
    if cell in (DO, ALREADY):
        return cell == DO
    raise Refused(f"{record.ref} is {record.status}: {cell}", "state")


def life_of(table: Mapping[str, Row]) -> str:
    """Return a table as Markdown: a row for each verb, a column for each status."""
    statuses = list(next(iter(table.values())))
    rows = [[f"**{verb}**", *row.values()] for verb, row in table.items()]
    lines = [["", *statuses], ["---"] * (len(statuses) + 1), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)
