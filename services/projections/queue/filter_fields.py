"""The fields that a filter may name: their values, and what each means in SQL."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import assert_never, get_args

from services.projections.queue.expression import (
    WORDS,
    All,
    Expression,
    Not,
    ReadTerm,
    Some,
    Term,
    Value,
)
from shared.domain.incident import Status
from shared.domain.policy.priorities import Impact, Priority, Urgency
from shared.domain.policy.targets import PauseReason, SupportLevel

NAME_MAX = 128
_NAME = re.compile(rf"[^\x00-\x1f]{{1,{NAME_MAX}}}")
_YES_NO: Mapping[str, bool] = {"true": True, "false": False}
NOBODY, ME = "none", "me"
"""The written values for an empty field, and for the person who asks."""


@dataclass(frozen=True, slots=True)
class Field:
    """A field: its condition in SQL with one `%s`, and its values.

    Without `values` any name is one, and `me` if it is `of_people`; without `%s` it is
    a condition that is `true` or `false`.
    """

    condition: str
    values: tuple[str, ...] = ()
    of_people: bool = False
    may_be_empty: bool = False

    @property
    def is_switch(self) -> bool:
        """Whether its values are `true` and `false`."""
        return "%s" not in self.condition

    @property
    def shown(self) -> str:
        """What may be written after the colon, for people."""
        if self.is_switch:
            return "true or false"
        words = [*self.values] or ["a name"]
        words += [ME] if self.of_people else []
        words += [NOBODY] if self.may_be_empty else []
        return ", ".join(words)


FIELDS: Mapping[str, Field] = {
    "status": Field("status = %s", tuple(status.value for status in Status)),
    "priority": Field("priority = %s", get_args(Priority)),
    "impact": Field("impact = %s", get_args(Impact)),
    "urgency": Field("urgency = %s", get_args(Urgency)),
    "level": Field("level = %s", get_args(SupportLevel)),
    "team": Field("team = %s"),
    "assignee": Field("assignee = %s", of_people=True, may_be_empty=True),
    "reporter": Field("reporter = %s", of_people=True, may_be_empty=True),
    "service": Field("service = %s"),
    "category": Field("category = %s", may_be_empty=True),
    "client": Field("client = %s", may_be_empty=True),
    "waiting": Field(
        "(status = 'paused' AND pause_reason = %s)", get_args(PauseReason)
    ),
    "root_cause": Field("root_cause = %s", ("open", "problem"), may_be_empty=True),
    "breached": Field("breached"),
    "reported_by_user": Field("user_reported"),
    "flapping": Field("flapping"),
    "reminder": Field("strpos(' ' || reminders, ' ' || %s::text || '@') > 0"),
}
"""The fields that are columns of a row."""
REMINDER = "reminder"
"""`reminder:true`: the person who asks has a reminder, due or to come."""
MINE, UNASSIGNED = "mine", "unassigned"
_OF_ASSIGNEE = {MINE, UNASSIGNED}
"""Other ways to write `assignee:me` and `assignee:none`."""
NAMES = (*FIELDS, MINE, UNASSIGNED)

Where = tuple[str, tuple[object, ...]]
"""A condition with its parameters."""


def terms_of(person: str | None) -> ReadTerm:
    """Return what reads written terms; `person` is who asks, None for a machine."""

    def read(name: str, written: list[str]) -> Expression:
        if name == WORDS:
            return Term(WORDS, tuple(written))
        if name == MINE and person is None:
            raise ValueError("only a person has incidents: leave `mine` out")
        if name == REMINDER:
            return _reminded(written, person)
        if name in _OF_ASSIGNEE:
            wanted = Term("assignee", (person if name == MINE else None,))
            return _all_of(name, written, wanted)
        if name not in FIELDS:
            known = ", ".join(sorted(NAMES))
            raise ValueError(f"there is no field `{name}`: use one of {known}")
        field = FIELDS[name]
        return Term(name, tuple(_value(name, field, one, person) for one in written))

    return read


def _reminded(written: Sequence[str], person: str | None) -> Expression:
    if person is None:
        raise ValueError("only a person has reminders: leave `reminder` out")
    return _all_of(REMINDER, written, Term(REMINDER, (person,)))


def _all_of(name: str, written: Sequence[str], wanted: Term) -> Expression:
    found = {_switch(name, each) for each in written}
    either: dict[bool, Expression] = {True: wanted, False: Not(wanted)}
    return Some(tuple(either[each] for each in sorted(found)))


def _value(name: str, field: Field, written: str, person: str | None) -> Value:
    plain = written.lower()
    if field.is_switch:
        return _switch(name, plain)
    if field.may_be_empty and plain == NOBODY:
        return None
    if field.of_people and plain == ME:
        if person is None:
            raise ValueError(f"only a person is `me`: name somebody after `{name}:`")
        return person
    if field.values:
        if plain in field.values:
            return plain
        raise ValueError(f"`{written}` is not a value of `{name}`: use {field.shown}")
    if not _NAME.fullmatch(written):
        raise ValueError(f"`{name}` needs a name of 1 to {NAME_MAX} characters")
    return written


def _switch(name: str, written: str) -> bool:
    if written.lower() not in _YES_NO:
        raise ValueError(f"write `{name}:true` or `{name}:false`")
    return _YES_NO[written.lower()]


def conditions(
    expression: Expression, search: Callable[[Sequence[str]], Where]
) -> list[Where]:
    """Return conditions that hold together exactly if an incident matches.

    The parts of a conjunction are returned apart, so that PostgreSQL can use an index
    for each; `search` returns the condition for words.
    """
    match expression:
        case All(each):
            return [one for part in each for one in conditions(part, search)]
        case Some((one,)):
            return conditions(one, search)
        case _:
            pass
    return [_condition(expression, search)]


def _condition(
    expression: Expression, search: Callable[[Sequence[str]], Where]
) -> Where:
    match expression:
        case Term(field, values) if field == WORDS:
            found = [search([str(each)]) for each in values]
            return _joined(" OR ", found)
        case Term(field, values):
            return _any_of(FIELDS[field], values)
        case Not(operand):
            text, parameters = _condition(operand, search)
            # An empty field is not equal to a value; in SQL it would be unknown.
            return f"({text}) IS NOT TRUE", parameters
        case All(each):
            return _joined(" AND ", [_condition(one, search) for one in each])
        case Some(one_of):
            return _joined(" OR ", [_condition(one, search) for one in one_of])
        case _:
            assert_never(expression)


def _any_of(field: Field, values: Sequence[Value]) -> Where:
    if field.is_switch:
        texts = [field.condition if v else f"NOT {field.condition}" for v in values]
        return _joined(" OR ", [(text, ()) for text in texts])
    named = [value for value in values if value is not None]
    found: list[Where] = []
    if len(named) == 1:
        # With `=` the planner knows that such an index is in the order of the page.
        found.append((field.condition, (named[0],)))
    elif named:
        found.append((field.condition.replace("%s", "ANY(%s)"), (named,)))
    if None in values:
        found.append((field.condition.replace("= %s", "IS NULL"), ()))
    return _joined(" OR ", found)


def _joined(word: str, parts: Sequence[Where]) -> Where:
    if len(parts) == 1:
        return parts[0]
    text = word.join(text for text, _ in parts)
    return f"({text})", tuple(value for _, values in parts for value in values)
