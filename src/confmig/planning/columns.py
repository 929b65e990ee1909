"""Which columns are compared and written, and which never are unless named."""

from collections.abc import Set

from confmig.model.environment import ColumnInfo, TableInfo
from confmig.model.schema import Table
from confmig.model.values import PARTY_ROLES, ColumnType

_BOOKKEEPING = {
    # What the service keeps for itself, even where it would let us write.
    "createdby",
    "createdon",
    "createdonbehalfby",
    "exchangerate",
    "importsequencenumber",
    "modifiedby",
    "modifiedon",
    "modifiedonbehalfby",
    "organizationid",
    "overriddencreatedon",
    "owningbusinessunit",
    "owningteam",
    "owninguser",
    "processid",
    "stageid",
    "timezoneruleversionnumber",
    "traversedpath",
    "utcconversiontimezonecode",
    "versionnumber",
    # Of tables whose rows are solution components.
    "componentidunique",
    "componentstate",
    "ismanaged",
    "overwritetime",
    "solutionid",
    "supportingsolutionid",
}

_OWN = {("transactioncurrency", "exchangerate")}
"""Bookkeeping elsewhere, but of this table a column like any other."""

STATE_COLUMNS = ("statecode", "statuscode")


def is_moved(table: TableInfo, column: ColumnInfo) -> bool:
    """Whether a column's value is compared with the target's and, where it differs, written."""
    return (
        not _goes_another_way(table, column)
        and not why_not_moved(column)
        and not is_image_companion(table, column)
        and not _is_base_amount(table, column)
    )


def _goes_another_way(table: TableInfo, column: ColumnInfo) -> bool:
    """Whether nobody expects a column here: it is bookkeeping, the id, or a state, which has a phase of its own."""
    kept = column.name in _BOOKKEEPING and (table.name, column.name) not in _OWN
    return kept or column.name in STATE_COLUMNS or column.name == table.primary_id


def why_not_moved(column: ColumnInfo) -> str:
    """Why a column that one might expect to be moved is not; empty when it is."""
    match column.type:
        case ColumnType.FILE:
            # Its file is uploaded by messages of its own, whatever the column says about writing [inferred].
            return ""
        case ColumnType.UNKNOWN:
            return "columns of its type cannot be moved"
        case ColumnType.PARTIES if column.name not in PARTY_ROLES:
            # An activity's parties are one collection: without their role, ours cannot be told from the others.
            return "nobody can tell in which role its parties take part"
        case _ if not (column.creatable or column.updatable):
            return "the service lets nobody write it"
        case _:
            return ""


def left_out(table: TableInfo, column: ColumnInfo) -> str:
    """Why a declared column is left out, when that is worth a word."""
    return "" if _goes_another_way(table, column) else why_not_moved(column)


def moved_columns(declared: Table, info: TableInfo, ignore: Set[tuple[str, str]]) -> frozenset[str]:
    """The columns of a table whose values are brought to the target."""
    return frozenset(
        column.name
        for column in declared.columns
        if (known := info.columns.get(column.name)) is not None
        and column.type is not ColumnType.UNKNOWN
        and (info.name, column.name) not in ignore
        and is_moved(info, known)
    )


def _is_base_amount(table: TableInfo, column: ColumnInfo) -> bool:
    """Whether a column holds the amount of the money column beside it in the organization's own currency."""
    amount = table.columns.get(column.name.removesuffix("_base"))
    return column.name.endswith("_base") and amount is not None and amount.type is ColumnType.MONEY


def is_image_companion(table: TableInfo, column: ColumnInfo) -> bool:
    """Whether a column only tells of an image: its id, its time, its address."""
    for suffix in ("id", "_timestamp", "_url"):
        image = table.columns.get(column.name.removesuffix(suffix)) if column.name.endswith(suffix) else None
        if image is not None and image.type is ColumnType.IMAGE:
            return True
    return column.name == "entityimageid"
