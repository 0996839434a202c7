"""`permanence replay`: what an incident was at an instant, and what made it so."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, cast

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from services.projections.api.incident_view import IncidentView
from services.projections.cli_desk import (
    HOME,
    AsJson,
    Database,
    Exit,
    Home,
    VaultKey,
    address,
    log_at,
    refuse,
)
from services.projections.generations import AsOf
from services.projections.instants import known_at
from services.projections.timeline.sentences import sentence
from shared.entry import Entry
from shared.event_log import EventLog
from shared.events import IncidentEvent
from shared.incident import replay
from shared.references import incident_stream, is_incident_ref

At = Annotated[
    str | None,
    typer.Option(help="An instant with its zone: `2025-06-30T09:38+02:00`; else now."),
]


def replay_command(
    ref: Annotated[str, typer.Argument(help="An incident: INC-000042.")],
    at: At = None,
    database: Database = None,
    home: Home = HOME,
    vault_key: VaultKey = None,
    as_json: AsJson = False,
) -> None:
    """Show what an incident was at an instant, and the events that made it so.

    Without the vault's key, personal words read `[forgotten]`. Exit codes: 0 shown, 2
    wrong arguments or no such incident then, 3 the database is away.
    """
    if not is_incident_ref(ref):
        refuse(as_json, f"{ref} is no incident: write INC-000042", Exit.INVALID)
    instant = _instant(at, as_json=as_json)
    desk = address(database, home, vault_key, as_json=as_json)
    with log_at(desk, as_json=as_json) as log:
        upto, past = _history(log, ref, instant)
    if not past:
        when = f" at {at}" if at else ""
        refuse(as_json, f"there is no incident {ref}{when}", Exit.INVALID)
    incident = replay(cast("IncidentEvent", entry.event) for entry in past)
    if incident is None:
        refuse(as_json, f"{ref} was never opened: run audit verify", Exit.INVALID)
    view = IncidentView.of(incident, past[-1].version, upto)
    if as_json:
        typer.echo(_as_json(view, past))
    else:
        _show(view, past)


def _instant(at: str | None, *, as_json: bool) -> datetime | None:
    if at is None:
        return None
    try:
        instant = datetime.fromisoformat(at)
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None:
        sentence_ = f"{at} is no instant with a zone: write 2025-06-30T09:38+02:00"
        refuse(as_json, sentence_, Exit.INVALID)
    return instant


def _history(
    log: EventLog, ref: str, instant: datetime | None
) -> tuple[AsOf, Sequence[Entry]]:
    with log.transaction() as cursor:
        upto = known_at(cursor, instant)
        entries = log.histories(cursor, [incident_stream(ref)])
    return upto, [entry for entry in entries if entry.position <= upto.position]


def _as_json(view: IncidentView, past: Sequence[Entry]) -> str:
    plain: dict[str, Any] = {
        "incident": view.model_dump(mode="json"),
        "events": [
            {
                "position": entry.position,
                "version": entry.version,
                "type": entry.type,
                "recorded_at": entry.recorded_at.isoformat(),
                "event": entry.event.model_dump(mode="json", exclude_none=True),
            }
            for entry in past
        ],
    }
    return json.dumps(plain, ensure_ascii=False, indent=1)


def _show(view: IncidentView, past: Sequence[Entry]) -> None:
    console = Console()
    state = Table("field", "value", title=f"{view.ref} after {len(past)} events")
    for name, value in view.model_dump(mode="json", exclude={"as_of"}).items():
        if value not in (None, [], {}):
            state.add_row(name, Text(str(value)))
    console.print(state)
    events = Table("position", "recorded", "what happened")
    for entry in past:
        recorded = f"{entry.recorded_at:%Y-%m-%d %H:%M:%S}"
        events.add_row(str(entry.position), recorded, Text(_told(entry)))
    console.print(events)


def _told(entry: Entry) -> str:
    what = entry.event.model_dump(mode="json", exclude_none=True)
    return sentence(entry.type, entry.event.by, what)
