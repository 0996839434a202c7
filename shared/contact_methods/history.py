"""Reads the contact methods of people from the events of their streams."""

from collections.abc import Iterable, Mapping, Sequence

from shared.database.cursors import Cursors
from shared.domain.contact_methods import UNVERIFIED, ContactMethods, replay
from shared.domain.events import AnyEvent, is_person_event
from shared.domain.identifiers import person_stream
from shared.eventlog.kept_states import KeptStates
from shared.eventlog.log import NEWEST


def _methods(events: Iterable[AnyEvent]) -> ContactMethods:
    return replay(event for event in events if is_person_event(event))


_METHODS = KeptStates(_methods)


def contact_methods_of(
    cursor: Cursors, people: Sequence[str]
) -> Mapping[str, ContactMethods]:
    """Return the contact methods of people as of now, also of those without events.

    An event that this version cannot read is passed over: the others still say how to
    reach the person.
    """
    streams = {person: person_stream(person) for person in people}
    found = _METHODS.of(cursor, sorted(streams.values()), NEWEST)
    return {person: found.get(name, UNVERIFIED) for person, name in streams.items()}
