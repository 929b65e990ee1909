"""Formatted values, as a user in the United States sees them.

https://learn.microsoft.com/power-apps/developer/data-platform/webapi/query/select-columns#formatted-values
"""

import pytest

from confmig.emulator.storage.formatting import shown_date, shown_money, shown_number

from .client import ALL, NAME, Client
from .test_filters import CONTOSO, FABRIKAM, TEA


def test_every_type_is_shown_as_the_service_shows_it(reading: Client) -> None:
    row = reading.get(f"accounts({CONTOSO})", **ALL)
    shown = {name.removesuffix(NAME): value for name, value in row.items() if name.endswith(NAME)}
    wanted = {
        "revenue": "€1,234,567.50",
        "_transactioncurrencyid_value": "Euro",
        "numberofemployees": "5,000",
        "rate": "1.500",
        "industrycode": "Apples",
        "tastes": "Sweet; Salty",
        "creditonhold": "Yes",
        "opened": "4/7/2021",
        "lastused": "4/7/2023 9:59 PM",
        "renewal": "1/2/2024",
        "statecode": "Active",
        "statuscode": "Active",
        "_primarycontactid_value": "Ana Bowman",
        "_createdby_value": "# confmig-emulator",
    }
    assert {name: shown.get(name) for name in wanted} == wanted
    assert shown["versionnumber"] == f"{row['versionnumber']:,}"
    assert not {"name", "accountid", "tickersymbol"} & shown.keys()


def test_an_annotation_stands_before_its_value(reading: Client) -> None:
    row = reading.get(f"accounts({CONTOSO})?$select=_primarycontactid_value", **ALL)
    assert [name.partition("@")[2] for name in row if name.startswith("_primary")] == [
        "OData.Community.Display.V1.FormattedValue",
        "Microsoft.Dynamics.CRM.associatednavigationproperty",
        "Microsoft.Dynamics.CRM.lookuplogicalname",
        "",
    ]


def test_an_amount_has_the_places_and_the_sign_of_its_currency(reading: Client) -> None:
    assert reading.get(f"accounts({FABRIKAM})?$select=revenue", **ALL)[f"revenue{NAME}"] == "(¥20)"


def test_null_is_not_shown(reading: Client) -> None:
    row = reading.get(f"accounts({TEA})?$select=revenue,opened,tastes,industrycode,numberofemployees", **ALL)
    assert not [name for name in row if name.endswith(NAME)]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("2023-04-07T00:05:00Z", "4/7/2023 12:05 AM"),
        ("2023-04-07T12:00:00Z", "4/7/2023 12:00 PM"),
        ("2023-12-31T13:07:00Z", "12/31/2023 1:07 PM"),
    ],
)
def test_hours_are_counted_to_twelve(value: str, shown: str) -> None:
    assert shown_date(value, 0) == shown


def test_numbers_have_groups() -> None:
    assert shown_number("1234567.5", 2) == "1,234,567.50"
    assert shown_number("-1234", 0) == "-1,234"
    assert shown_money("1000", None, None, None) == "$1,000.00"
    assert shown_money("-1000", "€", "EUR", 2) == "(€1,000.00)"
