"""Outside providers get titles that monitoring wrote, and nothing that people wrote."""

from dataclasses import replace
from datetime import timedelta

import pytest

from services.escalation.notifications.channels.channel import ChannelTraits
from services.escalation.notifications.channels.parcel import ToContact
from services.escalation.notifications.channels.retry import Failed
from services.escalation.notifications.contacts import (
    USERS_BY_MAIL,
    ContactAddress,
    Contacts,
    Links,
)
from services.escalation.notifications.outbox import Waiting
from services.escalation.notifications.recall import Recalled
from shared.domain.events import IncidentEvent
from shared.domain.events.event import FORGOTTEN
from shared.domain.events.incident import IncidentEdited, IncidentReminded
from shared.domain.identifiers import incident_stream
from shared.domain.incident import replay
from shared.domain.policy.teams import ChannelRule
from tests.support.builders.promises import VALMONT
from tests.support.strategies.histories import START, opened

REF = "INC-000042"
HEAD = {"at": START, "by": "person:nadia", "incident": REF, "policy": 1}
WAITING = Waiting(
    key="k-1",
    position=9,
    incident=REF,
    policy=1,
    kind="reminder",
    channel="ntfy",
    person="nadia",
    cause_stream=incident_stream(REF),
    cause_version=2,
    requested_at=START,
    sent=False,
    attempts=0,
)
ADDRESS = ContactAddress("nadia-Qx7", "m-1")


def recalled(
    origin: str, title: str = "CPU high", edited: str = "", *, internal: bool = False
) -> Recalled:
    history: list[IncidentEvent] = [
        opened(REF, service="paie", origin=origin, title=title)
    ]
    if edited:
        history.append(IncidentEdited.model_validate(HEAD | {"title": edited}))
    incident = replay(history)
    assert incident is not None
    due_at = START + timedelta(hours=1)
    cause = IncidentReminded.model_validate(
        HEAD | {"person": "nadia", "due_at": due_at}
    )
    rules = {"ntfy": ChannelRule(internal=internal)} if internal else {}
    policy = VALMONT.model_copy(update={"channels": rules})
    return Recalled(cause, incident, tuple(history), (), policy)


def parcel_of(of: Recalled, waiting: Waiting = WAITING) -> ToContact | Failed:
    return Contacts().parcel("k-1", waiting, of, ADDRESS, None, Links())


@pytest.mark.parametrize(
    ("of", "summary"),
    [
        (recalled("monitoring"), "Paie: CPU high"),
        (recalled("monitoring", edited="Mrs Costa called"), "Paie"),
        (recalled("monitoring", title=FORGOTTEN), "Paie"),
        (recalled("user", "My pay is wrong"), "Paie"),
        (recalled("agent", "Mr Roche's pay"), "Paie"),
        (recalled("user", "My pay is wrong", internal=True), "Paie: My pay is wrong"),
    ],
)
def test_a_title_of_people_leaves_only_by_an_internal_channel(
    of: Recalled, summary: str
) -> None:
    parcel = parcel_of(of)

    assert isinstance(parcel, ToContact)
    assert parcel.message.summary.endswith(f": {summary}")
    assert (parcel.to, parcel.method, parcel.incident) == (*ADDRESS[:2], REF)


def test_an_address_that_nobody_has_proved_gets_the_minimum() -> None:
    of = recalled("user", "My pay is wrong", internal=True)
    unproved = ADDRESS._replace(is_verified=False)
    parcel = Contacts().parcel("k-1", WAITING, of, unproved, None, Links())

    assert isinstance(parcel, ToContact)
    assert "My pay" not in parcel.message.summary


def test_a_line_that_is_longer_than_its_channel_takes_is_cut() -> None:
    contacts = Contacts(traits=lambda _: ChannelTraits(length_max=40))
    of = recalled("monitoring", title="CPU " * 40)
    parcel = contacts.parcel("k-1", WAITING, of, ADDRESS, None, Links())

    assert isinstance(parcel, ToContact)
    assert len(parcel.message.summary) == 40
    assert parcel.message.summary.endswith("…")


def test_only_a_page_is_urgent() -> None:
    parcel = parcel_of(recalled("monitoring"))

    assert isinstance(parcel, ToContact)
    assert not parcel.message.urgent
    assert parcel.message.accept_url == ""


def test_users_are_not_written_to_by_the_channels_of_staff() -> None:
    receipt = replace(WAITING, kind="receipt")

    assert parcel_of(recalled("user"), receipt) == USERS_BY_MAIL
