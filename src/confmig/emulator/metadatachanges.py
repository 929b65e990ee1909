"""RetrieveMetadataChanges: many tables, and what derived types have, in one answer.

https://learn.microsoft.com/power-apps/developer/data-platform/query-schema-definitions
"""

import re

import msgspec

from confmig.emulator.choices import Json
from confmig.emulator.errors import bad_query
from confmig.emulator.metadata import Metadata
from confmig.emulator.metadataquery import rows_of
from confmig.emulator.urls import Segment
from confmig.emulator.wire import Reply, Request, json_reply

_NAVIGATIONS = ("Attributes", "Keys", "ManyToOneRelationships", "OneToManyRelationships", "ManyToManyRelationships")
_CAST = "Microsoft.Dynamics.CRM."
_QUOTED = re.compile(r"'((?:[^']|'')*)'|\"([^\"]*)\"")


def metadata_changes(metadata: Metadata, segment: Segment, request: Request) -> Reply:
    """``RetrieveMetadataChanges(Query=@p1)?@p1={...}``.

    Raises:
        ServiceError: The query is not JSON or has an unknown operator.
    """
    options = request.options()
    text = segment.parts.get("Query", "{}")
    if text.startswith("@"):
        text = options.get(text, "{}")
    try:
        query = msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        raise bad_query(f"The parameter Query is not valid JSON: {error}") from error
    if not isinstance(query, dict):
        raise bad_query("The parameter Query is not an object.")
    names = [name for name in metadata.catalog.tables if _criteria(metadata.entity(name), query.get("Criteria"))]
    body = {
        "@odata.context": f"{request.base}$metadata#Microsoft.Dynamics.CRM.RetrieveMetadataChangesResponse",
        "ServerVersionStamp": f"{metadata.version}!11/23/2026 00:00:00",
        "DeletedMetadata": None,
        "EntityMetadata": [_complex_entity(metadata, name, query) for name in names],
    }
    return json_reply(body)


def _complex_entity(metadata: Metadata, name: str, query: Json) -> Json:
    row = metadata.entity(name)
    wanted = _properties(query.get("Properties"))
    kept = {key: value for key, value in row.items() if wanted is None or key in wanted or key == "MetadataId"}
    kept["HasChanged"] = None
    queries = {
        "Attributes": "AttributeQuery",
        "Keys": "KeyQuery",
        "ManyToOneRelationships": "RelationshipQuery",
        "OneToManyRelationships": "RelationshipQuery",
        "ManyToManyRelationships": "RelationshipQuery",
    }
    for navigation in _NAVIGATIONS:
        if wanted is None or navigation in wanted:
            rows = rows_of(metadata, name, navigation) or []
            kept[navigation] = [
                _complex(one, one_query)
                for one in rows
                for one_query in [query.get(queries[navigation])]
                if _criteria(one, _member(one_query, "Criteria"))
            ]
    return kept


def _member(value: object, name: str) -> object:
    return value.get(name) if isinstance(value, dict) else None


def _complex(row: Json, query: object) -> Json:
    wanted = _properties(_member(query, "Properties"))
    kept = {key: value for key, value in row.items() if wanted is None or key in wanted or key == "MetadataId"}
    kind = kept.pop("@odata.type", row.get("@odata.type"))
    if isinstance(kind, str):
        kept = {"@odata.type": kind.replace(_CAST, f"{_CAST}Complex"), **kept}
    kept["HasChanged"] = None
    return kept


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
