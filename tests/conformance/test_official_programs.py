"""What programs do with Microsoft's Python client, each played by its blocking and by its asynchronous half.

The steps are those of the client's own examples: tables made and filled, queries built, data frames, files, batches.
https://github.com/microsoft/PowerPlatform-DataverseClient-Python/tree/main/examples
"""

import asyncio
import inspect
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from enum import IntEnum
from pathlib import Path
from typing import Any

import pandas  # type: ignore[import-untyped]
import pytest
import requests
from PowerPlatform.Dataverse.aio.async_client import AsyncDataverseClient
from PowerPlatform.Dataverse.client import DataverseClient
from PowerPlatform.Dataverse.core.errors import HttpError
from PowerPlatform.Dataverse.models import ExpandOption, UpsertItem, col, raw

from confmig.emulator.http.server import Emulator
from confmig.emulator.options import EmulatorOptions

from . import test_official_async_client as asynchronous
from . import test_official_client as blocking
from .test_official_client import NOBODY, TOKEN, reach_directly

OFFICE = str(Path(__file__).with_name("office.yml"))
WORKS = "a0000000-0000-4000-8000-000000000001"
ADA = "c0000000-0000-4000-8000-000000000001"
CHUNK = 4 * 1024 * 1024

Program = Callable[[Any, Path], Awaitable[None]]


async def done(value: Any) -> Any:
    """What a call gives, at once or later."""
    return await value if inspect.isawaitable(value) else value


async def listed(values: Any) -> list[Any]:
    """All of an iterator of either kind."""
    return [value async for value in values] if hasattr(values, "__aiter__") else list(values)


@asynccontextmanager
async def within(context: Any) -> AsyncIterator[Any]:
    """A context manager of either kind."""
    if hasattr(context, "__aenter__"):
        async with context as inner:
            yield inner
    else:
        with context as inner:
            yield inner


def fresh(prefix: str) -> str:
    return f"{prefix}{uuid.uuid4().hex[:8]}"


class Urgency(IntEnum):
    LOW = 1
    MEDIUM = 2
    HIGH = 3


async def a_table_is_made_filled_queried_and_dropped(client: Any, _folder: Path) -> None:
    name = fresh("new_Repair")
    columns = {
        "new_Title": "string",
        "new_Quantity": "int",
        "new_Amount": "decimal",
        "new_Completed": "bool",
        "new_Notes": "memo",
        "new_Urgency": Urgency,
    }
    made = await done(client.tables.create(name, columns, display_name="Repair"))
    assert set(made["columns_created"]) == set(columns)
    rows = [
        {
            "new_Title": f"Job {n}",
            "new_Quantity": n,
            "new_Amount": n * 10.5,
            "new_Completed": n > 3,
            "new_Urgency": "High",
        }
        for n in range(1, 6)
    ]
    first = await done(client.records.create(name, {**rows[0], "new_Urgency": Urgency.LOW, "new_Notes": "One\nTwo"}))
    await done(client.records.create(name, rows[1:]))
    row = await done(client.records.retrieve(name, first, include_annotations="*"))
    formatted = "new_urgency@OData.Community.Display.V1.FormattedValue"
    assert (row["new_notes"], row["new_amount"], row[formatted]) == ("One\nTwo", 10.5, "LOW")
    query = client.query.builder(name).select("new_Title").where(col("new_Completed") == False)  # noqa: E712
    found = await done(query.where(col("new_Quantity").between(2, 9)).order_by("new_Quantity").execute())
    assert [one["new_title"] for one in found] == ["Job 2", "Job 3"]
    urgent = client.query.builder(name).where(col("new_Urgency").in_([Urgency.HIGH, Urgency.MEDIUM]))
    assert len(list(await done(urgent.execute()))) == 4
    await done(client.tables.add_columns(name, {"new_Extra": "string"}))
    await done(client.records.update(name, first, {"new_Extra": "later"}))
    await done(client.tables.remove_columns(name, ["new_Extra"]))
    await done(client.tables.delete(name))
    assert await done(client.tables.get(name)) is None


