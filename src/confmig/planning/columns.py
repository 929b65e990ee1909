"""Which columns are compared and written, and which never are unless named."""

from confmig.model.environment import ColumnInfo, TableInfo
from confmig.model.values import ColumnType

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

STATE_COLUMNS = ("statecode", "statuscode")
_NEVER_TYPES = {ColumnType.BIGINT, ColumnType.UNKNOWN, ColumnType.FILE}


def is_moved(table: TableInfo, column: ColumnInfo) -> bool:
    """Whether a column's value is compared with the target's and, where it differs, written."""
    return (
        column.name not in _BOOKKEEPING
        and column.name not in STATE_COLUMNS
        and column.name != table.primary_id
        and column.type not in _NEVER_TYPES
        and (column.creatable or column.updatable)
        and not is_image_companion(table, column)
        and not _is_base_amount(table, column)
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
