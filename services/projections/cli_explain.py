"""`permanence sla explain`: why promises about an incident are due when they are."""

from datetime import datetime
from typing import Annotated

import typer
from pydantic import JsonValue

from services.projections.incident.account import sentences
from services.projections.incident.promises import hours_under
from services.projections.incident.whole import whole
from services.projections.instants import known_at
from services.projections.log_rows import all_about
from shared.command_line.answers import AsJson, Exit, answer, plain_text, refused
from shared.command_line.desk import HOME, Database, Home, database_of, log_at
from shared.event_log import EventLog
from shared.policies import PolicyVersions
from shared.references import is_incident_ref
from shared.sla import Clock, Explanation, explained
from shared.wording.reader import Language

Lang = Annotated[Language, typer.Option(help="The language of the text.")]
At = Annotated[
    datetime | None,
    typer.Option(
        help="As it was recorded then; an instant with its zone.",
        formats=["%Y-%m-%dT%H:%M%z", "%Y-%m-%dT%H:%M:%S%z"],
    ),
]


def explain_command(  # each is an option
    ref: Annotated[str, typer.Argument(help="An incident: INC-000042.")],
    at: At = None,
    lang: Lang = "en",
    database: Database = None,
    home: Home = HOME,
    as_json: AsJson = False,
) -> None:
    """Explain why each promise about an incident is due when it is, window by window.

    Exit codes: 0 explained, 2 wrong arguments or no such incident then, 3 the database
    is away.
    """
    if not is_incident_ref(ref):
        raise refused(as_json, f"{ref} is no incident: write INC-000042", Exit.INVALID)
    url = database_of(database, home, as_json=as_json)
    with log_at(url, None, as_json=as_json) as log:
        clocks = _clocks(log, ref, at)
        if clocks is None:
            when = f" at {at.isoformat()}" if at else ""
            raise refused(as_json, f"there is no incident {ref}{when}", Exit.INVALID)
        told = [each for clock in clocks for each in _told(clock, log, lang)]
    text = "\n\n".join("\n".join(lines) for _, lines in told)
    answer(
        as_json,
        {"incident": ref, "items": [plain for plain, _ in told]},
        text or f"Nothing was promised about {ref}: no contract covers it.",
    )


def _clocks(log: EventLog, ref: str, at: datetime | None) -> tuple[Clock, ...] | None:
    with log.transaction() as cursor:
        upto = known_at(cursor, at)
        entries = all_about(log, cursor, ref)
    past = [entry for entry in entries if entry.position <= upto.position]
    found = whole(past)
    return None if found is None else found.clocks


def _told(
    clock: Clock, log: EventLog, lang: Language
) -> list[tuple[dict[str, JsonValue], list[str]]]:
    hours = hours_under(clock, PolicyVersions(log))
    if hours is None:
        return []
    account = explained(clock, hours)
    plain: dict[str, JsonValue] = {
        "target": clock.name.target,
        "cycle": clock.name.cycle,
        "round": clock.name.round,
        "state": clock.state,
        "policy": clock.policy,
        "contract": clock.contract,
        "calendar": clock.calendar,
        "zone": account.zone,
        "target_seconds": clock.seconds,
        "original_seconds": clock.original_seconds,
        "agreed_seconds": clock.agreed_seconds,
        "due_at": _plain(clock.due_at),
        "original_due_at": _plain(account.original_due_at),
        "agreed_due_at": _plain(clock.agreed_due_at),
        "extensions": [
            {"ref": each.ref, "state": each.state, "answered_by": each.answered_by}
            for each in clock.extensions
        ],
        "seconds": account.seconds,
        "windows": _windows(account),
    }
    return [(plain, sentences(account, lang))]


def _windows(account: Explanation) -> list[JsonValue]:
    return [
        {
            "begins_at": plain_text(window.begins),
            "ends_at": plain_text(window.ends),
            "stood_for": (
                None if window.pause is None else account.stops[window.pause].why
            ),
            "seconds": window.seconds,
            "together_seconds": window.together,
        }
        for window in account.windows
    ]


def _plain(at: datetime | None) -> str | None:
    return plain_text(at) if at else None
