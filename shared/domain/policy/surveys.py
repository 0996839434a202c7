"""Satisfaction surveys: audience, questions, timing, and who acts on the results."""

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, StringConstraints, model_validator

from shared.domain.policy.clause import Clause, Count, Days, Name, Person, Texts
from shared.domain.policy.durations import Percent
from shared.domain.policy.escalation import TO_COME
from shared.domain.policy.local_times import Day
from shared.domain.policy.targets import Channel
from shared.mistake import Path, Wrong
from shared.yaml12 import Plain

VERSION = r"^v[1-9][0-9]{0,3}$"


def _or_by_language(schema: dict[str, Any]) -> None:
    """Tell editors that texts may also be given by language, beside `id`."""
    schema["required"] = ["id"]
    schema["patternProperties"] = {"^[a-z]{2}$": {"type": "string"}}


class Question(Clause):
    """A question in each language: `{id: trust, scale: 1-5, fr: …, en: …}`."""

    model_config = ConfigDict(json_schema_extra=_or_by_language)

    id: Name
    scale: Literal["1-5"] = "1-5"
    text: Texts

    @model_validator(mode="before")
    @classmethod
    def _languages_are_texts(cls, written: object) -> object:
        if not isinstance(written, Mapping) or "text" in written:
            return written
        texts = {key: text for key, text in written.items() if _is_language(key)}
        rest = {key: value for key, value in written.items() if key not in texts}
        return {**rest, "text": texts} if texts else written


def _is_language(key: object) -> bool:
    return (
        isinstance(key, str) and bool(re.fullmatch(r"^[a-z]{2}$", key)) and key != "id"
    )


Questions = Annotated[tuple[Question, ...], Field(min_length=1, max_length=20)]


# A number, since the order of keys in a document has no meaning.
SurveyVersion = Annotated[str, StringConstraints(pattern=VERSION)]
QuestionsByVersion = Annotated[Mapping[SurveyVersion, Questions], Field(min_length=1)]


Dimension = Literal["channel", "service", "team"]
"""A property of an incident by which results are divided."""
MIN_ANSWERS = 5
"""Figures of users, and of anonymous surveys, are published from so many answers on."""


CLIENTS_MAX = 100
"""The maximum number of clients that a survey asks."""
Contacts = Annotated[tuple[Person, ...], Field(min_length=1, max_length=5)]


class Scope(Clause):
    """Which incidents a survey of users is about. Default: all."""

    services: Annotated[tuple[Name, ...] | None, Field(min_length=1)] = None
    clients: Annotated[tuple[Name, ...] | None, Field(min_length=1)] = None
    """Only incidents of users of these clients."""
    channels: Annotated[tuple[Channel, ...] | None, Field(min_length=1)] = None
    """Only incidents whose user first made contact in one of these ways."""


class ClientScope(Clause):
    """Which clients a survey of clients asks. Default: all."""

    services: Annotated[tuple[Name, ...] | None, Field(min_length=1)] = None
    """Only clients with a contract for one of these services."""
    clients: Annotated[tuple[Name, ...] | None, Field(min_length=1)] = None


class Anonymous(Clause):
    """Answers are kept with their day and these dimensions, and nothing else."""

    by: Annotated[tuple[Dimension, ...], Field(max_length=3)] = ()
    """What is kept of the incident. Default: nothing."""


class EveryMonths(Clause):
    """At regular intervals, from a day on."""

    every_months: Annotated[Count, Field(le=60)]
    from_: Annotated[Day, Field(alias="from")]


class UserSurvey(Clause):
    """Asks the first user who reported an incident, once it is closed."""

    audience: Literal["users"]
    scope: Scope | None = None
    when: Literal["closed"] = "closed"
    sample: Annotated[Percent, Field(json_schema_extra={"default": "100%"})] = 100
    """Percentage of closed incidents for which users are asked."""
    per_user_days: Days = 14
    """The same user is not asked again within this number of days."""
    expires_days: Days
    """An invitation expires after this number of days."""
    remind_days: Days | None = None
    """Who has not answered is reminded once, after this number of days. Default: nobody
    is."""
    questions: QuestionsByVersion
    """By version, `v1` and so on; the highest is in use."""
    anonymous: Anonymous | None = None
    """Default: answers are kept with the incident they are about, and its user."""
    publish: Literal["monthly", "each"] = "monthly"
    """`monthly`: results are published for whole months. `each`: for any days."""
    min_answers: Count = MIN_ANSWERS
    """Fewer answers than this are not published as a figure; at least 5."""
    owner: Person
    """Who turns the results into actions."""


