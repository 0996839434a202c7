"""What a process needs to be told: one frozen class a service, from the environment.

`docs/reference/settings.md` is generated from here; compose is checked against it.
"""

from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


def _web_address(url: SecretStr | None) -> SecretStr | None:
    """Return a web address as it is, None for an empty one: compose passes that on."""
    if url is None or not url.get_secret_value():
        return None
    scheme, _, rest = url.get_secret_value().partition("://")
    if scheme not in {"http", "https"} or not rest:
        raise ValueError("it is no web address: write https://… or leave it out")
    return url


class ServiceSettings(BaseSettings):
    """What all four services read."""

    service: ClassVar[str] = "service"
    """What the service is called where several are told apart."""

    model_config = SettingsConfigDict(
        env_prefix="PERMANENCE_", frozen=True, extra="ignore", populate_by_name=True
    )

    database_url: SecretStr = Field(
        validation_alias="DATABASE_URL",
        description="PostgreSQL, as this service's own role: "
        "`postgresql://desk_intake:…@host:5432/permanence`.",
    )
    nats_url: SecretStr = Field(
        validation_alias="NATS_URL",
        description="NATS with JetStream, as this service's own user: "
        "`nats://intake:…@host:4222`.",
    )
    http_host: str = Field("127.0.0.1", description="Address to listen on.")
    http_port: int = Field(
        0, ge=0, le=65535, description="Port to listen on; 0 takes a free one."
    )
    vault_key_file: Path | None = Field(
        None,
        description="File with the base64 master key (32 bytes) that opens the vault "
        "of personal data; only for services that read or write such words.",
    )
    clock_lever: Path | None = Field(
        None, description="Development and tests only: the file that moves time."
    )
    log_format: Literal["json", "console"] = Field(
        "json", description="How log lines are written."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="The least severe log line that is written."
    )
    heartbeat_url: Annotated[SecretStr | None, AfterValidator(_web_address)] = Field(
        None,
        description="Web address of a dead man's switch that is told while the service "
        "is ready and near the log; `{service}` in it becomes `intake` and so on.",
    )
    heartbeat_method: Literal["POST", "GET"] = Field(
        "POST", description="How that address is told; Uptime Kuma wants `GET`."
    )
    heartbeat_seconds: int = Field(
        30, ge=1, le=3600, description="How often that address is told, in seconds."
    )


class IntakeSettings(ServiceSettings):
    """Settings of `services/intake`."""

    service: ClassVar[str] = "intake"


class SlaWatcherSettings(ServiceSettings):
    """Settings of `services/sla_watcher`."""

    service: ClassVar[str] = "sla_watcher"


class EscalationSettings(ServiceSettings):
    """Settings of `services/escalation`."""

    service: ClassVar[str] = "escalation"


class ProjectionsSettings(ServiceSettings):
    """Settings of `services/projections`."""

    service: ClassVar[str] = "projections"

    intake_url: str = Field(
        "http://127.0.0.1:8001",
        description="Where intake listens; the API passes on what belongs to it.",
    )
