"""The table of actions on an incident: each form, and the command that it sends.

Which of them a page offers is what the API says in `actions` of the incident.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

from services.projections.web.actions import Action, Field, Following
from services.projections.web.api_client import ApiClient, person_of

_REASON = Field("reason", "line", required=True)
_WHY = Field("reason", "line")
_NOTE = Field("note", "words")
_FOR = ("15m", "30m", "1h", "2h", "4h", "24h")
"""Durations that are offered for what has to wait."""
_RELATIONS = ("related", "caused_by", "causes", "problem", "change", "record")
_IMPACTS = ("high", "medium", "low")
_PRIORITIES = ("p1", "p2", "p3", "p4")
_SPOKEN = ("phone", "in_person", "chat", "email")
"""How an agent may have told a user without the desk."""
_CANCELLED_FOR = ("not_an_incident", "duplicate", "withdrawn", "test")

_ACKNOWLEDGE = "acknowledge"
_ASSIGN = "assign"
ASSIGN_TO_ME = Action(
    "assign_to_me", key="m", command=_ASSIGN, then=(Following(_ACKNOWLEDGE),)
)
TAKE_OVER = Action("accept", key="c", then=(Following(_ACKNOWLEDGE),))
"""As it is sent, the incident is assigned to the visitor as well; see `as_sent`."""
TAKE_ON = (
    TAKE_OVER,
    Action(_ACKNOWLEDGE, key="a"),
    ASSIGN_TO_ME,
    Action("resume"),
)
TELL = (
    Action("inform", (Field("message", "words", required=True),), key="r"),
    Action(
        "ask",
        (Field("question", "words", required=True),),
        key="q",
        command="pause",
        fixed=(("reason", "user"),),
    ),
    Action(
        "told",
        (
            Field("person", "choice", required=True),
            Field("channel", "choice", True, _SPOKEN),
            Field("words", "words"),
        ),
        command="attach",
        fixed=(("direction", "outbound"),),
        versioned=False,
    ),
    Action("note", (Field("note", "words", required=True),), key="n", versioned=False),
)
PASS_ON = (
    Action("assign", (Field("team", "choice"), Field("assignee", "person"), _WHY), "s"),
    Action("escalate", (_REASON, Field("team", "choice"))),
)
END = (
    Action(
        "resolve",
        (
            _NOTE,
            Field("solution_note", "words"),
            Field("solution", "reference", rare=True),
            Field("cause_removed", "flag", rare=True),
            Field("force", "flag", rare=True),
            Field("reason", rare=True),
        ),
        key="e",
    ),
    Action("reopen", (_WHY,)),
    Action("close", (_NOTE,)),
)
GROUPS = (TAKE_ON, TELL, PASS_ON, END)
"""What agents do all day, in the order in which it is offered."""
FIRST = tuple(chain.from_iterable(GROUPS))
MORE = (
    Action("restore", (Field("workaround", "flag"), _NOTE)),
    Action("relapse", (_WHY,)),
    Action("return", (_REASON,)),
    Action(
        "pause",
        (Field("reason", "choice", True, ("vendor", "change", "problem")),),
    ),
    Action(
        "extensions",
        (
            Field("new_due_at", "instant", required=True),
            _REASON,
            Field("answer_by", "instant"),
        ),
    ),
    Action(
        "remind",
        (Field("for", "choice", choices=_FOR), Field("at", "instant"), _NOTE),
        versioned=False,
    ),
    Action(
        "link",
        (
            Field("relation", "choice", True, _RELATIONS),
            Field("target", "reference", required=True),
        ),
        versioned=False,
    ),
    Action("merge", (Field("into", "reference", required=True),)),
    Action("unmerge"),
    Action(
        "split",
        (
            Field("title", "line", required=True),
            Field("reporter", "choice"),
            Field("signal_keys", "several"),
        ),
    ),
    Action(
        "classify",
        (
            Field("service"),
            Field("category"),
            Field("client"),
            Field("impact", "choice", choices=_IMPACTS),
            Field("urgency", "choice", choices=_IMPACTS),
            Field("priority", "choice", choices=_PRIORITIES),
            _WHY,
        ),
    ),
    Action("edit", (Field("title"), Field("description", "words"))),
    Action("solution", (Field("note", "words", required=True),)),
    Action("snooze", (Field("for", "choice", True, _FOR), _REASON)),
    Action("wake"),
    Action("cancel", (Field("reason", "choice", True, _CANCELLED_FOR), _NOTE)),
    Action(
        "redirect",
        (
            Field("to", "choice", required=True),
            Field("message", "words", required=True),
        ),
    ),
)
"""What is needed less often."""
UNLINK = Action(
    "unlink",
    (Field("relation", required=True), Field("target", "reference", required=True)),
    versioned=False,
)
UNREMIND = Action("unremind", (Field("number", required=True),), versioned=False)
BESIDE = (UNLINK, UNREMIND)
"""Beside each link and reminder, not among the forms: nobody types what is shown."""
ACTIONS = (*FIRST, *MORE, *BESIDE)


def group_of(action: Action) -> int:
    """Return the place of an action's group; the last is of what is rarely needed."""
    found = (at for at, group in enumerate(GROUPS) if action in group)
    return next(found, len(GROUPS))


