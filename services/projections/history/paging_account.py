"""Explains in sentences why a person was paged, or was not."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.projections.history.page_messages import PageMessage
from services.projections.history.paging import StepResult
from shared.domain.events.escalation import EscalationPaged
from shared.domain.policy.schedules import Role
from shared.i18n.catalog import Language, text_of
from shared.i18n.formats import instant_text


@dataclass(frozen=True, slots=True)
class Duty:
    """A person on call in a schedule, as it was recorded when it happened."""

    schedule: str
    role: Role
    since: datetime
    change: str | None
    """The override, swap or temporary schedule from which it follows."""


@dataclass(frozen=True, slots=True)
class Reader:
    """For whom it is written: their language, and the zone of instants."""

    language: Language
    zone: str
    sees_others: Callable[[EscalationPaged], bool]
    """Whether they may know who else was paged."""

    def text(self, name: str, **values: object) -> str:
        """Return a sentence of the explanation with its values."""
        return text_of(self.language, "paging", name).format_map(values)

    def word(self, field: str, value: str) -> str:
        """Return the word for a value of a field."""
        return text_of(self.language, field, value)

    def instant(self, at: datetime) -> str:
        """Return an instant in words."""
        return instant_text(at, self.zone, self.language)


def sentences(
    person: str,
    at: datetime,
    duties: Sequence[Duty],
    steps: Sequence[StepResult],
    reader: Reader,
) -> list[str]:
    """Return the account of a person's pages, in the order of the steps."""
    return [
        *of_duties(person, at, duties, reader),
        *(line for step in steps for line in _of_step(person, step, reader)),
    ]


def of_duties(
    person: str, at: datetime, duties: Sequence[Duty], reader: Reader
) -> Iterator[str]:
    """Yield whether a person was on call at an instant, schedule by schedule."""
    when = reader.instant(at)
    if not duties:
        yield reader.text("off_call", person=person, at=when)
    for each in duties:
        role = reader.word("page.on_call.role", each.role)
        since = reader.instant(each.since)
        values = {"person": person, "schedule": each.schedule, "role": role}
        yield reader.text("on_call", at=when, since=since, **values)
        if each.change:
            yield reader.text("by_change", change=each.change)


def _of_step(person: str, step: StepResult, reader: Reader) -> Iterator[str]:
    page = step.page
    rules = step.escalation_policy
    about = {"step": step.step, "policy": step.policy, "level": step.level.upper()}
    team_channel = (page and page.team_channel) or ""
    is_of_team = step.reason == "channel" and team_channel
    reason = "team_channel" if is_of_team else step.reason
    because = reader.word("paging.because", reason).format_map(
        {
            "person": person,
            "at": reader.instant(step.at) if step.at else "",
            "team": page.team if page and page.team else step.team,
            "team_channel": team_channel,
            "schedule": (page.schedule if page else None) or "",
            "role": reader.word("page.on_call.role", (page and page.role) or "primary"),
        }
    )
    name = "step" if rules is None else "step_of_policy"
    yield reader.text(name, because=because, rules=rules, **about)
    if page and reader.sees_others(page):
        others = [each for each in page.people if each != person]
        if others:
            yield reader.text("others", people=", ".join(others))
    if page and step.is_paged:
        yield from _of_delivery(person, step, reader, is_quiet=page.quiet)


def _of_delivery(
    person: str, step: StepResult, reader: Reader, *, is_quiet: bool
) -> Iterator[str]:
    if step.is_unverified:
        yield reader.text("unverified", person=person)
    if is_quiet:
        yield reader.text("quiet")
    if step.held_until:
        yield reader.text("held", until=reader.instant(step.held_until))
    for message in step.messages:
        yield _of_message(message, reader)
        if message.bundle:
            yield reader.text("bundled", bundle=message.bundle)


def _of_message(message: PageMessage, reader: Reader) -> str:
    text = reader.word("paging.message", message.state)
    return text.format_map(
        {
            "channel": reader.word("timeline.channel", message.channel),
            "method": message.method,
            "at": reader.instant(message.at),
            "reason": message.reason or "",
        }
    )
