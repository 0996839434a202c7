"""What an identity token must say, whom it names, and what their groups may do: pure.

https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet

from shared.domain.limits import limits_from
from shared.security.rights import Grant
from shared.settings import GroupRight

ALGORITHMS = ("RS256", "PS256", "ES256", "ES384", "RS384", "RS512", "PS384", "PS512")
"""Signatures with a private key only: never `none`, nor a shared secret."""
SKEW_SECONDS = 60
"""How much the provider's clock may differ from ours."""
GROUPS_MAX = 1_000

Claims = Mapping[str, Any]


class UntrustedToken(Exception):
    """An identity token that proves nothing; the sentence says why, without it."""


class UnknownKey(UntrustedToken):
    """The token names a key that the provider did not have when we last asked."""


def trusted_claims(
    token: str, keys: KeySet, issuer: str, client: str, nonce: str, now: datetime
) -> Claims:
    """Return what a token says, if the issuer signed it for us, now and for this login.

    Raises `UntrustedToken`, `UnknownKey`.
    """
    wanted = jwt.JWTClaimsRegistry(
        now=int(now.timestamp()),
        leeway=SKEW_SECONDS,
        iss={"essential": True, "value": issuer},
        aud={"essential": True, "value": client},
        sub={"essential": True},
        exp={"essential": True},
        iat={"essential": True},
        nonce={"essential": True, "value": nonce},
    )
    try:
        claims = jwt.decode(token, keys, algorithms=list(ALGORITHMS)).claims
        wanted.validate(claims)
    except InvalidKeyIdError as error:
        raise UnknownKey("it is signed with a key that the issuer lacks") from error
    except (JoseError, ValueError, TypeError) as error:
        code = getattr(error, "error", type(error).__name__)
        claim = getattr(error, "claim", None)
        raise UntrustedToken(f"{code} {claim}" if claim else code) from error
    several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
    if (several or "azp" in claims) and claims.get("azp") != client:
        raise UntrustedToken("it was issued to another client")
    return claims


def named_person(
    claims: Claims, claim: str
) -> tuple[Literal["email", "id"], str] | None:
    """Return by what a person is found, and its value; None if they are not named.

    An address counts only if the provider has verified it: otherwise anybody could
    enter the address of somebody else there.
    """
    value = claims.get(claim)
    if not isinstance(value, str) or not value.strip():
        return None
    if claim != "email":
        return "id", value.strip()
    verified = claims.get("email_verified")
    return ("email", value.strip()) if verified in (True, "true") else None


def groups_in(claims: Claims, claim: str) -> Sequence[str]:
    """Return the groups that a claim names."""
    value = claims.get(claim)
    listed = value if isinstance(value, list) else [value]
    return [each for each in listed[:GROUPS_MAX] if isinstance(each, str)]


def rights_for(
    groups: Sequence[str], mapping: Mapping[str, Sequence[GroupRight]]
) -> Sequence[Grant]:
    """Return the rights that the groups of somebody give."""
    held = [right for group in groups for right in mapping.get(group, ())]
    return tuple(
        Grant(
            "",
            right.role,
            limits_from(right.clients, right.services, right.teams),
        )
        for right in dict.fromkeys(held)
    )
