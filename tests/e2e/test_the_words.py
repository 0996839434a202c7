"""The README, the tutorial and the how-to pages hold on a running desk, as printed."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from standalone.folder import Run
from tests.docs.console import Shell, steps, walk
from tests.docs.pages import DOCS, ROOT
from tests.support.desks.supervised import running_desk
from tests.support.folders import reachable_folder
from tests.support.patience import posted
from tests.support.servers.forked_commands import forked_commands

BIN = Path(sys.executable).parent
TUTORIAL = DOCS / "tutorial" / "first-incident.md"


CURL = """#!/bin/bash
# As curl, and again while a desk that is busy says that nothing was done.
PATH=${PATH#*:}
out=$(mktemp)
trap 'rm -f "$out"' EXIT
for _ in {1..300}; do
    curl "$@" > "$out"
    code=$?
    grep -q '"status":503' "$out" && ! grep -q '"code":"unanswered"' "$out" || break
    sleep 0.2
done
cat "$out"
exit $code
"""


def _write_patient_curl(programs: Path) -> None:
    curl = programs / "curl"
    curl.write_text(CURL, encoding="utf-8")
    curl.chmod(0o755)


def _until_commands_are_taken(run: Run) -> None:
    """A desk is up before intake hears commands over NATS."""
    url = f"{run.api_url}/v1/incidents/INC-999999/close"
    headers = {"Authorization": f"Bearer {run.token}"}
    assert posted(url, json={}, headers=headers).status_code == 404


@contextmanager
def reader() -> Iterator[tuple[Shell, dict[str, str]]]:
    """Give a shell beside a fresh desk, and what its pages call otherwise.

    The reader's `TOKEN` and `KEY` are what `make up` printed; `permanence` is forked,
    `python` is that of `.venv`; `deploy/` is there as in the checkout.
    """
    with reachable_folder() as folder, forked_commands(folder) as programs:
        command = (str(BIN / "permanence"), "up")
        with running_desk(folder / "home", command) as desk:
            run = desk.until_up().run
            _until_commands_are_taken(run)
            _write_patient_curl(programs)
            environment = {
                **desk.environment,
                "TOKEN": run.token,
                "KEY": run.source_key,
                "PATH": f"{programs}:{BIN}:{os.environ['PATH']}",
                "COLUMNS": "120",
            }
            instead = {
                "http://127.0.0.1:8080": run.api_url,
                "http://127.0.0.1:8081": run.intake_url,
            }
            (folder / "deploy").symlink_to(ROOT / "deploy")
            with Shell(folder, environment) as shell:
                yield shell, instead


def test_what_the_readme_shows_is_what_happens() -> None:
    with reader() as (shell, instead):
        walk((ROOT / "README.md").read_text(encoding="utf-8"), shell, instead)


def test_the_tutorial_and_then_each_how_to_can_be_followed() -> None:
    others = (*(DOCS / "how-to").glob("*.md"), *(DOCS / "reference").glob("*.md"))
    pages = [TUTORIAL, *sorted(others)]
    with reader() as (shell, instead):
        for page in pages:
            walk(page.read_text(encoding="utf-8"), shell, instead)


def test_there_is_something_to_follow() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    tutorial = TUTORIAL.read_text(encoding="utf-8")

    assert len(list(steps(readme))) >= 3
    assert len(list(steps(tutorial))) >= 10
