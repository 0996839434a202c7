"""Notices about signing in, and about how the reader is reached."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar, Literal


@dataclass(frozen=True)
class SignInLink:
    """The link that somebody asked for. `url` signs them in once, for `lasts`."""

    template: ClassVar = "access/sign_in_link"

    url: str
    lasts: timedelta


@dataclass(frozen=True)
class Invitation:
    """To somebody who was given a right. `url` signs them in once, for `days`."""

    template: ClassVar = "access/invitation"

    url: str
    by: str
    days: int


@dataclass(frozen=True)
class BreakGlassUsed:
    """To managers and admins: a break-glass code was used.

    `who` is the account, `label` where the code was kept, `until` the latest end of the
    session, `url` the page on which it can be ended.
    """

    template: ClassVar = "access/break_glass_used"

    who: str
    label: str
    at: datetime
    until: datetime
    device: str = ""
    url: str = ""


@dataclass(frozen=True)
class ContactCode:
    """The code that proves that a contact method reaches its owner, for `minutes`."""

    template: ClassVar = "access/contact_code"

    code: str
    minutes: int


@dataclass(frozen=True)
class ContactChange:
    """To somebody whose contact methods changed. `kind` is that of the method.

    `url` is the page on which they see their methods.
    """

    template: ClassVar = "access/contact_change"

    change: Literal["added", "verified", "removed"]
    kind: str
    url: str = ""


AccessNotice = SignInLink | Invitation | BreakGlassUsed | ContactCode | ContactChange
