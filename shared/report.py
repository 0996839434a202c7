"""Somebody reports by the form: what they tell, and what the owner answers."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints
from pydantic_core import PydanticCustomError

from shared.policy.names import Language, Name
from shared.references import IncidentRef
from shared.texts import Words
from shared.wish import Wish

_ADDRESS = re.compile(r"[^\s@<>,;:\"()]{1,64}@[^\s@<>,;:\"()]{1,180}\.[A-Za-z]{2,63}")


def _address(written: str) -> str:
    if not _ADDRESS.fullmatch(written):
        raise PydanticCustomError(
            "address", "write an e-mail address such as zoe@example.org"
        )
    return written.lower()


def _said(written: str) -> str:
    if not any(each.isprintable() and not each.isspace() for each in written):
        raise PydanticCustomError("blank", "say in words what does not work")
    return written


class Report(Wish):
    """What somebody who is not signed in reports about a service."""

    email: Annotated[
        str, StringConstraints(strip_whitespace=True), AfterValidator(_address)
    ]
    """Where the desk writes to them."""
    words: Annotated[Words, AfterValidator(_said)]
    """What they say, verbatim. Its first line becomes the title."""
    service: Name | None = None
    """Left out: they do not know."""
    language: Language | None = None
    """Which they read; where the directory knows them, its word counts."""
    key: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{16,64}$")]
    """Of the sender's own making, once a report: sent again, it is the same one."""


class Reported(BaseModel):
    """The outcome of a report. `held`: too many came from one person."""

    model_config = ConfigDict(frozen=True)

    verdict: Literal["taken", "held"]
    incident: IncidentRef | None = None
