"""What a recording says of columns as Microsoft's service describes them, which has more kinds than the emulator."""

from decimal import Decimal
from typing import Any

import pytest

from confmig.errors import ServiceError
from confmig.webapi.recordedcolumns import record_choice, record_column, record_status

TABLE = {"LogicalName": "account", "PrimaryIdAttribute": "accountid", "ManyToOneRelationships": []}


def attribute(name: str, kind: str, **more: Any) -> dict[str, Any]:
    return {
        "LogicalName": name,
        "SchemaName": name,
        "AttributeTypeName": {"Value": f"{kind}Type"},
        "AttributeOf": None,
        "IsCustomAttribute": "_" in name,
        "IsValidForCreate": True,
        "IsValidForUpdate": True,
        "IsValidODataAttribute": True,
        "RequiredLevel": {"Value": "None"},
        "SourceType": 0,
        **more,
    }


def label(**texts: str) -> dict[str, Any]:
    localized = [{"Label": text, "LanguageCode": int(code.removeprefix("l"))} for code, text in texts.items()]
    return {"LocalizedLabels": localized, "UserLocalizedLabel": localized[0] if localized else None}


@pytest.mark.parametrize(
    "column",
    [
        attribute("primarycontactidname", "String", AttributeOf="primarycontactid"),
        attribute("entityimage_url", "String", AttributeOf="entityimage"),
        attribute("statecodename", "Virtual"),
        attribute("iscustomizable", "ManagedProperty"),
        attribute("address1_composite_lookup", "CalendarRules"),
        attribute("hidden", "String", IsValidODataAttribute=False),
        attribute("regardingobjectid", "Lookup", Targets=["nowhere"]),
        attribute("masterid", "Lookup", Targets=[]),
    ],
    ids=lambda column: str(column["LogicalName"]),
)
def test_what_cannot_be_served_is_left_out(column: dict[str, Any]) -> None:
    assert record_column(TABLE, column, {"account", "contact"}) is None


@pytest.mark.parametrize(
    ("column", "said"),
    [
        (
            attribute("name", "String", MaxLength=160, FormatName={"Value": "Text"}, DisplayName=label(l1033="Name")),
            {"type": "String", "display_name": "Name", "max_length": 160},
        ),
        (
            attribute("emailaddress1", "String", MaxLength=100, FormatName={"Value": "Email"}),
            {"type": "String", "max_length": 100, "format": "Email"},
        ),
        (
            attribute("new_Text", "Memo", MaxLength=2000, Format="TextArea", DisplayName=label(l1031="X", l1033="T")),
            {"type": "Memo", "display_name": {1031: "X", 1033: "T"}, "max_length": 2000},
        ),
        (
            attribute("primarycontactid", "Lookup", Targets=["contact", "nowhere"], SchemaName="PrimaryContactId"),
            {"type": "Lookup", "schema_name": "PrimaryContactId", "targets": ["contact"]},
        ),
        (
            attribute("new_share", "Decimal", MinValue=Decimal("0.00000"), MaxValue=Decimal("0.9999"), Precision=4),
            {"type": "Decimal", "min": 0, "max": "0.9999", "precision": 4},
        ),
        (
            attribute("debt", "Money", MinValue=Decimal("-922337203685477.0"), MaxValue=922337203685477, Precision=2),
            {"type": "Money", "precision": 2, "precision_source": None},
        ),
        (
            attribute("createdon", "DateTime", IsValidForCreate=False, IsValidForUpdate=False, Format="DateAndTime",
                      DateTimeBehavior={"Value": "UserLocal"}),
            {"type": "DateTime", "writable": False, "format": "DateAndTime"},
        ),
        (
            attribute("accountid", "Uniqueidentifier", IsValidForUpdate=False,
                      RequiredLevel={"Value": "SystemRequired"}),
            {"type": "Uniqueidentifier"},
        ),
        (
            attribute("new_total", "Integer", SourceType=2, IsValidForCreate=False, MinValue=0, MaxValue=2147483647),
            {"type": "Integer", "source": "rollup", "creatable": False, "min": 0},
        ),
        (
            attribute("new_tastes", "MultiSelectPicklist", DefaultFormValue=-1,
                      OptionSet={"IsGlobal": True, "Name": "new_taste", "Options": []}),
            {"type": "MultiSelectPicklist", "choice": "new_taste"},
        ),
        (
            attribute("new_ok", "Boolean", DefaultValue=True, OptionSet={
                "FalseOption": {"Value": 0, "Label": label(l1033="Bad")},
                "TrueOption": {"Value": 1, "Label": label(l1033="Good"), "Color": "#00ff00"}}),
            {"type": "Boolean", "default": 1, "options": {0: "Bad", 1: {"label": "Good", "color": "#00ff00"}}},
        ),
        (
            attribute("own", "String", IsCustomAttribute=True, MaxLength=10, RequiredLevel={"Value": "Recommended"}),
            {"type": "String", "max_length": 10, "custom": True, "level": "Recommended"},
        ),
    ],
    ids=lambda given: str(given.get("LogicalName", "")),
)  # fmt: skip
def test_a_column_is_said_without_what_goes_without_saying(column: dict[str, Any], said: dict[str, Any]) -> None:
    assert record_column(TABLE, column, {"account", "contact"}) == {
        name: value for name, value in said.items() if value is not None
    }


def test_the_transitions_of_a_status_are_recorded() -> None:
    data = (
        '<allowedtransitions xmlns="http://schemas.microsoft.com/crm/2009/WebServices">'
        '<allowedtransition sourcestatusid="1" tostatusid="3" /><allowedtransition sourcestatusid="1" tostatusid="2" />'
        "</allowedtransitions>"
    )
    option = {"Value": 1, "State": 0, "Label": label(l1033="Open"), "TransitionData": data}
    assert record_status(option) == {"label": "Open", "state": 0, "transitions": [3, 2]}
    with pytest.raises(ServiceError, match="transitions"):
        record_status({**option, "TransitionData": "<allowed"})


def test_a_global_choice_is_said_once() -> None:
    options = [
        {"Value": 5, "Label": label(l1033="Sweet"), "ExternalValue": "S"},
        {"Value": 6, "Label": label(l1033="Sour")},
    ]
    said = record_choice({"Name": "new_taste", "DisplayName": label(l1033="Taste"), "Options": options})
    assert said == {"display_name": "Taste", "options": {5: {"label": "Sweet", "external_value": "S"}, 6: "Sour"}}
