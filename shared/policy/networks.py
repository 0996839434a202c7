"""Networks a source may send from, written as `10.0.0.0/8` or as one address."""

from ipaddress import ip_network
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints


def _network(written: str) -> str:
    try:
        ip_network(written)
    except ValueError as error:
        raise ValueError(
            "write a network as 10.0.0.0/8 or 2001:db8::/32, its host bits zero, or "
            "one address"
        ) from error
    return written


Network = Annotated[
    str,
    StringConstraints(max_length=43),
    AfterValidator(_network),
    Field(examples=["10.0.0.0/8", "2001:db8::/32"]),
]