def offered(actions: Sequence[Action], possible: Collection[str]) -> tuple[Action, ...]:
    """Return the actions whose command is possible now, as the API says.

    Who accepts an incident acknowledges it with the same press.
    """
    accepts = "accept" in possible
    return tuple(
        each
        for each in actions
        if each.path in possible and not (accepts and each.verb == _ACKNOWLEDGE)
    )


@dataclass(frozen=True, slots=True)
class Choices:
    """What forms offer to choose from; `destinations` with the names users read."""

    teams: Sequence[str]
    destinations: Mapping[str, str]
    me: str | None = None
    """The person for whom the page is; None for a machine's token."""


def adapted(
    action: Action, incident: Mapping[str, Any], given: Choices, zone: str
) -> Action | None:
    """Return an action with the choices that an incident gives, and the zone.

    None if a field that it needs has nothing to choose from, or if another action
    gives the incident to the visitor.
    """
    if action is ASSIGN_TO_ME:
        return as_sent(action, given.me) if _may_be_mine(incident, given.me) else None
    choices = {
        "team": tuple(given.teams),
        "to": tuple(given.destinations),
        "person": tuple(incident["reporters"]),
        "reporter": tuple(incident["reporters"]),
        "signal_keys": tuple(incident["signals"]),
    }
    fields = tuple(
        replace(
            field,
            zone=zone,
            choices=field.choices or choices.get(field.name, ()),
            texts=given.destinations if field.name == "to" else {},
        )
        for field in action.fields
    )
    if not incident["reporters"]:
        fields = tuple(_of_anybody(each) for each in fields)
    if any(each.required and not _has_choice(each) for each in fields):
        return None
    return replace(action, fields=tuple(f for f in fields if _has_choice(f)))


def as_sent(action: Action, me: str | None) -> Action:
    """Return an action as the visitor gives it: what is theirs is assigned to them."""
    to_me = (("assignee", me or ""),)
    if me is None:
        return action
    if action is ASSIGN_TO_ME:
        return replace(action, fixed=to_me)
    if action is TAKE_OVER:
        return replace(action, then=(*action.then, Following(_ASSIGN, to_me)))
    return action


async def sent_by(client: ApiClient, action: Action) -> Action:
    """Return an action as the visitor gives it."""
    if action not in (ASSIGN_TO_ME, TAKE_OVER):
        return action
    return as_sent(action, visitor_id(await client.get("/v1/me", {})))


def visitor_id(me: Mapping[str, Any]) -> str | None:
    """Return the visitor's id, None for a machine."""
    actor = me["actor"]
    return person_of(actor) if actor.startswith("person:") else None


def _may_be_mine(incident: Mapping[str, Any], me: str | None) -> bool:
    """Return whether the visitor does not have the incident, and has to ask for it."""
    verbs = incident["actions"]
    if me is None or incident["assignee"] == me or "accept" in verbs:
        return False
    takes = acknowledging(incident, verbs, me) == _ACKNOWLEDGE
    return not (takes and _ACKNOWLEDGE in verbs)


def _of_anybody(field: Field) -> Field:
    """Return a field for a person among all, where nobody reported the incident."""
    return replace(field, control="person") if field.name == "person" else field


def _has_choice(field: Field) -> bool:
    return field.control not in ("choice", "several") or bool(field.choices)


def acknowledging(of: Mapping[str, Any], verbs: Collection[str], me: str) -> str:
    """Return what an acknowledgement by `me` does, by the name of its words.

    `of` is an incident or its row, `verbs` what is possible. Above N1 it is left to the
    people who are sought for; they take it on by acknowledging it, too.
    """
    if of["assignee"] not in {None, me} or of["accepted_by"] not in {None, me}:
        return "acknowledge_for_other"
    has_it = me in {of["assignee"], of["accepted_by"]}
    if of["level"] == "n1" or has_it or "accept" in verbs:
        return "acknowledge"
    return "acknowledge_only"
