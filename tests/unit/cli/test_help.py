"""What `--help` shows is what was written: nothing in it is taken for markup."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import pytest
import typer
from rich.text import Text
from typer.main import get_command
from typer.testing import CliRunner

from cli.app import command_line
from cli.shell.help_text import command_of
from standalone.folder import Run, write_run


def helps(command: Any, name: str) -> Iterator[tuple[str, str]]:
    yield name, command.help or ""
    for parameter in command.params:
        yield f"{name} {parameter.name}", getattr(parameter, "help", None) or ""
    for called, part in getattr(command, "commands", {}).items():
        yield from helps(part, f"{name} {called}")


def commands(
    command: Any, name: str, above: str = ""
) -> Iterator[tuple[str, tuple[Any, str]]]:
    """Yield each command that does something, with its help and its group's."""
    text = f"{above}\n{command.help}"
    parts = getattr(command, "commands", {})
    if not parts:
        yield name, (command, text)
    for called, part in parts.items():
        yield from commands(part, f"{name} {called}", text)


COMMANDS = dict(commands(get_command(command_line()), "permanence"))
HELPS = dict(helps(get_command(command_line()), "permanence"))


@pytest.mark.parametrize("name", HELPS)
def test_nothing_in_a_help_is_lost_as_markup(name: str) -> None:
    assert Text.from_markup(HELPS[name]).plain == HELPS[name]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_or_its_group_lists_its_exit_codes(name: str) -> None:
    assert "Exit codes:" in " ".join(COMMANDS[name][1].split())


def test_paragraphs_fill_the_width_and_a_flag_takes_no_value(
    capsys: pytest.CaptureFixture[str],
) -> None:
    app = typer.Typer()

    @app.command()
    def one(as_json: Annotated[bool, typer.Option("--json")] = False) -> None:
        """Do it.

        This line of the source ends
        here, and its paragraph goes on.

        The next one begins.
        """

    command_of(app)(["--help"], standalone_mode=False)

    shown = capsys.readouterr().out
    assert "ends here, and its paragraph goes on." in shown
    assert "goes on. The next" not in shown
    assert "--json" in shown
    assert "<bool>" not in shown


@pytest.mark.parametrize(
    "arguments",
    [
        ["oncall", "readiness"],
        ["oncall", "statement", "--month", "2026-11"],
        ["oncall", "history", "night", "--from", "2026-11-01", "--to", "2026-12-01"],
        ["oncall", "why", "INC-000001", "--person", "nadia"],
        ["surveys", "list"],
    ],
    ids=" ".join,
)
def test_each_request_goes_to_the_desk_in_permanence_home(
    arguments: list[str], tmp_path: Path
) -> None:
    nobody = "http://127.0.0.1:9"
    write_run(tmp_path, Run(nobody, nobody, "", "", "pmn_1_2", "", {}))
    home = {"PERMANENCE_HOME": str(tmp_path)}
    done = CliRunner().invoke(command_line(), arguments, env=home)
    assert f"{nobody} gives no answer" in done.output
