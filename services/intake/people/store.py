"""Processes commands about people: read, decide, write, append last, answer.

Each command has its own transaction: they are rare. If another one was faster, it is
decided again.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple, assert_never
from uuid import UUID

from services.intake.attempts import (
    decided,
    journalled,
    recorded_before,
    require_version,
    too_busy,
)
from services.intake.callers.store import correct
from services.intake.directory import file
from services.intake.directory.address_facts import (
    Author,
    Changed,
    address_events,
    changed_by_import,
    import_recorded,
)
from services.intake.directory.file import Rows
from services.intake.directory.givers import Giver, require_administrator
from services.intake.directory.store import (
    directory_changes,
    known_people,
    people_to_keep,
)
from services.intake.people import invitation_store
from services.intake.people.import_plan import (
    PersonPlan,
    digest_of_plans,
    events_of,
    plan,
    removals,
    wished,
)
from services.intake.people.invitation_store import write_changes
from services.intake.people.rights_store import record, write_rights
from services.intake.people.rules import (
    granted,
    invited,
    names_in_policy,
    removed,
    withdrawn,
)
from services.intake.people.rules import moved as moved_role
from services.intake.people.views import Single, answered, imported
from services.intake.policy.store import Policies
from shared.clock import Clock
from shared.commands.refusals import (
    digest_of,
)
from shared.database.cursors import Cursors
from shared.domain.commands.person import (
    CorrectPerson,
    GrantRole,
    ImportPeople,
    InvitePerson,
    MovePerson,
    PeopleImported,
    PeopleSynchronised,
    PersonAnswer,
    PersonRemovedAnswer,
    RemovePerson,
    WithdrawRole,
)
from shared.domain.events.person import (
    PersonEvent,
    PersonInvited,
)
from shared.domain.person import PersonRights
from shared.domain.refusal import Refused
from shared.eventlog.append import (
    GROUP_EVENTS_MAX,
)
from shared.eventlog.log import EventLog
from shared.http.problem_details import HttpError
from shared.messaging.commands import CommandRequest, Done
from shared.security.grants.store import rights_of
from shared.security.seals import NoVault
from shared.security.sender import seal_keys_of

MISTAKES_SHOWN = 20

PeopleAnswer = PersonAnswer | PersonRemovedAnswer | PeopleImported | PeopleSynchronised


class PeopleDesk:
    """Answers commands about people; it blocks, so it runs in an executor."""

    def __init__(self, log: EventLog, policies: Policies, clock: Clock) -> None:
        self._log = log
        self._policies = policies
        self._clock = clock

    def take(self, request: CommandRequest[Any]) -> PeopleAnswer:
        """Return the outcome of a command; raises `HttpError`, `Unavailable`."""
        self._log.vault.prepare(request.actor)
        rows: Rows = ()
        if isinstance(request.body, ImportPeople):
            rows = _rows(request.body, self._names_for(request))
        about = getattr(request.body, "person", "people")
        note = journalled(request, about, self._clock)

        def attempt(cursor: Cursors) -> "PeopleAnswer | _TooLong":
            return self._attempt(cursor, request, rows)

        answer = decided(self._log, attempt, note)
        if not isinstance(answer, _TooLong):
            return answer
        # In parts first what the roles do not depend on, then the rest as one.
        author = Author(request.actor, self._clock())
        _, written = import_recorded(self._log, rows, author, write_changes)

        plans = answer.plans

        def rest(cursor: Cursors) -> "PeopleAnswer | _TooLong":
            return self._attempt(cursor, request, rows, plans)

        last = decided(self._log, rest, note)
        if not isinstance(last, PeopleImported):
            raise too_busy()  # others change the same people all the time
        return last.model_copy(update={"positions": [*written, *last.positions]})

    def _names_for(self, request: CommandRequest[Any]) -> file.Known:
        """Return the names of the policy if the caller may hear all of them."""
        if "admin" not in request.scopes or request.limits.get("admin") is not None:
            return file.ANY_NAME
        with self._log.transaction() as cursor:
            return names_in_policy(self._policies.current(cursor)[1])

    def _attempt(
        self,
        cursor: Cursors,
        request: CommandRequest[Any],
        rows: Rows,
        planned: Sequence[PersonPlan] | None = None,
    ) -> "PeopleAnswer | _TooLong":
        _version, policy = self._policies.current(cursor)
        giver = Giver(
            request.actor, self._clock(), request.scopes, request.limits, policy
        )
        match request.body:
            case ImportPeople():
                return self._import(cursor, request, giver, rows, planned)
            case CorrectPerson() as command:
                rights = rights_of(self._log, cursor, [command.person])
                held = rights[command.person]
                return correct(self._log, cursor, command, held, giver)
            case (
                GrantRole()
                | WithdrawRole()
                | MovePerson()
                | RemovePerson()
                | InvitePerson()
            ) as command:
                return self._one(cursor, request, command, giver)
            case other:
                raise TypeError(f"{type(other)} is not about people")

    def _one(
        self,
        cursor: Cursors,
        request: CommandRequest[Any],
        command: Single,
        giver: Giver,
    ) -> PersonAnswer:
        held = rights_of(self._log, cursor, [command.person])
        rights = held[command.person]
        before = recorded_before(cursor, *_key(request))
        if before is not None:
            return answered(command, "repeated", rights.version, before, ())
        require_version(request.if_match, rights.version)
        happened = _decided(cursor, command, rights, giver)
        ended = write_rights(cursor, happened, held)
        addresses: Sequence[PersonEvent] = ()
        if isinstance(command, InvitePerson):
            addresses = self._invite(cursor, command, happened)
        events = (*happened, *addresses)
        positions = record(self._log, cursor, events, held, *_key(request))
        outcome: Done = "recorded" if happened else "already"
        version = rights.version + len(events)
        return answered(command, outcome, version, positions, happened, ended)

    def _invite(
        self, cursor: Cursors, command: InvitePerson, happened: Sequence[PersonEvent]
    ) -> Sequence[PersonEvent]:
        """Write the entry and the link of an invitation; `HttpError` if impossible.

        Returns the events of the addresses that this changes.
        """
        keys = seal_keys_of(self._log)
        addresses: list[PersonEvent] = []
        for event in happened:
            if not isinstance(event, PersonInvited):
                continue
            changes = invitation_store.write_entry(cursor, command, event)
            try:
                waits = invitation_store.write_link(cursor, keys, event)
            except NoVault as error:
                raise HttpError(409, str(error), code="no_vault") from error
            if not waits:
                raise too_busy()
            vault, author = self._log.vault, Author(event.by, event.at)
            changed = changed_by_import(vault, cursor, changes)
            addresses += address_events(vault, changed, author)
        return addresses

    def _import(
        self,
        cursor: Cursors,
        request: CommandRequest[Any],
        giver: Giver,
        rows: Rows,
        planned: Sequence[PersonPlan] | None,
    ) -> "PeopleImported | _TooLong":
        """Import in one transaction; `planned`, if the addresses already are."""
        command: ImportPeople = request.body
        require_administrator(giver)
        before = None if command.preview else recorded_before(cursor, *_key(request))
        if before is not None:
            return imported([], list(before), preview=False)
        listed = {str(row["id"]) for row in rows}
        population = people_to_keep(cursor) if command.remove_missing else frozenset()
        missing = population - listed
        rights = rights_of(self._log, cursor, sorted(listed | missing))
        changes = directory_changes(cursor, rows, giver.at)
        plans = [
            *plan(wished(rows), changes, rights, giver),
            *removals(missing, len(population), rights, giver),
        ]
        happened = events_of(plans)
        # Before anything is written: what is refused is journalled, and committed.
        _require_small(happened)
        if command.preview:
            return imported(plans, [], preview=True)
        if planned is None:
            _require_as_previewed(command, plans)
        vault, author = self._log.vault, Author(giver.by, giver.at)
        changed: Sequence[Changed] = changed_by_import(vault, cursor, changes)
        if len(happened) + len(changed) > GROUP_EVENTS_MAX:
            return _TooLong(plans)
        write_changes(cursor, changes, giver.at)
        write_rights(cursor, happened, rights)
        events = [*happened, *address_events(vault, changed, author)]
        positions = record(self._log, cursor, events, rights, *_key(request))
        return imported(planned or plans, positions, preview=False)


class _TooLong(NamedTuple):
    """An import of more addresses and rights than one transaction may append."""

    plans: Sequence[PersonPlan]


def _decided(
    cursor: Cursors, command: Single, rights: PersonRights, giver: Giver
) -> Sequence[PersonEvent]:
    is_known = bool(known_people(cursor, [command.person]))
    match command:
        case GrantRole():
            return granted(command, rights, giver, is_known=is_known)
        case WithdrawRole():
            return withdrawn(command, rights, giver)
        case MovePerson():
            return moved_role(command, rights, giver)
        case RemovePerson():
            return removed(command, rights, giver, is_known=is_known)
        case InvitePerson():
            known = invitation_store.entries(cursor, command)
            return invited(command, rights, giver, known)
        case _:
            assert_never(command)


def _require_small(happened: Sequence[PersonEvent]) -> None:
    if len(happened) > GROUP_EVENTS_MAX:
        raise Refused(
            f"the file changes more than {GROUP_EVENTS_MAX} rights: import it in parts",
            "invalid",
        )


def _require_as_previewed(command: ImportPeople, plans: Sequence[PersonPlan]) -> None:
    if command.expected not in (None, digest_of_plans(plans)):
        raise Refused(
            "the directory or somebody's roles changed since the preview: look at a "
            "new one",
            "not_as_previewed",
        )


def _rows(command: ImportPeople, known: file.Known) -> Rows:
    """Return the rows of the file; `HttpError` 422 that lists its mistakes."""
    read = file.read_yaml if command.format == "yaml" else file.read_csv
    rows = read(command.text, known)
    if not isinstance(rows, list):
        return rows
    shown = "; ".join(map(str, rows[:MISTAKES_SHOWN]))
    more = f"; and {len(rows) - MISTAKES_SHOWN} more" if rows[MISTAKES_SHOWN:] else ""
    raise HttpError(
        422,
        f"the file was not read, correct it: {shown}{more}",
        code="invalid",
        errors=[
            {"loc": ["text", each.path], "msg": str(each), "type": "mistake"}
            for each in rows[:MISTAKES_SHOWN]
        ],
    )


def _key(request: CommandRequest[Any]) -> tuple[UUID | None, bytes]:
    return request.command_id, _digest(request)


def _digest(request: CommandRequest[Any]) -> bytes:
    return digest_of("person", request.body.verb, request.body)
