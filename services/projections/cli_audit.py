"""`permanence audit`: proof that the log is what was recorded."""

from dataclasses import asdict
from functools import partial

import typer

from services.projections.audit.verify import Verified, verify
from shared.command_line.answers import AsJson, Exit, answer, counted
from shared.command_line.bar import bar
from shared.command_line.desk import HOME, Database, Home, database_of, log_at

_STAGES = {"walk": "walking the chain"}

audit = typer.Typer(name="audit", help="Prove the log.", no_args_is_help=True)


@audit.callback()
def _group() -> None:
    """Keep `verify` a word of its own: a group of one would do without."""


@audit.command("verify")
def verify_command(
    database: Database = None, home: Home = HOME, as_json: AsJson = False
) -> None:
    """Walk the chain from the first event: each must be the one that was recorded.

    Finds what was changed, deleted, moved or put in, and says the first such position.
    Then the documents that events name: each must be there, with its hash and size.
    Exit codes: 0 whole, 1 not, 3 the database is away.
    """
    url = database_of(database, home, as_json=as_json)
    with log_at(url, as_json=as_json) as log, bar(_STAGES, hidden=as_json) as told:
        verified = verify(log, partial(told, "walk"))
    plain = {"ok": verified.finding is None, **asdict(verified)}
    answer(as_json, plain, _said(verified))
    if verified.finding is not None:
        raise typer.Exit(Exit.DIFFERS)


def _said(verified: Verified) -> str:
    if verified.finding is not None:
        return verified.finding.sentence
    remembered = ", and as the read models remember" if verified.anchors else ""
    named = counted(verified.documents, "document")
    documents = f", and {named} as named" if verified.documents else ""
    return (
        f"The chain is whole: {counted(verified.events, 'event')}, each as it was "
        f"recorded{remembered}{documents}; the last hash is {verified.chain}"
    )
