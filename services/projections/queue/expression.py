"""Filter expressions: `(priority:p1 OR breached:true) AND team:apps -service:mail`.

    expression = part { "OR" part }
    part       = factor { ["AND"] factor }
    factor     = ["NOT" | "-"] ( "(" expression ")" | term )
    term       = [ field ":" ] value { "," value }

Several values match any of them; a term without a field is searched for as words.
Which fields there are, and their values, is in `filter_fields.py`.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple, assert_never

from shared.domain.incident import IN_STOCK, Status

EXPRESSION_MAX = 1_000
"""The maximum length of an expression."""
DEPTH_MAX = 16
"""The maximum depth of its parentheses."""
TERMS_MAX = 64
"""The maximum number of its terms and of their values."""

Value = str | bool | None
"""A value of a field; None if the field must be empty."""


@dataclass(frozen=True, slots=True)
class Term:
    """Matches if the field has one of the values."""

    field: str
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """Matches if its operand does not."""

    operand: "Expression"


@dataclass(frozen=True, slots=True)
class All:
    """Matches if each of its operands does."""

    each: "tuple[Expression, ...]"


@dataclass(frozen=True, slots=True)
class Some:
    """Matches if at least one of its operands does."""

    one_of: "tuple[Expression, ...]"


Expression = Term | Not | All | Some


class BadExpression(Exception):
    """Not a valid expression; `position` is where, counted from 1."""

    def __init__(self, position: int, sentence: str) -> None:
        super().__init__(f"{sentence} (at character {position})")
        self.position = position


class _Token(NamedTuple):
    kind: str
    text: str
    position: int


_VALUE = r'"[^"]*"|[^\s(),"]+'
_ENDS = r"(?=[\s()]|$)"
_TOKEN = re.compile(
    rf"""\s*(?:
      (?P<open>\() | (?P<close>\)) | (?P<not>-|NOT{_ENDS}) |
      (?P<and>AND{_ENDS}) | (?P<or>OR{_ENDS}) |
      (?P<term>(?:[A-Za-z_]+:)?(?:{_VALUE})(?:,(?:{_VALUE}))*)
    )""",
    re.VERBOSE,
)
_PART = re.compile(_VALUE)
_FIELD = re.compile(r"([A-Za-z_]+):")
WORDS = "words"
"""The field of a term that names none."""

ReadTerm = Callable[[str, list[str]], Expression]
"""Returns what a field with these written values means; raises `ValueError`."""


def parse(text: str, read: ReadTerm) -> Expression:
    """Return the expression that is written. Raises `BadExpression`."""
    if len(text) > EXPRESSION_MAX:
        raise BadExpression(
            EXPRESSION_MAX, f"it is longer than {EXPRESSION_MAX} characters"
        )
    parser = _Parser(list(_tokens(text)), read)
    whole = parser.expression(DEPTH_MAX)
    parser.end()
    return whole


def _tokens(text: str) -> Iterator[_Token]:
    end = len(text.rstrip())
    position, left = 0, TERMS_MAX
    while position < end:
        found = _TOKEN.match(text, position)
        if found is None or found.lastgroup is None:
            at = position + len(text[position:]) - len(text[position:].lstrip())
            raise BadExpression(at + 1, _unexpected(text[at]))
        written = found[found.lastgroup]
        if found.lastgroup == "term":
            left -= len(_PART.findall(written))
        if left < 0:
            raise BadExpression(
                found.start(found.lastgroup) + 1,
                f"it has more than {TERMS_MAX} values: leave some out",
            )
        yield _Token(found.lastgroup, written, found.start(found.lastgroup) + 1)
        position = found.end()
    yield _Token("end", "", end + 1)


def _unexpected(character: str) -> str:
    match character:
        case '"':
            return 'a quotation mark is missing: write service:"two words"'
        case ",":
            return "a value is missing: write priority:p1,p2 without spaces"
        case _:
            return f"`{character}` was not expected here"


class _Parser:
    """Reads tokens from left to right: one method for each rule of the grammar."""

    def __init__(self, tokens: list[_Token], read: ReadTerm) -> None:
        self._tokens = tokens
        self._read = read
        self._at = 0

    def expression(self, depth: int) -> Expression:
        """Read parts joined by OR."""
        parts = [self._part(depth)]
        while self._take("or"):
            parts.append(self._part(depth))
        return parts[0] if len(parts) == 1 else Some(tuple(parts))

    def end(self) -> None:
        """Require that nothing is left."""
        if self._next.kind != "end":
            raise BadExpression(self._next.position, "`(` is missing before this `)`")

    @property
    def _next(self) -> _Token:
        return self._tokens[self._at]

    def _take(self, kind: str) -> _Token | None:
        found = self._next
        if found.kind != kind:
            return None
        self._at += 1
        return found

    def _part(self, depth: int) -> Expression:
        factors = [self._factor(depth)]
        while self._take("and") or self._next.kind in {"open", "not", "term"}:
            factors.append(self._factor(depth))
        return factors[0] if len(factors) == 1 else All(tuple(factors))

    def _factor(self, depth: int) -> Expression:
        if self._take("not"):
            if self._next.kind == "not":
                raise BadExpression(self._next.position, "`NOT` is written twice")
            return Not(self._factor(depth))
        if opened := self._take("open"):
            if depth == 0:
                raise BadExpression(
                    opened.position, f"more than {DEPTH_MAX} parentheses are open"
                )
            inner = self.expression(depth - 1)
            if not self._take("close"):
                raise BadExpression(opened.position, "this `(` is never closed")
            return inner
        if term := self._take("term"):
            return self._term(term)
        raise BadExpression(
            self._next.position,
            "a condition is missing here: write one such as priority:p1",
        )

    def _term(self, token: _Token) -> Expression:
        named = _FIELD.match(token.text)
        field = named[1].lower() if named else WORDS
        rest = token.text[named.end() if named else 0 :]
        written = [part.strip('"') for part in _PART.findall(rest)]
        if not written:
            raise BadExpression(token.position, f"a value is missing after `{field}:`")
        try:
            return self._read(field, written)
        except ValueError as error:
            raise BadExpression(token.position, str(error)) from error


def may_match(expression: Expression, status: Status) -> bool:
    """Return whether an incident with this status may match, whatever else it is."""
    return _known(expression, status) is not False


def _known(expression: Expression, status: Status) -> bool | None:
    """Return whether it matches, as far as the status alone decides; None if not."""
    match expression:
        case Term("status", values):
            return status.value in values
        case Term("waiting"):
            return None if status is Status.PAUSED else False
        case Term():
            return None
        case Not(operand):
            inner = _known(operand, status)
            return None if inner is None else not inner
        case All(each):
            found = {_known(one, status) for one in each}
            return False if False in found else None if None in found else True
        case Some(one_of):
            found = {_known(one, status) for one in one_of}
            return True if True in found else None if None in found else False
        case _:
            assert_never(expression)


def names_ended(expression: Expression, *, negated: bool = False) -> bool:
    """Return whether it asks for ended incidents, rather than excludes them."""
    match expression:
        case Term("status", values):
            ended = {status.value for status in Status} - {s.value for s in IN_STOCK}
            return not negated and not ended.isdisjoint(values)
        case Term():
            return False
        case Not(operand):
            return names_ended(operand, negated=not negated)
        case All(each) | Some(each):
            return any(names_ended(one, negated=negated) for one in each)
        case _:
            assert_never(expression)
