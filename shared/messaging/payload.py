"""What NATS has to take in one message."""

PAYLOAD_MIN = 768 * 1024
"""In bytes: a signal or an import of people, with its headers."""


def refusal_of(payload_max: int) -> str | None:
    """Return why NATS cannot serve a desk if it takes so many bytes; None if it can."""
    if payload_max >= PAYLOAD_MIN:
        return None
    return (
        f"NATS takes messages of at most {payload_max} bytes, and those of the desk "
        f"have up to {PAYLOAD_MIN}: set its max_payload to 1MB, which is its default, "
        "and restart nats-server"
    )
