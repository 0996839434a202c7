"""Rules for which files are accepted. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from hashlib import sha256
from http import HTTPStatus
from typing import assert_never

from shared.attachments.file_type import ACCEPTED, plain_name, type_of
from shared.domain.events.incident_attachments import WhyLeftOut
from shared.http.problem_details import HttpError
from shared.settings import IntakeSettings

MESSAGE_FILES_MAX = 20
"""Files of one message that are kept."""
A_DAY = timedelta(days=1)
MIB = 1024 * 1024
_SHOWN_MAX = 40
_MESSAGES_PERCENT = 75


@dataclass(frozen=True, slots=True)
class FileLimits:
    """Which files the desk accepts."""

    bytes_max: int = 10 * MIB
    day_bytes_max: int = 2048 * MIB
    """All files of 24 hours together."""
    types: frozenset[str] = ACCEPTED


DEFAULT = FileLimits()


def file_limits_of(settings: IntakeSettings) -> FileLimits:
    """Return the limits in the settings."""
    more = filter(None, settings.attachment_types.replace(" ", "").split(","))
    return FileLimits(
        settings.attachment_bytes_max,
        settings.attachment_day_bytes_max,
        ACCEPTED | frozenset(more),
    )


@dataclass(frozen=True, slots=True)
class IncomingFile:
    """A file that somebody sent, with its name as it is shown.

    `cut` says that its message was too long and it is not whole; `size` is that of the
    content, which a file that was set aside no longer has.
    """

    name: str
    content: bytes = field(repr=False)
    media_type: str
    size: int
    is_inline: bool = False
    is_cut: bool = False
    is_set_aside: bool = False


def incoming(name: str, content: bytes, *, is_inline: bool = False) -> IncomingFile:
    """Return a file, with the type that its content shows."""
    shown = plain_name(name)
    kind = type_of(shown, content)
    return IncomingFile(shown, content, kind, len(content), is_inline)


def why_left_out(  # noqa: PLR0911 # a return for each reason
    file: IncomingFile, limits: FileLimits, stored: int
) -> WhyLeftOut | None:
    """Return why a file is not accepted, or None. `stored` are the bytes of a day."""
    if file.is_set_aside:
        return "set_aside"
    if file.is_cut:
        return "cut"
    if file.size == 0:
        return "empty"
    if file.size > limits.bytes_max:
        return "too_large"
    if file.media_type not in limits.types:
        return "type"
    if stored + file.size > limits.day_bytes_max:
        return "day_full"
    return None


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A file of a message that is not kept, and why."""

    name: str
    why: WhyLeftOut


def for_messages(limits: FileLimits) -> FileLimits:
    """Return the limits for files that anybody may send, by mail or by the form.

    The rest of the day's bytes is for the desk: no stranger can use that up.
    """
    return replace(
        limits, day_bytes_max=limits.day_bytes_max * _MESSAGES_PERCENT // 100
    )


def digest_of_file(file: IncomingFile) -> str:
    """Return what identifies a file in its message."""
    told = file.content or f"{file.name}|{file.size}".encode()
    return sha256(told).hexdigest()


INLINE_PIXEL_BYTES_MAX = 1_024
"""Inline images up to this size are spacers and tracking pixels, not screenshots."""


def of_message(files: Iterable[IncomingFile]) -> Sequence[IncomingFile]:
    """Return the files of a message that matter, each content once."""
    kept: dict[str, IncomingFile] = {}
    for file in files:
        is_image = file.media_type.startswith("image/")
        if file.is_inline and is_image and file.size <= INLINE_PIXEL_BYTES_MAX:
            continue
        kept.setdefault(digest_of_file(file), file)
    return tuple(kept.values())


def refusal(why: WhyLeftOut, file: IncomingFile, limits: FileLimits) -> HttpError:
    """Return the answer to somebody whose file is not accepted."""
    match why:
        case "empty" | "cut" | "set_aside":
            return HttpError(
                422, "the file is empty: send its content", code="empty_file"
            )
        case "too_large":
            return HttpError(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                f"the file has {file.size} bytes, and at most {limits.bytes_max} are "
                "accepted: send a smaller one, or put it on a share and write where",
                code="too_large",
            )
        case "type":
            return HttpError(
                HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
                f"{file.name[:_SHOWN_MAX]} is {file.media_type} by its content or "
                "name, which this desk does not accept: send a screenshot, a document, "
                "a text or an archive",
                code="file_type",
            )
        case "day_full":
            return HttpError(
                HTTPStatus.TOO_MANY_REQUESTS,
                f"the desk accepts {limits.day_bytes_max} bytes of files in 24 hours, "
                "and these are used up: send it tomorrow, or ask an admin to raise "
                "PERMANENCE_ATTACHMENT_DAY_BYTES_MAX",
                code="day_full",
                retry_after=3_600,
            )
        case "too_many":
            return HttpError(
                422,
                f"a message may have {MESSAGE_FILES_MAX} files: send the others after "
                "it",
                code="too_many_files",
            )
        case _:
            assert_never(why)
