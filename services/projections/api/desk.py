"""What endpoints need: the log, the read models, access control, record owners."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Annotated, Any, ParamSpec, TypeVar

import httpx
from fastapi import Depends, Request

from services.projections.api.commands.owner import Owner
from services.projections.api.limits import (
    BULKS_MAX,
    RETRY_SECONDS,
    WAIT_SECONDS_MAX,
    WAITING_MAX,
)
from services.projections.api.log.tail import Tail
from services.projections.generations import ReadModel
from services.projections.identity_provider.store import ProviderSignIn
from services.projections.presence.worker import PresenceWorker
from services.projections.previews.worker import PreviewWorker
from services.projections.reads.worker import ReadRecorder
from services.projections.shift_files.worker import ShiftFileWorker
from services.projections.snapshots import Progress
from shared.clock import Clock
from shared.eventlog.log import EventLog
from shared.eventlog.policies import PolicyVersions
from shared.http.bodies import BodyRoom, KeylessBodies
from shared.http.error_responses import ANSWER_SECONDS
from shared.http.form_limits import (
    FormLimits,
    UserLimits,
    answer_limits,
    feed_limits,
    mail_limits,
    presence_limits,
    sign_in_limits,
)
from shared.http.networks import LOOPBACK, Networks
from shared.http.problem_details import HttpError
from shared.http.wrong_keys import WrongKeys
from shared.security.access import Access
from shared.security.sessions import SHIFT, Lifetime
from shared.threads import in_thread

Given = ParamSpec("Given")
Answer = TypeVar("Answer")


@dataclass
class Desk:
    """The parts of a running API; `services.projections.app` puts them together."""

    log: EventLog
    access: Access
    progress: Progress
    owner: Owner
    intake: httpx.AsyncClient
    threads: Executor
    tail: Tail
    clock: Clock
    has_form: bool = True
    """Whether people may report without being signed in."""
    public_url: str = ""
    """The public address of the desk, if known."""
    trusted_proxies: Networks = LOOPBACK
    """The proxies whose statement about a request's origin is trusted."""
    form_limits: FormLimits = field(default_factory=FormLimits)
    answer_limits: FormLimits = field(default_factory=answer_limits)
    sign_in_limits: FormLimits = field(default_factory=sign_in_limits)
    mail_limits: FormLimits = field(default_factory=mail_limits)
    mails_links: bool = False
    """Whether people may have a link mailed to sign in."""
    provider: ProviderSignIn | None = None
    """The identity provider at which people may sign in, None without one."""
    session_lifetime: Lifetime = SHIFT
    presence: PresenceWorker = field(default_factory=PresenceWorker)
    presence_limits: FormLimits = field(default_factory=presence_limits)
    feed_limits: FormLimits = field(default_factory=feed_limits)
    wrong_keys: WrongKeys = field(default_factory=WrongKeys)
    user_limits: UserLimits = field(default_factory=UserLimits)
    room: BodyRoom = field(default_factory=BodyRoom)
    """Limits the bodies that are passed on for authenticated callers."""
    keyless: KeylessBodies = field(default_factory=KeylessBodies)
    """Limits the bodies of all other callers."""
    bulks: asyncio.Semaphore = field(
        default_factory=lambda: asyncio.Semaphore(BULKS_MAX)
    )
    """Limits concurrent bulk commands."""
    verifying: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(1))
    """Limits concurrent verifications of the chain, which keep a core busy."""
    previews: PreviewWorker = field(default_factory=PreviewWorker)
    shift_files: ShiftFileWorker = field(default_factory=ShiftFileWorker)
    outbound_networks: Networks = ()
    """Where inside addresses that people enter may lead to."""
    policies: PolicyVersions = field(init=False)
    reads: ReadRecorder = field(init=False)
    _running: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        """Load every policy that was ever in force."""
        self.policies = PolicyVersions(self.log)
        self.reads = ReadRecorder(self.log, self.threads)

    async def reached(self, position: int, *models: ReadModel[Any]) -> None:
        """Wait a moment until read models are at `position`, for all at the same time.

        One after the other they could take longer than an answer may.
        """
        await asyncio.gather(
            *(self.progress.wait(m.name, position, WAIT_SECONDS_MAX) for m in models)
        )

    async def blocking(
        self,
        call: Callable[Given, Answer],
        *args: Given.args,
        **kwargs: Given.kwargs,
    ) -> Answer:
        """Run a blocking call on one of a few threads.

        Raises `HttpError` 429 if `WAITING_MAX` calls run or wait already, and 503 if
        the database does not answer.
        """
        if self._running >= WAITING_MAX:
            raise HttpError(
                429,
                "too many requests at once: come again in a moment",
                code="overloaded",
                retry_after=RETRY_SECONDS,
            )
        self._running += 1
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                return await in_thread(self.threads, call, *args, **kwargs)
        except TimeoutError as error:
            raise HttpError(
                503,
                "the event log does not answer; nothing was done: come again",
                code="log_silent",
                retry_after=RETRY_SECONDS,
            ) from error
        finally:
            self._running -= 1


def _desk(request: Request) -> Desk:
    desk: Desk = request.app.state.desk
    return desk


DeskHere = Annotated[Desk, Depends(_desk)]
