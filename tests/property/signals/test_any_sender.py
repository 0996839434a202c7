"""Whatever the sender of a mail chooses, it is not read as somebody else's domain."""

from datetime import date
from email.parser import BytesParser
from email.policy import compat32

from hypothesis import given
from hypothesis import strategies as st

from services.intake.inbound_mail.authentication import is_authentic, results
from shared.security.signed_links import (
    page_tag_of,
    presented,
    tag_of,
    vouches,
    vouches_for_page,
)

SERVER = "mx.permanence.example"
VICTIM = "costa@valmont.example"
WORDS = st.text(st.characters(exclude_categories=["C", "Z"], exclude_characters=";"))
RESULTS = st.sampled_from(
    [
        "dkim=pass header.d={}.evil.example",
        "dkim=pass header.d=valmont.example{}evil.example",
        "spf=pass smtp.mailfrom={}@evil.example",
        "spf=pass smtp.mailfrom=valmont.example@{}.evil.example",
        "dkim=pass header.d={} header.d=evil.example",
    ]
)


def believed(said: str) -> bool:
    head = f"Authentication-Results: {SERVER}; {said}\nFrom: {VICTIM}\n\n"
    mail = BytesParser(policy=compat32).parsebytes(head.encode())
    return is_authentic(mail, VICTIM, SERVER)


@given(RESULTS, WORDS)
def test_a_name_of_the_senders_choice_is_no_name_of_another(
    result: str, chosen: str
) -> None:
    assert not believed(result.format(chosen))


@given(st.text())
def test_whatever_a_field_says_it_is_read_or_it_is_not(said: str) -> None:
    assert isinstance(results(f"{SERVER}; {said}", SERVER), list)
    assert results(said.replace(SERVER, ""), SERVER) == []


@given(st.binary(min_size=1), st.text(), st.dates())
def test_a_tag_is_read_back_from_an_id_and_no_other_key_made_it(
    key: bytes, address: str, day: date
) -> None:
    tag = tag_of(key, "INC-000042", address, day)

    (read,) = presented(f"<{'0' * 40}.{tag}@desk.example>", "DESK.example")

    assert read == tag
    assert vouches(key, read, address, None)
    assert not vouches(key + b"x", read, address, None)


@given(st.binary(min_size=1), st.text(), st.dates())
def test_a_tag_of_a_page_counts_for_that_page_of_its_epoch_only(
    key: bytes, address: str, day: date
) -> None:
    page = "INC-000042.1.1.n2.0.1"
    tag = page_tag_of(key, page, address, day, "")

    assert vouches_for_page(key, tag, page, address, "")
    assert not vouches_for_page(key, tag, f"{page}.given-1", address, "")
    assert not vouches_for_page(key, tag, page, address, "2-5f3a09c1")
    assert not vouches(key, tag, address, None)
