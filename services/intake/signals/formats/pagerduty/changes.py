"""PagerDuty change events: something was deployed or configured, nothing is broken.

https://developer.pagerduty.com/docs/events-api-v2/send-change-events/

They do not open incidents. Incidents of the same service show recent changes.
"""

from collections.abc import Mapping
from typing import Any

from services.intake.records.signal import SERVICE_MAX
from services.intake.signals.formats.elements.fields import instant, labels_of, one_line
from services.intake.signals.formats.elements.upstream_alert import InboundDocument
from services.intake.signals.schemas import Change, Heard, Ignored, Rejected
from shared.domain.bounded_text import TITLE_MAX

LINKS_MAX = 10
HREF_MAX = 2_000


def read(document: object, post: InboundDocument) -> list[Heard]:
    """Return the change, or why the body does not contain one."""
    payload = document.get("payload") if isinstance(document, dict) else None
    if not isinstance(document, dict) or not isinstance(payload, dict):
        return [Rejected(0, "a change event has a summary", ("payload",))]
    summary = payload.get("summary")
    title = one_line(summary, TITLE_MAX) if isinstance(summary, str) else ""
    if not title:
        return [Rejected(0, "is missing or blank", ("payload", "summary"))]
    reason = "a change opens nothing; incidents of its service show it"
    return [
        Ignored(
            0,
            reason,
            title=title,
            event_id=post.event_id,
            change=_change(title, payload, document.get("links")),
        )
    ]


def _change(summary: str, payload: Mapping[str, Any], links: object) -> Change:
    labels = labels_of(payload.get("custom_details"), source=payload.get("source"))
    return Change(
        summary,
        instant(payload.get("timestamp")),
        one_line(labels.get("service", ""), SERVICE_MAX) or None,
        labels,
        tuple(_links(links)),
    )


def _links(said: object) -> list[dict[str, str]]:
    """Return the links with web addresses; others, such as scripts, are dropped."""
    found: list[dict[str, str]] = []
    for each in said if isinstance(said, list) else []:
        href = each.get("href") if isinstance(each, dict) else None
        if not isinstance(href, str) or len(href) > HREF_MAX:
            continue
        if not href.startswith(("https://", "http://")) or not href.isprintable():
            continue
        text = each.get("text")
        link = {"href": href}
        if isinstance(text, str) and text.strip():
            link["text"] = one_line(text, TITLE_MAX)
        found.append(link)
    return found[:LINKS_MAX]
