"""The query functions of Dataverse: ``Microsoft.Dynamics.CRM.In``, ``LastXDays``, ``EqualUserId``, ``Under`` and so on.

https://learn.microsoft.com/power-apps/developer/data-platform/webapi/reference/queryfunctions
"""

from collections.abc import Sequence

from confmig.emulator.catalog.model import Column, Table
from confmig.emulator.context import Context
from confmig.emulator.errors import ServiceError, bad_query, invalid_argument
from confmig.emulator.reading import odata
from confmig.emulator.reading.comparing import between_sql
from confmig.emulator.reading.datewindows import DATE_OPERATORS, date_sql
from confmig.emulator.reading.fetchusers import user_sql
from confmig.emulator.reading.filters import Sql, comparable, membership_sql
from confmig.emulator.reading.hierarchies import hierarchy_sql

_LISTS = frozenset({"In", "NotIn", "ContainValues", "DoesNotContainValues"})
_USERS = {
    "EqualUserId": "eq-userid",
    "NotEqualUserId": "ne-userid",
    "EqualBusinessId": "eq-businessid",
    "NotEqualBusinessId": "ne-businessid",
    # The business unit of a role is the one of the users who have it [inferred].
    "EqualRoleBusinessId": "eq-businessid",
    "EqualUserTeams": "eq-userteams",
    "EqualUserOrUserTeams": "eq-useroruserteams",
    "EqualUserOrUserHierarchy": "eq-useroruserhierarchy",
    "EqualUserOrUserHierarchyAndTeams": "eq-useroruserhierarchyandteams",
    "EqualUserLanguage": "eq-userlanguage",
}
_HIERARCHIES = {
    "Above": "above",
    "AboveOrEqual": "eq-or-above",
    "Under": "under",
    "UnderOrEqual": "eq-or-under",
    "NotUnder": "not-under",
}
Values = Sequence[odata.Value]


def function_sql(
    sql: Sql, context: Context, table: Table, column: Column, name: str, function: str, values: Values
) -> str:
    """The condition of a query function.

    Args:
        sql: Where parameters go.
        context: Who asks, and when.
        table: The table of the column.
        column: The column that ``PropertyName`` names.
        name: Its SQL.
        function: The function, without its namespace.
        values: Its other parameters.

    Raises:
        ServiceError: The function is unknown, or its values do not go with it or with the column.
    """
    if function in DATE_OPERATORS:
        return date_sql(sql.add, column, name, function, [_text(value) for value in values], context.moment)
    if function in _LISTS:
        return membership_sql(sql, column, name, function, [comparable(column, value) for value in values])
    if function in ("Between", "NotBetween"):
        low, high = (comparable(column, value) for value in _exactly(2, function, values))
        found = between_sql(sql, column, name, low, high)
        return found if function == "Between" else f"NOT {found}"
    if function in _USERS:
        _exactly(0, function, values)
        return user_sql(sql, context, name, _USERS[function])
    if function in _HIERARCHIES:
        (value,) = _exactly(1, function, values)
        row_id = comparable(_id_column(column), value)
        return hierarchy_sql(sql, table, name, column, _HIERARCHIES[function], str(row_id))
    if function == "Contains":
        # "Only the Dynamics 365 KBArticle (article) table has columns that have full-text indexing" (filter-rows).
        raise ServiceError(400, "0x80044150", "Generic SQL error. The column has no full-text index.")
    raise bad_query(f"An unknown function with name '{odata.PREFIX}{function}' was found.")


def _exactly(number: int, function: str, values: Values) -> Values:
    if len(values) != number or None in values:
        raise invalid_argument(f"The condition operator '{function}' has the wrong number of values.")
    return values


def _text(value: odata.Value) -> str:
    return value.text if isinstance(value, odata.Date | odata.Guid) else str(value)


def _id_column(column: Column) -> Column:
    """A column for ids by the name of one that hierarchies are asked about."""
    return Column(name=column.name, type="Uniqueidentifier")
