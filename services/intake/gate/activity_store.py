"""The tables of source activity and of the last use of each source key."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Literal, get_args

from services.intake.signals.schemas import Status
from shared.database.cursors import Cursors

Kind = Literal[
    "accepted", "duplicates", "rejected", "quarantined", "refused", "unauthorised"
]
KINDS: tuple[Kind, ...] = get_args(Kind)
KIND_OF: dict[Status, Kind] = {
    "duplicate": "duplicates",
    "rejected": "rejected",
    "quarantined": "quarantined",
}
"""The kind for results other than accepted."""


@dataclass
class Account:
    """Counts by (source, slot, kind), and the last use by (source, key)."""

    counts: Counter[tuple[str, datetime, Kind]] = field(default_factory=Counter)
    used: dict[tuple[str, str], datetime] = field(default_factory=dict)


_ADDED = ", ".join(f"{kind} = a.{kind} + excluded.{kind}" for kind in KINDS)
_WRITE = f"""
INSERT INTO intake.source_activity AS a (source, slot, day, {", ".join(KINDS)})
SELECT * FROM unnest(%s::text[], %s::timestamptz[], %s::date[],
                     {", ".join(["%s::bigint[]"] * len(KINDS))})
ON CONFLICT (source, slot, day) DO UPDATE SET {_ADDED}
"""  # noqa: S608 # only constants
_USE = """
INSERT INTO intake.source_keys AS k (source, key_id, last_used)
SELECT * FROM unnest(%s::text[], %s::text[], %s::timestamptz[])
ON CONFLICT (source, key_id)
DO UPDATE SET last_used = greatest(k.last_used, excluded.last_used)
"""
_DAY = """
SELECT source, sum(accepted + duplicates + rejected + quarantined)::bigint
FROM intake.source_activity WHERE day = %s AND source = ANY(%s) GROUP BY source
"""
_SUMS = ", ".join(
    f"coalesce(sum({kind}) FILTER (WHERE slot >= %(since)s), 0)::bigint"
    for kind in KINDS
)
_COUNTS = f"""
SELECT source, {_SUMS} FROM intake.source_activity
WHERE day >= %(day)s AND (%(only)s::text IS NULL OR source = %(only)s) GROUP BY source
"""  # noqa: S608 # only constants
_KEYS = """
SELECT coalesce(t.actor, 'source:' || k.source), coalesce(t.token_id, k.key_id),
       t.label, t.created_at, t.expires_at, t.revoked_at, k.last_used
FROM (SELECT * FROM access.tokens WHERE actor LIKE 'source:%%') AS t
FULL JOIN intake.source_keys AS k
  ON t.token_id = k.key_id AND t.actor = 'source:' || k.source
WHERE %(only)s::text IS NULL
   OR coalesce(t.actor, 'source:' || k.source) = 'source:' || %(only)s
ORDER BY 1, t.created_at, 2
"""
_LAST_USED = "SELECT key_id, max(last_used) FROM intake.source_keys GROUP BY key_id"


@dataclass(frozen=True, slots=True)
class KeyUse:
    """A key of a source and its last use; only tokens have `created_at`."""

    actor: str
    key_id: str
    label: str | None
    created_at: datetime | None
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used: datetime | None

    @property
    def source(self) -> str:
        """The source that the key belongs to."""
        return self.actor.removeprefix("source:")


def write(cursor: Cursors, account: Account) -> None:
    """Add the counts, in the order of the rows' keys."""
    places = sorted({(source, slot) for source, slot, _ in account.counts})
    if places:
        numbers = [
            [account.counts[source, slot, kind] for source, slot in places]
            for kind in KINDS
        ]
        sources = [source for source, _ in places]
        slots = [slot for _, slot in places]
        days = [slot.astimezone(UTC).date() for slot in slots]
        cursor.execute(_WRITE, (sources, slots, days, *numbers))
    used = sorted(account.used.items())
    if used:
        names = ([source for (source, _), _ in used], [key for (_, key), _ in used])
        cursor.execute(_USE, (*names, [at for _, at in used]))


def used_on(cursor: Cursors, day: date, sources: Sequence[str]) -> Mapping[str, int]:
    """Return how many elements were received on `day`, by all processes."""
    return dict(cursor.execute(_DAY, (day, list(sources))).fetchall())


def counts_since(
    cursor: Cursors, since: datetime, only: str | None = None
) -> Mapping[str, Mapping[str, int]]:
    """Return each source's counts by kind since the slot that began at `since`."""
    day = since.astimezone(UTC).date()
    rows = cursor.execute(_COUNTS, {"since": since, "day": day, "only": only})
    return {row[0]: dict(zip(KINDS, row[1:], strict=True)) for row in rows.fetchall()}


def keys(cursor: Cursors, only: str | None = None) -> list[KeyUse]:
    """Return the keys of all sources or of one, oldest first."""
    return [KeyUse(*row) for row in cursor.execute(_KEYS, {"only": only}).fetchall()]


def last_used(cursor: Cursors) -> Mapping[str, datetime]:
    """Return the last use of each source key, by its id."""
    return dict(cursor.execute(_LAST_USED).fetchall())
