"""Writes docs/reference/incident-life.md from the tables that decide."""

from collections.abc import Iterator
from pathlib import Path

from services.intake.records.rules import life_of
from shared.domain.incident.relations import RULES, Relation

PAGE = Path(__file__).parents[1] / "reference" / "incident-life.md"

_HEAD = """\
*Reference* · [all pages](../index.md)

# The life of an incident

<!-- Written by `make docs` from
services/intake/records/rules/verbs.py and
shared/domain/incident/relations.py; change those. -->

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


_WHO = """
## Who may say it

Everybody with a [right to give commands](../how-to/people-and-rights.md) about an
incident may say what is not listed here.
Some verbs are only for those who stand in a relation to it: the team that has it at its
level, or that a hand-over asks, as the policy of the incident or the policy in force
names it; and those who were paged at this level. **accept** is of an incident above
N1, **decline** of its hand-over to Problem Management, and **decline_service** of that
of its service. Others are refused with 403, and told what to do
([decision 82](../adr/0082-let-those-it-concerns-end-the-paging.md)).

|  | member of the team | its manager | paged at this level | anybody else |
| --- | --- | --- | --- | --- |
"""
_COLUMNS: tuple[Relation, ...] = ("member", "manager", "paged", "anybody")


def page() -> str:
    """Return the page as Markdown."""
    return _HEAD + life_of("incident") + _WHO + "".join(_rows())


def _rows() -> Iterator[str]:
    """Yield a row of each verb that is not for everybody."""
    for verb, rule in RULES.items():
        if "anybody" not in rule.who:
            cells = ("yes" if each in rule.who else "no" for each in _COLUMNS)
            yield f"| **{verb}** | {' | '.join(cells)} |\n"
