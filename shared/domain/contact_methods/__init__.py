"""How people are reached: their methods and rules, and the plan that follows. Pure."""

from shared.domain.contact_methods.plan import (
    Importance,
    Plan,
    plan,
)
from shared.domain.contact_methods.state import (
    OF_THE_ENTRY,
    UNVERIFIED,
    ContactMethod,
    ContactMethods,
    evolve,
    replay,
)

__all__ = [
    "OF_THE_ENTRY",
    "UNVERIFIED",
    "ContactMethod",
    "ContactMethods",
    "Importance",
    "Plan",
    "evolve",
    "plan",
    "replay",
]
