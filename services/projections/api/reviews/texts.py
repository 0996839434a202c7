"""The words of reviews: titles of sections, facts as sentences, people by role."""

from collections.abc import Container, Iterable, Mapping, Sequence

from services.projections.timeline.entry import plain_fields
from services.projections.timeline.sentences import Style, called, people_in, sentence
from shared.domain.events.incident import (
    IncidentContacted,
    IncidentOpened,
    IncidentReopened,
)
from shared.domain.policy.document import Policy
from shared.domain.policy.reviews import DEFAULT_SECTIONS, ReviewSection, Shown
from shared.domain.review.facts import Fact
from shared.i18n.catalog import Language, text_of
from shared.web.rendering import as_sentence


class SectionTexts:
    """The titles, hints and blocks of the sections, as the policy had them."""

    def __init__(self, policy: Policy, language: Language) -> None:
        reviews = policy.reviews
        written: Sequence[ReviewSection] = (reviews and reviews.sections) or ()
        self._written = {each.id: each for each in written}
        self._languages = (language, *policy.desk.languages)
        self._language = language

    def title(self, section: str) -> str:
        """Return what a section is called."""
        own = self._written.get(section)
        if own is not None:
            return self._in(own.title)
        return text_of(self._language, "review.section", section)

    def hint(self, section: str) -> str | None:
        """Return what its authors are asked, if anything."""
        own = self._written.get(section)
        if own is not None:
            return None if own.hint is None else self._in(own.hint)
        if section not in DEFAULT_SECTIONS:
            return None
        return text_of(self._language, "review.hint", section)

    def shows(self, section: str) -> Shown | None:
        """Return what it shows beside its text."""
        own = self._written.get(section)
        return own.shows if own is not None else DEFAULT_SECTIONS.get(section)

    def _in(self, texts: Mapping[str, str]) -> str:
        chosen = (each for each in self._languages if each in texts)
        return texts[next(chosen, next(iter(texts)))]


def roles_in(
    policy: Policy, people: Iterable[str], users: Container[str], language: Language
) -> Mapping[str, str]:
    """Return what people are for the desk: members of teams, `users`, or its staff."""
    return {person: _role(policy, person, users, language) for person in people}


def _role(
    policy: Policy, person: str, users: Container[str], language: Language
) -> str:
    for team, entry in policy.teams.items():
        if person in entry.members:
            return text_of(language, "review.role", "member").format(team=team)
    for team, entry in policy.teams.items():
        if person == entry.manager:
            return text_of(language, "review.role", "manager").format(team=team)
    role = "user" if person in users else "staff"
    return text_of(language, "review.role", role)


def users_of(facts: Iterable[Fact]) -> frozenset[str]:
    """Return who reported, was in contact or reopened, and did nothing as staff."""
    users, staff = set(), set()
    for fact in facts:
        actor = fact.event.by.removeprefix("person:")
        match fact.event:
            case IncidentOpened(reporter=str() as reporter):
                users.add(reporter)
            case IncidentOpened():
                pass
            case IncidentContacted(person=person):
                users.add(person)
            case IncidentReopened(cause="user"):
                users.add(actor)
            case _:
                staff.add(actor)
    return frozenset(users - staff)


def people_of(facts: Iterable[Fact]) -> frozenset[str]:
    """Return the ids of the people in facts."""
    return frozenset(
        people_in((fact.event.by, plain_fields(fact.event)) for fact in facts)
    )


_WORDY = frozenset({"incident.opened", "incident.informed"})
"""Events whose sentence in a timeline is about words of people, which are left out."""


def fact_sentence(fact: Fact, language: Language, style: Style) -> str:
    """Return a fact as a sentence, without words of people."""
    event = fact.event
    fields = plain_fields(event)
    text = sentence(event.type, event.by, fields, language, style)
    if event.type in _WORDY:
        role, _, id_ = event.by.partition(":")
        who = called(id_, style) if role == "person" else id_
        told = {**fields, "who": who, "priority": str(fields.get("priority")).upper()}
        text = text_of(language, "review.fact", event.type).format_map(told)
    # A role begins with a small letter; an id stays as it is.
    return text if style.roles is None else as_sentence(text)
