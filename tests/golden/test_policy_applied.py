"""Every shape in which a policy was ever applied is read today, with all it said."""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from shared.domain.events import events
from shared.domain.events.administration import PolicyApplied, document_bytes
from shared.domain.events.upcasters import upcast
from shared.domain.policy.document import Policy, difference

FILES = sorted((Path(__file__).parent / "events").glob("policy.applied.*.json"))
INLINE = [file for file in FILES if file.name.startswith("policy.applied.1")]
NAMED = next(file for file in FILES if file.name.startswith("policy.applied.2"))


def written(file: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return document


def test_there_is_one_at_least() -> None:
    assert FILES


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_an_old_policy_is_read_and_loses_nothing(file: Path) -> None:
    event = events.validate_python(upcast("policy.applied", written(file)))
    assert isinstance(event, PolicyApplied)
    now = event.model_dump(mode="json", exclude_none=True)
    lost = [c for c in difference(written(file), now) if c.kind != "added"]
    assert [change.path for change in lost if change.path != ("v",)] == []


@pytest.mark.parametrize("file", INLINE, ids=lambda file: file.stem)
def test_the_document_of_the_first_shape_is_read_and_named(file: Path) -> None:
    event = events.validate_python(upcast("policy.applied", written(file)))
    assert isinstance(event, PolicyApplied)
    assert event.document is not None
    assert event.document == written(file)["document"]
    body = document_bytes(event.document)
    assert event.document_hash == sha256(body).hexdigest()
    assert event.document_size == len(body)
    document = Policy.from_document(event.document).document()
    changes = difference(event.document, document)
    assert [change for change in changes if change.kind != "added"] == []


def test_the_second_shape_names_its_document_and_is_small() -> None:
    event = events.validate_python(upcast("policy.applied", written(NAMED)))
    assert isinstance(event, PolicyApplied)
    assert event.document is None
    assert (event.purpose, event.document_size) == ("demo", 7_711)


def test_an_old_policy_still_decides_as_it_did() -> None:
    policy = Policy.from_document(written(INLINE[0])["document"])
    found = policy.for_signal("prom", "billetterie", "critical")
    assert (found.impact, found.urgency, found.priority) == ("high", "high", "p1")
    assert "2030-07-21" in policy.calendars["jour"].holidays
