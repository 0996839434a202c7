"""Verifies the links by which people answer that a page test reached them.

A link is bound to one test and its person. It is void once the person was removed, and
if the log does not contain that test: after a restore another one may have its id. An
expired one is still read, so that its page can say so. The API and the owner of the
streams check the same.
"""

from collections.abc import Sequence
from typing import Any

from shared.database.cursors import Cursors
from shared.domain.commands.page_test import AnswerPageTest
from shared.domain.events.page_test import PageTestRequested
from shared.domain.identifiers import page_tests_stream
from shared.domain.page_test import PageTest
from shared.eventlog.epochs import read_epochs
from shared.eventlog.log import EventLog
from shared.http.problem_details import HttpError
from shared.messaging.commands import CommandMessage
from shared.page_tests import page_tests_of
from shared.security.rights import is_removed
from shared.security.signed_links import (
    PAGE_TEST_LINKS_PURPOSE,
    PageTestLink,
    read_page_test_token,
)


def read_page_test_link(keys: Sequence[bytes], token: str) -> PageTestLink:
    """Return the content of a link. Raises `HttpError` 404."""
    link = read_page_test_token(keys, token)
    if link is None:
        raise _void("this link is not complete: open it from the message again")
    return link


def tested_by(log: EventLog, cursor: Cursors, link: PageTestLink) -> PageTest:
    """Return the test that a link belongs to. Raises `HttpError` 404."""
    entries = log.histories(cursor, [page_tests_stream(link.person)])
    epochs = read_epochs(cursor)
    is_in_log = any(
        isinstance(each.event, PageTestRequested)
        and each.event.test == link.test
        and epochs.of(each.position).label == link.epoch
        for each in entries
    )
    if not is_in_log or is_removed(cursor, link.person):
        raise _void("this link is no longer valid")
    return page_tests_of(log, cursor, [link.person])[link.person][link.test]


def answers_page_test(
    log: EventLog, token: str, message: CommandMessage[Any]
) -> PageTestLink:
    """Return the link of a command that it allows. Raises `HttpError`; blocks."""
    keys = log.vault.keys_for(PAGE_TEST_LINKS_PURPOSE)
    link = read_page_test_link(keys, token)
    with log.transaction() as cursor:
        tested_by(log, cursor, link)
    body = message.body
    if not isinstance(body, AnswerPageTest) or body.test != link.test:
        raise HttpError(403, f"the link only answers {link.test}", code="scope")
    return link


def _void(why: str) -> HttpError:
    return HttpError(404, why, code="unknown_link")
