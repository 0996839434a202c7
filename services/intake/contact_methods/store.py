"""Processes commands about contact methods: read, decide, write, append last, answer.

Values are written into the directory, and the log gets the id and the kind. A code is
asked for in the same transaction; escalation sends it. A wrong code is counted although
the command is refused.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, assert_never
from uuid import UUID, uuid4  # noqa: TID251 # ids of requests, part of a secret

from services.intake.attempts import (
    decided,
    journalled,
    recorded_before,
    require_version,
    too_busy,
)
from services.intake.contact_methods import rules
from services.intake.contact_methods.rules import Reachable
from services.intake.directory.givers import Giver, unknown_person
from services.intake.people.rights_store import record
from services.intake.policy.store import Policies
from shared.clock import Clock
from shared.commands.refusals import digest_of, misused
from shared.contact_methods import codes
from shared.contact_methods.fingerprints import Address, fingerprint
from shared.contact_methods.history import contact_methods_of
from shared.contact_methods.store import (
    channels,
    delete_value,
    put_value,
    value_of,
    values_of,
    verify_value,
)
from shared.database.cursors import Cursors
from shared.directory import person as directory_person
from shared.domain.commands.contact_method import (
    AddContactMethod,
    ContactMethodAnswer,
    ContactMethodCommand,
    RemoveContactMethod,
    SendContactCode,
    SetNotificationRules,
    VerifyContactMethod,
)
from shared.domain.events.person import PersonEvent
from shared.domain.identifiers import person_stream
from shared.domain.person import PersonRights
from shared.domain.policy.document import Policy
from shared.domain.refusal import Refused
from shared.eventlog.log import EventLog
from shared.http.problem_details import HttpError
from shared.messaging.commands import CommandRequest
from shared.security.grants.store import rights_of
from shared.security.mail_requests import request_contact_code, request_contact_notice
from shared.security.sender import seal_keys_of

_Recorded = (
    AddContactMethod | VerifyContactMethod | RemoveContactMethod | SetNotificationRules
)
_NO_VAULT = (
    "codes take the vault: an administrator sets PERMANENCE_VAULT_KEY_FILE of intake "
    "and of escalation"
)


class ContactMethodDesk:
    """Answers commands about contact methods; it blocks, so it runs in an executor."""

    def __init__(self, log: EventLog, policies: Policies, clock: Clock) -> None:
        self._log = log
        self._policies = policies
        self._clock = clock
        self._keys = seal_keys_of(log)

    def take(self, request: CommandRequest[Any]) -> ContactMethodAnswer:
        """Return the outcome of a command; raises `HttpError`, `Unavailable`."""
        if isinstance(request.body, AddContactMethod) and self._keys():
            self._log.vault.prepare(request.actor)
        note = journalled(request, request.body.person, self._clock)
        return decided(self._log, lambda cursor: self._attempt(cursor, request), note)

    def _attempt(
        self, cursor: Cursors, request: CommandRequest[Any]
    ) -> ContactMethodAnswer:
        _version, policy = self._policies.current(cursor)
        now = self._clock()
        giver = Giver(request.actor, now, request.scopes, request.limits, policy)
        command: ContactMethodCommand = request.body
        rules.require_oneself(command, giver)
        held, rights = self._held(cursor, command.person, policy)
        before = recorded_before(cursor, request.command_id, _digest(command))
        if before is not None:
            return self._repeated(cursor, command, held, before)
        require_version(request.if_match, rights.version)
        return self._decided(cursor, request, held, giver, rights)

    def _repeated(
        self,
        cursor: Cursors,
        command: ContactMethodCommand,
        held: Reachable,
        before: range,
    ) -> ContactMethodAnswer:
        """Return the answer to a repeat; raises `HttpError` 422 for another value.

        The value is not part of the digest. If the method was removed since, the value
        was deleted with it and cannot be compared.
        """
        rows = self._log.stored_histories(cursor, [person_stream(command.person)])
        method: str | None = next(
            getattr(entry.event, "method", None)
            for entry in self._log.without_words(rows).entries
            if entry.position == before.start
        )
        if isinstance(command, AddContactMethod) and method is not None:
            given = rules.normalized(command.kind, command.value)
            if held.values.get(method, given) != given:
                raise misused()
        return _answer(command, "repeated", held.version, list(before), method)

    def _held(
        self, cursor: Cursors, person: str, policy: Policy
    ) -> tuple[Reachable, PersonRights]:
        known = directory_person(cursor, person)
        if known is None:
            raise unknown_person(person)
        rights = rights_of(self._log, cursor, [person])[person]
        found = values_of(cursor, [person])[person]
        held = Reachable(
            contact_methods_of(cursor, [person])[person],
            {method: each.value for method, each in found.items()},
            known.zone or policy.desk.timezone,
            rights.version,
        )
        return held, rights

    def _decided(
        self,
        cursor: Cursors,
        request: CommandRequest[Any],
        held: Reachable,
        giver: Giver,
        rights: PersonRights,
    ) -> ContactMethodAnswer:
        command: ContactMethodCommand = request.body
        if isinstance(command, SendContactCode):
            return self._sent_again(cursor, request, held, giver.at)
        happened = self._events(cursor, command, held, giver)
        until = None
        if isinstance(command, AddContactMethod):
            method = f"{command.person}.{held.version + 1}"
            until = _request_code(cursor, request, method, giver.at)
        for each in happened:
            _tell(cursor, each, held)
        key = (request.command_id, _digest(command))
        written = {command.person: rights}
        positions = record(self._log, cursor, happened, written, *key)
        outcome = "recorded" if happened else "already"
        version = rights.version + len(happened)
        about = getattr(happened[0], "method", None) if happened else None
        return _answer(command, outcome, version, positions, about, until)

    def _events(
        self,
        cursor: Cursors,
        command: _Recorded,
        held: Reachable,
        giver: Giver,
    ) -> Sequence[PersonEvent]:
        """Return what a command changes, and write it into the directory."""
        match command:
            case AddContactMethod():
                event, value = rules.added(command, held, giver, channels(cursor))
                self._require_may_send(cursor, event.person, event.method, giver.at)
                given = (event.person, event.method, event.kind, value)
                put_value(cursor, *given, giver.at)
                address = Address(event.person, event.method)
                mark = fingerprint(self._log.vault, address, value)
                return (event.model_copy(update={"fingerprint": mark}),)
            case VerifyContactMethod():
                self._require_right_code(cursor, command, held, giver.at)
                verify_value(cursor, command.person, command.method, giver.at)
                return rules.verified(command, giver)
            case RemoveContactMethod():
                happened = rules.removed(command, held, giver)
                delete_value(cursor, command.person, command.method)
                return happened
            case SetNotificationRules():
                return rules.rules_set(command, held, giver)
            case _:
                assert_never(command)

    def _require_may_send(
        self, cursor: Cursors, person: str, method: str, at: datetime
    ) -> None:
        """Raise unless a code may be sent: `Refused` after too many, or `HttpError`.

        Ask before anything is written: a refusal is committed with what was.
        """
        if not self._keys():
            raise HttpError(409, _NO_VAULT, code="no_vault")
        newest = codes.newest_code(cursor, person, method)
        lately = codes.codes_since(cursor, person, at - codes.WITHIN)
        rules.require_may_send(newest, lately, at)

    def _sent_again(
        self,
        cursor: Cursors,
        request: CommandRequest[Any],
        held: Reachable,
        at: datetime,
    ) -> ContactMethodAnswer:
        command: SendContactCode = request.body
        rules.require_method(command.method, held)
        if request.command_id is not None:
            earlier = codes.code_of_request(cursor, request.command_id)
            if earlier is not None and earlier.method == command.method:
                until = earlier.requested_at + codes.VALID
                return _answer(
                    command, "repeated", held.version, [], command.method, until
                )
        self._require_may_send(cursor, command.person, command.method, at)
        known = value_of(cursor, command.person, command.method)
        if known is not None and known.added_at is None:
            # of the directory: the code proves this very address
            given = (command.person, command.method, known.kind, known.value)
            put_value(cursor, *given, at)
        until = _request_code(cursor, request, command.method, at)
        return _answer(command, "sent", held.version, [], command.method, until)

    def _require_right_code(
        self,
        cursor: Cursors,
        command: VerifyContactMethod,
        held: Reachable,
        at: datetime,
    ) -> None:
        rules.require_method(command.method, held)
        newest = codes.newest_code(cursor, command.person, command.method)
        if newest is None or not newest.is_open(at):
            raise Refused(
                "no code for this contact method can be entered any more: ask for a "
                "new one",
                "wrong_code",
            )
        if not codes.is_right(self._keys, newest, command.code):
            codes.note_try(cursor, newest)
            raise Refused(
                "this is not the code that was sent: look at the newest message",
                "wrong_code",
            )
        codes.note_use(cursor, newest, at)


def _request_code(
    cursor: Cursors, request: CommandRequest[Any], method: str, at: datetime
) -> datetime:
    """Ask for a code; return until when it counts. Raises `HttpError` 503."""
    person = request.body.person
    request_id = request.command_id or uuid4()
    codes.request_code(cursor, request_id, person, method, at)
    if not request_contact_code(cursor, request_id, person, at):
        raise too_busy()
    return at + codes.VALID


def _digest(command: ContactMethodCommand) -> bytes:
    """Return what identifies a repeat: neither the value nor the code, it is stored."""
    match command:
        case AddContactMethod(person=person, kind=kind):
            return digest_of("person", command.verb, person, kind)
        case VerifyContactMethod(person=person, method=method):
            return digest_of("person", command.verb, person, method)
        case _:
            return digest_of("person", command.verb, command)


def _tell(cursor: Cursors, event: PersonEvent, held: Reachable) -> None:
    """Ask that the person is told of a change, at the addresses known before it."""
    what = event.type.removeprefix("person.contact_method_")
    if what == event.type:
        return  # rules: they change nothing of where messages go
    method = getattr(event, "method", "")
    known = held.methods.methods.get(method)
    kind = getattr(event, "kind", None) or (known.kind if known else "")
    change = f"{what}|{kind}|{method}"
    request_id: UUID = uuid4()
    request_contact_notice(cursor, request_id, event.person, change, event.at)


def _answer(
    command: ContactMethodCommand,
    outcome: str,
    version: int,
    positions: list[int],
    method: str | None = None,
    until: datetime | None = None,
) -> ContactMethodAnswer:
    return ContactMethodAnswer.model_validate(
        {
            "outcome": outcome,
            "person": command.person,
            "version": version,
            "positions": positions,
            "method": method or getattr(command, "method", None),
            "code_until": until,
        }
    )
