"""What a page link shows of an incident: nothing that a person wrote. Pure."""

from collections.abc import Mapping, Sequence

from services.projections.api.page_links.schemas import PageState, PageToAnswer
from shared.domain.events import AnyEvent, EscalationPaged, IncidentOpened
from shared.domain.events.event import FORGOTTEN
from shared.domain.incident import AT_WORK, Incident
from shared.domain.page_state import PageStanding, standing_of
from shared.i18n.catalog import Language
from shared.security.signed_links import PageLink


def page_to_answer(
    link: PageLink,
    incident: Incident,
    history: Sequence[AnyEvent],
    service: Mapping[str, str],
    language: Language,
) -> PageToAnswer:
    """Return the page behind a link; LookupError if the log does not contain it.

    `history` are the events of the incident and of its escalation, in log order;
    `service` are the names of its service by language.
    """
    page = _page(history, link.page)
    standing = standing_of(history)
    return PageToAnswer(
        incident=incident.ref,
        priority=incident.priority,
        service=service.get(language) or next(iter(service.values())),
        level=page.level,
        title=_title(history),
        state=_state(link, incident, standing),
        declined=link.person in standing.declined,
        called=link.person in standing.called,
        wanted=standing.wanted,
        language=language,
    )


def _page(history: Sequence[AnyEvent], key: str) -> EscalationPaged:
    for event in history:
        if isinstance(event, EscalationPaged) and event.key == key:
            return event
    raise LookupError(f"the log does not contain the page {key}")


def _title(history: Sequence[AnyEvent]) -> str | None:
    """Return the title as monitoring gave it: a later one is a person's."""
    opened = next(each for each in history if isinstance(each, IncidentOpened))
    is_shown = opened.origin == "monitoring" and opened.title != FORGOTTEN
    return opened.title if is_shown else None


def _state(link: PageLink, incident: Incident, standing: PageStanding) -> PageState:
    if incident.status not in AT_WORK:
        return "over"
    if not standing.has(link.page):
        return "moved"
    if link.person not in standing.takers:
        is_free = standing.accepted_by is None or standing.still_wanted
        return "waiting" if is_free else "taken"
    # Until it is acknowledged, too, the answer is not complete: it can be repeated.
    return "yours" if incident.acknowledged_at is not None else "waiting"
