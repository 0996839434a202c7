"""Request and response models of signing in and of sessions."""

from typing import Annotated, Self

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)
from pydantic_core import PydanticCustomError

from services.projections.api.answers import Answer
from shared.security.sessions import DEVICE_MAX, Method

_Secret = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True, min_length=1, max_length=256, pattern=r"^[\x21-\x7e]+$"
    ),
]
Device = Annotated[
    str, StringConstraints(max_length=DEVICE_MAX, pattern=r"^[^\x00-\x1f]*$")
]


class SignIn(BaseModel):
    """What somebody signs in with: a token, or a link or a code that works once."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True
    )

    token: _Secret | None = None
    """A token with a scope that may read. The session has its scopes, and ends with
    it."""
    link: _Secret | None = None
    """The end of the address of a link, or a break-glass code; it is used up."""
    device: Device = ""
    """What lists of sessions call the device: `Firefox on Linux`."""

    @model_validator(mode="after")
    def _is_one_of_them(self) -> Self:
        if (self.token is None) == (self.link is None):
            raise PydanticCustomError("one_of", "send `token` or `link`, one of them")
        return self


class MailedLink(BaseModel):
    """The address to which a link is mailed."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True
    )

    email: Annotated[
        str,
        StringConstraints(
            strip_whitespace=True,
            max_length=254,
            pattern=r"^[^\s\x00-\x1f\x7f@<>]+@[^\s\x00-\x1f\x7f@<>]+$",
        ),
    ]


class LinkRequested(Answer):
    """The request was taken; whether anybody has the address is not said."""

    requested: bool = True


class SignedIn(Answer):
    """A session that has begun. `session` is a credential; it is not shown again."""

    session: Annotated[str, Field(repr=False)]
    """Send it as a token is sent: `Authorization: Bearer pms_…`."""
    session_id: str
    actor: str
    method: Method
    expires_at: AwareDatetime


class SessionView(Answer):
    """A session that has not ended."""

    id: str
    actor: str
    method: Method
    """`token`, `link`, `mail`, `provider` (OpenID Connect) or `break_glass`."""
    device: str
    created_at: AwareDatetime
    last_used: AwareDatetime
    """To the minute."""
    expires_at: AwareDatetime
    """It ends earlier if it is not used for a while."""
    current: bool
    """Whether it is the session of this request."""


class Sessions(Answer):
    """Sessions that have not ended, the newest first."""

    items: list[SessionView]


class Revoked(Answer):
    """How many sessions were ended; they change nothing from then on."""

    revoked: int
