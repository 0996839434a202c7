"""The settings of each service as a frozen class, read from the environment.

`docs/reference/settings.md` is generated from here; compose is checked against it.
"""

import base64
import binascii
import re
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, ClassVar, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.messaging.connection import nats_address
from shared.messaging.streams import replicas_of
from shared.security.nats_issuer import Issuer


def _web_address(url: SecretStr | None) -> SecretStr | None:
    """Return a valid web address, None for an empty one, which compose passes on."""
    if url is None or not url.get_secret_value():
        return None
    scheme, _, rest = url.get_secret_value().partition("://")
    if scheme not in {"http", "https"} or not rest:
        raise ValueError("it is no web address: write https://… or leave it out")
    return url


def _nats(url: SecretStr) -> SecretStr:
    """Return valid addresses of NATS unchanged; see `nats_address`."""
    nats_address(url.get_secret_value())
    return url


def _issuer(seed: SecretStr | None) -> SecretStr | None:
    """Return a valid seed of an NKey unchanged, None for an empty one."""
    if seed is None or not seed.get_secret_value():
        return None
    Issuer.of(seed.get_secret_value())
    return seed


def _mail_server(url: SecretStr | None) -> SecretStr | None:
    """Return a valid address of a mail server unchanged, None for an empty one."""
    if url is None or not url.get_secret_value():
        return None
    parts = urlsplit(url.get_secret_value())
    try:
        known = parts.scheme in {"smtp", "smtps"} and parts.hostname and parts.port != 0
    except ValueError:
        known = False
    if not known or parts.path.strip("/"):
        raise ValueError(
            "write it as smtp://name:password@host:port or smtps://…, or leave it out"
        )
    return url


def _mail_address(address: str | None) -> str | None:
    """Return a valid mail address unchanged, None for an empty one."""
    if address and not re.fullmatch(r"[^\s@<>]+@[^\s@<>]+", address):
        raise ValueError("write an address alone, such as desk@example.org")
    return address or None


def _secret(secret: SecretStr | None) -> SecretStr | None:
    """Return a secret unchanged, None for an empty one."""
    if secret is None or not secret.get_secret_value():
        return None
    _, coded, key = secret.get_secret_value().partition("whsec_")
    if coded:
        try:
            base64.b64decode(key, validate=True)
        except binascii.Error as error:
            raise ValueError("what follows whsec_ is not base64") from error
    return secret


def _networks(written: str) -> str:
    """Return valid comma-separated networks unchanged."""
    try:
        for each in filter(None, written.replace(" ", "").split(",")):
            ip_network(each)
    except ValueError as error:
        raise ValueError("write 10.0.0.5,10.1.0.0/16 and so on") from error
    return written


_REPORT_FORM = (
    "Whether anybody may report an incident at `/report` without being signed in."
)
_ALLOWED_HOSTS = (
    "Further names, with commas, under which people open the desk: `desk.internal`, "
    "`*.example.org`, or `*` for any. Addresses, `localhost` and names without a dot "
    "need not be named, nor callers with a key of their own."
)


