"""Who is signed in, in a database of tests, at an instant that they choose."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

from shared.clock import set_lever
from shared.database.cursors import Cursors
from shared.domain.limits import EVERYTHING, Limits
from shared.eventlog.log import EventLog
from shared.messaging.commands import Scope
from shared.security.access import Access, Caller, NewToken, create
from shared.security.sender import seal_keys_of
from shared.security.sessions import NewSession, Start, begin_session

MORNING = datetime(2026, 3, 2, 7, tzinfo=UTC)
_GRANT = """
INSERT INTO access.grants (grant_id, person, role, clients, services, teams, given_by,
                           given_at, until)
VALUES (%s, %s, %s, %s, %s, %s, 'person:root', %s, %s)
"""
_WITHDRAW = "UPDATE access.grants SET withdrawn_at = %s WHERE person = %s"
_numbers = count(1)


def grant(  # each is a column
    cursor: Cursors,
    person: str,
    role: Scope = "agent",
    limits: Limits = EVERYTHING,
    until: datetime | None = None,
) -> None:
    """Give somebody a right, as the table keeps it."""
    columns = [
        None if names is None else sorted(names)
        for names in (limits.clients, limits.services, limits.teams)
    ]
    row = (f"grant-{next(_numbers)}", person, role, *columns, MORNING, until)
    cursor.execute(_GRANT, row)


@dataclass
class Door:
    """The log of a desk as its owner, and what a service thinks of a credential."""

    log: EventLog
    now: datetime = MORNING
    elapsed: float = 0.0
    access: Access = field(init=False)

    def __post_init__(self) -> None:
        """Verify at the instant of this door."""
        self.access = Access(
            self.log,
            lambda: self.now,
            lambda: self.elapsed,
            seal_keys_of(self.log),
        )

    def passes(self, **by: float) -> None:
        """Let time pass, also for what is remembered."""
        self.now += timedelta(**by)
        self.elapsed += timedelta(**by).total_seconds()

    def pulls(self, lever: Path) -> None:
        """Set a lever to the instant of this door."""
        set_lever(lever, self.now)

    def caller(self, secret: str) -> Caller | None:
        """Return whose credential it is now, without what was remembered."""
        return self.access.verify(secret)

    def grants(
        self,
        person: str,
        role: Scope = "agent",
        limits: Limits = EVERYTHING,
        until: datetime | None = None,
    ) -> None:
        """Give a right."""
        with self.log.transaction() as cursor:
            grant(cursor, person, role, limits, until)

    def withdraws(self, person: str) -> None:
        """Withdraw all rights of a person."""
        with self.log.transaction() as cursor:
            cursor.execute(_WITHDRAW, (self.now, person))

    def token(self, actor: str, scopes: Sequence[Scope] = ("agent",)) -> NewToken:
        """Make a token."""
        with self.log.transaction() as cursor:
            return create(cursor, self.now, actor, scopes)

    def begins(self, start: Start) -> NewSession:
        """Begin a session."""
        with self.log.transaction() as cursor:
            return begin_session(cursor, seal_keys_of(self.log), self.now, start)
