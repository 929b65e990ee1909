"""Metadata: one RetrieveMetadataChanges request for all tables that are needed, and what it says.

https://learn.microsoft.com/power-apps/developer/data-platform/query-schema-definitions
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import quote

from confmig.errors import ServiceError
from confmig.model.environment import ColumnInfo, RelationshipInfo, TableInfo
from confmig.model.values import ColumnType
from confmig.webapi.replies import Json, encode_json

TABLES_A_REQUEST = 250
"""Names that fit into a URL of 32 KB with room to spare."""

_TABLE_PROPERTIES = [
    "LogicalName",
    "DisplayName",
    "ObjectTypeCode",
    "EntitySetName",
    "PrimaryIdAttribute",
    "PrimaryNameAttribute",
    "PrimaryImageAttribute",
    "IsIntersect",
    "Attributes",
    "ManyToOneRelationships",
    "ManyToManyRelationships",
]
_COLUMN_PROPERTIES = [
    "LogicalName",
    "DisplayName",
    "IsCustomAttribute",
    "AttributeType",
    "AttributeTypeName",
    "AttributeOf",
    "CalculationOf",
    "Targets",
    "RequiredLevel",
    "IsValidForCreate",
    "IsValidForUpdate",
    "IsValidForRead",
    "IsValidODataAttribute",
    "SourceType",
    "Format",
    "DateTimeBehavior",
    "OptionSet",
]
_RELATIONSHIP_PROPERTIES = [
    "SchemaName",
    "ReferencingAttribute",
    "ReferencedEntity",
    "ReferencingEntityNavigationPropertyName",
    "IntersectEntityName",
    "Entity1LogicalName",
    "Entity1IntersectAttribute",
    "Entity1NavigationPropertyName",
    "Entity2LogicalName",
    "Entity2IntersectAttribute",
    "Entity2NavigationPropertyName",
]

_TYPES = {
    "BigIntType": ColumnType.BIGINT,
    "BooleanType": ColumnType.BOOL,
    "CustomerType": ColumnType.LOOKUP,
    "DateTimeType": ColumnType.DATETIME,
    "DecimalType": ColumnType.DECIMAL,
    "DoubleType": ColumnType.FLOAT,
    "EntityNameType": ColumnType.STRING,
    "FileType": ColumnType.FILE,
    "ImageType": ColumnType.IMAGE,
    "IntegerType": ColumnType.NUMBER,
    "LookupType": ColumnType.LOOKUP,
    "MemoType": ColumnType.STRING,
    "MoneyType": ColumnType.MONEY,
    "MultiSelectPicklistType": ColumnType.CHOICES,
    "OwnerType": ColumnType.OWNER,
    "PartyListType": ColumnType.PARTIES,
    "PicklistType": ColumnType.CHOICE,
    "StateType": ColumnType.STATE,
    "StatusType": ColumnType.STATUS,
    "StringType": ColumnType.STRING,
    "UniqueidentifierType": ColumnType.GUID,
}


@dataclass(frozen=True, slots=True)
class NavigationPair:
    """The navigation properties of a many-to-many relationship: from its first table, and from its second."""

    from_table1: str
    from_table2: str


@dataclass(frozen=True, slots=True)
class WireTable:
    """A table with the names that only the wire uses.

    ``navigation`` maps (column, target table) to the navigation property that a write binds: it is case-sensitive and
    cannot be derived from the column's name.
    """

    info: TableInfo
    entity_set: str
    navigation: Mapping[tuple[str, str], str] = field(default_factory=dict)
    many_to_many: Mapping[str, NavigationPair] = field(default_factory=dict)


def metadata_path(tables: Iterable[str]) -> str:
    """The request, below the API's root, that describes these tables."""
    return _query_path(
        "LogicalName",
        tables,
        _TABLE_PROPERTIES,
        AttributeQuery={"Properties": {"AllProperties": False, "PropertyNames": _COLUMN_PROPERTIES}},
        RelationshipQuery={"Properties": {"AllProperties": False, "PropertyNames": _RELATIONSHIP_PROPERTIES}},
    )


def tables_path(tables: Iterable[str]) -> str:
    """The request, below the API's root, for all that is known of these tables."""
    everything = {"Properties": {"AllProperties": True}}
    return _query_path(
        "LogicalName", tables, None, AttributeQuery=everything, RelationshipQuery=everything, KeyQuery=everything
    )


def table_names_path(ids: Iterable[str]) -> str:
    """The request, below the API's root, for the names of the tables with these metadata ids."""
    return _query_path("MetadataId", ids, ["LogicalName", "IsIntersect"])


def _query_path(key: str, values: Iterable[str], properties: list[str] | None, **more: object) -> str:
    """A request for the metadata of all tables whose ``key`` is one of these values; all of it, or some properties."""
    listed = ",".join("'" + value.replace("'", "") + "'" for value in values)
    kind = "System.Guid[]" if key == "MetadataId" else "System.String[]"
    condition = {
        "PropertyName": key,
        "ConditionOperator": "In",
        "Value": {"Type": kind, "Value": f"[{listed}]"},
    }
    query = {
        "Properties": {"AllProperties": properties is None, "PropertyNames": properties or []},
        "Criteria": {"FilterOperator": "And", "Conditions": [condition]},
        **more,
    }
    return f"RetrieveMetadataChanges(Query=@p1)?@p1={quote(encode_json(query).decode(), safe='')}"


