"""A policy that cannot be read offers nobody anything, and fails no page."""

from types import SimpleNamespace
from typing import Any

import pytest

from services.projections.api.incidents import people
from shared.domain.incident.relations import may_say
from shared.eventlog.documents import UnreadableDocument
from tests.support.builders.promises import VALMONT


def unreadable(*_: object) -> Any:
    raise UnreadableDocument("only a later version reads it")


def missing(*_: object) -> Any:
    raise LookupError("no such version")


@pytest.mark.parametrize("pinned", [unreadable, missing, lambda _: VALMONT])
@pytest.mark.parametrize("now", [VALMONT, None])
def test_one_policy_that_can_be_read_is_enough(pinned: Any, now: Any) -> None:
    desk: Any = SimpleNamespace(policies=pinned)
    request: Any = SimpleNamespace(team="support", policy=1)
    asked = people.people_of_handover(desk, request, lambda: now)

    knows = now is not None or pinned not in {unreadable, missing}
    assert may_say("accept", "bruno", asked) == knows
    assert not may_say("accept", "nadia", asked)


def test_a_policy_in_force_that_only_a_later_version_reads_counts_as_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(people, "policy_in_force", unreadable)
    log: Any = None

    assert people.policy_now(log, log) is None
