"""From a document to its results: adapt, hand over in pieces, gather the answers.

The headers by which senders tell what their body does not: each format's own.

An adapter sees those that it declares, and what it saw is kept with the raw body: who
reads that again sees the same. No other header goes that far: some hold keys.

From a body and its headers to what the adapter of CloudEvents reads.
"""

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import orjson

from services.intake.compat.webhook_handshakes import Confirm
from services.intake.signals.body import FORM, is_form, read_json, require_size
from services.intake.signals.delivery import Delivery, Result
from services.intake.signals.formats.clouds import cloudevents, cloudwatch
from services.intake.signals.formats.clouds.cloudevents import (
    CE,
    CONTENT_TYPE,
    attributes_in,
    is_envelope,
    is_json,
    readable,
)
from services.intake.signals.formats.elements.upstream_alert import InboundDocument
from services.intake.signals.formats.selection import adapter_for, zone_of
from services.intake.signals.formats.sentry import platform
from services.intake.signals.schemas import Heard, Ignored, Rejected
from shared.clock import Clock
from shared.domain.policy.sources import Source
from shared.eventlog.batcher import Batcher
from shared.http.problem_details import HttpError

HEADER_MAX = 1_024
"""Characters of a header that are read, live and later."""
CLOUDEVENTS = "cloudevents"
_DECLARED: Mapping[str, tuple[str, ...]] = {
    "cloudevents": cloudevents.HEADERS,
    "cloudwatch": cloudwatch.HEADERS,
    "sentry": platform.HEADERS,
}


def headers_read(adapter: str, headers: Mapping[str, str]) -> dict[str, str]:
    """Return those of a request's headers that its format reads; lower case."""
    declared = _DECLARED.get(adapter, ())
    return {
        name: value if adapter == CLOUDEVENTS else value[:HEADER_MAX]
        for name, value in headers.items()
        if name in declared or (adapter == CLOUDEVENTS and name.startswith(CE))
    }


def headers_kept(
    adapter: str, headers: Mapping[str, str], body: bytes
) -> dict[str, str]:
    """Return those to be kept with a body, by which it can be read as it was.

    Of a CloudEvent there are none: with its headers the body is made whole. That a body
    is a form is told by a header alone.
    """
    if adapter == CLOUDEVENTS:
        return {}
    kept = headers_read(adapter, headers)
    if is_form(body, headers.get(CONTENT_TYPE, "")):
        kept[CONTENT_TYPE] = FORM
    return kept


def cloud_document(body: bytes, headers: Mapping[str, str]) -> object:
    """Return the events in a body, or its data where headers hold the attributes.

    The names of `headers` are in lower case. `HttpError` 400, 413 or 415 where the body
    is not what it says; data of any kind is taken.
    """
    kind = headers.get(CONTENT_TYPE, "")
    if is_envelope(kind) and not is_json(kind):
        raise HttpError(
            415,
            f"the body is {kind}: send `application/cloudevents+json`",
            code="not_json",
        )
    if not attributes_in(headers):
        return read_json(body)
    require_size(body)
    if body and kind and is_json(kind):
        return read_json(body)
    return readable(body, kind)


def cloud_body(body: bytes, document: object, headers: Mapping[str, str]) -> bytes:
    """Return the body to be kept: whole events, also where headers held a part.

    Headers are not kept, and two events may carry the same data.
    """
    attributes = attributes_in(headers)
    if not attributes:
        return body
    if not body:
        return orjson.dumps(attributes)
    if isinstance(document, str):  # it may be less than the bytes
        coded = base64.b64encode(body).decode()
        return orjson.dumps({**attributes, "data_base64": coded})
    return orjson.dumps({**attributes, "data": document})


