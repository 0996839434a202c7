"""Every command over the API: its path, its body, and the owner that executes it.

A command is sent on to its owner, which decides. The endpoints differ only in what the
table says. Three others do more with the answer and stand beside their subject: a
contact, the proposal of a longer delay, and the answer to a link in a mail.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from inspect import getdoc
from typing import Annotated

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel

from services.projections.api.answers import body_of, refusals
from services.projections.api.commands.messages import (
    Message,
    about_breach,
    about_change,
    about_contact_method,
    about_extension,
    about_incident,
    about_move,
    about_person,
    about_problem,
    new_record,
)
from services.projections.api.commands.month_report_paths import (
    MONTH_REPORT,
    about_month_report,
)
from services.projections.api.commands.on_call_paths import ON_CALL_PATHS
from services.projections.api.commands.review_paths import REVIEW_PATHS
from services.projections.api.commands.survey_paths import SURVEY_PATHS
from services.projections.api.desk import DeskHere
from services.projections.api.records.handovers import identification, link
from services.projections.handovers import Subject
from shared.domain.commands import change, incident, problem
from shared.domain.commands.contact_method import (
    AddContactMethod,
    ContactMethodAnswer,
    SendContactCode,
    SetNotificationRules,
    VerifyContactMethod,
)
from shared.domain.commands.escalation import (
    Accept,
    AcceptHandover,
    Decline,
    DeclineService,
    Escalate,
    JoinHandover,
)
from shared.domain.commands.incident import CommandBody
from shared.domain.commands.intervention import (
    DeclareIntervention,
    InterventionAnswer,
    WithdrawIntervention,
)
from shared.domain.commands.month_report import CommentMonthReport, MonthReportAnswer
from shared.domain.commands.on_call import OnCallAnswer
from shared.domain.commands.page_test import PageTestAnswer, RequestPageTest
from shared.domain.commands.person import (
    CorrectPerson,
    GrantRole,
    InvitePerson,
    MovePerson,
    PersonAnswer,
    WithdrawRole,
)
from shared.domain.commands.policy_moves import MovedPage, MovePromises
from shared.domain.commands.review import ReviewAnswer
from shared.domain.commands.sla import AcceptExtension, AttributeBreach, RefuseExtension
from shared.domain.commands.survey import SurveyRecordAnswer
from shared.messaging.commands import CommandAnswer, RecordAnswer

router = APIRouter()

REFUSALS = (400, 404, 409, 413, 415)
_WITH_VERSION = (*REFUSALS, 412)


@dataclass(frozen=True, slots=True)
class CommandRoute:
    """A path for commands with one body, sent to the owner of `aggregate`."""

    path: str
    name: str
    tag: str
    body: type[CommandBody]
    aggregate: str
    verb: str
    message: Callable[..., Awaitable[Message]]
    """The dependency that makes the command from the request."""
    text: str | None = None
    """The documentation. Default: that of the body."""
    answer: type[BaseModel] = CommandAnswer
    opens: str | None = None
    """The path below which the record is that the command opens."""
    etag: bool = True
    """Whether the answer names the version of the record in the path."""
    refusals: tuple[int, ...] = REFUSALS


def _of_incidents() -> Iterator[CommandRoute]:
    for verb, body in incident.BODIES.items():
        is_first = body is incident.Open
        yield CommandRoute(
            "/v1/incidents" if is_first else f"/v1/incidents/{{ref}}/{verb}",
            "open_incident" if is_first else verb,
            "commands",
            body,
            "incident",
            verb,
            new_record if is_first else about_incident,
            text="Open an incident." if is_first else None,
            opens="/v1/incidents" if is_first else None,
            refusals=_WITH_VERSION,
        )


def _of_records(
    aggregate: str,
    bodies: Mapping[str, type[CommandBody]],
    first: type[CommandBody],
    message: Callable[..., Awaitable[Message]],
) -> Iterator[CommandRoute]:
    path = f"/v1/{aggregate}s"
    for verb, body in bodies.items():
        is_first = body is first
        yield CommandRoute(
            path if is_first else f"{path}/{{ref}}/{verb}",
            f"{verb}_{aggregate}",
            f"{aggregate}s",
            body,
            aggregate,
            verb,
            new_record if is_first else message,
            answer=RecordAnswer,
            opens=path if is_first else None,
            refusals=_WITH_VERSION,
        )


_HANDOVER_TEXTS: Mapping[Subject, tuple[str, str, str]] = {
    "incident": (
        "Open a problem for the incident that was handed over.",
        "Link the incident that was handed over to a known problem.",
        "Decline the hand-over: it ends without a problem, and the breach remains.",
    ),
    "service": (
        "Open a problem for the service that was handed over.",
        "Add the service, with its last incident, to a known problem.",
        "Decline the hand-over: it ends without a problem, and the breaches remain.",
    ),
}


def _of_handovers(
    subject: Subject, name: str, declined: type[Decline | DeclineService]
) -> Iterator[CommandRoute]:
    path = f"/v1/{name.replace('_', '-')}s/{{ref}}"
    accept, join, decline = _HANDOVER_TEXTS[subject]
    route = partial(CommandRoute, tag="handovers", etag=False)
    yield route(
        f"{path}/accept",
        f"accept_{name}",
        body=AcceptHandover,
        aggregate="problem",
        verb=problem.IdentifyProblem.verb,
        message=identification(subject),
        text=accept,
        answer=RecordAnswer,
        opens="/v1/problems",
    )
    yield route(
        f"{path}/join",
        f"join_{name}",
        body=JoinHandover,
        aggregate="problem",
        verb=problem.LinkProblem.verb,
        message=link(subject),
        text=join,
        answer=RecordAnswer,
    )
    yield route(
        f"{path}/decline",
        f"decline_{name}",
        body=declined,
        aggregate=declined.aggregate,
        verb=declined.verb,
        message=about_incident,
        text=decline,
    )


def _of_on_call() -> Iterator[CommandRoute]:
    for path, body, message in ON_CALL_PATHS:
        yield CommandRoute(
            path,
            body.verb,
            "on call",
            body,
            body.aggregate,
            body.verb,
            message,
            answer=OnCallAnswer,
            refusals=_WITH_VERSION,
        )


_PERSON = "/v1/people/{person}"


def _of_people() -> Iterator[CommandRoute]:
    """Yield the commands on the rights and the entries of people."""
    route = partial(
        CommandRoute,
        tag="people",
        aggregate=GrantRole.aggregate,
        message=about_person,
        answer=PersonAnswer,
    )
    for what, name, body, refused in (
        ("grant", "grant_role", GrantRole, _WITH_VERSION),
        ("withdraw", "withdraw_role", WithdrawRole, _WITH_VERSION),
        ("move", "move_person", MovePerson, _WITH_VERSION),
        ("invitation", "invite_person", InvitePerson, REFUSALS),
        ("correct", "correct_person", CorrectPerson, REFUSALS),
    ):
        path = f"{_PERSON}/{what}"
        yield route(path, name, body=body, verb=body.verb, refusals=refused)


def _of_interventions() -> Iterator[CommandRoute]:
    """Yield the commands on what people did while they were on call."""
    path = f"{_PERSON}/interventions"
    for place, name, body in (
        (path, "declare_intervention", DeclareIntervention),
        (f"{path}/withdraw", "withdraw_intervention", WithdrawIntervention),
    ):
        yield CommandRoute(
            place,
            name,
            "on call",
            body,
            body.aggregate,
            body.verb,
            about_person,
            answer=InterventionAnswer,
            etag=False,
        )


_METHODS = f"{_PERSON}/contact-methods"
_TOO_MANY = 429


def _of_contact_methods() -> Iterator[CommandRoute]:
    """Yield the commands on how a person is reached."""
    route = partial(
        CommandRoute,
        tag="people",
        aggregate=AddContactMethod.aggregate,
        answer=ContactMethodAnswer,
        refusals=(*_WITH_VERSION, _TOO_MANY),
    )
    for body, path, message in (
        (AddContactMethod, _METHODS, about_person),
        (SendContactCode, f"{_METHODS}/{{method}}/send-code", about_contact_method),
        (VerifyContactMethod, f"{_METHODS}/{{method}}/verify", about_contact_method),
        (SetNotificationRules, f"{_PERSON}/notification-rules", about_person),
    ):
        yield route(path, body.verb, body=body, verb=body.verb, message=message)


def _of_surveys_and_reviews() -> Iterator[CommandRoute]:
    for tag, paths, answer in (
        ("surveys", SURVEY_PATHS, SurveyRecordAnswer),
        ("reviews", REVIEW_PATHS, ReviewAnswer),
    ):
        for path, body, message in paths:
            yield CommandRoute(
                path,
                body.verb,
                tag,
                body,
                body.aggregate,
                body.verb,
                message,
                answer=answer,
                etag=False,
                refusals=_WITH_VERSION if tag == "reviews" else REFUSALS,
            )


COMMANDS = (
    *_of_incidents(),
    *_of_records("problem", problem.BODIES, problem.IdentifyProblem, about_problem),
    *_of_records("change", change.BODIES, change.RequestChange, about_change),
    CommandRoute(
        "/v1/incidents/{ref}/escalate",
        "escalate",
        "commands",
        Escalate,
        Escalate.aggregate,
        Escalate.verb,
        about_incident,
        "Escalate to the next support level; the desk remains the owner.",
    ),
    CommandRoute(
        "/v1/incidents/{ref}/accept",
        "accept",
        "commands",
        Accept,
        Accept.aggregate,
        Accept.verb,
        about_incident,
        "Accept an escalated incident; nobody else is paged.",
    ),
    *_of_handovers("incident", "handover", Decline),
    *_of_handovers("service", "service_handover", DeclineService),
    CommandRoute(
        "/v1/extensions/{extension}/accept",
        "accept_extension",
        "longer delays",
        AcceptExtension,
        AcceptExtension.aggregate,
        AcceptExtension.verb,
        about_extension,
        "Accept an extension, or record that somebody did.",
    ),
    CommandRoute(
        "/v1/extensions/{extension}/refuse",
        "refuse_extension",
        "longer delays",
        RefuseExtension,
        RefuseExtension.aggregate,
        RefuseExtension.verb,
        about_extension,
        "Refuse an extension: the promise remains unchanged.",
    ),
    CommandRoute(
        "/v1/incidents/{ref}/sla/{target}/attribution",
        "attribute_breach",
        "longer delays",
        AttributeBreach,
        AttributeBreach.aggregate,
        AttributeBreach.verb,
        about_breach,
        "Attribute a breach, which remains, to a party; the last attribution counts.",
    ),
    CommandRoute(
        "/v1/sla/moves/{operation}",
        "move_promises",
        "moves",
        MovePromises,
        MovePromises.aggregate,
        MovePromises.verb,
        about_move,
        "Move promises to another version of the policy, a page of incidents at a "
        "time.\n\nRepeat it with `after` until there is no `next_after`. Each incident "
        "is moved only\nonce, so a move can be stopped at any page and started again "
        "from the beginning.",
        answer=MovedPage,
        etag=False,
        refusals=(400, 404, 413, 415),
    ),
    CommandRoute(
        "/v1/oncall/page-tests",
        RequestPageTest.verb,
        "on call",
        RequestPageTest,
        RequestPageTest.aggregate,
        RequestPageTest.verb,
        new_record,
        answer=PageTestAnswer,
        etag=False,
        refusals=(*REFUSALS, _TOO_MANY),
    ),
    CommandRoute(
        f"{MONTH_REPORT}/comment",
        CommentMonthReport.verb,
        "month reports",
        CommentMonthReport,
        CommentMonthReport.aggregate,
        CommentMonthReport.verb,
        about_month_report,
        answer=MonthReportAnswer,
        etag=False,
        refusals=_WITH_VERSION,
    ),
    *_of_people(),
    *_of_interventions(),
    *_of_on_call(),
    *_of_contact_methods(),
    *_of_surveys_and_reviews(),
)


def _add(route: CommandRoute) -> None:
    async def command(
        message: Annotated[Message, Depends(route.message)],
        desk: DeskHere,
        response: Response,
    ) -> BaseModel:
        send = partial(desk.owner.ask, sent_once=route.body.sent_once)
        answer = await send(route.aggregate, route.verb, message, route.answer)
        response.headers.update(_headers(route, answer))
        return answer

    router.add_api_route(
        route.path,
        command,
        methods=["POST"],
        name=route.name,
        tags=[route.tag],
        summary=None if route.text else getdoc(route.body),
        description=route.text,
        status_code=201 if route.opens else None,
        response_model=route.answer,
        responses=refusals(*route.refusals),
        openapi_extra=body_of(route.body),
    )


def _headers(route: CommandRoute, answer: BaseModel) -> dict[str, str]:
    """Return where the opened record is, and its version."""
    match answer:
        case (
            CommandAnswer(incident=ref, version=version)
            | RecordAnswer(record=ref, version=version)
        ):
            location = {"Location": f"{route.opens}/{ref}"} if route.opens else {}
            return location | ({"ETag": f'"{version}"'} if route.etag else {})
        case (
            PersonAnswer(version=version)
            | OnCallAnswer(version=version)
            | ContactMethodAnswer(version=version)
        ):
            return {"ETag": f'"{version}"'}
        case _:
            return {}


for _route in COMMANDS:
    _add(_route)
