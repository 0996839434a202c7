"""The native format: one event or an array of events.

`{"event_id"?, "dedup_key"?, "action", "title", "severity"?, "source"?, "service"?,
"occurred_at"?, "labels"?: {}, "details"?: {}, "links"?: []}`. Without a dedup key, one
is derived from source, service and title. The sender reads our answer, so nothing is
altered: an event with an unknown field or an overlong text is rejected, and the others
are taken.
"""

from collections.abc import Mapping
from typing import Any, get_args

from services.intake.records.signal import Action, Signal, default_dedup_key
from services.intake.signals.formats.elements.fields import details_text
from services.intake.signals.formats.elements.upstream_alert import InboundDocument
from services.intake.signals.schemas import Heard, Rejected, signal_from

LINKS_MAX = 32


def read(document: object, post: InboundDocument) -> list[Heard]:
    """Return a signal or a rejection for each event.

    The idempotency key of the request serves as id for events without one: unchanged
    for a single event, followed by the index in an array.
    """
    if not isinstance(document, list):
        return [_read(document, 0, post.event_id, post)]
    return [_read(each, n, post.id_of(n), post) for n, each in enumerate(document)]


def _read(
    element: object, index: int, event_id: str | None, post: InboundDocument
) -> Signal | Rejected:
    source = post.source
    if not isinstance(element, dict):
        return Rejected(index, "an event is a JSON object: see the native format")
    fields: dict[str, Any] = {**element, "source": source}
    wrong = _wrong(element)
    if wrong:
        return Rejected(index, *wrong)
    if fields.get("event_id") is None:
        fields["event_id"] = event_id
    origin = element.get("source")
    if origin is not None and origin != source:
        fields["labels"] = {"source": origin, **(element.get("labels") or {})}
    if fields.get("dedup_key") is None:
        fields["dedup_key"] = default_dedup_key(
            origin or source, element.get("service"), element.get("title")
        )
    said = {
        name: value
        for name in ("details", "links")
        if (value := fields.pop(name, None))
    }
    if said:
        fields["details"] = details_text(said)
    if fields.get("labels", {}) is None:
        del fields["labels"]
    return signal_from(fields, index, post.received_at)


def _wrong(element: Mapping[str, Any]) -> tuple[str, tuple[str, ...]] | None:
    """Return what is wrong with the fields that a signal does not have as such."""
    if element.get("action") not in (None, *get_args(Action)):
        return "Input should be 'trigger', 'acknowledge' or 'resolve'", ("action",)
    origin, labels = element.get("source"), element.get("labels")
    details, links = element.get("details"), element.get("links")
    if origin is not None and not isinstance(origin, str):
        return "`source` is a text", ("source",)
    if labels is not None and not isinstance(labels, dict):
        return "`labels` is an object of texts", ("labels",)
    if details is not None and not isinstance(details, dict):
        return "`details` is an object", ("details",)
    if links is not None and not (isinstance(links, list) and len(links) <= LINKS_MAX):
        return f"`links` is an array of at most {LINKS_MAX}", ("links",)
    return None
