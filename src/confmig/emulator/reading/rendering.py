"""Rows as JSON text, made by SQLite itself.

A page of 5,000 rows is some hundred thousand values. Building them in Python would cost more than everything else the
server does, so a query is compiled to one SQL expression that concatenates the JSON of a row; numbers keep the digits
with which they are stored.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

import msgspec

from confmig.emulator.catalog.catalog import Catalog
from confmig.emulator.catalog.model import LOOKUPS, NUMBERS, WHOLE, Column, Table
from confmig.emulator.reading.formattedsql import formatted_sql
from confmig.emulator.storage.store import main_sql, quoted, target_column, text_sql
from confmig.emulator.wire.wire import NO_ANNOTATIONS, Annotations

_FORMATTED = "@OData.Community.Display.V1.FormattedValue"
_LOGICAL_NAME = "@Microsoft.Dynamics.CRM.lookuplogicalname"
_NAVIGATION = "@Microsoft.Dynamics.CRM.associatednavigationproperty"
_GROUP = 12
PRINCIPALS = frozenset({"systemuser", "team"})
"""Tables whose rows have the key of the type they inherit from, too."""


@dataclass(frozen=True)
class Expansion:
    """Rows of another table inside a row.

    Attributes:
        nav: Navigation property.
        table: The other table.
        alias: Its SQL alias.
        columns: Its columns.
        source: SQL source of the rows.
        where: SQL condition that ties them to the outer row and filters them.
        many: Whether it is a collection.
        order: SQL order of a collection.
        limit: How many rows of a collection are given.
        inner: Rows of further tables inside the rows.
        etag: Whether the rows come with their versions.
        reference: The URL of the other table's set, when only the address of a row is asked for.
        link: SQL of the address from which more rows of a collection can be read.
    """

    nav: str
    table: Table
    alias: str
    columns: tuple[Column, ...]
    source: str
    where: str
    many: bool
    order: str = ""
    limit: int = 0
    inner: tuple["Expansion", ...] = ()
    etag: bool = True
    reference: str = ""
    link: str = ""


@dataclass(frozen=True)
class Shape:
    """How the rows of a query look.

    Attributes:
        table: The table.
        columns: The columns, in order.
        annotations: Which annotations they carry.
        omit_null: Leave null properties out, as FetchXML does.
        expansions: Rows of other tables inside them.
        renames: Property names that differ from the columns' own, as FetchXML's aliases.
        etag: Whether the row version is given.
        principal: Whether users and teams have the key that they share as principals.
    """

    table: Table
    columns: tuple[Column, ...]
    annotations: Annotations = NO_ANNOTATIONS
    omit_null: bool = False
    expansions: tuple[Expansion, ...] = ()
    renames: dict[str, str] = field(default_factory=dict)
    etag: bool = True
    principal: bool = False


def _json(text: str) -> str:
    return msgspec.json.encode(text).decode()


def concatenated(parts: list[str]) -> str:
    """The concatenation of many SQL texts, as a tree, so that SQLite's limit on the depth of expressions holds."""
    while len(parts) > 1:
        parts = ["(" + " || ".join(parts[start : start + _GROUP]) + ")" for start in range(0, len(parts), _GROUP)]
    return parts[0] if parts else "''"


def row_sql(catalog: Catalog, shape: Shape, alias: str) -> str:
    """The SQL expression that gives a row as a JSON object.

    Args:
        catalog: The tables.
        shape: How the row looks.
        alias: Alias of the row's table.
    """
    return object_sql(fields_sql(catalog, shape, alias))


def fields_sql(catalog: Catalog, shape: Shape, alias: str) -> list[str]:
    """The SQL texts of a row's properties, each beginning with a comma."""
    fields: list[str] = []
    if shape.etag and "versionnumber" in shape.table.columns:
        fields.append(f"""',"@odata.etag":"W/\\"' || ifnull({alias}."versionnumber", 0) || '\\""'""")
    fields += [field_sql(catalog, shape, column, alias) for column in shape.columns]
    if shape.table.name in PRINCIPALS and shape.principal:
        fields.append(f"""',"ownerid":"' || {alias}.{quoted(shape.table.primary_id)} || '"'""")
    fields += [_expansion_sql(catalog, expansion, shape.annotations) for expansion in shape.expansions]
    return fields


def object_sql(fields: list[str]) -> str:
    """The SQL expression of a JSON object; every property begins with a comma, and the first one goes."""
    return f"'{{' || substr({concatenated(fields)}, 2) || '}}'"


def field_sql(catalog: Catalog, shape: Shape, column: Column, alias: str) -> str:
    """The SQL text of one property with its annotations, beginning with a comma; empty when it is left out."""
    name = shape.renames.get(column.name, column.wire_name)
    value = f"{alias}.{quoted(column.name)}"
    property_sql = f"{text_sql(f',{_json(name)}:')} || {value_sql(column, value)}"
    notes = _annotation_sql(catalog, shape, column, alias, name)
    if shape.omit_null:
        return f"CASE WHEN {value} IS NULL THEN '' ELSE {concatenated([*notes, property_sql])} END"
    if notes:
        return f"CASE WHEN {value} IS NULL THEN '' ELSE {concatenated(notes)} END || {property_sql}"
    return property_sql


def value_sql(column: Column, value: str) -> str:
    """The SQL expression of a value's JSON text; never null."""
    if column.type in NUMBERS or column.type in WHOLE:
        return f"ifnull({value}, 'null')"
    if column.type == "Boolean":
        return f"CASE {value} WHEN 1 THEN 'true' WHEN 0 THEN 'false' ELSE 'null' END"
    if column.type in LOOKUPS or column.type in ("Uniqueidentifier", "DateTime", "File"):
        return f"""ifnull('"' || {value} || '"', 'null')"""
    return f"json_quote({value})"