async def a_key_is_made_and_rows_are_upserted_by_it(client: Any, _folder: Path) -> None:
    name = fresh("new_Part")
    await done(client.tables.create(name, {"new_externalid": "string", "new_Price": "decimal"}))
    key = await done(client.tables.create_alternate_key(name, f"{name}_Key", ["new_externalid"]))
    (known,) = await done(client.tables.get_alternate_keys(name))
    assert (known.metadata_id, known.key_attributes, known.status) == (key.metadata_id, ["new_externalid"], "Active")

    async def upsert(**prices: float) -> None:
        items = [UpsertItem({"new_externalid": part}, {"new_price": price}) for part, price in prices.items()]
        await done(client.records.upsert(name, items))

    await upsert(A=1)
    await upsert(A=2.5)
    await upsert(A=3, B=4)
    rows = await done(client.records.list(name, select=["new_externalid", "new_price"], orderby=["new_externalid"]))
    assert [(row["new_externalid"], row["new_price"]) for row in rows] == [("A", 3), ("B", 4)]
    await done(client.tables.delete_alternate_key(name, key.metadata_id))
    await done(client.tables.delete(name))


async def lookups_are_made_bound_and_expanded(client: Any, _folder: Path) -> None:
    parent, child = fresh("new_Shop"), fresh("new_Order")
    shop = await done(client.tables.create(parent, {"new_Code": "string"}))
    order = await done(client.tables.create(child, {"new_Number": "int"}))
    field = await done(
        client.tables.create_lookup_field(
            referencing_table=order["table_logical_name"],
            lookup_field_name="new_ShopId",
            referenced_table=shop["table_logical_name"],
            display_name="Shop",
        )
    )
    one = await done(client.records.create(parent, {"new_Code": "S1"}))
    await done(client.records.create(child, [
        {"new_Number": n, "new_ShopId@odata.bind": f"/{shop['entity_set_name']}({one})"} for n in (1, 2)
    ]))  # fmt: skip
    query = client.query.builder(child).select("new_Number").expand(ExpandOption("new_ShopId").select("new_code"))
    rows = list(await done(query.order_by("new_Number").execute()))
    assert [(row["new_number"], row["new_ShopId"]["new_code"]) for row in rows] == [(1, "S1"), (2, "S1")]
    expands = await done(client.query.odata_expands(child))
    assert [e["nav_property"] for e in expands if e["target_table"] == shop["table_logical_name"]] == ["new_ShopId"]
    await done(client.tables.delete_relationship(field.relationship_id))
    for table in (child, parent):
        await done(client.tables.delete(table))


async def queries_are_built(client: Any, _folder: Path) -> None:
    mark = fresh("Q")
    rows = [{"name": f"{mark} {n}", "numberofemployees": n, "telephone1": None if n % 2 else "1"} for n in range(9)]
    await done(client.records.create("account", rows))
    own = col("name").startswith(mark)

    async def numbers(condition: Any) -> list[int]:
        query = client.query.builder("account").select("numberofemployees").where(own & condition)
        return [row["numberofemployees"] for row in await done(query.order_by("numberofemployees").execute())]

    number = col("numberofemployees")
    assert await numbers(number > 5) == [6, 7, 8]
    assert await numbers((number < 2) | (number == 7)) == [0, 1, 7]
    assert await numbers(~(number >= 2)) == [0, 1]
    assert await numbers(number.in_([1, 3, 99])) == [1, 3]
    assert await numbers(number.not_in([0, 1, 2, 3, 4, 5, 6])) == [7, 8]
    assert await numbers(number.not_between(1, 7)) == [0, 8]
    assert await numbers(col("telephone1").is_null()) == [1, 3, 5, 7]
    assert await numbers(col("telephone1").is_not_null() & (number <= 2)) == [0, 2]
    assert await numbers(col("name").like("% 4")) == [4]
    assert await numbers(raw("contains(name,' 5')")) == [5]


