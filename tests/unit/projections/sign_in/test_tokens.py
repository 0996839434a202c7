"""Which identity tokens are trusted, whom they name, and what their groups may do."""

import base64
import hmac
import json
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

from services.projections.identity_provider.rules import (
    SKEW_SECONDS,
    UnknownKey,
    UntrustedToken,
    groups_in,
    named_person,
    rights_for,
    trusted_claims,
)
from shared.domain.limits import Limits
from shared.security.rights import Grant
from shared.settings import GroupRight

NOW = datetime(2026, 3, 2, 7, tzinfo=UTC)
AT = int(NOW.timestamp())
ISSUER, CLIENT, NONCE = "https://id.example", "desk", "nonce-of-this-login"
OURS = RSAKey.generate_key(2048, {"kid": "a"})
OTHER = RSAKey.generate_key(2048, {"kid": "a"})
KEYS = KeySet.import_key_set({"keys": [OURS.as_dict(private=False)]})
GOOD: dict[str, Any] = {
    "iss": ISSUER,
    "aud": CLIENT,
    "sub": "nadia",
    "exp": AT + 300,
    "iat": AT,
    "nonce": NONCE,
}


def _signed(claims: dict[str, Any], key: RSAKey = OURS, **header: str) -> str:
    whole = {"alg": "RS256", "kid": "a", **header}
    return jwt.encode(whole, claims, key, algorithms=[whole["alg"]])


def _trusted(token: str) -> object:
    return trusted_claims(token, KEYS, ISSUER, CLIENT, NONCE, NOW)


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"aud": [CLIENT]},
        {"aud": [CLIENT, "other"], "azp": CLIENT},
        {"exp": AT - SKEW_SECONDS + 1},
        {"iat": AT + SKEW_SECONDS - 1},
    ],
)
def test_a_token_that_the_issuer_signed_for_this_login_is_trusted(
    more: dict[str, Any],
) -> None:
    assert _trusted(_signed(GOOD | more)) == GOOD | more


@pytest.mark.parametrize(
    "wrong",
    [
        {"iss": "https://elsewhere.example"},
        {"iss": ISSUER + "/"},
        {"aud": "another client"},
        {"aud": []},
        {"aud": [CLIENT, "other"]},
        {"aud": [CLIENT, "other"], "azp": "other"},
        {"azp": "other"},
        {"nonce": "of another login"},
        {"nonce": None},
        {"exp": AT - SKEW_SECONDS - 1},
        {"exp": "soon"},
        {"exp": None},
        {"iat": AT + SKEW_SECONDS + 1},
        {"nbf": AT + SKEW_SECONDS + 1},
        {"sub": None},
    ],
    ids=str,
)
def test_a_token_that_says_something_else_is_not(wrong: dict[str, Any]) -> None:
    claims = {k: v for k, v in (GOOD | wrong).items() if v is not None}

    with pytest.raises(UntrustedToken):
        _trusted(_signed(claims))


def _unsigned(algorithm: str) -> str:
    parts = ({"alg": algorithm, "kid": "a"}, GOOD)
    coded = (base64.urlsafe_b64encode(json.dumps(each).encode()) for each in parts)
    return ".".join(each.decode().rstrip("=") for each in coded) + "."


def _signed_with_the_public_key() -> str:
    """Return a token that who mixes algorithms up would verify."""
    signed = _unsigned("HS256").rstrip(".")
    mac = hmac.digest(OURS.as_pem(private=False), signed.encode(), sha256)
    return f"{signed}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"


@pytest.mark.parametrize(
    "token",
    [
        _signed(GOOD, OTHER),
        _signed(GOOD)[:-2] + "xx",
        _unsigned("none"),
        _unsigned("RS256"),
        _signed_with_the_public_key(),
        "",
        "a.b.c",
    ],
    ids=["forged", "changed", "none", "unsigned", "shared secret", "empty", "junk"],
)
def test_a_token_that_the_issuer_did_not_sign_is_not(token: str) -> None:
    with pytest.raises(UntrustedToken):
        _trusted(token)


def test_a_token_of_an_unknown_key_is_told_apart_so_that_keys_are_asked_for() -> None:
    key = RSAKey.generate_key(2048, {"kid": "b"})

    with pytest.raises(UnknownKey):
        _trusted(_signed(GOOD, key, kid="b"))


@given(st.text() | st.binary().map(lambda raw: base64.urlsafe_b64encode(raw).decode()))
def test_whatever_is_sent_instead_of_a_token_is_only_refused(token: str) -> None:
    for sent in (token, f"{token}.{token}.{token}"):
        with pytest.raises(UntrustedToken):
            _trusted(sent)


@pytest.mark.parametrize(
    ("claims", "claim", "named"),
    [
        ({"email": "n@x.example", "email_verified": True}, "email", "n@x.example"),
        ({"email": "n@x.example", "email_verified": False}, "email", None),
        ({"email": "n@x.example"}, "email", None),
        ({"preferred_username": " nadia "}, "preferred_username", "nadia"),
        ({"preferred_username": ["nadia"]}, "preferred_username", None),
        ({"preferred_username": ""}, "preferred_username", None),
        ({}, "sub", None),
    ],
)
def test_a_person_is_named_by_one_claim_and_an_address_only_if_verified(
    claims: dict[str, Any], claim: str, named: str | None
) -> None:
    found = named_person(claims, claim)

    assert (found and found[1]) == named


@pytest.mark.parametrize(
    ("claims", "groups"),
    [
        ({"groups": ["desk", 7, None, "n2"]}, ["desk", "n2"]),
        ({"groups": "desk"}, ["desk"]),
        ({"groups": {"desk": True}}, []),
        ({}, []),
    ],
)
def test_groups_are_read_whatever_else_is_there(
    claims: dict[str, Any], groups: list[str]
) -> None:
    assert groups_in(claims, "groups") == groups


def test_groups_give_their_rights_and_unknown_ones_none() -> None:
    mapping = {
        "desk": (GroupRight(role="agent", teams=("desk",)),),
        "chiefs": (GroupRight(role="manager"), GroupRight(role="auditor")),
    }

    assert rights_for(["unknown"], mapping) == ()
    assert rights_for(["desk", "chiefs", "desk"], mapping) == (
        Grant("", "agent", Limits(teams=frozenset({"desk"}))),
        Grant("", "manager"),
        Grant("", "auditor"),
    )
