"""Turns a request into messages: for whom, and what they say.

A link goes to those who have the address and a right; to nobody else, and not more
often than a limit. Sent again after a crash, it is the same link.
"""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from hashlib import sha256

import structlog

from services.escalation.notifications.channels.mail_message import Mailbox
from services.escalation.notifications.channels.parcel import (
    ByMail,
    ByWebhook,
    Parcel,
)
from services.escalation.sign_in_mail.contact_letters import (
    change_letters,
    code_letters,
)
from shared.contact_methods.fingerprints import Address, changed_among
from shared.database.cursors import Cursors
from shared.directory import DirectoryEntry, entry, search
from shared.domain.events.contact_method import DIRECTORY_MAIL
from shared.eventlog.log import EventLog
from shared.eventlog.policies import policy_now
from shared.i18n.access_notices import (
    AccessNotice,
    BreakGlassUsed,
    Invitation,
    SignInLink,
)
from shared.i18n.formats import Reader
from shared.i18n.messages import say
from shared.security.break_glass import alarmed
from shared.security.mail_requests import MailRequest
from shared.security.rights import grants_of
from shared.security.sender import seal_keys_of
from shared.security.sessions import session_named
from shared.security.sign_in_links import (
    INVITATION_DAYS,
    LINK_MINUTES,
    NewLink,
    create_link,
    key_of_invitation,
    links_since,
    open_secret,
)

_log = structlog.get_logger(__name__)
NOWHERE = "set PERMANENCE_PUBLIC_URL and PERMANENCE_VAULT_KEY_FILE of escalation"
LINKS_MAX = 3
"""Links that one person is mailed within `LINKS_WITHIN`."""
LINKS_WITHIN = timedelta(hours=1)
SHARED_MAX = 5
"""People of one address who are mailed."""


class Impossible(Exception):
    """No link can be mailed until somebody changes the settings; says which."""


