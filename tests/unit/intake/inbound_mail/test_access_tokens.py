"""Access tokens come from a real endpoint on this machine, and say why they do not."""

import asyncio
import traceback
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import orjson
import pytest

from services.intake.mailboxes import access_tokens
from services.intake.mailboxes.access_tokens import AccessTokens, NoToken
from services.intake.mailboxes.address import Address, OAuthAccess
from services.intake.mailboxes.session import OAUTHBEARER, XOAUTH2, token_answers
from tests.support.patience import SECONDS
from tests.support.servers.certificates import certificate
from tests.support.servers.proxy import proxy_before
from tests.support.servers.webhook_receiver import Postbox, Reply, open_postbox

SECRET, REFRESH, TOKEN = "client-Qx7", "refresh-Qx7", "token-Qx7"


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Iterator[Postbox]:
    """Give an endpoint that gives the same token each time; it may answer late."""
    monkeypatch.setattr(access_tokens, "SECONDS_MAX", float(SECONDS))
    with open_postbox() as postbox:
        postbox.status, postbox.body = 200, granted(TOKEN)
        yield postbox


def granted(token: str, **more: object) -> bytes:
    usual = {"access_token": token, "token_type": "Bearer", "expires_in": 3600}
    return orjson.dumps({**usual, **more})


def access(token_url: str, **more: str) -> OAuthAccess:
    usual = {"mailbox": "imaps://d@mx", "client_id": "us", "client_secret": SECRET}
    return OAuthAccess.model_validate({**usual, "token_url": token_url, **more})


def tokens_of(endpoint: Postbox, **more: str) -> AccessTokens:
    return AccessTokens(access(endpoint.url, **more))


def got(tokens: AccessTokens, *moments: float) -> list[str]:
    async def work() -> list[str]:
        return [(await tokens.token(now)).text for now in moments]

    return asyncio.run(work())


def asked(endpoint: Postbox) -> list[dict[str, str]]:
    forms = (parse_qs(each.body.decode()) for each in endpoint.requests)
    return [{name: value for name, (value,) in form.items()} for form in forms]


def test_a_client_asks_as_itself_or_with_a_refresh_token(endpoint: Postbox) -> None:
    ours = {"client_id": "us", "client_secret": SECRET}

    assert got(tokens_of(endpoint, scope="https://mx/.default"), 0) == [TOKEN]
    assert got(tokens_of(endpoint, refresh_token=REFRESH), 0) == [TOKEN]
    assert asked(endpoint) == [
        {**ours, "grant_type": "client_credentials", "scope": "https://mx/.default"},
        {**ours, "grant_type": "refresh_token", "refresh_token": REFRESH},
    ]


@pytest.mark.parametrize(
    ("expires_in", "moments", "requests"),
    [
        (3600, (0, 3539.9), 1),
        (3600, (0, 3540), 2),
        (100, (0, 89), 1),
        (100, (0, 90), 2),
        ("3599", (0, 3538), 1),
    ],
)
def test_a_token_is_kept_until_shortly_before_it_expires(
    expires_in: object,
    moments: tuple[float, float],
    requests: int,
    endpoint: Postbox,
) -> None:
    endpoint.body = granted(TOKEN, expires_in=expires_in)

    got(tokens_of(endpoint), *moments)

    assert len(endpoint.requests) == requests


def test_one_that_does_not_say_how_long_it_is_good_is_kept_ten_minutes(
    endpoint: Postbox,
) -> None:
    endpoint.body = orjson.dumps({"access_token": TOKEN})

    got(tokens_of(endpoint), 0, 539, 540)

    assert len(endpoint.requests) == 2


def test_a_new_refresh_token_is_used_from_then_on(endpoint: Postbox) -> None:
    endpoint.first = [Reply(granted("one", refresh_token="second"))]

    assert got(tokens_of(endpoint, refresh_token="first"), 0, 5000, 10_000) == [
        "one",
        TOKEN,
        TOKEN,
    ]
    used = [each["refresh_token"] for each in asked(endpoint)]
    assert used == ["first", "second", "second"]


def refused(code: str, **more: object) -> bytes:
    told = {"error": code, "error_description": f"{SECRET} of us", **more}
    return orjson.dumps(told)


