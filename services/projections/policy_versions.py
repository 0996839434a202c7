"""Policies by version, read in a transaction of a read model."""

from collections.abc import Iterable, Mapping
from typing import Any

import orjson
from psycopg import Cursor

from shared.domain.events.administration import STREAM, PolicyApplied
from shared.domain.events.upcasters import upcast
from shared.domain.policy.document import Policy
from shared.eventlog.policies import policy_of

_POLICIES = """
SELECT originator_version, state FROM log.events
WHERE originator_id = %s AND originator_version = ANY(%s)
"""


def policies(
    cursor: Cursor[tuple[Any, ...]], versions: Iterable[int]
) -> Mapping[int, Policy]:
    """Return these versions; one that the log does not hold is left out."""
    wanted = sorted(set(versions))
    found = cursor.execute(_POLICIES, (STREAM, wanted)) if wanted else ()
    applied = {version: _applied(bytes(stored)) for version, stored in found}
    return {version: policy_of(cursor, each) for version, each in applied.items()}


def _applied(stored: bytes) -> PolicyApplied:
    return PolicyApplied.model_validate(upcast("policy.applied", orjson.loads(stored)))
