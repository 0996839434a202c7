"""Whichever parser reads a YAML file, it means the same."""

from hypothesis import example, given
from hypothesis import strategies as st

from shared import yaml12
from shared.yaml12 import read_ordinary

PIECES = st.sampled_from([
    *"ab1-?:,[]{}#&*!|>'\"%@` \n\\/~.+0\t\r\x85\u2028\ufeff\xa0é🎉",
    "a: ", "b: ", "- ", "\n  ", "\n- ", "\n  b: ", "\n  - ", "\n    ", "{a: ", "[a, ",
    "\r\n", "---", "...", "true", "null", "\\n", "\\x41", "|\n", ">+\n  ", '"a": ',
    "'a'", "18:00", "2025-06-09",
])  # fmt: skip
TEXTS = st.lists(PIECES, max_size=30).map("".join)


@given(text=TEXTS)
@example(text="a: {b: [18:00, 2025-06-09], 'c': \"7\"}\n- d")
@example(text="|\n# a comment or a line")
@example(text="---\na: 1\n---\n")
def test_what_the_quick_parser_reads_the_exact_one_reads_alike(text: str) -> None:
    quick = read_ordinary(text)
    if quick is not None:
        assert yaml12._read_exactly(text) == yaml12.ParsedYaml(*quick)


@given(text=TEXTS)
def test_any_text_is_read_or_refused_with_a_sentence(text: str) -> None:
    found = yaml12.read(text)
    if isinstance(found, list):
        assert all(mistake.sentence for mistake in found)
