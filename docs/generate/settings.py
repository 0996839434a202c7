"""Writes docs/reference/settings.md from `shared/settings.py`."""

from collections.abc import Iterator
from pathlib import Path

from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings

from cli.migrate import MigrationSettings
from docs.generate.forms import form
from shared.settings import (
    EscalationSettings,
    IntakeSettings,
    ProjectionsSettings,
    ServiceSettings,
    SlaWatcherSettings,
)
from standalone.settings import UpSettings

PAGE = Path(__file__).parents[1] / "reference" / "settings.md"
SERVICES = (IntakeSettings, SlaWatcherSettings, EscalationSettings, ProjectionsSettings)

_HEAD = """\
*Reference* · [all pages](../index.md)

# Settings

<!-- Written by `make docs` from shared/settings.py; change that, not this page. -->

Each service reads these environment variables when it starts, and nothing else.
`make up` sets them for its services, and is itself told by those at the end.
A setting that is missing or not valid ends the service with a sentence that names it.

What is about the desk and not about a process is in the [policy](policy.md).
"""


def page() -> str:
    """Return the page as Markdown."""
    parts = [_HEAD, *_table("All services", ServiceSettings)]
    for service in SERVICES:
        if set(service.model_fields) > set(ServiceSettings.model_fields):
            title = (service.__doc__ or "").removeprefix("Settings of ").rstrip(".")
            parts += _table(f"Also {title}", service)
    parts += _table("`make up`", UpSettings)
    parts += _table("`permanence migrate`", MigrationSettings)
    return "\n".join(parts) + "\n"


def variable(settings: type[BaseSettings], name: str) -> str:
    """Return the environment variable of a field."""
    alias = settings.model_fields[name].validation_alias
    prefix = settings.model_config.get("env_prefix", "")
    return str(alias) if alias else f"{prefix}{name}".upper()


def _table(title: str, settings: type[BaseSettings]) -> Iterator[str]:
    properties = settings.model_json_schema(by_alias=False)
    defs = properties.get("$defs", {})
    inherited = settings.__mro__[1].model_fields  # type: ignore[attr-defined] # a model's parent is one
    yield f"\n## {title}\n"
    yield "| variable | form | if left out | meaning |\n|---|---|---|---|"
    for name, field in settings.model_fields.items():
        if name in inherited:
            continue
        shape = form(properties["properties"][name], defs)
        cells = (
            f"`{variable(settings, name)}`",
            "URL" if field.annotation is SecretStr else shape,
            _left_out(field),
            field.description or "",
        )
        yield f"| {' | '.join(cells)} |"


def _left_out(field: FieldInfo) -> str:
    if field.is_required():
        return "must be there"
    return "none" if field.default is None else f"`{field.default}`"
