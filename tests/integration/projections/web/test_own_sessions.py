"""The page of one's own sessions, and for an admin of everybody's."""

import re

import httpx
import pytest

from services.projections.api.session_cookie import COOKIE
from services.projections.web.csrf import token_for
from tests.support.desks.api import Api

pytestmark = pytest.mark.servers


def _session(api: Api, who: str) -> str:
    body = {"token": api.tokens[who], "device": "Firefox on Linux"}
    answer = api.call("POST", "/v1/sessions", who=None, json=body)
    return str(answer.json()["session"])


def _call(
    api: Api, session: str, method: str, path: str, csrf: str | None = None
) -> httpx.Response:
    form = {"csrf": token_for(session) if csrf is None else csrf}
    given = {"data": form} if method == "POST" else {}
    return api.call(method, path, None, {"Cookie": f"{COOKIE}={session}"}, **given)


def test_somebody_sees_their_sessions_and_ends_another_one(shared_api: Api) -> None:
    here, there = (_session(shared_api, "manager") for _ in range(2))

    page = _call(shared_api, here, "GET", "/sessions")
    listed = re.findall(r"/sessions/([0-9a-f]{12})/end", page.text)
    ended = _call(shared_api, here, "POST", f"/sessions/{there[4:16]}/end")

    assert "this one" in page.text
    assert "Firefox on Linux" in page.text
    assert there[4:16] in listed
    assert here[4:16] not in listed
    assert (ended.status_code, ended.headers["Location"]) == (303, "/sessions")
    assert _call(shared_api, there, "GET", "/sessions").status_code == 401


def test_all_other_sessions_end_with_one_button(shared_api: Api) -> None:
    here, *others = (_session(shared_api, "other_agent") for _ in range(3))

    assert _call(shared_api, here, "POST", "/sessions/end").status_code == 303

    assert _call(shared_api, here, "GET", "/sessions").status_code == 200
    for session in others:
        assert _call(shared_api, session, "GET", "/sessions").status_code == 401


@pytest.mark.parametrize("csrf", ["", "0" * 64])
def test_a_form_that_we_did_not_show_ends_nothing(shared_api: Api, csrf: str) -> None:
    here, there = (_session(shared_api, "manager") for _ in range(2))

    refused = _call(shared_api, here, "POST", "/sessions/end", csrf)

    assert refused.status_code == 400
    assert _call(shared_api, there, "GET", "/sessions").status_code == 200


def test_an_admin_sees_everybody_and_nobody_else_does(shared_api: Api) -> None:
    auditor, admin = (_session(shared_api, who) for who in ("auditor", "admin"))

    page = _call(shared_api, admin, "GET", "/sessions?everybody=1&lang=fr")
    path = f"/sessions/{auditor[4:16]}/end?everybody=1"
    refused = _call(shared_api, auditor, "GET", "/sessions?everybody=1")
    ended = _call(shared_api, admin, "POST", path)

    assert "Sessions de tous" in page.text
    assert auditor[4:16] in page.text
    assert "data-ref" not in refused.text
    assert refused.status_code == 401
    assert ended.headers["Location"] == "/sessions?everybody=1"
    assert _call(shared_api, auditor, "GET", "/").status_code == 401
