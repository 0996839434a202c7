"""The form for people without an account: its choices, and taking a report.

The answer is the same whether the directory knows an address or not: the mail to that
address contains the promises to the person.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from pydantic import AwareDatetime, BaseModel, ConfigDict

from shared.domain.commands.contact import FileNotKept, Report, Reported
from shared.domain.identifiers import IncidentRef
from shared.domain.incident.state import Noticed
from shared.domain.policy.contracts import UNKNOWN
from shared.domain.policy.document import Policy
from shared.domain.sla import promised
from shared.eventlog.errors import Unavailable
from shared.http.bodies import KeylessBodies
from shared.http.error_responses import Blocking
from shared.http.form_limits import FormLimits
from shared.http.networks import LOOPBACK, Networks
from shared.http.problem_details import HttpError
from shared.i18n.catalog import Language
from shared.i18n.formats import instant_text, language_of

HELD_SECONDS = 600
FILES_POOL = 64 * 1024 * 1024
"""Bytes of forms with files that one process reads at the same time."""
KEY_REUSED = "report_key"
"""The code of a refusal because a key was used before for another report."""
_BY_FORM = Noticed("user", "web")
_SHAPE = ConfigDict(frozen=True, use_attribute_docstrings=True)


class ServiceOffered(BaseModel):
    """A service about which people may report."""

    model_config = _SHAPE

    service: str
    text: str


class Form(BaseModel):
    """The fields and choices of the form."""

    model_config = _SHAPE

    language: Language
    services: list[ServiceOffered]


class PublicPromise(BaseModel):
    """A promise of the desk for a service, the same for everyone."""

    model_config = _SHAPE

    target: str
    seconds: int
    due_at: AwareDatetime
    due_text: str


class ReportAnswer(BaseModel):
    """The reference, and the desk's promises for that service."""

    model_config = _SHAPE

    incident: IncidentRef
    promises: list[PublicPromise]
    left_out: list[FileNotKept] = []
    """Files that came with the report and are not kept."""


@dataclass(frozen=True, slots=True)
class SentFile:
    """A file that came with a report."""

    name: str
    content: bytes = field(repr=False)


@dataclass(frozen=True)
class FormDesk:
    """What the form needs: the policies, and a function that takes reports."""

    policy: Callable[[], Policy]
    """Blocks; raises `HttpError` if no policy was ever applied."""
    version: Callable[[int], Policy]
    """The policy of a version; blocks, and raises `LookupError` without one."""
    report: Callable[[Report, Sequence[SentFile], str], Awaitable[Reported]]
    """Takes a report with its files, from a network address."""
    blocking: Blocking
    limits: FormLimits = field(default_factory=FormLimits)
    keyless: KeylessBodies = field(default_factory=KeylessBodies)
    trusted: Networks = LOOPBACK
    """The proxies whose statement about a report's origin is trusted."""
    is_open: bool = True
    """Whether people may report without being signed in."""
    with_files: KeylessBodies = field(default_factory=lambda: KeylessBodies(FILES_POOL))
    """Limits the bodies of forms that may have files."""

    async def offer(self, language: Language) -> Form:
        """Return the choices of the form. Raises `HttpError`."""
        self.require_open()
        policy = await self.blocking(self.policy)
        offered = [
            ServiceOffered(service=name, text=service.called(language) or name)
            for name, service in policy.services.items()
            if name != UNKNOWN
        ]
        return Form(language=language, services=offered)

    async def take(
        self,
        report: Report,
        address: str,
        liked: Language,
        files: Sequence[SentFile] = (),
    ) -> ReportAnswer:
        """Take a report that came from a network address. Raises `HttpError`."""
        self.require_open()
        self.limits.admit(address)
        reported = await self.report(report, files, address)
        if reported.incident is None:
            raise HttpError(
                429,
                "too many reports came from this address within the hour: a person "
                "reads this one before it is taken; in a hurry, call the desk",
                code="too_many_reports",
                retry_after=HELD_SECONDS,
            )
        language = language_of(report.language, liked)
        try:
            promises = await self.blocking(self._promises, report, reported, language)
        except (HttpError, Unavailable, LookupError):
            promises = []  # it is recorded, and the mail contains the promises
        return ReportAnswer(
            incident=reported.incident,
            promises=promises,
            left_out=list(reported.left_out),
        )

    def require_open(self) -> None:
        """Raise `HttpError` 404 if this desk does not offer the form."""
        if not self.is_open:
            raise HttpError(404, "this desk takes no reports by a form", code="no_form")

    def _promises(
        self, report: Report, reported: Reported, language: Language
    ) -> list[PublicPromise]:
        """Return what was promised to everyone when it was first reported."""
        at, service = reported.reported_at, report.service
        if at is None or reported.policy is None:
            return []
        policy = self.version(reported.policy)
        name = service if service and service in policy.services else UNKNOWN
        criticality = policy.service(name).criticality
        try:
            priority = policy.priority(criticality, "medium")
            pledges = promised(policy, name, None, priority, at, _BY_FORM)
        except ValueError:  # a calendar without open hours gives no due date
            return []
        zone = policy.desk.timezone
        return [
            PublicPromise(
                target=target,
                seconds=pledges[target].seconds,
                due_at=pledges[target].due_at,
                due_text=instant_text(pledges[target].due_at, zone, language),
            )
            for target in ("tto", "ttr")
            if target in pledges
        ]