def _annotation_sql(catalog: Catalog, shape: Shape, column: Column, alias: str, name: str) -> list[str]:
    """The annotations of a value that is not null."""
    wanted, notes = shape.annotations, []
    if wanted.formatted:
        text = _formatted_sql(catalog, shape.table, column, alias)
        if text is not None:
            notes.append(f"ifnull({text_sql(f',{_json(name + _FORMATTED)}:')} || {text}, '')")
    if column.is_lookup and wanted.navigation:
        text = _by_target(column, alias, catalog.navs_of(shape.table.name, column.name))
        notes.append(f"ifnull({text_sql(f',{_json(name + _NAVIGATION)}:')} || {text}, '')")
    if column.is_lookup and wanted.logical_name:
        notes.append(f"ifnull({text_sql(f',{_json(name + _LOGICAL_NAME)}:')} || {_target_sql(column, alias)}, '')")
    return notes


def _target_sql(column: Column, alias: str) -> str:
    if column.many_targets:
        return f"""'"' || {alias}.{quoted(target_column(column.name))} || '"'"""
    return text_sql(_json(column.targets[0]))


def _by_target(column: Column, alias: str, texts: dict[str, str]) -> str:
    if not column.many_targets:
        return text_sql(_json(texts[column.targets[0]]))
    return _case(
        f"{alias}.{quoted(target_column(column.name))}", {text_sql(k): text_sql(_json(v)) for k, v in texts.items()}
    )


def _case(value: str, results: dict[str, str]) -> str:
    if not results:
        return "NULL"
    return f"CASE {value} " + " ".join(f"WHEN {test} THEN {result}" for test, result in results.items()) + " END"


def _formatted_sql(catalog: Catalog, table: Table, column: Column, alias: str) -> str | None:
    """The JSON text of a formatted value; NULL where there is none; None when the type has none."""
    value = f"{alias}.{quoted(column.name)}"
    if column.is_lookup:
        return _name_sql(catalog, table, column, alias) if column.named else None
    if column.type in ("Picklist", "State", "Status", "Boolean"):
        labels = {str(option.value): text_sql(_json(option.label)) for option in column.options}
        return _case(value, labels)
    shown = formatted_sql(catalog, table, column, alias, value)
    return None if shown is None else f"json_quote({shown})"


def _name_sql(catalog: Catalog, table: Table, column: Column, alias: str) -> str:
    """The JSON text of the name of a lookup's target."""
    value = f"{alias}.{quoted(column.name)}"
    names = {target: _row_name_sql(catalog, target, value) for target in column.targets}
    if column.many_targets:
        name = _case(f"{alias}.{quoted(target_column(column.name))}", {text_sql(k): v for k, v in names.items()})
    else:
        name = names[column.targets[0]]
    if column.overridden:
        kept = (
            f"FROM names WHERE entity = {text_sql(table.name)} AND id = {alias}.{quoted(table.primary_id)} "
            f"AND column = {text_sql(column.name)}"
        )
        given = f"(SELECT json_quote(name) {kept} AND name IS NOT NULL)"
        name = f"CASE WHEN EXISTS (SELECT 1 {kept}) THEN {given} ELSE {name} END"
    return name


def _row_name_sql(catalog: Catalog, target: str, value: str) -> str:
    table = catalog.tables.get(target)
    if table is None or table.primary_name is None:
        return "NULL"
    name, key = quoted(table.primary_name), quoted(table.primary_id)
    # A name that is null gives no annotation, so it must stay NULL and not become the JSON word.
    present = (
        f"(SELECT json_quote(n.{name}) FROM {main_sql(target)} n WHERE n.{key} = {value} AND n.{name} IS NOT NULL)"  # noqa: S608 (quoted)
    )
    if not table.lost_names:
        return present
    lost = f"SELECT json_quote(name) FROM names WHERE entity = {text_sql(target)} AND id = {value} AND column = ''"  # noqa: S608 (quoted)
    return f"coalesce({present}, ({lost}))"


def _expansion_sql(catalog: Catalog, expansion: Expansion, annotations: Annotations) -> str:
    name = text_sql(f",{_json(expansion.nav)}:")
    rows = f"FROM {expansion.source} WHERE {expansion.where}"
    if expansion.reference:
        key = f"{expansion.alias}.{quoted(expansion.table.primary_id)}"
        start = text_sql(f'{{"@odata.id":{_json(expansion.reference)[:-1]}(')
        return f"{name} || ifnull((SELECT {start} || {key} || ')\"}}' {rows}), 'null')"
    row = row_sql(
        catalog,
        Shape(
            expansion.table,
            expansion.columns,
            annotations,
            expansions=expansion.inner,
            etag=expansion.etag,
            principal=True,
        ),
        expansion.alias,
    )
    if not expansion.many:
        return f"{name} || ifnull((SELECT {row} {rows}), 'null')"
    page = f"SELECT {row} AS r {rows} ORDER BY {expansion.order} LIMIT {expansion.limit}"
    link = text_sql(f",{_json(expansion.nav + '@odata.nextLink')}:")
    listed = f"ifnull((SELECT group_concat(r, ',') FROM ({page})), '')"  # noqa: S608 (quoted)
    return f"{name} || '[' || {listed} || ']' || {link} || {expansion.link}"


def default_columns(table: Table) -> tuple[Column, ...]:
    """The columns of a query without ``$select``: all but images, which must be named."""
    return tuple(column for column in table.columns.values() if column.stored and column.type != "Image")


def with_primary_id(table: Table, columns: Iterable[Column]) -> tuple[Column, ...]:
    """The columns with the primary id, which is always given."""
    listed = dict.fromkeys(columns)
    listed.setdefault(table.columns[table.primary_id])
    return tuple(listed)