class ServiceSettings(BaseSettings):
    """Settings of all four services."""

    service: ClassVar[str] = "service"
    """The name that distinguishes the service from others."""

    model_config = SettingsConfigDict(
        env_prefix="PERMANENCE_", frozen=True, extra="ignore", populate_by_name=True
    )

    database_url: SecretStr = Field(
        validation_alias="DATABASE_URL",
        description="PostgreSQL, as this service's own role: "
        "`postgresql://desk_intake:…@host:5432/permanence`.",
    )
    nats_url: Annotated[SecretStr, AfterValidator(_nats)] = Field(
        validation_alias="NATS_URL",
        description="NATS with JetStream, as this service's own user: "
        "`nats://intake:…@host:4222`; the servers of a cluster with commas between "
        "them.",
    )
    http_host: str = Field("127.0.0.1", description="Address to listen on.")
    http_port: int = Field(
        0, ge=0, le=65535, description="Port to listen on; 0 takes a free one."
    )
    vault_key_file: Path | None = Field(
        None,
        description="File with the base64 master key (32 bytes) that opens the vault "
        "of personal data, while it is rotated with the former ones after it; only "
        "for services that read or write such words.",
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

    workers: int = Field(
        1,
        ge=1,
        le=64,
        description="How many processes of intake run beside each other: each lets in "
        "its part of the rates in the policy.",
    )
    nats_replicas: Annotated[int | None, BeforeValidator(replicas_of)] = Field(
        None,
        description="On how many servers of a NATS cluster each stream is kept: 1, 3 "
        "or 5. Left out, new streams are kept on one, and others stay as they are.",
    )
    trusted_proxies: Annotated[str, AfterValidator(_networks)] = Field(
        "",
        description="Addresses or networks, with commas, of the proxies before intake, "
        "the API among them if it passes signals on: who of those named in "
        "`X-Forwarded-For` stands before them counts as the sender.",
    )
    report_form: bool = Field(True, description=_REPORT_FORM)
    public_url: str | None = Field(
        None,
        description="Where people open the desk, such as `https://desk.example.org`: "
        "intake serves the form under that name too.",
    )
    allowed_hosts: str = Field("", description=_ALLOWED_HOSTS)
    nats_issuer_seed: Annotated[SecretStr | None, AfterValidator(_issuer)] = Field(
        None,
        description="Seed of the NKey that the configuration of nats-server names as "
        "the issuer of its auth callout: with it intake says which sources may connect "
        "to NATS. Left out, none may.",
    )
    mail_from: Annotated[str | None, AfterValidator(_mail_address)] = Field(
        None,
        description="Address the desk writes from, as for escalation: a mail from "
        "there is a loop, and replies to another desk are not taken for ours.",
    )


class SlaWatcherSettings(ServiceSettings):
    """Settings of `services/sla_watcher`."""

    service: ClassVar[str] = "sla_watcher"


class EscalationSettings(ServiceSettings):
    """Settings of `services/escalation`."""

    service: ClassVar[str] = "escalation"

    smtp_url: Annotated[SecretStr | None, AfterValidator(_mail_server)] = Field(
        None,
        description="Mail server: `smtp://name:password@host:587` or `smtps://…`. "
        "Without one no message reaches anybody, and each says so in the log.",
    )
    mail_from: Annotated[str | None, AfterValidator(_mail_address)] = Field(
        None, description="Address the desk writes from; needed to send mail."
    )
    mail_name: str = Field("Service desk", description="Name beside that address.")
    mail_plus_addresses: bool = Field(
        False,
        description="Whether `desk@example.org` also gets what is sent to "
        "`desk+anything@example.org`: replies then go to an address that vouches for "
        "them.",
    )
    webhook_url: Annotated[SecretStr | None, AfterValidator(_web_address)] = Field(
        None,
        description="Web address that each page, each notice to managers and each "
        "hand-over is posted to, once, signed as Standard Webhooks has it.",
    )
    webhook_secret: Annotated[SecretStr | None, AfterValidator(_secret)] = Field(
        None,
        description="What those posts are signed with: `whsec_` and base64, or any "
        "other text; needed with a webhook.",
    )
    public_url: str | None = Field(
        None,
        description="Where people open the desk, such as `https://desk.example.org`; "
        "pages link to it.",
    )

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.smtp_url and not self.mail_from:
            raise ValueError("set PERMANENCE_MAIL_FROM: a mail needs a sender")
        if self.webhook_url and not self.webhook_secret:
            raise ValueError("set PERMANENCE_WEBHOOK_SECRET: posts are signed")
        return self


class ProjectionsSettings(ServiceSettings):
    """Settings of `services/projections`."""

    service: ClassVar[str] = "projections"

    intake_url: str = Field(
        "http://127.0.0.1:8001",
        description="Where intake listens; the API passes on what belongs to it.",
    )
    report_form: bool = Field(True, description=_REPORT_FORM)
    trusted_proxies: Annotated[str, AfterValidator(_networks)] = Field(
        "",
        description="Addresses or networks, with commas, of the proxies before the "
        "API: who of those named in `X-Forwarded-For` stands before them counts as the "
        "sender of a report or an answer. This machine is always believed.",
    )
    public_url: str | None = Field(
        None,
        description="Where people open the desk, such as `https://desk.example.org`: "
        "it answers under that name, and takes log-ins from there.",
    )
    allowed_hosts: str = Field("", description=_ALLOWED_HOSTS)
