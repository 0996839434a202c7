"""A person takes an incident on record."""

from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from shared.domain.commands.incident import Open
from shared.domain.events.incident import (
    IncidentAcknowledged,
    IncidentAssigned,
    IncidentContacted,
    IncidentOpened,
)
from tests.unit.intake.commands.scenario import (
    INC,
    LATER,
    NINE,
    ODETTE,
    When,
    given,
    opened,
)

BY_PHONE = {"reporter": "lefevre", "channel": "phone", "description": "Rien ne va !"}


def opening(**said: Any) -> When:
    return given().when(Open(title="Écran noir", **said))


def the_opening(**said: Any) -> IncidentOpened:
    first = opening(**said).events()[0]
    assert isinstance(first, IncidentOpened)
    return first


def test_an_agent_who_opens_one_on_the_phone_has_taken_it_on() -> None:
    first, contact, acknowledged, assigned = opening(**BY_PHONE).events()

    assert isinstance(first, IncidentOpened)
    assert (first.origin, first.reporter, first.team) == ("user", "lefevre", "accueil")
    assert first.channel == "phone"
    assert isinstance(contact, IncidentContacted)
    assert isinstance(acknowledged, IncidentAcknowledged)
    assert acknowledged.by == ODETTE
    assert isinstance(assigned, IncidentAssigned)
    assert assigned.assignee == "odette"


def test_who_copies_an_e_mail_has_not_taken_it_on() -> None:
    opening(reporter="lefevre", channel="email").then_types("opened", "contacted")


def test_a_user_who_opens_one_has_not_taken_it_on() -> None:
    wish = Open(title="Écran noir", reporter="lefevre", channel="chat")

    given().when(wish, by="person:lefevre").then_types("opened", "contacted")


def test_an_agent_who_opens_one_alone_has_taken_it_on() -> None:
    opening().then_types("opened", "acknowledged", "assigned")
    assert the_opening().origin == "agent"


def test_the_reporters_words_are_kept_verbatim_under_their_key() -> None:
    first, contact, *_ = opening(**BY_PHONE).events()

    assert isinstance(contact, IncidentContacted)
    assert contact.words == "Rien ne va !"
    assert isinstance(first, IncidentOpened)
    assert first.details is None
    assert first.whose == contact.whose == "person:lefevre"


def test_without_a_reporter_the_words_are_the_agents() -> None:
    first = the_opening(description="seen in passing")

    assert (first.details, first.whose) == ("seen in passing", ODETTE)


def test_priority_comes_from_the_matrix() -> None:
    first = the_opening(service="horaires", urgency="high")

    assert (first.impact, first.priority, first.override) == ("medium", "p2", False)


def test_a_service_left_out_is_unknown() -> None:
    assert the_opening().service == "unknown"


def test_a_service_not_in_the_policy_is_refused() -> None:
    opening(service="fax").then_refused("choose one of billetterie", "invalid")


def test_a_category_not_in_the_policy_is_refused() -> None:
    opening(category="fax").then_refused("choose one of billet", "invalid")


def test_a_priority_by_hand_needs_the_role() -> None:
    opening(priority="p1", reason="VIP").then_refused("role chef-accueil", "role")


def test_a_priority_by_hand_needs_a_reason() -> None:
    wish = Open(title="x", priority="p1")

    given().when(wish, roles=("direction",)).then_refused("say in `reason`", "invalid")


def test_a_priority_by_hand_is_kept_as_such_with_its_reason() -> None:
    wish = Open(title="x", priority="p1", reason="the mayor is here")

    first, *_ = given().when(wish, roles=("direction",)).events()

    assert isinstance(first, IncidentOpened)
    assert (first.priority, first.override) == ("p1", True)
    assert first.override_reason == "the mayor is here"


def test_what_the_matrix_gives_is_no_override() -> None:
    assert the_opening(priority="p4", reason="sure").override_reason is None


def test_reported_earlier_needs_a_reason() -> None:
    opening(reported_at=NINE).then_refused("`backdated_because`", "invalid")


def test_reported_earlier_starts_the_clocks_earlier() -> None:
    said = {"reported_at": NINE, "backdated_because": "network down", **BY_PHONE}

    first, contact, *_ = opening(**said).events()

    assert isinstance(first, IncidentOpened)
    assert isinstance(contact, IncidentContacted)
    assert (first.reported_at, first.at) == (NINE, LATER)
    assert contact.contacted_at == NINE


def test_nothing_is_reported_in_the_future() -> None:
    ahead = LATER + timedelta(seconds=1)

    opening(reported_at=ahead).then_refused("lies ahead", "invalid")


def test_opening_one_that_is_there_changes_nothing() -> None:
    given(opened()).when(Open(title="again")).then()


def test_the_reference_comes_with_the_command() -> None:
    assert the_opening().incident == INC


@pytest.mark.parametrize(
    ("said", "because"),
    [
        ({"title": "   "}, "at least 1 character"),
        ({"title": "x" * 1025}, "at most 1024"),
        ({"title": "a\nb"}, r"character 2 is the control character U\+000A"),
        ({"title": "x", "description": "a\x00"}, r"U\+0000: remove it"),
        ({"title": "x", "description": "x" * 10_001}, "at most 10000"),
        ({"title": "x", "description": "😀" * 9_000}, "more than 30000 bytes"),
        ({"title": "x", "reporter": "lefevre"}, "`reporter` and `channel` together"),
        ({"title": "x", "channel": "phone"}, "`reporter` and `channel` together"),
        ({"title": "x", "reported_at": "1999-12-31T23:00:00Z"}, "not credible"),
        ({"title": "x", "reported_at": "9999-12-31T23:59:59-02:00"}, "not credible"),
        ({"title": "x", "reported_at": "2025-06-30T07:00:00"}, "timezone"),
        ({"title": "x", "at": "2025-06-30T07:00:00Z"}, "Extra inputs"),
        ({"title": "x", "service": "a b"}, "pattern"),
    ],
)
def test_a_body_that_does_not_fit_says_why(said: dict[str, Any], because: str) -> None:
    with pytest.raises(ValidationError, match=because):
        Open.model_validate(said)


def test_the_client_is_the_one_the_directory_gives_the_reporter() -> None:
    wish = Open(title="x", reporter="lefevre", channel="phone")
    own = wish.model_copy(update={"client": "other"})

    first, named = (
        given().when(each, client="theatre").events()[0] for each in (wish, own)
    )

    assert isinstance(first, IncidentOpened)
    assert isinstance(named, IncidentOpened)
    assert (first.client, named.client) == ("theatre", "other")


def test_how_long_they_waited_is_kept_with_the_contact() -> None:
    _, contact, *_ = opening(**BY_PHONE, waited_seconds=18).events()

    assert isinstance(contact, IncidentContacted)
    assert (contact.waited_seconds, contact.abandoned) == (18, False)


def test_a_call_nobody_answered_is_taken_on_by_nobody() -> None:
    wish = opening(**BY_PHONE, abandoned=True, waited_seconds=90)

    wish.then_types("opened", "contacted")
    assert isinstance(wish.events()[1], IncidentContacted)
    assert wish.events()[1].model_dump()["abandoned"]


def test_nobody_waits_without_a_reporter() -> None:
    with pytest.raises(ValidationError, match="say in `reporter`"):
        Open(title="x", waited_seconds=18)
