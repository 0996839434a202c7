"""`permanence up`, `down` and `doctor`: sentences for people, JSON for programs."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Annotated

import typer
from rich.text import Text

from cli.shell.output import AsJson, answer, refused
from standalone.doctor import Finding, examine
from standalone.services import SERVICES
from standalone.settings import read_settings
from standalone.startup_error import Exit, StartupError
from standalone.up import BeginEpoch, Bootstrap, Plan, Terminal
from standalone.up import down as stop
from standalone.up import up as run

Restored = Annotated[
    str | None,
    typer.Option(
        help="The data was restored, and why: begin a new epoch before all else.",
        show_default=False,
    ),
]


def up_with(
    bootstrap: Bootstrap, epoch_at_start: Callable[[str], BeginEpoch]
) -> Callable[..., None]:
    """Return the command `up` for a desk that is filled by `bootstrap` at first.

    `epoch_at_start` gets the reason for which a new epoch of its log begins.
    """

    def up(restored: Restored = None) -> None:
        """Start PostgreSQL, NATS and the services here, and keep them running.

        Ctrl-C stops all of it; the data stays in .permanence (PERMANENCE_HOME). Exit
        codes: 0 stopped, 1 something did not start, 2 a setting, 3 a port is in use, 4
        a desk runs already, 5 the folder, 6 the disk is full, 7 something is not
        installed, 8 credentials and data do not match, 9 the database.
        """
        begin_epoch = epoch_at_start(restored) if restored is not None else None
        with _in_sentences(as_json=False):
            terminal = Terminal()
            try:
                settings = read_settings()
                run(Plan(settings, SERVICES, bootstrap, terminal, begin_epoch))
            finally:
                terminal.close()

    return up


def down(as_json: AsJson = False) -> None:
    """Stop the desk that `up` runs in this folder, and wait until it has ended.

    Exit codes: 0 none is running any more, 1 it does not stop, 5 it is another user's.
    """
    with _in_sentences(as_json=as_json):
        said = stop(read_settings().home)
        answer(as_json, {"done": said}, said)


def doctor(as_json: AsJson = False) -> None:
    """Examine this machine and its desk; report what is wrong and what to do.

    Exit codes: 0 all is well, or there are only warnings; 1 something is wrong.
    """
    with _in_sentences(as_json=as_json):
        findings = list(examine(read_settings(), SERVICES))
        answer(as_json, [asdict(each) for each in findings], *map(_line, findings))
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
    said = f"  {finding.name}: {finding.sentence}"
    advice = f"\n        → {finding.advice}" if finding.advice else ""
    return Text(mark, style=style) + Text(said + ("" if finding.ok else advice), "none")


@contextmanager
def _in_sentences(*, as_json: bool) -> Iterator[None]:
    try:
        yield
    except StartupError as trouble:
        raise refused(as_json, f"{trouble}", trouble.code) from None
