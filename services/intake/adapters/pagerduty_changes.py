"""PagerDuty's change events: something was deployed or configured, nothing is broken.

https://developer.pagerduty.com/docs/events-api-v2/send-change-events/

They open nothing. The body is kept as every body is, and the answer to who asks for its
event id says so.
"""

from services.intake.adapters.cutting import one_line
from services.intake.adapters.post import Post
from services.intake.signals import Heard, Ignored, Rejected
from shared.texts import TITLE_MAX


def read(document: object, post: Post) -> list[Heard]:
    """Return what is said of a change, or why it is none."""
    payload = document.get("payload") if isinstance(document, dict) else None
    if not isinstance(payload, dict):
        return [Rejected(0, "a change event has a summary", ("payload",))]
    summary = payload.get("summary")
    title = one_line(summary, TITLE_MAX) if isinstance(summary, str) else ""
    if not title:
        return [Rejected(0, "is missing or blank", ("payload", "summary"))]
    reason = "a change opens nothing; its body is kept"
    return [Ignored(0, reason, title=title, event_id=post.event_id)]
