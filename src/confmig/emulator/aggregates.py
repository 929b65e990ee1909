"""``$apply``: rows counted, in all or in groups.

https://learn.microsoft.com/power-apps/developer/data-platform/webapi/query/aggregate-data
"""

import re

from confmig.emulator.context import Context
from confmig.emulator.errors import ServiceError, bad_query, property_missing
from confmig.emulator.model import Table
from confmig.emulator.reading import aliases_of, select_of
from confmig.emulator.rendering import value_sql
from confmig.emulator.store import quoted, text_sql
from confmig.emulator.wire import Reply, Request, raw_json_reply

_COUNT = r"aggregate\(\s*\$count as ([A-Za-z_]\w*)\s*\)"
_ALL = re.compile(_COUNT)
_GROUPS = re.compile(r"groupby\(\s*\(([^)]*)\)\s*,\s*" + _COUNT + r"\s*\)")
_MOST = 50_000


def read_aggregate(context: Context, table: Table, request: Request) -> Reply:
    """The counts that ``$apply`` asks for: ``aggregate($count as n)``, alone or within ``groupby``.

    Raises:
        ServiceError: It asks for something else, or there are more than 50,000 rows.
    """
    store, options = context.store, request.options()
    text = options["$apply"].strip()
    whole, grouped = _ALL.fullmatch(text), _GROUPS.fullmatch(text)
    if whole is None and grouped is None:
        raise bad_query(f"The $apply '{text}' is not supported.")
    name = whole.group(1) if whole is not None else grouped.group(2) if grouped is not None else ""
    names = [part.strip() for part in grouped.group(1).split(",")] if grouped is not None else []
    wire = store.catalog.wire_columns(table.name)
    for one in names:
        if one not in wire:
            raise property_missing(one, table.name)
    select = select_of(context, table, {**aliases_of(options), "$filter": options.get("$filter", "")}, None)
    sql, source = select.sql, select.source_sql()
    if store.query(f"SELECT count(*) {source}", sql.parameters).fetchone()[0] > _MOST:
        raise ServiceError(400, "0x8004E023", "The maximum record limit is exceeded. Reduce the number of records.")
    columns = [f"t.{quoted(wire[one].name)}" for one in names]
    members = [_member(one) + value_sql(wire[one], column) for one, column in zip(names, columns, strict=True)]
    parts = " || ".join([*members, _member(name) + "count(*)"])
    group = f" GROUP BY {', '.join(columns)}" if columns else ""
    rows = store.query(f"SELECT '{{' || substr({parts}, 2) || '}}' {source}{group}", sql.parameters).fetchall()
    return raw_json_reply('{"value":[' + ",".join(str(row[0]) for row in rows) + "]}")


def _member(name: str) -> str:
    """The SQL text that begins a member of a JSON object."""
    start = f',"{name}":'
    return f"{text_sql(start)} || "
