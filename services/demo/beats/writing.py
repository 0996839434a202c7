"""How the cast writes: mails as their programs make them, and the form."""

import re
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from urllib.parse import urlencode
from zlib import crc32

from services.demo.cast import PEOPLE
from services.demo.seeing import see
from services.demo.stage import Json, Stage

MAILBOX = "boite"
MAIL_SERVER = "mx.permanence.example"
"""As which the policy of the day knows it."""
_REFERENCE = re.compile(r'id="reference">(INC-[0-9]+)<')
_ADDRESS = {str(one["id"]): str(one["email"]) for one in PEOPLE}


async def mails(stage: Stage, person: str, subject: str, words: str) -> Json:
    """Let somebody write to the desk; return its outcome."""
    return await _delivered(stage, _mail(stage, person, subject, words))


async def replies(stage: Stage, person: str, name: str, words: str) -> Json:
    """Let somebody answer the last mail they had about an incident."""
    last = stage.letters.about(person, stage.ref(name))[-1]
    answer = _mail(stage, person, f"RE: {last['Subject']}", words)
    answer["In-Reply-To"] = str(last["Message-ID"])
    answer["References"] = f"{last['References']} {last['Message-ID']}"
    return await _delivered(stage, answer)


async def is_absent(stage: Stage, person: str, name: str) -> Json:
    """Let somebody's program answer the desk's last mail by itself."""
    last = stage.letters.about(person, stage.ref(name))[-1]
    answer = _mail(stage, person, f"Absence : {last['Subject']}", "De retour lundi.")
    answer["In-Reply-To"] = str(last["Message-ID"])
    answer["Auto-Submitted"] = "auto-replied"
    return await _delivered(stage, answer)


async def passes_on(
    stage: Stage, agent: str, person: str, words: str, incident: str
) -> Json:
    """Let an agent put a mail of somebody where it belongs."""
    mail = _mail(stage, person, "Portail", words)
    asked = {"incident": stage.ref(incident)}
    return await _posted(stage, mail, stage.tokens.people[agent], asked)


async def reports(stage: Stage, person: str, service: str, words: str) -> str:
    """Let somebody fill in the form; return the reference that they see."""
    given = {"email": _ADDRESS[person], "service": service, "words": words}
    answer = await stage.client.post(
        "/report",
        content=urlencode({**given, "lang": "fr"}),
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )
    shown = _REFERENCE.search(answer.text)
    see(f"{person} sees a reference", answer.is_success and shown, answer.text)
    await stage.settle()
    return shown[1] if shown else ""


def _mail(stage: Stage, person: str, subject: str, words: str) -> EmailMessage:
    made = EmailMessage(policy=SMTP)
    made["From"] = _ADDRESS[person]
    made["To"] = "desk@permanence.example"
    made["Subject"] = subject
    made["Date"] = format_datetime(stage.now)
    number = f"{stage.now:%d%H%M%S}.{crc32(words.encode()):x}"
    made["Message-ID"] = f"<{number}.{person}@users.example>"
    made.set_content(words)
    return made


async def _delivered(stage: Stage, mail: EmailMessage) -> Json:
    """Hand a mail over as the desk's mail server does, which says who sent it."""
    domain = str(mail["From"]).rpartition("@")[2]
    said = f"{MAIL_SERVER}; dmarc=pass header.from={domain}"
    seen = f"Authentication-Results: {said}\r\n".encode()
    return await _posted(stage, mail, stage.tokens.sources[MAILBOX], {}, seen)


async def _posted(
    stage: Stage,
    mail: EmailMessage,
    token: str,
    asked: dict[str, str],
    above: bytes = b"",
) -> Json:
    answer = await stage.client.post(
        "/v1/contacts/mail",
        content=above + mail.as_bytes(),
        params=asked,
        headers={"Authorization": f"Bearer {token}", "Content-Type": "message/rfc822"},
    )
    see(f"the mail of {mail['From']} is taken", answer.is_success, answer.text)
    await stage.settle()
    told: Json = answer.json()
    return told
