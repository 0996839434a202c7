"""Which files are accepted, and which of a message matter."""

from dataclasses import replace
from typing import get_args

import pytest

from services.intake.attachments.rules import (
    DEFAULT,
    FileLimits,
    incoming,
    of_message,
    refusal,
    why_left_out,
)
from shared.domain.events.incident_attachments import WhyLeftOut
from tests.support.mail.sent_files import picture

LIMITS = FileLimits(bytes_max=1_000, day_bytes_max=10_000)
NOTE = incoming("note.txt", b"the screen is blank")
SPACER = incoming("spacer.gif", picture("GIF", (1, 1)), is_inline=True)


def test_a_file_within_the_limits_is_accepted() -> None:
    assert why_left_out(NOTE, LIMITS, stored=0) is None


@pytest.mark.parametrize(
    ("file", "stored", "why"),
    [
        (incoming("empty.txt", b""), 0, "empty"),
        (incoming("big.txt", b"x" * 1_001), 0, "too_large"),
        (incoming("tool.png", b"MZ\0\0"), 0, "type"),
        (NOTE, 9_999, "day_full"),
        (replace(NOTE, is_cut=True), 0, "cut"),
        (replace(NOTE, is_set_aside=True, content=b""), 0, "set_aside"),
    ],
)
def test_a_file_beyond_the_limits_is_left_out_with_the_reason(
    file: object, stored: int, why: str
) -> None:
    assert why_left_out(file, LIMITS, stored) == why  # type: ignore[arg-type] # each is one


def test_a_file_exactly_at_the_limit_is_accepted() -> None:
    assert why_left_out(incoming("a.txt", b"x" * 1_000), LIMITS, stored=9_000) is None


def test_a_desk_may_accept_what_it_does_not_recognise() -> None:
    dump = incoming("core", bytes(range(256)))

    assert why_left_out(dump, DEFAULT, 0) == "type"
    open_minded = replace(DEFAULT, types=frozenset({"application/octet-stream"}))
    assert why_left_out(dump, open_minded, 0) is None


def test_spacers_and_tracking_pixels_of_a_mail_are_ignored_and_screenshots_kept() -> (
    None
):
    screen = incoming("image001.png", picture(size=(900, 700)), is_inline=True)
    icon = replace(SPACER, is_inline=False)

    assert [*of_message([SPACER, screen])] == [screen]
    assert [*of_message([icon])] == [icon]


def test_each_content_of_a_message_counts_once() -> None:
    assert [*of_message([NOTE, incoming("again.txt", NOTE.content)])] == [NOTE]


@pytest.mark.parametrize("why", get_args(WhyLeftOut))
def test_every_refusal_says_what_to_do(why: WhyLeftOut) -> None:
    no = refusal(why, NOTE, LIMITS)

    assert 400 <= no.details.status < 500
    assert ":" in no.details.detail
