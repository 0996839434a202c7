"""Every event survives being stored, and shows no stranger a personal word."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.events import EVENT_TYPES
from shared.domain.events.event import FORGOTTEN, Event
from shared.eventlog.codec import decode, encode, personal_fields
from shared.vault.vault import Vault
from tests.support.examples import examples
from tests.support.key_ring import MASTER, KeyRing
from tests.support.strategies.events import MARK, any_document

STREAM = "incident-INC-000042"

every_type = pytest.mark.parametrize(("type_", "kind"), EVENT_TYPES.items())
few = examples(15)


@every_type
@few
@given(data=st.data())
def test_what_is_stored_reads_back_the_same(
    type_: str, kind: type[Event], data: st.DataObject
) -> None:
    event = kind.model_validate(data.draw(any_document(kind)))
    vault = Vault(KeyRing(), MASTER)

    state = encode(vault, STREAM, 7, event)

    assert decode(vault, STREAM, 7, type_, state) == event


@every_type
@few
@given(data=st.data())
def test_no_personal_word_is_stored_in_clear(
    type_: str, kind: type[Event], data: st.DataObject
) -> None:
    event = kind.model_validate(data.draw(any_document(kind)))

    state = encode(Vault(KeyRing(), MASTER), STREAM, 7, event)

    assert type_.encode() in state
    assert MARK.encode() not in state


@every_type
@few
@given(data=st.data())
def test_a_forgotten_persons_words_are_gone_and_the_rest_stays(
    type_: str, kind: type[Event], data: st.DataObject
) -> None:
    event = kind.model_validate(data.draw(any_document(kind)))
    keys = KeyRing()
    state = encode(Vault(keys, MASTER), STREAM, 7, event)
    keys.destroy("person:ada")

    read = decode(Vault(keys, MASTER), STREAM, 7, type_, state)

    blanks = {
        field: FORGOTTEN if isinstance(value, str) else {}
        for field in personal_fields(kind)
        if (value := getattr(event, field)) is not None
    }
    assert read == event.model_copy(update=blanks)
