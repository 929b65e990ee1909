"""Bodies of creates and updates: their properties checked and turned into stored values.

https://learn.microsoft.com/power-apps/developer/data-platform/webapi/create-entity-web-api
"""

from codecs import BOM_UTF8
from dataclasses import dataclass, field
from decimal import Decimal

import msgspec

from confmig.emulator.catalog.catalog import Catalog
from confmig.emulator.catalog.model import Column, ManyToMany, ManyToOne, Table
from confmig.emulator.context import Context
from confmig.emulator.errors import (
    bad_owner,
    bad_request,
    body_property_unknown,
    lookup_direct,
    navigation_unknown,
    null_refused,
    payload_error,
)
from confmig.emulator.storage.store import Value, target_column
from confmig.emulator.writing.converters import Converters

Body = dict[str, object]
PARTIES = "activityparty"
_DECODER = msgspec.json.Decoder(float_hook=Decimal)


@dataclass
class Change:
    """A body, understood.

    Attributes:
        values: SQL columns and values.
        children: Rows to be made, or replaced, below this one: a relationship and their bodies.
        parents: Rows to be made first, to which a lookup of this one shall point.
        pairs: Existing rows to associate: a relationship, whether this table is its first side, and their ids.
        adopted: Existing rows whose lookup shall point to this one.
        joined: Rows to be made and associated: a relationship, whether this table is its first side, their bodies.
    """

    values: dict[str, Value] = field(default_factory=dict)
    children: list[tuple[ManyToOne, list[Body]]] = field(default_factory=list)
    parents: list[tuple[ManyToOne, Body]] = field(default_factory=list)
    pairs: list[tuple[ManyToMany, bool, list[str]]] = field(default_factory=list)
    adopted: list[tuple[ManyToOne, list[str]]] = field(default_factory=list)
    joined: list[tuple[ManyToMany, bool, list[Body]]] = field(default_factory=list)


def decode_object(body: bytes) -> Body:
    """The JSON object of a body, its numbers with all their digits.

    Raises:
        ServiceError: It is not a JSON object.
    """
    value = decode_json(body)
    if not isinstance(value, dict):
        raise bad_request("The request body is not a JSON object.")
    return value


def decode_json(body: bytes) -> object:
    """The JSON value of a body.

    Raises:
        ServiceError: It is not JSON.
    """
    try:
        return _DECODER.decode(body.removeprefix(BOM_UTF8))
    except (msgspec.DecodeError, UnicodeDecodeError, ArithmeticError, RecursionError) as error:
        raise bad_request(f"An error occurred while reading the request body: {error}") from error


def read_change(context: Context, converters: Converters, table: Table, body: Body, *, creating: bool) -> Change:
    """Check a body against its table.

    Args:
        context: Where references are resolved.
        converters: The converters.
        table: The table.
        body: The body.
        creating: Whether a row is made; read-only columns differ.

    Raises:
        ServiceError: A property is unknown or a value does not fit.
    """
    change = Change()
    values = change.values
    known = converters.of(table, creating=creating)
    for name, value in body.items():
        if name in known:
            convert = known[name]
            if convert is not None:
                values[name] = convert(value)
        elif "@" in name:
            _read_annotation(context, table, name, value, change)
        else:
            _read_navigation(context, table, name, value, change, creating=creating)
    return change


def _read_annotation(context: Context, table: Table, name: str, value: object, change: Change) -> None:
    nav, _, annotation = name.partition("@")
    if name == "@odata.type":
        _check_type(context.store.catalog, table, value)
    if annotation != "odata.bind":
        return
    if not nav:
        raise navigation_unknown(table.entity_set, nav)
    if isinstance(value, list):
        _bind_many(context, table, nav, value, change)
        return
    one = context.store.catalog.lookup(table.name, nav)
    if one is None:
        raise navigation_unknown(table.entity_set, nav)
    bind(context, table, one, value, change.values)


