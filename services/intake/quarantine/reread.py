"""A quarantined element read again: by today's adapter, as of when it came. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from services.intake.adapters.choosing import adapter_for, zone_of
from services.intake.adapters.cloud_headers import CONTENT_TYPE
from services.intake.adapters.post import Post
from services.intake.adapters.telling import error_of
from services.intake.delivery import Delivery, Settles
from services.intake.reading import elements, read_json, read_kept
from services.intake.reception import NOBODY, REFUSED_SENDER, UNREADABLE
from services.intake.signals import Heard, Rejected, Signal
from shared.domain.policy.sources import Source
from shared.http.problem_details import HttpError

NATIVE = "native"


@dataclass(frozen=True, slots=True)
class Kept:
    """An element as it waits: `elements` is as how many its body was read then."""

    id: int
    source: str
    adapter: str
    received_at: datetime
    element: int
    elements: int | None
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    """Those its format reads."""
    event_id: str | None = None
    """The idempotency key it came under."""
    in_turn: bool = False
    """Nothing of its key was taken since it came: all that came later waits behind."""


def reread(kept: Kept, said: Source | None, by: str) -> Delivery | str:
    """Return what is to be taken in its stead, or why it can still not be mapped.

    A body that was kept as a whole may now be several elements: all of them are taken.
    """
    heard = read_again(kept, said)
    if isinstance(heard, str):
        return heard
    is_whole = kept.elements == 1
    if not is_whole and kept.elements not in {None, len(heard)}:
        return (
            f"its body was read as {kept.elements} elements and is now as "
            f"{len(heard)}: which of them it is cannot be told"
        )
    if kept.element >= len(heard):
        return "its body has no such element any more"
    if is_whole:
        first, taken = 0, heard
    else:
        first, taken = kept.element, heard[kept.element : kept.element + 1]
    if len(taken) == 1 and isinstance(taken[0], Rejected):
        return error_of(taken[0])
    return Delivery(
        kept.source,
        kept.adapter,
        kept.body,
        first,
        tuple(_named(each, kept, n) for n, each in enumerate(taken, start=first)),
        kept.received_at,
        elements=len(heard),
        settles=Settles(kept.id, by),
        headers=kept.headers,
        event_id=kept.event_id,
    )


def read_again(kept: Kept, said: Source | None) -> Sequence[Heard] | str:
    """Return what the adapter of a body makes of it, or why it makes nothing."""
    if kept.adapter == UNREADABLE and kept.source == NOBODY:
        return "it came from no source: send it again with the key of one"
    # What came over NATS and was not read would have been in our own format.
    name = kept.adapter
    if name in (UNREADABLE, REFUSED_SENDER):
        name = NATIVE
    adapter = adapter_for(name, said)
    if adapter is None:
        return f"the policy does not say how to read `{kept.source}`: give it a mapping"
    try:
        document = _document(name, kept)
    except HttpError as problem:
        return problem.details.detail
    post = Post(
        kept.source, kept.received_at, kept.event_id, zone_of(said), kept.headers
    )
    return adapter(document, post)


def _document(adapter: str, kept: Kept) -> object:
    if adapter != NATIVE:
        return read_kept(kept.body, kept.headers.get(CONTENT_TYPE))
    document = read_json(kept.body)
    elements(document)
    return document


def _named(heard: Heard, kept: Kept, index: int) -> Heard:
    """Return a signal that is the same message however often it is tried.

    Without an instant of its own it happened at the latest when it came: what was heard
    since is newer. If nothing was heard since, it needs no instant.
    """
    if not isinstance(heard, Signal):
        return heard
    came = None if kept.in_turn else kept.received_at
    arrival = f"{kept.received_at.timestamp():.6f}"
    return heard.model_copy(
        update={
            "event_id": heard.event_id or f"quarantine:{kept.id}/{index}/{arrival}",
            "occurred_at": heard.occurred_at or came,
        }
    )
