"""Senders tell in headers what their body does not: another try sees them too."""

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from services.intake.assembly import Parts
from services.intake.signals.formats.sentry import platform
from tests.integration.intake.signals.mapped_desk import MappedDesk

pytestmark = pytest.mark.servers

HAPPENED = datetime(2025, 6, 30, 7, 12, 21, tzinfo=UTC)
RESOURCE = "Sentry-Hook-Resource"
HEADERS = {RESOURCE: "issue", "Sentry-Hook-Timestamp": f"{HAPPENED.timestamp():.0f}"}


def body(number: str) -> dict[str, Any]:
    """Return what Sentry posts: that it is about an issue, and when, it says not."""
    return {
        "action": "unresolved",
        "data": {"issue": {"id": number, "title": "KeyError"}},
    }


def post(desk: MappedDesk, number: str, headers: dict[str, str]) -> dict[str, Any]:
    """Post it with the source's key; return its outcome."""
    shown = {"Authorization": f"Bearer {desk.tokens['source']}", **headers}

    async def once(client: httpx.AsyncClient, _: Parts) -> httpx.Response:
        path = "/v1/integrations/sentry"
        return await client.post(path, json=body(number), headers=shown)

    answer = desk.run(once)
    assert answer.status_code == 202, answer.text
    (result,) = answer.json()["results"]
    found: dict[str, Any] = result
    return found


def test_a_retry_after_a_mending_reads_what_the_request_would_have(
    desk: MappedDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(platform, "_ISSUE", {"created": "trigger"})
        assert post(desk, "77", HEADERS)["status"] == "quarantined"
    (one,) = desk.listed()

    tried = desk.retry(one["id"])
    live = post(desk, "78", HEADERS)

    assert [each["status"] for each in tried["results"]] == ["opened"]
    assert live["status"] == "opened"
    again, fresh = desk.opened()
    assert again.occurred_at == fresh.occurred_at == HAPPENED
    assert again.labels == fresh.labels


def test_without_its_headers_it_would_have_been_read_otherwise(
    desk: MappedDesk,
) -> None:
    assert post(desk, "77", {**HEADERS, RESOURCE: "comment"})["status"] == "ignored"
    assert post(desk, "77", HEADERS)["status"] == "opened"


def test_what_is_kept_of_headers_is_sealed_and_no_key_is_among_it(
    desk: MappedDesk,
) -> None:
    post(desk, "77", {**HEADERS, "Cookie": "hush"})

    with desk.log.transaction() as cursor:
        ((kept, digest),) = cursor.execute(
            "SELECT headers, digest FROM intake.raw_bodies"
        ).fetchall()
    opened = desk.log.vault.open(kept, f"raw|{bytes(digest).hex().upper()}|headers")

    assert kept.startswith("v1.")
    assert opened is not None
    assert b"issue" in opened
    assert b"hush" not in opened
    assert desk.tokens["source"].encode() not in opened


def test_what_came_under_an_idempotency_key_keeps_it(desk: MappedDesk) -> None:
    async def queued(_: httpx.AsyncClient, parts: Parts) -> None:
        document = {"action": "trigger"}
        await parts.reception.receive(
            "demo", "native", b'{"action": "trigger"}', document, "m-7"
        )

    desk.run(queued)

    with desk.log.transaction() as cursor:
        rows = cursor.execute("SELECT event_id FROM intake.quarantine").fetchall()
    assert rows == [("m-7",)]
