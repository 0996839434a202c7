"""A client of NATS that reads headers fast: every event comes with sixteen of them.

The library asks of each character of a name whether it is a space, which took readers
more time than all else they do for an event. Should it ever rename what is overridden
here, its own way is taken, and a test says so.
"""

from nats.aio.client import Client


class QuickClient(Client):
    """The library's client but for one function."""

    @staticmethod
    def _parse_header_lines(raw: bytes) -> dict[str, str]:
        """Return the headers in `raw`, lines of `Name: value`, as the library does.

        Names with spaces, which no server of ours sends, are kept.
        """
        lines = raw.decode("utf-8", "replace").split("\r\n")
        parted = (line.partition(":") for line in lines)
        return {name: value.strip() for name, sep, value in parted if sep}
