"""The settings of the channels by which people are paged, besides mail and webhook."""

import json
import re
from typing import Annotated, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from shared.domain.policy.clause import Name
from shared.setting_values import networks, secret, web_address

_Url = Annotated[SecretStr | None, AfterValidator(web_address)]
_Secret = Annotated[SecretStr | None, AfterValidator(secret)]


_PUSH_KEY = re.compile(r"[A-Za-z0-9_-]{43}=?")


def _push_key(key: SecretStr | None) -> SecretStr | None:
    """Return 32 bytes in base64url unchanged, None for an empty text."""
    if key is None or not key.get_secret_value():
        return None
    if _PUSH_KEY.fullmatch(key.get_secret_value()) is None:
        raise ValueError("write 32 random bytes in base64url")
    return key


def _json_object(written: object) -> object:
    """Return the JSON object in a text, {} for an empty text."""
    if not isinstance(written, str):
        return written
    try:
        found = json.loads(written or "{}")
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        # Not the error of the parser: it would quote a secret.
        raise ValueError('write a JSON object: {"ops-apps": "alerts-Qx7"}')  # noqa: TRY004 # pydantic reports it
    return found


def _short(value: SecretStr) -> SecretStr:
    """Return a text of the length of an address unchanged."""
    if not 0 < len(value.get_secret_value()) <= ADDRESS_MAX:
        raise ValueError(f"write an address of 1 to {ADDRESS_MAX} characters")
    return value


ADDRESS_MAX = 2_000
_Address = Annotated[SecretStr, AfterValidator(_short)]


class OutboundSettings(BaseSettings):
    """Where requests may lead to whose addresses people enter."""

    model_config = SettingsConfigDict(
        env_prefix="PERMANENCE_", frozen=True, extra="ignore", populate_by_name=True
    )

    outbound_networks: Annotated[str, AfterValidator(networks)] = Field(
        "",
        description="Networks, with commas, in which addresses that people enter "
        "themselves may be, such as `10.2.0.0/16`. Left out, such addresses lead only "
        "to the internet.",
    )


class ChannelSettings(OutboundSettings):
    """Settings of the channels; a channel without its settings stays closed."""

    model_config = SettingsConfigDict(
        env_prefix="PERMANENCE_", frozen=True, extra="ignore", populate_by_name=True
    )

    mattermost_url: _Url = Field(
        None,
        description="Where people open Mattermost, such as `https://chat.example.org`: "
        "pages are direct messages of a bot.",
    )
    mattermost_token: _Secret = Field(
        None, description="Access token of that bot; needed with Mattermost."
    )
    mattermost_webhook_url: _Url = Field(
        None,
        description="An incoming webhook of Mattermost, if there is no bot: it writes "
        "to people too, but nobody can answer there.",
    )
    matrix_url: _Url = Field(
        None,
        description="Homeserver of Matrix whose account writes the pages, such as "
        "`https://matrix.example.org`.",
    )
    matrix_token: _Secret = Field(
        None, description="Access token of that account; needed with Matrix."
    )
    slack_token: _Secret = Field(
        None,
        description="Bot token of Slack, `xoxb-…`, with the scope `chat:write`.",
    )
    slack_url: str = Field(
        "https://slack.com/api",
        description="Where Slack's Web API is; another for GovSlack.",
    )
    ntfy_url: _Url = Field(
        None,
        description="Server of ntfy, `https://ntfy.sh` or one of your own: pages are "
        "sent with the highest priority.",
    )
    ntfy_token: _Secret = Field(
        None, description="Access token for that server, if it asks for one."
    )
    twilio_account: str = Field(
        "",
        description="Account SID of Twilio, `AC…`: SMS and voice calls are sent by it.",
    )
    twilio_token: _Secret = Field(
        None, description="Auth token of that account; needed with it."
    )
    twilio_from: str = Field(
        "",
        description="Number of that account that writes and calls, such as "
        "`+33757000000`; needed with it.",
    )
    twilio_url: str = Field(
        "https://api.twilio.com", description="Where Twilio's API is."
    )
    web_push_vapid: Annotated[SecretStr | None, AfterValidator(_push_key)] = Field(
        None,
        description="Private key by which browsers know the desk (VAPID): 32 random "
        "bytes in base64url.",
    )
    web_push_contact: str = Field(
        "",
        description="Address at which a push service reaches you, such as "
        "`mailto:desk@example.org`; needed with that key.",
    )
    team_channels: Annotated[
        dict[Name, _Address], NoDecode, BeforeValidator(_json_object)
    ] = Field(
        {},
        max_length=200,
        description="Addresses of channels of teams that are secrets, as a JSON object "
        'by their names in the policy: topics of ntfy and URLs of Apprise, `{"ops-apps"'
        ': "alerts-Qx7"}`.',
    )
    apprise: bool = Field(
        False,
        description="Whether people may be paged by the URL of any service that "
        "Apprise calls over HTTP.",
    )

    @model_validator(mode="after")
    def _has_tokens(self) -> Self:
        if self.mattermost_url and not self.mattermost_token:
            raise ValueError("set PERMANENCE_MATTERMOST_TOKEN: a bot writes the pages")
        if self.matrix_url and not self.matrix_token:
            raise ValueError("set PERMANENCE_MATRIX_TOKEN: an account writes the pages")
        if self.web_push_vapid and not self.web_push_contact:
            raise ValueError("set PERMANENCE_WEB_PUSH_CONTACT: push services ask it")
        if self.twilio_account and not (self.twilio_token and self.twilio_from):
            raise ValueError("set PERMANENCE_TWILIO_TOKEN and PERMANENCE_TWILIO_FROM")
        return self
