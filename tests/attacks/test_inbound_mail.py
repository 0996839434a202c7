"""Mails under a reporter's name: anybody can write any sender and any reference."""

from collections.abc import Iterator

import pytest

from services.intake.assembly import Parts
from services.intake.inbound_mail.context import LETTERS_AN_HOUR_MAX
from shared.domain.events.incident import IncidentContacted, IncidentResumed
from tests.support.desks.mail import (
    AUTHSERV_ID,
    LetterDoors,
    apply_mailbox,
    mailbox_desk,
)
from tests.support.mail.raw_mails import mail
from tests.support.servers.servers import Database

pytestmark = pytest.mark.servers

COSTA = "costa@valmont.example"
GOOD = f"{AUTHSERV_ID}; dmarc=pass header.from=valmont.example"


@pytest.fixture
def desk(database: Database) -> Iterator[LetterDoors]:
    """Give the doors of a desk whose mail server says who sent what."""
    with mailbox_desk(database) as desk:
        yield desk


def reply(
    desk: LetterDoors, ref: str, *above: str, **headers: str
) -> dict[str, object]:
    """Let a mail of Costa's name about an incident come; return its outcome."""
    number = len(desk.asks("SELECT 1 FROM intake.letters"))
    written = mail(
        f"Words {number}.",
        subject=f"Re: [{ref}] Portal down",
        message_id=f"<reply-{number}@valmont.example>",
        **headers,
    )
    head = "".join(f"Authentication-Results: {each}\r\n" for each in above)
    return desk.takes(head.encode() + written)


def asked_of_costa(desk: LetterDoors) -> str:
    """Return an incident of Costa's whose pause ends with their reply."""
    ref = desk.takes(f"Authentication-Results: {GOOD}\r\n".encode() + mail())
    desk.does(ref["incident"], "pause", reason="user", question="Quel matricule ?")
    return str(ref["incident"])


FORGED = {
    "nothing is said of the sender": (),
    "DMARC fails, though another domain signed": (
        (
            f"{AUTHSERV_ID}; dkim=pass header.d=evil.example;"
            " spf=pass smtp.mailfrom=x@evil.example;"
            " dmarc=fail (p=none) header.from=valmont.example"
        ),
    ),
    "the sender wrote the field below ours": (
        f"{AUTHSERV_ID}; dmarc=fail header.from=valmont.example",
        GOOD,
    ),
    "the server is another one": (GOOD.replace("mx.", "mx2."),),
    "another server's is above": ("relay.example; dmarc=none", GOOD),
    "the domain is one that contains ours": (
        f"{AUTHSERV_ID}; dmarc=pass header.from=valmont.example.evil.example",
    ),
    "a domain beside signed": (
        f"{AUTHSERV_ID}; dkim=pass header.d=mail.valmont.example",
    ),
    "a comment hides the domain that signed": (
        f"{AUTHSERV_ID}; dkim=pass header.d=valmont.example(.evil.example)",
    ),
    "a comment that does not end hides what failed": (
        f"{AUTHSERV_ID}; dmarc=pass header.from=valmont.example (; dmarc=fail",
    ),
    "the sender's name holds a result": (
        (
            f'{AUTHSERV_ID}; spf=pass smtp.mailfrom="x; dmarc=pass"'
            " header.from=valmont.example"
        ),
    ),
    "a domain was given twice": (
        f"{AUTHSERV_ID}; dkim=pass header.d=evil.example header.d=valmont.example",
    ),
    "DMARC fails for a reason of its own": (
        (
            f"{AUTHSERV_ID}; dkim=pass header.d=valmont.example;"
            " dmarc=fail header.from=valmont.example"
        ),
    ),
    "both results are there": (f"{GOOD}; dmarc=fail header.from=valmont.example",),
    "a later version means something else": (GOOD.replace(";", " 2;", 1),),
}


def test_a_forged_mail_ends_no_pause_and_reopens_nothing(desk: LetterDoors) -> None:
    ref = asked_of_costa(desk)

    for how, above in FORGED.items():
        told = reply(desk, ref, *above)
        last = desk.history(ref)[-1]
        assert isinstance(last, IncidentContacted), how
        assert (last.unconfirmed, last.sender_unconfirmed) == (True, True), how
        assert told["note"] == "nothing proves who sent it: it speaks for nobody yet"
    desk.does(ref, "resume")
    desk.does(ref, "resolve")
    desk.does(ref, "close")
    reply(desk, ref)

    assert desk.history(ref)[-1].type == "incident.contacted"
    assert len(desk.history(ref)) > len(FORGED), "and nothing is lost"


@pytest.mark.parametrize(
    "authors",
    [
        "From: costa@valmont.example, x@evil.example",
        "From: costa@valmont.example\r\nFrom: x@evil.example",
    ],
)
def test_a_mail_with_two_authors_is_nobodys_reply(
    desk: LetterDoors, authors: str
) -> None:
    """The server may have looked at the other one."""
    ref = asked_of_costa(desk)
    head = f"Authentication-Results: {GOOD}\r\n{authors}\r\nSubject: [{ref}]\r\n"

    told = desk.takes(f"{head}Message-ID: <2@evil.example>\r\n\r\nYes.".encode())

    assert told["person"] == "costa"
    assert isinstance(desk.history(ref)[-1], IncidentContacted)


