"""SQL: a SELECT statement in the ``sql`` option."""

from typing import Any
from urllib.parse import parse_qs, quote, urlparse

import pytest

from .client import ALL, NAME, TARGET, Client, error

ANN, BOB, CARA = (f"c0000000-0000-4000-8000-00000000000{number}" for number in range(1, 4))
TOP, MIDDLE = (f"a0000000-0000-4000-8000-00000000000{number}" for number in (1, 2))
FROM_CONTACT = "SELECT fullname FROM contact WHERE "
ATTRIBUTE = "@OData.Community.Display.V1.AttributeName"


def sql(client: Client, text: str, entity_set: str = "contacts", **headers: str) -> list[dict[str, Any]]:
    """All rows that a query answers, over all its pages."""
    return client.rows(f"{entity_set}?sql={quote(text)}", **headers)


def names(client: Client, conditions: str) -> list[str]:
    """The names of the contacts that meet conditions, in the order of their ids."""
    return [row["fullname"].split()[0] for row in sql(client, FROM_CONTACT + conditions)]


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ("fullname = 'BOB '", ["bob"]),
        ("fullname = N'Élan'", ["élan"]),
        ("fullname <> 'Ann' AND new_hours = 8", ["Cara"]),
        ("nickname != 'Rob'", ["Ann", "élan"]),
        ("'c' < fullname", ["Cara", "Dora", "élan"]),
        ("new_hours > 8", ["bob"]),
        ("new_hours >= 7.5 AND new_hours < 8.5", ["Ann", "Cara"]),
        ("new_rate = 0.10", ["Ann"]),
        ("new_rate BETWEEN 0.15 AND 11", ["bob", "Cara"]),
        ("new_hours NOT BETWEEN 9 AND 20", ["Ann", "Cara"]),
        ("new_vip = 1", ["Ann", "Cara"]),
        ("new_vip = 'True'", ["Ann", "Cara"]),
        ("new_rank IN (1, 3)", ["Ann", "Cara", "Dora"]),
        ("fullname NOT IN ('ann', 'BOB')", ["Cara", "Dora", "élan"]),
        ("fullname LIKE '%[%]'", ["Dora"]),
        ("fullname LIKE '_o%'", ["bob", "Dora"]),
        ("fullname NOT LIKE '[a-c]%'", ["Dora", "élan"]),
        ("nickname IS NULL", ["Cara", "Dora"]),
        ("nickname IS NOT NULL AND NOT nickname LIKE 'a%'", ["bob"]),
        ("nickname = NULL OR nickname <> NULL", []),
        ("(new_hours = 12 OR new_rank = 1) AND fullname < 'B'", ["Ann"]),
        ("NOT (new_hours = 8 OR new_hours IS NULL)", ["bob"]),
        (f"contactid IN ('{ANN}', '{{{BOB.upper()}}}')", ["Ann", "bob"]),
        (f"parentcustomerid = '{MIDDLE}'", ["Cara"]),
        (f"contactid > '{BOB}'", ["Cara", "Dora", "élan"]),
        ("birthdate = '1990-02-03'", ["Ann"]),
        ("new_since >= '2023-08-27 23:30:00'", ["bob", "Cara"]),
        ("new_since < DATEADD(month, 5, '2023-03-25')", ["Ann"]),
        ("new_since < DATEADD(day, -3, GETUTCDATE()) AND new_since > DATEADD(yy, -1, '2024-06-01')", ["bob", "Cara"]),
        ("new_likes = '2'", ["bob"]),
        ("[fullname] = 'Cara' -- a comment", ["Cara"]),
        ("/* nothing */ contact.fullname = 'Cara';", ["Cara"]),
        ("fullname = 'o''hara'", []),
    ],
)
def test_conditions(queries: Client, conditions: str, expected: list[str]) -> None:
    assert names(queries, conditions) == expected


def test_a_row_has_its_version_and_its_key(queries: Client) -> None:
    (row,) = sql(queries, "SELECT fullname, parentcustomerid, nickname FROM contact c WHERE c.fullname = 'Cara'")
    assert set(row) == {"@odata.etag", "contactid", "fullname", "_parentcustomerid_value"}
    assert (row["contactid"], row["_parentcustomerid_value"]) == (CARA, MIDDLE)


