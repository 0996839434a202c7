"""Changes that sources reported: stored beside the log, shown with incidents."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

import orjson
from psycopg import Cursor

from services.intake.signals.delivery import Delivery
from services.intake.signals.schemas import Change, Ignored
from shared.domain.policy.document import Policy
from shared.vault.vault import Vault

_KEEP = """
INSERT INTO intake.observed_changes
       (change_key, day, received_at, happened_at, source, service, sealed)
SELECT %s, coalesce(today.day, %s::date), %s, %s, %s, %s, %s FROM log.today
ON CONFLICT DO NOTHING
"""


@dataclass(frozen=True, slots=True)
class ObservedChange:
    """A change, its source, and the service it is about."""

    key: bytes
    source: str
    service: str
    received_at: datetime
    change: Change

    @property
    def happened_at(self) -> datetime:
        """When it happened according to its source; never later than its reception."""
        return min(self.change.at or self.received_at, self.received_at)


def tell_changes(deliveries: Iterable[Delivery]) -> bool:
    """Return whether any of the deliveries reports a change."""
    return any(True for _ in _changes(deliveries))


def observed(deliveries: Sequence[Delivery], policy: Policy) -> list[ObservedChange]:
    """Return all changes that the deliveries report."""
    return [
        ObservedChange(
            _key(delivery, index, change.event_id),
            delivery.source,
            policy.service_of(
                delivery.source, change.change.service, change.change.labels
            ),
            delivery.received_at,
            change.change,
        )
        for delivery, index, change in _changes(deliveries)
    ]


def keep_changes(
    cursor: Cursor[tuple[Any, ...]], vault: Vault, found: Iterable[ObservedChange]
) -> None:
    """Store each of them, once."""
    for each in sorted(found, key=lambda one: one.key):
        told = asdict(each.change)
        words = {"summary": told["summary"], "links": told["links"]}
        place = f"change|{each.key.hex()}"
        sealed = vault.seal(f"source:{each.source}", orjson.dumps(words), place)
        cursor.execute(
            _KEEP,
            (
                each.key,
                each.received_at.date(),
                each.received_at,
                each.happened_at,
                each.source,
                each.service,
                sealed,
            ),
        )


@dataclass(frozen=True, slots=True)
class _Told:
    event_id: str | None
    change: Change


def _changes(deliveries: Iterable[Delivery]) -> Iterator[tuple[Delivery, int, _Told]]:
    for delivery in deliveries:
        for index, heard in enumerate(delivery.heard, start=delivery.first):
            if isinstance(heard, Ignored) and heard.change is not None:
                yield delivery, index, _Told(heard.event_id, heard.change)


def _key(delivery: Delivery, index: int, event_id: str | None) -> bytes:
    if event_id is not None:
        return sha256(f"{delivery.source}\n{event_id}".encode()).digest()
    return sha256(delivery.digest + str(index).encode()).digest()
