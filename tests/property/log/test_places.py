"""Whatever happened, a record is where the queue shows it: limits mean the same."""

from collections.abc import Sequence

from hypothesis import given

from services.projections.queue.projection import project
from services.projections.queue.row import QueueRow
from shared.domain.identifiers import about
from shared.domain.limits import Place
from shared.eventlog.entry import Entry
from shared.security.places import place_of
from tests.support.strategies.interleaved_streams import stories


@given(stories(always_opened=True))
def test_an_incident_is_where_the_queue_shows_it(entries: Sequence[Entry]) -> None:
    rows: dict[str, QueueRow | None] = {}
    for entry in entries:
        ref = about(entry.stream) or ""
        rows[ref] = project(rows.get(ref), entry)

    for ref, row in rows.items():
        own = [entry for entry in entries if about(entry.stream) == ref]
        place = place_of(own)
        assert place == (row and Place(row.client, row.service, row.team))
