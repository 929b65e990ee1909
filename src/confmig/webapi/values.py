"""Values on the wire: JSON properties to values, and values to what a write sends."""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from confmig.errors import ServiceError
from confmig.model.environment import ColumnInfo
from confmig.model.records import Record
from confmig.model.values import PARTY_ROLES, Choices, ColumnType, FileRef, Lookup, Parties, Party, Value
from confmig.webapi.metadata import WireTable
from confmig.webapi.replies import Json

LOOKUP_TABLE = "Microsoft.Dynamics.CRM.lookuplogicalname"
FORMATTED = "OData.Community.Display.V1.FormattedValue"

_LOOKUPS = {ColumnType.LOOKUP, ColumnType.OWNER}
_PARTY_COLUMNS = (
    # The order in which CMT writes them.
    "partyid",
    "activityid",
    "ownerid",
    "participationtypemask",
    "instancetypecode",
    "donotemail",
    "donotfax",
    "donotpostalmail",
    "donotphone",
    "ispartydeleted",
    "addressused",
    "activitypartyid",
)


EntitySets = Callable[[str], str]
"""Table to entity set, for all tables that lookups may point to."""


def parties_navigation(table: str) -> str:
    """The collection of an activity's parties."""
    return f"{table}_activity_parties"


def property_name(column: ColumnInfo) -> str:
    """The property under which a column is read: a lookup as ``_name_value``."""
    return f"_{column.name}_value" if column.type in _LOOKUPS else column.name


def parse_row(row: Json, table: WireTable, columns: Iterable[ColumnInfo]) -> Record:
    """A row of a query as a record with these columns.

    Raises:
        ServiceError: The row lacks its id.
    """
    info = table.info
    row_id = row.get(info.primary_id)
    if not isinstance(row_id, str):
        raise ServiceError(f"A row of {info.name} came back without its id, {info.primary_id}.")
    values = {column.name: _parse(row, column, info.name) for column in columns}
    return Record(info.name, row_id.lower(), values, version=row.get("@odata.etag"))


def _parse(row: Json, column: ColumnInfo, table: str) -> Value:
    kind = column.type
    if kind is ColumnType.PARTIES:
        parties = row.get(parties_navigation(table))
        if not isinstance(parties, list):
            raise ServiceError(f"A row of {table} came back without its parties, {parties_navigation(table)}.")
        return _parse_parties(parties, PARTY_ROLES.get(column.name))
    name = property_name(column)
    raw = row.get(name)
    if raw is None:
        return None
    if kind in _LOOKUPS:
        target = row.get(f"{name}@{LOOKUP_TABLE}") or (column.targets[0] if len(column.targets) == 1 else None)
        return _lookup(f"{table}.{column.name}", raw, target, row.get(f"{name}@{FORMATTED}"))
    if kind is ColumnType.FILE:
        return FileRef(str(raw).lower(), row.get(f"{column.name}_name"))
    return parse_plain(kind, raw, column)


def _lookup(where: str, row_id: object, table: str | None, name: str | None) -> Lookup:
    if not table:
        raise ServiceError(f"{where} came back without the table that it points to, row {row_id}.")
    return Lookup(table, str(row_id).lower(), name)


def parse_plain(kind: ColumnType, raw: Any, column: ColumnInfo) -> Value:
    """A JSON scalar as the value of its column's type.

    Raises:
        ServiceError: It is not of that type.
    """
    try:
        match kind:
            case ColumnType.DATETIME:
                return _parse_moment(str(raw), column)
            case ColumnType.DECIMAL | ColumnType.MONEY:
                return raw if isinstance(raw, Decimal) else Decimal(str(raw))
            case ColumnType.FLOAT:
                return float(raw)
            case ColumnType.CHOICES:
                return Choices(tuple(int(part) for part in str(raw).split(",") if part))
            case ColumnType.GUID:
                return str(raw).lower()
            case ColumnType.BOOL if isinstance(raw, bool):
                return raw
            case ColumnType.STRING | ColumnType.IMAGE | ColumnType.UNKNOWN:
                return str(raw)
            case _ if isinstance(raw, int) and not isinstance(raw, bool) and kind is not ColumnType.BOOL:
                return raw
            case _:
                raise ValueError(raw)
    except (ValueError, TypeError, ArithmeticError):
        raise ServiceError(f"Column {column.name} came back with {str(raw)[:60]!r}, which is no {kind}.") from None


def _parse_moment(text: str, column: ColumnInfo) -> datetime:
    moment = datetime.fromisoformat(text)
    if column.zoned and not column.date_only:
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    return moment.replace(tzinfo=None)