async def queries_come_in_pages(client: Any, _folder: Path) -> None:
    mark = fresh("P")
    await done(client.records.create("account", [{"name": f"{mark} {n:02}"} for n in range(11)]))
    query = client.query.builder("account").select("name").where(col("name").startswith(mark)).order_by("name")
    pages = await listed(query.page_size(4).execute_pages())
    assert [len(page) for page in pages] == [4, 4, 3]
    assert [row["name"] for page in pages for row in page] == [f"{mark} {n:02}" for n in range(11)]
    top = (
        client.query.builder("account")
        .select("name")
        .where(col("name").startswith(mark))
        .order_by("name", descending=True)
    )
    assert [row["name"] for row in await done(top.top(2).execute())] == [f"{mark} 10", f"{mark} 09"]


async def rows_are_expanded_and_annotated(client: Any, _folder: Path) -> None:
    tasks = ExpandOption("account_task_regardingobjectid").select("subject").order_by("subject", descending=True).top(1)
    query = client.query.builder("account").select("name", "industrycode").where(col("accountid") == WORKS)
    (row,) = await done(query.expand(tasks, "primarycontactid").include_formatted_values().execute())
    assert [task["subject"] for task in row["account_task_regardingobjectid"]] == ["Order tyres"]
    assert row["industrycode@OData.Community.Display.V1.FormattedValue"] == "Broadcasting"
    one = await done(
        client.records.retrieve(
            "contact", ADA, select=["fullname"], expand=["parentcustomerid_account"], include_annotations="*"
        )
    )
    assert one["parentcustomerid_account"]["name"] == "Cycle Works"


async def rows_are_queried_by_sql(client: Any, _folder: Path) -> None:
    rows = await done(client.query.sql("SELECT name, numberofemployees FROM account WHERE accountnumber = 'CW-1'"))
    assert [(row["name"], row["numberofemployees"]) for row in rows] == [("Cycle Works", 12)]
    frame = await done(
        client.dataframe.sql(
            "SELECT TOP 1 c.fullname, a.name FROM contact c INNER JOIN account a ON c.parentcustomerid = a.accountid "
            "WHERE a.accountnumber = 'CW-1' ORDER BY c.fullname"
        )
    )
    assert "Ada Quist" in frame.iloc[0].tolist()
    columns = await done(client.query.sql_columns("new_bicycle"))
    assert {"new_name", "new_year"} <= {column["name"] for column in columns}


async def data_frames_are_written_and_read(client: Any, _folder: Path) -> None:
    mark = fresh("F")
    frame = pandas.DataFrame(
        [
            {
                "name": f"A {mark}",
                "telephone1": "1",
                "websiteurl": "a",
                "lastonholdtime": pandas.Timestamp("2026-06-15 10:30"),
            },
            {"name": f"B {mark}", "telephone1": "2", "websiteurl": None, "lastonholdtime": None},
            {"name": f"C {mark}", "telephone1": None, "websiteurl": "c", "lastonholdtime": None},
        ]
    )
    frame["accountid"] = await done(client.dataframe.create("account", frame))

    async def read() -> Any:
        query = client.query.builder("account").select("name", "telephone1", "websiteurl", "lastonholdtime")
        result = await done(query.where(raw(f"contains(name,'{mark}')")).order_by("name").execute())
        return result.to_dataframe()

    assert (await read())["lastonholdtime"].tolist()[0] == "2026-06-15T10:30:00Z"
    frame["telephone1"] = ["7", "8", "9"]
    await done(client.dataframe.update("account", frame[["accountid", "telephone1"]], id_column="accountid"))
    same = frame[["accountid"]].assign(websiteurl="w")
    await done(client.dataframe.update("account", same, id_column="accountid"))
    sparse = pandas.DataFrame([{"accountid": frame["accountid"].iloc[0], "telephone1": "x", "websiteurl": None}])
    await done(client.dataframe.update("account", sparse, id_column="accountid"))
    kept = await read()
    assert kept["telephone1"].tolist() == ["x", "8", "9"]
    assert kept["websiteurl"].tolist() == ["w", "w", "w"]
    clear = sparse[["accountid", "websiteurl"]]
    await done(client.dataframe.update("account", clear, id_column="accountid", clear_nulls=True))
    assert (await read())["websiteurl"].isna().tolist() == [True, False, False]
    await done(client.dataframe.delete("account", frame["accountid"], use_bulk_delete=False))
    assert len(await read()) == 0


