"""A contact with the desk, on any channel, and the commands that it leads to.

Forms, telephony and mailboxes all describe a contact like this, so that the same rules,
those of `open` and `attach`, apply. Also here: the body of the report form with its
answer, and the body that retries a mail that was set aside.
"""

import re
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    StringConstraints,
    model_validator,
)
from pydantic_core import PydanticCustomError

from shared.domain.bounded_text import (
    MAIL_ADDRESS,
    TITLE_MAX,
    Instant,
    Reason,
    Title,
    Words,
    is_visible,
)
from shared.domain.commands.caller import NewCaller, require_one
from shared.domain.commands.incident import Attach, CommandBody, Open, Waited
from shared.domain.events.incident_attachments import WhyLeftOut
from shared.domain.identifiers import IncidentRef
from shared.domain.policy.clause import Language, Name, Person
from shared.domain.policy.priorities import Impact, Urgency
from shared.domain.policy.targets import Channel


class Contact(CommandBody):
    """A person contacted the desk: opens an incident or adds to an existing one.

    Somebody new is part of the contact, and not a request before it: the entry in the
    directory and the contact are recorded together or not at all, and a repeat under
    the same Idempotency-Key makes one entry.
    """

    person: Person | None = None
    """The person's id in the directory; it may be imported later. Required, unless it
    is a new `caller`."""
    caller: NewCaller | None = None
    """Instead of `person`: somebody whom the directory does not have. They get an id
    and an entry, unconfirmed until somebody looks at it."""
    channel: Channel
    words: Words | None = None
    """What they said or wrote, verbatim."""
    incident: IncidentRef | None = None
    """The incident it is about. Default: a new one."""
    title: Title | None = None
    """Title of a new incident. Default: the first line of `words`."""
    service: Name | None = None
    client: Name | None = None
    """Default: the person's client in the directory."""
    category: Name | None = None
    impact: Impact | None = None
    urgency: Urgency | None = None
    waited_seconds: Waited | None = None
    """Seconds they waited until the desk answered."""
    abandoned: bool = False
    """Whether they gave up before anybody answered."""
    reported_at: Instant | None = None
    """When it was reported. Default: now."""
    backdated_because: Reason | None = None
    """Why a new incident is recorded later than it was reported."""

    @model_validator(mode="after")
    def _is_by_one_person(self) -> Self:
        require_one("person", self.person, self.caller)
        return self

    @model_validator(mode="after")
    def _is_about_something(self) -> Self:
        opening = {"title", "service", "client", "category", "impact", "urgency"}
        said = (opening | {"backdated_because"}) & self.model_fields_set
        if self.incident and said:
            raise PydanticCustomError(
                "opening_only",
                "{names} is for a new incident: leave it out, or `incident`, and use "
                "`classify` to change {ref}",
                {"names": f"`{min(said)}`", "ref": self.incident},
            )
        if self.incident is None and self.title is None and not _first_line(self.words):
            raise PydanticCustomError(
                "about_nothing",
                "say what it is about, in `title` or `words`, or which `incident` it "
                "belongs to; of a call that nobody answered, give a title such as "
                "`Call back`",
            )
        return self


def command_of(contact: Contact) -> Open | Attach:
    """Return the command for a contact: open an incident or attach to one."""
    if contact.incident:
        return Attach(
            person=contact.person,
            caller=contact.caller,
            channel=contact.channel,
            words=contact.words,
            contacted_at=contact.reported_at,
            waited_seconds=contact.waited_seconds,
            abandoned=contact.abandoned,
        )
    return Open(
        title=contact.title or _first_line(contact.words),
        description=contact.words,
        service=contact.service,
        category=contact.category,
        client=contact.client,
        impact=contact.impact,
        urgency=contact.urgency or "medium",
        reporter=contact.person,
        caller=contact.caller,
        channel=contact.channel,
        waited_seconds=contact.waited_seconds,
        abandoned=contact.abandoned,
        reported_at=contact.reported_at,
        backdated_because=contact.backdated_because,
    )


def _first_line(words: str | None) -> str:
    lines = (" ".join(line.split()) for line in (words or "").splitlines())
    titles = (line[:TITLE_MAX].rstrip() for line in lines)
    return next(filter(is_visible, titles), "")


_ADDRESS = re.compile(MAIL_ADDRESS)


def _address(written: str) -> str:
    if not _ADDRESS.fullmatch(written):
        raise PydanticCustomError(
            "address", "write an e-mail address such as zoe@example.org"
        )
    return written.lower()


class Report(CommandBody):
    """What a user who is not signed in reports about a service."""

    email: Annotated[
        str, StringConstraints(strip_whitespace=True), AfterValidator(_address)
    ]
    """The address that the desk writes to."""
    words: Words
    """What they say, verbatim. Its first line becomes the title."""
    service: Name | None = None
    """Default: unknown."""
    language: Language | None = None
    """The language they read; the directory's entry takes precedence."""
    key: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{16,64}$")]
    """An id chosen by the sender for each report: a repeat is recognised by it."""


class FileNotKept(BaseModel):
    """A file that came with a report and is not kept, and why."""

    model_config = ConfigDict(frozen=True)

    name: str
    why: WhyLeftOut


class Reported(BaseModel):
    """The result of a report. `held`: one person has sent too many.

    Promises count from `reported_at`, by that version of the policy; both are those of
    the incident, so a repeat has the same. None if they cannot be read now.
    """

    model_config = ConfigDict(frozen=True)

    verdict: Literal["taken", "held"]
    incident: IncidentRef | None = None
    reported_at: AwareDatetime | None = None
    policy: int | None = None
    left_out: tuple[FileNotKept, ...] = ()


class RetryLetter(BaseModel):
    """Retry a mail that was set aside, after a person has looked at it."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True
    )

    incident: IncidentRef | None = None
    """The incident it belongs to; default: the one it names itself."""
