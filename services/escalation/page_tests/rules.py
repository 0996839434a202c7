"""Over which methods a page test goes, and when: as an important page would. Pure."""

import uuid
from datetime import datetime

from services.escalation.rules.context import BY
from services.escalation.rules.requests import NAMESPACE
from shared.domain.contact_methods import ContactMethods, plan
from shared.domain.events.contact_method import DIRECTORY_MAIL
from shared.domain.events.page_test import (
    PageTestDelivered,
    PageTestFailed,
    PageTestMessage,
    PageTestPlanned,
)
from shared.domain.page_test import PageTest
from shared.messaging.delivery_reports import DeliveryReport, NotConfirmedYet


def planned(test: PageTest, held: ContactMethods, at: datetime) -> PageTestPlanned:
    """Return the plan of a test; what would be due after its end is left out.

    Somebody without a verified method is written to at the address in the directory.
    """
    found = plan(held, "important", test.requested_at)
    if found is None:
        messages = [_message(test, DIRECTORY_MAIL, 1, "mail", test.requested_at)]
    else:
        messages = [
            _message(test, method.id, number, method.kind, due_at)
            for method, number, due_at in found.attempts
            if due_at < test.expires_at
        ]
    return PageTestPlanned(
        at=at,
        by=BY,
        person=test.person,
        test=test.id,
        messages=tuple(messages),
        unverified=found is None,
    )


def _message(
    test: PageTest, method: str, number: int, channel: str, due_at: datetime
) -> PageTestMessage:
    key = str(uuid.uuid5(NAMESPACE, f"{test.id}|{method}|{number}"))
    return PageTestMessage.model_validate(
        {"key": key, "method": method, "channel": channel, "due_at": due_at}
    )


def reported(
    report: DeliveryReport, key: str, test: PageTest, at: datetime
) -> PageTestDelivered | PageTestFailed | None:
    """Return the event that a report about the message `key` causes, if it is news.

    Raises `NotConfirmedYet` if our own record of its acceptance is still missing.
    """
    message = next((each for each in test.messages if each.key == key), None)
    if message is None or message.state in ("delivered", "failed"):
        return None
    if message.state != "confirmed":
        raise NotConfirmedYet
    if report.state == "delivered":
        return PageTestDelivered(
            at=at,
            by=BY,
            person=test.person,
            test=test.id,
            key=key,
            provider=report.provider,
        )
    return PageTestFailed(
        at=at,
        by=BY,
        person=test.person,
        test=test.id,
        key=key,
        attempts=1,
        reason=report.reason,
    )
