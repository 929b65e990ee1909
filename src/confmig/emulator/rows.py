"""The paths of rows: which method on which path does what."""

from collections.abc import Callable
from urllib.parse import quote

import msgspec

from confmig.emulator.catalog.model import Table
from confmig.emulator.context import Context
from confmig.emulator.errors import (
    ServiceError,
    bad_request,
    intersect_read_only,
    key_row_missing,
    row_missing,
    segment_missing,
)
from confmig.emulator.reading.aggregates import read_aggregate
from confmig.emulator.reading.fetchxml import is_fetch, read_fetch
from confmig.emulator.reading.reading import (
    Parent,
    is_member,
    read_collection,
    read_count,
    read_references,
    read_row,
    row_json,
)
from confmig.emulator.reading.sqlqueries import read_sql
from confmig.emulator.reading.tracking import count_changes, is_tracked, read_changes
from confmig.emulator.storage.store import Store
from confmig.emulator.wire.conditions import check_version, is_unchanged, must_exist, refuse_existing
from confmig.emulator.wire.urls import Segment
from confmig.emulator.wire.wire import JSON, Reply, Request, json_reply, raw_json_reply
from confmig.emulator.writing.bulk import ACTIONS, PREFIX, run_bulk
from confmig.emulator.writing.files import on_column
from confmig.emulator.writing.payload import Body, decode_object
from confmig.emulator.writing.references import change_reference, create_below, read_reference
from confmig.emulator.writing.transfers import Transfers
from confmig.emulator.writing.writing import Writer

_PLAIN_IN_URL = "!#$&'()*+,/:;=?@[]~-._"


