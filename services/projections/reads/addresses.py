"""Which addresses of the API serve personal words, and of which records.

Personal words are the sealed fields of events, whatever keeps a copy of them. Each
address that is read has a decision here: a test compares both tables with the API, and
another looks for words in the answers of those that are said to have none.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from shared.reads import Served


@dataclass(frozen=True, slots=True)
class Words:
    """The personal words that an address serves.

    `of` is what they are of, with the parameters of the address: a record, or a list
    whose single records are not noted. Without it they are of the records that the
    answer shows, each one noted.
    """

    served: Served
    of: str | None = None
    always: bool = False
    """Whether each request is recorded, before it is answered."""


_RECORD = Words("record", "{ref}")
_SHOWN = Words("list")
_LINK = Words("link")

WORDS: Mapping[str, Words] = {
    "/v1/answers/{token}": _LINK,
    "/v1/bundle-links/{token}": _LINK,
    "/v1/page-links/{token}": _LINK,
    "/v1/user-pages/{token}": _LINK,
    "/v1/incidents/{ref}": _RECORD,
    "/v1/incidents/{ref}/answer-templates": _RECORD,
    "/v1/incidents/{ref}/attachments": _RECORD,
    "/v1/incidents/{ref}/attachments/{attachment}": Words("file", "{ref}"),
    "/v1/incidents/{ref}/attachments/{attachment}/preview": Words("file", "{ref}"),
    "/v1/incidents/{ref}/candidates": _SHOWN,
    "/v1/incidents/{ref}/events": Words("log", "{ref}", always=True),
    "/v1/incidents/{ref}/sla": _RECORD,
    "/v1/incidents/{ref}/sla/explain": _RECORD,
    "/v1/incidents/{ref}/sla/intervals": _RECORD,
    "/v1/incidents/{ref}/timeline": Words("timeline", "{ref}"),
    "/v1/audit/incidents/{ref}": _RECORD,
    "/v1/incidents/{ref}/review": _RECORD,
    "/v1/incidents/{ref}/review/document": _RECORD,
    "/v1/reviews": Words("list", "reviews"),
    "/v1/review-actions": Words("list", "reviews"),
    "/v1/month-reports": Words("list", "month-reports"),
    "/v1/month-reports/{client}/{month}": Words("list", "month-reports"),
    "/v1/extensions/{extension}": _SHOWN,
    "/v1/queues/{queue}/incidents": Words("list", "queue:{queue}"),
    "/v1/contacts/candidates": _SHOWN,
    "/v1/search": Words("search", always=True),
    "/v1/solutions": _SHOWN,
    "/v1/proposals": _SHOWN,
    "/v1/problems": Words("list", "problems"),
    "/v1/problems/{ref}": _RECORD,
    "/v1/problems/{ref}/incidents": _SHOWN,
    "/v1/changes": Words("list", "changes"),
    "/v1/changes/{ref}": _RECORD,
    "/v1/changes/{ref}/incidents": _SHOWN,
    "/v1/handovers": Words("list", "handovers"),
    "/v1/service-handovers": Words("list", "service-handovers"),
    "/v1/records": Words("list", "records"),
    "/v1/records/{type}/{id}": Words("record", "{type}/{id}"),
    "/v1/records/{type}/{id}/incidents": _SHOWN,
    "/v1/people/{person}": _SHOWN,
    "/v1/people/{person}/duties": _SHOWN,
    "/v1/people/{person}/page-questions": Words("list", "person:{person}"),
    "/v1/people/{person}/rights": Words("list", "person:{person}"),
    "/v1/rights": Words("list", "rights"),
    "/v1/letters": Words("list", "letters"),
    "/v1/log": Words("log", always=True),
    "/v1/policies": Words("list", "policies"),
    "/v1/policies/{version}": Words("list", "policies"),
    "/v1/sla/moves/{operation}": Words("list", "moves"),
    "/v1/surveys": Words("list", "surveys"),
    "/v1/surveys/{survey}/results": Words("list", "surveys"),
}
"""What serves personal words to those who GET it."""

WORDS_OF_POSTS: Mapping[str, Words] = {"/v1/bulk": _SHOWN}
"""The answers to commands that show more than their own words: titles, in a preview."""
WITHOUT_WORDS = frozenset(
    {
        # Counts and settings.
        "/v1/clients",
        "/v1/destinations",
        "/v1/documents/{document}",
        "/v1/load",
        "/v1/metrics",
        "/v1/queues",
        "/v1/queues/{queue}/assignees",
        "/v1/queues/{queue}/count",
        "/v1/reports/form",
        "/v1/setup",
        "/v1/sla/preview-move",
        # What was sent to a client: figures.
        "/v1/month-report-links/{token}",
        # Events without their words; who has an incident open is nowhere stored.
        "/v1/audit/chain",
        "/v1/audit/kinds",
        "/v1/audit/kinds/{kind}",
        "/v1/audit/log/{position}",
        "/v1/audit/sample",
        "/v1/incidents/{ref}/pages/why",
        "/v1/incidents/{ref}/presence",
        "/v1/parked",
        "/v1/parked/skipped",
        "/v1/parked/{reader}/{stream}",
        "/v1/stream",
        # The directory and who is on call: ids, names, instants.
        "/v1/callers",
        "/v1/calendars",
        "/v1/calendars/{secret}.ics",
        "/v1/incidents/{ref}/recipients",
        "/v1/oncall",
        "/v1/oncall/page-tests",
        "/v1/oncall/readiness",
        "/v1/oncall/statement.csv",
        "/v1/oncall/{schedule}/at",
        "/v1/oncall/{schedule}/changes",
        "/v1/oncall/{schedule}/history",
        "/v1/oncall/{schedule}/shifts",
        "/v1/page-test-links/{token}",
        "/v1/people",
        "/v1/people/{person}/absences",
        "/v1/people/{person}/contact-methods",
        "/v1/people/{person}/on-call-statement",
        "/v1/people/{person}/readiness",
        # Credentials, and the visitor's own.
        "/v1/break-glass",
        "/v1/invitations",
        "/v1/me",
        "/v1/me/sessions",
        "/v1/sessions",
        "/v1/sign-in/provider/leave",
        "/v1/views",
        "/v1/views/{view}",
        # The questions of a survey.
        "/v1/survey-links/{token}",
        # Served by intake, also to those who ask it directly: it notes these reads.
        "/v1/quarantine",
        "/v1/quarantine/{id}",
    }
)
"""What serves none."""


def words_at(method: str, path: str) -> Words | None:
    """Return the words that an address serves, by the template of its path."""
    return (WORDS if method in {"GET", "HEAD"} else WORDS_OF_POSTS).get(path)
