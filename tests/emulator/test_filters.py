"""``$filter``: operators, paths, lambdas, wildcards and what is refused, as the documents have them."""

import pytest

from .client import Client, error

CONTOSO, FABRIKAM, ADVENTURE, TEA = (f"a0000000-0000-4000-8000-00000000000{number}" for number in (1, 2, 3, 4))
ANA = "c0000000-0000-4000-8000-000000000001"
_INITIALS = {"Contoso": "C", "Fabrikam": "F", "Adventure Works": "A", "100% [Pure]_Tea": "T"}


def found(client: Client, condition: str, more: str = "") -> str:
    """The initials of the accounts that a filter finds, in the order of their ids."""
    escaped = condition.replace("%", "%25").replace("+", "%2B").replace("&", "%26")
    return "".join(_INITIALS[row["name"]] for row in client.rows(f"accounts?$select=name&$filter={escaped}{more}"))


@pytest.mark.parametrize(
    ("condition", "rows"),
    [
        # not binds more tightly than and, and that more tightly than or.
        ("not contains(name,'a') or name eq 'Fabrikam' and numberofemployees eq 1", "C"),
        ("not (contains(name,'a') or name eq 'Contoso')", ""),
        ("name eq 'Contoso' or name eq 'Fabrikam' and numberofemployees eq 1", "C"),
        ("(name eq 'Contoso' or name eq 'Fabrikam') and numberofemployees eq 12", "F"),
        ("not not startswith(name,'con')", "C"),
        # What is null is different from any value, and is neither more nor less.
        ("numberofemployees ne 12", "CT"),
        ("numberofemployees lt 100", "FA"),
        ("not (numberofemployees lt 100)", "CT"),
        ("revenue eq null", "AT"),
        ("revenue ne null and revenue lt 0", "F"),
        ("creditonhold eq true", "C"),
        ("creditonhold ne true", "FAT"),
        ("rate eq 1.50", "C"),
        ("rate gt 1.4999 and rate lt 15e-1", ""),
        ("revenue eq 1234567.5000", "C"),
        ("industrycode eq 2", "C"),
        ("industrycode eq '2'", "C"),
        ("opened ge 2022-01-01", "F"),
        ("lastused eq 2023-04-07T23:59:01+02:00", "C"),
        (f"accountid eq {CONTOSO}", "C"),
        (f"_primarycontactid_value eq '{ANA}'", "C"),
        ("name eq 'CONTOSO '", "C"),
        # Properties of the same row.
        ("name eq tickersymbol", "F"),
        ("name ne tickersymbol", "C"),
        # Over lookups, several of them.
        ("primarycontactid/fullname eq 'ana bowman'", "C"),
        ("primarycontactid/fullname eq null", "AT"),
        ("primarycontactid/fullname ne 'Bo Bo'", "CAT"),
        ("parentaccountid/parentaccountid/name eq 'Contoso'", "A"),
        ("parentaccountid/primarycontactid/parentcustomerid_account/name eq 'Contoso'", "FA"),
        (f"primarycontactid/_parentcustomerid_value eq {CONTOSO}", "CF"),
        ("contains(parentaccountid/primarycontactid/jobtitle,'BUY')", "F"),
        ("primarycontactid/createdby/fullname ne null", "CF"),
        # Lists.
        ("name in ('contoso','Fabrikam')", "CF"),
        ("numberofemployees in (12,13)", "FA"),
        ("not (name in ('contoso'))", "FAT"),
        # Collections.
        ("account_task_regardingobjectid/any(t:t/subject eq 'call')", "C"),
        ("account_task_regardingobjectid/any()", "CF"),
        ("not account_task_regardingobjectid/any()", "AT"),
        ("account_task_regardingobjectid/all(t:t/priority lt 3)", "CAT"),
        ("account_task_regardingobjectid/any(t:t/priority lt 3 and not contains(t/subject,'Call'))", "C"),
        ("account_labels/any(l:l/title eq 'Blue')", "C"),
        ("account_labels/any(l:l/title eq 'Red') and account_labels/all(l:l/title ne 'Blue')", "F"),
        ("account_labels/any(l:l/label_accounts/any(a:a/name eq 'Fabrikam' and a/creditonhold eq false))", "CF"),
        (
            "account_contact_parentcustomerid/any(c:c/jobtitle eq 'Buyer' and "
            "c/contact_task_regardingobjectid/any(t:t/subject eq 'Call back'))",
            "C",
        ),
        # Wildcards, which the service leaves to SQL Server.
        ("contains(name,'[Pure]')", "FAT"),
        ("contains(name,'[[]Pure]')", "T"),
        ("startswith(name,'[a-c]')", "CA"),
        ("startswith(name,'[^a-c]')", "FT"),
        ("endswith(name,'_kam')", "F"),
        ("contains(name,'t%s')", "CA"),
        ("contains(name,'o_k')", "A"),
        ("contains(name,'100[%]')", "T"),
        ("contains(name,'x\\')", ""),
    ],
)
def test_a_filter_finds_what_it_says(reading: Client, condition: str, rows: str) -> None:
    assert found(reading, condition) == rows


