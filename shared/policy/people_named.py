"""The people a policy counts on: who is paged, told, or asked to agree."""

from collections.abc import Iterator

from shared.mistake import Path
from shared.policy.document import Policy

REPORTER = "reporter"
"""Who may agree without being named: the incident's own user."""


def people_named(policy: Policy) -> dict[str, Path]:
    """Return each person's id with the first place that names them."""
    named: dict[str, Path] = {}
    for path, person in _everywhere(policy):
        named.setdefault(person, path)
    return named


def _everywhere(policy: Policy) -> Iterator[tuple[Path, str]]:
    for name, team in policy.teams.items():
        for place, member in enumerate(team.members):
            yield ("teams", name, "members", place), member
        yield ("teams", name, "manager"), team.manager
    for name, contract in policy.contracts.items():
        for place, person in enumerate(contract.may_agree):
            if person != REPORTER:
                yield ("contracts", name, "may_agree", place), person
    for name, survey in policy.surveys.items():
        yield ("surveys", name, "owner"), survey.owner
