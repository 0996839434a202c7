"""A browser at the door: who is let in, what is kept, and what never leaves."""

from datetime import UTC, datetime

import httpx
import pytest

from services.projections.api.session_cookie import COOKIE
from shared.security.sender import seal_keys_of
from shared.security.sign_in_links import NewLink, create_link
from tests.support.desks.api import Api
from tests.support.desks.door import grant
from tests.support.strategies.histories import opened

pytestmark = pytest.mark.servers


def _cookie(token: str) -> dict[str, str]:
    return {"Cookie": f"{COOKIE}={token}"}


def _sign_in(api: Api, token: str, **headers: str) -> httpx.Response:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    form = {"token": token, "next": "/"}
    return api.call("POST", "/sign-in", who=None, headers=sent, data=form)


def test_a_session_is_kept_where_no_script_and_no_other_site_can_use_it(
    shared_api: Api,
) -> None:
    token = shared_api.tokens["agent"]

    answer = _sign_in(shared_api, f"  {token}\n")

    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    kept = answer.headers.get_list("Set-Cookie")[0].lower()
    assert kept.startswith(f"{COOKIE}=pms_")
    assert token not in str(answer.headers)
    assert {"httponly", "samesite=lax", "path=/", "max-age=43200"} <= set(
        kept.split("; ")
    )
    assert "secure" not in kept


def test_over_https_no_other_host_can_plant_a_session(shared_api: Api) -> None:
    https = {"X-Forwarded-Proto": "https"}
    answer = _sign_in(shared_api, shared_api.tokens["agent"], **https)
    kept = answer.headers.get_list("Set-Cookie")[0]
    name, _, session = kept.partition(";")[0].partition("=")

    assert name == "__Host-permanence"
    assert {"Secure", "Path=/"} <= set(kept.split("; "))
    assert "domain" not in kept.lower()
    for cookie, status in ((f"{name}={session}", 200), (f"{COOKIE}={session}", 401)):
        page = shared_api.call("GET", "/", None, {**https, "Cookie": cookie})
        assert page.status_code == status


def test_who_signs_in_again_gets_another_session_and_the_first_one_ends(
    shared_api: Api,
) -> None:
    token = shared_api.tokens["agent"]
    planted = _sign_in(shared_api, token).cookies[COOKIE]

    fresh = _sign_in(shared_api, token, Cookie=f"{COOKIE}={planted}").cookies[COOKIE]

    assert fresh != planted
    for session, status in ((planted, 401), (fresh, 200)):
        page = shared_api.call("GET", "/", who=None, headers=_cookie(session))
        assert page.status_code == status


def _link(api: Api, person: str) -> str:
    with api.log.transaction() as cursor:
        grant(cursor, person)
        link = NewLink(f"person:{person}", "link")
        secret = create_link(cursor, seal_keys_of(api.log), datetime.now(UTC), link)
    return f"/sign-in/link/{secret}"


def test_a_link_that_is_only_opened_signs_nobody_in_and_stays_whole(
    shared_api: Api,
) -> None:
    path = _link(shared_api, "lena")

    for _ in range(3):
        shown = shared_api.call("GET", path, who=None)
        assert shown.status_code == 200
        assert "Set-Cookie" not in shown.headers
    assert shown.headers["Referrer-Policy"] == "no-referrer"
    assert shown.headers["Cache-Control"] == "no-store"
    elsewhere = {"Origin": "https://elsewhere.example"}
    assert shared_api.call("POST", path, None, elsewhere).status_code == 401

    entered = shared_api.call("POST", path, who=None)
    again = shared_api.call("POST", path, None, {"Accept-Language": "fr"})

    assert (entered.status_code, entered.headers["Location"]) == (303, "/")
    assert "Ce lien ou ce code est inconnu, expiré" in again.text
    assert "Set-Cookie" not in again.headers


def test_a_code_in_the_field_of_a_token_is_used_up(shared_api: Api) -> None:
    code = _link(shared_api, "mona").rpartition("/")[2]

    assert _sign_in(shared_api, code).status_code == 303
    assert _sign_in(shared_api, code).status_code == 401


@pytest.mark.parametrize("token", ["", "pmn_wrong", "é\x00\n", "x" * 3_000])
def test_a_wrong_token_is_told_so_and_kept_nowhere(shared_api: Api, token: str) -> None:
    answer = _sign_in(shared_api, token, Accept_Language="fr")

    assert answer.status_code == 401
    assert "Ce jeton est inconnu, expiré ou révoqué" in answer.text
    assert "Set-Cookie" not in answer.headers


def test_a_token_that_may_not_read_is_told_what_it_takes(shared_api: Api) -> None:
    answer = _sign_in(shared_api, shared_api.tokens["source"])

    assert answer.status_code == 401
    assert "it takes one of the scopes agent" in answer.text


