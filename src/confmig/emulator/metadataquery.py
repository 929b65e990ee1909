"""Queries for metadata: ``EntityDefinitions`` and below, ``RelationshipDefinitions``, ``GlobalOptionSetDefinitions``.

https://learn.microsoft.com/power-apps/developer/data-platform/webapi/query-metadata-web-api
"""

from collections.abc import Callable

from confmig.emulator import odata
from confmig.emulator.choicebodies import named_option_set
from confmig.emulator.choices import Json
from confmig.emulator.errors import ServiceError, bad_query, segment_missing
from confmig.emulator.metadata import Metadata
from confmig.emulator.urls import Segment, split_outside, unquote_literal
from confmig.emulator.wire import Reply, Request, json_reply

_DERIVED = frozenset(
    {
        "Targets", "Format", "FormatName", "MaxLength", "DatabaseLength", "Precision", "PrecisionSource", "MinValue",
        "MaxValue", "CalculationOf", "IsBaseCurrency", "DateTimeBehavior", "CanChangeDateTimeBehavior",
        "MinSupportedValue", "MaxSupportedValue", "OptionSet", "GlobalOptionSet", "DefaultFormValue", "DefaultValue",
        "IsPrimaryImage", "MaxHeight", "MaxWidth", "MaxSizeInKB", "CanStoreFullImage", "IsLocalizable",
    }
)  # fmt: skip
_KINDS = frozenset(
    {
        "", "BigInt", "Boolean", "DateTime", "Decimal", "Double", "EntityName", "File", "Image", "Integer", "Lookup",
        "ManagedProperty", "Memo", "Money", "MultiSelectPicklist", "Picklist", "State", "Status", "String",
        "UniqueIdentifier",
    }
)  # fmt: skip
_EXPANDED_ONLY = frozenset({"OptionSet", "GlobalOptionSet"})
_CAST = "Microsoft.Dynamics.CRM."


def entity_definitions(metadata: Metadata, segments: list[Segment], request: Request) -> Reply:
    """``EntityDefinitions`` and the paths below it.

    Args:
        metadata: The metadata.
        segments: The segments of the path, the first being ``EntityDefinitions``.
        request: The request.

    Raises:
        ServiceError: Something of that name does not exist or an option cannot be understood.
    """
    options = request.options()
    head = segments[0]
    if head.key is None:
        if len(segments) > 1:
            raise segment_missing(segments[1].name)
        rows = [
            _entity(metadata, name, options)
            for name in metadata.catalog.tables
            if _matches(metadata.entity(name), options)
        ]
        return _collection(request, "EntityDefinitions", rows)
    name = table_name(metadata, head)
    if len(segments) == 1:
        body = {
            "@odata.context": f"{request.base}$metadata#EntityDefinitions/$entity",
            **_entity(metadata, name, options),
        }
        return json_reply(body)
    return _below(metadata, name, segments[1:], request, options)


def _collection(request: Request, context: str, rows: list[Json]) -> Reply:
    return json_reply({"@odata.context": f"{request.base}$metadata#{context}", "value": rows})


def table_name(metadata: Metadata, segment: Segment) -> str:
    """The logical name of the table that a segment names, by its MetadataId or its LogicalName.

    Raises:
        ServiceError: There is no such table.
    """
    if segment.guid is not None:
        for name in metadata.catalog.tables:
            if metadata.entity(name)["MetadataId"] == segment.guid:
                return name
        raise ServiceError(404, "0x80060888", f"Could not find an entity with the id {segment.guid}")
    name = unquote_literal(segment.parts.get("LogicalName", ""))
    if name not in metadata.catalog.tables:
        raise ServiceError(404, "0x80060888", f"Could not find an entity with specified entity name: {name}")
    return name


def _below(metadata: Metadata, name: str, segments: list[Segment], request: Request, options: dict[str, str]) -> Reply:
    first = segments[0]
    rows = rows_of(metadata, name, first.name)
    if rows is None:
        entity = metadata.entity(name)
        if first.name not in entity:
            raise segment_missing(first.name)
        if len(segments) > 1 and segments[1].name == "$value":
            return Reply(200, str(entity[first.name]).encode(), {"Content-Type": "text/plain"})
        return json_reply({"@odata.context": f"{request.base}$metadata#{first.name}", "value": entity[first.name]})
    wanted = _cast(segments[1:])
    further = segments[2:] if wanted else segments[1:]
    if wanted:
        rows = [
            row for row in rows if wanted in ("AttributeMetadata", str(row["@odata.type"]).removeprefix("#" + _CAST))
        ]
    derived = bool(wanted) and wanted != "AttributeMetadata"
    if further and (first.key is None or len(further) > 1):
        raise segment_missing(further[-1].name)
    if first.key is None:
        kept = [_project(row, options, derived=derived) for row in rows if _matches(row, options)]
        return _collection(request, f"EntityDefinitions('{name}')/{first.name}", kept)
    if further:
        return _member_of(found_row(rows, first), further[0].name, request, options)
    return _one(rows, first, request, options, derived=derived)


