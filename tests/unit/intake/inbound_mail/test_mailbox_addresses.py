"""The address of a mailbox stands in the environment or a file, never in a policy."""

import traceback
from pathlib import Path

import orjson
import pytest
from pydantic import SecretStr

from services.intake.mailboxes.address import (
    Address,
    NoAddress,
    OAuthAccess,
    address_of,
)


def of(written: str) -> Address:
    return address_of("env:BOX", {"BOX": written})


def test_a_whole_address() -> None:
    assert of("imaps://desk%40v.example:p%2Fw@mx.example:1993/Support%20desk") == (
        Address("mx.example", 1993, "desk@v.example", "p/w", "Support desk")
    )


def test_what_is_usual_may_be_left_out() -> None:
    assert of("imaps://d:p@mx.example") == Address("mx.example", 993, "d", "p")
    assert of("imap://d:p@mx.example") == Address(
        "mx.example", 143, "d", "p", tls=False
    )


def test_only_this_machine_is_spoken_to_in_clear() -> None:
    assert of("imap://d:p@127.0.0.1").is_here
    assert of("imap://d:p@[::1]").is_here
    assert of("imap://d:p@localhost").is_here
    assert not of("imap://d:p@mx.example").is_here
    assert not of("imap://d:p@10.0.0.1").is_here


def test_a_file_holds_it_too(tmp_path: Path) -> None:
    file = tmp_path / "box"
    file.write_text("imaps://d:p@mx.example\n", encoding="ascii")

    assert address_of(f"file:{file}", {}).host == "mx.example"


@pytest.mark.parametrize(
    "written",
    [
        "https://d:p@mx.example",
        "imaps://mx.example",
        "imaps://d@mx",
        "imaps://d%0D%0A:p@mx.example",
        "mx.example",
        "[",
    ],
)
def test_what_is_no_address_is_told_without_telling_it(written: str) -> None:
    with pytest.raises(NoAddress) as told:
        of(written)

    assert "imaps://name:password@host" in str(told.value)
    assert "mx" not in str(told.value)


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(NoAddress, match="no BOX: set it"):
        address_of("env:BOX", {})
    with pytest.raises(NoAddress, match="cannot read"):
        address_of(f"file:{tmp_path / 'none'}", {})


def test_a_password_is_not_shown() -> None:
    assert "secret" not in repr(of("imaps://d:secret@mx.example"))


SECRET = "client-Qx7"
BY_TOKEN = {
    "mailbox": "imaps://desk%40v.example@mx.example/Support",
    "token_url": "https://id.example/tenant/token",
    "client_id": "us",
    "client_secret": SECRET,
}


def by_token(**more: object) -> Address:
    document = {**BY_TOKEN, **more}
    given = {name: value for name, value in document.items() if value is not None}
    return of(orjson.dumps(given).decode())


def test_a_mailbox_may_be_one_that_takes_access_tokens() -> None:
    found = by_token(scope="https://mx.example/.default", refresh_token="refresh-Qx7")

    assert found == Address(
        "mx.example",
        993,
        "desk@v.example",
        OAuthAccess(
            mailbox=BY_TOKEN["mailbox"],
            token_url=BY_TOKEN["token_url"],
            client_id="us",
            client_secret=SecretStr(SECRET),
            scope="https://mx.example/.default",
            refresh_token=SecretStr("refresh-Qx7"),
        ),
        "Support",
    )
    assert found != by_token(scope="https://mx.example/.default", refresh_token="new")
    assert "Qx7" not in repr((found, found.login))


def test_a_public_client_has_a_refresh_token_only() -> None:
    by_token(client_secret=None, refresh_token="refresh-Qx7")


def test_only_this_machine_gives_tokens_in_clear() -> None:
    by_token(token_url="http://127.0.0.1:8080/token")
    by_token(token_url="http://[::1]/token")


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"client_id": None}, "`client_id`: missing: add it"),
        ({"client_id": 7}, "`client_id`: write text"),
        ({"client_id": ""}, "`client_id`: "),
        ({"client_secret": None}, "write `client_secret`, `refresh_token`, or both"),
        ({"client_secret": ""}, "`client_secret`: "),
        ({SECRET: "client_secret"}, "its fields are mailbox, token_url, client_id, "),
        ({"token_url": "http://id.example/t"}, "`token_url`: write it with https"),
        ({"token_url": f"https://u:{SECRET}@id.example/t"}, "nothing more"),
        ({"token_url": f"https://id.example/t?key={SECRET}"}, "nothing more"),
        ({"token_url": "id.example"}, "`token_url`: write it as https://host/path"),
        ({"token_url": "https://id.example:port/"}, "write it as https://host/path"),
        ({"token_url": "https://id.example/\n"}, "write it as https://host/path"),
        ({"mailbox": f"imaps://d:{SECRET}@mx"}, "a password is not used with OAuth 2"),
        ({"mailbox": "imaps://mx.example"}, "`mailbox` in env:BOX as imaps://name@h"),
        ({"mailbox": "imaps://d%01x@mx"}, "`mailbox` in env:BOX as imaps://name@host"),
    ],
)
def test_each_mistake_is_told_by_what_to_write(
    more: dict[str, object], sentence: str
) -> None:
    with pytest.raises(NoAddress) as told:
        by_token(**more)

    assert sentence in str(told.value)
    assert SECRET not in "".join(traceback.format_exception(told.value, limit=0))


def test_what_is_not_json_is_told_without_telling_it() -> None:
    with pytest.raises(NoAddress, match="env:BOX is not valid JSON: see docs") as told:
        of(f"{{'client_secret': '{SECRET}'}}")

    assert SECRET not in "".join(traceback.format_exception(told.value, limit=0))
