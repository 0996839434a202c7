"""What one person's columns may hold."""

import re
from typing import Annotated
from unicodedata import category

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    StringConstraints,
    ValidationError,
)

from services.intake.people import Columns
from shared.domain.policy.clause import Language, Name, Person
from shared.domain.policy.cross_checks import is_zone
from shared.domain.policy.validation import explained

_EMAIL = re.compile(r"[^\s@<>,;:\"()]{1,64}@[^\s@<>,;:\"()]{1,180}\.[A-Za-z]{2,63}")
_PHONE = re.compile(r"\+[1-9][0-9 ().-]{5,30}")


def _email(written: str) -> str:
    if not _EMAIL.fullmatch(written):
        raise ValueError("no e-mail address: write one such as nadia@example.org")
    return written


def _phone(written: str) -> str:
    if not _PHONE.fullmatch(written):
        raise ValueError("write the number from its + on, such as +33 1 23 45 67 89")
    return written


def _zone(written: str) -> str:
    if not is_zone(written):
        raise ValueError("no time zone: write one such as Europe/Paris")
    return written


def _printable(written: str) -> str:
    if any(category(letter) in ("Cc", "Cs") for letter in written):
        raise ValueError("remove the control characters and line breaks")
    return written


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid")

    id: Person
    name: Annotated[
        str,
        StringConstraints(strip_whitespace=True, min_length=1, max_length=200),
        AfterValidator(_printable),
    ]
    email: Annotated[str, AfterValidator(_email)] | None = None
    phone: Annotated[str, AfterValidator(_phone)] | None = None
    language: Language | None = None
    zone: Annotated[str, AfterValidator(_zone)] | None = None
    client: Name | None = None


COLUMNS = tuple(_Row.model_fields)
"""The columns there are, `id` and `name` in every row."""


def checked(columns: dict[str, object]) -> Columns | list[tuple[str, str]]:
    """Return the columns given, or what is wrong: each column and a sentence for it."""
    given = {
        column: value
        for column, value in columns.items()
        if value is not None or column not in ("id", "name")
    }
    try:
        return _Row.model_validate(given).model_dump(exclude_unset=True)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        return [(str(one["loc"][0]), explained(one, _Row)) for one in found]
