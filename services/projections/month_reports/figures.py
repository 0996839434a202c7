"""Counts the figures of the month report of a client, from the metrics.

They are those of `/v1/metrics` for the client: what these withhold is withheld here. A
definition has no number of its own: its version is a digest of its text.
"""

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from hashlib import sha256

from services.projections.generations import AsOf
from services.projections.log_queries import disclosure_of, known_at
from services.projections.metrics.definitions import DEFINITIONS
from services.projections.metrics.figures import Figures
from services.projections.metrics.numbers import numbers
from services.projections.metrics.period import Disclosure, PeriodQuery
from services.projections.metrics.period_metrics import period_metrics
from shared.database.cursors import Cursors
from shared.domain.events.month_report import Numbers, ReportFigures
from shared.domain.month_report import (
    REPORTED,
    WITHIN_SECONDS,
    month_before,
    period_of,
)
from shared.eventlog.log import EventLog


class NotCounted(Exception):
    """Events of the month are not in the metrics yet: ask again in a moment."""


@cache
def definition_versions() -> Mapping[str, str]:
    """Return the version of the definition of each metric of a report."""
    return {
        name: sha256(DEFINITIONS[name].meaning.encode()).hexdigest()[:12]
        for name in REPORTED
    }


def report_figures(
    log: EventLog,
    cursor: Cursors,
    counted: tuple[str, AsOf],
    about: tuple[str, str],
    now: datetime,
) -> ReportFigures:
    """Return the figures of a client and a month, and those of the month before.

    `counted` is the schema of the metrics, and up to where it has counted. Raises
    `NotCounted` if that is not all of the month.
    """
    schema, upto = counted
    client, month = about
    disclosure = disclosure_of(log, cursor)
    is_up = known_at(cursor, now).position <= upto.position
    known = now if is_up or upto.time is None else upto.time
    if known < period_of(month, disclosure.zone)[1]:
        raise NotCounted
    of_month, of_month_before = (
        _numbers(cursor, schema, (client, each), known, disclosure)
        for each in (month, month_before(month))
    )
    return ReportFigures(
        position=upto.position,
        numbers=of_month,
        before=of_month_before,
        definitions=definition_versions(),
    )


def _numbers(
    cursor: Cursors,
    schema: str,
    about: tuple[str, str],
    known: datetime,
    disclosure: Disclosure,
) -> Numbers:
    client, month = about
    asked = PeriodQuery(
        bounds=period_of(month, disclosure.zone),
        within=WITHIN_SECONDS,
        group_by=None,
        known=known,
        disclosure=disclosure,
        only={"client": client},
    )
    return reported(period_metrics(cursor, schema, asked).whole)


def reported(figures: Figures) -> Numbers:
    """Return those numbers that are in reports."""
    return {
        name: value
        for name, value in numbers(figures)
        if name.partition(".")[0] in REPORTED
        and (value is None or isinstance(value, int | float))
    }