def _parse_parties(rows: Iterable[Json], role: int | None) -> Parties:
    return Parties(tuple(_parse_party(row) for row in rows if role is None or row.get("participationtypemask") == role))


def _parse_party(row: Json) -> Party:
    columns: list[tuple[str, Value]] = []
    who: Lookup | None = None
    for name in _PARTY_COLUMNS:
        lookup_id = row.get(f"_{name}_value")
        if lookup_id is not None:
            prefix = f"_{name}_value@"
            # CMT writes the table that all activities share, whichever activity it is.
            target = "activitypointer" if name == "activityid" else row.get(prefix + LOOKUP_TABLE)
            lookup = _lookup(f"activityparty.{name}", lookup_id, target, row.get(prefix + FORMATTED))
            who = lookup if name == "partyid" else who
            columns.append((name, lookup))
        elif (raw := row.get(name)) is not None:
            columns.append((name, str(raw)))
    role = row.get("participationtypemask")
    party_id = row.get("activitypartyid")
    return Party(who, int(role) if role is not None else None, tuple(columns), str(party_id) if party_id else None)


def write_properties(
    table: WireTable, values: Mapping[str, Value], sets: EntitySets, before: Mapping[str, Value]
) -> Json:
    """The body that writes these values.

    Args:
        table: Their table.
        values: Column to value; lookups name rows of this environment.
        sets: Gives the entity set of a table.
        before: The values that stood there, needed to clear a lookup that may point to several tables.
    """
    body: Json = {}
    parties: list[Json] = []
    has_parties = False
    for name, value in values.items():
        column = table.info.columns[name]
        if column.type in _LOOKUPS:
            body.update(_bind(table, column, value, sets, before.get(name)))
        elif column.type is ColumnType.PARTIES:
            has_parties = True
            parties.extend(_party_bodies(column, value, sets))
        else:
            body[name] = write_plain(value, column)
    if has_parties:
        body[parties_navigation(table.info.name)] = parties
    return body


def _bind(table: WireTable, column: ColumnInfo, value: Value, sets: EntitySets, before: Value) -> Json:
    if isinstance(value, Lookup):
        return {f"{_navigation(table, column, value.table)}@odata.bind": f"/{sets(value.table)}({value.id})"}
    if column.type is ColumnType.OWNER:
        return {}  # a row always has an owner
    target = before.table if isinstance(before, Lookup) else (column.targets[0] if column.targets else "")
    return {f"{_navigation(table, column, target)}@odata.bind": None}


def _navigation(table: WireTable, column: ColumnInfo, target: str) -> str:
    if column.type is ColumnType.OWNER:
        return column.name  # one property for users and teams
    name = table.navigation.get((column.name, target))
    if name is None:
        raise ServiceError(
            f"Column {column.name} of {table.info.name} cannot point to {target} in this environment.",
            "Compare the column's targets in source and target.",
        )
    return name


def _party_bodies(column: ColumnInfo, value: Value, sets: EntitySets) -> Iterable[Json]:
    if isinstance(value, Parties):
        for party in value.parties:
            yield _party_body(party, PARTY_ROLES.get(column.name, 0), sets)


def _party_body(party: Party, role: int, sets: EntitySets) -> Json:
    body: Json = {"participationtypemask": party.role or role}
    if party.party:
        body[f"partyid_{party.party.table}@odata.bind"] = f"/{sets(party.party.table)}({party.party.id})"
    elif isinstance(address := dict(party.columns).get("addressused"), str):
        body["addressused"] = address
    return body


_KEPT_BY_THE_SERVICE = {8, 9}
"""The parties that stand for an activity's regarding row and owner; the service makes them itself [inferred]."""


def other_parties(current: Value, written: Mapping[str, Value], sets: EntitySets) -> Iterable[Json]:
    """The parties of an activity that a write of these columns must leave as they are."""
    roles = {PARTY_ROLES[name] for name in written if name in PARTY_ROLES}
    for party in current.parties if isinstance(current, Parties) else ():
        if party.role not in roles and party.role not in _KEPT_BY_THE_SERVICE:
            yield _party_body(party, 0, sets)


def write_plain(value: Value, column: ColumnInfo) -> Any:
    """The JSON scalar of a value that is neither lookup nor party list."""
    match value:
        case datetime():
            if column.date_only:
                return value.date().isoformat()
            return f"{value.replace(tzinfo=None).isoformat(timespec='seconds')}Z"
        case Choices(options):
            return ",".join(map(str, options)) or None
        case "":
            return None if column.type is not ColumnType.STRING else ""
        case _:
            return value
