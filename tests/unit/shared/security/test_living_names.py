"""Which credentials may be valid is known for some seconds, and then asked again."""

from shared.security.access import REMEMBERED_SECONDS, _Names


class Table:
    """Names, a clock that a test moves, and how often the names were read."""

    def __init__(self, *names: str) -> None:
        self.names = {*names}
        self.seconds = 0.0
        self.reads = 0
        self.known = _Names(self.read, lambda: self.seconds)

    def read(self) -> set[str]:
        self.reads += 1
        return {*self.names}


def test_what_is_known_is_not_asked_for_again_until_it_is_old() -> None:
    table = Table("one")

    assert table.known.has("one")
    assert not table.known.has("two")
    assert table.reads == 1
    table.names.add("two")
    table.seconds = REMEMBERED_SECONDS + 1
    assert table.known.has("two")


def test_a_name_that_came_to_exist_here_is_known_although_it_was_read_before() -> None:
    table = Table()
    table.known.add("mine")

    assert table.known.has("mine", now=True)
    table.seconds = REMEMBERED_SECONDS + 1
    assert not table.known.has("mine")
