"""References of records, which are also their identity: `INC-000042`; stream names.

Also helpers for lists of references: each once, in the order of linking.
"""

import re
from datetime import date
from typing import Annotated

from pydantic import Field, StringConstraints

# A log shard may later be added between prefix and number: `INC-2-000042`. Not `\d`,
# which matches the digits of every script.
_INCIDENT = r"INC-(?:[0-9]{1,3}-)?[0-9]{6,12}"

IncidentRef = Annotated[str, StringConstraints(pattern=rf"^{_INCIDENT}$")]
ProblemRef = Annotated[str, StringConstraints(pattern=r"^PRB-[0-9]{6,12}$")]
ChangeRef = Annotated[str, StringConstraints(pattern=r"^CHG-[0-9]{6,12}$")]

EXTERNAL_TYPE = r"^[a-z][a-z0-9_]{0,31}$"
EXTERNAL_ID = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$"
_EXTERNAL = r"^[a-z][a-z0-9_]{0,31}/[A-Za-z0-9][A-Za-z0-9._-]{0,127}$"
ExternalType = Annotated[
    str,
    StringConstraints(pattern=EXTERNAL_TYPE),
    Field(examples=["configuration_item"]),
]
"""The type of a record of another system: `configuration_item`, `release`."""
ExternalId = Annotated[
    str, StringConstraints(pattern=EXTERNAL_ID), Field(examples=["web-01"])
]
"""The id of a record in its own system."""
ExternalRef = Annotated[str, StringConstraints(pattern=_EXTERNAL)]
"""Type and id of a record of another system: `configuration_item/web-01`."""

_EXTENSION = r"^INC-(?:[0-9]{1,3}-)?[0-9]{6,12}-E[0-9]{1,4}$"
ExtensionRef = Annotated[str, StringConstraints(pattern=_EXTENSION)]

PAGE = r"^INC-(?:[0-9]{1,3}-)?[0-9]{6,12}\.[A-Za-z0-9._-]{1,100}$"
"""The pattern of the key of a page, which begins with the reference of its incident."""
PageKey = Annotated[str, StringConstraints(pattern=PAGE)]

PAGE_TEST = r"^PT-[A-Za-z0-9][A-Za-z0-9._-]{0,127}\.[0-9]{1,9}$"
"""The pattern of the reference of a page test."""
PageTestRef = Annotated[
    str, StringConstraints(pattern=PAGE_TEST), Field(examples=["PT-nadia.3"])
]
"""A test of a person's pages: the person, and the version of the stream."""
_BUNDLE = r"^INC-(?:[0-9]{1,3}-)?[0-9]{6,12}\.[0-9a-f]{32}$"
BundleKey = Annotated[str, StringConstraints(pattern=_BUNDLE)]
"""The key of a bundle of pages, which begins with the incident that records it."""

_CONTACT = r"SVY-[A-Za-z0-9_-]{1,64}\.[0-9]{8}\.[A-Za-z0-9][A-Za-z0-9._-]{0,127}"
ContactInvitation = Annotated[
    str,
    StringConstraints(pattern=rf"^{_CONTACT}$"),
    Field(examples=["SVY-clients.20250701.lefevre"]),
]
"""The invitation of a contact of a client: survey, first day of the period, person."""
INVITATION = rf"^(?:{_INCIDENT}|{_CONTACT})$"
InvitationRef = Annotated[str, StringConstraints(pattern=INVITATION)]
"""The invitation to a survey: that of an incident has the reference of the incident."""

MONTH = r"^20[0-9]{2}-(?:0[1-9]|1[0-2])$"
Month = Annotated[str, StringConstraints(pattern=MONTH), Field(examples=["2025-06"])]
"""A calendar month."""
_EDITION = r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}\.20[0-9]{2}-(?:0[1-9]|1[0-2])\.[0-9]{1,4}"

_ABOUT_AN_INCIDENT = frozenset({"incident", "sla", "escalation", "handover"})


def incident_ref(number: int) -> str:
    """Return the reference of the incident with this number: 42 → `INC-000042`."""
    return f"INC-{number:06d}"


def problem_ref(number: int) -> str:
    """Return the reference of the problem with this number: 1 → `PRB-000001`."""
    return f"PRB-{number:06d}"


def change_ref(number: int) -> str:
    """Return the reference of the change with this number: 1 → `CHG-000001`."""
    return f"CHG-{number:06d}"


def extension_ref(incident: str, number: int) -> str:
    """Return the reference of an incident's extension: `INC-000042-E1`."""
    return f"{incident}-E{number}"


def extended_incident(extension: str) -> str:
    """Return the incident of an extension: `INC-000042` for `INC-000042-E1`."""
    return extension.rpartition("-E")[0]


def is_extension_ref(text: str) -> bool:
    """Return whether `text` has the form of an extension reference."""
    return re.fullmatch(_EXTENSION, text) is not None


def paged_incident(page: str) -> str:
    """Return the incident of a page: `INC-000042` for `INC-000042.1.3.n2.0.1`."""
    return page.partition(".")[0]


def is_page_key(text: str) -> bool:
    """Return whether `text` has the form of the key of a page."""
    return re.fullmatch(PAGE, text) is not None


def page_test_ref(person: str, number: int) -> str:
    """Return the reference of a test of a person's pages: `PT-nadia.3`."""
    return f"PT-{person}.{number}"


def tested_person(test: str) -> str:
    """Return the person of a page test: `nadia` for `PT-nadia.3`."""
    return test.removeprefix("PT-").rpartition(".")[0]


def is_page_test_ref(text: str) -> bool:
    """Return whether `text` has the form of the reference of a page test."""
    return re.fullmatch(PAGE_TEST, text) is not None


