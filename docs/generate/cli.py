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
`--help` shows for each command what is written here;
`--install-completion` adds completion to a shell.

## Which desk

* `quarantine`, `sla move` and `sla moved` use the read API of a running desk,
  as the owner of a token: `--api` and `--token`.
* `config`, `people`, `heartbeat`, `token`, `vault`, `parked`, `rebuild`, `remap`,
  `replay`, `audit`, `sla explain` and `restored` use the database as `desk_admin`:
  `DATABASE_URL`. They also work while no service runs. `migrate` needs its owner.
* `rebuild`, `vault forget` and `vault rotate --finish` change read models as
  `desk_projections`, who owns them: `PERMANENCE_PROJECTIONS_DATABASE_URL`, and
  `rebuild` needs no other. For a desk of `make up` they find it themselves.
* `provision` and `restored` use NATS, as a user who may change streams: `NATS_URL`.
* `map`, `sla due`, `sla elapsed` and `config schema` use nothing but their input.
  `config check` also looks people up if there is a database.
* `up`, `down`, `demo` and `doctor` are about this machine.

Without an option a command uses the desk that `make up` runs in this folder.

## Answers

A command answers with sentences and tables. What is long shows a progress bar
if standard error is a terminal.

Times are shown in the zone of the person whose token is used, with its offset, or in
that of the desk for `oncall preview`: `permanence --utc …` shows them in UTC.

With `--json` it prints one object, or for a list one object a line
([JSON Lines](https://jsonlines.org/)), with the field names of the API where the API
has the same thing. An error is then an object on standard error: `{"error": …}`, or
`{"ok": false, "mistakes": […]}` for a file that is wrong. A command line that cannot be
parsed is answered by its usage. `map`, `sla due`, `sla elapsed`, `config show` and
`config schema` always answer in JSON. `up` stays in the foreground and answers people
only; programs read `run.json` in the folder of the desk.

Exit code 0 means done and 2 a wrong command line or file, everywhere.
Other exit codes are listed with their command, or with its group.

"""


def page() -> str:
    """Return the page as Markdown."""
    command = get_command(command_line())
    context = typer.Context(command, info_name="permanence")
    docs = get_docs_for_click(obj=command, ctx=context, indent=1, name="permanence")
    docs = _SAID_OF_ALL.sub("", docs).replace("**Options**:\n\n\n", "")
    return _HEAD + docs.strip() + "\n"
