"""Who may change how a person is reached, and what follows. Pure."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.intake.directory.givers import Giver, require_administrator
from shared.contact_methods.codes import PAUSE, SENT_MAX, SentCode
from shared.domain.commands.contact_method import (
    METHODS_MAX,
    AddContactMethod,
    ContactMethodCommand,
    RemoveContactMethod,
    RuleBody,
    SetNotificationRules,
    VerifyContactMethod,
)
from shared.domain.contact_methods import ContactMethods
from shared.domain.contact_methods.values import is_value
from shared.domain.events.contact_method import (
    DIRECTORY_MAIL,
    ContactKind,
    NotificationRule,
    PersonContactMethodAdded,
    PersonContactMethodRemoved,
    PersonContactMethodVerified,
    PersonNotificationRulesSet,
    QuietHours,
)
from shared.domain.policy.cross_checks import is_zone
from shared.domain.refusal import Refused

NUMBER_IN_FULL = (
    "write a number with its country code, such as +33612345678, in `value`"
)
_BLANKS = re.compile(r"[\s().-]")
_WRITE: Mapping[ContactKind, str] = {
    "mail": "write an address such as nadia@example.org in `value`",
    "sms": NUMBER_IN_FULL,
    "voice": NUMBER_IN_FULL,
    "ntfy": "write a topic of at most 64 letters, digits, - and _ in `value`",
    "matrix": "write the id of a room, such as !abc:example.org, in `value`",
    "slack": "write the id of a member, such as U0123ABCD, in `value`",
    "mattermost": "write the name of a user, such as @nadia, in `value`",
    "apprise": "write a URL of Apprise, as its documentation has it for your "
    "service, in `value`",
    "web_push": "write the subscription of a browser, as JSON, in `value`",
}
_MINUTE = 60
FIRST_MINUTES_MAX = 5
"""By how much the first message about an important page may be delayed."""


@dataclass(frozen=True, slots=True)
class Reachable:
    """A person as the directory and the log have them."""

    methods: ContactMethods
    values: Mapping[str, str]
    """The value of each method that the directory has."""
    zone: str
    """The person's time zone, otherwise the desk's."""
    version: int


def require_oneself(command: ContactMethodCommand, giver: Giver) -> None:
    """Raise `Refused` unless people change how they are reached themselves.

    An administrator may remove a method.
    """
    if command.person == giver.person:
        return
    if not isinstance(command, RemoveContactMethod):
        raise Refused(
            "only people themselves say how they are reached: ask them to", "role"
        )
    require_administrator(giver)


def added(
    command: AddContactMethod, held: Reachable, giver: Giver, open_: Collection[str]
) -> tuple[PersonContactMethodAdded, str]:
    """Return the event of adding a method, and the value to store. Raises `Refused`."""
    if command.kind != "mail" and command.kind not in open_:
        there = ", ".join(sorted({"mail", *open_}))
        raise Refused(
            f"this desk sends nothing by {command.kind}: choose one of {there}",
            "invalid",
        )
    if len(held.methods.methods) >= METHODS_MAX:
        raise Refused(
            f"you have {METHODS_MAX} contact methods already: remove one first", "state"
        )
    value = normalized(command.kind, command.value)
    for method, known in held.values.items():
        kind = held.methods.methods.get(method)
        if kind and (kind.kind, known.lower()) == (command.kind, value.lower()):
            raise Refused(
                "you have this contact method already: enter its code, or ask for a "
                "new one",
                "state",
            )
    event = PersonContactMethodAdded(
        at=giver.at,
        by=giver.by,
        person=command.person,
        method=f"{command.person}.{held.version + 1}",
        kind=command.kind,
    )
    return event, value


def normalized(kind: ContactKind, value: str) -> str:
    """Return a value as it is stored; raises `Refused` if it cannot be one."""
    if kind in ("sms", "voice"):
        value = _BLANKS.sub("", value)
    if not is_value(kind, value):
        raise Refused(_WRITE[kind], "invalid")
    return value


def require_may_send(newest: SentCode | None, sent: int, at: datetime) -> None:
    """Raise `Refused` if a person was sent too many codes lately."""
    if sent >= SENT_MAX:
        raise Refused(
            f"you were sent {SENT_MAX} codes within an hour: wait, then ask again",
            "too_many_codes",
        )
    if (
        newest is not None
        and newest.used_at is None
        and at < newest.requested_at + PAUSE
    ):
        raise Refused(
            f"a code was sent a moment ago: wait {PAUSE.seconds} seconds for it",
            "too_many_codes",
        )


def require_method(method: str, held: Reachable) -> None:
    """Raise `Refused` unless the log and the directory have a method."""
    if method not in held.methods.methods or method not in held.values:
        raise unknown_method(method)


def unknown_method(method: str) -> Refused:
    """Return the refusal of a method that does not exist, or was removed."""
    return Refused(
        f"there is no contact method {method}: look at the list of your methods",
        "unknown_method",
    )


def verified(
    command: VerifyContactMethod, giver: Giver
) -> Sequence[PersonContactMethodVerified]:
    """Return the events of a right code."""
    return (
        PersonContactMethodVerified(
            at=giver.at, by=giver.by, person=command.person, method=command.method
        ),
    )


def removed(
    command: RemoveContactMethod, held: Reachable, giver: Giver
) -> Sequence[PersonContactMethodRemoved]:
    """Return the events of removing a method; raises `Refused`."""
    if command.method == DIRECTORY_MAIL:
        raise Refused(
            "the address in the directory stays: an administrator corrects it in the "
            "person's entry",
            "state",
        )
    if command.method not in held.methods.methods:
        raise unknown_method(command.method)
    return (
        PersonContactMethodRemoved(
            at=giver.at, by=giver.by, person=command.person, method=command.method
        ),
    )


def rules_set(
    command: SetNotificationRules, held: Reachable, giver: Giver
) -> Sequence[PersonNotificationRulesSet]:
    """Return the events of choosing rules; raises `Refused`."""
    proved = {each.id for each in held.methods.verified()}
    for rule in (*command.default, *command.important):
        if rule.method not in proved:
            raise Refused(
                f"the contact method {rule.method} is not verified: enter its code "
                "first",
                "state",
            )
    _require_soon(command)
    quiet, hours = command.quiet_hours, None
    if quiet is not None:
        zone = quiet.zone or held.zone
        if not is_zone(zone):
            raise Refused("write a time zone such as Europe/Paris", "invalid")
        hours = QuietHours(start=quiet.start, end=quiet.end, zone=zone)
    event = PersonNotificationRulesSet(
        at=giver.at,
        by=giver.by,
        person=command.person,
        default=tuple(map(_rule, command.default)),
        important=tuple(map(_rule, command.important)),
        quiet_hours=hours,
    )
    before = held.methods.rules
    if before is not None and before == event.model_copy(
        update={"at": before.at, "by": before.by}
    ):
        return ()
    return (event,)


def _require_soon(command: SetNotificationRules) -> None:
    delays = [each.delay_minutes for each in command.important]
    if delays and min(delays) > FIRST_MINUTES_MAX:
        raise Refused(
            "the first message about an important page may not wait longer than "
            f"{FIRST_MINUTES_MAX} minutes: shorten a delay in `important`",
            "invalid",
        )


def _rule(body: RuleBody) -> NotificationRule:
    return NotificationRule(
        method=body.method,
        delay_seconds=body.delay_minutes * _MINUTE,
        repeat=body.repeat,
        every_seconds=body.every_minutes * _MINUTE,
    )
