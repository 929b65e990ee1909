"""``$ref``: rows associated and disassociated.

https://learn.microsoft.com/power-apps/developer/data-platform/webapi/associate-disassociate-entities-using-web-api
"""

from urllib.parse import unquote

from confmig.emulator.catalog.model import Column, ManyToMany, ManyToOne, Table
from confmig.emulator.context import Context
from confmig.emulator.errors import (
    ServiceError,
    navigation_unknown,
    null_refused,
    payload_error,
    row_missing,
    segment_missing,
)
from confmig.emulator.storage.store import Value, target_column
from confmig.emulator.wire.urls import Segment
from confmig.emulator.wire.wire import Reply, Request, json_reply
from confmig.emulator.writing.payload import Body, bind, clear, decode_object
from confmig.emulator.writing.writing import Writer


def change_reference(writer: Writer, table: Table, row_id: str, nav: Segment, request: Request) -> Reply:
    """Associate or disassociate a row.

    Args:
        writer: Writes.
        table: The table of the row in the URL.
        row_id: Its id; the row is there.
        nav: The navigation property, with the other row's id when the URL gives it.
        request: The request.

    Raises:
        ServiceError: The navigation property is unknown, the other row is missing, or the pair is there already.
    """
    catalog = writer.context.store.catalog
    with writer.context.store.transaction():
        one = catalog.lookup(table.name, nav.name)
        if one is not None:
            return _single(writer, table, row_id, one, request)
        association = catalog.association(table.name, nav.name)
        if association is not None:
            return _pair(writer, table, row_id, nav, association, request)
        collection = catalog.collection(table.name, nav.name)
        if collection is None:
            raise segment_missing(nav.name)
        return _member(writer, table, row_id, nav, collection, request)


def _single(writer: Writer, table: Table, row_id: str, one: ManyToOne, request: Request) -> Reply:
    writer.context.require("Write", table, row_id)
    if writer.context.rights is not None:
        writer.context.rights.check_given(table, [one.column], row_id)
    values: dict[str, Value] = {}
    if request.method == "DELETE":
        if writer.context.lookup_target(table, row_id, one) is None:
            return Reply(204)
        _cut(table.columns[one.column], values)
    elif request.method == "PUT":
        bind(writer.context, table, one, _named(table, request), values)
    else:
        raise _not_allowed(request.method)
    writer.set_values(table, row_id, values)
    return Reply(204)


def _named(table: Table, request: Request) -> object:
    """The reference in a body.

    Raises:
        ServiceError: There is none.
    """
    reference = decode_object(request.body).get("@odata.id")
    if reference is None:
        raise payload_error(table.entity_set, "A reference needs the property '@odata.id' with the URL of a row.")
    return reference


def _cut(column: Column, values: dict[str, Value]) -> None:
    """Make a lookup null, when it may be."""
    if column.required:
        raise null_refused(column.name)
    clear(column, values)


def _other(context: Context, table: Table, other: Table, nav: Segment, request: Request) -> tuple[Table, str]:
    """The row that the body, the key of the navigation property, or ``$id`` names; it must be of a table.

    Raises:
        ServiceError: It is none, or is of another table.
    """
    found = _referred(context, table, other, nav, request)
    if found[0].name != other.name:
        raise payload_error(table.entity_set, f"The reference is of type '{found[0].name}', not '{other.name}'.")
    return found


def _referred(context: Context, table: Table, other: Table, nav: Segment, request: Request) -> tuple[Table, str]:
    if request.method == "DELETE":
        if nav.key is not None:
            return other, context.row_of(other, nav)
        return context.resolve(table.entity_set, unquote(request.options().get("$id", "")))
    if request.method != "POST":
        raise _not_allowed(request.method)
    return context.resolve(table.entity_set, _named(table, request))


def _pair(
    writer: Writer, table: Table, row_id: str, nav: Segment, association: tuple[ManyToMany, bool], request: Request
) -> Reply:
    relationship, first = association
    expected = writer.context.store.catalog.tables[relationship.table2 if first else relationship.table1]
    _, other = _other(writer.context, table, expected, nav, request)
    writer.context.require("Append", table, row_id)
    writer.context.require("AppendTo", expected, other)
    one, two = (row_id, other) if first else (other, row_id)
    if request.method == "DELETE":
        writer.disassociate(relationship.intersect, one, two)
    else:
        writer.associate(relationship.intersect, one, two)
    return Reply(204)


def _member(writer: Writer, table: Table, row_id: str, nav: Segment, one: ManyToOne, request: Request) -> Reply:
    """A row of a 1:N collection: its lookup is set or cleared."""
    child = writer.context.store.catalog.tables[one.table]
    _, child_id = _other(writer.context, table, child, nav, request)
    if not writer.context.store.exists(child, child_id):
        raise row_missing(child.name, child_id)
    writer.context.require("Append", child, child_id)
    writer.context.require("AppendTo", table, row_id)
    values: dict[str, Value] = {one.column: row_id}
    if child.columns[one.column].many_targets:
        values[target_column(one.column)] = table.name
    if request.method == "DELETE":
        if writer.context.lookup_target(child, child_id, one) != (table, row_id):
            return Reply(204)
        values = {}
        _cut(child.columns[one.column], values)
    writer.set_values(child, child_id, values)
    return Reply(204)


def create_below(writer: Writer, table: Table, row_id: str, nav: str, body: Body) -> tuple[Table, str]:
    """Create a row through a navigation property of another row, to which it belongs from then on.

    As programs do with ``POST accounts(…)/Account_Tasks`` and, in a change set, ``POST $1/primarycontactid``
    (https://github.com/AleksandrRogov/DynamicsWebApi, "Use Content-ID to reference requests in a Change Set").

    Args:
        writer: Writes.
        table: The table of the row in the URL.
        row_id: Its id; the row is there.
        nav: The navigation property, which exists.
        body: The new row.

    Returns:
        The table and the id of the new row.

    Raises:
        ServiceError: The row is refused.
    """
    catalog = writer.context.store.catalog
    own = f"/{table.entity_set}({row_id})"
    with writer.context.store.transaction():
        collection = catalog.collection(table.name, nav)
        if collection is not None:
            child = catalog.tables[collection.table]
            return child, writer.create(child, {**body, f"{collection.nav}@odata.bind": own})
        association = catalog.association(table.name, nav)
        if association is not None:
            relationship, first = association
            target = catalog.tables[relationship.table2 if first else relationship.table1]
            made = writer.create(target, body)
            writer.associate(relationship.intersect, *((row_id, made) if first else (made, row_id)))
            return target, made
        one = catalog.lookup(table.name, nav)
        if one is None or table.columns[one.column].type == "Owner":
            raise navigation_unknown(table.entity_set, nav)
        target = catalog.tables[one.target]
        made = writer.create(target, body)
        writer.update(table, row_id, {f"{nav}@odata.bind": f"/{target.entity_set}({made})"})
        return target, made


def read_reference(context: Context, table: Table, row_id: str, nav: Segment, request: Request) -> Reply:
    """The reference that a lookup holds.

    Raises:
        ServiceError: The navigation property is no lookup.
    """
    one = context.store.catalog.lookup(table.name, nav.name)
    if one is None:
        raise segment_missing(nav.name)
    found = context.lookup_target(table, row_id, one)
    if found is None:
        return Reply(204)
    url = context.row_url(*found)
    return json_reply({"@odata.context": f"{request.base}$metadata#$ref", "@odata.id": url})


def _not_allowed(method: str) -> ServiceError:
    return ServiceError(405, "0x80060888", f"The requested resource does not support http method '{method}'.")
