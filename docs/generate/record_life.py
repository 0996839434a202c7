"""Writes docs/reference/record-life.md from the tables of problems and changes."""

from pathlib import Path

from services.intake.records.rules import life_of

PAGE = Path(__file__).parents[1] / "reference" / "record-life.md"

_HEAD = """\
*Reference* · [all pages](../index.md)

# The life of problems and changes

<!-- Written by `make docs` from services/intake/records/rules/verbs.py; change that. -->

What each verb does in each status. **do**: the verb's own rule decides. **already**: it is so, nothing is appended but words that were not said before.
Anything else is refused with 409, and that is what to do instead.
"""  # noqa: E501 one sentence, one line


def page() -> str:
    """Return the page as Markdown."""
    problems, changes = life_of("problem"), life_of("change")
    return f"{_HEAD}\n## Problems\n\n{problems}\n## Changes\n\n{changes}"
