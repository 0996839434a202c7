"""A caller whom the directory does not have: what they say of themselves.

It is entered in the directory, outside the log, where it can be corrected and
forgotten. The log only has the id that the entry gets.
"""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticCustomError

from shared.domain.bounded_text import MAIL_ADDRESS, line, visible
from shared.domain.policy.clause import Language, Name

PHONE = r"^[0-9+ ().-]{4,40}$"
"""As people say or see it, with or without the country code."""

PersonName = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=200),
    AfterValidator(line),
    AfterValidator(visible),
]
PersonEmail = Annotated[
    str,
    StringConstraints(strip_whitespace=True, pattern=f"^{MAIL_ADDRESS}$"),
    Field(max_length=254),
]
PersonPhone = Annotated[str, StringConstraints(strip_whitespace=True, pattern=PHONE)]


class NewCaller(BaseModel):
    """Somebody whom the directory does not have. They get an entry, unconfirmed."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True
    )

    name: PersonName
    phone: PersonPhone | None = None
    """Where to call them back, with or without the country code."""
    email: PersonEmail | None = None
    """Where the desk writes to. Nobody whom the sender may look up has it yet."""
    client: Name | None = None
    """Their organisation. Default: the only one that the sender's rights name."""
    language: Language | None = None
    """The language they read. Default: the desk's first one."""


def require_one(name: str, known: str | None, new: NewCaller | None) -> None:
    """Raise a validation error unless a contact says who it is by, once."""
    require_one_at_most(name, known, new)
    if known is None and new is None:
        raise PydanticCustomError(
            name,
            "say who it is, in {name}; or in `caller`, if the directory does not have "
            "them",
            {"name": f"`{name}`"},
        )


def require_one_at_most(name: str, known: str | None, new: NewCaller | None) -> None:
    """Raise a validation error if a contact says twice who it is by."""
    if known is not None and new is not None:
        raise PydanticCustomError(
            name,
            "give either {name}, for somebody in the directory, or `caller`, for "
            "somebody new",
            {"name": f"`{name}`"},
        )
