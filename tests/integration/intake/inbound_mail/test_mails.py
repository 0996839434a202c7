"""Letters become contacts, on a real log: once, whoever wrote and however they came."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import orjson
import pytest
from prometheus_client import generate_latest

from services.intake.directory import store as directory_store
from services.intake.inbound_mail.context import LETTERS_AN_HOUR_MAX
from services.intake.inbound_mail.message import LETTER_BYTES_MAX
from shared.domain.events.incident import IncidentContacted, IncidentResumed
from shared.eventlog.log import EventLog
from shared.security.access import create
from tests.integration.intake.conftest import MASTER, NOW
from tests.support.desks.mail import LetterDoors
from tests.support.mail.raw_mails import mail, written
from tests.support.servers.servers import Database

pytestmark = pytest.mark.servers

COSTA = {"id": "costa", "name": "M. Costa", "email": "Costa@Valmont.example"}
LEROY = {"id": "leroy", "name": "Mme Leroy", "email": "leroy@valmont.example"}


@pytest.fixture
def desk(ruled: Database) -> Iterator[LetterDoors]:
    """Give the doors of a desk that knows two people."""
    owner = EventLog.open(ruled.owner_dsn)
    with owner.transaction() as cursor:
        token = create(cursor, NOW, "person:nadia", ["agent"]).token
        directory_store.import_people(cursor, [COSTA, LEROY], NOW)
    log = EventLog.open(ruled.dsn("desk_intake"), master=MASTER, clock=lambda: NOW)
    with ThreadPoolExecutor(4) as executor:
        yield LetterDoors(log, owner, executor, token, NOW)
    log.close()
    owner.close()


def reply(desk: LetterDoors, ref: str, words: str = "Le 40 312.", **more: str) -> bytes:
    """Return Costa's answer to a mail that the desk sent about an incident."""
    usual = {"message_id": "<2@valmont.example>", "subject": "Re: Portal down"}
    mailed = desk.mailed(ref, "costa@valmont.example")
    return mail(words, in_reply_to=mailed, **(usual | more))


def test_a_mail_opens_an_incident_of_whom_it_is_from(desk: LetterDoors) -> None:
    answer = desk.post(mail("Le portail est blanc.", subject="Portail"))

    told = answer.json()
    assert answer.status_code == 201
    assert answer.headers["location"] == f"/v1/incidents/{told['incident']}"
    assert (told["verdict"], told["person"], told["known"]) == ("opened", "costa", True)
    opened, contacted = desk.history(told["incident"])
    assert (opened.title, opened.reporter) == ("Portail", "costa")
    assert contacted.words == "Le portail est blanc."
    assert (contacted.channel, contacted.whose) == ("email", "person:costa")


def test_the_same_mail_is_one_contact_however_often_it_comes(desk: LetterDoors) -> None:
    first = desk.takes(mail())
    again = desk.takes(b"Received: by another way\r\n" + mail())

    assert again == {**first, "repeated": True, "known": None}
    assert len(desk.history(first["incident"])) == 2


def test_a_mail_whose_contact_is_there_and_which_was_not_kept_is_kept_once(
    desk: LetterDoors,
) -> None:
    first = desk.takes(mail())
    with desk.owner.transaction() as cursor:
        cursor.execute("DELETE FROM intake.letters")
    again = desk.takes(mail())

    assert (again["incident"], again["repeated"]) == (first["incident"], False)
    assert len(desk.history(first["incident"])) == 2


def test_an_answer_of_its_reporter_resumes(desk: LetterDoors) -> None:
    ref = desk.takes(mail())["incident"]
    desk.does(ref, "pause", reason="user", question="Quel matricule ?")

    told = desk.takes(reply(desk, ref))

    assert (told["verdict"], told["incident"]) == ("attached", ref)
    *_, contacted, resumed = desk.history(ref)
    assert contacted.words == "Le 40 312."
    assert isinstance(resumed, IncidentResumed)
    assert resumed.cause == "reply"


def test_an_answer_of_somebody_else_speaks_for_nobody(desk: LetterDoors) -> None:
    ref = desk.takes(mail())["incident"]
    desk.does(ref, "pause", reason="user", question="Quel matricule ?")

    told = desk.takes(reply(desk, ref, sender="leroy@valmont.example"))

    assert told["verdict"] == "attached"
    assert "not known to be theirs" in told["note"]
    last = desk.history(ref)[-1]
    assert isinstance(last, IncidentContacted)
    assert (last.person, last.unconfirmed) == ("leroy", True)


def test_an_agent_says_where_a_mail_belongs(desk: LetterDoors) -> None:
    ref = desk.takes(mail())["incident"]
    other = mail(sender="leroy@valmont.example", message_id="<9@valmont.example>")

    told = desk.post(other, asked=f"?incident={ref}").json()

    assert (told["verdict"], told["incident"]) == ("attached", ref)
    assert desk.history(ref)[-1].unconfirmed is None
    nowhere = mail(sender="leroy@valmont.example", message_id="<10@valmont.example>")
    assert desk.post(nowhere, asked="?incident=INC-999999").status_code == 404
    assert desk.post(nowhere, asked="?incident=x").status_code == 422


