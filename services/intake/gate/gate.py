"""The gate: every request of a source passes it before anything else is done.

It checks the key, the network, the room for the body, the rate limits and the signature
of the body, in this order, so that a rejection is cheap. The body is read only for a
signature, or for a key that is nowhere else.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Literal

from starlette.requests import Request
from starlette.responses import Response

from services.intake.gate.activity import Tally
from services.intake.gate.activity_store import Kind
from services.intake.gate.admission import Admission, Allowance
from services.intake.gate.api_keys import Keys, source_of
from services.intake.gate.signatures import fault
from services.intake.policy.store import InForce
from services.intake.signals.body import BODY_BYTES_MAX
from shared.clock import Clock
from shared.domain.policy.sources import Monitor
from shared.eventlog.batcher import Overloaded
from shared.http.bodies import BodyRoom, KeylessBodies, read_body, size_ahead
from shared.http.form_limits import address_of
from shared.http.networks import Address, Networks, is_in, networks, sender_of
from shared.http.problem_details import HttpError
from shared.security.access import Caller

Endpoint = Callable[[Request], Awaitable[Response]]
KeyIn = Callable[[bytes], str | None]
"""Returns the key in a body or its beginning, or None if it is not there."""
Why = Literal["rate", "quota", "overloaded", "address", "signature", "key", "guessing"]
Refused = Callable[[str | None, Why], None]
Kept = list[tuple[int, str]]
"""The room reserved for a request: number of bytes, and the holder."""

OVERLOADED_SECONDS = 1
SECRET_SECONDS = 30
"""`Retry-After` while the operator fixes a secret."""


@dataclass(frozen=True, slots=True)
class GateObserver:
    """Receives the gate's counts by source, and its rejections with the reason."""

    tally: Tally
    refused: Refused