class Rows:
    """Answers requests for the rows of one table."""

    def __init__(self, writer: Writer, transfers: Transfers, table: Table, request: Request) -> None:
        self._writer = writer
        self._transfers = transfers
        self._context: Context = writer.context
        self._store: Store = writer.context.store
        self._table = table
        self._request = request

    def answer(self, segments: list[Segment]) -> Reply:
        """The answer; ``segments[0]`` names the set.

        Raises:
            ServiceError: The path does not exist or the request is refused; then nothing is written.
        """
        if self._request.method == "GET":
            return self._answer(segments)
        # Also a row that was written and then cannot be given back, as a wrong $select asks, is not written.
        with self._store.transaction():
            return self._answer(segments)

    def _answer(self, segments: list[Segment]) -> Reply:
        if segments[0].key is None:
            return self._on_set(segments)
        if len(segments) == 1:
            return self._on_row(segments[0])
        return self._below_row(segments)

    def _on_set(self, segments: list[Segment]) -> Reply:
        method = self._request.method
        if len(segments) == 2 and segments[1].name.removeprefix(PREFIX) in ACTIONS and method == "POST":
            return run_bulk(self._writer, self._table, segments[1].name.removeprefix(PREFIX), self._request)
        if len(segments) == 2 and segments[1].name == "$count" and method == "GET":
            self._context.require("Read", self._table)
            count = count_changes if "$deltatoken" in self._request.options() else read_count
            return count(self._context, self._table, self._request)
        if len(segments) > 1:
            raise segment_missing(segments[1].name)
        if method == "POST":
            return self._create(decode_object(self._request.body), None)
        if method != "GET":
            raise _not_allowed(method)
        self._context.require("Read", self._table)
        if "sql" in self._request.options():
            return read_sql(self._context, self._table, self._request)
        if is_fetch(self._request.options()):
            return read_fetch(self._context, self._table, self._request)
        if "$apply" in self._request.options():
            return read_aggregate(self._context, self._table, self._request)
        read = read_changes if is_tracked(self._request) else read_collection
        return read(self._context, self._table, self._request)

    def _on_row(self, segment: Segment) -> Reply:
        actions: dict[str, Callable[[Segment], Reply]] = {
            "GET": self._read,
            "PATCH": self._patch,
            "DELETE": self._delete,
        }
        action = actions.get(self._request.method)
        if action is None:
            raise _not_allowed(self._request.method)
        return action(segment)

    def _read(self, segment: Segment) -> Reply:
        self._context.require("Read", self._table)
        row_id = self._context.row_of(self._table, segment)
        self._context.require("Read", self._table, row_id)
        if self._conditional() and is_unchanged(self._store, self._table, row_id, self._request.headers):
            return Reply(304)
        if self._store.exists(self._table, row_id):
            check_version(self._store, self._table, row_id, self._request.headers)
        return read_row(self._context, self._table, row_id, self._request)

    def _conditional(self) -> bool:
        """Whether a GET may answer that nothing changed: a version says nothing of other rows, nor of their names.

        https://learn.microsoft.com/power-apps/developer/data-platform/webapi/perform-conditional-operations-using-web-api
        """
        annotated = "odata.include-annotations" in self._request.headers.get("prefer", "")
        return self._table.optimistic and not annotated and "$expand" not in self._request.options()

    def _create(self, body: Body, row_id: str | None) -> Reply:
        return self._made(self._writer.create(self._table, body, row_id), 201, None)

    def _made(self, row_id: str, status: int, segment: Segment | None) -> Reply:
        """The answer to a row that was made or changed: the row itself when it is asked for, else its address.

        A row that the URL named by an alternate key is given back under that key.
        """
        address = self._context.row_url(self._table, row_id)
        if self._request.preferences().representation:
            reply = self._representation(row_id, status)
            reply.row = address
            return reply
        if segment is not None and segment.guid is None:
            address = self._context.base + quote(self._request.path, safe=_PLAIN_IN_URL)
        return Reply(204, b"", {"Location": address, "OData-EntityId": address}, address)

    def _representation(self, row_id: str, status: int) -> Reply:
        body = row_json(self._context, self._table, row_id, self._request) or "{}"
        if self._context.rights is not None:
            body = self._context.rights.without_hidden(self._table, body)
        return raw_json_reply(body, status, self._request.preferences().applied)

    def _patch(self, segment: Segment) -> Reply:
        """Update, create or both, as If-Match and If-None-Match say."""
        if self._table.is_intersect:
            raise intersect_read_only()
        body = decode_object(self._request.body)
        headers = self._request.headers
        keys = {} if segment.guid else self._context.key_values(self._table, segment)
        row_id = self._context.find_row(self._table, segment)
        if row_id is not None and self._store.exists(self._table, row_id):
            refuse_existing(headers)
            check_version(self._store, self._table, row_id, headers)
            self._writer.update(self._table, row_id, self._context.without_key(self._table, body, keys))
            return self._made(row_id, 200, segment)
        if must_exist(headers):
            raise key_row_missing(self._table.name) if row_id is None else row_missing(self._table.name, row_id)
        return self._made(self._writer.create(self._table, body, segment.guid, keys), 201, segment)

    def _delete(self, segment: Segment) -> Reply:
        row_id = self._context.row_of(self._table, segment)
        if self._store.exists(self._table, row_id):
            check_version(self._store, self._table, row_id, self._request.headers)
        self._writer.delete(self._table, row_id)
        return Reply(204)

    def _below_row(self, segments: list[Segment]) -> Reply:
        row_id = self._context.row_of(self._table, segments[0])
        if not self._store.exists(self._table, row_id):
            raise row_missing(self._table.name, row_id)
        if self._request.method == "GET":
            self._context.require("Read", self._table, row_id)
        nav = segments[1]
        if segments[-1].name == "$ref" and len(segments) == 3:
            if self._request.method == "GET":
                return self._references(row_id, nav)
            return change_reference(self._writer, self._table, row_id, nav, self._request)
        column = self._table.columns.get(nav.name)
        # What is sent to an image is a file, or is its value as that of any other property.
        image = column is not None and column.type == "Image" and self._request.method in ("GET", "PATCH")
        if column is not None and (column.type == "File" or image):
            return on_column(self._transfers, self._writer, self._table, row_id, column, self._request)
        if nav.name in self._store.catalog.wire_columns(self._table.name):
            if len(segments) > 3 or (len(segments) == 3 and segments[2].name != "$value"):
                raise segment_missing(segments[-1].name)
            return self._on_property(row_id, nav.name, raw=segments[-1].name == "$value")
        return self._on_navigation(row_id, segments)

    def _on_property(self, row_id: str, name: str, *, raw: bool) -> Reply:
        method = self._request.method
        if method == "GET":
            return self._read_property(row_id, name, raw=raw)
        check_version(self._store, self._table, row_id, self._request.headers)
        if method == "PUT":
            body = decode_object(self._request.body)
            if "value" not in body:
                raise bad_request("The body of a property has the one member 'value'.")
            self._writer.update(self._table, row_id, {name: body["value"]})
            return Reply(204)
        if method == "DELETE":
            self._writer.update(self._table, row_id, {name: None})
            return Reply(204)
        raise _not_allowed(method)

    def _read_property(self, row_id: str, name: str, *, raw: bool) -> Reply:
        inner = Request("GET", self._request.base, self._request.path, f"$select={name}")
        body = row_json(self._context, self._table, row_id, inner) or "{}"
        # As JSON text, so that amounts keep the digits of their scale.
        value = bytes(msgspec.json.decode(body, type=dict[str, msgspec.Raw]).get(name, msgspec.Raw(b"null")))
        if value == b"null":
            return Reply(204)
        if raw:
            text = msgspec.json.decode(value, type=str).encode() if value.startswith(b'"') else value
            return Reply(200, text, {"Content-Type": "text/plain"})
        context = f"{self._request.base}$metadata#{self._table.entity_set}({row_id})/{name}"
        return json_reply({"@odata.context": context, "value": msgspec.Raw(value)})

    def _references(self, row_id: str, nav: Segment) -> Reply:
        catalog, table = self._store.catalog, self._table
        if catalog.collection(table.name, nav.name) is None and catalog.association(table.name, nav.name) is None:
            return read_reference(self._context, table, row_id, nav, self._request)
        parent = Parent(table, row_id, nav.name)
        self._context.require("Read", parent.target(self._context))
        return read_references(self._context, self._request, parent)

    def _on_navigation(self, row_id: str, segments: list[Segment]) -> Reply:
        catalog, nav = self._store.catalog, segments[1].name
        method = self._request.method
        collection = catalog.collection(self._table.name, nav)
        if collection is not None and method == "PUT":
            bodies = decode_object(self._request.body).get("value")
            if not isinstance(bodies, list) or not all(isinstance(body, dict) for body in bodies):
                raise bad_request("The body of a collection has the one member 'value', a list of objects.")
            with self._store.transaction():
                self._context.require("Write", self._table, row_id)
                self._writer.replace_children(self._table, row_id, collection, bodies)
            return Reply(204)
        one = catalog.lookup(self._table.name, nav)
        if one is None and collection is None and catalog.association(self._table.name, nav) is None:
            raise segment_missing(nav)
        if method == "POST" and len(segments) == 2 and segments[1].key is None:
            made = create_below(self._writer, self._table, row_id, nav, decode_object(self._request.body))
            address = self._context.row_url(*made)
            return Reply(204, b"", {"Location": address, "OData-EntityId": address})
        if method != "GET":
            raise _not_allowed(method)
        if one is not None:
            found = self._context.lookup_target(self._table, row_id, one)
            if found is None:
                return Reply(204, b"", {"Content-Type": JSON})
            self._context.require("Read", *found)
            if len(segments) > 2:
                return self._go_on(*found, segments[2:])
            return read_row(self._context, *found, self._request)
        return self._members(Parent(self._table, row_id, nav), segments)

    def _members(self, parent: Parent, segments: list[Segment]) -> Reply:
        """The rows of a collection, their number, or one of them and what lies below it."""
        target = parent.target(self._context)
        self._context.require("Read", target)
        if segments[-1].name == "$count":
            return read_count(self._context, target, self._request, parent)
        if segments[1].key is not None:
            member = self._context.row_of(target, segments[1])
            if not is_member(self._context, target, member, parent):
                raise row_missing(target.name, member)
            if len(segments) > 2:
                return self._go_on(target, member, segments[2:])
            return read_row(self._context, target, member, self._request)
        if len(segments) > 2:
            raise segment_missing(segments[2].name)
        read = read_aggregate if "$apply" in self._request.options() else read_collection
        return read(self._context, target, self._request, parent)

    def _go_on(self, table: Table, row_id: str, rest: list[Segment]) -> Reply:
        """What lies below a row that a navigation property leads to."""
        there = Rows(self._writer, self._transfers, table, self._request)
        return there.answer([Segment(table.entity_set, row_id), *rest])


def _not_allowed(method: str) -> ServiceError:
    return ServiceError(405, "0x80060888", f"The requested resource does not support http method '{method}'.")
