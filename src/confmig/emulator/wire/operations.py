"""Functions and actions: one table of what can be called, by its name and by the table that it is bound to.

https://learn.microsoft.com/power-apps/developer/data-platform/webapi/use-web-api-functions
https://learn.microsoft.com/power-apps/developer/data-platform/webapi/use-web-api-actions
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property

import msgspec

from confmig.emulator.catalog.model import Table
from confmig.emulator.errors import ServiceError, bad_query, no_resource, row_missing
from confmig.emulator.wire.urls import Segment, unquote_literal
from confmig.emulator.wire.wire import Reply, Request, json_reply
from confmig.emulator.writing.payload import decode_object
from confmig.emulator.writing.writing import Writer

PREFIX = "Microsoft.Dynamics.CRM."
_ENUM = re.compile(r"Microsoft\.Dynamics\.CRM\.\w+('.*')", re.DOTALL)
_PLAIN = re.compile(r"[A-Za-z0-9_.:+-]+")


@dataclass(frozen=True)
class Call:
    """One call of a function or an action.

    Attributes:
        name: Its name without namespace.
        segment: The segment that names it, with the parameters in its parentheses.
        writer: Writes, and knows the context.
        request: The request.
        table: The table that it is bound to.
        row_id: The row of that table; it is there.
    """

    name: str
    segment: Segment
    writer: Writer
    request: Request
    table: Table | None = None
    row_id: str = ""

    @cached_property
    def parameters(self) -> dict[str, object]:
        """The parameters: of a function in its URL, in place or by alias; of an action in its body.

        Raises:
            ServiceError: They cannot be understood.
        """
        if self.request.method == "POST":
            return decode_object(self.request.body) if self.request.body.strip() else {}
        options = self.request.options()
        return {name: _literal(options.get(text, text)) for name, text in self.segment.parts.items()}

    def answer(self, values: dict[str, object]) -> Reply:
        """The complex type that functions and most actions answer with."""
        context = f"{self.request.base}$metadata#{PREFIX}{self.name}Response"
        return json_reply({"@odata.context": context, **values})


Handler = Callable[[Call], Reply]


def _literal(text: str) -> object:
    """The value of a parameter: a literal of the URL, or JSON."""
    text = text.strip()
    enumerated = _ENUM.fullmatch(text)
    if enumerated is not None:
        return unquote_literal(enumerated.group(1))
    if text.startswith("'"):
        return unquote_literal(text)
    if text.startswith("@"):
        raise unresolved()
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        if text.startswith(("[", "{")) and "'" in text:
            # Lists in URLs are often written with the quotes of OData.
            return _literal(text.replace("'", '"'))
        if _PLAIN.fullmatch(text):
            return text
        raise bad_query(f"Bad Request - Error in query syntax: {text}") from error


def unresolved() -> ServiceError:
    """A bound function or action without its namespace, or a function without its parameters."""
    return bad_query("Request message has unresolved parameters.")


class Operations:
    """What can be called."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str, str], Handler] = {}
        self._names: set[tuple[str, str]] = set()

    def functions(self, handlers: dict[str, Handler], bound_to: Iterable[str] = ("",)) -> None:
        """Add functions, which are called with GET, by their names; unbound ones are bound to ``""``."""
        self._add("GET", handlers, bound_to)

    def actions(self, handlers: dict[str, Handler], bound_to: Iterable[str] = ("",)) -> None:
        """Add actions, which are called with POST, by their names; unbound ones are bound to ``""``."""
        self._add("POST", handlers, bound_to)

    def _add(self, method: str, handlers: dict[str, Handler], bound_to: Iterable[str]) -> None:
        for table in bound_to:
            for name, handler in handlers.items():
                self._known[method, table, name] = handler
                self._names.add((table, name))

    def unbound(self, segments: list[Segment], writer: Writer, request: Request) -> Reply | None:
        """The answer of what the first segment names; None when that is no function or action.

        Raises:
            ServiceError: The method is the wrong one, or the call is refused.
        """
        head = segments[0]
        if ("", head.name) not in self._names:
            return None
        handler = self._known.get((request.method, "", head.name))
        if handler is None or len(segments) > 1:
            raise no_resource(request.base + request.path)
        return handler(Call(head.name, head, writer, request))

    def bound(self, table: Table, segments: list[Segment], writer: Writer, request: Request) -> Reply | None:
        """The answer of what the second segment names on a row of a table; None when that is no function or action.

        Raises:
            ServiceError: The method is the wrong one, the namespace is missing, the row is not there, or the call is
                refused.
        """
        last = segments[1]
        name = last.name.removeprefix(PREFIX)
        if (table.name, name) not in self._names or segments[0].key is None:
            return None
        handler = self._known.get((request.method, table.name, name))
        if handler is None or len(segments) > 2:
            raise no_resource(request.base + request.path)
        if name == last.name:
            raise unresolved()
        row_id = writer.context.row_of(table, segments[0])
        if not writer.context.store.exists(table, row_id):
            raise row_missing(table.name, row_id)
        return handler(Call(name, last, writer, request, table, row_id))
