"""How Problem Management answers a hand-over, beside declining it: the bodies."""

from shared.references import ProblemRef
from shared.texts import Title
from shared.wish import Wish


class AcceptHandover(Wish):
    """Take a problem on record for the incident that was handed over."""

    title: Title | None = None
    """What the problem is called. Left out: as the incident is."""


class JoinHandover(Wish):
    """The incident has a cause that is known already."""

    problem: ProblemRef