def _check_type(catalog: Catalog, table: Table, value: object) -> None:
    """Refuse a body that says it is a row of another table; the text is that of Microsoft's OData library."""
    given = str(value).removeprefix("#").removeprefix("Microsoft.Dynamics.CRM.")
    if given != table.name and given in catalog.tables:
        raise payload_error(
            table.entity_set,
            f"An entry with type 'Microsoft.Dynamics.CRM.{given}' was found, but it is not assignable to the expected "
            f"type 'Microsoft.Dynamics.CRM.{table.name}'.",
        )


def bind(context: Context, table: Table, one: ManyToOne, value: object, values: dict[str, Value]) -> None:
    """Point a lookup to the row that a reference names, or clear it.

    Raises:
        ServiceError: The row is not there, or is of a table to which the lookup cannot point.
    """
    column = table.columns[one.column]
    if not (column.can_create or column.can_update):
        return
    if value is None:
        if column.required:
            raise null_refused(column.name)
        # Of the properties of one lookup, the one that names a row counts.
        if values.get(column.name) is None:
            clear(column, values)
        return
    target, row_id = context.resolve(table.entity_set, value)
    allowed = column.targets if column.type == "Owner" else (one.target,)
    if target.name not in allowed:
        if column.type == "Owner":
            raise bad_owner()
        raise payload_error(
            table.entity_set,
            f"The reference '{value}' is of type '{target.name}', which is not the type of '{one.nav}'.",
        )
    if column.type != "Owner":
        context.require_link(table, target, row_id)
    values[column.name] = row_id
    if column.many_targets:
        values[target_column(column.name)] = target.name


def _is_lookup(catalog: Catalog, table: Table, name: str) -> bool:
    """Whether a property is the id, or the logical name, of a lookup."""
    column = catalog.wire_columns(table.name).get(name) or table.columns.get(name)
    return column is not None and column.is_lookup


def clear(column: Column, values: dict[str, Value]) -> None:
    """Make a lookup null."""
    values[column.name] = None
    if column.many_targets:
        values[target_column(column.name)] = None


def _bind_many(context: Context, table: Table, nav: str, references: list[object], change: Change) -> None:
    many = context.store.catalog.association(table.name, nav)
    one = context.store.catalog.collection(table.name, nav)
    ids = []
    for reference in references:
        target, row_id = context.resolve(table.entity_set, reference)
        expected = one.table if one else (many[0].table2 if many[1] else many[0].table1) if many else target.name
        if target.name != expected:
            raise payload_error(table.entity_set, f"The reference '{reference}' is not of type '{expected}'.")
        context.require("Append", target, row_id)
        context.require("AppendTo", table)
        ids.append(row_id)
    if one is not None:
        change.adopted.append((one, ids))
    elif many is not None:
        change.pairs.append((many[0], many[1], ids))
    else:
        raise navigation_unknown(table.entity_set, nav)


def _read_navigation(
    context: Context, table: Table, name: str, value: object, change: Change, *, creating: bool
) -> None:
    """A navigation property with null, a row to be made, or rows to be made.

    Rows are made together with the row above them only when that one is made, too. Parties are an exception: they
    are replaced with their activity. That and the text are inferred.
    """
    catalog = context.store.catalog
    one = catalog.lookup(table.name, name)
    if one is not None and value is None:
        bind(context, table, one, None, change.values)
        return
    collection = catalog.collection(table.name, name)
    many = catalog.association(table.name, name)
    deep = one is not None or many is not None or (collection is not None and collection.table != PARTIES)
    if deep and not creating and isinstance(value, dict | list):
        raise payload_error(table.entity_set, f"Deep update of the navigation property '{name}' is not supported.")
    if one is not None and isinstance(value, dict):
        change.parents.append((one, value))
        return
    if isinstance(value, list) and all(isinstance(item, dict) for item in value):
        if collection is not None:
            change.children.append((collection, value))
            return
        if many is not None:
            change.joined.append((*many, value))
            return
    if _is_lookup(catalog, table, name):
        raise lookup_direct()
    raise body_property_unknown(name, table.name)
