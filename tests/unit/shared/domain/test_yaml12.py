"""A YAML file means what it says, and no more than it says."""

import pytest

from shared.mistake import Mistake
from shared.yaml12 import DEPTH_MAX, TEXT_MAX, ParsedYaml, read


def value(text: str) -> object:
    written = read(text)
    assert isinstance(written, ParsedYaml), written
    return written.value


def refused(text: str) -> list[Mistake]:
    found = read(text)
    assert isinstance(found, list), "it was taken"
    return found


def test_only_whole_numbers_truths_and_nothing_are_not_text() -> None:
    text = "{a: 18:00, b: 2025-01-01, c: 7, d: true, e: ~, f: yes, g: 0777, h: 1.5}"
    assert value(text) == {
        "a": "18:00", "b": "2025-01-01", "c": 7, "d": True, "e": None,
        "f": "yes", "g": "0777", "h": "1.5",
    }  # fmt: skip


def test_a_key_is_always_text() -> None:
    assert value("{on: 1, no: 2, 3: 4, null: 5}") == {
        "on": 1, "no": 2, "3": 4, "null": 5,
    }  # fmt: skip


def test_quotes_make_text() -> None:
    assert value("{a: '7', b: \"true\", c: ''}") == {"a": "7", "b": "true", "c": ""}


def test_a_directive_for_yaml_1_1_changes_nothing() -> None:
    assert value("%YAML 1.1\n---\na: 18:00\nb: on") == {"a": "18:00", "b": "on"}


def test_every_value_knows_its_line() -> None:
    written = read("a:\n  b: 1\n  c:\n  - x\n  - {d: 1}\n")
    assert isinstance(written, ParsedYaml)
    assert written.line(("a", "b")) == 2
    assert written.line(("a", "c", 1, "d")) == 5
    assert written.line(("a", "nowhere", "at all")) == 1


@pytest.mark.parametrize(
    ("text", "line"),
    [("a: 1\nb: 2\na: 3", 3), ("x:\n  a: 1\n  'a': 2", 3), ("{1: a, '1': b}", 1)],
)
def test_a_key_given_twice_is_refused(text: str, line: int) -> None:
    (found,) = refused(text)
    assert "twice" in found.sentence
    assert found.line == line


@pytest.mark.parametrize(
    "text",
    ["a: !!python/object/apply:os.system [ls]", "a: !secret x", "a: !!set {x}",
     "!policy {a: 1}", "a: !!binary aGk="],
)  # fmt: skip
def test_a_tag_is_refused(text: str) -> None:
    assert "tag" in refused(text)[0].sentence


def test_an_anchor_is_refused_before_its_aliases_unfold() -> None:
    bomb = "a0: &a0 [x, x]\n" + "".join(
        f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 40)
    )
    assert all("anchors" in found.sentence for found in refused(bomb))


def test_a_loop_of_aliases_is_refused() -> None:
    assert "anchors" in refused("&a [*a]")[0].sentence


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "nothing is in it"),
        ("# only a comment", "nothing is in it"),
        ("a: [", "line"),
        ("a: 1\n---\nb: 2", "another document"),
        ("a:\n\tb: 1", "line"),
        ("a: *nowhere", "line"),
        ("[" * 100_000, "depth"),
        ("- " * 1_000, "depth"),
        ("? [a, b]\n: 1", "a key is a word"),
        ("\x00", "control characters"),
        ('a: "\\0"', "control characters"),
        ('a: "\\uD800"', "control characters"),
        ('"\\a": 1', "control characters"),
        ("x" * (TEXT_MAX + 1), "over 16 MB"),
        ("é" * (TEXT_MAX // 2 + 1), "over 16 MB"),
    ],
)
def test_what_cannot_be_read_is_refused_with_a_sentence(text: str, words: str) -> None:
    assert words in refused(text)[0].sentence


def test_a_document_may_be_as_deep_as_the_limit() -> None:
    assert value("[" * DEPTH_MAX + "]" * DEPTH_MAX) is not None
