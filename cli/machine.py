"""`permanence up`, `down`, `doctor` and `demo`: a whole desk on this machine."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from cli.shell.output import AsJson, answer, refused
from standalone.doctor import Finding, examine
from standalone.services import SERVICES
from standalone.settings import read_settings
from standalone.startup_error import Exit, StartupError
from standalone.up import Plan, Terminal
from standalone.up import down as stop
from standalone.up import up as run

app = typer.Typer()


@app.command("up")
def up_command(
    restored: Annotated[
        str | None,
        typer.Option(
            help="The data was restored, and why: begin a new epoch before all else.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Start PostgreSQL, NATS and the services here, and keep them running.

    Ctrl-C stops all of it; the data stays in .permanence (PERMANENCE_HOME). Exit codes:
    0 stopped, 1 something did not start, 2 a setting, 3 a port is in use, 4 a desk runs
    already, 5 the folder, 6 the disk is full, 7 something is not installed, 8
    credentials and data do not match, 9 the database.
    """
    from cli.restored import epoch_at_start
    from standalone.bootstrap import bootstrap, first_link

    begin_epoch = epoch_at_start(restored) if restored is not None else None
    with _startup():
        terminal = Terminal()
        try:
            settings = read_settings()
            run(Plan(settings, SERVICES, bootstrap, terminal, begin_epoch, first_link))
        finally:
            terminal.close()


@app.command("down")
def down_command(as_json: AsJson = False) -> None:
    """Stop the desk that `up` runs in this folder, and wait until it has ended.

    Exit codes: 0 none is running any more, 1 it does not stop, 5 it is another user's.
    """
    with _startup():
        done = stop(read_settings().home)
        answer({"done": done}, done)


@app.command("demo")
def demo_command(
    home: Annotated[
        Path,
        typer.Option(help="Where the demo keeps its data; created afresh each time."),
    ] = Path(".permanence/demo"),
    leave: Annotated[
        bool, typer.Option(help="End when the day is over, also on a terminal.")
    ] = False,
    keep: Annotated[
        bool, typer.Option(help="Stay up when the day is over, also elsewhere.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Play Monday 30 June 2025 at the desk of Valmont, and assert the results.

    Real servers and services under a clock of their own, in a folder of their own. On a
    terminal the desk then stays up so that you can look at it, until Ctrl-C, with links
    to enter it as one of its people. Exit codes: 0 all checks passed, 1 a beat failed
    (it says which), others as of `up`.
    """
    from demo.play import Failed, play

    with _startup():
        try:
            is_watched = sys.stdout.isatty() and not (leave or as_json)
            play(home, stay=keep or is_watched)
        except Failed as failed:
            sentence = f"{failed}\nWhat the services logged: {home / 'demo.log'}"
            raise refused(sentence, Exit.FAILED) from None


@app.command("doctor")
def doctor_command(as_json: AsJson = False) -> None:
    """Examine this machine and its desk; report what is wrong and what to do.

    Exit codes: 0 all is well, or there are only warnings; 1 something is wrong.
    """
    with _startup():
        findings = list(examine(read_settings(), SERVICES))
        answer([asdict(each) for each in findings], *map(_line, findings))
        if not all(finding.ok or finding.only_warns for finding in findings):
            raise typer.Exit(Exit.FAILED)


def _line(finding: Finding) -> Text:
    match finding:
        case Finding(ok=True):
            mark, style = "ok    ", "green"
        case Finding(only_warns=True):
            mark, style = "warns ", "bold yellow"
        case _:
            mark, style = "failed", "bold red"
    line = f"  {finding.name}: {finding.sentence}"
    advice = f"\n        → {finding.advice}" if finding.advice else ""
    return Text(mark, style=style) + Text(line + ("" if finding.ok else advice), "none")


@contextmanager
def _startup() -> Iterator[None]:
    """Exit with a message if the desk does not start or stop."""
    try:
        yield
    except StartupError as error:
        raise refused(str(error), error.code) from None
