"""Reads a form with files (RFC 7578) whose whole body has arrived. Pure.

Nothing is written to disk: what people upload must not lie there unencrypted.
"""

from dataclasses import dataclass, field

from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import Request

from shared.http.problem_details import HttpError

PARTS_MAX = 50
"""Fields and files in one form."""
OVERHEAD_BYTES_MAX = 16 * 1024
"""What a form with one file may have beside its content."""
KIND = "multipart/form-data"


@dataclass(slots=True)
class FormPart:
    """A field of a form; `filename` is None unless it is a file."""

    name: str = ""
    filename: str | None = None
    content: bytearray = field(default_factory=bytearray)

    @property
    def text(self) -> str:
        """The value of a text field."""
        return self.content.decode("utf-8", "replace")


@dataclass(slots=True)
class _Reader:
    """Collects what the parser finds."""

    parts: list[FormPart] = field(default_factory=list)
    is_whole: bool = False
    _header: bytearray = field(default_factory=bytearray)
    _value: bytearray = field(default_factory=bytearray)

    def part_begin(self) -> None:
        if len(self.parts) >= PARTS_MAX:
            raise _malformed(f"it has more than {PARTS_MAX} fields")
        self.parts.append(FormPart())

    def header_field(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def header_end(self) -> None:
        if self._header.lower() == b"content-disposition":
            _, options = parse_options_header(bytes(self._value))
            part = self.parts[-1]
            part.name = options.get(b"name", b"").decode("utf-8", "replace")
            if (named := options.get(b"filename")) is not None:
                part.filename = named.decode("utf-8", "replace")
        self._header.clear()
        self._value.clear()

    def part_data(self, data: bytes, start: int, end: int) -> None:
        self.parts[-1].content += data[start:end]

    def end(self) -> None:
        self.is_whole = True


def is_form_with_files(request: Request) -> bool:
    """Return whether the body is declared as a form that may have files."""
    return _kind(request)[0] == KIND


def form_parts(request: Request, body: bytes) -> list[FormPart]:
    """Return the fields and files in a body; `HttpError` 400 if it is malformed."""
    _, boundary = _kind(request)
    if not boundary:
        raise _malformed("its Content-Type names no boundary")
    reader = _Reader()
    try:
        parser = MultipartParser(
            boundary,
            {
                "on_part_begin": reader.part_begin,
                "on_header_field": reader.header_field,
                "on_header_value": reader.header_value,
                "on_header_end": reader.header_end,
                "on_part_data": reader.part_data,
                "on_end": reader.end,
            },
        )
        parser.write(body)
    except (MultipartParseError, ValueError) as error:
        raise _malformed("its parts cannot be told apart") from error
    if not reader.is_whole:
        raise _malformed("it ends before its last boundary")
    return reader.parts


def _kind(request: Request) -> tuple[str, bytes]:
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    return kind.decode("latin-1").lower(), options.get(b"boundary", b"")


def _malformed(why: str) -> HttpError:
    return HttpError(400, f"the form is malformed: {why}", code="malformed_form")
