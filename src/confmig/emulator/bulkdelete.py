"""BulkDelete: rows found by queries are removed, by a job.

https://learn.microsoft.com/power-apps/developer/data-platform/webapi/reference/bulkdelete
https://learn.microsoft.com/power-apps/developer/data-platform/webapi/reference/queryexpression

The service runs the job later; here it has ended before the answer, so that nobody has to wait for it. As there, a row
that cannot be deleted does not keep the others [inferred: the job counts failures].
"""

import uuid
from collections.abc import Iterator
from contextlib import suppress

from lxml import etree

from confmig.emulator.errors import ServiceError, bad_request, fetch_entity_missing, invalid_argument
from confmig.emulator.fetchconditions import Conditions
from confmig.emulator.filters import Sql
from confmig.emulator.model import Table
from confmig.emulator.operations import Call, Operations
from confmig.emulator.payload import Body
from confmig.emulator.store import quoted, table_sql
from confmig.emulator.wire import Reply
from confmig.emulator.writing import Writer

_OPERATORS = {
    "Equal": "eq",
    "NotEqual": "ne",
    "GreaterThan": "gt",
    "GreaterEqual": "ge",
    "LessThan": "lt",
    "LessEqual": "le",
    "Like": "like",
    "NotLike": "not-like",
    "In": "in",
    "NotIn": "not-in",
    "Between": "between",
    "NotBetween": "not-between",
    "Null": "null",
    "NotNull": "not-null",
    "BeginsWith": "begins-with",
    "DoesNotBeginWith": "not-begin-with",
    "EndsWith": "ends-with",
    "DoesNotEndWith": "not-end-with",
    "On": "on",
    "NotOn": "not-on",
    "OnOrAfter": "on-or-after",
    "OnOrBefore": "on-or-before",
    "EqualUserId": "eq-userid",
    "NotEqualUserId": "ne-userid",
    "ContainValues": "contain-values",
    "DoesNotContainValues": "not-contain-values",
}
"""ConditionOperator, as FetchXML writes it."""


def add_actions(operations: Operations) -> None:
    """Make the action callable."""
    operations.actions({"BulkDelete": bulk_delete})


def bulk_delete(call: Call) -> Reply:
    """Remove the rows that the queries of ``QuerySet`` find.

    Raises:
        ServiceError: A parameter is missing, or a query cannot be understood; then nothing is removed.
    """
    writer, body = call.writer, call.parameters
    if not isinstance(body.get("JobName"), str):
        raise invalid_argument("The parameter JobName is required.")
    queries = _objects(body, "QuerySet")
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
    sql = Sql(store.catalog)
    criteria = query.get("Criteria") or {}
    if not isinstance(criteria, dict):
        raise bad_request("The Criteria of a query are no object.")
    try:
        element = _filter(criteria)
    except ValueError as error:  # a character that XML cannot hold
        raise bad_request(f"The Criteria of a query cannot be read: {error}") from error
    condition = Conditions(sql, writer.context.caller_id, {}).group(element, table, "t")
    statement = f"SELECT {quoted(table.primary_id)} FROM {table_sql(table.name)} t WHERE {condition}"  # noqa: S608 (quoted)
    for (row_id,) in store.query(statement, sql.parameters).fetchall():
        yield table, row_id


def _filter(criteria: Body) -> etree._Element:
    """A FilterExpression as the ``<filter>`` of FetchXML."""
    element = etree.Element("filter", type=str(criteria.get("FilterOperator") or "And").lower())
    for condition in _objects(criteria, "Conditions"):
        operator = str(condition.get("Operator"))
        if operator not in _OPERATORS:
            raise bad_request(f"The condition operator '{operator}' is not supported.")
        name = str(condition.get("AttributeName"))
        child = etree.SubElement(element, "condition", attribute=name, operator=_OPERATORS[operator])
        values = [_text(value) for value in _list(condition, "Values")]
        if operator in {"In", "NotIn", "Between", "NotBetween", "ContainValues", "DoesNotContainValues"}:
            for value in values:
                etree.SubElement(child, "value").text = value
        elif values:
            child.set("value", values[0])
    for inner in _objects(criteria, "Filters"):
        element.append(_filter(inner))
    return element


def _text(value: object) -> str:
    """A value of a condition, which an object with its type is around."""
    inner = value.get("Value") if isinstance(value, dict) else value
    if isinstance(inner, bool):
        return str(inner).lower()
    if not isinstance(inner, str | int | float):
        raise bad_request("A value of a condition is neither a text nor a number.")
    return str(inner)


def _list(body: Body, name: str) -> list[object]:
    members = body.get(name) or []
    if not isinstance(members, list):
        raise bad_request(f"'{name}' is no list.")
    return members


def _objects(body: Body, name: str) -> list[Body]:
    members = _list(body, name)
    if not all(isinstance(member, dict) for member in members):
        raise bad_request(f"'{name}' is not a list of objects.")
    return [member for member in members if isinstance(member, dict)]