async def files_are_uploaded(client: Any, folder: Path) -> None:
    row = await done(client.records.create("new_bicycle", {"new_name": "Filed"}))

    async def upload(size: int, name: str, **options: Any) -> bytes:
        content = (bytes(range(251)) * (size // 251 + 1))[:size]  # a block that moves shows
        path = folder / f"{name}-{uuid.uuid4().hex}.bin"
        await asyncio.to_thread(path.write_bytes, content)
        await done(client.files.upload("new_bicycle", row, "new_manual", str(path), **options))
        return content

    for size, options in (
        (1000, {"mode": "small"}),
        (CHUNK + 17, {"mode": "chunk", "if_none_match": False}),
        (2 * CHUNK, {"mode": "chunk", "if_none_match": False}),
        (5000, {"if_none_match": False, "mime_type": "text/plain"}),
    ):
        content = await upload(size, "manual", **options)
        assert await download(client, f"new_bicycles({row})/new_manual/$value") == content


async def download(client: Any, path: str) -> bytes:
    """The client gives no bytes back: they are fetched beside it."""
    url = f"{client._base_url}/api/data/v9.2/{path}"

    def fetch() -> bytes:
        reply = requests.get(url, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=30)
        assert reply.status_code == 200, reply.text
        return reply.content

    return await asyncio.to_thread(fetch)


async def a_file_column_is_made_for_an_upload(client: Any, folder: Path) -> None:
    row = await done(client.records.create("account", {"name": "Contracted"}))
    path = folder / "contract.txt"
    await asyncio.to_thread(path.write_text, "We agree.")
    column = fresh("new_Contract")
    await done(client.files.upload("account", row, column, str(path)))
    assert await download(client, f"accounts({row})/{column.lower()}/$value") == b"We agree."


async def a_batch_of_rows(client: Any, _folder: Path) -> None:
    number = fresh("N")
    batch = client.batch.new()
    batch.records.create("account", {"name": "Batch one", "accountnumber": number})
    batch.records.create("contact", [{"lastname": "Smith"}, {"lastname": "Jones"}])
    batch.records.upsert("account", [UpsertItem({"accountnumber": number}, {"name": "Batch two"})])
    batch.records.update("account", WORKS, {"telephone1": "555"})
    batch.records.retrieve("account", WORKS, select=["telephone1"])
    batch.records.list("account", filter=f"accountnumber eq '{number}'", select=["name"])
    batch.query.sql("SELECT TOP 1 name FROM account WHERE accountnumber = 'CW-2'")
    result = await done(batch.execute())
    assert not result.has_errors, [item.error_message for item in result.failed]
    one, many, _upserted, _updated, read, rows, sql = result.responses
    assert one.entity_id
    assert len(many.data["Ids"]) == 2
    assert read.data["telephone1"] == "555"
    assert [row["name"] for row in rows.data["value"]] == ["Batch two"]
    assert [row["name"] for row in sql.data["value"]] == ["Cycle Works North"]


async def a_change_set_ties_what_it_makes(client: Any, _folder: Path) -> None:
    batch = client.batch.new()
    async with within(batch.changeset()) as changes:
        contact = changes.records.create("contact", {"firstname": "Ada"})
        changes.records.create("account", {"name": "Babbage & Co.", "primarycontactid@odata.bind": contact})
        changes.records.update("contact", contact, {"lastname": "Lovelace"})
    result = await done(batch.execute())
    assert not result.has_errors, [item.error_message for item in result.failed]
    made, account = list(result.entity_ids)[:2]
    row = await done(client.records.retrieve("account", account, expand=["primarycontactid"]))
    assert (row["_primarycontactid_value"], row["primarycontactid"]["lastname"]) == (made, "Lovelace")


async def tables_are_made_in_a_batch(client: Any, _folder: Path) -> None:
    name = fresh("new_Product")
    batch = client.batch.new()
    batch.tables.create(name, {"new_Price": "decimal", "new_InStock": "bool"})
    batch.tables.get(name)
    batch.tables.list()
    result = await done(batch.execute())
    assert [item.is_success for item in result.responses] == [True] * 3, [i.error_message for i in result.failed]
    batch = client.batch.new()
    batch.tables.add_columns(name, {"new_Weight": "decimal"})
    batch.tables.delete(name)
    assert not (await done(batch.execute())).has_errors
    assert await done(client.tables.get(name)) is None


async def data_frames_in_batches(client: Any, _folder: Path) -> None:
    frame = pandas.DataFrame([{"name": "Frame A", "telephone1": "1"}, {"name": "Frame B", "telephone1": "2"}])
    batch = client.batch.new()
    batch.dataframe.create("account", frame)
    (made,) = (await done(batch.execute())).responses
    ids = made.data["Ids"]
    batch = client.batch.new()
    changes = pandas.DataFrame({"accountid": ids, "telephone1": ["3", "4"]})
    batch.dataframe.update("account", changes, id_column="accountid")
    batch.records.retrieve("account", ids[1], select=["telephone1"])
    assert (await done(batch.execute())).responses[-1].data["telephone1"] == "4"
    batch = client.batch.new()
    batch.dataframe.delete("account", pandas.Series(ids), use_bulk_delete=False)
    assert not (await done(batch.execute())).has_errors
    assert await done(client.records.retrieve("account", ids[0])) is None


async def a_batch_with_parts_that_fail(client: Any, _folder: Path) -> None:
    batch = client.batch.new()
    batch.records.retrieve("account", "no-guid-1111-1111-111111111111")
    batch.records.delete("account", NOBODY)
    batch.query.sql("SELECT TOP 1 name FROM account")
    result = await done(batch.execute(continue_on_error=True))
    assert [item.is_success for item in result.responses] == [False, False, True]
    assert result.failed[1].error_code == "0x80040217"


async def errors_say_what_the_service_said(client: Any, _folder: Path) -> None:
    with pytest.raises(HttpError) as caught:
        await done(client.records.create("contact", {"firstname": "x" * 51}))
    details = caught.value.details
    assert (caught.value.status_code, details["service_error_code"]) == (400, "0x80044331")
    assert details["service_request_id"]
    assert "maximum allowed length of '50'" in str(caught.value)


PROGRAMS: list[Program] = [
    a_table_is_made_filled_queried_and_dropped,
    a_key_is_made_and_rows_are_upserted_by_it,
    lookups_are_made_bound_and_expanded,
    queries_are_built,
    queries_come_in_pages,
    rows_are_expanded_and_annotated,
    rows_are_queried_by_sql,
    data_frames_are_written_and_read,
    files_are_uploaded,
    a_file_column_is_made_for_an_upload,
    a_batch_of_rows,
    a_change_set_ties_what_it_makes,
    tables_are_made_in_a_batch,
    data_frames_in_batches,
    a_batch_with_parts_that_fail,
    errors_say_what_the_service_said,
]


@pytest.fixture(scope="module")
def secure() -> Iterator[Emulator]:
    """Over TLS, since the blocking half refuses plain HTTP."""
    with Emulator(EmulatorOptions(environment=OFFICE, token=TOKEN, self_signed=True)) as emulator:
        yield emulator


@pytest.fixture(scope="module")
def plain() -> Iterator[Emulator]:
    with Emulator(EmulatorOptions(environment=OFFICE, token=TOKEN)) as emulator:
        yield emulator


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    reach_directly(monkeypatch)


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_blocking(program: Program, secure: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(secure.authority))

    async def play() -> None:
        with DataverseClient(secure.url, blocking.Credential()) as client:
            await program(client, tmp_path)

    asyncio.run(play())


@pytest.mark.filterwarnings("ignore:Sending a large body:ResourceWarning")  # the client sends files as they are
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_asynchronous(program: Program, plain: Emulator, tmp_path: Path) -> None:

    async def play() -> None:
        async with AsyncDataverseClient(plain.url, asynchronous.Credential()) as client:
            await program(client, tmp_path)

    asyncio.run(play())
