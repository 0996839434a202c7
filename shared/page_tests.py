"""Reads the tests of people's pages from the log."""

from collections.abc import Iterable, Mapping
from operator import attrgetter

from shared.database.cursors import Cursors
from shared.domain.events import is_page_test_event
from shared.domain.identifiers import page_test_messages_stream, page_tests_stream
from shared.domain.page_test import PageTest, replay_page_tests
from shared.eventlog.entry import Entry
from shared.eventlog.histories import readable
from shared.eventlog.log import NEWEST, EventLog


def page_tests_of(
    log: EventLog, cursor: Cursors, people: Iterable[str], upto: int = NEWEST
) -> Mapping[str, Mapping[str, PageTest]]:
    """Return the tests of people, by person and id, as of a position of the log."""
    names = sorted({*people})
    streams = [*map(page_tests_stream, names), *map(page_test_messages_stream, names)]
    found = readable(log, cursor, streams, upto) if streams else {}

    def history(person: str) -> list[Entry]:
        both = (page_tests_stream(person), page_test_messages_stream(person))
        entries = [entry for stream in both for entry in found.get(stream, ())]
        return sorted(entries, key=attrgetter("position"))

    return {
        person: replay_page_tests(
            e.event for e in history(person) if is_page_test_event(e.event)
        )
        for person in names
    }