def test_aliases_stand_for_properties_and_values(reading: Client) -> None:
    assert found(reading, "@p1 eq @p2", "&@p1=name&@p2='contoso'") == "C"
    assert found(reading, "@p1 ne @p3", "&@p1=revenue") == "CF"
    values = '&@p1=\'lastname\'&@p2=["BO","O\'Hara"]'
    rows = reading.rows(
        f"contacts?$select=fullname&$filter=Microsoft.Dynamics.CRM.In(PropertyName=@p1,PropertyValues=@p2){values}"
    )
    assert [row["fullname"] for row in rows] == ["Bo Bo", "Cy O'Hara"]


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ("name eq 'O'Bryan'", "There is an unterminated literal at position 17 in 'name eq 'O'Bryan''."),
        ("Name eq 'x'", "Could not find a property named 'Name' on type 'Microsoft.Dynamics.CRM.account'."),
        (
            "primarycontactid/Name eq 'x'",
            "Could not find a property named 'Name' on type 'Microsoft.Dynamics.CRM.contact'.",
        ),
        ("tolower(name) eq 'x'", "An unknown function with name 'tolower' was found."),
        (
            "Microsoft.Dynamics.CRM.In(PropertyName='name',PropertyValues=['O'Brian','O'Bryan'])",
            "Invalid JSON. A comma character ',' was expected in scope 'Array'. Every two elements in an array and "
            "properties of an object must be separated by commas.",
        ),
    ],
)
def test_the_documented_texts_of_what_is_wrong(reading: Client, condition: str, message: str) -> None:
    reply = reading.send("GET", f"accounts?$filter={condition}")
    assert error(reply) == (400, "0x80060888")
    assert reply.json()["error"]["message"] == message


@pytest.mark.parametrize(
    "condition",
    [
        "primarycontactid/contact_task_regardingobjectid/any(t:t/subject eq 'x')",
        "account_task_regardingobjectid/any(t:subject eq 'x')",
        "account_task_regardingobjectid/subject eq 'x'",
        "primarycontactid/any(c:c/fullname eq 'x')",
        "name eq numberofemployees",
        "contains(numberofemployees,'1')",
        "numberofemployees eq 'x'",
        "name eq",
        "eq 'x'",
        "name eq 'x' name eq 'y'",
        "((((name eq 'x')))",
        "name in 'x'",
        "Microsoft.Dynamics.CRM.Nothing(PropertyName='name')",
        "Microsoft.Dynamics.CRM.Between(PropertyName='numberofemployees',PropertyValues=[\"5\"])",
        "Microsoft.Dynamics.CRM.LastXDays(PropertyName='name',PropertyValue=3)",
        "Microsoft.Dynamics.CRM.LastXDays(PropertyName='lastused',PropertyValue=-3)",
        "Microsoft.Dynamics.CRM.LastXDays(PropertyName='lastused')",
        "Microsoft.Dynamics.CRM.Today(PropertyName='lastused',PropertyValue=1)",
        "Microsoft.Dynamics.CRM.Contains(PropertyName='name',PropertyValue='x')",
        "Microsoft.Dynamics.CRM.Under(PropertyName='primarycontactid',PropertyValue='" + ANA + "')",
        "Microsoft.Dynamics.CRM.In(PropertyName='name',PropertyValues=@x)&@x=[\"\\ud800\"]",
        "name eq @x&@x='a' or 1 eq 1",
        "not " * 200 + "name eq 'x'",
    ],
)
def test_what_cannot_be_a_filter_is_refused(reading: Client, condition: str) -> None:
    assert error(reading.send("GET", f"accounts?$filter={condition}"))[0] == 400


def test_a_path_over_more_tables_than_a_query_joins_is_refused(reading: Client) -> None:
    for number, expected in ((15, 200), (16, 400), (400, 400)):
        path = "createdby/" * number + "fullname"
        for query in (f"$filter={path} eq 'x'", f"$orderby={path}"):
            reply = reading.send("GET", f"accounts?$select=name&{query}")
            assert reply.status_code == expected, reply.text
            assert expected == 200 or error(reply) == (400, "0x8004430D")


def test_equal_texts_differ_at_most_by_case_and_blanks_at_the_end(fresh_reading: Client) -> None:
    texts = ["ab", "AB ", "aB  ", "ab!", "ab\tx", "abc", "a", " ab", "ab\u00a0", "äb"]
    for text in texts:
        fresh_reading.create("labels", {"title": text})
    for wanted, expected in (
        ("ab", texts[:3]),
        ("AB  ", texts[:3]),
        ("äb", ["äb"]),
        ("ab!", ["ab!"]),
        ("abc", ["abc"]),
    ):
        rows = fresh_reading.rows(f"labels?$select=title&$filter=title eq '{wanted}'")
        assert sorted(row["title"] for row in rows) == sorted(expected)
