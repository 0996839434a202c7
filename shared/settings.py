"""The settings of each service as a frozen class, read from the environment.

`docs/reference/settings.md` is generated from here; compose is checked against it.
"""

import json
import re
from pathlib import Path
from typing import Annotated, ClassVar, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from shared.channel_settings import ChannelSettings, OutboundSettings
from shared.messaging.address import nats_address
from shared.messaging.streams import replicas_of
from shared.security.nats_issuer import Issuer
from shared.setting_values import networks, secret, web_address


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


def _scanner(url: str | None) -> str | None:
    """Return a valid address of clamd unchanged, None for an empty one."""
    if not url:
        return None
    parts = urlsplit(url)
    try:
        is_tcp = parts.scheme == "tcp" and parts.hostname and parts.port
    except ValueError:
        is_tcp = None
    if not is_tcp and not (parts.scheme == "unix" and parts.path):
        raise ValueError("write tcp://host:3310 or unix:///path/to/clamd.ctl")
    return url


def _issuer_address(address: str | None) -> str | None:
    """Return the address of an issuer unchanged, None for an empty one."""
    if not address:
        return None
    parts = urlsplit(address)
    here = parts.hostname in {"127.0.0.1", "localhost", "::1"}
    if not parts.hostname or parts.scheme not in (
        {"https", "http"} if here else {"https"}
    ):
        raise ValueError("write it as https://…: others could change its answers")
    if parts.query or parts.fragment:
        raise ValueError("an issuer has no query and no fragment")
    return address


def _group_rights(written: object) -> object:
    """Return the document in a text, an empty one for none, which compose passes on."""
    if not isinstance(written, str):
        return written
    try:
        return json.loads(written) if written.strip() else {}
    except ValueError as error:
        raise ValueError('it is not JSON: write {"group": [{"role": …}]}') from error


def _no_path(written: object) -> object:
    """Return None for an empty path, which compose passes on."""
    return written or None


_REPORT_FORM = (
    "Whether anybody may report an incident at `/report` without being signed in."
)
_ALLOWED_HOSTS = (
    "Further names, with commas, under which people open the desk: `desk.internal`, "
    "`*.example.org`, or `*` for any. Addresses, `localhost` and names without a dot "
    "need not be named, nor callers with a key of their own."
)


