"""An event on its way through NATS."""

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

import pytest

from shared.eventlog.continuity.evidence import FIRST, EpochId
from shared.eventlog.entry import GENESIS, Link, chained
from shared.eventlog.log import Row, follows
from shared.messaging.envelope import Unreadable, epoch_of, headers_of, row_of

AT = datetime(2026, 1, 5, 9, 0, 0, 123456, tzinfo=UTC)


def row(command_id: UUID | None = None) -> Row:
    link = Link(1, "incident-INC-000001", 1, "incident.opened", AT, command_id, b"{}")
    chain = chained(GENESIS, link)
    return Row(
        link.position,
        link.stream,
        link.version,
        link.type,
        link.state,
        link.recorded_at,
        link.command_id,
        chain,
    )


@pytest.mark.parametrize("command_id", [None, UUID(int=5)])
def test_an_event_survives_the_way(command_id: UUID | None) -> None:
    sent = row(command_id)

    received = row_of(headers_of(sent), sent.state)

    assert received == sent
    assert follows(GENESIS, received)


def test_a_header_holds_no_more_than_a_line() -> None:
    for name, value in headers_of(row(UUID(int=5))).items():
        assert (name + value).isascii()
        assert (name + value).isprintable()


def test_cloudevents_are_told_where_an_event_is_from() -> None:
    headers = headers_of(row())

    assert headers["ce-specversion"] == "1.0"
    assert headers["ce-id"] == "1"
    assert headers["ce-source"] == "urn:permanence:log"
    assert headers["ce-type"] == "incident.opened"
    assert headers["ce-subject"] == "incident-INC-000001"
    assert headers["ce-time"] == "2026-01-05T09:00:00.123456+00:00"


def test_the_id_of_an_event_names_its_epoch_after_the_first() -> None:
    assert headers_of(row(), "2-5f3a09c1")["ce-id"] == "2-5f3a09c1:1"


@dataclass(frozen=True)
class Damage:
    """A header that is not as it was."""

    name: str
    value: str | None


@pytest.mark.parametrize(
    "damage",
    [
        Damage("Desk-Position", "seven"),
        Damage("Desk-Position", None),
        Damage("Desk-Schema", "2"),
        Damage("Desk-Chain", "xyz"),
        Damage("Desk-Recorded-At", "yesterday"),
        Damage("Desk-Stream", None),
    ],
    ids=str,
)
def test_a_message_that_is_no_event_is_unreadable(damage: Damage) -> None:
    headers = headers_of(row())
    headers.pop(damage.name)
    if damage.value is not None:
        headers[damage.name] = damage.value

    with pytest.raises(Unreadable):
        row_of(headers, b"{}")


def test_a_message_without_headers_is_unreadable() -> None:
    with pytest.raises(Unreadable):
        row_of(None, b"{}")


def test_an_event_that_was_changed_does_not_follow() -> None:
    assert not follows(GENESIS, row()._replace(state=b"{ }"))
    assert not follows(bytes([1]) * 32, row())


def test_an_event_names_its_epoch_unless_an_older_version_sent_it() -> None:
    assert epoch_of(headers_of(row())) == FIRST
    assert epoch_of(headers_of(row(), "2-5f3a09c1")) == EpochId(2, "5f3a09c1")
    assert epoch_of({}) is None
    with pytest.raises(Unreadable):
        epoch_of({"Desk-Epoch": "the second"})