def test_a_form_sent_by_another_site_signs_nobody_in(shared_api: Api) -> None:
    token = shared_api.tokens["agent"]

    answer = _sign_in(shared_api, token, Sec_Fetch_Site="cross-site")

    assert answer.status_code == 401
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize(
    ("onward", "location"),
    [
        ("/incidents/INC-000001", "/incidents/INC-000001"),
        ("/load", "/load"),
        ("/load?lang=fr", "/load?lang=fr"),
        ("/?q=web", "/?q=web"),
        ("/?q=a%20b&queue=all", "/?q=a%20b&queue=all"),
        ("/incidents/INC-000001?before=5", "/incidents/INC-000001?before=5"),
        ("https://elsewhere.example/", "/"),
        ("//elsewhere.example/", "/"),
        ("/\\elsewhere.example/", "/"),
        ("\\\\elsewhere.example/", "/"),
        ("//elsewhere.example/load", "/"),
        ("load", "/"),
        ("javascript:alert(1)", "/"),
        ("/\t/elsewhere.example/", "/"),
        ("/load\r\nSet-Cookie: a=b", "/"),
        ("/load?q=\n", "/"),
        ("/nowhere", "/"),
        ("/v1/log", "/"),
        (f"/?q={'x' * 1_000}", "/"),
        ("/incidents/é", "/"),
        ("/sign-out", "/"),
    ],
)
def test_who_signs_in_goes_on_to_a_page_of_ours(
    shared_api: Api, onward: str, location: str
) -> None:
    form = {"token": shared_api.tokens["agent"], "next": onward}

    answer = shared_api.call("POST", "/sign-in", who=None, data=form)

    assert answer.headers["Location"] == location


@pytest.mark.parametrize(
    "path",
    ["/", "/load?lang=en", "/?q=web", "/?q=%C3%A9&queue=all", "/incidents/INC-000001"],
)
def test_the_door_remembers_the_page_that_was_asked_for(
    shared_api: Api, path: str
) -> None:
    door = shared_api.call("GET", path, who=None)

    assert f'name="next" value="{path.replace("&", "&amp;")}"' in door.text


def test_a_wrong_token_or_another_language_does_not_forget_the_page(
    shared_api: Api,
) -> None:
    form = {"token": "pmn_wrong", "next": "/?q=web&lang=en"}

    again = shared_api.call("POST", "/sign-in", who=None, data=form)

    assert 'name="next" value="/?q=web&amp;lang=en"' in again.text
    assert 'href="/?q=web&amp;lang=fr"' in again.text


def test_a_page_with_too_long_a_query_is_remembered_without_it(
    shared_api: Api,
) -> None:
    door = shared_api.call("GET", f"/load?q={'x' * 1_000}", who=None)

    assert 'name="next" value="/load"' in door.text


def test_who_signs_out_keeps_nothing_and_the_session_is_over(shared_api: Api) -> None:
    session = _sign_in(shared_api, shared_api.tokens["agent"]).cookies[COOKIE]

    answer = shared_api.call("POST", "/sign-out", who=None, headers=_cookie(session))

    assert answer.status_code == 303
    assert f'{COOKIE}=""; ' in answer.headers["Set-Cookie"]
    assert "Max-Age=0" in answer.headers["Set-Cookie"]
    page = shared_api.call("GET", "/", who=None, headers=_cookie(session))
    assert page.status_code == 401


def test_another_site_signs_nobody_out(shared_api: Api) -> None:
    session = _sign_in(shared_api, shared_api.tokens["agent"]).cookies[COOKIE]
    headers = {**_cookie(session), "Sec-Fetch-Site": "cross-site"}

    answer = shared_api.call("POST", "/sign-out", who=None, headers=headers)

    assert "Set-Cookie" not in answer.headers
    page = shared_api.call("GET", "/", who=None, headers=_cookie(session))
    assert page.status_code == 200


@pytest.mark.parametrize("path", ["/", "/incidents/INC-000001", "/incidents/nonsense"])
def test_nobody_sees_a_page_without_a_token(shared_api: Api, path: str) -> None:
    for headers in ({}, _cookie("pmn_wrong"), _cookie('"\\351"')):
        answer = shared_api.call("GET", path, who=None, headers=headers)

        assert answer.status_code == 401
        assert '<form action="/sign-in" method="post">' in answer.text
        assert "data-stream" not in answer.text


@pytest.mark.parametrize(
    "path", ["/", "/incidents/INC-000009", "/incidents/INC-000777"]
)
def test_every_page_is_closed_to_scripts_frames_and_caches(
    shared_api: Api, path: str
) -> None:
    if shared_api.log.head_version("incident-INC-000009") == 0:
        shared_api.happened(opened("INC-000009"))
    headers = _cookie(shared_api.tokens["agent"])

    answer = shared_api.call("GET", path, who=None, headers=headers)

    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; ")
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-store"
    assert shared_api.tokens["agent"] not in answer.text


