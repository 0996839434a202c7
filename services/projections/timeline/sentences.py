"""An event in words for an agent, made when it is read: storage holds no prose.

A sentence is a list of parts. A part is said if all the fields it names hold something;
a part in a pair is said if its first, a field, does.
"""

from collections.abc import Mapping
from string import Formatter
from typing import Any

Part = str | tuple[str, str]

ENGLISH: Mapping[str, tuple[Part, ...]] = {
    "incident.opened": (
        "{who} opened the incident “{title}”",
        "on service {service}",
        "(the source calls it {claimed_service})",
        "with priority {priority}",
        "for team {team}",
        "as reported by {reporter}",
        ("override", "; its priority was set by hand"),
        ", because: {override_reason}",
        "; recorded late, because: {backdated_because}",
        "; split off {split_from}",
        "; the same trouble as {follows} before",
    ),
    "incident.contacted": (
        "{who} noted a contact, {direction} by {channel}, with {person}",
        ": “{words}”",
    ),
    "incident.classified": (
        "{who} classified it: service {service}, impact {impact}, urgency {urgency}",
        ", priority {priority}",
        ("override", "set by hand"),
        ", category {category}",
        ", client {client}",
        ", because: {reason}",
    ),
    "incident.assigned": ("{who} gave it to team {team}", ", to {assignee}"),
    "incident.acknowledged": ("{who} took it on",),
    "incident.paused": (
        "{who} paused it, waiting for the {reason}",
        ", and asked: “{question}”",
    ),
    "incident.resumed": ("{who} ended the pause ({cause})",),
    "incident.informed": ("{who} told the user: “{message}”",),
    "incident.restored": (
        "{who} noted that service is back",
        ("workaround", ", by a workaround"),
        ": {note}",
    ),
    "incident.relapsed": ("{who} noted that service is down again", ": {reason}"),
    "incident.resolved": ("{who} resolved it", ": {note}"),
    "incident.reopened": (
        "{who} reopened it",
        ("after_closure", "after it was closed"),
        "({cause}, cycle {cycle})",
        ": {reason}",
    ),
    "incident.closed": ("{who} closed it", ": {note}"),
    "incident.cancelled": ("{who} cancelled it ({reason})", ": {note}"),
    "incident.signalled": (
        "{source} signalled it",
        "with severity {severity}",
        "(repeats: {repeats})",
    ),
    "incident.recovered": ("{source} sent a recovery", "(repeats before: {repeats})"),
    "incident.source_acknowledged": ("It was acknowledged at {source}",),
    "incident.linked": ("{who} linked it to {target} ({relation})",),
    "incident.unlinked": ("{who} removed its link to {target} ({relation})",),
    "incident.merged": ("{who} merged it into {into}",),
    "incident.absorbed": ("{who} merged {merged} into it",),
    "incident.unmerged": ("{who} took it out of {out_of} again",),
    "incident.released": ("{who} took {merged} out of it again",),
    "incident.split": ("{who} split {into} off it",),
}


def sentence(
    kind: str,
    actor: str,
    what: Mapping[str, Any],
    sentences: Mapping[str, tuple[Part, ...]] = ENGLISH,
) -> str:
    """Return what happened as a sentence; an unknown kind is named as it is."""
    values = {name: _shown(name, value) for name, value in what.items() if value}
    values["who"] = actor.partition(":")[2]
    parts = sentences.get(kind, ("{who}: " + kind,))
    whole = ""
    for text in filter(None, (_said(part, values) for part in parts)):
        whole = _joined(whole, text)
    return whole if whole.rstrip("”").endswith((".", "!", "?", "…")) else f"{whole}."


def _joined(before: str, text: str) -> str:
    """Add a part; one that begins with a mark stands close to the word before."""
    if text.startswith((":", ";", ",")):
        return before.removesuffix(".") + text
    return f"{before} {text}" if before else text


def _said(part: Part, values: Mapping[str, str]) -> str | None:
    match part:
        case (flag, text):
            return text if flag in values else None
        case text:
            named = {name for _, name, _, _ in Formatter().parse(text) if name}
            return text.format_map(values) if named <= values.keys() else None


def _shown(name: str, value: object) -> str:
    return str(value).upper() if name == "priority" else str(value)