@dataclass(frozen=True)
class Letters:
    """Composes messages; `public_url` is where people open the desk."""

    log: EventLog
    public_url: str

    def of(
        self, cursor: Cursors, request: MailRequest, now: datetime
    ) -> Sequence[Parcel]:
        """Return the messages of a request, perhaps none.

        Raises `Impossible` if they contain a link and none can be made here.
        """
        keys = seal_keys_of(self.log)
        match request.kind:
            case "break_glass":
                return self._alarms(cursor, request, now)
            case "contact_change":
                mail = partial(self._mail_to, cursor)
                vault = self.log.vault
                return change_letters(cursor, vault, request, mail, self.public_url)
            case "contact_code" if keys():
                mail = partial(self._mail_to, cursor)
                return code_letters(cursor, self.log, request, mail, now)
            case "link" if self.public_url and keys():
                return self._links(cursor, request, now)
            case "invitation" if self.public_url and keys():
                return self._invitations(cursor, request, now)
            case _:
                raise Impossible(NOWHERE)

    def _links(
        self, cursor: Cursors, request: MailRequest, now: datetime
    ) -> Sequence[Parcel]:
        found = search(cursor, None, request.address, None)
        known = [each for each in found if each.confirmed][:SHARED_MAX]
        known = self._unchanged(cursor, known)
        return [
            self._link(cursor, request, person, now)
            for person in known
            if grants_of(cursor, person.id, now)
            and self._is_due(cursor, person, request.attempts, now)
        ]

    def _unchanged(
        self, cursor: Cursors, people: Sequence[DirectoryEntry]
    ) -> list[DirectoryEntry]:
        """Return those whose mail address is what the log says, as far as it is known.

        Else who can write to the database would be mailed a link to sign in as them.
        Who differs is read again: their address may have been corrected in between.
        """
        changed = self._changed(cursor, people)
        read = {id_: entry(cursor, id_) for id_ in changed}
        again = [each for each in read.values() if each]
        still = self._changed(cursor, again)
        for person in changed:
            if person in still:
                _log.error("sign_in_mail.address_changed", person=person)
        fresh = [read.get(each.id, each) for each in people]
        return [each for each in fresh if each and each.id not in still]

    def _changed(self, cursor: Cursors, people: Sequence[DirectoryEntry]) -> set[str]:
        values = {Address(each.id, DIRECTORY_MAIL): each.email for each in people}
        return {each.person for each in changed_among(self.log.vault, cursor, values)}

    def _is_due(
        self,
        cursor: Cursors,
        person: DirectoryEntry,
        attempts: int,
        now: datetime,
    ) -> bool:
        """Return whether somebody may be sent a link; one sent again is the same."""
        since, actor = now - LINKS_WITHIN, f"person:{person.id}"
        sent = links_since(cursor, actor, "mail", since)
        return sent < LINKS_MAX or (attempts > 1 and sent == LINKS_MAX)

    def _link(
        self,
        cursor: Cursors,
        request: MailRequest,
        person: DirectoryEntry,
        now: datetime,
    ) -> ByMail:
        keys = seal_keys_of(self.log)
        whose = f"{request.request_id}|{person.id}"
        key = hmac.digest(keys()[0], whose.encode(), sha256)
        lifetime = timedelta(minutes=LINK_MINUTES)
        link = NewLink(f"person:{person.id}", "mail", lifetime, key=key)
        secret = create_link(cursor, keys, now, link)
        url = f"{self.public_url}/sign-in/link/{secret}"
        return self._mail(cursor, whose, person, SignInLink(url, lifetime))

    def _invitations(
        self, cursor: Cursors, request: MailRequest, now: datetime
    ) -> Sequence[Parcel]:
        """Return the mail with the link that intake made, unless it was revoked."""
        keys = seal_keys_of(self.log)()
        id_ = request.person or ""
        person = entry(cursor, id_)
        made_of = [key_of_invitation(key, request.request_id, id_) for key in keys]
        secret = open_secret(cursor, made_of, now)
        if person is None or secret is None:
            return ()
        known = [each for each in self._unchanged(cursor, [person]) if each.email]
        host = request.label.partition(":")[2]
        by = entry(cursor, host)
        notice = Invitation(
            url=f"{self.public_url}/sign-in/link/{secret}",
            by=by.name if by else host,
            days=INVITATION_DAYS,
        )
        whose = f"{request.request_id}|{person.id}"
        return [self._mail(cursor, whose, each, notice) for each in known]

    def _alarms(
        self, cursor: Cursors, request: MailRequest, now: datetime
    ) -> Sequence[Parcel]:
        session = session_named(cursor, request.session_id or "")
        if session is None:
            return ()
        key = f"break-glass|{session.session_id}"
        url = f"{self.public_url}/sessions?everybody=1" if self.public_url else ""
        notice = BreakGlassUsed(
            who=session.actor,
            label=request.label,
            at=session.created_at,
            until=session.expires_at,
            device=session.device,
            url=url,
        )
        told = alarmed(cursor, now)
        known = [person for id_ in told if (person := entry(cursor, id_))]
        mails = [
            self._mail(cursor, f"{key}|{person.id}", person, notice)
            for person in self._unchanged(cursor, known)
            if person.email
        ]
        return (ByWebhook(key, _payload(key, notice)), *mails)

    def _mail(
        self,
        cursor: Cursors,
        key: str,
        person: DirectoryEntry,
        notice: AccessNotice,
    ) -> ByMail:
        return self._mail_to(cursor, key, person, person.email or "", notice)

    def _mail_to(
        self,
        cursor: Cursors,
        key: str,
        person: DirectoryEntry,
        address: str,
        notice: AccessNotice,
    ) -> ByMail:
        policy = policy_now(self.log, cursor)
        zone = policy.desk.timezone if policy else "UTC"
        fallback = policy.desk.languages[0] if policy else "en"
        reader = Reader(person.language, person.zone or zone, person.name)
        message = say(notice, reader, fallback)
        return ByMail(key, Mailbox(address, person.name), message)


def _payload(key: str, notice: BreakGlassUsed) -> dict[str, object]:
    """Return the alarm for the receiver of pages."""
    return {
        "id": key,
        "kind": "break_glass",
        "actor": notice.who,
        "label": notice.label,
        "at": notice.at.isoformat(),
        "until": notice.until.isoformat(),
        "device": notice.device,
        "url": notice.url,
    }
