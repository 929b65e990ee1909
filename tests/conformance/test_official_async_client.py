"""The asynchronous half of Microsoft's Python client, unchanged; aiohttp is its HTTP."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Self

import pytest
from azure.core.credentials import AccessToken
from PowerPlatform.Dataverse.aio.async_client import AsyncDataverseClient
from PowerPlatform.Dataverse.core.errors import HttpError
from PowerPlatform.Dataverse.models.upsert import UpsertItem

from confmig.emulator.http.server import Emulator
from confmig.emulator.options import EmulatorOptions
from tests.conformance.test_official_client import NOBODY, SHOP, TOKEN


class Credential:
    """Gives the emulator's token, as a sign-in would."""

    async def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        assert all(scope.endswith("/.default") for scope in scopes)
        return AccessToken(TOKEN, 9_999_999_999)

    async def close(self) -> None:
        """Nothing is open."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        """Nothing is open."""


Scenario = Callable[[AsyncDataverseClient], Awaitable[None]]


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[AsyncDataverseClient]:
    async with AsyncDataverseClient(url, Credential()) as client:
        yield client


def play(scenario: Scenario) -> None:
    """Play a scenario against a fresh environment."""

    async def act(url: str) -> None:
        async with opened(url) as client:
            await scenario(client)

    with Emulator(EmulatorOptions(environment=SHOP, token=TOKEN)) as emulator:
        asyncio.run(act(emulator.url))


async def make(client: AsyncDataverseClient, *names: str) -> list[str]:
    return list(await client.records.create("account", [{"name": name} for name in names]))


async def names_of(client: AsyncDataverseClient, condition: str) -> list[str]:
    return sorted(row["name"] for row in await client.records.list("account", filter=condition, select=["name"]))


def test_create_retrieve_update_delete() -> None:
    async def scenario(client: AsyncDataverseClient) -> None:
        row_id = await client.records.create("account", {"name": "Contoso"})
        await client.records.update("account", row_id, {"name": "Fabrikam"})
        row = await client.records.retrieve("account", row_id, select=["name"])
        assert row is not None
        assert (row.id, row["name"]) == (row_id, "Fabrikam")
        await client.records.delete("account", row_id)
        assert await client.records.retrieve("account", row_id) is None

    play(scenario)


def test_many_at_the_same_time() -> None:
    async def scenario(client: AsyncDataverseClient) -> None:
        made = await asyncio.gather(*(client.records.create("account", {"name": f"P{n}"}) for n in range(40)))
        assert len(set(made)) == 40
        rows = await asyncio.gather(*(client.records.retrieve("account", one, select=["name"]) for one in made))
        assert [row["name"] for row in rows if row] == [f"P{number}" for number in range(40)]

    play(scenario)


def test_bulk_create_update_upsert_and_delete() -> None:
    async def scenario(client: AsyncDataverseClient) -> None:
        ids = await make(client, "A", "B", "C")
        await client.records.update("account", ids, [{"name": f"{name}2"} for name in "ABC"])
        items: list[UpsertItem | dict[str, Any]] = [
            {"alternate_key": {"accountnumber": f"k{n}"}, "record": {"name": f"Key{n}2"}} for n in range(2)
        ]
        await client.records.upsert("account", items)
        await client.records.upsert("account", items)
        assert await names_of(client, "endswith(name,'2')") == ["A2", "B2", "C2", "Key02", "Key12"]
        assert await client.records.delete("account", ids)
        assert await names_of(client, "endswith(name,'2')") == ["Key02", "Key12"]

    play(scenario)


def test_pages_to_the_end() -> None:
    async def scenario(client: AsyncDataverseClient) -> None:
        await make(client, *(f"Page {number}" for number in range(7)))
        pages = [
            page
            async for page in client.records.list_pages(
                "account", filter="startswith(name,'Page')", orderby=["name desc"], page_size=3
            )
        ]
        assert [row["name"] for page in pages for row in page] == [f"Page {number}" for number in range(6, -1, -1)]
        assert [len(page) for page in pages] == [3, 3, 1]

    play(scenario)


def test_fetchxml_to_the_end() -> None:
    async def scenario(client: AsyncDataverseClient) -> None:
        await make(client, *(f"Fetch {number}" for number in range(5)))
        xml = (
            '<fetch count="2"><entity name="account"><attribute name="name" /><order attribute="name" />'
            '<filter><condition attribute="name" operator="begins-with" value="Fetch" /></filter></entity></fetch>'
        )
        pages = [page async for page in client.query.fetchxml(xml).execute_pages()]
        assert [row["name"] for page in pages for row in page] == [f"Fetch {number}" for number in range(5)]

    play(scenario)


def test_metadata() -> None:
    async def scenario(client: AsyncDataverseClient) -> None:
        info = await client.tables.get("account")
        assert info is not None
        assert (info.logical_name, info.entity_set_name) == ("account", "accounts")
        columns = await client.tables.list_columns("account", typed=True)
        assert {column["LogicalName"]: column for column in columns}["name"]["MaxLength"] == 20
        (key,) = await client.tables.get_alternate_keys("account")
        assert key.key_attributes == ["accountnumber"]

    play(scenario)


@pytest.mark.parametrize("on", [True, False])
def test_a_batch_with_a_change_set_and_its_errors(on: bool) -> None:
    async def scenario(client: AsyncDataverseClient) -> None:
        batch = client.batch.new()
        async with batch.changeset() as changes:
            new = changes.records.create("account", {"name": "Made"})
            changes.records.update("account", new, {"name": "Made and changed"})
        batch.records.delete("account", NOBODY)
        batch.records.create("account", {"name": "Made last"})
        result = await batch.execute(continue_on_error=on)
        assert [item.error_code for item in result.failed] == ["0x80040217"]
        assert await names_of(client, "startswith(name,'Made')") == ["Made and changed", "Made last"][: 2 if on else 1]

    play(scenario)


def test_a_row_that_is_not_there() -> None:
    async def scenario(client: AsyncDataverseClient) -> None:
        with pytest.raises(HttpError) as caught:
            await client.records.update("account", NOBODY, {"name": "x"})
        assert (caught.value.status_code, caught.value.details["service_error_code"]) == (404, "0x80040217")

    play(scenario)
