"""`permanence replay`: the state of an incident at an instant, and its events."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from pydantic import JsonValue
from rich.text import Text

from cli.shell.desk import (
    HOME,
    Database,
    Home,
    VaultKey,
    database_of,
    log_at,
    master_of,
)
from cli.shell.output import AsJson, Exit, Sheet, answer, counted, refused, table_of
from cli.shell.parameters import demand_ref, instant_in
from services.projections.api.incidents.views import IncidentView
from services.projections.generations import AsOf
from services.projections.history.history import standings, whole
from services.projections.log_queries import all_about, known_at
from services.projections.timeline.sentences import sentence
from services.projections.timeline.store import (
    REQUESTED,
    Messages,
    messages_of,
    told_of,
)
from shared.clock import real_clock
from shared.eventlog.entry import Entry
from shared.eventlog.log import EventLog
from shared.eventlog.policies import PolicyVersions

At = Annotated[
    str | None,
    typer.Option(
        help="An instant with its zone, `2025-06-30T09:38+02:00`, or a day, which "
        "means its beginning in UTC; else now."
    ),
]


Last = Annotated[
    int | None, typer.Option(min=1, help="Only so many events, the last of them.")
]


def replay_command(  # noqa: PLR0913, PLR0917 # each is an option
    ref: Annotated[str, typer.Argument(help="An incident: INC-000042.")],
    at: At = None,
    last: Last = None,
    database: Database = None,
    home: Home = HOME,
    vault_key: VaultKey = None,
    as_json: AsJson = False,
) -> None:
    """Show the state of an incident at an instant, and the events that led to it.

    Without the vault's key, personal words are shown as forgotten. Exit codes: 0 shown,
    2 wrong arguments or no such incident then, 3 the database is unavailable.
    """
    demand_ref(ref, as_json=as_json)
    instant = instant_in(at, as_json=as_json)
    url = database_of(database, home, as_json=as_json)
    master = master_of(home, vault_key, as_json=as_json)
    with log_at(url, master, as_json=as_json) as log:
        upto, past = _history(log, ref, instant)
        view = _view(log, past, instant or real_clock(), upto)
    if not past:
        when = f" at {at}" if at else ""
        raise refused(as_json, f"there is no incident {ref}{when}", Exit.INVALID)
    if view is None:
        raise refused(
            as_json, f"{ref} was never opened: run audit verify", Exit.INVALID
        )
    told = past[-last:] if last else past
    earlier = len(past) - len(told)
    note = [f"({counted(earlier, 'event')} before these)"] if earlier else []
    state = _state(view, past)
    answer(as_json, _as_json(view, told), state, "", *note, _story(told, past))


def _history(
    log: EventLog, ref: str, instant: datetime | None
) -> tuple[AsOf, Sequence[Entry]]:
    with log.transaction() as cursor:
        upto = known_at(cursor, instant)
        entries = all_about(log, cursor, ref)
    return upto, [entry for entry in entries if entry.position <= upto.position]


def _view(
    log: EventLog, past: Sequence[Entry], at: datetime, upto: AsOf
) -> IncidentView | None:
    found = whole(past)
    if found is None:
        return None
    promises = standings(found.clocks, PolicyVersions(log), at)
    return IncidentView.of(found, promises, at, upto)


def _as_json(view: IncidentView, past: Sequence[Entry]) -> dict[str, Any]:
    return {
        "incident": view.model_dump(mode="json"),
        "events": [
            {
                "position": entry.position,
                "stream": entry.stream,
                "version": entry.version,
                "type": entry.type,
                "recorded_at": entry.recorded_at.isoformat(),
                "event": entry.event.model_dump(mode="json", exclude_none=True),
            }
            for entry in past
        ],
    }


def _state(view: IncidentView, past: Sequence[Entry]) -> Sheet:
    title = f"{view.ref} after {counted(len(past), 'event')}"
    state = table_of("field", "value", title=title)
    for name, value in view.model_dump(mode="json", exclude={"as_of"}).items():
        if value not in (None, [], {}, False):
            state.add_row(name, Text(_plain(value)))
    return state


def _plain(value: JsonValue) -> str:
    match value:
        case dict():
            return ", ".join(
                f"{name} {_plain(held)}"
                for name, held in value.items()
                if held not in (None, [], {})
            )
        case list():
            return "\n".join(map(_plain, value))
        case True:
            return "yes"
        case _:
            return str(value)


def _story(told: Sequence[Entry], past: Sequence[Entry]) -> Sheet:
    events = table_of("position", "recorded, UTC", "what happened")
    messages = messages_of(
        entry.event.model_dump(mode="json", exclude_none=True)
        for entry in past
        if entry.type == REQUESTED
    )
    for entry in told:
        recorded = f"{entry.recorded_at.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
        events.add_row(str(entry.position), recorded, Text(_told(entry, messages)))
    return events


def _told(entry: Entry, messages: Messages) -> str:
    what = entry.event.model_dump(mode="json", exclude_none=True)
    return sentence(entry.type, entry.event.by, told_of(entry.type, what, messages))
