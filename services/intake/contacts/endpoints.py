"""Endpoints through which users reach the desk: calls, and the report form.

Intake serves them itself, so that the desk can be reached while the read side is down.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from http import HTTPStatus
from typing import Any, ParamSpec, TypeVar

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from services.intake.commands.pending_command import PendingCommand
from services.intake.endpoint_context import EndpointContext
from services.intake.gate.api_keys import bearer
from services.intake.inbound_mail.subscriber import report_taken
from services.intake.inbound_mail.worker import MailIntake
from shared.contacts.endpoints import form_routes
from shared.contacts.form import FormDesk
from shared.contacts.receipt import Records, contact_answer
from shared.domain.commands.contact import Contact, command_of
from shared.domain.policy.document import Policy
from shared.eventlog.batcher import Batcher
from shared.eventlog.policies import PolicyVersions
from shared.http.bearer import require_scope
from shared.http.bodies import COMMAND_BYTES_MAX, read_object, size_ahead, validated
from shared.http.command_headers import idempotency_key, version
from shared.http.error_responses import answered
from shared.http.known_hosts import AnyNamePaths, KnownHosts, names_of
from shared.http.networks import LOOPBACK, Networks, proxies
from shared.messaging.commands import Answered, CommandAnswer, CommandMessage
from shared.security.sender import COMMANDERS, request_of
from shared.settings import IntakeSettings
from shared.threads import in_thread

_Given = ParamSpec("_Given")
_Answer = TypeVar("_Answer")


@dataclass(frozen=True)
class FormRules:
    """The settings of the report form."""

    is_open: bool = True
    names: frozenset[str] = frozenset()
    """Host names under which it may be opened, besides IP addresses and dotless
    names."""
    trusted: Networks = ()


OPEN = FormRules()


def form_rules_of(settings: IntakeSettings) -> FormRules:
    """Return the settings of the report form."""
    return FormRules(
        settings.report_form,
        names_of(settings.public_url, settings.allowed_hosts),
        proxies(settings.trusted_proxies),
    )


def contact_routes(
    context: EndpointContext,
    letters: MailIntake,
    commands: Batcher[PendingCommand, Answered],
    rules: FormRules,
) -> list[Route]:
    """Return the routes for calls and for the report form."""

    async def blocking(
        call: Callable[_Given, _Answer], *args: _Given.args, **kwargs: _Given.kwargs
    ) -> _Answer:
        return await in_thread(context.executor, call, *args, **kwargs)

    @cache
    def records() -> Records:
        log = context.log
        return Records(log, PolicyVersions(log), log.transaction, blocking)

    async def contact(request: Request) -> Response:
        return await _take_contact(context, commands, records(), request)

    form = FormDesk(
        lambda: _policy(context),
        lambda version: records().policies(version),
        partial(report_taken, letters),
        blocking,
        trusted=(*LOOPBACK, *rules.trusted),
        is_open=rules.is_open,
    )
    return [
        Route("/v1/contacts", answered(contact), methods=["POST"]),
        *(_under_known_names(each, rules.names) for each in form_routes(form)),
    ]


async def _take_contact(
    context: EndpointContext,
    commands: Batcher[PendingCommand, Answered],
    records: Records,
    request: Request,
) -> Response:
    """Take a contact: open an incident for it, or attach it to an existing one."""
    caller = await context.gate.caller(request, bearer(request))
    require_scope(caller, *COMMANDERS)
    size = size_ahead(request.headers, COMMAND_BYTES_MAX)
    with context.gate.in_hand.room_for(size, caller.actor):
        contact = validated(Contact, await read_object(request), "contact")
    command = command_of(contact)
    message = CommandMessage[Any](
        incident=contact.incident,
        idempotency_key=idempotency_key(request.headers.get("idempotency-key")),
        if_match=version(request.headers.get("if-match")),
        # Same form as from the API over NATS, so that a repeat has the same digest.
        body=type(command).model_validate(
            command.model_dump(mode="json", exclude_defaults=True)
        ),
    )
    accepted = request_of(message, caller)
    done = await commands.submit(PendingCommand.of(accepted))
    assert isinstance(done, CommandAnswer)  # noqa: S101 # it is about an incident
    answer = await contact_answer(done, contact, records)
    headers = {
        "Location": f"/v1/incidents/{answer.incident}",
        "ETag": f'"{answer.version}"',
    }
    return Response(
        answer.model_dump_json(), HTTPStatus.CREATED, headers, "application/json"
    )


def _policy(context: EndpointContext) -> Policy:
    """Return the policy in force; blocks if none was read yet."""
    if (newest := context.in_force.newest()) is None:
        context.in_force.look()
        newest = context.in_force.newest()
    assert newest is not None  # noqa: S101 # else `look` has raised
    return newest[1]


def _under_known_names(route: Route, names: frozenset[str]) -> Route:
    """Return a route that rejects unknown host names; see `KnownHosts`."""
    known = KnownHosts(route.app, names, AnyNamePaths())
    return Route(
        route.path,
        known,
        methods=list(route.methods or ()),
        include_in_schema=route.include_in_schema,
    )
