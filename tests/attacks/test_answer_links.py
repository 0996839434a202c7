"""Links by which users answer without an account: nobody may keep others from it."""

from pathlib import Path

import pytest

from shared.http.form_limits import ANSWERS_MAX, REPORTS_MAX
from standalone.nats import Bus
from tests.support.api import problem, serving
from tests.support.servers import Database

pytestmark = pytest.mark.servers

GUESSED = "/v1/answers/guessed"
REPORT = {"email": "a@b.example", "words": "!", "key": "always-the-same-key"}


def test_a_flood_of_reports_or_of_guesses_keeps_nobody_from_answering(
    database: Database, bus: Bus, tmp_path: Path
) -> None:
    """Offices share an address, and all share the form."""
    with serving(database, bus, tmp_path, built=False) as api:

        def post(path: str, body: dict[str, str], address: str) -> int:
            headers = {"X-Forwarded-For": address}
            return api.call("POST", path, None, headers, json=body).status_code

        for _ in range(REPORTS_MAX):
            post("/v1/reports", REPORT, "198.51.100.7")
        assert post("/v1/reports", REPORT, "198.51.100.7") == 429
        guesses = [
            post(GUESSED, {"answer": "accept"}, "198.51.100.7")
            for _ in range(ANSWERS_MAX)
        ]
        assert guesses == [404] * ANSWERS_MAX

        more = api.call(
            "POST", GUESSED, None, {"X-Forwarded-For": "198.51.100.7"}, json={}
        )
        problem(more, 429)
        assert post(GUESSED, {"answer": "accept"}, "198.51.100.8") == 404
