"""Who publishes the results of which period, and what follows of them."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Literal

import pytest

from services.intake.survey_results.rules import (
    Publisher,
    done,
    opened,
    published,
    warnings,
)
from shared.domain.commands.survey import (
    CompleteSurveyAction,
    OpenSurveyAction,
    PublishSurvey,
)
from shared.domain.events.survey.results import (
    SurveyActionOpened,
    SurveyPublished,
    SurveyResultEvent,
    SurveyResults,
)
from shared.domain.limits import Within
from shared.domain.refusal import Refused
from shared.domain.survey.record import SurveyRecord, replay_record
from shared.messaging.commands import Scope
from tests.support.policies import full

NOW = datetime(2025, 7, 1, 6, tzinfo=UTC)
NOTHING = SurveyResults(
    invited=0, responded=0, n=0, satisfied=0, questions=(), groups=()
)
UNPUBLISHED = SurveyRecord()
NONE: Mapping[str, str] = {}
JUNE = {"from": "2025-06-01", "to": "2025-07-01"}
TASK = {"from": "2025-06-01", "owner": "ghislaine", "due": "2025-07-11", "task": "Call"}


def who(
    by: str = "person:ghislaine",
    at: datetime = NOW,
    manager: Within | Literal["no"] = "no",
) -> Publisher:
    rights: dict[Scope, Within] = {"agent": None}
    if manager != "no":
        rights["manager"] = manager
    return Publisher(by, at, rights, full(), 3)


def publish(
    held: SurveyRecord = UNPUBLISHED,
    by: Publisher | None = None,
    given: Mapping[str, str] = NONE,
) -> SurveyPublished | None:
    document = {"survey": "voyageurs", **JUNE, **given}
    command = PublishSurvey.model_validate(document)
    return published(command, held, NOTHING, by or who())


def record() -> SurveyRecord:
    found = publish()
    assert found is not None
    return replay_record([found])


def test_the_owner_publishes_a_month_of_the_desk_once() -> None:
    found = publish()

    assert found is not None
    assert found.start == datetime(2025, 5, 31, 22, tzinfo=UTC)
    assert found.end == datetime(2025, 6, 30, 22, tzinfo=UTC)
    assert (found.policy, found.min_answers) == (3, 8)
    assert publish(record()) is None


def test_a_manager_of_the_whole_desk_publishes_too() -> None:
    assert publish(by=who("person:odette", manager=None))


@pytest.mark.parametrize(
    ("given", "by", "words"),
    [
        ({}, who("person:odette"), "only the owner of the survey, ghislaine"),
        ({}, who("person:odette", manager=()), "only the owner"),
        ({}, who(at=NOW - timedelta(hours=8)), "not over yet"),
        ({"to": "2025-06-15"}, who(), "give the first day of a month"),
        ({"from": "2025-06-02"}, who(), "give the first day of a month"),
        ({"to": "2025-06-01"}, who(), "`to` must be later"),
        ({"survey": "none"}, who(), "has no survey `none`"),
    ],
)
def test_a_publication_is_refused(
    given: dict[str, str], by: Publisher, words: str
) -> None:
    with pytest.raises(Refused, match=words):
        publish(by=by, given=given)


def test_no_day_is_published_twice() -> None:
    clients = {"survey": "clients"}
    spring = publish(given={**clients, "from": "2025-04-01", "to": "2025-06-01"})
    assert spring is not None

    with pytest.raises(Refused, match="from 2025-04-01 to 2025-06-01 are published"):
        publish(
            replay_record([spring]),
            given={**clients, "from": "2025-05-01", "to": "2025-06-15"},
        )


def action(held: SurveyRecord, given: Mapping[str, str] = NONE) -> SurveyActionOpened:
    command = OpenSurveyAction.model_validate({"survey": "voyageurs", **TASK, **given})
    return opened(command, held, who())


def test_an_action_is_on_time_until_the_end_of_its_last_day() -> None:
    found = action(record())

    assert (found.action, found.owner) == (1, "ghislaine")
    assert found.due_at == datetime(2025, 7, 11, 22, tzinfo=UTC)
    held = replay_record([*record().published, found])
    assert not held.actions[1].is_overdue(found.due_at - timedelta(seconds=1))
    assert held.actions[1].is_overdue(found.due_at)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"from": "2025-05-01"}, "no results are published that begin on this day"),
        ({"owner": "nobody"}, "`nobody` is in no team"),
        ({"due": "2025-06-30"}, "this day is over"),
    ],
)
def test_an_action_is_refused(given: dict[str, str], words: str) -> None:
    with pytest.raises(Refused, match=words):
        action(record(), given)


def test_an_action_is_done_once_by_its_owner() -> None:
    held = replay_record([*record().published, action(record())])
    command = CompleteSurveyAction(survey="voyageurs", action=1, note="called")
    found = done(command, held, who())

    assert found is not None
    after = replay_record([*record().published, action(record()), found])
    assert done(command, after, who()) is None
    assert not after.actions[1].is_overdue(NOW + timedelta(days=99))
    with pytest.raises(Refused, match="only the owner"):
        done(command, held, who("person:odette"))
    with pytest.raises(Refused, match="no action 2"):
        done(command.model_copy(update={"action": 2}), held, who())


MONTH = datetime(2025, 6, 30, 22, tzinfo=UTC)


@pytest.mark.parametrize(
    ("asked", "held", "after", "kinds"),
    [
        (False, UNPUBLISHED, timedelta(minutes=1), ["not_asked"]),
        (True, UNPUBLISHED, timedelta(days=13), []),
        (True, UNPUBLISHED, timedelta(days=14), ["not_published"]),
        (True, "published", timedelta(days=14), []),
        (None, UNPUBLISHED, timedelta(days=14), []),
    ],
)
def test_the_owner_is_warned_of_a_month_that_is_not_followed_up(
    asked: bool | None,
    held: SurveyRecord | str,
    after: timedelta,
    kinds: list[str],
) -> None:
    so_far = record() if held == "published" else UNPUBLISHED

    found = warnings("voyageurs", so_far, asked, who(at=MONTH + after))

    assert [(each.kind, each.owner) for each in found] == [
        (kind, "ghislaine") for kind in kinds
    ]


def test_an_overdue_action_is_warned_of_once() -> None:
    happened: list[SurveyResultEvent] = [*record().published, action(record())]
    then = who(at=NOW + timedelta(days=20))

    (warned,) = warnings("voyageurs", replay_record(happened), None, then)

    assert (warned.kind, warned.action) == ("action_overdue", 1)
    again = replay_record([*happened, warned])
    assert warnings("voyageurs", again, None, then) == []


def test_a_warning_is_settled_once_its_subject_is_followed_up() -> None:
    happened: list[SurveyResultEvent] = [*record().published, action(record())]
    (late,) = warnings(
        "voyageurs", replay_record(happened), None, who(at=NOW + timedelta(days=20))
    )
    unpublished = late.model_copy(update={"kind": "not_published", "action": None})
    unasked = late.model_copy(update={"kind": "not_asked", "start": MONTH})

    held = replay_record(happened)
    assert not held.is_settled(late)
    assert held.is_settled(unpublished)
    assert not held.is_settled(unasked)
    completed = done(
        CompleteSurveyAction.model_validate({"survey": "voyageurs", "action": 1}),
        held,
        who(),
    )
    assert completed is not None
    assert replay_record([*happened, completed]).is_settled(late)
