"""How the cast writes, what monitoring systems post, and what people were told.

Mails are as mail programs make them; events are native or Alertmanager's webhook.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode
from zlib import crc32

from demo.cast import MONDAY, PEOPLE, at, see
from demo.stage import Json, Stage


def z(clock: str, day: date = MONDAY) -> str:
    """Return a local time of a day as the API writes it."""
    return at(clock, day).isoformat().replace("+00:00", "Z")


async def notifications_to(
    stage: Stage, name: str, person: str, kind: str
) -> list[Json]:
    """Return the notifications of a kind to a person about an incident."""
    incident = await stage.incident(name)
    return [
        sent
        for sent in incident["notifications"]
        if (sent["person"], sent["kind"]) == (person, kind)
    ]


def last_mail(stage: Stage, person: str, name: str, words: str = "") -> str:
    """Return subject and body of the last mail to a person about an incident.

    Only mails count whose subject has the `words`, if there are any.
    """
    found = stage.inbox.about(person, stage.ref(name))
    mails = [mail for mail in found if words in str(mail["Subject"])]
    see(f"{person} had mail about {name}", mails)
    body = mails[-1].get_body(("plain",))
    return f"{mails[-1]['Subject']}\n{body.get_content() if body else ''}"


MAILBOX = "boite"
MAIL_SERVER = "mx.permanence.example"
"""The name of this source in the policy of the day."""
_REFERENCE = re.compile(r'id="reference">(INC-[0-9]+)<')
_ADDRESS = {str(one["id"]): str(one["email"]) for one in PEOPLE}


async def mails(stage: Stage, person: str, subject: str, words: str) -> Json:
    """Let a person write to the desk; return the outcome."""
    return await _delivered(stage, _mail(stage, person, subject, words))


async def replies(stage: Stage, person: str, name: str, words: str) -> Json:
    """Let a person answer the last mail they got about an incident."""
    last = stage.inbox.about(person, stage.ref(name))[-1]
    answer = _mail(stage, person, f"RE: {last['Subject']}", words)
    answer["In-Reply-To"] = str(last["Message-ID"])
    answer["References"] = f"{last['References']} {last['Message-ID']}"
    return await _delivered(stage, answer)


async def is_absent(stage: Stage, person: str, name: str) -> Json:
    """Let a person's mail program answer the desk's last mail automatically."""
    last = stage.inbox.about(person, stage.ref(name))[-1]
    answer = _mail(stage, person, f"Absence : {last['Subject']}", "De retour lundi.")
    answer["In-Reply-To"] = str(last["Message-ID"])
    answer["Auto-Submitted"] = "auto-replied"
    return await _delivered(stage, answer)


async def passes_on(
    stage: Stage, agent: str, person: str, words: str, incident: str
) -> Json:
    """Let an agent attach a person's mail to the right incident."""
    mail = _mail(stage, person, "Portail", words)
    asked = {"incident": stage.ref(incident)}
    return await _posted(stage, mail, stage.tokens.people[agent], asked)


async def reports(stage: Stage, person: str, service: str, words: str) -> str:
    """Let a person fill in the form; return the reference that they see."""
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
    """Deliver a mail as the desk's mail server does, which states who sent it."""
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
    result: Json = answer.json()
    return result


ALERTS = ("ServiceDown", "LatencyHigh", "CertificateUnreachable")
"""The alerts of one fault in Alertmanager, each with its own fingerprint."""


def webhook(
    stage: Stage,
    status: str,
    service: str,
    started: str,
    alerts: Sequence[str] = ALERTS,
) -> Mapping[str, Any]:
    """Return a group of alerts on a service as Alertmanager posts it."""
    ended = "0001-01-01T00:00:00Z"
    if status == "resolved":
        ended = stage.now.isoformat()
    common = {"service": service, "severity": "critical"}
    return {
        "version": "4",
        "groupKey": f'{{}}:{{service="{service}"}}',
        "truncatedAlerts": 0,
        "status": status,
        "receiver": "permanence",
        "groupLabels": {"service": service},
        "commonLabels": common,
        "commonAnnotations": {},
        "externalURL": "http://alertmanager.example",
        "alerts": [
            {
                "status": status,
                "labels": {**common, "alertname": name, "instance": f"{service}-1:443"},
                "annotations": {"summary": f"{service} ne répond plus ({name})"},
                "startsAt": started,
                "endsAt": ended,
                "generatorURL": "http://prometheus.example/graph",
                "fingerprint": sha256(f"{service}{name}".encode()).hexdigest()[:16],
            }
            for name in alerts
        ],
    }


VPN_MONITOR = "zabbix"
"""It flaps: its recoveries have to last before they count."""


async def fires(
    stage: Stage,
    service: str,
    *,
    key: str,
    severity: str = "warning",
    source: str = VPN_MONITOR,
) -> str:
    """Post a native event that fires; return the reference of its incident."""
    return await _native(stage, source, service, key, "trigger", severity)


async def recovers(
    stage: Stage, service: str, *, key: str, source: str = VPN_MONITOR
) -> str:
    """Post that it recovered; return the reference of its incident."""
    return await _native(stage, source, service, key, "resolve", "info")


async def beats(stage: Stage, name: str, source: str = VPN_MONITOR) -> bool:
    """Send a heartbeat; tell whether it had been silent."""
    answer = await stage.signals(source, {}, f"/v1/heartbeats/{name}")
    see(f"the beat of {name} is taken", answer.is_success, answer.text)
    await stage.settle()
    recovered: bool = answer.json()["recovered"]
    return recovered


async def _native(
    stage: Stage, source: str, service: str, key: str, action: str, severity: str
) -> str:
    body = {
        "dedup_key": key,
        "action": action,
        "title": f"{service} : liaison coupée",
        "severity": severity,
        "service": service,
        "occurred_at": stage.now.isoformat(),
    }
    answer = await stage.signals(source, [body], "/v1/events")
    see(f"{service} {action} is taken", answer.is_success, answer.text)
    await stage.settle()
    incident: str = answer.json()["results"][0]["incident"]
    return incident
