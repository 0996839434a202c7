"""What the page of an incident shows: forms that are offered, lines of its timeline."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import compress, groupby
from typing import Any, Literal, NamedTuple

from starlette.requests import Request

from services.projections.timeline.categories import CATEGORIES
from services.projections.web.actions import Action, Draft, new_draft
from services.projections.web.incident.actions import (
    ACTIONS,
    ASSIGN_TO_ME,
    FIRST,
    Choices,
    adapted,
    group_of,
    offered,
)

SHOWN = ("all", *CATEGORIES)
"""What a timeline can be limited to."""
MEANWHILE_MAX = 10
FOLDED_MIN = 3
"""How many lines of monitoring, or about messages, in a row are shown as one."""
_NOTE_SHOWN = 80
Line = Mapping[str, Any]
About = Literal["monitoring", "messages"]


def shown_of(asked: str) -> str:
    """Return what a timeline is limited to; all of it for an unknown filter."""
    return asked if asked in SHOWN else "all"


def meanwhile(lines: Sequence[Line], version: str) -> list[Line]:
    """Return what changed the incident after a version, the newest first."""
    if not version.isdecimal():
        return []
    own = (line for line in lines if line["kind"].startswith("incident."))
    return [line for line in own if line["version"] > int(version)][:MEANWHILE_MAX]


class Folded(NamedTuple):
    """Lines of a timeline that are shown as one, until somebody opens it."""

    id: str
    about: About
    lines: Sequence[Line]


def folded(
    lines: Sequence[Line], shown: str = "all", apart: Collection[int] = ()
) -> list[Line | Folded]:
    """Return the lines, with several in a row that say the same kind of thing as one.

    That is what monitoring said, and messages on their way: they bury the story. One
    that did not arrive is part of it, and so are all if only messages are `shown`, and
    the positions `apart`.
    """

    def about_of(line: Line) -> About | None:
        return None if line["position"] in apart else _foldable(line)

    found: list[Line | Folded] = []
    for about, run in groupby(lines, key=about_of):
        together = list(run)
        if about is None or about == shown or len(together) < FOLDED_MIN:
            found += together
        else:
            # The oldest: others join it at the other end.
            position = together[-1]["position"]
            found.append(Folded(f"folded-{position}", about, together))
    return found


_ABOUT_A_PROMISE = frozenset(
    {
        "sla.armed",
        "sla.cancelled",
        "sla.continued",
        "sla.met",
        "sla.overran",
        "sla.paused",
        "sla.resumed",
        "sla.retargeted",
        "sla.warned",
    }
)
"""What is decided about a promise by its contract and the clock. That one was broken,
and what people say about it, is part of the story."""


def by_promise(
    lines: Sequence[Line], targets: Collection[str], shown: str = "all"
) -> Mapping[str, Sequence[Line]]:
    """Return the lines that stand under a promise instead of in the timeline.

    They are those about the promises that the page draws, by target, unless the
    timeline is limited to something else.
    """
    found: dict[str, list[Line]] = {}
    for line in lines if shown == "all" else ():
        target = line["what"].get("target")
        if line["kind"] in _ABOUT_A_PROMISE and target in targets:
            found.setdefault(target, []).append(line)
    return found


MESSAGES_SHOWN = 3
"""How many messages are told beside what they report; all of them if it is opened."""


def by_cause(lines: Sequence[Line], shown: str = "all") -> Mapping[int, Sequence[Line]]:
    """Return the lines about messages that stand under the line of what they report.

    They are given by its position. A message that did not arrive has a line of its own,
    and so has every one if the timeline is limited to something.
    """
    there = {line["position"] for line in lines}
    found: dict[int, list[Line]] = {}
    for line in lines if shown == "all" else ():
        message = line["message"]
        if message and message["reports"] in there and _foldable(line) == "messages":
            found.setdefault(message["reports"], []).append(line)
    return found


_REPEATED = frozenset({"escalation.exhausted"})
"""What is decided at intervals and counted, until somebody does something."""


def by_repetition(
    lines: Sequence[Line], shown: str = "all"
) -> Mapping[int, Sequence[Line]]:
    """Return the lines that a newer one repeats, by the position of the newest.

    `lines` are given newest first. A line repeats one of the same cycle, level and team
    with a smaller number: where the count began again, somebody had done something. If
    the timeline is limited to something, nothing is left out of its place.
    """
    newest: dict[tuple[object, ...], tuple[int, int]] = {}
    found: dict[int, list[Line]] = {}
    for line in lines if shown == "all" else ():
        if line["kind"] not in _REPEATED or line["unreadable"]:
            continue
        what = line["what"]
        said = (line["kind"], what["cycle"], what["level"], what["team"])
        head, number = newest.get(said, (line["position"], what["number"]))
        if what["number"] < number:
            found.setdefault(head, []).append(line)
        else:
            head = line["position"]
        newest[said] = (head, what["number"])
    return found


LINES_SHOWN = 3
"""How many lines of a timeline a telephone shows before it is asked for more."""


def shown_at_once(lines: Sequence[Line | Folded]) -> int:
    """Return how many lines are not folded: all, if a fold would have next to none."""
    few = LINES_SHOWN + FOLDED_MIN
    return LINES_SHOWN if len(lines) >= few else len(lines)


_TURNS = frozenset(
    {
        "incident.opened",
        "incident.reopened",
        "incident.resolved",
        "incident.restored",
    }
)
"""What is part of the story, also if monitoring said it."""


def _foldable(line: Line) -> About | None:
    kind = str(line["kind"])
    if str(line["actor"]).startswith("source:"):
        return None if kind in _TURNS else "monitoring"
    arrives = kind.startswith("notification.") and kind != "notification.failed"
    return "messages" if arrives else None


@dataclass(frozen=True, slots=True)
class Changes:
    """What happened to the incident after the version that an open form is about."""

    version: int
    """The version now."""
    lines: Sequence[Line]
    """What others did, the newest first."""
    are_own: bool
    """Whether the visitor did all of it, and has therefore seen it."""


def changes_since(
    lines: Sequence[Line], seen: str, version: int, actor: str
) -> Changes | None:
    """Return what happened after a version; None if nothing did.

    `lines` are those of the timeline: one that is not among them is not one's own.
    """
    if not seen.isdecimal() or int(seen) >= version:
        return None
    later = [
        line
        for line in lines
        if line["kind"].startswith("incident.") and line["version"] > int(seen)
    ]
    others = [line for line in later if line["actor"] != actor]
    known = {line["version"] for line in later}
    are_own = not others and known >= set(range(int(seen) + 1, version + 1))
    return Changes(version, others[:MEANWHILE_MAX], are_own)


@dataclass(frozen=True, slots=True)
class Refused:
    """An action that was not accepted: its form as it was sent, and the status."""

    action: Action
    draft: Draft
    status: int

    @property
    def seen(self) -> str:
        """The version that the visitor saw."""
        return self.draft.version

    def about(self, version: int) -> "Refused":
        """Return the form about what is shown now, if the incident has changed."""
        if not self.draft.conflict:
            return self
        return replace(self, draft=replace(self.draft, version=str(version)))


@dataclass(frozen=True, slots=True)
class OfferedForm:
    """A form on the page: `is_first` if it is one of those that are needed often.

    `begins_group`: those before it are for something else.
    """

    action: Action
    draft: Draft
    is_open: bool
    is_first: bool
    begins_group: bool


def not_now(
    incident: Mapping[str, Any], offers: Iterable[OfferedForm]
) -> Mapping[str, Sequence[str]]:
    """Return which everyday actions are not possible now, by why, as the API says."""
    shown = {form.action.verb for form in offers}
    found: dict[str, list[str]] = {}
    for action in FIRST:
        why = incident["refused"].get(action.path)
        if why and action.verb not in shown and action is not ASSIGN_TO_ME:
            found.setdefault(why, []).append(action.verb)
    return found


RECIPIENTS_SHOWN = 5


def first_recipients(
    recipients: Sequence[Mapping[str, Any]],
) -> Sequence[Mapping[str, Any]]:
    """Return those to show: whom a message does not reach before all others."""
    ordered = sorted(recipients, key=lambda each: not _is_doubtful(each))
    return ordered[:RECIPIENTS_SHOWN]


def _is_doubtful(recipient: Mapping[str, Any]) -> bool:
    return bool(recipient["why_not"] or recipient["last_failure"] is not None)


_PREFILLED = {
    "edit": ("title", "description"),
    "classify": ("service", "category", "client"),
}
"""Fields that begin with what the incident has. Impact, urgency and priority do not:
to send them, even unchanged, sets the priority again."""


def current_values(action: Action, incident: Mapping[str, Any]) -> Mapping[str, str]:
    """Return what the fields of a form begin with: what is to be changed."""
    names = _PREFILLED.get(action.verb, ())
    return {name: str(incident[name]) for name in names if incident.get(name)}


def proposed_references(
    candidates: Sequence[Mapping[str, Any]], solutions: Sequence[Mapping[str, Any]]
) -> Mapping[str, Sequence[tuple[str, str]]]:
    """Return the references that the fields of forms propose, each with a text."""
    like = [(one["incident"]["ref"], one["incident"]["title"]) for one in candidates]
    is_at_work = [one["at_work"] for one in candidates]
    at_work = list(compress(like, is_at_work))
    noted = [(one["incident"], one["note"][:_NOTE_SHOWN]) for one in solutions]
    return {"into": at_work, "target": like, "solution": noted}


def offered_forms(
    request: Request,
    incident: Mapping[str, Any],
    choices: Choices,
    zone: str,
    refused: Refused | None,
) -> list[OfferedForm]:
    """Return the forms of all possible actions, and of the one that was refused.

    A link may open a form with some of its fields filled in: `?do=merge&into=INC-…`.
    """
    possible = [each.verb for each in offered(ACTIONS, incident["actions"])]
    wanted = request.query_params.get("do", "")
    empty = new_draft(request, incident["version"])
    forms: list[OfferedForm] = []
    group = None
    for action in ACTIONS:
        sent = refused if refused and refused.action.verb == action.verb else None
        shown = adapted(action, incident, choices, zone)
        if shown is None and sent is not None:
            shown = sent.action
        if shown is None or (action.verb not in possible and sent is None):
            continue
        draft = sent.about(incident["version"]).draft if sent else empty
        if sent is None:
            draft = replace(draft, values=current_values(action, incident))
        if sent is None and action.verb == wanted:
            draft = replace(draft, values=dict(request.query_params))
        forms.append(
            OfferedForm(
                shown,
                draft,
                is_open=sent is not None or action.verb == wanted,
                is_first=action in FIRST,
                begins_group=group not in (None, group_of(action)),
            )
        )
        group = group_of(action)
    return forms