def _cast(segments: list[Segment]) -> str:
    """The type that the first segment casts to; empty when it is no cast."""
    if not segments or not segments[0].name.startswith(_CAST):
        return ""
    wanted = segments[0].name.removeprefix(_CAST)
    if wanted.removesuffix("AttributeMetadata") not in _KINDS and not wanted.endswith("RelationshipMetadata"):
        raise segment_missing(segments[0].name)
    return wanted


def _member_of(row: Json, name: str, request: Request, options: dict[str, str]) -> Reply:
    """A single property of an attribute or a relationship, such as its OptionSet."""
    if name not in row:
        raise segment_missing(name)
    value = row[name]
    if isinstance(value, dict):
        value = _select(value, options.get("$select"), derived=True)
        return json_reply({"@odata.context": f"{request.base}$metadata#{name}/$entity", **value})
    return json_reply({"@odata.context": f"{request.base}$metadata#{name}", "value": value})


def found_row(rows: list[Json], segment: Segment) -> Json:
    """The one of some rows that a segment names, by its MetadataId or one of its names.

    Raises:
        ServiceError: None is.
    """
    named = segment.parts.get("LogicalName") or segment.parts.get("SchemaName")
    wanted = segment.guid or unquote_literal(named or "''")
    for row in rows:
        if wanted in (row.get("MetadataId"), row.get("LogicalName"), row.get("SchemaName")):
            return row
    raise ServiceError(404, "0x80060888", f"Could not find an attribute with specified name: {wanted}")


def _one(rows: list[Json], segment: Segment, request: Request, options: dict[str, str], *, derived: bool) -> Reply:
    # A single attribute comes with the properties of its own type, as the type annotation says.
    body = _project(found_row(rows, segment), options, derived=derived or "$select" not in options)
    return json_reply({"@odata.context": f"{request.base}$metadata#{segment.name}/$entity", **body})


def rows_of(metadata: Metadata, name: str, navigation: str) -> list[Json] | None:
    """What a collection of a table holds; None when there is no such collection."""
    readers: dict[str, Callable[[str], list[Json]]] = {
        "Attributes": metadata.attributes,
        "Keys": metadata.keys,
        "ManyToOneRelationships": metadata.many_to_one,
        "OneToManyRelationships": metadata.one_to_many,
        "ManyToManyRelationships": metadata.many_to_many,
    }
    reader = readers.get(navigation)
    return None if reader is None else reader(name)


def relationship_definitions(metadata: Metadata, segments: list[Segment], request: Request) -> Reply:
    """``RelationshipDefinitions``, all or one, with an optional cast."""
    options = request.options()
    rows = metadata.relationships()
    wanted = _cast(segments[1:])
    if segments[2 if wanted else 1 :]:
        raise segment_missing(segments[-1].name)
    if wanted:
        rows = [row for row in rows if str(row["@odata.type"]).endswith(f".{wanted}")]
    if segments[0].key is not None:
        return _one(rows, segments[0], request, options, derived=True)
    kept = [_project(row, options, derived=True) for row in rows if _matches(row, options)]
    return _collection(request, "RelationshipDefinitions", kept)


def option_set_definitions(metadata: Metadata, segments: list[Segment], request: Request) -> Reply:
    """``GlobalOptionSetDefinitions``, all or one by id or name, with an optional cast."""
    options = request.options()
    wanted = _set_cast(segments[1:])
    if segments[2 if wanted else 1 :]:
        raise segment_missing(segments[-1].name)
    if segments[0].key is not None:
        one = named_option_set(segments[0], metadata.catalog.option_sets)
        rows = [row for row in metadata.option_sets() if row["Name"] == one.name]
        body = _select(rows[0], options.get("$select"), derived=True)
        return json_reply({"@odata.context": f"{request.base}$metadata#GlobalOptionSetDefinitions/$entity", **body})
    if "$filter" in options:
        # The set cannot be filtered: one choice is asked for by its name.
        # https://learn.microsoft.com/power-apps/developer/data-platform/webapi/query-metadata-web-api
        raise ServiceError(405, "0x80060888", "The query parameter $filter is not supported.")
    rows = [row for row in metadata.option_sets() if not wanted or str(row["@odata.type"]).endswith(f".{wanted}")]
    kept = [_select(row, options.get("$select"), derived=True) for row in rows]
    return _collection(request, "GlobalOptionSetDefinitions", kept)


