"""Sentry's legacy webhook plug-in: one event of an issue, never a recovery.

https://docs.sentry.io/organization/integrations/integration-platform/webhooks/ replaces
it; its code was at https://github.com/getsentry/sentry-webhooks.

The issue is the dedup key; the id of the event is the event id.
"""

from collections.abc import Mapping

from services.intake.signals.formats.elements.fields import (
    first_text,
    inner,
    instant,
    rendered,
    text,
    texts,
    title_of,
)
from services.intake.signals.formats.elements.severities import severity_of
from services.intake.signals.formats.elements.upstream_alert import (
    InboundDocument,
    UpstreamAlert,
    signal_of,
)
from services.intake.signals.schemas import Heard, Rejected

_TOLD = ("project_name", "culprit", "message", "url", "logger", "triggering_rules")
_PAIR = 2


def read(document: object, post: InboundDocument) -> list[Heard]:
    """Return the single event in a body of the plug-in."""
    if not isinstance(document, dict):
        return [
            Rejected(0, "this is not a webhook of Sentry: a JSON object is expected")
        ]
    issue, event = text(document.get("id")), inner(document, "event")
    if issue is None:
        return [Rejected(0, "an event names its issue", ("id",))]
    message = text(event.get("event_id"))
    told = UpstreamAlert(
        event_id=(message,) if message else (),
        key=("issue", issue),
        action="trigger",
        title=title_of(
            document.get("message"),
            inner(event, "metadata").get("title"),
            event.get("title"),
            document.get("culprit"),
        ),
        severity=severity_of(document.get("level")),
        at=instant(event.get("received")) or instant(event.get("timestamp")),
        labels={
            **tags_of(event.get("tags")),
            **texts(document, severity="level"),
            **_project(document),
        },
        details=rendered({name: document[name] for name in _TOLD if name in document}),
    )
    return [signal_of(told, post)]


def tags_of(said: object) -> dict[str, str]:
    """Return the tags of an event, which are pairs, as labels."""
    return {
        name: value
        for pair in (said if isinstance(said, list) else [])
        if isinstance(pair, list) and len(pair) == _PAIR
        if (name := text(pair[0])) and (value := text(pair[1]))
    }


def _project(document: Mapping[str, object]) -> dict[str, str]:
    project = first_text(document, "project_slug", "project")
    return {"project": project} if project else {}
