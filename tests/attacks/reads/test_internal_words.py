"""What agents write for each other reaches no user: by no page, link or mail."""

from collections.abc import Iterator
from datetime import timedelta
from email.message import EmailMessage

import pytest

from tests.support.builders.user_links import link_to
from tests.support.desks.notifying import OPENED, CallingDesk, calling_desk
from tests.support.folders import reachable_folder
from tests.support.patience import until

pytestmark = pytest.mark.servers

BETWEEN_US = "Nur für uns: der Rechner von Costa ist schuld."
FOR_THE_USER = "Réparé hier."


@pytest.fixture(scope="module")
def desk() -> Iterator[CallingDesk]:
    with reachable_folder() as folder, calling_desk(folder) as running:
        yield running


def _worked_on(desk: CallingDesk) -> str:
    """Return an incident with internal words at every turn of its life."""
    ref = desk.open(channel="phone")
    for verb, body in (
        ("note", {"note": BETWEEN_US}),
        ("remind", {"for": "700h", "note": BETWEEN_US}),
        ("escalate", {"reason": BETWEEN_US}),
        ("inform", {"message": "Nous savons pourquoi."}),
        ("resolve", {"note": FOR_THE_USER}),
        ("solution", {"note": BETWEEN_US}),
        ("note", {"note": BETWEEN_US}),
        ("close", {"note": BETWEEN_US}),
        ("reopen", {"cause": "agent", "reason": BETWEEN_US}),
    ):
        desk.post(f"/v1/incidents/{ref}/{verb}", body)
    return ref


def _texts(mail: EmailMessage) -> list[str]:
    parts = [each for each in mail.walk() if each.get_content_maintype() == "text"]
    return [str(mail["subject"]), *(str(each.get_content()) for each in parts)]


def test_what_agents_write_for_each_other_reaches_no_user(desk: CallingDesk) -> None:
    ref = _worked_on(desk)
    link = link_to(desk.desk.log(), ref, "roche", OPENED + timedelta(days=1))

    def mails() -> list[str]:
        sent = desk.inbox.to("roche@valmont.example")
        return [text for each in sent for text in _texts(each)]

    until(lambda: FOR_THE_USER in str(mails()), lambda: str(mails()))
    desk.until_quiet()
    pages = [
        desk.desk.get(f"{each}/{link}", None) for each in ("/my", "/v1/user-pages")
    ]

    assert [each.status_code for each in pages] == [200, 200]
    assert all(FOR_THE_USER in each.text for each in pages)
    timeline = desk.desk.get(f"/v1/incidents/{ref}/timeline?limit=500", "nadia").text
    assert timeline.count(BETWEEN_US) >= 6
    for text in (*mails(), *(each.text for each in pages)):
        assert BETWEEN_US not in text
