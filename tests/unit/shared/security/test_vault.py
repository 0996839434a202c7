"""The vault: who may read a word, for how long, and what becomes of forgotten ones."""

from pathlib import Path

import pytest

from shared.vault.master_keys import MasterKeys, text_of
from shared.vault.vault import (
    REMEMBERED_SECONDS,
    WITNESS,
    Vault,
    VaultError,
    key_ids,
    read_master_keys,
)
from tests.support.key_ring import MASTER, KeyRing

OTHER = MasterKeys((bytes(32),))
PLACE = "incident-INC-000042|1|title"


class Watch:
    """Elapsed seconds, moved by the test."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def test_sealed_words_open_where_they_were_sealed() -> None:
    keys = KeyRing()
    sealed = Vault(keys, MASTER).seal("person:ada", b"the printer burns", PLACE)

    assert b"printer" not in sealed.encode()
    assert Vault(keys, MASTER).open(sealed, PLACE) == b"the printer burns"


def test_the_same_words_never_look_the_same() -> None:
    vault = Vault(KeyRing(), MASTER)

    assert vault.seal("person:ada", b"yes", PLACE) != vault.seal(
        "person:ada", b"yes", PLACE
    )


@pytest.mark.parametrize(
    "place",
    [
        "incident-INC-000043|1|title",
        "incident-INC-000042|2|title",
        "incident-INC-000042|1|details",
    ],
)
def test_words_moved_elsewhere_do_not_open(place: str) -> None:
    vault = Vault(KeyRing(), MASTER)
    sealed = vault.seal("person:ada", b"yes", PLACE)

    with pytest.raises(VaultError, match="were changed"):
        vault.open(sealed, place)


def test_words_put_under_another_persons_key_do_not_open() -> None:
    vault = Vault(KeyRing(), MASTER)
    ada = vault.seal("person:ada", b"yes", PLACE)
    bob = vault.seal("person:bob", b"no", PLACE)

    with pytest.raises(VaultError, match="were changed"):
        vault.open(".".join([*bob.split(".")[:2], ada.split(".")[2]]), PLACE)


@pytest.mark.parametrize(
    "sealed",
    ["", "v1", "v1.x.y", "v2.0123456789abcdef.AAAA", "v1.0123456789abcdef.", "a.b.c.d"],
)
def test_what_was_never_sealed_is_an_error_and_no_traceback(sealed: str) -> None:
    with pytest.raises(VaultError, match="not sealed in a way we know"):
        Vault(KeyRing(), MASTER).open(sealed, PLACE)


@pytest.mark.parametrize("hidden", ["A", "AAAA", "AAAA=", "A" * 64])
def test_damaged_words_are_an_error_and_no_traceback(hidden: str) -> None:
    vault = Vault(KeyRing(), MASTER)
    key_id = vault.seal("person:ada", b"yes", PLACE).split(".")[1]

    with pytest.raises(VaultError, match="were changed"):
        vault.open(f"v1.{key_id}.{hidden}", PLACE)


def test_once_the_key_is_destroyed_the_words_are_forgotten() -> None:
    keys = KeyRing()
    sealed = Vault(keys, MASTER).seal("person:ada", b"yes", PLACE)

    keys.destroy("person:ada")

    assert Vault(keys, MASTER).open(sealed, PLACE) is None


def test_who_comes_back_after_being_forgotten_gets_a_new_key() -> None:
    keys = KeyRing()
    before = Vault(keys, MASTER).seal("person:ada", b"yes", PLACE)
    keys.destroy("person:ada")

    vault = Vault(keys, MASTER)
    after = vault.seal("person:ada", b"again", PLACE)

    assert vault.open(before, PLACE) is None
    assert vault.open(after, PLACE) == b"again"


def test_a_running_process_forgets_within_a_minute() -> None:
    keys, watch = KeyRing(), Watch()
    vault = Vault(keys, MASTER, watch)
    sealed = vault.seal("person:ada", b"yes", PLACE)
    keys.destroy("person:ada")

    watch.seconds = REMEMBERED_SECONDS - 0.1
    assert vault.open(sealed, PLACE) == b"yes"
    watch.seconds = REMEMBERED_SECONDS + 0.1
    assert vault.open(sealed, PLACE) is None


def test_a_running_process_stops_sealing_for_the_forgotten_within_a_minute() -> None:
    keys, watch = KeyRing(), Watch()
    vault = Vault(keys, MASTER, watch)
    old = vault.seal("person:ada", b"yes", PLACE)
    keys.destroy("person:ada")
    watch.seconds = REMEMBERED_SECONDS + 0.1

    assert key_ids([_stored(vault.seal("person:ada", b"yes", PLACE))]).isdisjoint(
        key_ids([_stored(old)])
    )


def test_a_key_at_hand_is_not_asked_for_again() -> None:
    keys, watch = KeyRing(), Watch()
    vault = Vault(keys, MASTER, watch)
    vault.prepare("person:ada")
    keys.asked = 0

    vault.seal("person:ada", b"yes", PLACE)

    assert keys.asked == 0


def test_a_prepared_key_stays_at_hand_for_some_seconds() -> None:
    keys, watch = KeyRing(), Watch()
    vault = Vault(keys, MASTER, watch)
    vault.prepare("person:ada")
    watch.seconds = REMEMBERED_SECONDS - 1
    vault.prepare("person:ada")
    keys.asked = 0
    watch.seconds += 5

    vault.seal("person:ada", b"yes", PLACE)

    assert keys.asked == 0


def test_a_full_cache_forgets_the_key_that_was_loaded_longest_ago() -> None:
    keys = KeyRing()
    vault = Vault(keys, MASTER, held_max=3)
    for name in "abcd":  # beside the witness, which a new key takes
        vault.seal(name, b"yes", PLACE)
    keys.asked = 0

    for name in "dc":
        vault.seal(name, b"yes", PLACE)
    assert keys.asked == 0
    vault.seal("a", b"yes", PLACE)
    assert keys.asked == 1


def test_the_keys_of_many_events_are_asked_for_at_once() -> None:
    keys = KeyRing()
    writer = Vault(keys, MASTER)
    sealed = [writer.seal(f"person:p{n}", b"yes", PLACE) for n in range(20)]
    keys.asked = 0
    reader = Vault(keys, MASTER)

    reader.learn(key_ids(_stored(one) for one in sealed))

    assert [reader.open(one, PLACE) for one in sealed] == [b"yes"] * 20
    assert keys.asked == 1


def test_a_lost_key_is_not_taken_for_a_destroyed_one() -> None:
    keys = KeyRing()
    sealed = Vault(keys, MASTER).seal("person:ada", b"yes", PLACE)
    keys.keys.clear()

    with pytest.raises(VaultError, match=r"is not in the vault: put .* back"):
        Vault(keys, MASTER).open(sealed, PLACE)


def test_the_wrong_master_key_opens_nothing_and_says_so() -> None:
    keys = KeyRing()
    sealed = Vault(keys, MASTER).seal("person:ada", b"yes", PLACE)

    with pytest.raises(VaultError, match="PERMANENCE_VAULT_KEY_FILE"):
        Vault(keys, OTHER).open(sealed, PLACE)


def test_the_wrong_master_key_makes_no_keys_beside_those_of_the_right_one() -> None:
    keys = KeyRing()
    Vault(keys, MASTER).seal("person:ada", b"yes", PLACE)

    with pytest.raises(VaultError, match="PERMANENCE_VAULT_KEY_FILE"):
        Vault(keys, OTHER).seal("person:bob", b"no", PLACE)

    assert {key.owner for key in keys.keys.values()} == {WITNESS, "person:ada"}


def test_without_a_master_key_nothing_is_read_and_nothing_sealed() -> None:
    keys = KeyRing()
    sealed = Vault(keys, MASTER).seal("person:ada", b"yes", PLACE)
    stranger = Vault(keys, None)
    stranger.learn(key_ids([_stored(sealed)]))

    assert stranger.open(sealed, PLACE) is None
    with pytest.raises(VaultError, match="may not seal"):
        stranger.seal("person:ada", b"no", PLACE)


def test_a_key_file_holds_32_bytes_in_base64(tmp_path: Path) -> None:
    file = tmp_path / "vault.key"
    file.write_text(text_of(MASTER.keys))

    assert read_master_keys(file).keys == MASTER.keys


@pytest.mark.parametrize("text", ["", "AAAA", "not base64 at all!", "ÄÖÜ"])
def test_a_bad_key_file_is_named(tmp_path: Path, text: str) -> None:
    file = tmp_path / "vault.key"
    file.write_text(text)

    with pytest.raises(VaultError, match=r"vault\.key"):
        read_master_keys(file)


def test_a_missing_key_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(VaultError, match=r"nowhere\.key"):
        read_master_keys(tmp_path / "nowhere.key")


def _stored(sealed: str) -> bytes:
    return b'{"title":{"sealed":"' + sealed.encode() + b'"}}'
