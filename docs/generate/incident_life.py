"""Writes docs/reference/incident-life.md from the decider's table."""

from pathlib import Path

from services.intake.commands.rules import life_of

PAGE = Path(__file__).parents[1] / "reference" / "incident-life.md"

_HEAD = """\
*Reference* · [all pages](../index.md)

# The life of an incident

<!-- Written by `make docs` from
services/intake/commands/rules/verbs.py; change that. -->

What each verb does in each status.

* **do**: the verb's own rule decides.
* **already**: it is so. The answer is a success, and nothing is appended.
  New words are (`incident.note_added`); what contradicts the record is refused.
* anything else: refused with 409, and that is what to do instead.

The last four verbs are not for people: three are those of monitoring signals, and by
`close_silent` the desk itself closes what its users are silent about.
*Restored* is not a status: an incident is restored while it is worked on,
and resolved later or at the same time.

"""


def page() -> str:
    """Return the page as Markdown."""
    return _HEAD + life_of("incident")
