"""Writes docs/reference/acceptance.md from `acceptance.toml` beside this file."""

import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel, ConfigDict

PAGE = Path(__file__).parents[1] / "reference" / "acceptance.md"
SENTENCES = Path(__file__).with_suffix(".toml")

_HEAD = """\
*Reference* · [all pages](../index.md)

# What a service desk has to do

<!-- Written by `make docs` from docs/generate/acceptance.toml; change that one. -->

The desk is built after a French text on the *Centre de Services* of ITIL.
These are its sentences that ask for something of the software, what they come to,
and the tests that show it. `make test` runs them all.
"""
_TABLE = """
| § | sentence | what it comes to | state | shown by |
|---|---|---|---|---|
"""


class Sentence(BaseModel):
    """A sentence of the text.

    `shown_by` names tests as pytest does, or files of tests; `lacks` says what is
    missing. A sentence with neither asks nothing of software.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    section: str
    says: str
    asks: str
    shown_by: tuple[str, ...] = ()
    lacks: str | None = None

    @property
    def state(self) -> str:
        """Return `done`, `in part`, `missing` or `nothing to do`."""
        match bool(self.shown_by), self.lacks:
            case True, None:
                return "done"
            case True, _:
                return "in part"
            case False, None:
                return "nothing to do"
            case _:
                return "missing"


def sentences() -> tuple[Sentence, ...]:
    """Return them in the order of the text."""
    document = tomllib.loads(SENTENCES.read_text(encoding="utf-8"))
    return tuple(Sentence.model_validate(each) for each in document["sentence"])


def page() -> str:
    """Return the page as Markdown."""
    all_of_them = sentences()
    return f"{_HEAD}\n{_counts(all_of_them)}\n{_TABLE}{''.join(_rows(all_of_them))}"


def _counts(all_of_them: tuple[Sentence, ...]) -> str:
    count = Counter(each.state for each in all_of_them)
    return (
        f"Of {len(all_of_them)} sentences {count['done']} are done, "
        f"{count['in part']} in part, {count['missing']} are missing, and "
        f"{count['nothing to do']} asks nothing that can be read."
    )


def _rows(all_of_them: tuple[Sentence, ...]) -> Iterator[str]:
    for each in all_of_them:
        state = f"**{each.state}**" + (f": {each.lacks}" if each.lacks else "")
        links = "<br>".join(_link(test) for test in each.shown_by)
        yield f"| {each.section} | {each.says} | {each.asks} | {state} | {links} |\n"


def _link(test: str) -> str:
    path, _, name = test.partition("::")
    said = name.removeprefix("test_") or Path(path).stem.removeprefix("test_")
    return f"[{said.replace('_', ' ')}](../../{path})"