Charge = Callable[[str, int], object]
"""Told how many elements a request of a source turned out to hold."""
SourceOf = Callable[[str], Source | None]
"""What the policy says of a source, by its name."""
PIECE_MAX = 200
"""Elements that are received together: a large array takes several transactions."""
UNREADABLE = "unreadable"
"""The adapter of a body that not even is JSON."""
REFUSED_SENDER = "refused_sender"
"""The adapter of a body whose sender may be somebody else than its source."""
NOBODY = "unknown"
"""The source of what comes from no source, in quarantine."""


class Reception:
    """Hands deliveries to the batcher whose flush is `Receiver.flush`."""

    def __init__(
        self,
        batcher: Batcher[Delivery, list[Result]],
        clock: Clock,
        source_of: SourceOf,
        charge: Charge = lambda _source, _elements: None,
        *,
        confirm: Confirm | None = None,
    ) -> None:
        self._batcher = batcher
        self._clock = clock
        self._source_of = source_of
        self._charge = charge
        self._confirm = confirm

    async def receive(  # noqa: PLR0913 # what a request brings, each on its own
        self,
        source: str,
        adapter: str,
        body: bytes,
        document: object,
        event_id: str | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        told: bool = False,
    ) -> list[Result]:
        """Return the outcome of each element, all of it committed.

        `event_id` is the sender's idempotency key: it names elements without an id.
        `headers` are those of the request, of which adapters see what they read.
        `told`: the sender reads the results, so a bad element need not be kept.
        Raises `Overloaded`, `Unavailable` or `HttpError`; what was committed before
        that is known again when it is sent again.
        """
        received_at, kept = self._clock(), headers_kept(adapter, headers or {}, body)
        seen = headers_read(adapter, headers or {})
        said = self._source_of(source)
        post = InboundDocument(source, received_at, event_id, zone_of(said), seen)
        heard = _read(document, adapter, said, post)
        self._charge(source, len(heard))
        whole = Delivery(
            source,
            adapter,
            body,
            0,
            heard,
            received_at,
            told,
            len(heard),
            headers=kept,
            event_id=event_id,
        )
        return await self._shaken(heard, await self.take(whole))

    async def take(self, whole: Delivery) -> list[Result]:
        """Return the outcome of each element of a delivery, in pieces if it is large.

        What it settles is settled with the last piece.
        """
        if len(whole.heard) <= PIECE_MAX:
            return await self._batcher.submit(whole)
        last = (len(whole.heard) - 1) // PIECE_MAX * PIECE_MAX
        pieces = [
            replace(
                whole,
                first=whole.first + n,
                heard=whole.heard[n : n + PIECE_MAX],
                settles=whole.settles if n == last else None,
            )
            for n in range(0, len(whole.heard), PIECE_MAX)
        ]
        taken = await self._batcher.submit_all(pieces)
        return [result for piece in taken for result in piece]

    async def _shaken(
        self, heard: Sequence[Heard], results: list[Result]
    ) -> list[Result]:
        """Confirm what asks for it, once the body is kept; say what came of it."""
        for n, each in enumerate(heard):
            if isinstance(each, Ignored) and each.confirm_url and self._confirm:
                said = await self._confirm(each.confirm_url)
                results[n] = replace(results[n], error=said)
        return results

    async def set_aside(
        self, source: str, body: bytes, reason: str, adapter: str = UNREADABLE
    ) -> None:
        """Quarantine a body whose sender hears no answer."""
        unmapped = Rejected(0, reason)
        delivery = Delivery(
            source, adapter, body, 0, (unmapped,), self._clock(), elements=1
        )
        await self._batcher.submit(delivery)


def _read(
    document: object, adapter: str, said: Source | None, post: InboundDocument
) -> tuple[Heard, ...]:
    """Return the elements of a document; `HttpError` 422 if no format is known."""
    read = adapter_for(adapter, said)
    if read is None:
        raise _unmapped(post.source)
    return tuple(read(document, post))


def _unmapped(source: str) -> HttpError:
    return HttpError(
        422,
        f"the policy does not say how to read `{source}`: write `sources: {{{source}: "
        "{type: mapped, mapping: {title: …, action: {…}}}}` and apply it",
        code="unmapped",
    )
