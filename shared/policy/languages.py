"""Every text a user may read must be there in every language the desk writes."""

from collections.abc import Iterator

from shared.mistake import Path
from shared.policy.selecting import values
from shared.yaml12 import Plain


def missing_texts(document: Plain) -> Iterator[tuple[Path, str]]:
    """Yield each text that lacks a language of `desk.languages`."""
    languages = [str(language) for _, language in values(document, "desk.languages.*")]
    texts = [
        *values(document, "services.*.name"),
        *values(document, "surveys.*.questions.*.*"),
    ]
    for path, written in texts:
        by_language = written.get("text", written) if isinstance(written, dict) else {}
        if isinstance(by_language, dict):
            lacking = [each for each in languages if each not in by_language]
            if lacking:
                yield path, f"add the text in {', '.join(lacking)}"
