"""BulkDelete: rows found by queries are removed, by a job.

https://learn.microsoft.com/power-apps/developer/data-platform/webapi/reference/bulkdelete
https://learn.microsoft.com/power-apps/developer/data-platform/webapi/reference/queryexpression

The service runs the job later; here it has ended before the answer, so that nobody has to wait for it. As there, a row
that cannot be deleted does not keep the others [inferred: the job counts failures].
"""

import uuid
from collections.abc import Iterator
from contextlib import suppress

from confmig.emulator.catalog.model import Table
from confmig.emulator.errors import ServiceError, fetch_entity_missing, invalid_argument
from confmig.emulator.reading.fetchelements import check_limits
from confmig.emulator.reading.fetchlinks import Links
from confmig.emulator.reading.filters import Sql
from confmig.emulator.reading.queryexpressions import entity_element, objects
from confmig.emulator.reading.selecting import Select, Source, run
from confmig.emulator.storage.store import quoted
from confmig.emulator.wire.operations import Call, Operations
from confmig.emulator.wire.wire import Reply
from confmig.emulator.writing.payload import Body
from confmig.emulator.writing.writing import Writer


def add_actions(operations: Operations) -> None:
    """Make the action callable."""
    operations.actions({"BulkDelete": bulk_delete})


def bulk_delete(call: Call) -> Reply:
    """Remove the rows that the queries of ``QuerySet`` find.

    Raises:
        ServiceError: A parameter or a privilege is missing, or a query cannot be understood; then nothing is removed.
    """
    writer, body = call.writer, call.parameters
    writer.context.require_privilege("prvBulkDelete")
    if not isinstance(body.get("JobName"), str):
        raise invalid_argument("The parameter JobName is required.")
    queries = objects(body, "QuerySet")
    if not queries:
        raise invalid_argument("The parameter QuerySet is required and must not be empty.")
    found = {(table.name, row_id): table for query in queries for table, row_id in _found(writer, query)}
    for table in {table.name: table for table in found.values()}.values():
        writer.context.require("Delete", table)
    for (_, row_id), table in found.items():
        with suppress(ServiceError):
            writer.delete(table, row_id)
    return call.answer({"JobId": str(uuid.uuid4())})


def _found(writer: Writer, query: Body) -> Iterator[tuple[Table, str]]:
    store = writer.context.store
    name = query.get("EntityName")
    table = store.catalog.tables.get(name) if isinstance(name, str) else None
    if table is None:
        raise fetch_entity_missing(str(name))
    entity = entity_element(query)
    check_limits(entity)
    sql = Sql(store.catalog)
    root = Source(table, "t", "")
    block = Links(writer.context, sql).read(entity, root)
    select = Select(sql, root, block.joins, block.where)
    statement = f"SELECT DISTINCT t.{quoted(table.primary_id)} {select.source_sql()}"
    for (row_id,) in run(store, statement, sql.parameters):
        yield table, str(row_id)
