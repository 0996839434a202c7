"""Stores bodies as received, the changes they report, and elements that were unmapped.

Nothing is dropped. Bodies and the headers stored with them are encrypted with the
source's key and bound to their digest; so are the words of a change, which is shown
with incidents.
"""

import base64
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from operator import itemgetter

import orjson

from services.intake.signals.schemas import Change, Delivery, Ignored, dumped
from shared.database.cursors import Cursors
from shared.domain.policy.document import Policy
from shared.vault.vault import Vault

_KEEP = """
INSERT INTO intake.raw_bodies (digest, day, source, adapter, received_at, sealed,
       headers)
SELECT digest, coalesce(today.day, fresh.day), source, adapter, received_at, sealed,
       headers
FROM unnest(%b::bytea[], %b::date[], %b::text[], %b::text[],
            %b::timestamptz[], %b::text[], %b::text[])
     AS fresh (digest, day, source, adapter, received_at, sealed, headers),
     log.today
ON CONFLICT DO NOTHING
"""
_QUARANTINE = """
INSERT INTO intake.quarantine AS kept
       (source, adapter, received_at, digest, elements, event_id, element, reason)
SELECT %s, %s, %s, %s, %s, %s, element, reason
FROM unnest(%s::int[], %s::text[]) AS unmapped(element, reason)
ON CONFLICT (source, digest, element) WHERE signal_key IS NULL DO UPDATE
SET state = 'waiting', received_at = excluded.received_at, reason = excluded.reason,
    elements = excluded.elements, event_id = excluded.event_id
WHERE kept.state <> 'waiting' OR kept.elements IS DISTINCT FROM excluded.elements
"""
# A released or discarded element that is received again waits again.
_KEEP_QUARANTINED = """
INSERT INTO intake.quarantined_bodies (digest, sealed, headers)
VALUES (%s, %s, %s) ON CONFLICT DO NOTHING
"""


@dataclass(frozen=True, slots=True)
class Unmapped:
    """An element of a delivery that was parsed but could not be mapped, and why."""

    delivery: Delivery
    element: int
    reason: str


def keep_bodies(cursor: Cursors, vault: Vault, deliveries: Sequence[Delivery]) -> None:
    """Store each body at most once a day."""
    if not deliveries:
        return
    by_digest = {delivery.digest: delivery for delivery in deliveries}
    bodies = sorted(by_digest.items(), key=itemgetter(0))
    cursor.execute(
        _KEEP,
        (
            [digest for digest, _ in bodies],
            [delivery.received_at.date() for _, delivery in bodies],
            [delivery.source for _, delivery in bodies],
            [delivery.adapter for _, delivery in bodies],
            [delivery.received_at for _, delivery in bodies],
            [_sealed(vault, digest, delivery) for digest, delivery in bodies],
            [_headers(vault, digest, delivery) for digest, delivery in bodies],
        ),
    )


def quarantine(
    cursor: Cursors,
    digests: Mapping[int, bytes],
    unmapped: Sequence[Unmapped],
) -> None:
    """Quarantine unmapped elements until the mapping is fixed; bodies are stored."""
    parts: dict[int, list[Unmapped]] = {}
    for each in unmapped:
        parts.setdefault(id(each.delivery), []).append(each)
    bodies = [(digests[number], part) for number, part in parts.items()]
    for digest, part in sorted(bodies, key=lambda body: (body[0], body[1][0].element)):
        delivery = part[0].delivery
        cursor.execute(
            _QUARANTINE,
            (
                delivery.source,
                delivery.adapter,
                delivery.received_at,
                digest,
                delivery.elements,
                delivery.event_id,
                [each.element for each in part],
                [each.reason for each in part],
            ),
        )


def keep_quarantined_bodies(
    cursor: Cursors, vault: Vault, deliveries: Sequence[Delivery]
) -> dict[int, bytes]:
    """Store the bodies of these once each; return digests by `id` of delivery.

    Computing a digest takes time proportional to the body, so it is done once for each
    delivery, not for each element.
    """
    by_id = {id(delivery): delivery for delivery in deliveries}
    digests = {number: delivery.digest for number, delivery in by_id.items()}
    bodies = {digests[number]: delivery for number, delivery in by_id.items()}
    for digest, delivery in sorted(bodies.items(), key=itemgetter(0)):
        sealed = _sealed(vault, digest, delivery)
        headers = _headers(vault, digest, delivery)
        cursor.execute(_KEEP_QUARANTINED, (digest, sealed, headers))
    return digests


def opened(vault: Vault, digest: bytes, sealed: str) -> bytes | None:
    """Return a body as received, or None if its source was forgotten."""
    return vault.open(sealed, _place(digest))


def opened_headers(vault: Vault, digest: bytes, sealed: str | None) -> dict[str, str]:
    """Return the headers stored with a body; may be empty."""
    written = vault.open(sealed, _place_of_headers(digest)) if sealed else None
    headers: dict[str, str] = orjson.loads(written) if written else {}
    return headers


def _sealed(vault: Vault, digest: bytes, delivery: Delivery) -> str:
    return vault.seal(f"source:{delivery.source}", delivery.body, _place(digest))


def _headers(vault: Vault, digest: bytes, delivery: Delivery) -> str | None:
    if not delivery.headers:
        return None
    owner, place = f"source:{delivery.source}", _place_of_headers(digest)
    return vault.seal(owner, dumped(delivery.headers), place)


def _place(digest: bytes) -> str:
    return f"raw|{base64.b16encode(digest).decode()}"


def _place_of_headers(digest: bytes) -> str:
    return f"{_place(digest)}|headers"


_KEEP_CHANGE = """
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


def has_changes(deliveries: Iterable[Delivery]) -> bool:
    """Return whether any of the deliveries reports a change."""
    return any(True for _ in _changes(deliveries))


def observed(deliveries: Sequence[Delivery], policy: Policy) -> list[ObservedChange]:
    """Return all changes that the deliveries report."""
    return [
        ObservedChange(
            _key(delivery, index, event_id),
            delivery.source,
            policy.service_of(delivery.source, change.service, change.labels),
            delivery.received_at,
            change,
        )
        for delivery, index, event_id, change in _changes(deliveries)
    ]


def keep_changes(
    cursor: Cursors, vault: Vault, found: Iterable[ObservedChange]
) -> None:
    """Store each of them, once."""
    for each in sorted(found, key=lambda one: one.key):
        words = {"summary": each.change.summary, "links": each.change.links}
        place = f"change|{each.key.hex()}"
        sealed = vault.seal(f"source:{each.source}", orjson.dumps(words), place)
        cursor.execute(
            _KEEP_CHANGE,
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


def _changes(
    deliveries: Iterable[Delivery],
) -> Iterator[tuple[Delivery, int, str | None, Change]]:
    """Yield each reported change with its delivery, its index and its event id."""
    for delivery in deliveries:
        for index, element in enumerate(delivery.heard, start=delivery.first):
            if isinstance(element, Ignored) and element.change is not None:
                yield delivery, index, element.event_id, element.change


def _key(delivery: Delivery, index: int, event_id: str | None) -> bytes:
    if event_id is not None:
        return sha256(f"{delivery.source}\n{event_id}".encode()).digest()
    return sha256(delivery.digest + str(index).encode()).digest()