@pytest.mark.parametrize(
    ("reply", "sentence"),
    [
        (Reply(refused("invalid_client"), 401), "HTTP 401, invalid_client): check `cl"),
        (Reply(refused("invalid_grant"), 400), "get a new `refresh_token`"),
        (Reply(refused(SECRET), 400), "(HTTP 400): check `token_url`"),
        (
            Reply(refused("invalid_client", error_codes=[7000222, SECRET]), 401),
            "invalid_client, AADSTS7000222): check",
        ),
        (Reply(b"busy", 503), "gave no token (HTTP 503)"),
        (Reply(b"<html>Sign in</html>"), "not answer with a JSON object: check"),
        (Reply(b"[]"), "not answer with a JSON object: check"),
        (Reply(b"", 302, {"location": "http://127.0.0.1:1/"}), "redirects (HTTP 302)"),
        (Reply(b"{}"), "without a usable `access_token`"),
        (Reply(granted("a\x01b" + SECRET)), "without a usable `access_token`"),
        (Reply(granted("")), "without a usable `access_token`"),
        (Reply(granted(TOKEN, expires_in=0)), "without a usable `expires_in`"),
        (Reply(granted(TOKEN, expires_in=SECRET)), "without a usable `expires_in`"),
        (Reply(granted(TOKEN, token_type="mac")), "not of the type Bearer"),
        (Reply(b'"' + b"x" * 2**20 + b'"'), "more than 65536 bytes"),
        (Reply(b"x", 200, {"content-encoding": "gzip"}), "compresses its answer"),
    ],
)
def test_an_answer_without_a_token_is_one_sentence(
    reply: Reply, sentence: str, endpoint: Postbox
) -> None:
    endpoint.first = [reply]
    tokens = tokens_of(endpoint, refresh_token=REFRESH)

    with pytest.raises(NoToken) as told:
        got(tokens, 0)

    assert sentence in str(told.value)
    assert str(told.value).startswith("127.0.0.1")
    whole = "".join(traceback.format_exception(told.value, limit=0))
    assert not any(each in whole for each in (SECRET, REFRESH, TOKEN))
    assert len(endpoint.requests) == 1
    assert got(tokens, 0) == [TOKEN]


def test_an_endpoint_that_hangs_drips_or_has_no_end_is_left(
    endpoint: Postbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint.endless = True
    with pytest.raises(NoToken, match="more than 65536 bytes"):
        got(tokens_of(endpoint), 0)

    monkeypatch.setattr(access_tokens, "SECONDS_MAX", 0.2)
    for endpoint.drip, endpoint.hang in ((0.02, False), (0.0, True)):
        with pytest.raises(NoToken, match=r"gave no token within 0\.2 s"):
            got(tokens_of(endpoint), 0)


def test_an_endpoint_that_is_away_is_named(endpoint: Postbox) -> None:
    endpoint.cut = True

    with pytest.raises(NoToken, match=r"127\.0\.0\.1, which gives tokens, cannot be r"):
        got(tokens_of(endpoint), 0)


def test_an_endpoint_that_cannot_prove_who_it_is_hears_no_secret(
    endpoint: Postbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, tls = certificate(tmp_path, "127.0.0.1")
    port = urlsplit(endpoint.url).port
    assert port is not None
    with proxy_before(port, tls) as proxy:
        tokens = AccessTokens(access(f"https://127.0.0.1:{proxy.port}/token"))
        with pytest.raises(NoToken, match="its certificate is not trusted"):
            got(tokens, 0)
        assert endpoint.requests == []

        monkeypatch.setenv("SSL_CERT_FILE", str(file))
        assert got(tokens, 0) == [TOKEN]


def test_no_proxy_hears_what_is_sent_without_tls(
    endpoint: Postbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_postbox() as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.origin)
        got(tokens_of(endpoint), 0)

        assert proxy.requests == []


def test_nothing_shows_a_token(endpoint: Postbox) -> None:
    tokens = tokens_of(endpoint)

    assert TOKEN not in repr(asyncio.run(tokens.token(0)))


def test_how_a_token_is_presented() -> None:
    login = access("https://id.example/token")
    address = Address("mx.example", 993, "d=e,sk@v.example", login)

    assert token_answers(replace(address, user="desk@v.example"), XOAUTH2, "t") == (
        "user=desk@v.example\1auth=Bearer t\1\1",
        "",
    )
    assert token_answers(address, OAUTHBEARER, "t") == (
        "n,a=d=3De=2Csk@v.example,\1host=mx.example\1port=993\1auth=Bearer t\1\1",
        "\1",
    )
