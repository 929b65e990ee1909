"""Queries for metadata: ``EntityDefinitions`` and below, ``RelationshipDefinitions``, ``GlobalOptionSetDefinitions``.

https://learn.microsoft.com/power-apps/developer/data-platform/webapi/query-metadata-web-api
"""

from collections.abc import Callable

from confmig.emulator.errors import ServiceError, bad_query, property_missing, segment_missing
from confmig.emulator.metadata.choicebodies import named_option_set
from confmig.emulator.metadata.choices import Json
from confmig.emulator.metadata.metadata import Metadata
from confmig.emulator.metadata.metadatadefaults import managed_properties
from confmig.emulator.metadata.metadataoptions import check_options, expansions, matching, project, select
from confmig.emulator.wire.contexts import context_of
from confmig.emulator.wire.urls import Segment, unquote_literal
from confmig.emulator.wire.wire import Reply, Request, json_reply

_COLUMN_KINDS = frozenset(
    {
        "", "BigInt", "Boolean", "DateTime", "Decimal", "Double", "EntityName", "File", "Image", "Integer", "Lookup",
        "ManagedProperty", "Memo", "Money", "MultiSelectPicklist", "Picklist", "State", "Status", "String",
        "UniqueIdentifier",
    }
)  # fmt: skip
_CASTS = {
    "Attributes": frozenset(f"{kind}AttributeMetadata" for kind in _COLUMN_KINDS),
    "RelationshipDefinitions": frozenset({"OneToManyRelationshipMetadata", "ManyToManyRelationshipMetadata"}),
    "GlobalOptionSetDefinitions": frozenset({"OptionSetMetadata", "BooleanOptionSetMetadata"}),
    "OneToManyRelationships": frozenset({"OneToManyRelationshipMetadata"}),
    "ManyToOneRelationships": frozenset({"OneToManyRelationshipMetadata"}),
    "ManyToManyRelationships": frozenset({"ManyToManyRelationshipMetadata"}),
}
"""The types to which the rows of each set can be cast; among them is no abstract one but that of all columns."""
_TYPES = {
    "Attributes": "AttributeMetadata",
    "Keys": "EntityKeyMetadata",
    "ManyToOneRelationships": "OneToManyRelationshipMetadata",
    "OneToManyRelationships": "OneToManyRelationshipMetadata",
    "ManyToManyRelationships": "ManyToManyRelationshipMetadata",
}
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
    check_options(options)
    head = segments[0]
    if head.key is None:
        if len(segments) > 1:
            raise segment_missing(segments[1].name)
        every = (metadata.entity(name) for name in metadata.catalog.tables)
        rows = [_entity(metadata, row, options) for row in matching(every, options, "EntityMetadata")]
        return _collection(request, "EntityDefinitions", options, rows)
    name = table_name(metadata, head)
    if len(segments) == 1:
        context = f"EntityDefinitions{_listed(options)}/$entity"
        return _single(request, context, _entity(metadata, metadata.entity(name), options))
    return _below(metadata, name, segments[1:], request, options)


def _listed(options: dict[str, str]) -> str:
    """What the context of an answer says of the selected properties."""
    return context_of("", options)


def _collection(request: Request, context: str, options: dict[str, str], rows: list[Json]) -> Reply:
    return json_reply({"@odata.context": f"{request.base}$metadata#{context}{_listed(options)}", "value": rows})


def _single(request: Request, context: str, row: Json) -> Reply:
    return json_reply({"@odata.context": f"{request.base}$metadata#{context}", **row})


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
    if "LogicalName" not in segment.parts:
        raise bad_query(
            "The key in the request URI is not valid for resource 'Microsoft.Dynamics.CRM.EntityMetadata'. Ensure that "
            "the names and number of key properties match the declared or alternate key properties for the resource "
            "'Microsoft.Dynamics.CRM.EntityMetadata'."
        )
    name = unquote_literal(segment.parts["LogicalName"])
    if name not in metadata.catalog.tables:
        raise ServiceError(404, "0x80060888", f"Could not find an entity with specified entity name: {name}")
    return name


def _entity(metadata: Metadata, row: Json, options: dict[str, str]) -> Json:
    """A table with what is selected and expanded of it; columns come with the properties that all have in common."""
    kept = select(row, options.get("$select"), "EntityMetadata", derived=True)
    for navigation, inner in expansions(options):
        rows = rows_of(metadata, str(row["LogicalName"]), navigation)
        if rows is None:
            raise property_missing(navigation, "EntityMetadata")
        kind = _TYPES[navigation]
        kept[navigation] = [project(one, inner, kind, derived=False) for one in matching(rows, inner, kind)]
    return kept


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


def _below(metadata: Metadata, name: str, segments: list[Segment], request: Request, options: dict[str, str]) -> Reply:
    first = segments[0]
    rows = rows_of(metadata, name, first.name)
    if rows is None:
        return _property(metadata.entity(name), segments, request, options)
    context = f"EntityDefinitions('{name}')/{first.name}"
    return _rows(rows, segments, request, context, base=_TYPES[first.name])


