"""JSON that a sender put into a text of its JSON."""

from collections.abc import Mapping

from services.intake.reading import DEPTH_MAX
from shared.http.bodies import document_in
from shared.http.problem_details import HttpError


def object_in(said: object) -> Mapping[str, object] | None:
    """Return the JSON object that a text holds, None where it holds none.

    It may nest no deeper than a body. An object that stands there as it is will do.
    """
    if isinstance(said, dict):
        return said
    if not isinstance(said, str) or not said.lstrip().startswith("{"):
        return None
    try:
        document = document_in(said.encode(errors="replace"), DEPTH_MAX)
    except HttpError:
        return None
    return document if isinstance(document, dict) else None
