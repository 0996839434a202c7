"""A link answers for one person about one question, and only as we signed it."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from shared.security.signed_links import AnswerLink, read_token, token_of

KEY = bytes(32)
LINK = AnswerLink("INC-000020-E1", "roche", datetime(2025, 7, 3, 10, tzinfo=UTC))


def test_what_we_signed_is_read_as_it_was() -> None:
    assert read_token([KEY], token_of(KEY, LINK)) == LINK


def test_while_keys_are_rotated_any_of_them_will_do() -> None:
    assert read_token([bytes(range(32)), KEY], token_of(KEY, LINK)) == LINK


def test_under_another_key_it_is_none_of_ours() -> None:
    assert read_token([bytes(range(32))], token_of(KEY, LINK)) is None


@given(st.integers(0, 200), st.characters(codec="ascii"))
def test_a_single_character_changed_makes_it_void(place: int, other: str) -> None:
    token = token_of(KEY, LINK)
    place %= len(token)
    changed = token[:place] + other + token[place + 1 :]

    # The last character holds bits that no byte needs.
    assert (
        changed == token
        or read_token([KEY], changed) is None
        or place == len(token) - 1
    )


@given(st.text(max_size=600))
def test_whatever_is_sent_is_no_mistake_of_ours(token: str) -> None:
    assert read_token([KEY], token) is None
