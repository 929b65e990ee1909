"""XML as a stream of hostile input: no document type and so no entities, names, depth and pieces within bounds.

The parser is expat: it builds nothing, and it knows the line of whatever it calls for.
"""

from collections.abc import Callable, Collection
from typing import NoReturn
from xml.parsers import expat

from lxml import etree

from confmig.errors import PackageError
from confmig.package.limits import Limits
from confmig.package.xml import doctype_error, encoding_override, lines_before, strip_leading

Attributes = dict[str, str]
Start = Callable[[str, Attributes], None]
End = Callable[[str], None]
Text = Callable[[str], None]

_HEAD = 1024
"""So much of a file, after its blanks, is looked at before parsing begins."""

_SLACK = 1024 * 1024
"""A tag is refused when it is longer than one value may be and this: it may hold more than the value."""

_SEPARATOR = "}"
"""Stands between namespace and name."""

_NODE = 100
"""What an element takes in memory, in characters."""

_MOST_NAMES = 100_000
_DEEPEST = 100
_MOST_ATTRIBUTES = 1_000
_UTF_32 = {b"\xff\xfe\x00\x00", b"\x00\x00\xfe\xff", b"<\x00\x00\x00", b"\x00\x00\x00<"}


class XmlStream:
    """Calls handlers as the pieces of a file are fed to it.

    Args:
        name: The file, as messages call it.
        limits: What a value may ask for.
        start: Called where an element begins.
        end: Called where one ends.
        text: Called for text between tags; default: only blanks are allowed there.
    """

    def __init__(self, name: str, limits: Limits, start: Start, end: End, text: Text | None = None) -> None:
        self.name = name
        self.limits = limits
        self._handlers = (start, end, text or self._stray_text)
        self._names: dict[str, str] = {}
        self._parser: expat.XMLParserType | None = None
        self._head = b""
        self._skipped = 0
        self._fed = 0
        self._unfinished = 0
        self._waiting: list[bytes] = []

    @property
    def handlers(self) -> tuple[Start, End, Text]:
        """What is called for the start of an element, its end, and text."""
        return self._handlers

    def call(self, start: Start, end: End, text: Text | None = None) -> None:
        """Call other handlers from now on."""
        self._handlers = (start, end, text or self._stray_text)
        self._apply_handlers()

    def feed(self, chunk: bytes) -> None:
        """Parse one more piece.

        Raises:
            PackageError: It is no well-formed XML, or beyond what is accepted; also what the handlers raise.
        """
        if self._parser is not None:
            self._feed_soon(chunk)
            return
        head = self._head + chunk
        self._head = strip_leading(head)
        self._skipped += lines_before(head, self._head)
        if len(self._head) >= _HEAD:
            self._begin()

    def close(self) -> None:
        """Parse the rest, and see that nothing is missing.

        Raises:
            PackageError: The file is empty, or ends too early.
        """
        if self._parser is None:
            if not self._head:
                raise PackageError(f"{self.name}: the file is empty.", "Export the package again.")
            self._begin()
        self._parse(b"".join(self._waiting), last=True)

    @property
    def line(self) -> int:
        """The line at which the parser is."""
        return (self._parser.CurrentLineNumber if self._parser else 1) + self._skipped

    @property
    def place(self) -> str:
        """The file, and the line at which the parser is."""
        return f"{self.name}, line {self.line}"

    def refuse(self, reason: str, hint: str = "Export the package again.") -> NoReturn:
        """Raise PackageError for what stands at the current line."""
        raise PackageError(f"{self.place}: {reason}.", hint)

    def capture(self, tag: str, attributes: Attributes, done: Callable[[str], None]) -> None:
        """Collect the element that begins here as text; ``done`` is given it, and the old handlers go on."""
        _Capture(self, done).start(tag, attributes)

    def _begin(self) -> None:
        head, self._head = self._head, b""
        if head[:4] in _UTF_32:
            raise PackageError(f"{self.name}: the file is in UTF-32.", "Save it as UTF-8.")
        self._parser = expat.ParserCreate(encoding_override(head), _SEPARATOR, self._names)
        self._parser.buffer_text = True
        self._parser.StartDoctypeDeclHandler = self._doctype
        self._apply_handlers()
        self._parse(head)

    def _apply_handlers(self) -> None:
        if self._parser is not None:
            start, end, text = self._handlers
            self._parser.StartElementHandler = start
            self._parser.EndElementHandler = end
            self._parser.CharacterDataHandler = text

    def _feed_soon(self, chunk: bytes) -> None:
        """Feed a piece now or with the next: the parser looks at an unfinished tag from its start each time."""
        self._waiting.append(chunk)
        size = sum(map(len, self._waiting))
        if self._unfinished + size > self.limits.value + _SLACK or 2 * size >= self._unfinished:
            whole = b"".join(self._waiting)
            self._waiting.clear()
            self._parse(whole)

    def _parse(self, chunk: bytes, *, last: bool = False) -> None:
        assert self._parser is not None  # noqa: S101  # the callers see to it
        begin, self._fed = self._fed, self._fed + len(chunk)
        try:
            self._parser.Parse(chunk, last)
        except expat.ExpatError as error:
            bad = self._parser.ErrorByteIndex - begin
            reason = _reason(error, chunk[bad : bad + 1] if bad >= 0 else b"")
            raise PackageError(
                f"{self.name}, line {error.lineno + self._skipped}: this is no well-formed XML: {reason}.",
                "Export the package again, or mend the file at that line.",
            ) from error
        except (ValueError, LookupError) as error:
            if begin:
                raise
            raise PackageError(f"{self.name}: the file declares an encoding that is none: {error}.") from error
        self._unfinished = self._fed - self._parser.CurrentByteIndex
        if self._unfinished > self.limits.value + _SLACK:
            raise self.limits.exceeded("value", self.place, "a tag or comment has more than {} characters")
        if len(self._names) > _MOST_NAMES:
            self.refuse(f"there are more than {_MOST_NAMES:,} different names of elements and attributes")

    def _doctype(self, *_: object) -> NoReturn:
        raise doctype_error(self.place)

    def _stray_text(self, text: str) -> None:
        if not text.isspace():
            self.refuse(f"text stands where no package has any: {text.strip()[:60]!r}")

    def check_attributes(self, attributes: Attributes) -> None:
        """Check the attributes of an element that is not what packages usually have.

        Raises:
            PackageError: They are too many, or one is too long.
        """
        if len(attributes) > _MOST_ATTRIBUTES:
            self.refuse(f"an element has more than {_MOST_ATTRIBUTES:,} attributes")
        for value in attributes.values():
            if len(value) > self.limits.value:
                raise self.limits.exceeded("value", self.place, "the value of an attribute has more than {} characters")


