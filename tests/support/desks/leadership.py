"""Leadership without a lease, for tests of what a leader does."""

from shared.database.leadership import Leadership


class Unfenced(Leadership):
    """Leads without the lease, as one that has not noticed its loss."""

    def __init__(self) -> None:
        """Hold no connection."""

    async def won(self) -> bool:
        """Tell a lie."""
        return True

    async def finds(self, _query: object, _given: object) -> bool:
        """Look for work each time: there is no connection to ask by."""
        return True

    def check(self) -> None:
        """Notice nothing."""

    def prove(self) -> None:
        """Notice nothing."""

    def demand(self, cursor: object) -> None:
        """Demand nothing."""