def test_the_answer_as_documented(queries: Client) -> None:
    """https://learn.microsoft.com/power-apps/developer/data-platform/webapi/query/sql"""
    text = "SELECT a.name, a.ownerid AS account_owner\nFROM account AS a\nWHERE a.name LIKE 'Top'"
    answer = queries.get(f"accounts?sql={quote(text)}", **ALL)
    assert answer["@odata.context"].endswith("$metadata#accounts(name,accountid)")
    assert answer["@Microsoft.Dynamics.CRM.totalrecordcount"] == -1
    assert answer["@Microsoft.Dynamics.CRM.totalrecordcountlimitexceeded"] is False
    (row,) = answer["value"]
    assert (row["account_owner" + ATTRIBUTE], row["account_owner" + TARGET]) == ("ownerid", "systemuser")
    assert row["account_owner" + NAME] == "# confmig-emulator"


def test_joins(queries: Client) -> None:
    text = (
        "SELECT a.name, c.fullname, c.contactid FROM account AS a INNER JOIN contact AS c "
        "ON a.accountid = c.parentcustomerid ORDER BY a.name DESC, c.fullname DESC"
    )
    rows = sql(queries, text, "accounts")
    assert [(row["name"], row["fullname"]) for row in rows] == [("Top", "bob"), ("Top", "Ann"), ("Middle", "Cara")]
    left = sql(queries, text.replace("INNER JOIN", "LEFT OUTER JOIN"), "accounts")
    assert [(row["name"], row.get("fullname")) for row in left][-1:] == [("Bottom", None)]
    with_more = text.replace("parentcustomerid", "parentcustomerid AND (c.fullname LIKE 'A%' OR c.new_hours = 12)")
    assert [row["fullname"] for row in sql(queries, with_more, "accounts")] == ["bob", "Ann"]


def test_a_table_joined_with_itself_and_names_given_twice(queries: Client) -> None:
    text = (
        "SELECT child.name AS account, parent.name AS parent_account FROM account AS child "
        "INNER JOIN account AS parent ON child.parentaccountid = parent.accountid ORDER BY account"
    )
    rows = sql(queries, text, "accounts")
    assert [(row["account"], row["parent_account"]) for row in rows] == [("Bottom", "Middle"), ("Middle", "Top")]
    (row,) = sql(queries, text.replace(" AS account,", ",").replace(" AS parent_account", "").replace(
        "ORDER BY account", "WHERE child.name = 'Middle'"), "accounts")  # fmt: skip
    assert (row["name"], row["parent.name"]) == ("Middle", "Top")


def test_several_joins_and_a_list_of_tables(queries: Client) -> None:
    text = (
        "SELECT TOP 3 a.name, c.fullname, su.fullname AS owner, bu.name AS unit, cr.fullname AS creator "
        "FROM account a JOIN contact c ON a.accountid = c.parentcustomerid "
        "JOIN systemuser su ON a.ownerid = su.systemuserid "
        "JOIN businessunit bu ON su.businessunitid = bu.businessunitid "
        "JOIN systemuser cr ON a.createdby = cr.systemuserid"
    )
    rows = sql(queries, text, "accounts")
    assert {row["owner"] for row in rows} == {"# confmig-emulator"}
    tags = "SELECT c.fullname, t.new_name FROM contact c, new_tag t WHERE c.fullname = 'Ann'"
    assert [row["new_name"] for row in sql(queries, tags)] == ["Red", "Blue"]


def test_order_top_and_windows(queries: Client) -> None:
    ordered = "SELECT {} fullname FROM contact ORDER BY new_hours DESC, fullname {}"
    assert [row["fullname"] for row in sql(queries, ordered.format("TOP 3", ""))] == ["bob", "Ann", "Cara"]
    assert sql(queries, ordered.format("TOP (0)", "")) == []
    window = ordered.format("", "OFFSET {} ROWS FETCH NEXT 2 ROWS ONLY")
    pages = [[row["fullname"].split()[0] for row in sql(queries, window.format(offset))] for offset in (0, 2, 4, 6)]
    assert pages == [["bob", "Ann"], ["Cara", "Dora"], ["élan"], []]
    by_value = sql(queries, "SELECT fullname FROM contact WHERE new_rank IS NOT NULL ORDER BY new_rank, fullname")
    assert [row["fullname"].split()[0] for row in by_value] == ["Ann", "Dora", "bob", "Cara"]


def test_distinct(queries: Client) -> None:
    assert sql(queries, "SELECT DISTINCT new_hours FROM contact") == [{"new_hours": 8}, {"new_hours": 12}, {}]
    assert len(sql(queries, "SELECT DISTINCT TOP 2 new_hours FROM contact")) == 2


