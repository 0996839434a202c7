"""The chain's formula is fixed for ever: auditors compute it without us."""

from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

from shared.eventlog.entry import GENESIS, Link, chained

FIRST = Link(
    1,
    "incident-INC-000001",
    1,
    "incident.opened",
    datetime(2026, 3, 1, 9, 30, 0, 123456, tzinfo=UTC),
    UUID("00000000-0000-0000-0000-00000000002a"),
    b'{"title":{"sealed":"v1.0123456789abcdef.AAAA"}}',
)
SECOND = FIRST._replace(
    position=2, version=2, type="incident.acknowledged", command_id=None, state=b"{}"
)


def test_a_first_event_has_this_hash_for_ever() -> None:
    assert chained(GENESIS, FIRST).hex() == (
        "90c7ad0a5226bf5a0a877afaee5fb254ea0678a3c2dc7ddc0d7f029201cda7fb"
    )


def test_an_event_without_a_command_has_this_hash_for_ever() -> None:
    assert chained(chained(GENESIS, FIRST), SECOND).hex() == (
        "99b5bcb00303a2734f15e865e88d20aa32497e68c6d52e09ba3ae8b027122281"
    )


def test_the_zone_in_which_an_instant_is_written_does_not_matter() -> None:
    paris = FIRST.recorded_at.astimezone(timezone(timedelta(hours=1)))

    assert chained(GENESIS, FIRST._replace(recorded_at=paris)) == chained(
        GENESIS, FIRST
    )


def test_a_microsecond_counts_even_where_floats_no_longer_tell() -> None:
    late = datetime(2286, 11, 20, 17, 46, 39, 999999, tzinfo=UTC)
    links = [
        FIRST._replace(recorded_at=late + timedelta(microseconds=n)) for n in range(3)
    ]

    assert len({chained(GENESIS, link) for link in links}) == 3