class ClientSurvey(Clause):
    """Asks the contacts of clients at regular intervals."""

    audience: Literal["clients"]
    scope: ClientScope | None = None
    contacts: Annotated[Mapping[Name, Contacts], Field(max_length=CLIENTS_MAX)] = {}
    """Who is asked for each client, by their ids. Default: nobody."""
    when: EveryMonths
    expires_days: Days
    """Contacts can answer for this number of days from the beginning of a period, and
    not after it."""
    remind_days: Days | None = None
    """Who has not answered is reminded once, after this number of days. Default: nobody
    is."""
    questions: QuestionsByVersion
    anonymous: Annotated[Anonymous | None, TO_COME] = None
    """An anonymous survey of clients asks nobody yet. Default: answers are kept with
    the client, and its contact."""
    publish: Literal["monthly", "each"] = "each"
    min_answers: Count = 1
    """Fewer answers than this are not published as a figure; at least 5 if the survey
    is anonymous."""
    owner: Person


Survey = Annotated[UserSurvey | ClientSurvey, Field(discriminator="audience")]


def version_in_use(survey: UserSurvey | ClientSurvey) -> str:
    """Return the highest version of the questions: `v10` is higher than `v9`."""
    return max(survey.questions, key=lambda version: int(version[1:]))


_TOO_FEW = (
    f"fewer answers than {MIN_ANSWERS} tell who gave them: write at least {MIN_ANSWERS}"
)


def survey_mistakes(document: Plain) -> Iterator[Wrong]:
    """Yield what takes no effect or tells too much in `surveys`, and what to write.

    An applied policy is read without these checks, so that history stays readable.
    """
    surveys = document.get("surveys") if isinstance(document, dict) else None
    for name, survey in surveys.items() if isinstance(surveys, dict) else ():
        if isinstance(survey, dict):
            yield from _figures(("surveys", name), survey)
            yield from _reminder(("surveys", name), survey)
            yield from _questions(("surveys", name), survey)
            yield from _dimensions(("surveys", name), survey)


def _figures(path: Path, survey: dict[str, Plain]) -> Iterator[Wrong]:
    is_anonymous = isinstance(survey.get("anonymous"), dict)
    least = survey.get(
        "min_answers", 1 if survey.get("audience") == "clients" else MIN_ANSWERS
    )
    if not isinstance(least, int) or least >= MIN_ANSWERS:
        return
    if is_anonymous:
        why = "an anonymous survey"
    elif survey.get("audience") == "users":
        why = "a survey of users"
    else:
        return
    yield (*path, "min_answers"), f"{_TOO_FEW} for {why}"


def _reminder(path: Path, survey: dict[str, Plain]) -> Iterator[Wrong]:
    match survey.get("remind_days"), survey.get("expires_days"):
        case int(remind), int(expires) if remind >= expires:
            yield (
                (*path, "remind_days"),
                "the invitation has expired by then: write less than `expires_days`",
            )


def _questions(path: Path, survey: dict[str, Plain]) -> Iterator[Wrong]:
    versions = survey.get("questions")
    for version, questions in versions.items() if isinstance(versions, dict) else ():
        seen: set[str] = set()
        for place, question in enumerate(
            questions if isinstance(questions, list) else ()
        ):
            id_ = question.get("id") if isinstance(question, dict) else None
            if isinstance(id_, str) and id_ in seen:
                yield (
                    (*path, "questions", version, place, "id"),
                    f"`{id_}` is given twice: each question needs an id of its own",
                )
            elif isinstance(id_, str):
                seen.add(id_)


def _dimensions(path: Path, survey: dict[str, Plain]) -> Iterator[Wrong]:
    anonymous = survey.get("anonymous")
    by = anonymous.get("by") if isinstance(anonymous, dict) else None
    if not isinstance(by, list) or not by:
        return
    if survey.get("audience") == "clients":
        yield (
            (*path, "anonymous", "by"),
            "a survey of clients is about no incident: take it out",
        )
    names = [each for each in by if isinstance(each, str)]
    if len(set(names)) < len(names):
        yield (*path, "anonymous", "by"), "given twice: name each dimension once"
