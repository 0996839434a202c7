"""The commands on page tests: fire drills of the way from a page to a person.

Intake owns the streams `page_tests-<person>`.
"""

from collections.abc import Mapping
from typing import ClassVar, Literal, Self, get_args

from pydantic import AwareDatetime, BaseModel, ConfigDict, model_validator
from pydantic_core import PydanticCustomError

from shared.domain.commands.incident import CommandBody
from shared.domain.identifiers import PageTestRef
from shared.domain.policy.clause import Name, Person


class RequestPageTest(CommandBody):
    """Page a person, or all who are on call in a schedule, although nothing is wrong.

    You may test yourself at any time. A manager of their team may test others, in the
    working hours of each. Every message says that it is a test. At most three tests of
    a person within an hour.
    """

    aggregate: ClassVar[str] = "person"
    verb: ClassVar[str] = "request_page_test"
    person: Person | None = None
    schedule: Name | None = None
    """Everybody who is on call in it now, in any role."""

    @model_validator(mode="after")
    def _names_one(self) -> Self:
        if (self.person is None) == (self.schedule is None):
            raise PydanticCustomError(
                "page_test", "name either a `person` or a `schedule`"
            )
        return self


class AnswerPageTest(CommandBody):
    """Answer that a message of a page test reached you; for the link in it."""

    aggregate: ClassVar[str] = "person"
    verb: ClassVar[str] = "answer_page_test"
    test: PageTestRef


BODIES: Mapping[str, type[RequestPageTest | AnswerPageTest]] = {
    kind.verb: kind for kind in get_args(RequestPageTest | AnswerPageTest)
}
"""The body of each verb."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)


class StartedPageTest(_Part):
    """A test that was requested."""

    test: PageTestRef
    person: Person
    expires_at: AwareDatetime
    """Until when the person may answer."""


class RefusedPageTest(_Part):
    """Somebody on call who was not tested, and why."""

    person: Person
    code: str
    detail: str


class PageTestAnswer(_Part):
    """The outcome of a request; of a schedule also whom it could not test."""

    outcome: Literal["recorded", "repeated"]
    tests: list[StartedPageTest]
    refused: list[RefusedPageTest] = []
    positions: list[int]


class PageTestConfirmation(_Part):
    """The outcome of an answer: `already` for all but the first."""

    outcome: Literal["recorded", "already"]
    test: PageTestRef
    person: Person
    version: int
    """The version of the tests of the person."""
    positions: list[int]
