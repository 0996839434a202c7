"""Carries out a synchronisation: compares, writes and appends, a transaction a part.

Each part is whole, and the rest is compared again: if the process dies in between, the
next synchronisation goes on where this one ended.

Readings are numbered by the database before they begin. What was read by a process that
then did not run for a while is not carried out after a newer reading.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.intake.attempts import decided
from services.intake.directory.address_facts import (
    Author,
    address_events,
    changed_by_import,
)
from services.intake.directory.givers import Giver, require_administrator
from services.intake.directory.store import (
    directory_changes,
    forgotten_people,
    mark_synchronised,
    synchronised_people,
)
from services.intake.people.import_plan import PersonPlan, events_of, plan, removals
from services.intake.people.invitation_store import write_changes
from services.intake.people.rights_store import (
    record,
    write_rights,
)
from services.intake.people.sync_plan import (
    LeftOut,
    PeopleFound,
    candidates,
    first_part,
    require_moderation,
)
from services.intake.people.views import imported
from services.intake.policy.store import Policies
from shared.clock import Clock
from shared.commands.refusals import Refusal, answer_to, journal
from shared.database.cursors import Cursors
from shared.domain.commands.person import ITEMS_MAX, LeftOutView, PeopleSynchronised
from shared.domain.events.event import Actor
from shared.domain.events.person import PersonEvent
from shared.domain.person import PersonRights
from shared.domain.refusal import Refused
from shared.eventlog.log import EventLog
from shared.messaging.commands import CommandRequest
from shared.security.grants.store import rights_of

ACTOR: Actor = "system:ldap"
EVENTS_A_PART = 500
_VERB = "person.sync"

_BEGIN = "UPDATE intake.people_readings SET begun = begun + 1 RETURNING begun"
_CARRY_OUT = """
UPDATE intake.people_readings SET carried_out = %(number)s
WHERE %(number)s BETWEEN carried_out AND begun
"""
_IS_NEWEST = """
SELECT FROM intake.people_readings WHERE %(number)s BETWEEN carried_out AND begun
"""

Fence = Callable[[Cursors], None]
"""Called first in each transaction; raises if another process does this work now."""


class Superseded(Exception):
    """A reading that began later was carried out: read again."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read, and the number that the reading was given before it began."""

    number: int
    found: PeopleFound


@dataclass(frozen=True, slots=True)
class _Part:
    """The plan of everything, what was recorded of it, and whether that was all."""

    plans: Sequence[PersonPlan]
    left_out: Sequence[LeftOut]
    positions: Sequence[int]
    is_last: bool


class PeopleSync:
    """Makes the directory and the roles what was found; blocks, runs in an executor."""

    def __init__(self, log: EventLog, policies: Policies, clock: Clock) -> None:
        self._log = log
        self._policies = policies
        self._clock = clock

    def admit(self, request: CommandRequest[Any]) -> None:
        """Raise `HttpError` unless an administrator without limits asks."""
        with self._log.transaction() as cursor:
            _, policy = self._policies.current(cursor)
            at = self._clock()
            giver = Giver(request.actor, at, request.scopes, request.limits, policy)
        try:
            require_administrator(giver)
        except Refused as no:
            self.journal(request, no)
            raise answer_to(no) from no

    def journal(self, request: CommandRequest[Any], no: Refused) -> None:
        """Record that a command was refused, and why."""
        refusal = Refusal(self._clock(), request.actor, _VERB, "people", no)
        with self._log.transaction() as cursor:
            journal(cursor, "intake", refusal)

    def begin_reading(self) -> int:
        """Return the number of a reading that begins after this."""
        with self._log.transaction() as cursor:
            (number,) = cursor.execute(_BEGIN).fetchone() or (0,)
        return int(number)

    def carry_out(
        self, reading: Reading, *, preview: bool, fence: Fence = lambda _: None
    ) -> PeopleSynchronised:
        """Return what changed; raises `Refused` if that would be too much.

        Raises `Superseded` if a newer reading was carried out. Its order is that of
        the events: what is given comes before what is taken.
        """
        first: _Part | None = None
        positions: list[int] = []
        while True:
            part = self._part(reading, fence, preview=preview)
            first = first or part
            positions += part.positions
            if part.is_last:
                return _answer(first, positions, reading.found, preview=preview)

    def _part(self, reading: Reading, fence: Fence, *, preview: bool) -> _Part:
        def attempt(cursor: Cursors) -> _Part:
            fence(cursor)
            _require_newest(cursor, reading.number, preview=preview)
            return self._attempt(cursor, reading.found, preview=preview)

        return decided(self._log, attempt)

    def _attempt(self, cursor: Cursors, found: PeopleFound, *, preview: bool) -> _Part:
        giver = self._giver(cursor)
        population = synchronised_people(cursor)
        missing = population - found.listed
        ids = {each.id for each in found.people}
        rights = rights_of(self._log, cursor, sorted(ids | missing))
        chosen = candidates(found, forgotten_people(cursor, sorted(ids)), rights)
        rows = [each.columns for each in chosen.people]
        changes = directory_changes(cursor, rows, giver.at)
        own = plan(chosen.people, changes, rights, giver)
        require_moderation(own, rights, giver.at)
        plans = [
            *own,
            *removals(missing, len(population), rights, giver, "the LDAP directory"),
        ]
        if preview:
            return _Part(plans, chosen.left_out, (), is_last=True)
        vault, author = self._log.vault, Author(giver.by, giver.at)
        changed = changed_by_import(vault, cursor, changes)
        more = Counter(address.person for address, _ in changed)
        part = first_part(plans, EVENTS_A_PART, more)
        ids = {each.person for each in part}
        write_changes(cursor, [c for c in changes if c.person.id in ids], giver.at)
        mark_synchronised(cursor, [p.id for p in chosen.people if p.id in ids])
        written = [each for each in changed if each[0].person in ids]
        addresses = address_events(vault, written, author)
        positions = self._recorded(cursor, part, rights, addresses)
        return _Part(plans, chosen.left_out, positions, len(part) == len(plans))

    def _giver(self, cursor: Cursors) -> Giver:
        """Return the desk itself, which may give whatever the settings say."""
        _, policy = self._policies.current(cursor)
        return Giver(ACTOR, self._clock(), ("admin",), {}, policy)

    def _recorded(
        self,
        cursor: Cursors,
        plans: Sequence[PersonPlan],
        rights: Mapping[str, PersonRights],
        addresses: Sequence[PersonEvent],
    ) -> list[int]:
        happened = events_of(plans)
        write_rights(cursor, happened, rights)
        return record(self._log, cursor, [*happened, *addresses], rights)


def _require_newest(cursor: Cursors, number: int, *, preview: bool) -> None:
    query = _IS_NEWEST if preview else _CARRY_OUT
    if cursor.execute(query, {"number": number}).rowcount == 0:
        raise Superseded


def _answer(
    first: _Part, positions: list[int], found: PeopleFound, *, preview: bool
) -> PeopleSynchronised:
    done = imported(first.plans, positions, preview=preview)
    return PeopleSynchronised(
        **done.model_dump(),
        disabled=found.disabled,
        left_out=[
            LeftOutView(who=each.who, why=each.why, column=each.column)
            for each in first.left_out[:ITEMS_MAX]
        ],
    )
