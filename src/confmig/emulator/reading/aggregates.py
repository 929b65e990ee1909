"""``$apply``: rows counted and added up, in all or in groups.

https://learn.microsoft.com/power-apps/developer/data-platform/webapi/query/aggregate-data
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from confmig.emulator.catalog.model import Column, Table
from confmig.emulator.context import Context
from confmig.emulator.errors import ServiceError, bad_query
from confmig.emulator.reading.filtering import Field, Filters, field_of
from confmig.emulator.reading.formattedsql import formatted_sql
from confmig.emulator.reading.members import aggregate_value, column_members, member, value_member
from confmig.emulator.reading.odata import parse_filter
from confmig.emulator.reading.ordering import plain_sql
from confmig.emulator.reading.reading import Parent, aliases_of, select_of, whole_number
from confmig.emulator.reading.rendering import concatenated, object_sql, value_sql
from confmig.emulator.reading.selecting import Select, count_rows, run
from confmig.emulator.wire.urls import split_outside
from confmig.emulator.wire.wire import Annotations, Reply, Request, raw_json_reply

_MOST = 50_000
_LARGEST_PAGE = 5000
_CALL = re.compile(r"(\w+)\s*\((.*)\)", re.DOTALL)
_COUNT = re.compile(r"\$count\s+as\s+([A-Za-z_]\w*)")
_VALUE = re.compile(r"([\w/]+)\s+with\s+(\w+)\s+as\s+([A-Za-z_]\w*)")
_FUNCTIONS = {"sum": "sum", "average": "avg", "min": "min", "max": "max", "countdistinct": "countcolumn"}
_OPTIONS = frozenset({"$apply", "$filter", "$orderby", "$top", "$count"})


@dataclass(frozen=True)
class Aggregate:
    """A value of many rows: a function of a property, or the number of the rows when there is none."""

    alias: str
    function: str = "count"
    path: str | None = None


@dataclass(frozen=True)
class Apply:
    """What an ``$apply`` asks for.

    Attributes:
        filters: Conditions that rows must meet first.
        groups: The properties by which rows are grouped.
        aggregates: The values of each group, or of all rows.
    """

    filters: tuple[str, ...]
    groups: tuple[str, ...]
    aggregates: tuple[Aggregate, ...]


def parse_apply(text: str) -> Apply:
    """Read ``filter(...)/groupby((...),aggregate(...))`` or ``aggregate(...)``.

    Raises:
        ServiceError: It is something else, which the service does not support.
    """
    filters: list[str] = []
    *before, last = [part.strip() for part in split_outside(text, "/")]
    for part in before:
        name, inside = _call(part, text)
        if name != "filter":
            raise _unsupported(text)
        filters.append(inside)
    name, inside = _call(last, text)
    if name == "aggregate":
        return Apply(tuple(filters), (), _aggregates(inside, text))
    pieces = [piece.strip() for piece in split_outside(inside, ",")]
    if name != "groupby" or len(pieces) > 2 or not (pieces[0].startswith("(") and pieces[0].endswith(")")):
        raise _unsupported(text)
    groups = tuple(group.strip() for group in pieces[0][1:-1].split(","))
    if len(pieces) == 1:
        return Apply(tuple(filters), groups, ())
    name, inside = _call(pieces[1], text)
    if name != "aggregate":
        raise _unsupported(text)
    return Apply(tuple(filters), groups, _aggregates(inside, text))


def _call(part: str, text: str) -> tuple[str, str]:
    match = _CALL.fullmatch(part)
    if match is None:
        raise _unsupported(text)
    return match.group(1), match.group(2).strip()


def _aggregates(inside: str, text: str) -> tuple[Aggregate, ...]:
    found = []
    for part in (piece.strip() for piece in split_outside(inside, ",")):
        count, value = _COUNT.fullmatch(part), _VALUE.fullmatch(part)
        if count is not None:
            found.append(Aggregate(count.group(1)))
        elif value is not None and value.group(2) in _FUNCTIONS:
            found.append(Aggregate(value.group(3), value.group(2), value.group(1)))
        else:
            raise _unsupported(text)
    return tuple(found)


def _unsupported(text: str) -> ServiceError:
    return bad_query(f"The $apply '{text}' is not supported.")


def read_aggregate(context: Context, table: Table, request: Request, parent: Parent | None = None) -> Reply:
    """The groups and values that ``$apply`` asks for, of all rows or of those below a row.

    Raises:
        ServiceError: It asks for something that the service does not support, or of more than 50,000 rows.
    """
    options, store = request.options(), context.store
    for name in options:
        if name.startswith("$") and name not in _OPTIONS:
            raise bad_query(f"The query parameter {name} is not supported with $apply.")
    apply = parse_apply(options["$apply"])
    names = [*apply.groups, *(one.alias for one in apply.aggregates)]
    if len(set(names)) < len(names):
        raise bad_query(f"The $apply '{options['$apply']}' gives two values the same name.")
    aliases = aliases_of(options)
    select = select_of(context, table, {**aliases, "$filter": options.get("$filter", "")}, parent)
    filters = Filters(context, select.sql)
    select.where += [filters.condition(table, "t", parse_filter(text, aliases)) for text in apply.filters]
    if count_rows(store, select, _MOST) > _MOST:
        raise ServiceError(400, "0x8004E023", "The maximum record limit is exceeded. Reduce the number of records.")
    annotations = request.preferences().annotations
    groups = {path: _group_field(select, path) for path in apply.groups}
    members = [text for path, one in groups.items() for text in _group_members(select, path, one, annotations)]
    members += [text for one in apply.aggregates for text in _aggregate_members(select, one, annotations)]
    by = ", ".join(plain_sql(one.column, one.value) for one in groups.values())
    top = whole_number(options, "$top")
    statement = (
        f"SELECT {object_sql(members)} {select.source_sql()}{f' GROUP BY {by}' if by else ''}"
        f"{_order(groups, options)} LIMIT {_LARGEST_PAGE if top is None else min(top, _LARGEST_PAGE)}"
    )
    rows = run(store, statement, select.sql.parameters)
    shown = msgspec.json.encode(f"{request.base}$metadata#{table.entity_set}").decode()
    listed = ",".join(str(row[0]) for row in rows)
    return raw_json_reply(f'{{"@odata.context":{shown},"value":[{listed}]}}', applied=request.preferences().applied)


def _group_field(select: Select, path: str) -> Field:
    one = field_of(select.sql, select.root.table, "t", path)
    if one.column.type == "DateTime":
        # "groupby with datetime values is not supported" (aggregate-data).
        raise bad_query(f"Grouping by '{path}', which is a date, is not supported.")
    return one


def _group_members(select: Select, path: str, one: Field, annotations: Annotations) -> list[str]:
    """The property of a group; as in FetchXML, which the service makes of it, it is left out where it is null."""
    if "/" not in path:
        return column_members(select.sql.catalog, select.root, one.column, annotations)
    # primarycontactid/fullname comes as contact_fullname.
    text = f"{member(f'{one.table.name}_{one.column.name}')} || {value_sql(one.column, one.value)}"
    return [f"CASE WHEN {one.value} IS NULL THEN '' ELSE {text} END"]


def _aggregate_members(select: Select, aggregate: Aggregate, annotations: Annotations) -> list[str]:
    if aggregate.path is None:
        return [value_member(aggregate.alias, "count(*)", annotations)]
    one = field_of(select.sql, select.root.table, "t", aggregate.path)
    function = _FUNCTIONS[aggregate.function]
    value = aggregate_value(function, one.column, one.value, distinct=function == "countcolumn")
    if function == "countcolumn":
        return [value_member(aggregate.alias, value, annotations)]
    parts = [f"{member(aggregate.alias)} || {value_sql(one.column, value)}"]
    shown = _shown(select, one, value) if annotations.formatted else None
    if shown is not None:
        name = f"{aggregate.alias}@OData.Community.Display.V1.FormattedValue"
        parts.insert(0, f"{member(name)} || json_quote({shown})")
    return [f"CASE WHEN {value} IS NULL THEN '' ELSE {concatenated(parts)} END"]


def _shown(select: Select, one: Field, value: str) -> str | None:
    """The formatted value; an amount of many rows is one in the currency of the organization."""
    column: Column = one.column
    if column.type == "Money" and not column.name.endswith("_base"):
        column = msgspec.structs.replace(column, name=f"{column.name}_base")
    return formatted_sql(select.sql.catalog, one.table, column, "t", value)


def _order(groups: Mapping[str, Field], options: Mapping[str, str]) -> str:
    parts = []
    for part in options.get("$orderby", "").split(","):
        path, _, direction = part.strip().partition(" ")
        if not path:
            continue
        if path not in groups:
            raise bad_query("The query node SingleValueOpenPropertyAccess is not supported")
        if direction.strip() not in ("", "asc", "desc"):
            raise bad_query(f"Syntax error in '{options['$orderby']}': an order is asc or desc.")
        one = groups[path]
        parts.append(f"{plain_sql(one.column, one.value)}{' DESC' if direction.strip() == 'desc' else ''}")
    parts = parts or [plain_sql(one.column, one.value) for one in groups.values()]
    return f" ORDER BY {', '.join(parts)}" if parts else ""