def test_aggregates(queries: Client) -> None:
    text = (
        "SELECT COUNT(*) as cnt, COUNT(new_rate) rates, COUNT(DISTINCT new_hours) AS different, "
        "SUM(new_rate) AS total, AVG(new_hours) AS average, MIN(new_hours) AS least, "
        "MAX(new_since) AS latest FROM contact"
    )
    (row,) = sql(queries, text)
    assert row == {
        "cnt": 5, "rates": 3, "different": 2, "total": "10.5500000000", "average": 9, "least": 8,
        "latest": "2024-01-01T00:00:00Z",
    }  # fmt: skip
    assert sql(queries, "SELECT COUNT(*) AS n FROM contact WHERE fullname = 'nobody'") == [{"n": 0}]


def test_groups(queries: Client) -> None:
    text = (
        "SELECT a.name, COUNT(c.contactid) AS number, SUM(c.new_hours) AS hours FROM account a "
        "JOIN contact c ON a.accountid = c.parentcustomerid GROUP BY a.name ORDER BY {}"
    )
    rows = sql(queries, text.format("number DESC"), "accounts")
    assert rows == [{"name": "Top", "number": 2, "hours": 20}, {"name": "Middle", "number": 1, "hours": 8}]
    assert sql(queries, text.format("a.name"), "accounts") == rows[::-1]
    choices = sql(queries, "SELECT new_rank, COUNT(*) AS n FROM contact GROUP BY new_rank ORDER BY new_rank", **ALL)
    assert [(row.get("new_rank"), row.get("new_rank" + NAME), row["n"]) for row in choices] == [
        (None, None, 1), (1, "Zinc", 2), (2, "Gold", 1), (3, "Iron", 1)
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "SELECT fullname FROM contact",
        "SELECT fullname FROM contact ORDER BY fullname DESC",
        "SELECT new_hours FROM contact ORDER BY new_hours",
        "SELECT DISTINCT new_hours FROM contact",
        "SELECT c.fullname, t.new_tagid FROM contact c LEFT JOIN new_contact_tag_link t ON c.contactid = t.contactid",
        "SELECT c.fullname FROM contact c LEFT JOIN account a ON c.parentcustomerid = a.accountid ORDER BY a.name",
        "SELECT new_rank, COUNT(*) AS n FROM contact GROUP BY new_rank",
        "SELECT TOP 3 fullname FROM contact",
        "SELECT fullname FROM contact ORDER BY fullname OFFSET 1 ROWS FETCH NEXT 3 ROWS ONLY",
    ],
)
def test_pages(queries: Client, text: str) -> None:
    whole = sql(queries, text)
    assert sql(queries, text, Prefer="odata.maxpagesize=2") == whole
    page = queries.get(f"contacts?sql={quote(text)}", Prefer="odata.maxpagesize=2")
    assert len(page["value"]) == 2
    (token,) = parse_qs(urlparse(page["@odata.nextLink"]).query)["$skiptoken"]
    assert token.startswith('<cookie pagenumber="2" pagingcookie="%3ccookie%20page%3d%221%22%3e')


