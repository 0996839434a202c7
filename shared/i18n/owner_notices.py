"""Notices to the owners of surveys, of reviews and of actions."""

from dataclasses import dataclass
from datetime import date
from typing import ClassVar


@dataclass(frozen=True)
class SurveyWarning:
    """To the owner of a survey: a month asked nobody, or is not published.

    `first` and `last` are the days of the month.
    """

    template: ClassVar = "staff/survey_warning"

    kind: str
    """`not_asked` or `not_published`."""
    survey: str
    first: date
    last: date
    url: str = ""
    """The page of the survey, or empty."""


@dataclass(frozen=True)
class SurveyActionNotice:
    """To the owner of an action: it was opened, is due soon, or is overdue."""

    template: ClassVar = "staff/survey_action"

    kind: str
    """`action_opened`, `action_due` or `action_overdue`."""
    survey: str
    action: int
    due: date
    """The last day on which it is in time."""
    task: str
    url: str = ""
    """The page of the survey, or empty."""


@dataclass(frozen=True)
class ReviewNotice:
    """To the owner of a review: it is theirs to publish, or it is overdue."""

    template: ClassVar = "staff/review"

    kind: str
    """`review_opened` or `review_overdue`."""
    incident: str
    due: date
    """The last day on which it is in time."""
    url: str = ""
    """The page of the review, or empty."""


@dataclass(frozen=True)
class ReviewActionNotice:
    """To the owner of an action: it was assigned, is due soon, or is overdue."""

    template: ClassVar = "staff/review_action"

    kind: str
    """`action_opened`, `action_due` or `action_overdue`."""
    incident: str
    action: int
    due: date
    """The last day on which it is in time."""
    task: str
    url: str = ""
    """The page of the review, or empty."""


OwnerNotice = SurveyWarning | SurveyActionNotice | ReviewNotice | ReviewActionNotice
