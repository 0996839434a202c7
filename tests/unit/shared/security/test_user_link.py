"""A user's link opens one incident for one person, and sends what its page sends."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.commands.incident import Attach, Close, Relapse, Reopen, Resolve
from shared.domain.commands.sla import AcceptExtension, RefuseExtension
from shared.http.problem_details import HttpError
from shared.messaging.commands import CommandMessage
from shared.security.signed_links import (
    AnswerLink,
    UserLink,
    read_token,
    read_user_token,
    token_of,
)
from shared.security.user_links import allows, read_link

KEY = bytes(32)
AT = datetime(2025, 7, 3, 10, tzinfo=UTC)
LINK = UserLink("INC-000020", "roche", AT)
TOKEN = token_of(KEY, LINK)
OWN = Attach(person="roche", channel="web", words="Toujours faux")


def test_what_we_signed_is_read_as_it_was() -> None:
    assert read_user_token([bytes(range(32)), KEY], TOKEN) == LINK
    assert read_user_token([bytes(range(32))], TOKEN) is None


def test_no_kind_of_link_is_read_as_the_other() -> None:
    answer = token_of(KEY, AnswerLink("INC-000020-E1", "roche", AT))

    assert read_user_token([KEY], answer) is None
    assert read_token([KEY], TOKEN) is None


@given(st.text(max_size=600))
def test_whatever_is_sent_is_no_mistake_of_ours(token: str) -> None:
    assert read_user_token([KEY], token) is None


def test_it_expires_at_its_instant() -> None:
    assert read_link([KEY], TOKEN, AT - timedelta(seconds=1)) == LINK
    with pytest.raises(HttpError) as late:
        read_link([KEY], TOKEN, AT)
    assert late.value.details.code == "expired_link"


def about(
    body: object, incident: str = "INC-000020", record: str | None = None
) -> CommandMessage[Any]:
    return CommandMessage[Any](incident=incident, record=record, body=body)


@pytest.mark.parametrize(
    "message",
    [
        about(OWN),
        about(Close()),
        about(Reopen(cause="user")),
        about(Relapse()),
        about(AcceptExtension(channel="web"), record="INC-000020-E1"),
        about(RefuseExtension(channel="web"), record="INC-000020-E1"),
    ],
    ids=["words", "solved", "not solved", "down again", "agree", "do not agree"],
)
def test_it_allows_what_the_page_sends(message: CommandMessage[Any]) -> None:
    assert allows(LINK, "INC-000020", message)
    assert not allows(LINK, "INC-000021", message)
    assert not allows(LINK._replace(person="costa"), "INC-000020", about(OWN))


@pytest.mark.parametrize(
    "message",
    [
        about(OWN.model_copy(update={"words": None})),
        about(OWN.model_copy(update={"channel": "phone"})),
        about(OWN.model_copy(update={"direction": "outbound"})),
        about(OWN.model_copy(update={"contacted_at": AT})),
        about(OWN.model_copy(update={"waited_seconds": 9})),
        about(Close(note="by a thief")),
        about(Reopen(cause="agent")),
        about(Relapse(reason="under another's key")),
        about(Reopen(cause="user", reason="under another's key")),
        about(AcceptExtension(channel="web"), record="INC-000021-E1"),
        about(AcceptExtension(channel="web")),
        about(
            AcceptExtension(channel="web", accepted_by="costa"), record="INC-000020-E1"
        ),
        about(Resolve()),
    ],
)
def test_it_allows_nothing_else(message: CommandMessage[Any]) -> None:
    assert not allows(LINK, "INC-000020", message)