@pytest.mark.parametrize(
    ("ref", "place"),
    [
        ("PRB-000001", "/problems/PRB-000001"),
        ("CHG-000001", "/changes/CHG-000001"),
    ],
)
def test_a_record_of_another_kind_is_found_where_it_is(
    shared_api: Api, ref: str, place: str
) -> None:
    answer = shared_api.call("GET", f"/incidents/{ref}", None)

    assert (answer.status_code, answer.headers["Location"]) == (303, place)


@pytest.mark.parametrize(
    ("path", "status", "sentence"),
    [
        ("/incidents/INC-999999", 404, "There is no incident INC-999999."),
        (
            "/incidents/INC-999999?lang=fr",
            404,
            "Introuvable\u00a0: incident INC-999999.",
        ),
        ("/incidents/42", 422, "Not understood"),
        ("/incidents/..%2F..%2Fv1%2Flog", 404, ""),
        ("/?queue=no-such-team", 404, "There is no queue no-such-team"),
        ("/?queue=..%2F..%2Flog", 404, ""),
        ("/?cursor=made-up", 400, "not a cursor"),
        ("/?min_position=999999999", 503, "has not come to"),
    ],
)
def test_what_cannot_be_shown_is_said_in_a_sentence(
    shared_api: Api,
    path: str,
    status: int,
    sentence: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("services.projections.api.desk.WAIT_SECONDS_MAX", 0.01)
    headers = _cookie(shared_api.tokens["agent"])

    answer = shared_api.call("GET", path, who=None, headers=headers)

    assert answer.status_code == status
    assert ("retry-after" in answer.headers) == (status == 503)
    assert sentence in answer.text
    assert "Traceback" not in answer.text


def test_words_of_others_are_text_wherever_they_stand(shared_api: Api) -> None:
    evil = "<script>alert(1)</script> \"' onload=x \u202e &amp; {{ 7*7 }}"
    ref = "INC-000066"
    position = shared_api.happened(
        opened(ref, title=evil, service="<b>mail</b>", team="<i>desk</i>")
    )
    headers = _cookie(shared_api.tokens["agent"])

    def html(path: str) -> str:
        return shared_api.call("GET", path, who=None, headers=headers).text

    queue = html(f"/?q=alert&min_position={position}")
    incident = html(f"/incidents/{ref}?lang=fr&min_position={position}")
    search = html("/?q=%22%3E%3Ci%3Enothing")

    for page in (queue, incident):
        assert "&lt;script&gt;alert(1)&lt;/script&gt; &#34;&#39; onload=x" in page
        assert "{{ 7*7 }}" in page
    assert 'value="&#34;&gt;&lt;i&gt;nothing"' in search
    for page in (queue, incident, search):
        assert "<script>" not in page
        assert "<b>mail" not in page
        assert "<i>" not in page


def test_a_language_is_chosen_once(shared_api: Api) -> None:
    chosen = shared_api.call("GET", "/?lang=fr", who=None)
    again = shared_api.call("GET", "/?lang=de", who=None)

    assert '<html lang="fr">' in chosen.text
    assert "permanence_lang=fr; HttpOnly" in chosen.headers["Set-Cookie"]
    assert '<html lang="en">' in again.text
    assert "Set-Cookie" not in again.headers


def test_style_and_script_come_from_here_and_nothing_else_does(
    shared_api: Api,
) -> None:
    for name, kind in (("page.css", "text/css"), ("page.js", "text/javascript")):
        answer = shared_api.call("GET", f"/assets/{name}", who=None)
        assert answer.status_code == 200
        assert answer.headers["Content-Type"].startswith(kind)
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    for name in ("routes.py", "..%2Froutes.py", "desk.html"):
        assert shared_api.call("GET", f"/assets/{name}", who=None).status_code == 404


def test_the_description_of_the_api_is_shown_without_another_server(
    shared_api: Api,
) -> None:
    html = shared_api.call("GET", "/docs", who=None).text

    assert "/openapi.json" in html
    assert "https://" not in html
    script = shared_api.call(
        "GET", "/static-offline-docs/swagger-ui-bundle.js", who=None
    )
    assert script.status_code == 200
    assert shared_api.call("GET", "/redoc", who=None).status_code == 404


@pytest.mark.parametrize(
    ("email", "status", "sentence"),
    [
        ("paul@desk.example", 200, "a link is on its way"),
        ("stranger@x.example", 200, "a link is on its way"),
        ("nobody", 401, "zoe@example.org"),
        ("", 401, "zoe@example.org"),
    ],
)
def test_a_link_can_be_asked_for_by_mail(
    shared_api: Api, email: str, status: int, sentence: str
) -> None:
    form = {"email": email, "next": "/load"}

    shown = shared_api.call("POST", "/sign-in/mail", who=None, data=form)

    assert shown.status_code == status
    assert sentence in shown.text
    assert "/load" in shown.text
    elsewhere = {"Sec-Fetch-Site": "cross-site"}
    refused = shared_api.call("POST", "/sign-in/mail", None, elsewhere, data=form)
    assert refused.status_code == 401
