"""Turns a document into results: adapt, submit in pieces, gather the results.

An adapter sees the request headers that its format declares, and these are stored with
the raw body, so that a later reading gives the same result. No other header is passed
on or stored: some contain keys.
"""

import base64
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace

import orjson

from services.intake.signals.body import FORM, is_form, read_json, require_size
from services.intake.signals.formats import (
    CLOUDEVENTS,
    adapter_for,
    headers_read,
    zone_of,
)
from services.intake.signals.formats.clouds.cloudevents import (
    CONTENT_TYPE,
    attributes_in,
    is_envelope,
    is_json,
    readable,
)
from services.intake.signals.formats.elements.upstream_alert import InboundDocument
from services.intake.signals.schemas import Delivery, Heard, Ignored, Rejected, Result
from shared.clock import Clock
from shared.domain.policy.sources import Source
from shared.eventlog.batcher import Batcher
from shared.http.problem_details import HttpError


def cloud_document(body: bytes, headers: Mapping[str, str]) -> object:
    """Return the events in a body, or its data if headers contain the attributes.

    The names of `headers` are in lower case. Raises `HttpError` 400, 413 or 415 if the
    body is not of the declared type; data of any type is accepted.
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
    """Return the body to store: whole events, with attributes from the headers.

    Headers are not stored, and two events may have the same data.
    """
    attributes = attributes_in(headers)
    if not attributes:
        return body
    if not body:
        return orjson.dumps(attributes)
    if isinstance(document, str):  # decoding may have lost bytes
        coded = base64.b64encode(body).decode()
        return orjson.dumps({**attributes, "data_base64": coded})
    return orjson.dumps({**attributes, "data": document})


Charge = Callable[[str, int, int], object]
"""Called with a source, the number of elements in its request, and its bytes."""
Confirm = Callable[[str], Awaitable[str]]
"""Confirms at a URL and returns a sentence about the result."""
SourceOf = Callable[[str], Source | None]
"""Returns the policy entry of a source by its name."""
PIECE_MAX = 200
"""Elements processed together: a large array takes several transactions."""
UNREADABLE = "unreadable"
"""The adapter of a body that is not valid JSON."""
REFUSED_SENDER = "refused_sender"
"""The adapter of a body whose sender could not be verified as the source."""
NOBODY = "unknown"
"""The source, in quarantine, of bodies without a known source."""


class Reception:
    """Submits deliveries to the batcher whose flush is `Receiver.flush`."""

    def __init__(
        self,
        batcher: Batcher[Delivery, list[Result]],
        clock: Clock,
        source_of: SourceOf,
        charge: Charge = lambda _source, _elements, _size: None,
        *,
        confirm: Confirm | None = None,
    ) -> None:
        self._batcher = batcher
        self._clock = clock
        self._source_of = source_of
        self._charge = charge
        self._confirm = confirm

    async def receive(  # noqa: PLR0913 # each parameter is part of a request
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
        """Return the result for each element, all of it committed.

        `event_id` is the sender's idempotency key: it identifies elements without an
        id. `headers` are those of the request; adapters see those they declare. `told`:
        the sender reads the results, so a bad element need not be quarantined. Raises
        `Overloaded`, `Unavailable` or `HttpError`; what was committed before the error
        is recognised when it is sent again.
        """
        received_at, kept = self._clock(), headers_kept(adapter, headers or {}, body)
        seen = headers_read(adapter, headers or {})
        said = self._source_of(source)
        post = InboundDocument(source, received_at, event_id, zone_of(said), seen)
        heard = _read(document, adapter, said, post)
        self._charge(source, len(heard), len(body))
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
        """Return the result for each element of a delivery, in pieces if it is large.

        A quarantined element that it settles is settled with the last piece.
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
        """Answer handshakes once the body is stored; report the outcome."""
        for n, each in enumerate(heard):
            if isinstance(each, Ignored) and each.confirm_url and self._confirm:
                said = await self._confirm(each.confirm_url)
                results[n] = replace(results[n], error=said)
        return results

    async def set_aside(
        self,
        source: str,
        body: bytes,
        reason: str,
        adapter: str = UNREADABLE,
        payer: str | None = None,
    ) -> None:
        """Quarantine a body whose sender does not read our answer.

        `payer` is whose rate it counts for, if somebody else named the source.
        """
        self._charge(payer or source, 1, len(body))
        unmapped = Rejected(0, reason)
        delivery = Delivery(
            source, adapter, body, 0, (unmapped,), self._clock(), elements=1
        )
        await self._batcher.submit(delivery)


def _read(
    document: object, adapter: str, said: Source | None, post: InboundDocument
) -> tuple[Heard, ...]:
    """Return the elements of a document; `HttpError` 422 if the format is unknown."""
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


def headers_kept(
    adapter: str, headers: Mapping[str, str], body: bytes
) -> dict[str, str]:
    """Return the headers to store with a body, so that it can be read again.

    A CloudEvent needs none, since its headers are merged into the stored body.
    That a body is a form is known only from a header.
    """
    if adapter == CLOUDEVENTS:
        return {}
    kept = headers_read(adapter, headers)
    if is_form(body, headers.get(CONTENT_TYPE, "")):
        kept[CONTENT_TYPE] = FORM
    return kept
