"""The hashes of words follow from the log alone, in whichever order it was read."""

from contextlib import closing

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from services.projections.read_models import MODELS, WORDS
from shared.eventlog.entry import Entry
from shared.eventlog.log import EventLog
from shared.vault.vault import Vault
from tests.support.builders.busy_log import busy_log
from tests.support.builders.written_histories import (
    MASTER,
    digest_of,
    followed,
    rebuilt,
    write,
)
from tests.support.examples import examples_with_servers
from tests.support.key_ring import KeyRing
from tests.support.servers.servers import Database, PostgresServer
from tests.support.strategies.interleaved_streams import stories

pytestmark = pytest.mark.servers


@settings(
    examples_with_servers(10),
    phases=[Phase.generate],  # each example has a database of its own: no shrinking
)
@given(drawn=stories(size=60), part=st.floats(0, 1))
def test_a_rebuild_equals_what_was_followed_event_by_event(
    postgres_server: PostgresServer, drawn: list[Entry], part: float
) -> None:
    cut = round(part * len(drawn))
    database = postgres_server.fresh_database()
    with closing(EventLog.open(database.owner_dsn, master=MASTER)) as log:
        write(log, drawn[:cut])
        followed(database, WORDS, log)
        write(log, drawn[cut:])
        live = followed(database, WORDS, log)

        done = rebuilt(database, WORDS)

        assert (done.same, done.parked) == (True, 0)
        assert digest_of(log, WORDS, live) == done.digest
    postgres_server.drop(database)


def test_several_processes_hash_the_same_as_one_reader(
    database: Database, log: EventLog
) -> None:
    write(log, list(busy_log(600)))
    followed(database, WORDS, log)

    assert rebuilt(database, WORDS, chunk_events=150).same is True


@given(drawn=stories(size=40), data=st.data())
def test_streams_may_be_read_in_any_order(
    drawn: list[Entry], data: st.DataObject
) -> None:
    model = WORDS.bound(Vault(KeyRing(), MASTER))
    of_one = [entry for entry in drawn if entry.event.incident == "INC-000001"]  # type: ignore[union-attr] # all are about one
    streams = {entry.stream for entry in of_one}
    order = data.draw(st.permutations(sorted(streams)))
    one_by_one = sorted(of_one, key=lambda entry: order.index(entry.stream))

    states = []
    for entries in (of_one, one_by_one, [*of_one, *of_one]):
        state = None
        for entry in entries:
            state = model.step(state, entry)
        states.append(state)

    assert states[0] == states[1] == states[2]


def test_without_a_key_no_word_is_hashed_under_another_one() -> None:
    with pytest.raises(TypeError, match="key of the vault"):
        WORDS.step(None, next(iter(busy_log(1))))
    locked = MODELS["words"].bound(Vault(KeyRing(), None))

    assert locked.step(None, next(iter(busy_log(1)))) is None
