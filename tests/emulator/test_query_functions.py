"""Dataverse's own query functions, each at least once.

https://learn.microsoft.com/power-apps/developer/data-platform/webapi/reference/queryfunctions
"""

from datetime import UTC, datetime, timedelta

import pytest

from .client import Client, error
from .test_filters import ADVENTURE, CONTOSO, FABRIKAM, found


def function(name: str, column: str, *values: str) -> str:
    given = "".join(f",{value}" for value in values)
    return f"Microsoft.Dynamics.CRM.{name}(PropertyName='{column}'{given})"


@pytest.mark.parametrize(
    ("condition", "rows"),
    [
        (function("In", "name", "PropertyValues=['contoso','x']"), "C"),
        (function("NotIn", "numberofemployees", "PropertyValues=['12']"), "C"),
        (function("Between", "numberofemployees", 'PropertyValues=["12","4999"]'), "FA"),
        (function("NotBetween", "numberofemployees", 'PropertyValues=["12","4999"]'), "C"),
        (function("Between", "opened", 'PropertyValues=["2021-01-01","2021-12-31"]'), "C"),
        (function("Between", "revenue", 'PropertyValues=["-20","3"]'), "F"),
        (function("ContainValues", "tastes", 'PropertyValues=["3","2"]'), "C"),
        (function("DoesNotContainValues", "tastes", 'PropertyValues=["3"]'), "FAT"),
        (function("On", "lastused", "PropertyValue='2023-04-07'"), "C"),
        (function("NotOn", "lastused", "PropertyValue='2023-04-07'"), "FAT"),
        (function("OnOrAfter", "lastused", "PropertyValue='2023-04-08'"), ""),
        (function("OnOrBefore", "lastused", "PropertyValue='2023-04-07'"), "C"),
        (function("OnOrBefore", "opened", "PropertyValue='2021-12-31'"), "C"),
        (function("InFiscalYear", "opened", "PropertyValue=2022"), "F"),
        (function("InFiscalPeriod", "opened", "PropertyValue=2"), "C"),
        (function("InFiscalPeriodAndYear", "opened", "PropertyValue1=1", "PropertyValue2=2022"), "F"),
        (function("InOrBeforeFiscalPeriodAndYear", "opened", "PropertyValue1=4", "PropertyValue2=2021"), "C"),
        (function("InOrAfterFiscalPeriodAndYear", "opened", "PropertyValue1=1", "PropertyValue2=2022"), "F"),
        (function("OlderThanXYears", "lastused", "PropertyValue=1"), "C"),
        (function("EqualUserId", "ownerid"), "CFAT"),
        (function("NotEqualUserId", "_ownerid_value"), ""),
        (function("EqualUserId", "createdby"), "CFAT"),
        (function("NotEqualBusinessId", "owningbusinessunit"), ""),
        (function("EqualBusinessId", "owningbusinessunit"), "CFAT"),
        (function("EqualUserTeams", "ownerid"), ""),
        (function("EqualUserOrUserTeams", "ownerid"), "CFAT"),
        (function("EqualUserOrUserHierarchy", "ownerid"), "CFAT"),
        (function("EqualUserOrUserHierarchyAndTeams", "ownerid"), "CFAT"),
        (function("EqualUserLanguage", "numberofemployees"), ""),
        (function("Under", "accountid", f"PropertyValue='{CONTOSO}'"), "FA"),
        (function("UnderOrEqual", "accountid", f"PropertyValue='{CONTOSO}'"), "CFA"),
        (function("NotUnder", "accountid", f"PropertyValue='{FABRIKAM}'"), "CFT"),
        (function("Above", "accountid", f"PropertyValue='{ADVENTURE}'"), "CF"),
        (function("AboveOrEqual", "accountid", f"PropertyValue='{ADVENTURE}'"), "CFA"),
        (function("Under", "parentaccountid", f"PropertyValue='{CONTOSO}'"), "A"),
    ],
)
def test_a_query_function(reading: Client, condition: str, rows: str) -> None:
    assert found(reading, condition) == rows


@pytest.mark.parametrize("name", ["EqualBusinessId", "EqualRoleBusinessId"])
def test_users_of_the_business_unit_of_the_caller(reading: Client, name: str) -> None:
    users = reading.rows(f"systemusers?$select=systemuserid&$filter={function(name, 'businessunitid')}")
    assert reading.get("WhoAmI")["UserId"] in [user["systemuserid"] for user in users]


