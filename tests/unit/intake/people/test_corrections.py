"""Given an entry of the directory, when it is corrected, then it is so (or a no)."""

from collections.abc import Mapping
from typing import Any

import pytest

from services.intake.callers.rules import Directory, corrected
from services.intake.directory.givers import Giver
from shared.directory import DirectoryEntry
from shared.domain.commands.person import CorrectPerson
from shared.domain.events.event import FORGOTTEN
from shared.domain.limits import Limits
from shared.domain.refusal import Refused
from shared.messaging.commands import Scope
from tests.unit.intake.commands.scenario import NINE, POLICY

CLIENT = next(each.client for each in POLICY.contracts.values() if each.client)
OWN = (Limits(clients=frozenset([CLIENT])),)
AGENT = Giver("person:odette", NINE, ("agent",), {}, POLICY)
ADMIN = Giver("person:root", NINE, ("admin",), {}, POLICY)


def limited(scope: Scope) -> Giver:
    return Giver("person:odette", NINE, (scope,), {scope: OWN}, POLICY)


def entry(id_: str = "call-1", **fields: Any) -> DirectoryEntry:
    usual = dict.fromkeys(("email", "phone", "language", "zone"))
    named = {"name": "Zoé", "client": CLIENT, "confirmed": False}
    return DirectoryEntry(id=id_, **{**usual, **named, **fields})


NOBODY = Directory((), ())
TAKEN = Directory((entry("eve", email="Z@new.example", client=CLIENT),), ())
HIDDEN = Directory((entry("eve", email="z@new.example", client="theirs"),), ())


def correct(
    who: Giver,
    before: DirectoryEntry | None,
    said: Mapping[str, Any],
    directory: Directory = NOBODY,
    *,
    has_rights: bool = False,
) -> DirectoryEntry:
    command = CorrectPerson.model_validate({"person": "call-1", **said})
    return corrected(command, before, directory, who, has_rights=has_rights)


def test_what_is_absent_stays_and_null_clears() -> None:
    before = entry(phone="0475200009", language="fr")

    assert correct(AGENT, before, {}) == entry(
        phone="0475200009", language="fr", confirmed=True
    )
    after = correct(AGENT, before, {"name": "Zoë", "phone": None, "zone": None})
    assert (after.name, after.phone, after.language) == ("Zoë", None, "fr")


@pytest.mark.parametrize(
    ("who", "before", "said", "code"),
    [
        (AGENT, None, {}, "unknown_person"),
        (limited("agent"), entry(client="theirs"), {}, "unknown_person"),
        (limited("agent"), entry(client=None), {}, "unknown_person"),
        (limited("agent"), entry(), {"client": None}, "role"),
        (ADMIN, entry(name=FORGOTTEN), {"name": "Zoé"}, "state"),
        (AGENT, entry(confirmed=True), {"name": "Eve"}, "role"),
        (limited("admin"), entry(confirmed=True), {"name": "Eve"}, "role"),
        (AGENT, entry(), {"client": "nobodys"}, "invalid"),
    ],
)
def test_a_correction_is_refused(
    who: Giver, before: DirectoryEntry | None, said: Mapping[str, Any], code: str
) -> None:
    with pytest.raises(Refused) as no:
        correct(who, before, said)
    assert no.value.code == code


def test_nobody_is_told_whom_they_cannot_look_up() -> None:
    address = {"email": "z@new.example"}

    with pytest.raises(Refused, match="of eve"):
        correct(limited("agent"), entry(), address, TAKEN)
    after = correct(limited("agent"), entry(), address, HIDDEN)

    assert after.email == "z@new.example"
    assert not after.confirmed  # else the other one could not sign in by the address


def test_nobody_is_confirmed_with_the_address_of_somebody_confirmed() -> None:
    chef = entry("chef", email="Z@new.example", client=None, confirmed=True)
    before = entry(email="z@new.example", phone="0475200009")
    shared = Directory((before, chef), ())

    for who in (AGENT, ADMIN):  # else chef's mail would be theirs, and chef kept out
        with pytest.raises(Refused, match="of chef") as no:
            correct(who, before, {"phone": None}, shared)
        assert no.value.code == "address_taken"
    assert correct(AGENT, before, {"email": None}, NOBODY).confirmed

    unsure = Directory((before, entry("mail-1", email="z@new.example")), ())
    assert correct(AGENT, before, {"phone": None}, unsure).confirmed


def test_a_repeat_of_a_correction_is_no_other_one() -> None:
    done = correct(AGENT, entry(), {"name": "Zoë"})

    assert correct(AGENT, done, {"name": "Zoë"}) == done


def test_only_an_administrator_changes_where_links_to_sign_in_are_mailed() -> None:
    address = {"email": "z@new.example"}

    with pytest.raises(Refused):
        correct(AGENT, entry(), address, has_rights=True)
    assert correct(ADMIN, entry(), address, has_rights=True).confirmed
