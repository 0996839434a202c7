"""Every message reads as in `messages/<language>.<kind>.txt`, to the last blank."""

from pathlib import Path

import pytest

from docs.generate.sentences import APPROVED
from shared.i18n.catalog import Language
from shared.i18n.formats import Reader
from shared.i18n.messages import say
from tests.support.builders.notices import FOLLOW, FULL, LEAST

MESSAGES = Path(__file__).parent / "messages"
every_message = pytest.mark.parametrize(
    ("language", "kind"), [(one, kind) for one in APPROVED for kind in FULL]
)


def written(language: Language, kind: str) -> str:
    """All it can say, and below it as little as it may."""
    reader = Reader(language, "Europe/Paris", "Mme Lefèvre")
    stranger = Reader(language, "America/Montreal")
    said = say(FULL[kind], reader, "fr", FOLLOW), say(LEAST[kind], stranger, "fr")
    return f"\n{'=' * 72}\n\n".join(f"{one.subject}\n\n{one.body}" for one in said)


@every_message
def test_it_reads_as_it_was_approved(language: Language, kind: str) -> None:
    approved = (MESSAGES / f"{language}.{kind}.txt").read_text(encoding="utf-8")

    assert written(language, kind) == approved


def test_nothing_is_approved_that_is_never_said() -> None:
    files = {file.stem for file in MESSAGES.glob("*")}

    assert files == {f"{one}.{kind}" for one in APPROVED for kind in FULL}