class GroupRight(BaseModel):
    """A right that the members of a group have: a role, perhaps within limits."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    role: Literal["agent", "manager", "auditor", "admin"]
    clients: tuple[str, ...] | None = None
    services: tuple[str, ...] | None = None
    teams: tuple[str, ...] | None = None


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
    state_dir: Annotated[Path | None, BeforeValidator(_no_path)] = Field(
        None,
        description="Folder on a local disk, not in a backup of the database, where "
        "the process keeps what it has seen of the log: a restored database is then "
        "noticed also while NATS is away. One for each desk; its services share it.",
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
    heartbeat_url: Annotated[SecretStr | None, AfterValidator(web_address)] = Field(
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
    trusted_proxies: Annotated[str, AfterValidator(networks)] = Field(
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
    attachment_bytes_max: int = Field(
        10 * 1024 * 1024,
        ge=1024,
        le=10 * 1024 * 1024,
        description="The largest file, in bytes, that may be attached to an incident.",
    )
    attachment_day_bytes_max: int = Field(
        2 * 1024 * 1024 * 1024,
        ge=1024,
        description="How many bytes of attached files the desk takes in 24 hours.",
    )
    attachment_days: int | None = Field(
        None,
        ge=1,
        description="After how many days the content of an attached file is "
        "destroyed, with a note in the timeline; left out, it is kept as long as its "
        "owner is not forgotten.",
    )
    attachment_types: str = Field(
        "",
        description="Further types of files to accept, with commas, as the desk "
        "recognises them: `application/octet-stream` is any it does not recognise.",
    )
    ldap_file: Annotated[Path | None, BeforeValidator(_no_path)] = Field(
        None,
        description="YAML file that says where people are in LDAP or Active Directory, "
        "and what their groups may do; left out, people are not synchronised.",
    )
    twilio_token: Annotated[SecretStr | None, AfterValidator(secret)] = Field(
        None,
        description="Auth token of Twilio, as for escalation: with it intake checks "
        "who reports that a message arrived. Left out, such reports are refused.",
    )
    clamd_url: Annotated[str | None, AfterValidator(_scanner)] = Field(
        None,
        validation_alias="CLAMD_URL",
        description="Where ClamAV's clamd listens: `tcp://clamav:3310` or "
        "`unix:///run/clamav/clamd.ctl`. Attached files are then scanned; without it "
        "they are marked unscanned.",
    )


class SlaWatcherSettings(ServiceSettings):
    """Settings of `services/sla_watcher`."""

    service: ClassVar[str] = "sla_watcher"


class EscalationSettings(ServiceSettings, ChannelSettings):
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
    webhook_url: Annotated[SecretStr | None, AfterValidator(web_address)] = Field(
        None,
        description="Web address that each page, each notice to managers and each "
        "hand-over is posted to, once, signed as Standard Webhooks has it.",
    )
    webhook_secret: Annotated[SecretStr | None, AfterValidator(secret)] = Field(
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


class ProjectionsSettings(ServiceSettings, OutboundSettings):
    """Settings of `services/projections`."""

    service: ClassVar[str] = "projections"

    intake_url: str = Field(
        "http://127.0.0.1:8001",
        description="Where intake listens; the API passes on what belongs to it.",
    )
    report_form: bool = Field(True, description=_REPORT_FORM)
    trusted_proxies: Annotated[str, AfterValidator(networks)] = Field(
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
    session_hours: int = Field(
        12,
        ge=1,
        le=24,
        description="How long somebody who signed in stays signed in at most: a shift.",
    )
    session_idle_minutes: int = Field(
        60,
        ge=5,
        le=1_440,
        description="After how long without use a session ends; an open page uses it.",
    )
    presence: bool = Field(
        True,
        description="Whether agents see who else has an incident open now, and who is "
        "writing. It is kept in memory for seconds and stored nowhere.",
    )
    sign_in_by_mail: bool = Field(
        False,
        description="Whether the sign-in page mails a link to who asks for one; takes "
        "escalation's mail server and public URL.",
    )
    oidc_issuer: Annotated[str | None, AfterValidator(_issuer_address)] = Field(
        None,
        description="Address of an OpenID Connect provider as it calls itself, such as "
        "`https://id.example.org/realms/staff`: the sign-in page then offers it.",
    )
    oidc_client_id: str | None = Field(
        None, description="What that provider knows the desk by; needed with it."
    )
    oidc_client_secret: Annotated[SecretStr | None, AfterValidator(secret)] = Field(
        None, description="The secret of that client; a public client has none."
    )
    oidc_scope: str = Field(
        "openid email profile groups", description="Which claims are asked for."
    )
    oidc_name: str = Field(
        "OpenID Connect", description="What the sign-in page calls that provider."
    )
    oidc_person: str = Field(
        "email",
        description="The claim by which people are found: `email`, if the provider "
        "has verified it, or a claim with their id in the directory, such as "
        "`preferred_username`.",
    )
    oidc_groups: str = Field(
        "groups", description="The claim that lists somebody's groups."
    )
    oidc_rights: Annotated[
        dict[str, tuple[GroupRight, ...]], NoDecode, BeforeValidator(_group_rights)
    ] = Field(
        {},
        description="What groups may do, in JSON: "
        '`{"desk": [{"role": "agent", "teams": ["desk"]}], "chiefs": [{"role": '
        '"manager"}]}`. Rights last as long as the session; limits are optional.',
    )

    @model_validator(mode="after")
    def _knows_its_client(self) -> Self:
        if self.oidc_issuer and not self.oidc_client_id:
            raise ValueError("set PERMANENCE_OIDC_CLIENT_ID: the provider asks for it")
        return self
