"""`multipart/form-data` in memory: a framework's form parser would put fingerprints into temporary files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from api.errors import BodyTooLarge, InvalidRequest

MAX_FIELDS = 40
MAX_FIELD_BYTES = 4_096
MAX_HEADER_BYTES = 4_096

_HOW = "Send multipart/form-data, for instance with `curl -F right_index=@print.png -F ppi=500`."


@dataclass(frozen=True, slots=True)
class FilePart:
    """One file: the field it came under and its bytes. The file's name is not kept: it may name a person."""

    name: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Form:
    """The parts of one post, in the order sent."""

    fields: Mapping[str, str]
    files: tuple[FilePart, ...]


@dataclass(slots=True)
class _Part:
    header_name: bytearray = field(default_factory=bytearray)
    header_value: bytearray = field(default_factory=bytearray)
    disposition: bytes = b""
    data: bytearray = field(default_factory=bytearray)
    name: str = ""
    is_file: bool = False


class _Collector:
    """Receives the parser's events; every limit is checked while the parts grow."""

    def __init__(self, *, max_files: int, max_file_bytes: int) -> None:
        self.fields: dict[str, str] = {}
        self.files: list[FilePart] = []
        self.ended = False
        self._max_files = max_files
        self._max_file_bytes = max_file_bytes
        self._part = _Part()

    def on_part_begin(self) -> None:
        self._part = _Part()

    def on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._part.header_name += data[start:end]
        self._check_header()

    def on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._part.header_value += data[start:end]
        self._check_header()

    def on_header_end(self) -> None:
        part = self._part
        if bytes(part.header_name).lower() == b"content-disposition":
            part.disposition = bytes(part.header_value)
        part.header_name.clear()
        part.header_value.clear()

    def on_headers_finished(self) -> None:
        _, options = parse_options_header(self._part.disposition)
        name = options.get(b"name", b"")
        if not name:
            raise InvalidRequest(f"A part has no name. {_HOW}")
        self._part.name = name.decode("utf-8", "replace")
        self._part.is_file = b"filename" in options
        if self._part.is_file and len(self.files) >= self._max_files:
            raise BodyTooLarge(f"More than {self._max_files} images in one post. Send them in several posts.")
        if not self._part.is_file and len(self.fields) >= MAX_FIELDS:
            raise InvalidRequest(f"More than {MAX_FIELDS} fields in one post.")

    def on_part_data(self, data: bytes, start: int, end: int) -> None:
        part = self._part
        limit = self._max_file_bytes if part.is_file else MAX_FIELD_BYTES
        if len(part.data) + end - start > limit:
            raise BodyTooLarge(f"The part `{part.name[:64]}` is larger than {limit} bytes.")
        part.data += data[start:end]

    def on_part_end(self) -> None:
        part = self._part
        if part.is_file:
            self.files.append(FilePart(part.name, bytes(part.data)))
            return
        if part.name in self.fields:
            raise InvalidRequest(f"The field `{part.name[:64]}` was sent twice.")
        try:
            self.fields[part.name] = part.data.decode("utf-8")
        except UnicodeDecodeError as error:
            raise InvalidRequest(f"The field `{part.name[:64]}` is no UTF-8 text.") from error

    def on_end(self) -> None:
        self.ended = True

    def _check_header(self) -> None:
        if len(self._part.header_name) + len(self._part.header_value) > MAX_HEADER_BYTES:
            raise InvalidRequest("A part's header is too long.")


def parse(content_type: str, body: bytes, *, max_files: int, max_file_bytes: int) -> Form:
    """Take a post apart, or refuse it with the sentence that says what to correct."""
    kind, options = parse_options_header(content_type)
    boundary = options.get(b"boundary", b"")
    if kind != b"multipart/form-data" or not boundary:
        raise InvalidRequest(f"The body is no multipart/form-data with a boundary. {_HOW}")
    collector = _Collector(max_files=max_files, max_file_bytes=max_file_bytes)
    names = [name for name in dir(collector) if name.startswith("on_")]
    try:
        parser = MultipartParser(boundary, {name: getattr(collector, name) for name in names})  # type: ignore[arg-type]
        parser.write(body)
        parser.finalize()
    except FormParserError as error:
        raise InvalidRequest(f"The multipart body is malformed or cut off. {_HOW}") from error
    if not collector.ended:
        raise InvalidRequest(f"The multipart body is cut off: its closing boundary is missing. {_HOW}")
    return Form(collector.fields, tuple(collector.files))
