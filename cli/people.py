"""`permanence people`: import people into the directory, and look them up.

Exit codes: 0 done, 2 the file or an option is wrong, 3 the desk is not reachable.
"""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from cli.shell.desk import log_of, remember, text_of
from cli.shell.output import (
    AsJson,
    Exit,
    answer,
    plain_text,
    refused,
    refused_for,
    table_of,
)
from services.intake.directory import store as directory
from services.intake.directory.file import (
    COLUMNS,
    CSV_BYTES_MAX,
    Rows,
    read_csv,
    read_yaml,
)
from shared.yaml12 import TEXT_MAX

people = typer.Typer(
    callback=remember,
    help="The people directory: who the ids are.",
    no_args_is_help=True,
)


@people.command("import")
def import_(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="People, .csv or .yaml.")],
    as_json: AsJson = False,
) -> None:
    """Add and change people, all in the file or none; nobody is deleted."""
    rows = _rows(file, as_json=as_json)
    with (
        log_of(ctx, as_json=as_json) as (log, clock),
        log.transaction() as cursor,
    ):
        done = directory.import_people(cursor, rows, clock())
    said = f"{done.added} added, {done.changed} changed, {done.unchanged} as they were."
    answer(as_json, asdict(done), said)


@people.command("list")
def list_(
    ctx: typer.Context,
    client: Annotated[str | None, typer.Option(help="Only people of this one.")] = None,
    as_json: AsJson = False,
) -> None:
    """List people by id."""
    with (
        log_of(ctx, as_json=as_json) as (log, _),
        log.transaction() as cursor,
    ):
        found = directory.people(cursor, client)
    table = table_of(*COLUMNS)
    for each in found:
        cells = (getattr(each, column) for column in COLUMNS)
        table.add_row(*(Text(cell or "") for cell in cells))
    answer(as_json, [asdict(each) for each in found], table)


@people.command()
def show(
    ctx: typer.Context,
    id_: Annotated[str, typer.Argument(metavar="ID")],
    as_json: AsJson = False,
) -> None:
    """Show one person."""
    with (
        log_of(ctx, as_json=as_json) as (log, _),
        log.transaction() as cursor,
    ):
        found = directory.person(cursor, id_)
    if found is None:
        sentence = f"nobody has the id {id_}: look at `permanence people list`"
        raise refused(as_json, sentence, Exit.INVALID)
    plain = asdict(found)
    known = (f"{k}: {plain_text(v)}" for k, v in plain.items() if v is not None)
    answer(as_json, plain, *known)


def _rows(file: Path, *, as_json: bool) -> Rows:
    match file.suffix.lower():
        case ".csv":
            rows = read_csv(text_of(file, CSV_BYTES_MAX, as_json=as_json))
        case ".yaml" | ".yml":
            rows = read_yaml(text_of(file, TEXT_MAX, as_json=as_json))
        case _:
            sentence = f"{file}: call the file .csv or .yaml, as what it is"
            raise refused(as_json, sentence, Exit.INVALID)
    if isinstance(rows, list):
        raise refused_for(as_json, str(file), rows)
    return rows
