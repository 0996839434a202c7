"""The body with which another system tells what a record is now."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from shared.domain.bounded_text import line, visible

NAME_MAX = 200
URL_MAX = 2_000
STATE_MAX = 40
ATTRIBUTES_MAX = 30
KEY_MAX = 64
VALUE_MAX = 500

_Name = Annotated[
    str,
    StringConstraints(min_length=1, max_length=NAME_MAX, strip_whitespace=True),
    AfterValidator(line),
    AfterValidator(visible),
]
_Url = Annotated[
    str, StringConstraints(max_length=URL_MAX, pattern=r"^https?://[\x21-\x7e]+$")
]
_State = Annotated[
    str,
    StringConstraints(max_length=STATE_MAX, pattern=r"^[A-Za-z0-9][A-Za-z0-9 _.-]*$"),
]
_Key = Annotated[
    str, StringConstraints(max_length=KEY_MAX, pattern=r"^[A-Za-z0-9][A-Za-z0-9 _.-]*$")
]
_Value = Annotated[
    str, StringConstraints(min_length=1, max_length=VALUE_MAX), AfterValidator(line)
]


class PutExternalRecord(BaseModel):
    """What the record is now. It replaces all that was told before."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True
    )

    name: _Name
    url: _Url | None = None
    """Its page in the other system."""
    state: _State | None = None
    """Its state there, in one or a few words: `deployed`."""
    attributes: Annotated[dict[_Key, _Value], Field(max_length=ATTRIBUTES_MAX)] = {}