@pytest.mark.parametrize(
    "said",
    [
        GOOD,
        (
            f"(checked) {AUTHSERV_ID.upper()} (here) 1 (v1);\r\n\tDKIM=pass (2048-bit; "
            'ours) reason="good; indeed"\r\n header.d=Valmont.Example header.b=ab/+c=;'
            " spf/1 = pass smtp . mailfrom = bounces@valmont.example"
        ),
        (
            f"{AUTHSERV_ID}; dmarc=none header.from=valmont.example; spf=pass"
            " smtp.mailfrom=costa@valmont.example"
        ),
    ],
)
def test_what_the_mail_server_vouches_for_resumes(desk: LetterDoors, said: str) -> None:
    ref = asked_of_costa(desk)

    reply(desk, ref, said)

    assert isinstance(desk.history(ref)[-1], IncidentResumed)


@pytest.mark.parametrize("header", ["in_reply_to", "references", "to_address"])
def test_a_reply_to_a_mail_of_ours_resumes_whatever_the_server_says(
    desk: LetterDoors, header: str
) -> None:
    ref = asked_of_costa(desk)
    tagged = {header: desk.mailed(ref, COSTA)}
    if header == "to_address":
        local = desk.mailed(ref, COSTA)[42:].partition("@")[0]
        tagged = {"delivered_to": f"desk+{local.lower()}@permanence.example"}

    reply(desk, ref, f"{AUTHSERV_ID}; dmarc=fail", **tagged)

    assert isinstance(desk.history(ref)[-1], IncidentResumed)


def test_a_tag_vouches_for_its_incident_and_its_address_only(
    desk: LetterDoors,
) -> None:
    ref = asked_of_costa(desk)
    mailed = desk.mailed(ref, COSTA)
    for tried in (
        desk.mailed("INC-000099", COSTA),
        desk.mailed(ref, "leroy@valmont.example"),
        mailed.replace(".20250630.", ".20991231."),
        mailed[:43] + mailed[43:].replace("0", "1"),
        mailed.replace("permanence.example", "evil.example"),
        f"<{ref}@permanence.example>",
    ):
        reply(desk, ref, in_reply_to=tried)

    assert not any(isinstance(e, IncidentResumed) for e in desk.history(ref))


def test_tags_can_be_called_in(desk: LetterDoors) -> None:
    ref = asked_of_costa(desk)
    later = ("recovery:", "reply_tags_since: 2025-07-01\n  recovery:")
    apply_mailbox(desk.owner, later)

    reply(desk, ref, in_reply_to=desk.mailed(ref, COSTA))

    assert isinstance(desk.history(ref)[-1], IncidentContacted)


def test_nobody_can_have_a_mail_taken_for_one_that_had_come(desk: LetterDoors) -> None:
    """Whoever gets a copy knows its number, and may be quicker than the mailbox."""
    forged = desk.takes(mail("Never mind, it works."))

    told = desk.takes(mail("The portal is down."))

    assert (forged["repeated"], told["repeated"]) == (False, False)
    assert desk.takes(mail("The portal is down."))["repeated"]


def flooded(desk: LetterDoors) -> None:
    """Let as many reports and forged mails come in Costa's name as an hour may have."""
    desk.takes(mail())
    with desk.owner.transaction() as cursor:
        for source in ("form", "boite"):
            cursor.execute(
                "INSERT INTO intake.letters"
                " (key, source, received_at, verdict, person, owner, sealed)"
                " SELECT gen_random_uuid(), %s, received_at, verdict, person, owner,"
                " sealed FROM intake.letters, generate_series(1, %s)"
                " WHERE letter_id = 1",
                (source, LETTERS_AN_HOUR_MAX),
            )


def test_nobody_is_silenced_by_what_others_send_in_their_name(
    desk: LetterDoors,
) -> None:
    flooded(desk)
    assert reply(desk, "INC-000001")["verdict"] == "held"

    told = reply(desk, "INC-000001", GOOD)

    assert told["verdict"] == "attached"


def test_what_is_held_is_one_task_until_none_is_left(desk: LetterDoors) -> None:
    async def looks(parts: Parts) -> None:
        await parts.held_mail.round()
        await parts.held_mail.round()

    async def looks_until_all_are_taken(parts: Parts) -> None:
        await parts.held_mail.round()
        with desk.owner.transaction() as cursor:
            cursor.execute(
                "UPDATE intake.letters SET verdict = 'opened' WHERE verdict = 'held'"
            )
        await parts.held_mail.round()

    flooded(desk)
    for process in (looks, looks, looks_until_all_are_taken):
        assert reply(desk, "INC-000001")["verdict"] == "held"
        desk.with_parts(process)

    streams = desk.asks("SELECT DISTINCT originator_id FROM log.events")
    incidents = [
        desk.history(stream.removeprefix("incident-"))
        for (stream,) in streams
        if stream.startswith("incident-")
    ]
    (task,) = (each for each in incidents if each[0].origin == "monitoring")
    assert task[0].title == "Letters are held: somebody has to read them"
    assert "incident.resolved" in {event.type for event in task}
