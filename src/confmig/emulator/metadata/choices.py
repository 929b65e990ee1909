"""The parts of metadata that repeat: labels, managed properties, option sets."""

from collections.abc import Iterable, Mapping

from confmig.emulator.catalog import naming
from confmig.emulator.catalog.model import Column, Option, OptionSet, Translations

Json = dict[str, object]
LANGUAGE = 1033


def label(text: str, translations: Translations = ()) -> Json:
    """A label; without a text it has no languages at all.

    https://learn.microsoft.com/power-apps/developer/data-platform/webapi/reference/label

    Args:
        text: The text in the language of the environment.
        translations: The text in other languages.
    """
    localized = [_localized(code, each) for code, each in ((LANGUAGE, text), *translations) if each]
    return {"LocalizedLabels": localized, "UserLocalizedLabel": localized[0] if localized else None}


def _localized(code: int, text: str) -> Json:
    return {
        "Label": text,
        "LanguageCode": code,
        "IsManaged": False,
        "MetadataId": naming.stable_id("label", text),
        "HasChanged": None,
    }


def managed(value: object, name: str) -> Json:
    """A managed property."""
    return {"Value": value, "CanBeChanged": True, "ManagedPropertyLogicalName": name}


def choices(table: str, column: Column, option_sets: Mapping[str, OptionSet]) -> Json:
    """The option set of a column, with the values that come with it; empty for a type that has none.

    Args:
        table: The table.
        column: The column.
        option_sets: The global choices by name.
    """
    shared = option_sets.get(column.option_set or "")
    if column.type == "Boolean":
        return {
            "DefaultValue": column.default == 1,
            "OptionSet": _own_set(table, column, "Boolean") | _two_options(column.options),
            "GlobalOptionSet": None if shared is None else option_set(shared),
        }
    if column.type not in ("Picklist", "State", "Status", "MultiSelectPicklist"):
        return {}
    options = [_status(option) if column.type == "Status" else _option(option) for option in column.options]
    if column.type == "State":
        options = [one | _state(option) for one, option in zip(options, column.options, strict=True)]
    kind = column.type if column.type in ("State", "Status") else "Picklist"
    own = _own_set(table, column, kind) if shared is None else _set_properties(shared)
    return {
        "DefaultFormValue": -1 if column.default is None else column.default,
        "OptionSet": own | {"Options": options},
        "GlobalOptionSet": None if shared is None else option_set(shared),
    }


def option_set(one: OptionSet) -> Json:
    """A global choice."""
    if one.kind == "Boolean":
        return _set_properties(one) | _two_options(one.options)
    return _set_properties(one) | {"Options": [_option(option) for option in one.options]}


def _set_properties(one: OptionSet) -> Json:
    return _set(one.kind, one.name, one.display_name or one.name) | {
        "MetadataId": set_id(one),
        "IsGlobal": True,
        "IsCustomOptionSet": "_" in one.name,
        "Description": label(one.description),
    }


def set_id(one: OptionSet) -> str:
    """The MetadataId of a global choice."""
    return one.metadata_id or naming.stable_id("optionset", one.name)


def _own_set(table: str, column: Column, kind: str) -> Json:
    return _set(kind, f"{table}_{column.name}", column.display_name or column.name) | {
        "IsCustomOptionSet": column.custom
    }


def _set(kind: str, name: str, display_name: str) -> Json:
    return {
        "@odata.type": "#Microsoft.Dynamics.CRM."
        + ("BooleanOptionSetMetadata" if kind == "Boolean" else "OptionSetMetadata"),
        "MetadataId": naming.stable_id("optionset", name),
        "HasChanged": None,
        "Name": name,
        "IsGlobal": False,
        "OptionSetType": kind,
        "DisplayName": label(display_name),
        "Description": label(""),
        "IsManaged": False,
        "ExternalTypeName": None,
        "IntroducedVersion": "1.0",
        "ParentOptionSetName": None,
        "IsCustomizable": managed(True, "iscustomizable"),
    }


def _two_options(options: Iterable[Option]) -> Json:
    labels = {option.value: option for option in options} or {0: Option(0, "No"), 1: Option(1, "Yes")}
    return {"FalseOption": _option(labels[0]), "TrueOption": _option(labels[1])}


def _status(option: Option) -> Json:
    return _option(option) | {
        "@odata.type": "#Microsoft.Dynamics.CRM.StatusOptionMetadata",
        "State": option.state,
        "TransitionData": None,
    }


def _state(option: Option) -> Json:
    return {
        "@odata.type": "#Microsoft.Dynamics.CRM.StateOptionMetadata",
        "DefaultStatus": None,
        "InvariantName": option.label,
    }


def _option(option: Option) -> Json:
    return {
        "Value": option.value,
        "Label": label(option.label, option.translations),
        "Description": label(option.description),
        "Color": option.color,
        "IsManaged": False,
        "ExternalValue": option.external_value,
        "ParentValues": [],
        "Tag": None,
        "IsHidden": False,
        "MetadataId": None,
        "HasChanged": None,
    }