@pytest.mark.parametrize("condition", ["not {}", "name eq 'x' and not (name eq 'y' or {})"])
def test_query_functions_cannot_be_negated(reading: Client, condition: str) -> None:
    text = condition.format(function("Last7Days", "createdon"))
    reply = reading.send("GET", f"accounts?$select=name&$filter={text}")
    assert error(reply) == (400, "0x80060888")
    message = "Not operator along with the Custom Named Condition operators is not allowed"
    assert reply.json()["error"]["message"] == message


def test_a_query_function_inside_a_lambda_names_the_property_of_the_row(reading: Client) -> None:
    inner = function("Between", "priority", 'PropertyValues=["4","9"]')
    assert found(reading, f"account_task_regardingobjectid/any(t:{inner})") == "F"


@pytest.mark.parametrize(
    ("name", "ago", "holds"),
    [
        ("Today", timedelta(), True),
        ("Today", timedelta(days=1), False),
        ("Yesterday", timedelta(days=1), True),
        ("Tomorrow", timedelta(days=-1), True),
        ("Last7Days", timedelta(days=6), True),
        ("Last7Days", timedelta(days=8), False),
        ("Next7Days", timedelta(days=-6), True),
        ("ThisYear", timedelta(days=400), False),
        ("LastXDays(3)", timedelta(days=2), True),
        ("LastXDays(3)", timedelta(days=5), False),
        ("NextXDays(3)", timedelta(days=-2), True),
        ("NextXDays(3)", timedelta(days=2), False),
        ("LastXHours(3)", timedelta(hours=2), True),
        ("LastXHours(3)", timedelta(hours=5), False),
        ("NextXHours(3)", timedelta(hours=-2), True),
        ("LastXWeeks(2)", timedelta(days=13), True),
        ("LastXMonths(2)", timedelta(days=45), True),
        ("LastXYears(2)", timedelta(days=600), True),
        ("NextXWeeks(2)", timedelta(days=-13), True),
        ("NextXMonths(2)", timedelta(days=-45), True),
        ("NextXYears(2)", timedelta(days=-600), True),
        ("OlderThanXMinutes(30)", timedelta(minutes=45), True),
        ("OlderThanXMinutes(30)", timedelta(minutes=10), False),
        ("OlderThanXHours(3)", timedelta(hours=5), True),
        ("OlderThanXDays(3)", timedelta(days=5), True),
        ("OlderThanXWeeks(1)", timedelta(days=12), True),
        ("OlderThanXMonths(1)", timedelta(days=40), True),
        ("LastXFiscalYears(1)", timedelta(days=30), True),
        ("NextXFiscalPeriods(2)", timedelta(days=-80), True),
    ],
)
def test_a_window_is_about_the_time_of_the_request(
    fresh_reading: Client, name: str, ago: timedelta, holds: bool
) -> None:
    """The rows are well within or well outside; the unit tests of the windows look at their edges."""
    moment = (datetime.now(UTC) - ago).strftime("%Y-%m-%dT%H:%M:%SZ")
    row_id = fresh_reading.create("accounts", {"name": "Contoso", "lastused": moment})
    called, _, number = name.partition("(")
    condition = function(called, "lastused", *([f"PropertyValue={number[:-1]}"] if number else []))
    rows = fresh_reading.rows(f"accounts?$select=name&$filter={condition}")
    assert (row_id in [row["accountid"] for row in rows]) is holds


@pytest.mark.parametrize(
    "name",
    ["ThisWeek", "ThisMonth", "ThisYear", "ThisFiscalYear", "ThisFiscalPeriod"],
)
def test_now_is_in_the_present_period_and_in_neither_neighbour(fresh_reading: Client, name: str) -> None:
    moment = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    row_id = fresh_reading.create("accounts", {"name": "Contoso", "lastused": moment})
    for step, holds in (("Last", False), ("This", True), ("Next", False)):
        condition = function(name.replace("This", step), "lastused")
        rows = fresh_reading.rows(f"accounts?$select=name&$filter={condition}")
        assert (row_id in [row["accountid"] for row in rows]) is holds


def test_functions_about_rows_of_other_tables(reading: Client) -> None:
    sour = "Microsoft.Dynamics.CRM.In(PropertyName='lastname',PropertyValues=['Bowman'])"
    assert found(reading, f"account_contact_parentcustomerid/any(o1:(o1/{sour}))") == found(
        reading, "account_contact_parentcustomerid/any(o1:o1/lastname eq 'Bowman')"
    )
    assert found(reading, f"primarycontactid/{sour}") == found(reading, "primarycontactid/lastname eq 'Bowman'") != ""
    created = "o1/createdby/Microsoft.Dynamics.CRM.EqualUserId(PropertyName='systemuserid')"
    assert found(reading, f"account_contact_parentcustomerid/any(o1:{created})") == found(
        reading, "account_contact_parentcustomerid/any()"
    )
