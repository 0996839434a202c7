"""`permanence up`, `down` and `doctor`: sentences for people, JSON for programs."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from shared.machine.doctor import Finding, examine
from shared.machine.down import down as stop
from shared.machine.roster import SERVICES
from shared.machine.terminal import Terminal
from shared.machine.trouble import Exit, Trouble
from shared.machine.up import Bootstrap, Plan
from shared.machine.up import up as run
from shared.machine.wishes import read_wishes

AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]


def up_with(bootstrap: Bootstrap) -> Callable[[], None]:
    """Return the command `up` for a desk that is filled by `bootstrap` at first."""

    def up() -> None:
        """Start PostgreSQL, NATS and the services here, and keep them running.

        Ctrl-C stops all of it; the data stays in .permanence (PERMANENCE_HOME).
        Exit codes: 0 stopped, 1 something would not come up, 2 a setting, 3 a port is
        taken, 4 a desk runs already, 5 the folder, 6 the disk is full, 7 something is
        not installed, 8 credentials and data do not match, 9 the database.
        """
        with _in_sentences(as_json=False):
            terminal = Terminal()
            try:
                run(Plan(read_wishes(), SERVICES, bootstrap, terminal))
            finally:
                terminal.close()

    return up


def down(as_json: AsJson = False) -> None:
    """Stop the desk that `up` runs in this folder, and wait for its end.

    Exit codes: 0 none runs any more, 1 it does not stop, 5 it is another user's.
    """
    with _in_sentences(as_json=as_json):
        said = stop(read_wishes().home)
        typer.echo(json.dumps({"done": said}) if as_json else said)


def doctor(as_json: AsJson = False) -> None:
    """Look at this machine and its desk; say what is wrong and what to do.

    Exit codes: 0 all is well, 1 something is not.
    """
    with _in_sentences(as_json=as_json):
        findings = list(examine(read_wishes(), SERVICES))
        if as_json:
            typer.echo(json.dumps([asdict(finding) for finding in findings], indent=1))
        else:
            _show(findings)
        if not all(finding.ok for finding in findings):
            raise typer.Exit(Exit.FAILED)


def _show(findings: list[Finding]) -> None:
    console = Console(soft_wrap=True, highlight=False)
    for finding in findings:
        mark, style = ("ok    ", "green") if finding.ok else ("failed", "bold red")
        line = Text(mark, style=style) + Text(
            f"  {finding.name}: {finding.sentence}", style="default"
        )
        console.print(line)
        if not finding.ok and finding.advice:
            console.print(Text(f"        → {finding.advice}"))


@contextmanager
def _in_sentences(*, as_json: bool) -> Iterator[None]:
    try:
        yield
    except Trouble as trouble:
        if as_json:
            typer.echo(json.dumps({"error": f"{trouble}"}))
        else:
            console = Console(stderr=True, soft_wrap=True, highlight=False)
            console.print(Text(f"{trouble}", style="red"))
        raise typer.Exit(trouble.code) from None
