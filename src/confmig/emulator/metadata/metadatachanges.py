"""RetrieveMetadataChanges: many tables, and what derived types have, in one answer.

https://learn.microsoft.com/power-apps/developer/data-platform/query-schema-definitions
"""

import re

import msgspec

from confmig.emulator.errors import ServiceError, bad_query
from confmig.emulator.metadata.choices import Json
from confmig.emulator.metadata.metadata import Metadata
from confmig.emulator.metadata.metadatalog import FIRST_VERSION, Kind, changed_since, deleted_since
from confmig.emulator.metadata.metadataquery import rows_of
from confmig.emulator.storage.store import Store
from confmig.emulator.wire.urls import Segment, unquote_literal
from confmig.emulator.wire.wire import Reply, Request, json_reply

_QUERIES = {
    "Attributes": "AttributeQuery",
    "Keys": "KeyQuery",
    "ManyToOneRelationships": "RelationshipQuery",
    "OneToManyRelationships": "RelationshipQuery",
    "ManyToManyRelationships": "RelationshipQuery",
}
"""The collections of a table, each with the part of the query that is about it."""
NAVIGATIONS = tuple(_QUERIES)
"""The collections of a table."""
_DELETABLE = (Kind.Entity, Kind.Attribute, Kind.Relationship, Kind.OptionSet)
_STAMP_DATE = "11/23/2026 00:00:00"
_ENUM = re.compile(r"'([^']*)'")
_CAST = "Microsoft.Dynamics.CRM."
_QUOTED = re.compile(r"'((?:[^']|'')*)'|\"([^\"]*)\"")


def metadata_changes(metadata: Metadata, store: Store, segment: Segment, request: Request) -> Reply:
    """``RetrieveMetadataChanges(Query=@p1)?@p1={...}``, all that matches or, with a stamp, what changed since then.

    Args:
        metadata: The metadata.
        store: Where it is noted what changed when.
        segment: The segment with the parameters.
        request: The request.

    Raises:
        ServiceError: The query is not JSON or has an unknown operator, or the stamp is not one of ours.
    """
    options = request.options()
    parameters = {name: options.get(text, text) for name, text in segment.parts.items()}
    query = _query(parameters.get("Query", "{}"))
    since = _version(parameters.get("ClientVersionStamp"), metadata)
    changed = None if since is None else changed_since(store, since)
    found = (metadata.entity(name) for name in metadata.catalog.tables)
    tables = [row for row in found if _criteria(row, query.get("Criteria"))]
    deleted = None if since is None else _deleted(store, since, parameters.get("DeletedMetadataFilters", ""))
    described = [complex_entity(metadata, row, query, changed) for row in tables]
    body = {
        "@odata.context": f"{request.base}$metadata#Microsoft.Dynamics.CRM.RetrieveMetadataChangesResponse",
        "ServerVersionStamp": stamp(metadata.version),
        "DeletedMetadata": deleted,
        "EntityMetadata": [row for row in described if row is not None],
    }
    return json_reply(body)


def stamp(version: int) -> str:
    """A version of the metadata as clients get it and give it back."""
    return f"{version}!{_STAMP_DATE}"


def _query(text: str) -> Json:
    """The EntityQueryExpression."""
    try:
        query = msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        raise bad_query(f"The parameter Query is not valid JSON: {error}") from error
    if not isinstance(query, dict):
        raise bad_query("The parameter Query is not an object.")
    return query


def _version(text: str | None, metadata: Metadata) -> int | None:
    """The version that a client knows; None when it knows none.

    Raises:
        ServiceError: It is no stamp that this environment gave.
    """
    if text is None or text == "null":
        return None
    number = unquote_literal(text).partition("!")[0]
    if not number.isascii() or not number.isdigit() or not FIRST_VERSION <= int(number[:18]) <= metadata.version:
        raise ServiceError(
            400,
            "0x80044352",
            "Version stamp associated with the client has expired. Please perform a full sync.",
        )
    return int(number)


def _deleted(store: Store, since: int, filters: str) -> Json:
    """What was deleted, by kind, of the kinds that the client asks for; tables when it names none.

    https://learn.microsoft.com/power-apps/developer/data-platform/webapi/reference/deletedmetadatafilters
    """
    named = _ENUM.search(filters)
    names = [name.strip() for name in named.group(1).split(",")] if named else ["Default"]
    known = {"Default": [Kind.Entity], "All": list(_DELETABLE), "Label": []} | {
        str(kind.name): [kind] for kind in _DELETABLE
    }
    kinds: list[Kind] = []
    for name in names:
        if name not in known:
            raise bad_query(f"'{name}' is no member of DeletedMetadataFilters.")
        kinds += [kind for kind in known[name] if kind not in kinds]
    found = {str(kind.name): deleted_since(store, since, kind) for kind in kinds}
    found = {name: ids for name, ids in found.items() if ids}
    return {
        "Count": len(found),
        "IsReadOnly": False,
        "Keys": list(found),
        "Values": [{"Count": len(ids), "IsReadOnly": False, "Items": ids} for ids in found.values()],
    }


