"""Each channel that events may name is there, and the docs say what it is like."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import ClassVar, get_args

import httpx
from structlog.testing import capture_logs

from services.escalation.notifications.channels.channel import (
    ChannelContext,
    ChannelTraits,
)
from services.escalation.notifications.channels.outlets import Outlets, outlets_of
from services.escalation.notifications.channels.parcel import Parcel, ToContact
from services.escalation.notifications.channels.retry import Failed, Outcome
from shared.domain.events.notification import Channel
from shared.settings import EscalationSettings
from tests.support.builders.on_call.parcels import AT, SERVERS, to_contact

PAGE = Path(__file__).parents[4] / "docs" / "how-to" / "page-people.md"
SPANS = {
    timedelta(days=1): "a day",
    timedelta(hours=48): "48 hours",
    timedelta(minutes=10): "10 minutes",
    timedelta(minutes=3): "3 minutes",
}


def outlets() -> Outlets:
    async def build() -> Outlets:
        settings = EscalationSettings.model_validate(SERVERS)
        async with httpx.AsyncClient() as client:
            return outlets_of(ChannelContext(settings, client, client))

    return asyncio.run(build())


def test_every_channel_that_is_stored_in_events_can_be_built() -> None:
    assert set(outlets().channels) == set(get_args(Channel))


def test_without_settings_each_says_which_to_set() -> None:
    for name, channel in outlets().channels.items():
        assert "PERMANENCE_" in (channel.missing or ""), name


def test_the_page_about_channels_says_what_each_is_like() -> None:
    rows = {
        cells[1].strip(" `"): [each.strip() for each in cells[2:-1]]
        for line in PAGE.read_text(encoding="utf-8").splitlines()
        if len(cells := line.split("|")) == 7
    }
    for name, channel in outlets().channels.items():
        *_, retried = rows[name]
        assert retried == SPANS[channel.traits.retried_for], name


@dataclass(frozen=True)
class Broken:
    """A channel whose code is wrong."""

    name: ClassVar[Channel] = "ntfy"
    traits: ClassVar = ChannelTraits()
    missing: ClassVar[str | None] = None

    async def send(self, parcel: Parcel, at: datetime) -> Outcome:  # noqa: ARG002 # as channels do
        """Fail, and name the address."""
        assert isinstance(parcel, ToContact)
        raise UnicodeError(f"cannot encode {parcel.to}")


def test_a_channel_that_raises_has_failed_for_now_and_its_words_are_not_logged() -> (
    None
):
    parcel = to_contact("ntfy", "amina-Qx7")
    with capture_logs() as lines:
        outcome = asyncio.run(Outlets.of([Broken()]).send(parcel, AT))

    assert outcome == Failed("the channel failed (UnicodeError)", permanent=False)
    (line,) = lines
    assert line["event"] == "channel.failed"
    assert "amina" not in str(line)