def _set_cast(segments: list[Segment]) -> str:
    """The kind of choice that the first segment casts to; empty when it is no cast."""
    if not segments or not segments[0].name.startswith(_CAST):
        return ""
    wanted = segments[0].name.removeprefix(_CAST)
    if wanted not in ("OptionSetMetadata", "BooleanOptionSetMetadata"):
        raise segment_missing(segments[0].name)
    return wanted


def _entity(metadata: Metadata, name: str, options: dict[str, str]) -> Json:
    row = _select(metadata.entity(name), options.get("$select"), derived=True)
    for part in split_outside(options.get("$expand", ""), ","):
        if not part.strip():
            continue
        navigation, inner = _expansion(part.strip())
        rows = rows_of(metadata, name, navigation)
        if rows is None:
            raise bad_query(
                f"Could not find a property named '{navigation}' on type 'Microsoft.Dynamics.CRM.EntityMetadata'."
            )
        row[navigation] = [_project(one, inner, derived=False) for one in rows if _matches(one, inner)]
    return row


def _expansion(text: str) -> tuple[str, dict[str, str]]:
    navigation, parenthesis, rest = text.partition("(")
    inner: dict[str, str] = {}
    if parenthesis:
        for option in split_outside(rest.rpartition(")")[0], ";"):
            name, _, value = option.partition("=")
            inner[name.strip()] = value.strip()
    return navigation.strip(), inner


def _project(row: Json, options: dict[str, str], *, derived: bool) -> Json:
    """A row with the selected properties; option sets come only when they are expanded."""
    kept = _select(row, options.get("$select"), derived=derived)
    for name in _EXPANDED_ONLY:
        kept.pop(name, None)
    for part in split_outside(options.get("$expand", ""), ","):
        if part.strip():
            name, inner = _expansion(part.strip())
            if name not in row and name not in _EXPANDED_ONLY:
                raise bad_query(f"Could not find a property named '{name}'.")
            value = row.get(name)
            kept[name] = _select(value, inner.get("$select"), derived=True) if isinstance(value, dict) else value
    return kept


def _select(row: Json, select: str | None, *, derived: bool) -> Json:
    if not select:
        return {name: value for name, value in row.items() if derived or name not in _DERIVED}
    names = {name.strip() for name in select.split(",")}
    unknown = sorted(name for name in names if name not in row and name not in _DERIVED)
    if unknown:
        raise bad_query(f"Could not find a property named '{unknown[0]}' on the metadata type.")
    if not derived and (wrong := sorted(names & _DERIVED)):
        raise bad_query(
            f"Could not find a property named '{wrong[0]}' on type 'Microsoft.Dynamics.CRM.AttributeMetadata'."
        )
    return {name: value for name, value in row.items() if name in names or name in ("@odata.type", "MetadataId")}


def _matches(row: Json, options: dict[str, str]) -> bool:
    text = options.get("$filter")
    return True if not text else _holds(row, odata.parse_filter(text, options))


def _holds(row: Json, node: odata.Node) -> bool:
    if isinstance(node, odata.Group):
        parts = (_holds(row, part) for part in node.nodes)
        return all(parts) if node.operator == "and" else any(parts)
    if isinstance(node, odata.Not):
        return not _holds(row, node.node)
    if isinstance(node, odata.Any):
        raise bad_query("Lambda expressions are not supported on metadata.")
    value: object = row
    for name in node.path.split("/"):
        if not isinstance(value, dict) or name not in value:
            raise bad_query(f"Could not find a property named '{name}' on the metadata type.")
        value = value[name]
    if isinstance(node, odata.Membership):
        return _plain(value) in {_plain(one) for one in node.values}
    return _compare(_plain(value), node.operator, _plain(node.value))


def _plain(value: object) -> object:
    if isinstance(value, odata.Guid):
        return value.text
    return value


def _compare(value: object, operator: str, wanted: object) -> bool:
    if operator == "eq":
        return value == wanted
    if operator == "ne":
        return value != wanted
    if isinstance(value, str) and isinstance(wanted, str):
        tests = {
            "contains": wanted in value,
            "startswith": value.startswith(wanted),
            "endswith": value.endswith(wanted),
        }
        return tests.get(operator, False)
    if isinstance(value, int) and isinstance(wanted, int):
        return {"gt": value > wanted, "ge": value >= wanted, "lt": value < wanted, "le": value <= wanted}.get(
            operator, False
        )
    return False
