"""Bearer tokens: found by their id, proven by their whole."""

import re
from datetime import UTC, datetime
from typing import cast

from hypothesis import given
from hypothesis import strategies as st

from shared.eventlog.log import EventLog
from shared.security.access import Access, new_token


def test_a_token_says_whose_it_is_but_not_its_secret() -> None:
    made = new_token()

    assert re.fullmatch(r"pmn_[0-9a-f]{12}_[A-Za-z0-9_-]{43}", made.token)
    assert made.token.split("_")[1] == made.token_id
    assert made.token.encode() not in made.hash


def test_no_two_tokens_are_alike() -> None:
    assert len({new_token().token for _ in range(100)}) == 100


@given(
    st.text()
    | st.text("pmn_0a", max_size=20)
    | st.sampled_from(
        [
            "pmn_0123456789ab_" + "x" * 44,
            "PMN_0123456789ab_" + "x" * 43,
            "pmn_0123456789ab_" + "x" * 42 + "\0",
            "pmn_0123456789ab_" + "x" * 43 + "\n",
        ]
    )
)
def test_what_is_not_written_like_a_token_never_reaches_the_database(text: str) -> None:
    no_database = cast("EventLog", object())
    access = Access(no_database, lambda: datetime(2026, 3, 1, tzinfo=UTC))

    assert access.verify(text) is None
    assert access.remembered(text) is None
