"""The body of a request, bounded while it arrives; nobody makes us hold more."""

from starlette.requests import ClientDisconnect, Request

from services.intake.reading import BODY_BYTES_MAX
from shared.problem import Problem


def require_json(request: Request) -> None:
    """Raise `Problem` 415 where the body says that it is something else than JSON."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind and kind != "application/json" and not kind.endswith("+json"):
        raise Problem(
            415, f"the body is {kind}: send it as `Content-Type: application/json`"
        )


async def read_body(request: Request) -> bytes:
    """Return the whole body; `Problem` 413 as soon as it is known to be too large."""
    declared = request.headers.get("content-length", "0")
    if declared.isdigit() and int(declared) > BODY_BYTES_MAX:
        raise _too_large()
    parts: list[bytes] = []
    size = 0
    try:
        async for part in request.stream():
            size += len(part)
            if size > BODY_BYTES_MAX:
                raise _too_large()
            parts.append(part)
    except ClientDisconnect as error:
        raise Problem(400, "the body ended before its end: send it again") from error
    return b"".join(parts)


def _too_large() -> Problem:
    return Problem(413, f"the body has more than {BODY_BYTES_MAX} bytes: send less")
