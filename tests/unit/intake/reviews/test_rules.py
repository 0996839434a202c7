"""Who may do what to a review, in which of its states."""

from datetime import UTC, datetime
from typing import Any

import pytest

from services.intake.reviews.context import Author
from services.intake.reviews.rules import decided, due_at, required
from services.intake.reviews.worker import warnings
from shared.domain.commands.review import BODIES
from shared.domain.events import AnyEvent
from shared.domain.events.review import ReviewEvent, ReviewPublished
from shared.domain.refusal import Refused
from shared.domain.review.facts import Logged, required_because
from shared.domain.review.possible import STATUSES
from shared.domain.review.state import Review, ReviewStatus, evolve, replay_review
from shared.messaging.commands import Scope
from tests.support.builders.reviews import BREACH, INC, NOW, about, incident_of, outage
from tests.support.policies import full

BODY: dict[str, dict[str, Any]] = {
    "open_review": {},
    "write_review": {"section": "summary", "text": "Le lien était coupé."},
    "choose_review_facts": {"left_out": [3]},
    "assign_review": {"owner": "ines"},
    "submit_review": {},
    "return_review": {"reason": "Les causes manquent"},
    "publish_review": {},
    "revise_review": {"reason": "Une date était fausse"},
    "open_review_action": {"owner": "jos", "due": "2025-07-11", "task": "Doubler"},
    "assign_review_action": {"action": 1, "owner": "ines", "reason": "Jos part"},
    "complete_review_action": {"action": 1},
    "drop_review_action": {"action": 1, "reason": "Le site ferme"},
}
TO_IN_REVIEW = ("open_review", "write_review", "submit_review")


def who(
    by: str = "person:tariq",
    *scopes: Scope,
    at: datetime = NOW,
    history: list[AnyEvent] | None = None,
) -> Author:
    incident = incident_of(history or outage())
    given = frozenset(scopes or ("agent",))
    return Author(by, at, given, full(), 1, incident, facts=(1, 3, 7), upto=9)


MANAGER = who("person:sylvie", "manager")


def decide(
    verb: str, held: Review | None, by: Author | None = None, **given: Any
) -> ReviewEvent | None:
    command = BODIES[verb].model_validate({**BODY[verb], **given})
    return decided(command, held, by or who())


def after(*verbs: str, by: Author = MANAGER) -> Review:
    held: Review | None = None
    for verb in verbs:
        event = decide(verb, held, by, **({"owner": "tariq"} if held is None else {}))
        assert event is not None
        held = evolve(held, event)
    assert held is not None
    return held


def refusal(
    verb: str, held: Review | None, by: Author | None = None, **given: Any
) -> Refused:
    with pytest.raises(Refused) as no:
        decide(verb, held, by, **given)
    return no.value


def test_every_command_has_an_example() -> None:
    assert BODY.keys() == BODIES.keys()


@pytest.mark.parametrize("verb", [verb for verb in BODIES if verb != "open_review"])
def test_nothing_is_possible_before_it_is_opened(verb: str) -> None:
    assert refusal(verb, None).code == "unknown_review"


_STATES = {
    ReviewStatus.DRAFT: ("open_review", "write_review"),
    ReviewStatus.IN_REVIEW: TO_IN_REVIEW,
    ReviewStatus.PUBLISHED: (*TO_IN_REVIEW, "publish_review"),
}


@pytest.mark.parametrize("status", ReviewStatus)
@pytest.mark.parametrize("body", STATUSES, ids=lambda body: body.verb)
def test_a_command_is_possible_in_one_status_only(
    body: Any, status: ReviewStatus
) -> None:
    held = after(*_STATES[status])
    given = {"text": "Une autre version"} if body.verb == "write_review" else {}
    if status is STATUSES[body]:
        assert decide(body.verb, held, MANAGER, **given) is not None
        return
    is_so = (body.verb, status) in {
        ("submit_review", ReviewStatus.IN_REVIEW),
        ("publish_review", ReviewStatus.PUBLISHED),
    }
    if is_so:
        assert decide(body.verb, held, MANAGER) is None
    else:
        assert refusal(body.verb, held, MANAGER, **given).code == "state"