def _property(entity: Json, segments: list[Segment], request: Request, options: dict[str, str]) -> Reply:
    """One property of a table, or a part of it, as JSON or raw."""
    names = [segment.name for segment in segments]
    raw = len(names) > 1 and names[-1] == "$value"
    path = names[:-1] if raw else names
    value: object = entity
    for name in path:
        if not isinstance(value, dict) or name not in value or name.startswith("@"):
            raise segment_missing(name)
        value = value[name]
    if isinstance(value, dict | list) and (raw or "$select" in options or "$filter" in options):
        raise bad_query("Query parameters are not supported on properties of a complex type.")
    if value is None:
        return Reply(204)
    if raw:
        text = str(value).lower() if isinstance(value, bool) else str(value)
        return Reply(200, text.encode(), {"Content-Type": "text/plain"})
    context = f"{request.base}$metadata#EntityDefinitions('{entity['LogicalName']}')/{'/'.join(path)}"
    return json_reply({"@odata.context": context, **(value if isinstance(value, dict) else {"value": value})})


def _rows(rows: list[Json], segments: list[Segment], request: Request, context: str, *, base: str) -> Reply:
    """A collection, one of its members, or a property of that; each also cast to a derived type."""
    first, options = segments[0], request.options()
    cast = _cast(first.name, segments[1:])
    rest = segments[2:] if cast else segments[1:]
    if cast:
        rows = [row for row in rows if cast in (base, str(row["@odata.type"]).removeprefix(f"#{_CAST}"))]
        context += f"/{_CAST}{cast}"
    derived = bool(cast) and cast != "AttributeMetadata"
    if first.key is None:
        if rest:
            raise segment_missing(rest[0].name)
        kind = cast or base
        derived = derived or first.name != "Attributes"
        found = matching(rows, options, kind)
        kept = [project(row, _known(row, rows, options), kind, derived=derived) for row in found]
        return _collection(request, context, options, kept)
    row = found_row(rows, first)
    if rest:
        return _member(row, rest, request, options)
    # A single column comes with the properties of its own type, as the type annotation says.
    body = project(
        row, options, cast or base, derived=derived or "$select" not in options or base != "AttributeMetadata"
    )
    return _single(request, f"{context}{_listed(options)}/$entity", body)


def _known(row: Json, rows: list[Json], options: dict[str, str]) -> dict[str, str]:
    """The options without the selected properties that rows of another kind have, as relationships are of two kinds."""
    names = [name.strip() for name in options.get("$select", "").split(",")]
    others = {name for name in names if name not in row and any(name in other for other in rows)}
    return options | {"$select": ",".join(name for name in names if name not in others)} if others else options


def _cast(collection: str, segments: list[Segment]) -> str:
    """The type that the first segment casts to; empty when it is no cast."""
    if not segments or not segments[0].name.startswith(_CAST):
        return ""
    wanted = segments[0].name.removeprefix(_CAST)
    if wanted not in _CASTS.get(collection, ()) or segments[0].key is not None:
        raise segment_missing(segments[0].name)
    return wanted


def _member(row: Json, segments: list[Segment], request: Request, options: dict[str, str]) -> Reply:
    """A property of a column or a relationship, such as its OptionSet, or a property of that, such as its Options."""
    value: object = row
    for segment in segments:
        if not isinstance(value, dict) or segment.name not in value:
            raise segment_missing(segment.name)
        value = value[segment.name]
    name = segments[-1].name
    if value is None:
        return Reply(204)
    if isinstance(value, dict):
        chosen = select(value, options.get("$select"), name, derived=True)
        return _single(request, f"{name}{_listed(options)}/$entity", chosen)
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


def relationship_definitions(metadata: Metadata, segments: list[Segment], request: Request) -> Reply:
    """``RelationshipDefinitions``, all or one, with an optional cast.

    Raises:
        ServiceError: Something of that name does not exist or an option cannot be understood.
    """
    check_options(request.options())
    rows = metadata.relationships()
    return _rows(rows, segments, request, "RelationshipDefinitions", base="RelationshipMetadataBase")


def option_set_definitions(metadata: Metadata, segments: list[Segment], request: Request) -> Reply:
    """``GlobalOptionSetDefinitions``, all or one by id or name, with an optional cast.

    Raises:
        ServiceError: There is no such choice, or an option is not supported.
    """
    options = request.options()
    check_options(options)
    head, rows = segments[0], metadata.option_sets()
    if head.key is None:
        if "$filter" in options:
            # One choice is asked for by its name: the set cannot be filtered [field].
            raise ServiceError(405, "0x80060888", "The query parameter $filter is not supported")
        return _rows(rows, segments, request, "GlobalOptionSetDefinitions", base="OptionSetMetadataBase")
    one = named_option_set(head, metadata.catalog.option_sets)
    named = Segment(head.name, str(next(row["MetadataId"] for row in rows if row["Name"] == one.name)))
    return _rows(rows, [named, *segments[1:]], request, "GlobalOptionSetDefinitions", base="OptionSetMetadataBase")


def managed_property_definitions(segments: list[Segment], request: Request) -> Reply:
    """``ManagedPropertyDefinitions``, all or one by id or name.

    Raises:
        ServiceError: There is no such property, or an option is not supported.
    """
    check_options(request.options())
    rows = managed_properties()
    return _rows(rows, segments, request, "ManagedPropertyDefinitions", base="ManagedPropertyMetadata")
