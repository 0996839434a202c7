"""What somebody asks a queue for: which queue, which incidents of it, from where on."""

from dataclasses import asdict, dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Literal

import orjson

from shared.domain.incident import IN_STOCK, Status
from shared.domain.policy.priorities import Priority
from shared.domain.policy.targets import SupportLevel
from shared.domain.policy.teams import QueueOrder

Q_MAX = 200
BY_WORKING_TIME: QueueOrder = "working_time_left"


class Standing(StrEnum):
    """Those in stock, most urgent first, or those that ended, newest first."""

    OPEN = "open"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class QueueName:
    """A queue: all, unassigned, of one team, or (`mine`) of one person."""

    kind: str
    of: str | None = None


@dataclass(frozen=True, slots=True)
class Filters:
    """Empty means any. Several statuses or priorities: any of them."""

    status: tuple[Status, ...] = ()
    priority: tuple[Priority, ...] = ()
    assignee: str | None = None
    service: str | None = None
    client: str | None = None
    reporter: str | None = None
    level: SupportLevel | None = None
    breached: bool | None = None
    root_cause: Literal["open", "problem"] | None = None
    q: str | None = None
    """Words, or a whole reference."""
    by_name: bool = False
    """Words may be in names of people, too."""


class MixedStanding(Exception):
    """Open and ended incidents are asked for at once: they are in different orders."""


def standing(filters: Filters) -> Standing:
    """Return which incidents the statuses mean; open ones where none is given."""
    stocked = {status in IN_STOCK for status in filters.status}
    if stocked == {True, False}:
        raise MixedStanding
    return Standing.ENDED if stocked == {False} else Standing.OPEN


def digest(
    queue: QueueName, filters: Filters, order: QueueOrder = BY_WORKING_TIME
) -> str:
    """Return what tells this query from any other; its cursors carry it."""
    asked: list[object] = [asdict(queue), asdict(filters)]
    if order != BY_WORKING_TIME:
        asked.append(order)
    text = orjson.dumps(asked, option=orjson.OPT_SORT_KEYS)
    return sha256(text).hexdigest()[:16]
