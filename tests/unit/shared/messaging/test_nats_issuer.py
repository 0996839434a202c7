"""The key of the auth callout is written as NATS writes it."""

import pytest

from shared.security.nats_issuer import Issuer, new_seed, seed_of

# Made with nkeys 0.2.1 from 32 zero bytes.
SEED = "SAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAHT5A"
PUBLIC = "AA5WUJ54Z23KILLCUOUNAKTPBVZWKMQVO4O6EQ5GHLAERIMLLHNCS47C"


def test_a_seed_is_written_as_the_nkeys_of_nats() -> None:
    assert seed_of(bytes(32)) == SEED
    assert Issuer.of(SEED).public == PUBLIC


def test_each_new_key_is_another_one() -> None:
    assert Issuer.of(new_seed()).public != Issuer.of(new_seed()).public


@pytest.mark.parametrize(
    "wrong",
    ["", "SA", SEED[:-3] + "AAA", PUBLIC, "é" * 58, "SU" + "A" * 56],
    ids=["empty", "short", "checksum", "public key", "not ASCII", "of a user"],
)
def test_what_is_no_seed_is_refused_with_what_to_write(wrong: str) -> None:
    with pytest.raises(ValueError, match="it begins with SA"):
        Issuer.of(wrong)