def test_an_answer_to_a_merged_one_goes_where_its_trouble_went(
    desk: LetterDoors,
) -> None:
    first = desk.takes(mail())["incident"]
    other = desk.takes(
        mail(sender="leroy@valmont.example", message_id="<9@valmont.example>")
    )["incident"]
    desk.does(first, "merge", into=other)

    told = desk.takes(reply(desk, first))

    assert (told["verdict"], told["incident"], told["note"]) == (
        "attached",
        other,
        None,
    )


def test_an_answer_to_a_closed_one_reopens_it_and_later_opens_another(
    desk: LetterDoors,
) -> None:
    ref = desk.takes(mail())["incident"]
    desk.does(ref, "resolve")
    desk.does(ref, "close")

    assert desk.takes(reply(desk, ref))["incident"] == ref
    assert desk.history(ref)[-1].type == "incident.reopened"

    desk.does(ref, "resolve")
    desk.does(ref, "close")
    desk.now += timedelta(days=365)
    told = desk.takes(reply(desk, ref, message_id="<3@valmont.example>"))

    assert told["verdict"] == "opened"
    assert desk.history(told["incident"])[0].follows == ref


def test_a_machine_opens_and_answers_nothing_and_is_listed(desk: LetterDoors) -> None:
    ref = desk.takes(mail())["incident"]
    desk.does(ref, "pause", reason="user", question="Quel matricule ?")
    before = desk.history(ref)

    told = desk.takes(reply(desk, ref, auto_submitted="auto-replied"))

    assert told["verdict"] == "automatic"
    assert "Auto-Submitted" in told["note"]
    assert desk.history(ref) == before
    assert desk.asks(
        "SELECT verdict, incident, person FROM intake.letters ORDER BY letter_id"
    ) == [("opened", ref, "costa"), ("automatic", ref, "costa")]
    counted = generate_latest(desk.registry).decode()
    assert 'permanence_letters_total{verdict="automatic"} 1.0' in counted


def test_a_stranger_is_heard_and_their_address_is_not_in_the_log(
    desk: LetterDoors,
) -> None:
    told = desk.takes(mail(sender="Zoé <zoe@elsewhere.example>"))

    assert (told["verdict"], told["known"]) == ("opened", False)
    assert told["person"].startswith("mail-")
    assert desk.asks(
        "SELECT name, email, confirmed FROM directory.people WHERE id = %s",
        told["person"],
    ) == [("Zoé", "zoe@elsewhere.example", False)]
    (count,) = desk.asks(
        "SELECT count(*) FROM log.events WHERE convert_from(state, 'UTF8') LIKE %s",
        "%elsewhere%",
    )
    assert count == (0,)


def test_a_stranger_who_writes_again_is_the_same_person(desk: LetterDoors) -> None:
    first = desk.takes(mail(sender="zoe@elsewhere.example"))
    again = desk.takes(
        mail(sender="ZOE@elsewhere.example", message_id="<7@elsewhere.example>")
    )

    assert first["person"] == again["person"]
    assert first["incident"] != again["incident"]


def test_of_people_who_share_an_address_the_reporter_speaks(desk: LetterDoors) -> None:
    ref = desk.takes(mail())["incident"]
    with desk.log.transaction() as cursor:
        row = {"id": "accueil", "name": "Accueil", "email": "costa@valmont.example"}
        directory_store.import_people(cursor, [row], NOW)

    assert desk.takes(reply(desk, ref))["person"] == "costa"


def test_what_has_no_sender_is_kept_whole(desk: LetterDoors) -> None:
    raw = written("Subject: who am I?", "words")
    told = desk.takes(raw)

    assert (told["verdict"], told["incident"]) == ("unreadable", None)
    ((key, owner, hidden),) = desk.asks("SELECT key, owner, sealed FROM intake.letters")
    assert owner == "person:nadia"
    opened = desk.log.vault.open(hidden, f"letter|{key}")
    assert opened is not None
    assert "d2hvIGFtIEk" in orjson.loads(opened)["raw"]


def test_two_machines_cannot_answer_each_other_for_ever(desk: LetterDoors) -> None:
    told = [
        desk.takes(mail(message_id=f"<{number}@loop.example>"))["verdict"]
        for number in range(LETTERS_AN_HOUR_MAX + 1)
    ]
    assert told == ["opened"] * LETTERS_AN_HOUR_MAX + ["held"]

    desk.now += timedelta(hours=1)

    assert desk.takes(mail(message_id="<later@valmont.example>"))["verdict"] == "opened"


def test_only_mail_is_taken_and_only_of_those_who_may(desk: LetterDoors) -> None:
    assert desk.post(mail(), "application/json").status_code == 415
    assert desk.post(b" \r\n").status_code == 422
    assert desk.post(b"x" * (LETTER_BYTES_MAX + 1)).status_code == 413
    desk.token = "pmn_no"
    assert desk.post(mail()).status_code == 401


def test_the_key_of_a_source_posts_for_a_mailbox_only(desk: LetterDoors) -> None:
    with desk.owner.transaction() as cursor:
        desk.token = create(cursor, NOW, "source:demo", ["source"]).token

    refused = desk.post(mail())

    assert refused.status_code == 403
    assert "declare it in `sources`" in refused.json()["detail"]
