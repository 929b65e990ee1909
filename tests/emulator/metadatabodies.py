"""Bodies of metadata as the documents write them, for the tests that change metadata."""

from typing import Any

Json = dict[str, Any]
CRM = "Microsoft.Dynamics.CRM."


def label(text: str, **others: str) -> Json:
    """A label in English, and in other languages given as ``_1036="Bas"``."""
    texts = {1033: text} | {int(code.lstrip("_")): other for code, other in others.items()}
    localized = [
        {"@odata.type": f"{CRM}LocalizedLabel", "Label": each, "LanguageCode": code} for code, each in texts.items()
    ]
    return {"@odata.type": f"{CRM}Label", "LocalizedLabels": localized}


def attribute(kind: str, name: str, **more: Any) -> Json:
    """A column of a type, such as ``String``."""
    return {
        "@odata.type": f"{CRM}{kind}AttributeMetadata",
        "SchemaName": name,
        "DisplayName": label(name.partition("_")[2]),
        "RequiredLevel": {"Value": "None"},
        **more,
    }


def option(value: int | None, text: str, **others: str) -> Json:
    return {"Value": value, "Label": label(text, **others)}


def choice(kind: str, name: str, *options: Json, **more: Any) -> Json:
    """A column with a choice of its own."""
    own = {"@odata.type": f"{CRM}OptionSetMetadata", "IsGlobal": False, "Options": list(options)}
    return attribute(kind, name, OptionSet=own, **more)


def table(name: str, *attributes: Json, **more: Any) -> Json:
    """A table with its primary column and others."""
    prefix = name.partition("_")[0]
    primary = attribute("String", f"{prefix}_Name", MaxLength=100, FormatName={"Value": "Text"}, IsPrimaryName=True)
    return {
        "@odata.type": f"{CRM}EntityMetadata",
        "SchemaName": name,
        "DisplayName": label(name.partition("_")[2]),
        "DisplayCollectionName": label(name.partition("_")[2] + "s"),
        "Description": label("A table"),
        "OwnershipType": "UserOwned",
        "HasActivities": False,
        "HasNotes": False,
        "IsActivity": False,
        "Attributes": [primary, *attributes],
        **more,
    }


def one_to_many(name: str, parent: str, child: str, lookup: str, **more: Any) -> Json:
    """A 1:N relationship with its lookup."""
    return {
        "@odata.type": f"{CRM}OneToManyRelationshipMetadata",
        "SchemaName": name,
        "ReferencedEntity": parent,
        "ReferencingEntity": child,
        "Lookup": attribute("Lookup", lookup),
        **more,
    }


def many_to_many(name: str, one: str, two: str, **more: Any) -> Json:
    """An N:N relationship."""
    return {
        "@odata.type": f"{CRM}ManyToManyRelationshipMetadata",
        "SchemaName": name,
        "Entity1LogicalName": one,
        "Entity2LogicalName": two,
        "IntersectEntityName": name.lower(),
        **more,
    }
