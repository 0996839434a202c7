"""Signing in at a real OpenID Connect provider, and what attackers try on the way."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import psycopg
import pytest

from services.projections.api.session_cookie import COOKIE
from services.projections.identity_provider.provider import Login
from services.projections.web.sign_in import provider as provider_page
from shared.http.form_limits import SIGN_INS_MAX
from shared.settings import GroupRight
from standalone.nats import Bus
from tests.support.desks.api import Api, serving
from tests.support.identity_provider.canaille_process import CLIENT, HOST, SECRET
from tests.support.identity_provider.provider import (
    Provider,
    answer_for,
    running_provider,
    signing_key,
)
from tests.support.patience import SECONDS, until_too_many
from tests.support.ports import reserved_port
from tests.support.servers.servers import Database

pytestmark = pytest.mark.servers

_PERSON = """
INSERT INTO directory.people (id, name, updated_at) VALUES (%s, %s, now())
"""
_PROVIDER = "services.projections.identity_provider.provider"
REFUSED = "The identity provider did not sign you in here"


@dataclass
class Desk:
    """A desk whose people sign in at a provider."""

    api: Api
    provider: Provider

    def visitor(self) -> httpx.Client:
        """Return a browser of its own."""
        return httpx.Client(timeout=SECONDS, headers={"Accept-Language": "en"})

    def signs_in(self, person: str, onward: str = "/") -> httpx.Response:
        """Sign somebody in; return the answer of the desk at the end."""
        with self.visitor() as visitor:
            return visitor.get(answer_for(visitor, self.api.url, person, onward))

    def me(self, session: str) -> httpx.Response:
        """Return who a session belongs to."""
        headers = {"Authorization": f"Bearer {session}"}
        return self.api.call("GET", "/v1/me", None, headers)


@pytest.fixture(autouse=True)
def _asks_for_keys_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"{_PROVIDER}.KEYS_AGAIN_SECONDS", 0.0)


@pytest.fixture(autouse=True)
def _waits_for_a_busy_provider(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"{_PROVIDER}.SECONDS_MAX", SECONDS)


@pytest.fixture(scope="module")
def desk(
    shared_database: Database,
    shared_bus: Bus,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Desk]:
    with psycopg.connect(shared_database.owner_dsn) as owner:
        for person in ("nadia", "idle"):
            owner.execute(_PERSON, (person, person.title()))
    port = reserved_port()
    oidc: dict[str, Any] = {
        "oidc_issuer": f"http://{HOST}:{port}",
        "oidc_client_id": CLIENT,
        "oidc_client_secret": SECRET,
        "oidc_person": "preferred_username",
        "oidc_name": "Canaille",
        "oidc_rights": {
            "desk": (GroupRight(role="agent", teams=("desk",)),),
            "n2": (GroupRight(role="agent", teams=("n2",)),),
        },
    }
    folder = tmp_path_factory.mktemp("api")
    with (
        serving(shared_database, shared_bus, folder, **oidc) as api,
        running_provider(port, api.url) as provider,
    ):
        yield Desk(api, provider)


def test_who_signs_in_there_has_the_rights_of_their_groups_here(desk: Desk) -> None:
    answer = desk.signs_in("nadia", "/load")

    assert (answer.status_code, answer.headers["Location"]) == (303, "/load")
    me = desk.me(answer.cookies[COOKIE]).json()
    assert (me["actor"], me["scopes"]) == ("person:nadia", ["agent"])
    listed = desk.api.get("/v1/sessions", who="admin", person="nadia")["items"]
    assert listed[0]["method"] == "provider"


@pytest.mark.parametrize(
    ("person", "sentence"),
    [
        ("stranger", "but this desk does not: ask an admin to import you"),
        ("idle", "may not read anything here: ask an admin for a right"),
    ],
)
def test_who_is_unknown_here_or_has_no_rights_is_told_so(
    desk: Desk, person: str, sentence: str
) -> None:
    answer = desk.signs_in(person)

    assert answer.status_code == 401
    assert sentence in answer.text
    assert COOKIE not in answer.cookies
    assert "Sign in with Canaille" in answer.text


def test_an_answer_counts_once_even_with_the_login_of_its_browser(desk: Desk) -> None:
    with desk.visitor() as visitor:
        address = answer_for(visitor, desk.api.url, "nadia")
        stolen = dict(visitor.cookies)

        first = visitor.get(address)
        again = httpx.get(address, cookies=stolen, timeout=SECONDS)

    assert first.status_code == 303
    assert again.status_code == 401
    assert REFUSED in again.text


def test_a_flood_of_forged_answers_from_one_network_keeps_nobody_else_out(
    desk: Desk,
) -> None:
    url = f"{desk.api.url}/v1/sign-in/provider/answer"
    back = f"{desk.api.url}{provider_page.BACK}"
    own = Login.begin()  # what a browser can compute, without the desk
    forged = {"login": own.secret, "state": own.state, "code": "x", "back": back}
    strange = {**forged, "state": "y"}

    with httpx.Client(timeout=SECONDS) as thief:

        def sends(said: dict[str, str]) -> httpx.Response:
            headers = {"X-Forwarded-For": "203.0.113.9"}
            return thief.post(url, json=said, headers=headers)

        answers = [sends(forged), sends(forged)]
        answers += until_too_many(lambda: sends(strange), SIGN_INS_MAX)

    *told, last = [each.json()["code"] for each in answers]
    assert len(told) >= SIGN_INS_MAX
    assert (set(told), last) == ({"provider_refused"}, "too_many_reports")
    assert {each.status_code for each in answers[:-1]} == {401}
    assert desk.signs_in("nadia").status_code == 303


def test_an_answer_signs_nobody_in_in_another_browser(desk: Desk) -> None:
    with desk.visitor() as thief, desk.visitor() as victim:
        address = answer_for(thief, desk.api.url, "nadia")
        victim.get(f"{desk.api.url}/sign-in/provider")

        without_login = httpx.get(address, timeout=SECONDS)
        with_another = victim.get(address)
        with_its_own = thief.get(address)

    for answer in (without_login, with_another):
        assert answer.status_code == 401
        assert REFUSED in answer.text
        assert COOKIE not in answer.cookies
    assert with_its_own.status_code == 303


@pytest.mark.parametrize(
    "given",
    [
        {"code": "made-up"},
        {"code": ""},
        {"error": "access_denied"},
        {"code": "x", "iss": "https://elsewhere.example"},
        {"code": "x" * 5_000},
    ],
)
def test_an_answer_that_proves_nothing_is_refused(
    desk: Desk, given: dict[str, str]
) -> None:
    with desk.visitor() as visitor:
        begun = visitor.get(f"{desk.api.url}/sign-in/provider")
        state = httpx.URL(begun.headers["Location"]).params["state"]
        back = f"{desk.api.url}{provider_page.BACK}"

        answer = visitor.get(back, params={"state": state, **given})

    assert answer.status_code == 401
    assert REFUSED in answer.text


def test_pkce_state_and_nonce_are_of_each_login(desk: Desk) -> None:
    asked = []
    for _ in range(2):
        begun = httpx.get(f"{desk.api.url}/sign-in/provider", timeout=SECONDS)
        assert begun.headers["Cache-Control"] == "no-store"
        asked.append(httpx.URL(begun.headers["Location"]).params)

    for name in ("state", "nonce", "code_challenge"):
        assert asked[0][name] != asked[1][name]
    assert asked[0]["code_challenge_method"] == "S256"
    assert "secret" not in str(asked[0])


def test_with_a_new_key_of_the_provider_people_sign_in_as_before(desk: Desk) -> None:
    assert desk.signs_in("nadia").status_code == 303
    desk.provider.stop()
    desk.provider.start(signing_key())

    assert desk.signs_in("nadia").status_code == 303


def test_while_the_provider_is_away_the_other_ways_in_work(desk: Desk) -> None:
    with desk.visitor() as visitor:
        begun = visitor.get(f"{desk.api.url}/sign-in/provider")
        desk.provider.stop()
        try:
            state = httpx.URL(begun.headers["Location"]).params["state"]
            back = f"{desk.api.url}{provider_page.BACK}"
            away = visitor.get(back, params={"state": state, "code": "x"})
            form = {"token": desk.api.tokens["agent"]}
            by_token = desk.api.call("POST", "/sign-in", who=None, data=form)
        finally:
            desk.provider.start(signing_key())

    assert "The identity provider does not answer" in away.text
    assert by_token.status_code == 303


def test_who_signs_out_is_shown_the_way_out_of_the_provider(desk: Desk) -> None:
    session = desk.signs_in("nadia").cookies[COOKIE]
    cookie = {"Cookie": f"{COOKIE}={session}"}

    left = desk.api.call("POST", "/sign-out", None, cookie)
    page = desk.api.call("GET", left.headers["Location"], None)

    assert f"{desk.provider.url}/oauth/end_session?client_id={CLIENT}" in page.text
    assert desk.me(session).status_code == 401
