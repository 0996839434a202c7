"""What of published results everybody reads: no figure of a few people."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.domain.events.survey.results import (
    GroupResult,
    QuestionResult,
    SurveyPublished,
    SurveyResults,
)
from shared.domain.survey.privacy import for_everybody

START = datetime(2025, 6, 1, tzinfo=UTC)


def published(
    groups: dict[str, int], versions: dict[str, int], by: str = "client", least: int = 1
) -> SurveyPublished:
    n = sum(versions.values())
    return SurveyPublished(
        at=START,
        by="person:ghislaine",
        survey="clients",
        policy=1,
        start=START,
        end=START + timedelta(days=30),
        min_answers=least,
        results=SurveyResults(
            invited=n,
            responded=n,
            n=n,
            satisfied=n,
            questions=tuple(
                QuestionResult(version=each, question="ok", counts=(0, 0, 0, 0, of))
                for each, of in versions.items()
            ),
            groups=tuple(
                GroupResult(by=by, name=name, invited=of, n=of, satisfied=of)
                for name, of in groups.items()
            ),
        ),
    )


def shown(event: SurveyPublished) -> dict[str, Any]:
    found = for_everybody(event).results
    assert (found.n, len(found.groups)) == (
        event.results.n,
        len(event.results.groups),
    )
    return {
        "whole": found.satisfied is not None,
        "groups": [each.name for each in found.groups if each.satisfied is not None],
        "versions": [each.version for each in found.questions if each.counts],
    }


@pytest.mark.parametrize(
    ("groups", "versions", "readable"),
    [
        ({"a": 2, "b": 2}, {"v1": 4}, (False, [], [])),
        ({"a": 5, "b": 6}, {"v1": 11}, (True, ["a", "b"], ["v1"])),
        ({"a": 5, "b": 1}, {"v1": 6}, (True, [], ["v1"])),
        ({"a": 5, "b": 3, "c": 3}, {"v1": 11}, (True, ["a"], ["v1"])),
        ({"a": 6, "b": 6}, {"v1": 6, "v2": 6}, (True, [], [])),
    ],
    ids=[
        "too few at all",
        "enough of each",
        "the whole would give one away",
        "those that are few are enough together",
        "two versions could differ from two clients by one answer",
    ],
)
def test_no_figure_tells_what_fewer_than_five_answered(
    groups: dict[str, int],
    versions: dict[str, int],
    readable: tuple[bool, list[str], list[str]],
) -> None:
    found = shown(published(groups, versions))

    assert (found["whole"], found["groups"], found["versions"]) == readable


def test_what_was_published_for_enough_answers_stays_as_it_is() -> None:
    event = published({"a": 9, "b": 8}, {"v1": 9, "v2": 8}, least=5)

    assert for_everybody(event) == event