def test_a_review_of_what_is_not_restored_cannot_be_opened() -> None:
    at_work = who(history=outage()[:3])
    cancelled = [*outage(), about("incident.cancelled", 99, reason="duplicate")]

    assert "restore it" in refusal("open_review", None, at_work).reason
    assert refusal("open_review", None, who(history=cancelled)).code == "state"


def test_it_is_opened_once_and_due_after_the_working_days_of_the_policy() -> None:
    held = after("open_review")

    assert decide("open_review", held) is None
    # Four working days after Monday, 30 June, are over at midnight of Friday.
    assert held.due_at == datetime(2025, 7, 4, 22, tzinfo=UTC)
    assert (held.owner, held.cause) == ("tariq", "by_hand")
    assert held.sections[0] == "summary"


_HOLIDAY = (
    ("    closed: [2025-05-02", "    holidays: [2025-07-21]\n    closed: [2025-05-02"),
)


@pytest.mark.parametrize(
    ("opened_at", "changes", "due"),
    [
        ("2025-07-04T08:00Z", (), "2025-07-10T22:00Z"),  # over a weekend
        ("2025-07-17T08:00Z", _HOLIDAY, "2025-07-24T22:00Z"),  # and the 21st
        (
            "2025-07-17T08:00Z",
            (*_HOLIDAY, ("calendar: jour, owner", "owner")),
            "2025-07-23T22:00Z",
        ),
        ("2025-06-30T22:30Z", (), "2025-07-07T22:00Z"),  # Tuesday already, at the desk
    ],
)
def test_days_on_which_nobody_works_do_not_count(
    opened_at: str, changes: tuple[tuple[str, str], ...], due: str
) -> None:
    policy = full(*changes)

    assert due_at(policy, datetime.fromisoformat(opened_at)) == datetime.fromisoformat(
        due
    )


def test_a_section_that_changed_meanwhile_is_not_overwritten() -> None:
    held = after("open_review", "write_review")

    no = refusal("write_review", held, text="Autre chose", after=0)

    assert (no.code, "revision 1" in no.reason) == ("state", True)
    assert decide("write_review", held, after=0) is None  # the same text, sent again
    assert decide("write_review", held, text="Autre chose", after=1) is not None
    assert refusal("write_review", held, section="nowhere").code == "unknown_section"


def test_only_facts_of_the_log_can_be_left_out() -> None:
    held = after("open_review")

    assert refusal("choose_review_facts", held, left_out=[3, 4]).field == "left_out"
    assert decide("choose_review_facts", held, left_out=[]) is None


def test_an_empty_draft_is_not_submitted() -> None:
    assert refusal("submit_review", after("open_review")).code == "state"


@pytest.mark.parametrize(
    ("by", "scope", "may"),
    [
        ("person:tariq", "agent", False),  # the owner of the review
        ("person:ghislaine", "agent", True),  # manages the team of the incident
        ("person:sylvie", "manager", True),
        ("person:root", "admin", True),
    ],
)
def test_a_manager_publishes(by: str, scope: Scope, *, may: bool) -> None:
    held = after(*TO_IN_REVIEW)
    if not may:
        assert refusal("publish_review", held, who(by, scope)).code == "role"
        return
    event = decide("publish_review", held, who(by, scope))
    assert isinstance(event, ReviewPublished)
    assert (event.edition, event.revisions, event.upto) == (1, {"summary": 1}, 9)


def test_an_edition_names_the_facts_that_were_not_left_out() -> None:
    held = after("open_review", "write_review", "choose_review_facts", "submit_review")

    event = decide("publish_review", held, MANAGER)

    assert isinstance(event, ReviewPublished)
    assert event.facts == (1, 7)


def test_a_correction_is_the_next_edition() -> None:
    held = after(*TO_IN_REVIEW, "publish_review", "revise_review")
    held = evolve(held, decide("write_review", held, text="Corrigé"))  # type: ignore[arg-type] # it is one
    held = evolve(held, decide("submit_review", held))  # type: ignore[arg-type] # as above
    held = evolve(held, decide("publish_review", held, MANAGER))  # type: ignore[arg-type] # as above

    first, second = held.editions
    assert (first.revisions, second.revisions) == ({"summary": 1}, {"summary": 2})
    assert held.text("summary", 1) == "Le lien était coupé."


