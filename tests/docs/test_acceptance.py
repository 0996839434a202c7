"""Each test that is said to show something is there."""

import ast
from pathlib import Path

import pytest

from docs.generate.acceptance import Sentence, sentences

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("sentence", sentences(), ids=lambda each: each.says)
def test_what_shows_a_sentence_is_a_test(sentence: Sentence) -> None:
    for shown_by in sentence.shown_by:
        path, _, name = shown_by.partition("::")
        tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
        functions = (ast.FunctionDef, ast.AsyncFunctionDef)
        names = {node.name for node in tree.body if isinstance(node, functions)}

        assert name in names or (not name and any(map(is_test, names))), shown_by


def is_test(name: str) -> bool:
    return name.startswith("test_")
