"""The parts of metadata that repeat: labels, managed properties, option sets."""

from confmig.emulator import naming
from confmig.emulator.model import Column, Option

Json = dict[str, object]
LANGUAGE = 1033


def label(text: str) -> Json:
    """A label in the one language of the environment; without a text it has no languages at all.

    https://learn.microsoft.com/power-apps/developer/data-platform/webapi/reference/label
    """
    if not text:
        return {"LocalizedLabels": [], "UserLocalizedLabel": None}
    one = {
        "Label": text,
        "LanguageCode": LANGUAGE,
        "IsManaged": False,
        "MetadataId": naming.stable_id("label", text),
        "HasChanged": None,
    }
    return {"LocalizedLabels": [one], "UserLocalizedLabel": one}


def managed(value: object, name: str) -> Json:
    """A managed property."""
    return {"Value": value, "CanBeChanged": True, "ManagedPropertyLogicalName": name}


def choices(column: Column) -> Json:
    """The option set of a column, with the values that come with it; empty for a type that has none."""
    if column.type == "Boolean":
        labels = {option.value: option for option in column.options} or {0: Option(0, "No"), 1: Option(1, "Yes")}
        return {
            "DefaultValue": column.default == 1,
            "OptionSet": _option_set(column, "Boolean")
            | {"FalseOption": _option(labels[0]), "TrueOption": _option(labels[1])},
        }
    if column.type not in ("Picklist", "State", "Status", "MultiSelectPicklist"):
        return {}
    kind = {"State": "State", "Status": "Status"}.get(column.type, "Picklist")
    options = []
    for option in column.options:
        one = _option(option)
        if column.type == "Status":
            one |= {
                "@odata.type": "#Microsoft.Dynamics.CRM.StatusOptionMetadata",
                "State": option.state,
                "TransitionData": None,
            }
        elif column.type == "State":
            one |= {
                "@odata.type": "#Microsoft.Dynamics.CRM.StateOptionMetadata",
                "DefaultStatus": None,
                "InvariantName": option.label,
            }
        options.append(one)
    return {
        "DefaultFormValue": -1 if column.default is None else column.default,
        "OptionSet": _option_set(column, kind) | {"Options": options},
        "GlobalOptionSet": None,
    }


def _option_set(column: Column, kind: str) -> Json:
    return {
        "@odata.type": "#Microsoft.Dynamics.CRM."
        + ("BooleanOptionSetMetadata" if kind == "Boolean" else "OptionSetMetadata"),
        "MetadataId": naming.stable_id("optionset", column.name),
        "Name": column.name,
        "IsGlobal": False,
        "OptionSetType": kind,
        "DisplayName": label(column.display_name or column.name),
    }


def _option(option: Option) -> Json:
    return {
        "Value": option.value,
        "Label": label(option.label),
        "Description": label(option.description),
        "Color": option.color,
        "IsManaged": False,
        "ExternalValue": option.external_value,
        "MetadataId": None,
        "HasChanged": None,
    }
