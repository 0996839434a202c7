"""What goes along when a request is passed on to intake, and what stays here."""

from starlette.requests import Request

from services.projections.api.intake.forwarding import _passed, _sender


def request(*headers: tuple[bytes, bytes]) -> Request:
    scope = {"type": "http", "headers": list(headers), "client": ("192.0.2.9", 51_000)}
    return Request(scope)


def test_signatures_go_along_whatever_they_are_called() -> None:
    signed = [(b"x-hub-signature-256", b"sha256=00"), (b"webhook-id", b"\xff")]

    assert _passed([*signed, (b"host", b"desk"), (b"cookie", b"token=1")]) == signed


def test_the_sender_is_named_after_those_it_speaks_for() -> None:
    asked = request((b"x-forwarded-for", b"203.0.113.7"))

    assert [*_passed(asked.headers.raw), *_sender(asked)] == [
        (b"x-forwarded-for", b"203.0.113.7"),
        (b"x-forwarded-for", b"192.0.2.9"),
    ]
