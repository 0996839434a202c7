"""The address of a mailbox stands in the environment or a file, never in a policy."""

from pathlib import Path

import pytest

from services.intake.mailboxes.address import Address, NoAddress, address_of


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
    ["https://d:p@mx.example", "imaps://mx.example", "imaps://d@mx", "mx.example", "["],
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
