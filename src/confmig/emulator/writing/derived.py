"""Columns whose values the service makes of others: full names, kinds of activities, what notes are about, customers.

All of them are read-only: what clients send for them is ignored. A column that a definition lets clients write is left
to them.
"""

from collections.abc import Callable
from dataclasses import dataclass

from confmig.emulator.catalog.model import Table
from confmig.emulator.storage.store import Store, Value, target_column


@dataclass(frozen=True)
class Rule:
    """How one column is made.

    Attributes:
        column: The column.
        sources: The columns that it is made of.
        make: Makes it of its table and the values of the sources.
    """

    column: str
    sources: tuple[str, ...]
    make: Callable[[Table, tuple[Value, ...]], Value]

    def fits(self, table: Table) -> bool:
        """Whether a table has the column, read-only, and all its sources."""
        column = table.columns.get(self.column)
        if column is None or column.can_create or column.can_update:
            return False
        return all(_is_there(table, source) for source in self.sources)


def _is_there(table: Table, source: str) -> bool:
    column = table.columns.get(source.split(".")[0])
    return column is not None and (source == column.name or column.many_targets)


def _full_name(_: Table, values: tuple[Value, ...]) -> Value:
    """First name, then last name: the format that an organization has unless it is told otherwise.

    https://learn.microsoft.com/power-apps/developer/data-platform/reference/entities/organization: its
    FullNameConventionCode names the others.
    """
    return " ".join(str(part) for part in values if part) or None


def _size(_: Table, values: tuple[Value, ...]) -> Value:
    """The number of bytes that a base64 text stands for."""
    text = values[0]
    return len(text) * 3 // 4 - text[-2:].count("=") if isinstance(text, str) else None


def _customer(column: str, source: str, target: str) -> Rule:
    """The customer of a row when it is of one table, an account or a contact."""
    return Rule(column, (source, target_column(source)), lambda _, values: values[0] if values[1] == target else None)


_RULES = (
    # https://learn.microsoft.com/power-apps/developer/data-platform/reference/entities/contact: FullName
    Rule("fullname", ("firstname", "lastname"), _full_name),
    # …/activitypointer: ActivityTypeCode
    Rule("activitytypecode", (), lambda table, _: table.name),
    # …/annotation: ObjectTypeCode, FileSize
    Rule("objecttypecode", (target_column("objectid"),), lambda _, values: values[0]),
    Rule("filesize", ("documentbody",), _size),
    # …/contact: AccountId, ParentContactId
    _customer("accountid", "parentcustomerid", "account"),
    _customer("parentcontactid", "parentcustomerid", "contact"),
    # …/lead, …/opportunity: AccountId, ContactId
    _customer("accountid", "customerid", "account"),
    _customer("contactid", "customerid", "contact"),
)


def derived_columns(table: Table) -> tuple[Rule, ...]:
    """The rules of the columns of a table that are made of others."""
    return tuple(rule for rule in _RULES if rule.fits(table))


def derive(store: Store, table: Table, rules: tuple[Rule, ...], values: dict[str, Value], row_id: str | None) -> None:
    """Make columns of others.

    Args:
        store: Where the other values of the row are.
        table: The table.
        rules: The columns, as ``derived_columns`` gives them.
        values: What is written; it is completed.
        row_id: The row that is changed; None for a new one.
    """
    for rule in rules:
        missing = [source for source in rule.sources if source not in values]
        if row_id is None:
            present: dict[str, Value] = {}
        elif len(missing) < len(rule.sources):
            present = (store.read(table, row_id, missing) or {}) if missing else {}
        else:
            continue
        values[rule.column] = rule.make(table, tuple(values.get(one, present.get(one)) for one in rule.sources))
