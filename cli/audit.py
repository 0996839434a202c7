"""`permanence audit`: proof that the log contains what was recorded."""

from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from cli.shell.desk import HOME, Database, Home, database_of, log_at
from cli.shell.output import AsJson, Exit, answer, bar, counted, refused
from services.projections.audit.verify import (
    Verified,
    parse_checkpoint,
    read_checkpoint,
    verify,
    write_checkpoint,
    written,
)
from services.projections.audit.walk import BEGINNING, Checkpoint

_STAGES = {"walk": "walking the chain"}

From = Annotated[
    str | None,
    typer.Option(
        "--from", help="Begin after this checkpoint, as an earlier run said it."
    ),
]
File = Annotated[
    Path | None,
    typer.Option(
        "--checkpoint",
        help="Begin after the checkpoint in this file, if there is one; renew it.",
    ),
]

audit = typer.Typer(name="audit", help="Prove the log.", no_args_is_help=True)


@audit.callback()
def _group() -> None:
    """Keep `verify` as a command: typer would drop the name of a single one."""


@audit.command("verify")
def verify_command(
    start: From = None,
    file: File = None,
    database: Database = None,
    home: Home = HOME,
    as_json: AsJson = False,
) -> None:
    """Verify the hash chain from the first event: nothing was changed since.

    Finds events that were changed, deleted, moved or inserted, and reports the first
    such position. It compares with what every reader remembers. With a checkpoint, only
    later events are read; a checkpoint that the log does not contain is a finding. The
    file is renewed if the chain is intact. Then the documents that events name are
    compared with their hash and size. Exit codes: 0 intact, 1 not, 2 not a checkpoint,
    3 the database is unavailable.
    """
    checkpoint = _checkpoint(start, file, as_json=as_json)
    url = database_of(database, home, as_json=as_json)
    with log_at(url, as_json=as_json) as log, bar(_STAGES, hidden=as_json) as told:
        verified = verify(log, partial(told, "walk"), checkpoint)
    reached = Checkpoint(verified.position, bytes.fromhex(verified.chain))
    if file is not None and verified.finding is None and verified.position:
        try:
            write_checkpoint(file, reached)
        except OSError as error:
            sentence = f"the log is whole, but {file} cannot be written: {error}"
            raise refused(as_json, sentence, Exit.INVALID) from error
    plain = {"ok": verified.finding is None, **asdict(verified)}
    if verified.finding is None and verified.position:
        plain["checkpoint"] = written(reached)
    answer(as_json, plain, _said(verified, reached))
    if verified.finding is not None:
        raise typer.Exit(Exit.DIFFERS)


def _checkpoint(start: str | None, file: Path | None, *, as_json: bool) -> Checkpoint:
    if start is not None and file is not None:
        sentence = "give --from or --checkpoint, not both"
        raise refused(as_json, sentence, Exit.INVALID)
    try:
        if start is not None:
            return parse_checkpoint(start)
        return (read_checkpoint(file) if file else None) or BEGINNING
    except ValueError as error:
        raise refused(as_json, str(error), Exit.INVALID) from error


def _said(verified: Verified, reached: Checkpoint) -> str:
    if verified.finding is not None:
        return verified.finding.sentence
    remembered = ", and as the readers remember" if verified.anchors else ""
    after = f" after {verified.since}" if verified.since else ""
    named = counted(verified.documents, "document")
    documents = f", and {named} as named" if verified.documents else ""
    checkpoint = f"; checkpoint {written(reached)}" if verified.position else ""
    return (
        f"The chain is whole: {counted(verified.events, 'event')}{after}, each as it "
        f"was recorded{remembered}{documents}; the last hash is "
        f"{verified.chain}{checkpoint}"
    )
