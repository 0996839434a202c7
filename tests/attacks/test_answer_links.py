"""Links by which users answer without an account: nobody may keep others from it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from shared.http.form_limits import ANSWERS_MAX, REPORTS_MAX
from shared.security.signed_links import BUNDLE_LINKS_PURPOSE, BundleLink, token_of
from standalone.nats import Bus
from tests.support.desks.api import problem, serving
from tests.support.patience import until_too_many
from tests.support.servers.servers import Database

pytestmark = pytest.mark.servers

GUESSED = "/v1/answers/guessed"
REPORT = {"email": "a@b.example", "words": "!", "key": "always-the-same-key"}


def test_a_flood_of_reports_or_of_guesses_keeps_nobody_from_answering(
    database: Database, bus: Bus, tmp_path: Path
) -> None:
    """Offices share an address, and all share the form."""
    with serving(database, bus, tmp_path, built=False) as api:

        def post(path: str, body: dict[str, str], address: str) -> httpx.Response:
            headers = {"X-Forwarded-For": address}
            return api.call("POST", path, None, headers, json=body)

        def report() -> httpx.Response:
            return post("/v1/reports", REPORT, "198.51.100.7")

        def guess() -> httpx.Response:
            return post(GUESSED, {"answer": "accept"}, "198.51.100.7")

        assert len(until_too_many(report, REPORTS_MAX)) > REPORTS_MAX
        *guesses, more = until_too_many(guess, ANSWERS_MAX)

        assert len(guesses) >= ANSWERS_MAX
        assert {each.status_code for each in guesses} == {404}
        problem(more, 429)
        other = post(GUESSED, {"answer": "accept"}, "198.51.100.8")
        assert other.status_code == 404


def test_a_chat_server_sends_the_answers_of_all_who_are_paged(
    database: Database, bus: Bus, tmp_path: Path
) -> None:
    """Buttons in Mattermost come from its one address, most of them in a flood."""
    with serving(database, bus, tmp_path, built=False) as api:
        key = api.log.vault.key_for(BUNDLE_LINKS_PURPOSE)
        assert key is not None
        end = datetime.now(UTC) + timedelta(hours=1)

        def answer(number: int) -> int:
            bundle = BundleLink(f"INC-000001.{number:032x}", "bruno", end)
            path = f"/v1/bundle-links/{token_of(key, bundle)}"
            headers = {"X-Forwarded-For": "198.51.100.7"}
            body = {"action": "take", "key": "always-the-same-key"}
            return api.call("POST", path, None, headers, json=body).status_code

        answers = [answer(number) for number in range(ANSWERS_MAX + 5)]

        assert answers == [404] * (ANSWERS_MAX + 5)