@pytest.mark.parametrize("verb", ["assign_review", "revise_review"])
def test_only_the_owner_or_a_manager_assigns_and_revises(verb: str) -> None:
    held = after(*TO_IN_REVIEW, "publish_review")

    assert refusal(verb, held, who("person:jos")).code == "role"
    assert decide(verb, held, who("person:tariq")) is not None


WITH_ACTION = ("open_review", "open_review_action")


@pytest.mark.parametrize(
    ("by", "verb", "may"),
    [
        ("person:jos", "complete_review_action", True),  # its owner
        ("person:jos", "assign_review_action", True),
        ("person:jos", "drop_review_action", False),
        ("person:ines", "complete_review_action", False),  # somebody else
        ("person:ines", "assign_review_action", False),
        ("person:tariq", "drop_review_action", True),  # the owner of the review
        ("person:ghislaine", "drop_review_action", True),
    ],
)
def test_an_action_is_ended_by_who_answers_for_it(
    by: str, verb: str, *, may: bool
) -> None:
    held = after(*WITH_ACTION)
    if may:
        assert decide(verb, held, who(by)) is not None
    else:
        assert refusal(verb, held, who(by)).code == "role"


def test_an_action_that_ended_stays_ended() -> None:
    done = after(*WITH_ACTION, "complete_review_action")

    assert decide("complete_review_action", done) is None
    for verb in ("assign_review_action", "drop_review_action"):
        assert refusal(verb, done, MANAGER).code == "state"
    assert refusal("complete_review_action", done, action=2).code == "unknown_action"


@pytest.mark.parametrize(
    "given", [{"owner": "lefevre"}, {"due": "2025-06-29"}], ids=["stranger", "past"]
)
def test_an_action_is_for_somebody_of_the_desk_and_for_a_day_to_come(
    given: dict[str, Any],
) -> None:
    no = refusal("open_review_action", after("open_review"), **given)

    assert (no.code, no.field) == ("invalid", next(iter(given)))


def test_what_is_overdue_is_warned_of_once_and_again_after_a_new_day() -> None:
    held = after(*WITH_ACTION)
    late = datetime(2025, 7, 12, tzinfo=UTC)

    first = warnings(held, late)
    for event in first:
        held = evolve(held, event)

    assert [event.kind for event in first] == ["review_overdue", "action_overdue"]
    assert warnings(held, late) == []
    assert warnings(held, held.due_at.replace(day=1)) == []
    moved = decide("assign_review_action", held, MANAGER, due="2025-07-14")
    assert moved is not None
    held = evolve(held, moved)
    assert warnings(held, late) == []
    (again,) = warnings(held, datetime(2025, 7, 15, tzinfo=UTC))
    assert (again.action, again.owner) == (1, "ines")


def test_a_published_review_and_a_done_action_are_not_overdue() -> None:
    held = after(*TO_IN_REVIEW, "publish_review", "open_review_action")
    held = evolve(held, decide("complete_review_action", held))  # type: ignore[arg-type] # it is one

    assert warnings(held, datetime(2026, 1, 1, tzinfo=UTC)) == []


def logged(*events: AnyEvent) -> list[Logged]:
    return [Logged(number, event) for number, event in enumerate(events, 1)]


_BREACH = about("sla.breached", 60, "system:sla_watcher", **BREACH)


@pytest.mark.parametrize(
    ("history", "cause"),
    [
        (outage("p1"), "priority"),
        (outage("p3", _BREACH), "breached"),
        ([*outage("p3"), _BREACH], "breached"),  # noticed after it was resolved
        (outage("p3"), None),
        (outage("p1")[:-1], None),  # not resolved yet
        (
            [
                *outage("p1"),
                about(
                    "incident.reopened", 99, cycle=2, cause="user", after_closure=False
                ),
            ],
            None,
        ),
    ],
)
def test_the_policy_requires_reviews_of_what_is_resolved(
    history: list[AnyEvent], cause: str | None
) -> None:
    assert required_because(full(), logged(*history)) == cause
    without = full(("required_for: [p1, breached], ", ""))
    assert required_because(without, logged(*history)) is None


def test_a_required_review_is_for_its_owner_in_the_policy_or_the_manager() -> None:
    author = who("system:intake")

    assert required(author, "priority").owner == "ghislaine"
    assert replay_review([required(author, "breached")]) is not None
    assert required(author, "breached").incident == INC