class Gate:
    """Admits sources, or raises the `HttpError` to answer with."""

    def __init__(
        self,
        keys: Keys,
        in_force: InForce,
        admission: Admission,
        watch: GateObserver,
        clock: Clock,
        trusted: Networks,
    ) -> None:
        self._keys = keys
        self._in_force = in_force
        self.admission = admission
        self._watch = watch
        self._clock = clock
        self._trusted = trusted
        self.in_hand = BodyRoom()
        self.keyless = KeylessBodies()

    async def caller(self, request: Request, key: str | None) -> Caller:
        """Return the owner of this key, whatever its rights."""
        try:
            address = partial(address_of, request, self._trusted)
            return await self._keys.caller(key, address)
        except HttpError as problem:
            match problem.details.status:
                case HTTPStatus.UNAUTHORIZED:
                    self._watch.refused(None, "key")
                case HTTPStatus.TOO_MANY_REQUESTS:
                    self._watch.refused(None, "guessing")
                case _:
                    pass
            raise

    async def source(self, request: Request, token: str | None) -> str:
        """Return the calling source for a request without signals."""
        return source_of(await self.caller(request, token))

    async def admit(
        self, request: Request, token: str | None, adapter: str = "native"
    ) -> str:
        """Return the source of an admitted request; a rejected one is counted.

        Room for its body is reserved while a `bounded` endpoint runs. The body is read
        and verified here if the source must sign it.
        """
        caller = await self.caller(request, token)
        source = request.state.source = source_of(caller)
        self._demand_address(request, source)
        self._keep_room(request, source)
        self._demand_allowance(request, source, adapter)
        await self._demand_signature(request, source)
        self._watch.tally.use(source, caller.token_id)
        return source

    async def admit_by_body(
        self, request: Request, field: str, key_in: KeyIn, adapter: str
    ) -> tuple[str, str]:
        """Return the source and key of a request with the key in the body's `field`.

        The body, or its beginning if `key_in` finds the key there, is read within the
        limits for senders that are not yet known.
        """

        def is_enough(beginning: bytes) -> bool:
            return key_in(beginning) is not None

        async with self.keyless.body(
            request, BODY_BYTES_MAX, enough=is_enough
        ) as beginning:
            key = key_in(beginning)
            if not key:
                raise HttpError(400, f"`{field}` is missing: it is the key of a source")
            return await self.admit(request, key, adapter), key

    def bounded(self, endpoint: Endpoint) -> Endpoint:
        """Return `endpoint`, wrapped to release the room that `admit` reserved.

        Without room, the sender gets an answer in its own format.
        """

        async def enter(request: Request) -> Response:
            kept: Kept = []
            request.state.room = kept
            try:
                response = await endpoint(request)
            except Overloaded as error:
                source = getattr(request.state, "source", None)
                self._refuse(source, "overloaded")
                raise HttpError(
                    come_again(request.path_params.get("type")),
                    "too much is waiting; nothing was recorded: send it again",
                    code="overloaded",
                    retry_after=OVERLOADED_SECONDS,
                ) from error
            finally:
                for size, holder in kept:
                    self.in_hand.give_back(size, holder)
            allowance: Allowance | None = getattr(request.state, "allowance", None)
            if allowance is not None:
                response.raw_headers += allowance.raw_headers
            return response

        return enter

    def _refuse(self, source: str | None, why: Why) -> None:
        self._watch.refused(source, why)
        if source is not None:
            kind: Kind = "unauthorised" if why == "signature" else "refused"
            self._watch.tally.note(source, kind)

    def _keep_room(self, request: Request, source: str) -> None:
        kept: Kept | None = getattr(request.state, "room", None)
        if kept is not None:  # else the endpoint reserves room itself
            size = size_ahead(request.headers, BODY_BYTES_MAX)
            holder = f"source:{source}"
            self.in_hand.take(size, holder)
            kept.append((size, holder))

    def _sender(self, request: Request) -> Address | None:
        peer = request.client.host if request.client else None
        forwarded = request.headers.getlist("x-forwarded-for")
        return sender_of(peer, forwarded, self._trusted)

    def _demand_address(self, request: Request, source: str) -> None:
        rule = self._in_force.source(source)
        if not isinstance(rule, Monitor) or not rule.allow_from:
            return
        sender = self._sender(request)
        if not is_in(sender, networks(rule.allow_from)):
            self._refuse(source, "address")
            raise HttpError(
                403,
                f"{source} may not send from {sender or 'an unknown address'}: have "
                "the network added to `allow_from` in the policy, or where a proxy "
                "stands between, set PERMANENCE_TRUSTED_PROXIES",
                code="address",
            )

    def _demand_allowance(self, request: Request, source: str, adapter: str) -> None:
        allowance = self.admission.ask(source)
        request.state.allowance = allowance
        if allowance is None or not allowance.wait:
            return
        self._refuse(source, allowance.kind)
        per = "at once" if allowance.kind == "rate" else "a day"
        raise HttpError(
            come_again(adapter),
            f"{source} is above its {allowance.kind} of {allowance.limit} {per}; "
            f"nothing was recorded: send it again in {allowance.wait} s",
            code=allowance.kind,
            retry_after=allowance.wait,
            headers={name.decode(): n.decode() for name, n in allowance.raw_headers},
        )

    async def _demand_signature(self, request: Request, source: str) -> None:
        rule = self._in_force.source(source)
        if not isinstance(rule, Monitor) or rule.signature is None:
            return
        secrets = self._keys.signing(source)
        if not secrets:
            raise HttpError(
                503,
                f"this desk cannot read the secret that {source} signs with; nothing "
                "was recorded: an operator sets it, then send it again",
                code="secret_missing",
                retry_after=SECRET_SECONDS,
            )
        body = await read_body(request, BODY_BYTES_MAX)
        wrong = fault(rule.signature, secrets, request.headers, body, self._clock())
        if wrong is not None:
            self._refuse(source, "signature")
            raise HttpError(
                401,
                f"{wrong}; nothing was recorded: sign the body with the secret that "
                f"the policy names for {source}",
                code="signature",
            )


COME_AGAIN: Mapping[str, int] = {
    # Its webhook notifier gives up on any 4xx and retries after a 5xx.
    "alertmanager": HTTPStatus.SERVICE_UNAVAILABLE,
}
"""By adapter; all others get 429."""


def come_again(adapter: object) -> int:
    """Return the status that makes a sender of that format retry."""
    return COME_AGAIN.get(str(adapter), HTTPStatus.TOO_MANY_REQUESTS)
