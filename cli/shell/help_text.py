"""Prepares `--help` for a terminal of any width: its paragraphs and options.

Typer keeps the line breaks that the source has in a docstring, and shows `<bool>` after
options that take no value.
"""

import re

import typer
from typer.core import TyperCommand, TyperGroup, TyperOption
from typer.main import get_command

_BREAK = re.compile(r"(?<!\n)\n(?!\n)")

Command = TyperCommand | TyperGroup


def command_of(app: typer.Typer) -> Command:
    """Return the command of `app`, with a help that fits every width."""
    command = get_command(app)
    if not isinstance(command, Command):
        raise TypeError(command)
    _prepare(command)
    return command


def _prepare(command: Command) -> None:
    if command.help:
        command.help = _BREAK.sub(" ", command.help)
    for option in (*command.params, command.get_help_option(typer.Context(command))):
        if isinstance(option, TyperOption) and option.is_flag:
            option.metavar = ""
    for each in command.commands.values() if isinstance(command, TyperGroup) else ():
        if isinstance(each, Command):
            _prepare(each)
