"""What is said of a request about parked events: to a person, and as JSON."""

from dataclasses import dataclass
from typing import Any

from shared.command_line.answers import Exit, counted
from shared.eventlog.readers.parked_commands import Answer, ParkedRequest


@dataclass(frozen=True, slots=True)
class Said:
    """A request, and its answer if there is one; `refused` says why it is not asked."""

    wanted: ParkedRequest
    answer: Answer | None = None
    refused: str | None = None

    @property
    def code(self) -> Exit:
        """The exit code it comes to."""
        if self.refused is not None:
            return Exit.OUTRUN
        if self.answer is None:
            return Exit.UNREACHABLE
        return Exit.DIFFERS if self.answer.error else Exit.OK

    def plain(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        known: dict[str, Any] = {
            "reader": self.wanted.bookmark.reader,
            "stream": self.wanted.stream,
        }
        if self.refused is not None:
            return known | {"outcome": "refused", "error": self.refused}
        if self.answer is None:
            return known | {"outcome": "waiting"}
        known["outcome"] = self.answer.outcome
        if self.wanted.action == "skip":
            known["skipped"] = self.answer.skipped
        if self.answer.error:
            return known | {"error": self.answer.error}
        return known | {"events": self.answer.applied}

    @property
    def sentence(self) -> str:
        """Return it in words."""
        return f"{self.wanted.bookmark.reader}: {self._about()}"

    def _about(self) -> str:
        stream, found = self.wanted.stream, self.answer
        if self.refused is not None:
            return self.refused
        if found is None:
            return (
                f"no answer about {stream} yet; it is done as soon as the reader runs: "
                "see `permanence parked list`"
            )
        match found.outcome:
            case "applied":
                return f"{stream} is applied, {counted(found.applied, 'event')}"
            case "still parked":
                return f"{stream} is still parked: {found.error}"
            case "nothing parked":
                return f"nothing of {stream} is parked"
            case "skipped":
                return self._skipped(found)

    def _skipped(self, found: Answer) -> str:
        said = f"{counted(found.skipped, 'event')} of {self.wanted.stream} skipped"
        if found.error:
            return f"{said}; the next one is still parked: {found.error}"
        if found.applied:
            return f"{said}, {counted(found.applied, 'event')} behind applied"
        return said
