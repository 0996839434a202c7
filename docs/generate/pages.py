"""Every generated page: a module with its place, `PAGE`, and its text, `page()`."""

from pathlib import Path
from typing import Protocol

from docs.generate import (
    acceptance,
    api,
    asyncapi,
    cli,
    events,
    incident_life,
    intake_openapi,
    metrics,
    nats_config,
    openapi,
    policy,
    record_life,
    settings,
)


class Made(Protocol):
    """A module that makes one page from the code."""

    PAGE: Path

    def page(self) -> str:
        """Return what the page has to read."""


PAGES: tuple[Made, ...] = (
    acceptance,
    api,
    asyncapi,
    cli,
    events,
    incident_life,
    intake_openapi,
    metrics,
    nats_config,
    openapi,
    policy,
    record_life,
    settings,
)
