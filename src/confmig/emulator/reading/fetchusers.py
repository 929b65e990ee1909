"""Conditions that name the caller: the user, the business unit, the teams, the users who report to the user."""

from confmig.emulator.context import Context
from confmig.emulator.reading.filters import Sql
from confmig.emulator.reading.hierarchies import reports_sql
from confmig.emulator.storage.store import quoted, table_sql

_LANGUAGE = 1033
"""The language of every user, as long as users have no settings."""
OPERATORS = frozenset(
    {
        "eq-userid",
        "ne-userid",
        "eq-businessid",
        "ne-businessid",
        "eq-userteams",
        "eq-useroruserteams",
        "eq-useroruserhierarchy",
        "eq-useroruserhierarchyandteams",
        "eq-userlanguage",
    }
)


def user_sql(sql: Sql, context: Context, field: str, operator: str) -> str:
    """The condition that a column names the caller, or somebody or something of the caller's.

    Args:
        sql: Where parameters go.
        context: Who calls.
        field: The SQL name of the column.
        operator: One of ``OPERATORS``.
    """
    if operator == "eq-userlanguage":
        return f"{field} = {_LANGUAGE}"
    if operator.endswith("-businessid"):
        return _is(sql, field, _business_unit(context), negated=operator.startswith("ne"))
    if operator.endswith("-userid"):
        return _is(sql, field, context.caller_id, negated=operator.startswith("ne"))
    tests = [] if operator == "eq-userteams" else [f"{field} = {sql.add(context.caller_id)}"]
    hierarchy = "hierarchy" in operator
    reports = reports_sql(sql, context.caller_id) if hierarchy else None
    if reports is not None:
        tests.append(f"{field} IN ({reports})")
    if operator.endswith("teams"):
        tests.append(_teams_sql(sql, context.caller_id, field, hierarchy=hierarchy))
    return f"({' OR '.join(tests)})"


def _is(sql: Sql, field: str, value: str, *, negated: bool) -> str:
    mark = sql.add(value)
    return f"({field} <> {mark} OR {field} IS NULL)" if negated else f"{field} = {mark}"


def _business_unit(context: Context) -> str:
    users = context.store.catalog.tables["systemuser"]
    if "businessunitid" in users.columns:
        row = context.store.read(users, context.caller_id, ["businessunitid"]) or {}
        if row.get("businessunitid"):
            return str(row["businessunitid"])
    return context.store.business_unit_id


def _teams_sql(sql: Sql, user_id: str, field: str, *, hierarchy: bool) -> str:
    """The condition that a column names a team of the user, or of somebody who reports to the user."""
    for relationship in sql.catalog.many_to_many:
        if {relationship.table1, relationship.table2} == {"systemuser", "team"}:
            user, team = relationship.column1, relationship.column2
            if relationship.table1 == "team":
                user, team = team, user
            rows = table_sql(relationship.intersect)
            members = f"m.{quoted(user)} = {sql.add(user_id)}"
            reports = reports_sql(sql, user_id) if hierarchy else None
            if reports is not None:
                members = f"({members} OR m.{quoted(user)} IN ({reports}))"
            return f"{field} IN (SELECT m.{quoted(team)} FROM {rows} m WHERE {members})"  # noqa: S608 (quoted)
    return "0"
