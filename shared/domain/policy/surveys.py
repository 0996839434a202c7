"""Satisfaction surveys: audience, questions, timing, and who acts on the results."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, StringConstraints, model_validator

from shared.domain.policy.clause import Clause, Count, Days, Name, Person, Texts
from shared.domain.policy.durations import Percent
from shared.domain.policy.local_times import Day

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
_Version = Annotated[str, StringConstraints(pattern=VERSION)]
QuestionsByVersion = Annotated[Mapping[_Version, Questions], Field(min_length=1)]


class Scope(Clause):
    """What a survey is about. Default: every service."""

    services: Annotated[tuple[Name, ...], Field(min_length=1)]


class EveryMonths(Clause):
    """At regular intervals, from a day on."""

    every_months: Annotated[Count, Field(le=60)]
    from_: Annotated[Day, Field(alias="from")]


class UserSurvey(Clause):
    """Asks the user of an incident once it is closed."""

    audience: Literal["users"]
    scope: Scope | None = None
    when: Literal["closed"] = "closed"
    sample: Annotated[Percent, Field(json_schema_extra={"default": "100%"})] = 100
    """Percentage of closed incidents for which users are asked."""
    per_user_days: Days = 14
    """The same user is not asked again within this number of days."""
    expires_days: Days
    """An invitation expires after this number of days."""
    questions: QuestionsByVersion
    """By version, `v1` and so on; the highest is in use."""
    publish: Literal["monthly", "each"] = "monthly"
    min_answers: Count = 5
    """Fewer answers than this are not published as a figure."""
    owner: Person
    """Who turns the results into actions."""


class ClientSurvey(Clause):
    """Asks the clients at regular intervals."""

    audience: Literal["clients"]
    scope: Scope | None = None
    when: EveryMonths
    expires_days: Days
    questions: QuestionsByVersion
    publish: Literal["monthly", "each"] = "each"
    min_answers: Count = 1
    owner: Person


Survey = Annotated[UserSurvey | ClientSurvey, Field(discriminator="audience")]
