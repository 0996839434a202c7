"""Where providers report the result of a message, and which key was pressed.

A request has to be signed by the provider, and its address by us. What it says is
stored for the service that sends messages. A key that is pressed in a call delivers the
message. If it was a page, it takes the incident as well, as the person who was called
and with their rights, like the link in a page; of a bundle of pages, all of them.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import NamedTuple
from uuid import UUID, uuid5

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from services.intake.callbacks.rules import (
    CONFIRMS,
    Fate,
    Form,
    fate_of,
    form_in,
    is_signed,
    spoken,
)
from services.intake.commands.page_taker import PageTaker
from shared.bundles import page_of, pages_in
from shared.clock import Clock
from shared.database.cursors import Cursors
from shared.directory import entry
from shared.domain.identifiers import (
    escalation_stream,
    is_page_test_ref,
    page_test_messages_stream,
)
from shared.eventlog.epochs import read_epochs
from shared.eventlog.errors import Unavailable
from shared.eventlog.log import EventLog
from shared.eventlog.policies import policy_now
from shared.http.bodies import read_body
from shared.http.error_responses import answered
from shared.http.problem_details import HttpError
from shared.i18n.catalog import Language, text_of
from shared.i18n.formats import language_of
from shared.messaging.delivery_reports import DeliveryReport, keep
from shared.security.callback_links import (
    PURPOSE,
    CallbackLink,
    bundled,
    planned_message,
    read_callback_token,
    requested,
)
from shared.security.rights import is_removed
from shared.security.signed_links import PageLink

BODY_BYTES_MAX = 16 * 1024
PATH = "/v1/callbacks/twilio/{token}"
PROVIDER = "twilio"
NAMESPACE = UUID("0b8c0d0e-3f6e-4b0a-9a53-6f1d8c2a7e91")
"""The namespace of command ids: a key that is pressed twice is one command."""
AT_ONCE_MAX = 5
"""Incidents of one bundle that are taken at the same time: a caller waits for all."""
_SAID = ("acknowledged", "too late", "no key")
"""What is said about an answered page; of several that nobody took, the last."""
_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class CallbackRules:
    """The token that signs callbacks, and the address at which Twilio calls us.

    Without both, callbacks are refused.
    """

    token: str = ""
    public_url: str = ""


CLOSED = CallbackRules()


class Receiver(NamedTuple):
    """Whom a message went to: their language, and whether it is still theirs."""

    language: Language
    is_theirs: bool = False
    pages: tuple[PageLink, ...] = ()
    """The pages that it is about: one, or those of a bundle."""
    test: str | None = None
    """The page test, if it belongs to one."""


@dataclass(frozen=True)
class CallbackEndpoints:
    """Takes the callbacks of Twilio."""

    log: EventLog
    pages: Callable[[], PageTaker | None]
    clock: Clock
    rules: CallbackRules = CLOSED
    answer_test: Callable[[str], bool] = lambda _: False
    """Answers a page test in the name of its person; False if it is over. Blocks."""

    def routes(self) -> list[Route]:
        """Return the routes for callbacks."""
        return [
            Route(PATH, answered(self.status), methods=["POST"]),
            Route(f"{PATH}/key", answered(self.key), methods=["POST"]),
        ]

    async def status(self, request: Request) -> Response:
        """Store the result of a message, if it is final."""
        link, form = await self._signed(request)
        fate = fate_of(dict(form))
        if fate is not None:
            await asyncio.to_thread(self._keep, link, fate)
        return Response(status_code=HTTPStatus.NO_CONTENT)

    async def key(self, request: Request) -> Response:
        """Confirm the message if the key says so, and answer what is then said.

        A page is taken, too.
        """
        link, form = await self._signed(request)
        to = await asyncio.to_thread(self._receiver, link)
        word = "no key"
        if to.is_theirs and dict(form).get("Digits") == CONFIRMS:
            await asyncio.to_thread(self._keep, link, Fate("delivered"))
            word = await self._answered(to)
        twiml = spoken(text_of(to.language, "voice", word), to.language)
        return Response(twiml, media_type="application/xml")

    async def _signed(self, request: Request) -> tuple[CallbackLink, Form]:
        """Return the message and the form of a request. Raises `HttpError`."""
        body = await read_body(request, BODY_BYTES_MAX)
        try:
            form = form_in(body)
        except ValueError as error:
            raise HttpError(400, "the body is not a form of Twilio") from error
        rules = self.rules
        url = f"{rules.public_url}{request.url.path}"
        given = request.headers.get("x-twilio-signature", "")
        is_open = rules.token and rules.public_url
        if not is_open or not is_signed(rules.token, url, form, given):
            raise HttpError(
                403,
                "the signature is not Twilio's: set PERMANENCE_TWILIO_TOKEN and "
                "PERMANENCE_PUBLIC_URL of intake as they are set for escalation",
            )
        keys = self.log.vault.keys_for(PURPOSE)
        link = read_callback_token(keys, request.path_params["token"], self.clock())
        if link is None:
            raise HttpError(404, "there is no message at this address, or it is old")
        return link, form

    async def _answered(self, to: Receiver) -> str:
        """Do what a key means; return the name of what is then said."""
        if to.test is not None:
            return await self._tested(to.test)
        return await self._all_taken(to.pages) if to.pages else "confirmed"

    async def _tested(self, test: str) -> str:
        """Answer a page test; return the name of what is then said."""
        try:
            is_answered = await asyncio.to_thread(self.answer_test, test)
        except (HttpError, Unavailable) as error:
            _log.warning("callback.test_not_answered", test=test, why=str(error))
            return "no key"
        return "confirmed" if is_answered else "test is over"

    async def _all_taken(self, pages: Sequence[PageLink]) -> str:
        """Take the incidents of pages; return the name of what is then said."""
        at_once = asyncio.Semaphore(AT_ONCE_MAX)

        async def word_of(page: PageLink) -> str:
            async with at_once:
                return await self._taken(page)

        words = await asyncio.gather(*map(word_of, pages))
        if len(words) > 1 and "acknowledged" in words:
            is_all = set(words) == {"acknowledged"}
            return "all acknowledged" if is_all else "some acknowledged"
        return max(words, key=_SAID.index)

    async def _taken(self, page: PageLink) -> str:
        """Take the incident of a page; return the name of what is then said."""
        pages = self.pages()
        if pages is None:
            return "no key"
        id_ = uuid5(NAMESPACE, f"{page.page}|{page.person}|{page.epoch}")
        try:
            is_taken = await pages.take(page, "call", id_)
        except (HttpError, Unavailable) as error:
            # The call is not tried again: the person has to hear what is so.
            _log.warning("callback.not_taken", incident=page.incident, why=str(error))
            return "no key"
        return "acknowledged" if is_taken else "too late"

    def _keep(self, link: CallbackLink, fate: Fate) -> None:
        report = DeliveryReport(
            link.key, fate.state, link.incident, PROVIDER, fate.reason, self.clock()
        )
        with self.log.transaction() as cursor:
            keep(cursor, report)

    def _receiver(self, link: CallbackLink) -> Receiver:
        """Return whom the message went to, and what it was about."""
        with self.log.transaction() as cursor:
            found = entry(cursor, link.person)
            gone = found is None or is_removed(cursor, link.person)
            policy = policy_now(self.log, cursor)
            is_test = is_page_test_ref(link.incident)
            if is_test:
                is_theirs, pages = not gone and self._is_test(cursor, link), None
            else:
                pages = None if gone else self._pages(cursor, link)
                is_theirs = pages is not None
        fallback = policy.desk.languages[0] if policy else "en"
        language = language_of(found.language if found else None, fallback)
        test = link.incident if is_test else None
        return Receiver(language, is_theirs, pages or (), test)

    def _is_test(self, cursor: Cursors, link: CallbackLink) -> bool:
        """Return whether a message belongs to a page test of this person."""
        stream = page_test_messages_stream(link.person)
        history = self.log.histories(cursor, [stream])
        return planned_message(history, read_epochs(cursor), link.key) is not None

    def _pages(
        self, cursor: Cursors, link: CallbackLink
    ) -> tuple[PageLink, ...] | None:
        """Return the pages that a message is about; None if it was not theirs."""
        epochs = read_epochs(cursor)
        history = self.log.histories(cursor, [escalation_stream(link.incident)])
        request = requested(history, epochs, link.key)
        bundle = bundled(history, epochs, link.key)
        about = request or bundle
        if about is None or about.person != link.person:
            return None
        if bundle is not None:
            return tuple(pages_in(self.log, cursor, bundle))
        page = page_of(request, history, epochs, link.person) if request else None
        return (page,) if page else ()
