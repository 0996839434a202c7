"""Renders a notice to staff as a line, for channels without room for a mail.

A message to an outside provider has the minimum only: reference, service, priority and
a title that monitoring wrote. What people wrote stays at the desk.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from shared.domain.policy.priorities import Priority
from shared.i18n.catalog import Language, text_of
from shared.i18n.formats import Reader
from shared.i18n.messages import say
from shared.i18n.staff_notices import (
    NobodyNotified,
    PageInBrief,
    ServiceHandover,
    StaffNotice,
    Unreachable,
)


@dataclass(frozen=True)
class ShortMessage:
    """A notice in one line, and where it can be answered.

    `summary` has the service and, if it may be repeated, the title. `urgent` is true
    for a page: somebody is waited for.
    """

    incident: str
    summary: str
    language: Language
    urgent: bool = False
    url: str = ""
    """The page of the incident, for which one has to sign in."""
    accept_url: str = ""
    """The link by which the person takes the incident without signing in."""
    is_test: bool = False
    """Whether nothing is wrong: its link only answers that it reached the person."""
    is_silent: bool = False
    """Whether it must not make any device ring: it only says what has changed."""
    is_bundle: bool = False
    """Whether it is about several incidents, which the link takes together."""

    @property
    def line(self) -> str:
        """The reference and the summary."""
        return f"{self.incident} {self.summary}" if self.incident else self.summary

    @property
    def accept_label(self) -> str:
        """What the button says: it takes the incident or all, or answers a test."""
        word = "take all" if self.is_bundle else "take"
        return text_of(self.language, "page", "reached" if self.is_test else word)

    @property
    def open_label(self) -> str:
        """What the button says that opens the incident."""
        return text_of(self.language, "page", "open")


BUNDLED_MAX = 3
"""Incidents that the message about a bundle names; of more, one less and a number."""


def bundle_summary(
    priority: Priority,
    incidents: Sequence[str],
    language: Language,
    *,
    is_of_team: bool = False,
) -> str:
    """Return the line about the pages of a bundle, the most important ones first.

    They wait for the reader, or for anybody of a team.
    """
    few = incidents if len(incidents) <= BUNDLED_MAX else incidents[: BUNDLED_MAX - 1]
    more = len(incidents) - len(few)
    name = "several" if more else ("one", "two", "three")[len(few) - 1]
    of_whom = "page.bundle.team" if is_of_team else "page.bundle"
    text = text_of(language, of_whom, name)
    return text.format(*few, priority=priority.upper(), count=more)


def team_summary(
    priority: Priority,
    about: str,
    language: Language,
    *,
    is_taken: bool,
    taker: str = "",
) -> str:
    """Return the line for the channel of a team: somebody is needed, or has taken it.

    `about` is the service, with the title if it may be repeated; so is the name of who
    took it.
    """
    name = ("taken by" if taker else "taken") if is_taken else "needed"
    text = text_of(language, "page.team", name)
    return text.format(priority=priority.upper(), about=about, person=taker)


_WITHOUT_TITLE = (ServiceHandover, PageInBrief, Unreachable, NobodyNotified)


def summary_of(
    notice: StaffNotice, reader: Reader, fallback: str, title: str = ""
) -> str:
    """Return the line for `reader`; `title` is "" if it must not be repeated.

    `fallback` is the desk's first language, for readers of unsupported languages.
    """
    if not isinstance(notice, _WITHOUT_TITLE):
        about = f"{notice.service}: {title}" if title else notice.service
        notice = replace(notice, title=about)
    return " ".join(say(notice, reader, fallback).subject.split())
