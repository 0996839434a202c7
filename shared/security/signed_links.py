"""Signed links for answers without an account, and signed tags that verify replies.

The holder of an answer link may answer as the person it was sent to, one question only,
until the link expires. An answer cannot be changed: a link is valid for one answer.

The holder of a user link may follow one incident as the person it was sent to, and act
on it as its user. The holder of a page link may answer one page as the person who was
paged, the holder of a survey link one invitation to a survey as the person who was
asked, and the holder of a page test link one page test as the person who is tested.
The holder of the link of a bundle may take all its pages as the person who was sent
it, and the holder of a report link may read one edition of a month report. Each kind of
link is signed with a key of its own, so none can be used as another.

Anybody can forge a sender and guess a reference. Only a reader of the desk's mail about
an incident knows its tag, which is valid for that incident and for the address to which
the mail was sent. Each mail to a user contains it in its Message-ID, which mail
programs quote in replies, and in the reply address if the mailbox accepts
`desk+anything@…`.
"""

import base64
import binascii
import hmac
import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from typing import NamedTuple

from shared.domain.identifiers import (
    is_bundle_key,
    is_edition_ref,
    is_extension_ref,
    is_incident_ref,
    is_invitation_ref,
    is_page_key,
    is_page_test_ref,
    paged_incident,
    tested_person,
)
from shared.domain.policy.clause import PERSON

PURPOSE = "answer links"
USER_LINKS_PURPOSE = "user links"
"""The purpose of the key that signs user links."""
USER_LINK_VALID = timedelta(days=60)
"""How long the link in a mail to a user is valid, counted from that mail."""
PAGE_LINKS_PURPOSE = "page links"
"""The purpose of the key that signs page links."""
PAGE_LINK_VALID = timedelta(hours=24)
"""How long the link in a page is valid, counted from the page."""
BUNDLE_LINKS_PURPOSE = "bundle links"
"""The purpose of the key that signs links of bundles, which expire like those of pages.
"""
SURVEY_LINKS_PURPOSE = "survey links"
"""The purpose of the key that signs survey links."""
PAGE_TEST_LINKS_PURPOSE = "page test links"
"""The purpose of the key that signs page test links."""
REPORT_LINKS_PURPOSE = "report links"
"""The purpose of the key that signs report links."""
REPORT_LINK_VALID = timedelta(days=90)
"""How long the link to a month report is valid, counted from its publication."""
TOKEN_MAX = 512
_SIGNATURE_BYTES = 24
_BETWEEN = "|"


class AnswerLink(NamedTuple):
    """The content of a link: the extension to answer, the person, and the expiry."""

    extension: str
    person: str
    until: datetime


class UserLink(NamedTuple):
    """The content of a link: the incident to follow, the person, and the expiry."""

    incident: str
    person: str
    until: datetime


class PageLink(NamedTuple):
    """The content of a link: the page to answer, who was paged, and the expiry.

    The key of a page says which stay of an incident at which level it is about.
    """

    page: str
    person: str
    until: datetime
    epoch: str = ""
    """The epoch of the page: after a restore another page may have the same key."""

    @property
    def incident(self) -> str:
        """The incident that the page is about."""
        return paged_incident(self.page)


class BundleLink(NamedTuple):
    """The content of a link: the bundle of pages, who was sent it, and the expiry."""

    bundle: str
    person: str
    until: datetime
    epoch: str = ""
    """The epoch of the bundle: after a restore another one may have the same key."""


class SurveyLink(NamedTuple):
    """The content of a link: the invitation to the survey, the person, and the expiry.

    The invitation to a survey about an incident has the reference of the incident.
    """

    invitation: str
    person: str
    until: datetime


class PageTestLink(NamedTuple):
    """The content of a link: the page test to answer, its person, and the expiry."""

    test: str
    person: str
    until: datetime
    epoch: str = ""
    """The epoch of the test: after a restore another test may have the same id."""


class ReportLink(NamedTuple):
    """The content of a link: the edition of a report, its reader, and the expiry."""

    edition: str
    person: str
    until: datetime


AnyLink = (
    AnswerLink
    | UserLink
    | PageLink
    | BundleLink
    | SurveyLink
    | PageTestLink
    | ReportLink
)


def token_of(key: bytes, link: AnyLink) -> str:
    """Return the token for the address of a link."""
    record, person, until, *epoch = link
    parts = (record, person, str(int(until.timestamp())), *filter(None, epoch))
    told = _BETWEEN.join(parts).encode()
    return _text(told + _signature(key, told))


def read_token(keys: Iterable[bytes], token: str) -> AnswerLink | None:
    """Return the content of an answer link, None if none of these keys signed it."""
    match _signed(keys, token):
        case (extension, person, until, "") if is_extension_ref(extension):
            return AnswerLink(extension, person, until)
        case _:
            return None


def read_user_token(keys: Iterable[bytes], token: str) -> UserLink | None:
    """Return the content of a user link, None if none of these keys signed it."""
    match _signed(keys, token):
        case (incident, person, until, "") if is_incident_ref(incident):
            return UserLink(incident, person, until)
        case _:
            return None


def read_page_token(keys: Iterable[bytes], token: str) -> PageLink | None:
    """Return the content of a page link, None if none of these keys signed it."""
    match _signed(keys, token):
        case (page, person, until, epoch) if is_page_key(page):
            return PageLink(page, person, until, epoch)
        case _:
            return None


