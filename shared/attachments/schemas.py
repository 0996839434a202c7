"""What the API says about attached files."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from shared.domain.events.incident_attachments import AttachmentId
from shared.domain.identifiers import IncidentRef
from shared.messaging.commands import Done

Scan = Literal["unscanned", "clean", "infected", "unscannable"]
"""The verdict of the virus scanner. `unscannable`: encrypted, or beyond its limits."""


class AttachmentAnswer(BaseModel):
    """The outcome of attaching a file.

    `already`: the incident had the same content before, as `attachment`.
    """

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    outcome: Done
    incident: IncidentRef
    version: int
    positions: list[int]
    attachment: AttachmentId
    name: str
    """The name as it is shown: without folders and hidden characters."""
    media_type: str
    """Determined from the content."""
    size: int
