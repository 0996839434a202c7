"""Whatever a request says, the answer is one of those that are described, and in time.

Of both documents, every operation: requests as described, and such that are not quite.
The short form is part of `make test` and always the same; the long one, `make fuzz`,
goes on from where chance takes it, `FUZZ_SECONDS` long.
"""

import os
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from time import monotonic

import httpx
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.core.transport import Response

from shared.messaging.commands import Scope
from shared.security.access import create
from tests.support.desks.running import SERVICES, Desk, running_desk
from tests.support.folders import reachable_folder
from tests.support.patience import SECONDS as PATIENCE
from tests.support.patience import answered, awaited
from tests.support.strategies.requests import (
    Operation,
    Request,
    aimed,
    conforms,
    described,
    operations,
    sent,
)

SECONDS = float(os.environ.get("FUZZ_SECONDS", "0"))
"""How long to go on; 0: a fixed number of requests."""
ANSWER_SECONDS = 10.0 if SECONDS else PATIENCE
"""Longer than anything is waited for; `make test` may run on a machine that is busy."""
EXAMPLES = 6
OPERATIONS = [
    *operations("api", described("openapi.json")),
    *operations("intake", described("intake-openapi.json")),
]
GOING_ON = settings(
    max_examples=20,
    database=None,
    deadline=None,
    phases=(Phase.generate, Phase.shrink),
    suppress_health_check=list(HealthCheck),
)
FIXED = settings(
    GOING_ON, max_examples=EXAMPLES, derandomize=True, phases=(Phase.generate,)
)
ANSWERS: Counter[int] = Counter()
"""How often each status was the answer; `-s` shows it."""
WAITED: set[str] = set()
"""Operations that have waited for a position that nothing reaches, which takes 5 s."""
WAITING_MAX = len(OPERATIONS) if SECONDS else 4
"""How many operations wait, each once: all wait in the same way."""
SHARE = SECONDS / len(OPERATIONS)
SCOPES: Sequence[Scope] = ("agent", "manager", "auditor", "admin")


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    with reachable_folder() as folder, running_desk(folder) as desk:
        log = desk.log()
        with log.transaction() as cursor:
            everything = create(cursor, datetime.now(UTC), "person:nadia", SCOPES)
        log.close()
        desk.tokens["all"] = everything.token
        yield desk
        said = f"{ANSWERS.total()} requests, answered {dict(sorted(ANSWERS.items()))}"
        sys.stdout.write(f"\n{said}\n")
        for name in SERVICES:
            written = desk.output(name)
            assert "Traceback" not in written, written[-4000:]
            assert "answer.unexpected" not in written, written[-4000:]


@pytest.fixture(scope="module")
def there_are(desk: Desk) -> dict[str, str]:
    """Give what requests may name: an incident, a problem, a source and so on."""
    with httpx.Client(
        base_url=desk.api_url, headers=desk.bearer("all"), timeout=PATIENCE
    ) as client:

        def begun(path: str, name: str, **body: object) -> str:
            answer = answered(lambda: client.post(f"/v1/{path}", json=body))
            assert answer.is_success, answer.text
            return str(answer.json()[name])

        ref = begun("incidents", "incident", title="The portal is down", service="web")
        return {
            "incidents/ref": ref,
            "problems/ref": begun("problems", "record", title="Disk", incident=ref),
            "changes/ref": begun("changes", "record", title="Disk", incident=ref),
            "handovers/ref": ref,
            "queues/queue": "all",
            "sources/name": "demo",
        }


def shown(desk: Desk, operation: Operation) -> dict[str, str]:
    """Return the headers in which somebody who may is who they are."""
    key = desk.tokens["source"]
    if "token" in operation.keys:
        return desk.bearer("all")
    if "genie_key" in operation.keys:
        return {"Authorization": f"GenieKey {key}"}
    if "alerta_key" in operation.keys:
        return {"Authorization": f"Key {key}"}
    return {"Authorization": f"Bearer {key}"} if operation.keys else {}


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: each.name)
def test_any_request_is_answered_as_described_and_none_without_a_key(
    desk: Desk, there_are: dict[str, str], operation: Operation
) -> None:
    url = desk.api_url if operation.of == "api" else desk.intake_url
    headers, began = shown(desk, operation), monotonic()

    @(GOING_ON if SECONDS else FIXED)
    @given(operation.cases(), st.booleans())
    def ask(case: Request, real: bool) -> None:
        if operation.keys:
            assert_nobody_comes_in(case, url)
        if "key" in case.path_parameters:
            case.path_parameters["key"] = desk.tokens["source"]
        if real:
            aimed(case, there_are)
        if case.query and "min_position" in case.query:
            if operation.name in WAITED or len(WAITED) == WAITING_MAX:
                del case.query["min_position"]
            else:
                WAITED.add(operation.name)
        answer = sent(case, url, headers, ANSWER_SECONDS)
        ANSWERS[answer.status_code] += 1
        conforms(case, answer)

    ask()
    while monotonic() - began < SHARE:
        ask()


def assert_nobody_comes_in(case: Request, url: str) -> None:
    """Send a request with a wrong key, which is to be refused."""
    wrong = {"Authorization": "Bearer pmn_wrong"}

    def decided(answer: Response) -> bool:
        conforms(case, answer)
        return answer.status_code != 503

    answer = awaited(
        lambda: sent(case, url, wrong, ANSWER_SECONDS), decided, "the key is looked up"
    )
    assert 400 <= answer.status_code < 500, answer.text
