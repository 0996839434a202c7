"""The settings of `make up`, all of them environment variables."""

from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.database.clock_mode import ClockMode
from shared.messaging.address import nats_address
from standalone.startup_error import Exit, StartupError

Port = Annotated[int, Field(ge=1, le=65535)]


def _named(folder: object) -> object:
    # An empty name is the current folder: keys would be among the sources.
    if folder == "":
        raise ValueError("name a folder, or leave the variable out")
    return folder


Folder = Annotated[Path, BeforeValidator(_named)]


class UpSettings(BaseSettings):
    """Settings of `permanence up`. The services get theirs from it."""

    model_config = SettingsConfigDict(
        env_prefix="PERMANENCE_", frozen=True, extra="ignore", populate_by_name=True
    )

    home: Folder = Field(
        Path(".permanence"), description="Where a desk keeps its data."
    )
    database_url: str | None = Field(
        None,
        validation_alias="DATABASE_URL",
        description="A PostgreSQL of your own, as a user who may create roles; "
        "unset: one is started.",
    )
    nats_url: str | None = Field(
        None,
        validation_alias="NATS_URL",
        description="A NATS with JetStream of your own, or the servers of a cluster "
        "with commas between them; unset: one is started.",
    )
    api_port: Port = Field(8080, description="Port of the read API.")
    intake_port: Port = Field(8081, description="Port of intake.")
    sla_watcher_port: Port = Field(8082, description="Port of the SLA watcher.")
    escalation_port: Port = Field(8083, description="Port of escalation.")
    postgres_port: Port | None = Field(
        None, description="Port of the PostgreSQL we start; unset: a free one, kept."
    )
    nats_port: Port | None = Field(
        None, description="Port of the nats-server we start; unset: a free one, kept."
    )
    clock: ClockMode | None = Field(
        None,
        description="Whose clock a new desk goes by, for good: `server` is "
        "PostgreSQL's; `lever` is for demos and tests. If left out: `server`.",
    )
    clock_lever: Path | None = Field(
        None,
        description="Demos and tests only: the file that moves time, for a desk whose "
        "log has the clock mode `lever`.",
    )


def read_settings() -> UpSettings:
    """Read the environment. StartupError: a value that cannot be valid."""
    try:
        settings = UpSettings()
    except ValidationError as wrong:
        first = wrong.errors()[0]
        field = str(first["loc"][0])
        variable = field if field.isupper() else f"PERMANENCE_{field.upper()}"
        sentence = f"{variable}={first['input']!r} will not do: {first['msg']}."
        raise StartupError(sentence, Exit.USAGE) from wrong
    _demand_urls(settings)
    return settings


def _demand_urls(settings: UpSettings) -> None:
    url = settings.database_url
    if url is not None and urlsplit(url).scheme not in {"postgresql", "postgres"}:
        raise StartupError(
            "DATABASE_URL must be a URL that begins with postgresql://", Exit.USAGE
        )
    if settings.nats_url is None:
        return
    try:
        nats_address(settings.nats_url)
    except ValueError as wrong:
        raise StartupError(f"NATS_URL will not do: {wrong}.", Exit.USAGE) from wrong
