"""Reading and comparing the wire samples: requests as they stand in the documents, and what must come back.

A sample is a text file. Lines with ``#`` say what it shows, which document says so, and what the caller lacks
(``deny``). After that come requests, each below a line ``>>>``, and their responses, each below a line ``<<<``.
Line ends are sent as CRLF; ``Host``, ``Content-Length`` and the token are all that is added. In both, words in braces
stand for values:

* ``{base}``: the root of the service;
* ``{guid}``, ``{etag}``, ``{time}``, ``{number}``, ``{text}``: any value of the kind, ``{guid:row}`` under a name;
* ``{row}``: the value that was named before;
* ``{absent}``: a header or a property that must not be there.

An empty line ends each message; a second one is the line end of its body.

The headers of a response are the ones that matter, its JSON is complete; a property ``"…"`` allows for others.
"""

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

KINDS = {
    "guid": r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    "etag": r'W/"\d+"',
    "number": r"-?\d+(?:\.\d+)?",
    "time": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ",
    "text": r".+",
}
PLACE = re.compile(r"\{(\w+)(?::(\w+))?\}")
OTHERS = "…"


@dataclass
class Message:
    """A request or a response: the first line, headers by lower-case name, and the body."""

    start: str
    headers: dict[str, str]
    body: str


@dataclass
class Sample:
    """What a file says."""

    name: str
    sources: list[str] = field(default_factory=list)
    denied: list[str] = field(default_factory=list)
    exchanges: list[tuple[Message, Message]] = field(default_factory=list)


def read_sample(path: Path) -> Sample:
    """The sample in a file."""
    notes, *blocks = re.split(r"^(?=>>>$|<<<$)", path.read_text("utf-8"), flags=re.MULTILINE)
    sample = Sample(
        path.stem, sources=re.findall(r"https://\S+", notes), denied=re.findall(r"^# deny: (\S+)", notes, re.M)
    )
    messages = [parse(re.sub(r"\n\n?\Z", "", block.split("\n", 1)[1])) for block in blocks]
    assert [block[:3] for block in blocks] == [">>>", "<<<"] * (len(blocks) // 2), path
    sample.exchanges = list(zip(messages[::2], messages[1::2], strict=True))
    return sample


def parse(text: str) -> Message:
    """A message whose lines end with LF or CRLF."""
    head, _, body = text.replace("\r\n", "\n").partition("\n\n")
    start, *lines = head.split("\n")
    headers = dict(line.split(":", 1) for line in lines if line)
    return Message(start.strip(), {name.strip().lower(): value.strip() for name, value in headers.items()}, body)


def fill(text: str, values: dict[str, str]) -> str:
    """Put the values that are known into a text."""
    return PLACE.sub(lambda match: values.get(match[1], match[0]), text)


def wire(request: Message, host: str, token: str, values: dict[str, str]) -> bytes:
    """The bytes of a request."""
    body = fill(request.body, values).replace("\n", "\r\n").encode()
    headers = {"host": host, "authorization": f"Bearer {token}", "connection": "close", **request.headers}
    if body or request.start.split()[0] in ("POST", "PATCH", "PUT"):
        headers["content-length"] = str(len(body))
    lines = [request.start, *(f"{name}: {value}" for name, value in headers.items() if value != "{absent}")]
    return fill("\r\n".join(lines), values).encode() + b"\r\n\r\n" + body


def agree(expected: Message, actual: Message, values: dict[str, str]) -> None:
    """See whether a response is the one that a sample shows; named values are kept."""
    assert match(expected.start, actual.start, values), f"{actual.start}\n{actual.body}"
    for name, pattern in expected.headers.items():
        if pattern == "{absent}":
            assert name not in actual.headers, name
        else:
            assert match(pattern, actual.headers.get(name, ""), values), (name, actual.headers.get(name))
    if expected.body.startswith("--"):
        agree_parts(expected.body, actual.body, values)
    elif expected.body.strip().startswith(("{", "[")):
        same(json.loads(expected.body), json.loads(actual.body), values, "")
    else:
        assert match(expected.body.strip(), actual.body.strip(), values), actual.body


def agree_parts(expected: str, actual: str, values: dict[str, str]) -> None:
    """The parts of a multipart body, one after another, each with a response or further parts inside."""
    ours, theirs = parts(expected), parts(actual.replace("\r\n", "\n"))
    assert match(ours[0], theirs[0], values), theirs[0]
    assert len(ours) == len(theirs), actual
    for one, other in zip(ours[1:], theirs[1:], strict=True):
        mine, its = parse(one), parse(other)
        assert match(mine.start, its.start, values), other
        assert all(match(value, its.headers.get(name, ""), values) for name, value in mine.headers.items()), other
        if "multipart/mixed" in mine.start:
            agree_parts(mine.body, its.body, values)
        else:
            agree(parse(mine.body), parse(its.body), values)


def parts(body: str) -> list[str]:
    """The boundary of a multipart body, then what stands between its lines."""
    boundary = body.split("\n", 1)[0].strip()
    line = re.escape(boundary.partition("_")[0]) + "_"
    before, *inside, last = re.split(rf"^{line}.*\n?", body, flags=re.MULTILINE)
    assert body.rstrip().rsplit("\n", 1)[-1].endswith("--"), body
    assert not before.strip() + last.strip(), body
    return [boundary, *(part.strip("\n") for part in inside)]


def same(expected: Any, actual: Any, values: dict[str, str], where: str) -> None:
    """Compare two values of JSON."""
    if isinstance(expected, dict):
        assert isinstance(actual, dict), where
        absent = {name for name, value in expected.items() if value == "{absent}"}
        wanted = expected.keys() - absent - {OTHERS}
        assert not absent & actual.keys(), where
        assert actual.keys() >= wanted, f"{where} lacks {sorted(wanted - actual.keys())}: {actual}"
        assert OTHERS in expected or actual.keys() == wanted, f"{where} has {sorted(actual.keys() - wanted)}"
        for name in expected:
            if name in wanted:
                same(expected[name], actual[name], values, f"{where}.{name}")
    elif isinstance(expected, list):
        assert isinstance(actual, list), where
        assert len(actual) == len(expected), f"{where} has {len(actual)}: {actual}"
        for index, (one, other) in enumerate(zip(expected, actual, strict=True)):
            same(one, other, values, f"{where}[{index}]")
    elif isinstance(expected, str) and (isinstance(actual, str) or expected == "{number}"):
        assert not isinstance(actual, bool), where
        assert match(expected, str(actual), values), f"{where}: {actual}"
    else:
        assert actual == expected, f"{where}: {actual}"
        assert isinstance(actual, bool) == isinstance(expected, bool), where


def match(pattern: str, text: str, values: dict[str, str]) -> bool:
    """Whether a text is what a pattern allows; named values are kept."""
    expression, end = "", 0
    for place in PLACE.finditer(pattern):
        kind, name = place.groups()
        known = re.escape(values[kind]) if kind in values else f"(?:{KINDS[kind]})" if kind in KINDS else None
        if known is None:
            continue
        expression += re.escape(pattern[end : place.start()]) + (f"(?P<{name}>{known})" if name else known)
        end = place.end()
    found = re.fullmatch(expression + re.escape(pattern[end:]), text, re.DOTALL)
    if found is not None:
        values.update(found.groupdict())
    return found is not None
