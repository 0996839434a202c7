"""What may be asked of a queue: the parameters of its filters, and their expression."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from services.projections.api.callers import may_look_people_up, person_of
from services.projections.api.limits import PAGE_DEFAULT, PAGE_MAX
from services.projections.api.query_params import Name, TableQuery, Words
from services.projections.queue.expression import (
    EXPRESSION_MAX,
    WORDS,
    All,
    BadExpression,
    Expression,
    Not,
    Term,
    Value,
    parse,
)
from services.projections.queue.filter_fields import terms_of
from services.projections.queue.filters import CURSOR_MAX, Filters
from shared.domain.incident import Status
from shared.domain.policy.priorities import Priority
from shared.domain.policy.targets import PauseReason, SupportLevel
from shared.domain.policy.teams import QueueOrder
from shared.http.problem_details import HttpError
from shared.security.access import Caller

ExpressionText = Annotated[
    str,
    StringConstraints(
        min_length=1, max_length=EXPRESSION_MAX, pattern=r"^[^\x00-\x1f]+$"
    ),
]


class FilterQuery(TableQuery):
    """Which incidents of a queue. Different parameters must all match.

    Repeat a parameter for several values, of which any may match.
    """

    status: tuple[Status, ...] = ()
    """Default: all open incidents."""
    priority: tuple[Priority, ...] = ()
    assignee: tuple[Name, ...] = ()
    team: tuple[Name, ...] = ()
    """The team that works on it now."""
    service: tuple[Name, ...] = ()
    client: tuple[Name, ...] = ()
    reporter: tuple[Name, ...] = ()
    level: tuple[SupportLevel, ...] = ()
    waiting: tuple[PauseReason, ...] = ()
    """Only paused incidents, by who they wait for."""
    unassigned: bool | None = None
    mine: bool | None = None
    """Only incidents assigned to the caller, or only the others."""
    reported_by_user: bool | None = None
    """Only those that a person reported, or only those of monitoring."""
    breached: bool | None = None
    """Only those that broke a promise in this cycle, or only those that did not."""
    root_cause: Literal["open", "problem"] | None = None
    """Only incidents whose cause still exists: not investigated (`open`), or
    investigated by a problem. They are resolved or closed: for closed ones give a
    `status` too."""
    filter: ExpressionText | None = None
    """A filter expression with `AND`, `OR`, `NOT` and parentheses over the same names:
    `(priority:p1 OR breached:true) AND team:apps -service:mail`. It also knows
    `impact`, `urgency`, `category`, `flapping`, `reminder:true` (the caller has one),
    `assignee:me`, `client:none`, and words without a name. A refusal names the
    character where it is wrong."""
    q: Words | None = None
    """Words in any order, each a prefix, ignoring case and accents; searched in title,
    reference, service, labels and people, and in everything that was written about the
    incident: contacts, messages, notes and reasons. There a word needs three letters
    to be a prefix, and a plural finds its singular. All words must match. People are
    found by name if the caller may look people up, otherwise by id."""


class PageQuery(FilterQuery):
    """Which part of a queue."""

    order: QueueOrder | None = None
    """The order of open incidents; ended ones are always newest first. Default: the
    `queue_order` of the policy (`working_time_left` unless set)."""
    limit: Annotated[int, Field(ge=1, le=PAGE_MAX)] = PAGE_DEFAULT
    cursor: Annotated[str, StringConstraints(max_length=CURSOR_MAX)] | None = None
    """`next_cursor` of the previous page."""


_SEVERAL = ("assignee", "team", "service", "client", "reporter", "level", "waiting")
_SINGLE = ("reported_by_user", "breached", "root_cause")


def filters_of(query: FilterQuery, caller: Caller) -> Filters:
    """Return the filters of a query. `HttpError` 422 if its expression is not one."""
    person = person_of(caller)
    written = [*_conjuncts(expression_of(query.filter, person))] if query.filter else []
    texts = [query.q or "", *filter(None, map(_words, written))]
    return Filters(
        query.status,
        query.priority,
        where=(
            *_terms(query, person),
            *(each for each in written if _words(each) is None),
        ),
        q=" ".join(filter(None, texts)) or None,
        by_name=may_look_people_up(caller),
    )


def expression_of(text: str, person: str | None) -> Expression:
    """Return the expression that is written. `HttpError` 422 if it is not valid."""
    try:
        return parse(text, terms_of(person))
    except BadExpression as error:
        raise bad_filter(error) from error


def bad_filter(error: BadExpression) -> HttpError:
    """Return the refusal of an expression, with the character where it is wrong."""
    wrong = {
        "loc": ["query", "filter"],
        "msg": str(error),
        "type": "filter",
        "ctx": {"position": error.position},
    }
    return HttpError(422, f"filter: {error}", code="filter", errors=[wrong])


def _conjuncts(expression: Expression) -> Iterator[Expression]:
    match expression:
        case All(each):
            for one in each:
                yield from _conjuncts(one)
        case _:
            yield expression


def _words(expression: Expression) -> str | None:
    """Return words that all matches must have: the index of words can find them."""
    match expression:
        case Term(field, (str(text),)) if field == WORDS:
            return text
        case _:
            return None


def _terms(query: FilterQuery, person: str | None) -> Iterator[Expression]:
    for name in _SEVERAL:
        if values := getattr(query, name):
            yield Term(name, values)
    for name in _SINGLE:
        if (value := getattr(query, name)) is not None:
            yield Term(name, (value,))
    if query.unassigned is not None:
        yield _assigned_to(None, wanted=query.unassigned)
    if query.mine is not None:
        if person is None:
            sentence = "only a person has incidents: leave `mine` out"
            raise HttpError(422, sentence, code="invalid")
        yield _assigned_to(person, wanted=query.mine)


def _assigned_to(value: Value, *, wanted: bool) -> Expression:
    term = Term("assignee", (value,))
    return term if wanted else Not(term)
