"""Writes docs/reference/cli.md from the command line itself."""

import re
from pathlib import Path

import typer
from typer.cli import get_docs_for_click
from typer.main import get_command

from cli.app import command_line

PAGE = Path(__file__).parents[1] / "reference" / "cli.md"

_SAID_OF_ALL = re.compile(
    r"^\* `--(?:help|install-completion|show-completion)`.*\n", re.MULTILINE
)

_HEAD = """\
*Reference* · [all pages](../index.md)

# Command line

<!-- Written by `make docs` from cli/app.py: change it there. -->

`permanence` is in `.venv/bin` after `make setup`.
`--help` says of each command what stands here, `--install-completion` teaches a shell.
Commands about a desk find the one that `make up` runs in this folder,
or the one that `DATABASE_URL` names.
With `--json` a command answers in JSON, errors too.

0 is done and 2 a wrong command line or file, everywhere.
What else a command may end with stands at that command.

"""


def page() -> str:
    """Return the page as Markdown."""
    command = get_command(command_line())
    context = typer.Context(command, info_name="permanence")
    docs = get_docs_for_click(obj=command, ctx=context, indent=1, name="permanence")
    docs = _SAID_OF_ALL.sub("", docs).replace("**Options**:\n\n\n", "")
    return _HEAD + docs.strip() + "\n"