def bundling_incident(bundle: str) -> str:
    """Return the incident in whose escalation a bundle of pages is recorded."""
    return bundle.partition(".")[0]


def is_bundle_key(text: str) -> bool:
    """Return whether `text` has the form of the key of a bundle."""
    return re.fullmatch(_BUNDLE, text) is not None


def is_incident_ref(text: str) -> bool:
    """Return whether `text` has the form of an incident reference."""
    return re.fullmatch(_INCIDENT, text) is not None


def external_ref(type_: str, id_: str) -> str:
    """Return the reference of a record of another system: `release/4.2`."""
    return f"{type_}/{id_}"


def is_external_ref(text: str) -> bool:
    """Return whether `text` has the form of the reference of an external record."""
    return re.fullmatch(_EXTERNAL, text) is not None


def external_stream(ref: str) -> str:
    """Return the stream of an external record: `record-release-4.2`."""
    return f"record-{ref.replace('/', '-', 1)}"


def external_record_of(stream: str) -> str:
    """Return the external record whose stream this is: a type has no hyphens."""
    return stream.removeprefix("record-").replace("-", "/", 1)


def incident_stream(ref: str) -> str:
    """Return the name of the stream of an incident: `incident-INC-000042`."""
    return f"incident-{ref}"


def incident_of(stream: str) -> str | None:
    """Return the incident whose stream this is, or None for any other stream."""
    kind, _, ref = stream.partition("-")
    return ref if kind == "incident" else None


def about(stream: str) -> str | None:
    """Return the incident that a stream of any service is about, or None."""
    kind, _, ref = stream.partition("-")
    return ref if kind in _ABOUT_AN_INCIDENT else None


def sla_stream(ref: str) -> str:
    """Return the stream of an incident's SLA targets: `sla-INC-000042`."""
    return f"sla-{ref}"


def escalation_stream(ref: str) -> str:
    """Return the stream of an incident's escalation: `escalation-INC-000042`."""
    return f"escalation-{ref}"


def handover_stream(ref: str) -> str:
    """Return the stream of an incident's hand-over: `handover-INC-000042`."""
    return f"handover-{ref}"


def contact_invitation(survey: str, first: date, person: str) -> str:
    """Return the reference of the invitation of a contact in a period."""
    return f"SVY-{survey}.{first:%Y%m%d}.{person}"


def is_invitation_ref(text: str) -> bool:
    """Return whether a text is the reference of an invitation to a survey."""
    return re.fullmatch(INVITATION, text) is not None


def survey_stream(ref: str) -> str:
    """Return the stream of an invitation and its answer: `survey-INC-000042`."""
    return f"survey-{ref}"


def survey_results_stream(survey: str) -> str:
    """Return the stream of a survey as a whole: `survey-results-after-incident`."""
    return f"survey-results-{survey}"


def survey_answers_stream(survey: str) -> str:
    """Return the stream of anonymous answers: `survey-answers-after-incident`."""
    return f"survey-answers-{survey}"


def month_report_stream(client: str, month: str) -> str:
    """Return the stream of a month report: `month_report-mairie.2025-06`."""
    return f"month_report-{client}.{month}"


def edition_ref(client: str, month: str, edition: int) -> str:
    """Return the reference of an edition of a month report: `mairie.2025-06.1`."""
    return f"{client}.{month}.{edition}"


def is_edition_ref(text: str) -> bool:
    """Return whether a text is the reference of an edition of a month report."""
    return re.fullmatch(_EDITION, text) is not None


def review_stream(ref: str) -> str:
    """Return the stream of the review of an incident: `review-INC-000042`."""
    return f"review-{ref}"


def reviewed_incident(stream: str) -> str:
    """Return the incident of a review: `INC-000042` for `review-INC-000042`."""
    return stream.removeprefix("review-")


def problem_stream(ref: str) -> str:
    """Return the name of the stream of a problem: `problem-PRB-000001`."""
    return f"problem-{ref}"


def change_stream(ref: str) -> str:
    """Return the name of the stream of a change: `change-CHG-000001`."""
    return f"change-{ref}"


def person_stream(person: str) -> str:
    """Return the stream of what a person may do: `person-nadia`."""
    return f"person-{person}"


def on_call_stream(schedule: str) -> str:
    """Return the stream of what people change of a schedule: `on_call-night`."""
    return f"on_call-{schedule}"


def absences_stream(person: str) -> str:
    """Return the stream of the absences of a person: `absences-nadia`."""
    return f"absences-{person}"


def on_call_history_stream(schedule: str) -> str:
    """Return the stream of who was on call: `on_call_history-night`."""
    return f"on_call_history-{schedule}"


def interventions_stream(person: str) -> str:
    """Return the stream of a person's interventions: `interventions-nadia`."""
    return f"interventions-{person}"


def explanations_stream(person: str) -> str:
    """Return the stream of who asked about a person's pages: `explanations-nadia`."""
    return f"explanations-{person}"


def page_tests_stream(person: str) -> str:
    """Return the stream of the tests of a person's pages: `page_tests-nadia`."""
    return f"page_tests-{person}"


def page_test_messages_stream(person: str) -> str:
    """Return the stream of the messages of these: `page_test_messages-nadia`."""
    return f"page_test_messages-{person}"


def added(refs: tuple[str, ...], ref: str) -> tuple[str, ...]:
    """Return `refs` with `ref` added, unless it is there already."""
    return refs if ref in refs else (*refs, ref)


def removed(refs: tuple[str, ...], ref: str) -> tuple[str, ...]:
    """Return `refs` without `ref`."""
    return tuple(each for each in refs if each != ref)