def complex_entity(metadata: Metadata, row: Json, query: Json, changed: frozenset[str] | None) -> Json | None:
    """A table with what is asked of it, in the types that functions give.

    Args:
        metadata: The metadata.
        row: The table.
        query: The EntityQueryExpression.
        changed: The MetadataIds of what changed; None when that does not matter.

    Returns:
        The table; None when neither it nor anything below it changed.
    """
    wanted = _properties(query.get("Properties"))
    languages = _languages(query.get("LabelQuery"))
    kept = {key: value for key, value in row.items() if wanted is None or key in wanted or key == "MetadataId"}
    kept["HasChanged"] = None if changed is None else row["MetadataId"] in changed
    any_changed = changed is None or row["MetadataId"] in changed
    for navigation, name in _QUERIES.items():
        if wanted is not None and navigation not in wanted:
            continue
        inner = query.get(name)
        rows = [
            one
            for one in rows_of(metadata, str(row["LogicalName"]), navigation) or []
            if _criteria(one, _member(inner, "Criteria")) and (changed is None or one["MetadataId"] in changed)
        ]
        kept[navigation] = [
            _complex(one, inner, languages, has_changed=None if changed is None else True) for one in rows
        ]
        any_changed = any_changed or bool(rows)
    return _in_languages(kept, languages) if any_changed else None


def _complex(row: Json, query: object, languages: frozenset[int], *, has_changed: bool | None) -> Json:
    wanted = _properties(_member(query, "Properties"))
    kept = {key: value for key, value in row.items() if wanted is None or key in wanted or key == "MetadataId"}
    kind = kept.pop("@odata.type", row.get("@odata.type"))
    if isinstance(kind, str):
        kept = {"@odata.type": kind.replace(_CAST, f"{_CAST}Complex"), **kept}
    kept["HasChanged"] = has_changed
    return _in_languages(kept, languages)


def _languages(query: object) -> frozenset[int]:
    """The languages that a LabelQuery asks for; none means all."""
    listed = _member(query, "FilterLanguages")
    return frozenset(code for code in listed if isinstance(code, int)) if isinstance(listed, list) else frozenset()


def _in_languages(row: Json, languages: frozenset[int]) -> Json:
    """A row with its labels in some languages only."""
    return {name: _label_in(value, languages) for name, value in row.items()} if languages else row


def _label_in(value: object, languages: frozenset[int]) -> object:
    if isinstance(value, list):
        return [_label_in(one, languages) for one in value]
    if not isinstance(value, dict):
        return value
    if "LocalizedLabels" not in value:
        return {name: _label_in(one, languages) for name, one in value.items()}
    localized = [one for one in value["LocalizedLabels"] if one["LanguageCode"] in languages]
    return {**value, "LocalizedLabels": localized}


def _member(value: object, name: str) -> object:
    return value.get(name) if isinstance(value, dict) else None


def _properties(properties: object) -> set[str] | None:
    """The names of the wanted properties; None for all."""
    if not isinstance(properties, dict) or properties.get("AllProperties") is True:
        return None
    names = properties.get("PropertyNames")
    return {str(name) for name in names} if isinstance(names, list) else set()


def _criteria(row: Json, criteria: object) -> bool:
    if not isinstance(criteria, dict):
        return True
    results = [_condition(row, condition) for condition in _objects(criteria, "Conditions")]
    results += [_criteria(row, inner) for inner in _objects(criteria, "Filters")]
    if not results:
        return True
    return any(results) if criteria.get("FilterOperator") in ("Or", 1) else all(results)


def _objects(criteria: Json, name: str) -> list[Json]:
    """The members of a list of objects that a criteria has."""
    members = criteria.get(name) or []
    if not isinstance(members, list) or not all(isinstance(member, dict) for member in members):
        raise bad_query(f"'{name}' of the Criteria is not a list of objects.")
    return members


def _listed(text: str) -> set[str]:
    """The values of a list such as ``['account','contact']``; ids and numbers stand in it without quotes, too."""
    quoted = {one or two for one, two in _QUOTED.findall(text)}
    return quoted or {value.strip() for value in text.strip().strip("[]").split(",")}


def _condition(row: Json, condition: Json) -> bool:
    name = str(condition.get("PropertyName"))
    if name not in row:
        raise bad_query(f"'{name}' is not a property that metadata can be filtered by.")
    value = row[name]
    if isinstance(value, dict) and "Value" in value:
        value = value["Value"]
    given = condition.get("Value")
    text = str(_member(given, "Value") if isinstance(given, dict) else given)
    operator = condition.get("ConditionOperator")
    if operator in ("Equals", "NotEquals"):
        return (str(value).lower() == text.lower()) == (operator == "Equals")
    if operator in ("In", "NotIn"):
        return (str(value).lower() in _listed(text.lower())) == (operator == "In")
    if operator in ("GreaterThan", "LessThan") and text.lstrip("-").isdigit() and isinstance(value, int):
        return value > int(text) if operator == "GreaterThan" else value < int(text)
    raise bad_query(f"The condition operator '{operator}' is not supported for '{name}'.")