def read_bundle_token(keys: Iterable[bytes], token: str) -> BundleLink | None:
    """Return the content of a bundle's link, None if none of these keys signed it."""
    match _signed(keys, token):
        case (bundle, person, until, epoch) if is_bundle_key(bundle):
            return BundleLink(bundle, person, until, epoch)
        case _:
            return None


def read_survey_token(keys: Iterable[bytes], token: str) -> SurveyLink | None:
    """Return the content of a survey link, None if none of these keys signed it."""
    match _signed(keys, token):
        case (invitation, person, until, "") if is_invitation_ref(invitation):
            return SurveyLink(invitation, person, until)
        case _:
            return None


def read_page_test_token(keys: Iterable[bytes], token: str) -> PageTestLink | None:
    """Return the content of a page test link, None if none of these keys signed it."""
    match _signed(keys, token):
        case (test, person, until, epoch) if is_page_test_ref(test):
            is_whole = tested_person(test) == person
            return PageTestLink(test, person, until, epoch) if is_whole else None
        case _:
            return None


def read_report_token(keys: Iterable[bytes], token: str) -> ReportLink | None:
    """Return the content of a report link, None if none of these keys signed it."""
    match _signed(keys, token):
        case (edition, person, until, "") if is_edition_ref(edition):
            return ReportLink(edition, person, until)
        case _:
            return None


def _signed(keys: Iterable[bytes], token: str) -> tuple[str, str, datetime, str] | None:
    """Return record, person, expiry and epoch, None if none of these keys signed it.

    The first epoch is "", and no part of a token.
    """
    raw = _bytes(token)
    told, signature = raw[:-_SIGNATURE_BYTES], raw[-_SIGNATURE_BYTES:]
    ours = [hmac.compare_digest(signature, _signature(key, told)) for key in keys]
    if not any(ours):
        return None
    record, person, until, *epoch = told.decode().split(_BETWEEN)
    if re.fullmatch(PERSON, person) is None:
        return None
    at = datetime.fromtimestamp(int(until), UTC)
    return record, person, at, "".join(epoch)


def _signature(key: bytes, told: bytes) -> bytes:
    return hmac.digest(key, told, sha256)[:_SIGNATURE_BYTES]


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _bytes(token: str) -> bytes:
    """Return the bytes of a token; empty if it is malformed."""
    if len(token) > TOKEN_MAX or re.fullmatch(r"[A-Za-z0-9_-]+", token) is None:
        return b""
    try:
        return base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except (ValueError, binascii.Error):
        return b""


REPLY_TAGS_PURPOSE = "reply tags"
"""The purpose of the key that signs tags: see `Vault.key_for`."""
PAGE_TAGS_PURPOSE = "page reply tags"
"""The purpose of the key that signs the tags of pages, whose replies may take them."""
_REPLY_TAGS_SIGNATURE_BYTES = 12
_PRESENTED = re.compile(
    r"(?<![A-Za-z0-9])(INC-(?:[0-9]{1,3}-)?[0-9]{6,12})\.([0-9]{8})"
    rf"\.([0-9a-f]{{{2 * _REPLY_TAGS_SIGNATURE_BYTES}}})@([^<>@\s,;]+)",
    re.IGNORECASE,
)


class ReplyTag(NamedTuple):
    """A tag from a mail, with the day on which that mail claims to be written."""

    incident: str
    day: str
    signature: str

    def __str__(self) -> str:
        """Return its text form before the @ of an id or an address."""
        return ".".join(self)


def tag_of(key: bytes, incident: str, address: str, written_on: date) -> ReplyTag:
    """Return the tag for mails to `address` about an incident on a day."""
    day = written_on.isoformat().replace("-", "")
    return ReplyTag(incident, day, _reply_tags_signature(key, incident, day, address))


def page_tag_of(
    key: bytes, page: str, address: str, written_on: date, epoch: str
) -> ReplyTag:
    """Return the tag for mails to `address` that page somebody, by the page's key.

    `epoch` is that of the page.
    """
    day = written_on.isoformat().replace("-", "")
    signature = _reply_tags_signature(key, page, day, address, epoch)
    return ReplyTag(paged_incident(page), day, signature)


def presented(text: str, domain: str | None) -> tuple[ReplyTag, ...]:
    """Return the tags in headers; only those of the desk's domain, if it is known."""
    return tuple(
        ReplyTag(incident.upper(), day, signature.lower())
        for incident, day, signature, at in _PRESENTED.findall(text)
        if domain is None or at.lower() == domain.lower()
    )


def vouches(key: bytes, tag: ReplyTag, address: str, since: str | None) -> bool:
    """Return whether the desk mailed this tag to `address`, not before `since`."""
    good = _reply_tags_signature(key, tag.incident, tag.day, address)
    if not hmac.compare_digest(tag.signature, good):
        return False
    return since is None or tag.day >= since.replace("-", "")


def vouches_for_page(
    key: bytes, tag: ReplyTag, page: str, address: str, epoch: str
) -> bool:
    """Return whether the desk mailed this tag to `address` with this very page."""
    good = _reply_tags_signature(key, page, tag.day, address, epoch)
    return hmac.compare_digest(tag.signature, good)


def _reply_tags_signature(
    key: bytes, about: str, day: str, address: str, epoch: str = ""
) -> str:
    parts = (about, day, address.lower(), *filter(None, (epoch,)))
    told = _BETWEEN.join(parts).encode()
    return hmac.digest(key, told, sha256)[:_REPLY_TAGS_SIGNATURE_BYTES].hex()
