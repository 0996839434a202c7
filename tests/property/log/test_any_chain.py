"""No two different histories have the same end of the chain."""

from datetime import UTC, datetime
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from shared.eventlog.entry import GENESIS, Link, chained

links = st.builds(
    Link,
    position=st.integers(1, 3),
    stream=st.text('a|\n1"\\,[', max_size=4),
    version=st.integers(1, 11),
    type=st.text('a|\n1"\\,[', max_size=4),
    recorded_at=st.datetimes(
        datetime(1969, 12, 31), datetime(2300, 1, 1), timezones=st.just(UTC)
    ),
    command_id=st.none() | st.sampled_from([UUID(int=1), UUID(int=2)]),
    state=st.binary(max_size=4),
)
histories = st.lists(links, max_size=4)


def end(history: list[Link]) -> bytes:
    chain = GENESIS
    for link in history:
        chain = chained(chain, link)
    return chain


@given(histories, histories)
def test_different_histories_end_differently(
    one: list[Link], other: list[Link]
) -> None:
    assert (end(one) == end(other)) == (one == other)


@given(links, st.sampled_from(Link._fields), st.data())
def test_every_field_counts(link: Link, field: str, data: st.DataObject) -> None:
    other = link._replace(**{field: getattr(data.draw(links), field)})

    assert (chained(GENESIS, link) == chained(GENESIS, other)) == (link == other)
