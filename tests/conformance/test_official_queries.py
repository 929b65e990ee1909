"""Queries of Microsoft's Python client: SQL, data frames and FetchXML, in a batch and asynchronously.

What its documentation and its examples say that the service answers:
https://learn.microsoft.com/power-apps/developer/data-platform/sdk-python/query
https://github.com/microsoft/PowerPlatform-DataverseClient-Python/tree/main/examples/advanced
"""

import asyncio
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from azure.core.credentials import AccessToken
from PowerPlatform.Dataverse.aio.async_client import AsyncDataverseClient
from PowerPlatform.Dataverse.client import DataverseClient
from PowerPlatform.Dataverse.core.errors import HttpError

from confmig.emulator.http.server import Emulator
from confmig.emulator.options import EmulatorOptions
from tests.conftest import REPOSITORY

from .test_official_client import TOKEN, Credential, connected

QUERIES = str(REPOSITORY / "tests/emulator/queries.yml")


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    with Emulator(EmulatorOptions(environment=QUERIES, token=TOKEN, self_signed=True)) as running:
        yield running


@pytest.fixture
def client(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Iterator[DataverseClient]:
    with connected(emulator, monkeypatch) as opened:
        yield opened


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SELECT TOP 2 fullname FROM contact ORDER BY fullname DESC", ["élan", "Dora 50%"]),
        ("SELECT fullname FROM Contact AS c WHERE c.new_vip = 1", ["Ann", "Cara"]),
        ("SELECT fullname FROM contact WHERE new_hours > 8 OR new_rate > 10", ["bob", "Cara"]),
        ("SELECT fullname FROM contact WHERE fullname LIKE 'd%'", ["Dora 50%"]),
        ("SELECT fullname FROM contact WHERE fullname NOT LIKE 'd%' AND new_rank IS NULL", ["élan"]),
        ("SELECT fullname FROM contact WHERE fullname IN ('ANN', 'bob')", ["Ann", "bob"]),
        ("SELECT fullname FROM contact WHERE fullname NOT IN ('ANN', 'bob') AND new_hours IS NOT NULL", ["Cara"]),
        ("SELECT fullname FROM contact WHERE new_rate BETWEEN 0.15 AND 20", ["bob", "Cara"]),
        (
            "SELECT fullname FROM contact ORDER BY fullname OFFSET 1 ROWS FETCH NEXT 2 ROWS ONLY",
            ["bob", "Cara"],
        ),
        (
            "SELECT c.fullname, a.name FROM contact c JOIN account a ON c.parentcustomerid = a.accountid "
            "WHERE a.name = 'Middle'",
            ["Cara"],
        ),
    ],
)
def test_sql(client: DataverseClient, text: str, expected: list[str]) -> None:
    assert [row["fullname"] for row in client.query.sql(text)] == expected


def test_sql_joins_and_aggregates(client: DataverseClient) -> None:
    rows = client.query.sql(
        "SELECT a.name, COUNT(c.contactid) as cnt FROM account a "
        "JOIN contact c ON a.accountid = c.parentcustomerid GROUP BY a.name"
    )
    assert sorted((row["name"], row["cnt"]) for row in rows) == [("Middle", 1), ("Top", 2)]
    left = client.query.sql(
        "SELECT a.name, c.fullname FROM account a LEFT JOIN contact c ON a.accountid = c.parentcustomerid"
    )
    assert sorted((row["name"], row.get("fullname", "")) for row in left)[:2] == [("Bottom", ""), ("Cara", "")]
    (totals,) = client.query.sql("SELECT COUNT(*) as cnt, SUM(new_rate) as total, AVG(new_hours) as mean FROM contact")
    assert (totals["cnt"], totals["total"], totals["mean"]) == (5, 10.55, 9)
    ranks = client.query.sql("SELECT DISTINCT new_rank FROM contact WHERE new_rank IS NOT NULL")
    assert {row["new_rank"] for row in ranks} == {1, 2, 3}


def test_sql_owners_of_either_kind(client: DataverseClient) -> None:
    users = client.query.sql(
        "SELECT a.name, u.fullname as owner FROM account a JOIN systemuser u ON a.ownerid = u.systemuserid"
    )
    teams = client.query.sql("SELECT a.name, t.name as owner FROM account a JOIN team t ON a.ownerid = t.teamid")
    assert [(row["name"], row["owner"]) for row in teams] == [("Bottom", "Sales")]
    assert {row["owner"] for row in users} == {"# confmig-emulator"}


def test_sql_as_a_data_frame(client: DataverseClient) -> None:
    frame = client.dataframe.sql("SELECT fullname, new_hours FROM contact WHERE new_hours IS NOT NULL")
    assert frame["new_hours"].sum() == 28
    assert list(frame.columns) == ["fullname", "new_hours", "contactid"]


def test_columns_for_sql(client: DataverseClient) -> None:
    columns = client.query.sql_columns("contact")
    assert [(column["name"], column["is_pk"]) for column in columns[:2]] == [("contactid", True), ("fullname", False)]
    usable = ", ".join(column["name"] for column in columns if column["type"] != "PartyList")
    assert len(client.query.sql(f"SELECT TOP 1 {usable} FROM contact")) == 1  # noqa: S608 (names of metadata)


def test_sql_in_a_batch(client: DataverseClient) -> None:
    batch = client.batch.new()
    batch.query.sql("SELECT fullname FROM contact WHERE new_vip = 1 AND fullname <> 'a + b'")
    batch.query.sql("SELECT name FROM account WHERE nothing = 1")
    result = batch.execute(continue_on_error=True)
    assert [row["fullname"] for row in result.responses[0].data["value"]] == ["Ann", "Cara"]  # type: ignore[index]
    assert result.failed[0].error_code == "0x80041103"