@pytest.mark.parametrize(
    "text",
    [
        "SELECT * FROM contact",
        "SELECT c.* FROM contact c",
        "SELECT 'abc' FROM contact",
        "SELECT new_hours + 1 FROM contact",
        "SELECT LEN(fullname) FROM contact",
        "SELECT CASE WHEN new_hours > 1 THEN 1 ELSE 0 END FROM contact",
        "SELECT fullname FROM contact; SELECT name FROM account",
        "SELECT fullname FROM contact SELECT name FROM account",
        "DELETE FROM contact",
        "UPDATE contact SET fullname = 'x'",
        "WITH c AS (SELECT fullname FROM contact) SELECT fullname FROM c",
        "SELECT fullname FROM contact UNION SELECT name FROM account",
        "SELECT new_hours, COUNT(*) FROM contact GROUP BY new_hours HAVING COUNT(*) > 1",
        "SELECT fullname FROM contact WHERE contactid IN (SELECT contactid FROM contact)",
        "SELECT fullname FROM contact WHERE EXISTS (SELECT contactid FROM contact)",
        "SELECT fullname FROM (SELECT fullname FROM contact) c",
        "SELECT fullname FROM contact WHERE 1 = 1",
        "SELECT fullname FROM contact WHERE new_hours > new_least",
        "SELECT fullname FROM contact WHERE new_hours > 5 + 1",
        "SELECT fullname FROM contact WHERE DATEADD(day, 1, new_since) > GETUTCDATE()",
        "SELECT fullname FROM contact WHERE new_since > DATEADD(day, 1, new_since)",
        "SELECT fullname FROM contact WHERE new_since > DATEADD(eon, 1, GETUTCDATE())",
        "SELECT fullname FROM contact WHERE new_since > DATEADD(year, 99999, GETUTCDATE())",
        "SELECT fullname FROM contact WHERE YEAR(new_since) = 2023",
        "SELECT fullname FROM contact ORDER BY LEN(fullname)",
        "SELECT fullname FROM contact ORDER BY 1",
        "SELECT fullname FROM contact GROUP BY new_hours",
        "SELECT new_hours FROM contact GROUP BY new_hours ORDER BY fullname",
        "SELECT ROW_NUMBER() OVER (ORDER BY fullname) FROM contact",
        "SELECT COUNT(*) OVER () FROM contact",
        "SELECT TOP 5001 fullname FROM contact",
        "SELECT TOP 5 PERCENT fullname FROM contact",
        "SELECT fullname FROM contact c RIGHT JOIN account a ON a.accountid = c.parentcustomerid",
        "SELECT fullname FROM contact c FULL OUTER JOIN account a ON a.accountid = c.parentcustomerid",
        "SELECT fullname FROM contact c CROSS JOIN account a",
        "SELECT fullname FROM contact c JOIN account a ON c.fullname LIKE 'A%'",
        "SELECT fullname FROM contact c JOIN account a ON a.accountid <> c.parentcustomerid",
        "SELECT fullname FROM contact c JOIN account a ON a.accountid = c.parentcustomerid OR a.name = 'x'",
        "SELECT fullname FROM contact c JOIN account a ON a.accountid = c.parentcustomerid AND c.fullname LIKE 'A%'",
        "SELECT fullname FROM contact c JOIN account a ON a.accountid = a.primarycontactid",
        "SELECT fullname FROM contact c JOIN contact c ON c.contactid = c.parentcustomerid",
        "SELECT ownerid FROM contact c JOIN account a ON a.accountid = c.parentcustomerid",
        "SELECT x.fullname FROM contact c",
        "SELECT fullname AS x, nickname AS x FROM contact",
        "SELECT nothing FROM contact",
        "SELECT fullname FROM nothing",
        "SELECT name FROM account",
        "SELECT fullname contact",
        "SELECT FROM contact",
        "SELECT fullname FROM contact WHERE",
        "SELECT fullname FROM contact WHERE fullname = 'open",
        "SELECT fullname FROM contact WHERE fullname LIKE 'a!%' ESCAPE '!'",
        "SELECT fullname FROM contact WHERE new_hours = 'many'",
        "SELECT fullname FROM contact WHERE contactid = 'x'",
        "SELECT fullname FROM contact LIMIT 5",
        "SELECT SUM(fullname) FROM contact",
        "SELECT fullname FROM contact WHERE " + "(" * 200 + "new_hours = 1" + ")" * 200,
        "SELECT fullname FROM contact WHERE new_since > " + "DATEADD(day, 1, " * 200 + "GETUTCDATE()" + ")" * 200,
        FROM_CONTACT + " OR ".join(["new_hours = 1"] * 501),
        "",
        "\x00",
        "😀",
    ],
)
def test_what_is_not_answered(queries: Client, text: str) -> None:
    status, code = error(queries.send("GET", f"contacts?sql={quote(text)}"))
    assert (status, code[:2]) == (400, "0x")


def test_codes_of_names_and_limits(queries: Client) -> None:
    def code(text: str) -> str:
        return error(queries.send("GET", f"contacts?sql={quote(text)}"))[1]

    assert code("SELECT nothing FROM contact") == "0x80041103"
    assert code("SELECT fullname FROM contact c JOIN nothing n ON n.id = c.contactid") == "0x80041102"
    assert code(FROM_CONTACT + " OR ".join(["new_hours = 1"] * 501)) == "0x8004430C"


def test_a_token_that_is_none(queries: Client) -> None:
    path = f"contacts?sql={quote(FROM_CONTACT + 'new_hours = 8')}&$skiptoken=rubbish"
    assert error(queries.send("GET", path))[0] == 400
