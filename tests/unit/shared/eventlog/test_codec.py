"""What stands in the log, and what is refused before it could."""

from datetime import UTC, datetime
from typing import Annotated, get_args, get_type_hints

import orjson
import pytest

from shared.domain.events import EVENT_TYPES
from shared.domain.events.event import Event, Personal, Text
from shared.domain.events.incident import IncidentAcknowledged, IncidentInformed
from shared.eventlog import codec
from shared.eventlog.codec import UnknownEvent, decode, encode, personal_fields
from shared.vault.vault import Vault, VaultError
from tests.support.key_ring import MASTER, KeyRing

AT = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
STREAM = "incident-INC-000042"


def informed(**changed: object) -> IncidentInformed:
    given = {"at": AT, "by": "person:nadia", "whose": "person:ada", **changed}
    return IncidentInformed.model_validate(
        {"incident": "INC-000042", "policy": 3, "message": "Bob calls at 10", **given}
    )


def test_an_event_without_personal_words_is_plain_json_for_ever() -> None:
    event = IncidentAcknowledged(
        at=AT, by="person:nadia", incident="INC-000042", policy=3
    )

    state = encode(Vault(KeyRing(), None), STREAM, 2, event)

    assert state == (
        b'{"at":"2026-03-01T09:30:00Z","by":"person:nadia",'
        b'"type":"incident.acknowledged","incident":"INC-000042","policy":3}'
    )


def test_personal_words_of_nobody_are_refused_before_anything_is_stored() -> None:
    keys = KeyRing()

    with pytest.raises(ValueError, match=r"informed\.message is personal: say whose"):
        encode(Vault(keys, MASTER), STREAM, 2, informed(whose=None))

    assert keys.keys == {}


def test_a_service_without_the_master_key_reads_all_but_the_personal_words() -> None:
    keys = KeyRing()
    state = encode(Vault(keys, MASTER), STREAM, 2, informed())
    keys.asked = 0

    read = decode(Vault(keys, None), STREAM, 2, "incident.informed", state)

    assert read == informed(message="[forgotten]")
    assert keys.asked == 0


def test_words_moved_to_another_version_do_not_open() -> None:
    vault = Vault(KeyRing(), MASTER)
    state = encode(vault, STREAM, 2, informed())

    with pytest.raises(VaultError, match=r"INC-000042\|3\|message were changed"):
        decode(vault, STREAM, 3, "incident.informed", state)


def test_words_that_should_be_sealed_and_are_not_are_an_error() -> None:
    state = orjson.dumps(informed().model_dump(mode="json"))

    with pytest.raises(VaultError, match="personal, but not sealed"):
        decode(Vault(KeyRing(), MASTER), STREAM, 2, "incident.informed", state)


def test_a_type_of_a_later_version_says_so() -> None:
    with pytest.raises(UnknownEvent, match=r"incident\.levitated at version 2"):
        decode(Vault(KeyRing(), None), STREAM, 2, "incident.levitated", b"{}")


def test_a_shape_of_a_later_version_says_so() -> None:
    state = encode(Vault(KeyRing(), MASTER), STREAM, 2, informed())
    newer = orjson.dumps(orjson.loads(state) | {"v": 2})

    with pytest.raises(UnknownEvent, match="in shape 2 at version 2"):
        decode(Vault(KeyRing(), MASTER), STREAM, 2, "incident.informed", newer)


@pytest.mark.parametrize(
    "damaged",
    [
        b'{"at":"\\ud800"}',
        b'{"at":' + 2000 * b"[" + 2000 * b"]" + b"}",
        b'{"at":1e999}',
        b"null",
        b"[]",
        b'{"v":"2"}',
        b'{"v":[2]}',
    ],
    ids=[
        "half a character",
        "too deep",
        "infinite",
        "nothing",
        "a list",
        "a shape in words",
        "a list of shapes",
    ],
)
def test_what_is_json_to_the_database_and_not_to_us_is_unknown(damaged: bytes) -> None:
    with pytest.raises(UnknownEvent, match="at version 2"):
        decode(Vault(KeyRing(), None), STREAM, 2, "incident.informed", damaged)


def test_an_event_that_lacks_what_its_type_demands_is_unknown() -> None:
    with pytest.raises(UnknownEvent, match=r"missing at, by.* at version 2"):
        decode(Vault(KeyRing(), None), STREAM, 2, "incident.informed", b"{}")


def test_a_field_of_a_later_version_is_passed_over() -> None:
    vault = Vault(KeyRing(), MASTER)
    state = encode(vault, STREAM, 2, informed())
    newer = orjson.dumps(orjson.loads(state) | {"mood": "sunny"})

    assert decode(vault, STREAM, 2, "incident.informed", newer) == informed()


def test_what_is_written_carries_the_number_of_todays_shape(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(codec, "newest", lambda _: 3)

    state = encode(Vault(KeyRing(), MASTER), STREAM, 2, informed())

    assert orjson.loads(state)["v"] == 3


def test_personal_fields_are_found_inside_optional_ones() -> None:
    class Sample(Event):
        words: Text
        maybe: Text | None = None
        labels: Annotated[dict[str, str], Personal()] | None = None
        plain: str = ""

    assert personal_fields(Sample) == {
        "words": "[forgotten]",
        "maybe": "[forgotten]",
        "labels": {},
    }


def test_personal_fields_are_texts_or_maps_and_nothing_deeper() -> None:
    for kind in EVENT_TYPES.values():
        hints = get_type_hints(kind, include_extras=True)
        for field in personal_fields(kind):
            hint = hints[field]
            choices = [hint, *(c for c in get_args(hint) if c is not type(None))]
            shapes = {get_args(choice)[0] for choice in choices if get_args(choice)}
            assert shapes & {str, dict[str, str]}, f"{kind.__name__}.{field}"