def test_sql_that_the_service_refuses(client: DataverseClient) -> None:
    with pytest.raises(HttpError) as caught:
        client.query.sql("SELECT fullname FROM contact WHERE UPPER(fullname) = 'ANN'")
    assert caught.value.status_code == 400


@contextmanager
def no_warnings() -> Iterator[None]:
    """Fail where the client warns, as it does when pages do not go on as they should."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        warnings.simplefilter("error", RuntimeWarning)
        yield


@pytest.fixture(scope="module")
def crowd(emulator: Emulator) -> int:
    """More tags than a page holds."""
    monkeypatch = pytest.MonkeyPatch()
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(emulator.authority))
    with DataverseClient(emulator.url, Credential()) as opened:
        for start in (0, 3_000):
            opened.records.create("new_tag", [{"new_name": f"N{start + number:05}"} for number in range(3_000)])
    monkeypatch.undo()
    return 6_002


def test_sql_beyond_a_page(client: DataverseClient, crowd: int) -> None:
    with no_warnings():
        rows = client.query.sql("SELECT new_tagid FROM new_tag")
    assert len({row["new_tagid"] for row in rows}) == len(rows) == crowd


def fetch(inner: str, options: str = "", table: str = "contact") -> str:
    return f'<fetch {options}><entity name="{table}">{inner}</entity></fetch>'


@pytest.mark.parametrize(
    "order",
    ["", '<order attribute="new_name" />', '<order attribute="new_name" descending="true" />'],
)
def test_fetchxml_beyond_a_page(client: DataverseClient, crowd: int, order: str) -> None:
    query = client.query.fetchxml(fetch(f'<attribute name="new_name" />{order}', table="new_tag"))
    with no_warnings():
        pages = [len(page) for page in query.execute_pages()]
        names = [row["new_name"] for row in query.execute()]
    assert pages == [5_000, crowd - 5_000]
    assert len(set(names)) == crowd
    if order:
        assert names == sorted(names, reverse="descending" in order)


@pytest.mark.parametrize(
    "inner",
    [
        '<attribute name="fullname" /><order attribute="new_hours" />',
        '<attribute name="fullname" /><order attribute="parentcustomerid" /><order attribute="new_rank" />',
        '<attribute name="fullname" /><link-entity name="new_contact_tag_link" from="contactid" to="contactid" />',
    ],
)
def test_fetchxml_pages(client: DataverseClient, inner: str) -> None:
    whole = [row.data for row in client.query.fetchxml(fetch(inner)).execute()]
    with no_warnings():
        pages = list(client.query.fetchxml(fetch(inner, 'count="2"')).execute_pages())
    assert [row.data for page in pages for row in page] == whole
    assert all(len(page) == 2 for page in pages[:-1])


def test_fetchxml_ordered_by_a_link(client: DataverseClient) -> None:
    """The service gives no cookie then, and the client says so and goes on by the number of the page."""
    link = '<link-entity name="account" from="accountid" to="parentcustomerid"><order attribute="name" /></link-entity>'
    query = client.query.fetchxml(fetch(f'<attribute name="fullname" />{link}', 'count="2"'))
    with pytest.warns(UserWarning, match="paging cookie"):
        rows = [row["fullname"] for row in query.execute()]
    assert rows == ["Cara", "Ann", "bob"]


def test_fetchxml_links_and_aggregates(client: DataverseClient) -> None:
    link = (
        '<link-entity name="account" from="accountid" to="parentcustomerid" alias="a" link-type="{}">'
        '<attribute name="name" {} /></link-entity>'
    )
    rows = client.query.fetchxml(fetch('<attribute name="fullname" />' + link.format("outer", ""))).execute()
    assert [row.get("a.name", "") for row in rows] == ["Top", "Top", "Middle", "", ""]
    functions = "".join(
        f'<attribute name="new_hours" aggregate="{name}" alias="{name}" />' for name in ("count", "sum", "min")
    )
    grouped = functions + link.format("inner", 'groupby="true" alias="account"') + '<order alias="account" />'
    found: list[Any] = [row.data for row in client.query.fetchxml(fetch(grouped, 'aggregate="true"')).execute()]
    assert found == [
        {"count": 1, "sum": 8, "min": 8, "account": "Middle"},
        {"count": 2, "sum": 20, "min": 8, "account": "Top"},
    ]


class AsyncCredential:
    """Gives the emulator's token, as a sign-in would."""

    async def get_token(self, *_: str, **__: Any) -> AccessToken:
        return AccessToken(TOKEN, 9_999_999_999)

    async def close(self) -> None:
        """Nothing to close."""

    async def __aenter__(self) -> "AsyncCredential":
        return self

    async def __aexit__(self, *_: object) -> None:
        """Nothing to close."""


def test_queries_asynchronously(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")

    async def run(url: str) -> tuple[list[str], list[int]]:
        async with AsyncDataverseClient(url, AsyncCredential()) as client:
            rows = await client.query.sql("SELECT fullname FROM contact WHERE new_vip = 1")
            query = client.query.fetchxml(fetch('<attribute name="fullname" />', 'count="2"'))
            return [row["fullname"] for row in rows], [len(page) async for page in query.execute_pages()]

    with Emulator(EmulatorOptions(environment=QUERIES, token=TOKEN)) as plain:
        assert asyncio.run(run(plain.url)) == (["Ann", "Cara"], [2, 2, 1])
