"""Every rule put in order. Pure: instants, policies and what is known are arguments."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import chain

from services.escalation.case import Case
from services.escalation.due import Due
from services.escalation.handing_over import handing_over
from services.escalation.handing_over_service import handing_over_service
from services.escalation.known import Known
from services.escalation.levels import leaving, moving
from services.escalation.raising import raising
from services.escalation.recurring import suggesting
from services.escalation.steps import accepting, paging
from services.escalation.telling import telling
from services.escalation.workarounds import telling_workarounds
from shared.domain.events import AnyEvent


def decide(
    case: Case, until: datetime, at: datetime, known: Known
) -> Sequence[AnyEvent]:
    """Return what is so at `until` and not said yet: what was so first.

    Of what is so since the same instant, news comes first, then the rules in their
    order here.
    """
    first = _first(case, known)
    return first.events(at) if first and first.when <= until else ()


def next_at(case: Case, known: Known) -> datetime | None:
    """Return when more is so if nothing happens."""
    first = _first(case, known)
    return first.when if first else None


def _first(case: Case, known: Known) -> Due | None:
    return min(_all(case, known), key=lambda due: due.when, default=None)


def _all(case: Case, known: Known) -> Iterator[Due]:
    return chain(
        telling(case, known),
        moving(case, known),
        telling_workarounds(case, known),
        accepting(case, known),
        leaving(case, known),
        paging(case, known),
        raising(case, known),
        handing_over(case, known),
        handing_over_service(case, known),
        suggesting(case, known),
    )
