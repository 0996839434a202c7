"""The runner of the pages notices when a page is wrong."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.console import Shell, steps, walk

PAGE = """\
Read on.

```console run
$ KEY=one
$ echo "$KEY" \\
    'two
three'
one two
three
$ printf '{\\n "at": "12:30",\\n "b": 1\\n}\\n'
{
 "at": "…",
…
}
```

```console
$ false
```
"""


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    with Shell(tmp_path, os.environ) as shell:
        yield shell


def test_only_marked_blocks_are_run() -> None:
    assert [step.command.split()[0] for step in steps(PAGE)] == [
        "KEY=one",
        "echo",
        "printf",
    ]


def test_a_page_that_is_right_passes(shell: Shell) -> None:
    walk(PAGE, shell, {})


def test_a_page_is_walked_with_other_words_instead(shell: Shell) -> None:
    walk(PAGE, shell, {"one": "eins"})


@pytest.mark.parametrize(
    "change",
    [
        ("one two", "one"),
        ("one two", "one two\ntwo"),
        (' "at": "…",', ' "at": "…", '.replace("at", "as")),
        ("…\n}", "}"),
        ("…\n}", "…\n]"),
    ],
)
def test_a_page_that_shows_something_else_fails(
    shell: Shell, change: tuple[str, str]
) -> None:
    with pytest.raises(AssertionError):
        walk(PAGE.replace(*change), shell, {})


def test_a_command_that_fails_is_a_fault_of_the_page(shell: Shell) -> None:
    with pytest.raises(AssertionError, match="exit code 3"):
        walk("```console run\n$ (exit 3)\n```\n", shell, {})


LATER = "```console run until\n$ n=$((n+1)); echo $n\n3\n```\n"


def test_what_the_desk_does_by_itself_is_waited_for(shell: Shell) -> None:
    walk(LATER, shell, {})


def test_what_never_comes_is_a_fault_of_the_page(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.docs.console.UNTIL_SECONDS_MAX", 0.1)

    with pytest.raises(AssertionError, match="not\n0"):
        walk(LATER.replace("\n3\n", "\n0\n"), shell, {})


def test_a_block_that_is_not_waited_for_is_run_once(shell: Shell) -> None:
    with pytest.raises(AssertionError, match="not\n3"):
        walk(LATER.replace(" until", ""), shell, {})
