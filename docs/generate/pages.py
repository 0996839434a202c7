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
    read_models,
    record_life,
    sentences,
    settings,
)


class Made(Protocol):
    """A module that makes one page from the code."""

    @property
    def PAGE(self) -> Path:  # noqa: N802 # a constant of a module, in all but one
        """Its place."""

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
    read_models,
    record_life,
    *sentences.PAGES,
    settings,
)