def parse_metadata(answer: Json, url: str) -> Iterator[WireTable]:
    """The tables in the answer to that request.

    Raises:
        ServiceError: They cannot be read; an answer that cannot be read is never taken for an empty one.
    """
    for entity in described_tables(answer, url):
        try:
            yield _table(entity)
        except (LookupError, TypeError, AttributeError, ValueError):
            raise _unreadable(url) from None


def described_tables(answer: Json, url: str) -> list[Json]:
    """The descriptions of tables in an answer.

    Raises:
        ServiceError: There is no list of them.
    """
    tables = answer.get("EntityMetadata", "missing") or []
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise _unreadable(url)
    return tables


def _unreadable(url: str) -> ServiceError:
    return ServiceError(f"{url} describes its tables in a form that cannot be read.", "Check the environment's URL.")


def _table(entity: Json) -> WireTable:
    columns = {attribute["LogicalName"]: _column(attribute) for attribute in entity.get("Attributes") or ()}
    navigation: dict[tuple[str, str], str] = {}
    for relation in entity.get("ManyToOneRelationships") or ():
        name = relation.get("ReferencingEntityNavigationPropertyName")
        if name:
            navigation[relation["ReferencingAttribute"], relation["ReferencedEntity"]] = name
    relationships: dict[str, RelationshipInfo] = {}
    pairs: dict[str, NavigationPair] = {}
    for relation in entity.get("ManyToManyRelationships") or ():
        item = RelationshipInfo(
            relation["IntersectEntityName"],
            relation["Entity1LogicalName"],
            relation["Entity1IntersectAttribute"],
            relation["Entity2LogicalName"],
            relation["Entity2IntersectAttribute"],
        )
        relationships[item.name] = item
        pairs[item.name] = NavigationPair(
            relation.get("Entity1NavigationPropertyName") or relation["SchemaName"],
            relation.get("Entity2NavigationPropertyName") or relation["SchemaName"],
        )
    states, defaults = _states(entity)
    info = TableInfo(
        name=entity["LogicalName"],
        primary_id=entity["PrimaryIdAttribute"],
        primary_name=entity.get("PrimaryNameAttribute"),
        columns=_with_targets(columns, navigation),
        relationships=relationships,
        primary_image=entity.get("PrimaryImageAttribute"),
        status_states=states,
        default_status=defaults,
        display_name=_label(entity),
        object_type_code=entity.get("ObjectTypeCode"),
    )
    return WireTable(info, entity.get("EntitySetName") or "", navigation, pairs)


def _column(attribute: Json) -> ColumnInfo:
    type_name = (attribute.get("AttributeTypeName") or {}).get("Value", "")
    kind = _TYPES.get(type_name)
    behavior = (attribute.get("DateTimeBehavior") or {}).get("Value", "UserLocal")
    computed = attribute.get("SourceType") in {1, 2, 3} or bool(attribute.get("CalculationOf"))
    return ColumnInfo(
        name=attribute["LogicalName"],
        type=kind or ColumnType.UNKNOWN,
        targets=tuple(attribute.get("Targets") or ()),
        creatable=bool(attribute.get("IsValidForCreate")) and not computed,
        updatable=bool(attribute.get("IsValidForUpdate")) and not computed,
        readable=_is_readable(attribute, kind),
        required=(attribute.get("RequiredLevel") or {}).get("Value") == "SystemRequired",
        date_only=behavior == "DateOnly",
        zoned=behavior == "UserLocal",
        display_name=_label(attribute),
        custom=bool(attribute.get("IsCustomAttribute")),
        part_of=attribute.get("AttributeOf"),
    )


def _label(described: Json) -> str | None:
    """The display name in the language of the caller."""
    label = (described.get("DisplayName") or {}).get("UserLocalizedLabel") or {}
    text: str | None = label.get("Label")
    return text


def _is_readable(attribute: Json, kind: ColumnType | None) -> bool:
    """Whether a row has the column on the wire: the name beside a lookup is an attribute, but no property.

    A party list is none either; its parties are read as rows of their own.
    """
    if kind is ColumnType.PARTIES:
        return True
    return bool(attribute.get("IsValidForRead", True)) and attribute.get("IsValidODataAttribute") is not False


def _with_targets(
    columns: dict[str, ColumnInfo], navigation: Mapping[tuple[str, str], str]
) -> Mapping[str, ColumnInfo]:
    """Complete the targets of lookups whose metadata does not list them, from the relationships."""
    found: dict[str, list[str]] = defaultdict(list)
    for name, target in navigation:
        found[name].append(target)
    completed: dict[str, ColumnInfo] = {}
    for name, column in columns.items():
        targets = column.targets or tuple(found.get(name, ()))
        completed[name] = column if targets == column.targets else replace(column, targets=targets)
    return completed


def _states(entity: Json) -> tuple[dict[int, int], dict[int, int]]:
    """Which state each status belongs to, and which status each state takes by itself."""
    states: dict[int, int] = {}
    defaults: dict[int, int] = {}
    for attribute in entity.get("Attributes") or ():
        for option in (attribute.get("OptionSet") or {}).get("Options") or ():
            if attribute["LogicalName"] == "statuscode" and option.get("State") is not None:
                states[int(option["Value"])] = int(option["State"])
            elif attribute["LogicalName"] == "statecode" and option.get("DefaultStatus") is not None:
                defaults[int(option["Value"])] = int(option["DefaultStatus"])
    return states, defaults
