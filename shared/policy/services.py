"""The services the desk answers for."""

from typing import Annotated

from pydantic import Field

from shared.policy.clause import Clause
from shared.policy.names import Name, Texts
from shared.policy.scales import Impact

UNKNOWN = "unknown"
"""The service of whatever names none we know: visible, never dropped."""


class Service(Clause):
    """One service of the catalogue."""

    name: Texts
    criticality: Impact
    """The impact of an incident that only monitoring has reported."""
    support: Annotated[tuple[Name, ...], Field(min_length=1)]
    """Teams by rising level, the desk first."""

    def called(self, language: str) -> str | None:
        """Return its name in a language; where it has none there, the first it has.

        People know a service by any of its names, and by its id never.
        """
        return self.name.get(language) or next(iter(self.name.values()), None)
