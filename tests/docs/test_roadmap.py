"""The roadmap names what a policy may say in vain, and nothing else of a policy."""

import re

from docs.generate import policy as page
from tests.docs.pages import DOCS

ROADMAP = DOCS / "explanation" / "roadmap.md"


def test_it_names_the_fields_of_a_policy_that_do_nothing_yet() -> None:
    last = ROADMAP.read_text(encoding="utf-8").rpartition("\n\n")[2]
    marked = {
        line.split("`")[1] for line in page.page().splitlines() if "**To come" in line
    }

    assert set(re.findall(r"`([a-z_]+)`", last)) - {"escalation"} == marked