def _reason(error: expat.ExpatError, bad: bytes) -> str:
    """What the parser says, in better words where it only says "invalid token"."""
    reason = expat.ErrorString(error.code) or "not well-formed"
    if error.code != expat.errors.codes[expat.errors.XML_ERROR_INVALID_TOKEN] or not bad:
        return reason
    if bad < b" ":
        return f"the control character 0x{bad.hex().upper()}"
    return f"the byte 0x{bad.hex().upper()}, where the encoding has none" if bad >= b"\x80" else reason


def kept(attributes: Attributes, known: Collection[str]) -> tuple[tuple[str, str], ...]:
    """The attributes beyond those that are known, for whoever keeps them; one of a namespace as ``{namespace}name``."""
    return tuple((_qualified(name), value) for name, value in attributes.items() if name not in known)


def _qualified(name: str) -> str:
    return f"{{{name}" if _SEPARATOR in name else name


class _Capture:
    """An element with all that is in it, written again once it has ended. Comments are left out."""

    def __init__(self, stream: XmlStream, done: Callable[[str], None]) -> None:
        self._stream = stream
        self._done = done
        self._before = stream.handlers
        self._builder = etree.TreeBuilder()
        self._size = 0
        self._depth = 0
        stream.call(self.start, self._end, self._text)

    def start(self, tag: str, attributes: Attributes) -> None:
        """An element begins."""
        self._stream.check_attributes(attributes)
        self._grow(_NODE + len(tag) + sum(len(name) + len(value) for name, value in attributes.items()))
        try:
            self._builder.start(_qualified(tag), dict(kept(attributes, ())))
        except ValueError as error:
            self._stream.refuse(f"an element has a name that is none: {error}")
        self._depth += 1
        if self._depth > _DEEPEST:
            self._stream.refuse(f"elements stand more than {_DEEPEST} deep in each other")

    def _end(self, tag: str) -> None:
        self._builder.end(_qualified(tag))
        self._depth -= 1
        if self._depth == 0:
            self._stream.call(*self._before)
            self._done(etree.tostring(self._builder.close(), encoding="unicode"))

    def _text(self, text: str) -> None:
        self._grow(len(text))
        self._builder.data(text)

    def _grow(self, size: int) -> None:
        self._size += size
        if self._size > self._stream.limits.value:
            what = "an element that is not known has more than {} characters"
            raise self._stream.limits.exceeded("value", self._stream.place, what)


def element_lines(data: bytes, name: str, limits: Limits) -> list[int]:
    """The line on which each element of a small document begins, in the order of the document.

    What passes can be given to a parser that builds a tree. lxml itself knows only where a tag ends, and no line beyond
    65,535.

    Raises:
        PackageError: The document is not well-formed, declares a type, or is beyond what is accepted.
    """
    lines: list[int] = []
    depth = 0

    def start(_: str, attributes: Attributes) -> None:
        nonlocal depth
        depth += 1
        lines.append(stream.line)
        stream.check_attributes(attributes)
        if depth > _DEEPEST:
            stream.refuse(f"elements stand more than {_DEEPEST} deep in each other")

    def end(_: str) -> None:
        nonlocal depth
        depth -= 1

    stream = XmlStream(name, limits, start, end, lambda _: None)
    stream.feed(data)
    stream.close()
    return lines
