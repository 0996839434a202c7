"""Titles and states of the records to which an incident is linked."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import NamedTuple

from services.projections.api.incidents.views import LinkView
from services.projections.external_records import several as several_external
from services.projections.generations import AsOf
from services.projections.records import CHANGES, PROBLEMS, several
from shared.database.cursors import Cursors
from shared.domain.change import Change
from shared.domain.events import is_incident_event
from shared.domain.identifiers import incident_stream
from shared.domain.incident import replay
from shared.domain.possible import while_possible
from shared.domain.problem import Problem
from shared.domain.record import kind_of
from shared.eventlog.histories import readable
from shared.eventlog.log import EventLog

LINKED_MAX = 50
"""The maximum number of linked records that an answer reads."""


class _Linked(NamedTuple):
    title: str
    status: str | None


def with_titles(
    log: EventLog, cursor: Cursors, upto: AsOf, links: Sequence[LinkView]
) -> list[LinkView]:
    """Return links with the titles and states of their records, as known at `upto`.

    Records of other organisations have neither, nor have those after `LINKED_MAX`.
    """
    found = _linked(log, cursor, upto, (each.target for each in links))
    return [
        each.model_copy(update=found[each.target]._asdict())
        if each.target in found
        else each
        for each in links
    ]


def _linked(
    log: EventLog, cursor: Cursors, upto: AsOf, targets: Iterable[str]
) -> Mapping[str, _Linked]:
    refs = list(islice(dict.fromkeys(targets), LINKED_MAX))
    found = _incidents(log, cursor, upto, [r for r in refs if kind_of(r) == "incident"])
    problems = [ref for ref in refs if kind_of(ref) == "problem"]
    changes = [ref for ref in refs if kind_of(ref) == "change"]
    for problem in several(log, cursor, PROBLEMS, problems, upto).values():
        found[problem.record.ref] = _shown(problem.record)
    for change in several(log, cursor, CHANGES, changes, upto).values():
        found[change.record.ref] = _shown(change.record)
    records = [ref for ref in refs if kind_of(ref) == "record"]
    for seen in several_external(log, cursor, records, upto).values():
        found[seen.record.ref] = _Linked(seen.record.name, seen.record.state)
    return found


def _shown(record: Problem | Change) -> _Linked:
    return _Linked(record.title, record.status.value)


def _incidents(
    log: EventLog, cursor: Cursors, upto: AsOf, refs: Sequence[str]
) -> dict[str, _Linked]:
    streams = [incident_stream(ref) for ref in refs]
    pasts = readable(log, cursor, streams, upto.position).values()
    replayed = (
        while_possible(
            replay, (each.event for each in past if is_incident_event(each.event))
        )
        for past in pasts
    )
    return {
        each.ref: _Linked(each.title, each.status.value) for each in replayed if each
    }
