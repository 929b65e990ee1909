"""Change tracking: delta links and what they give.

https://learn.microsoft.com/power-apps/developer/data-platform/use-change-tracking-synchronize-data-external-systems
"""

import re
from typing import Any
from urllib.parse import quote

import pytest

from .client import Client, error
from .test_filters import CONTOSO, FABRIKAM, TEA

_TRACK = {"Prefer": "odata.track-changes"}


def delta_link(client: Client) -> str:
    """The link to what changes from now on."""
    link: str = client.get("accounts?$select=name", **_TRACK)["@odata.deltaLink"]
    return link


def deleted(client: Client, row_id: str) -> dict[str, str]:
    context = f"{client.root}$metadata#accounts/$deletedEntity"
    return {"@odata.context": context, "id": row_id, "reason": "deleted"}


def test_the_first_answer_has_all_rows_and_a_link(fresh_reading: Client) -> None:
    reply = fresh_reading.send("GET", "accounts?$select=name", **_TRACK)
    page = reply.json()
    assert reply.headers["Preference-Applied"] == "odata.track-changes"
    assert page["@odata.context"] == f"{fresh_reading.root}$metadata#accounts(name)"
    assert len(page["value"]) == 4
    pattern = re.escape(f"{fresh_reading.root}accounts?$select=name&$deltatoken=")
    assert re.fullmatch(pattern + r"\d+%21\d\d%2f\d\d%2f\d{4}%20\d\d%3a\d\d%3a\d\d", page["@odata.deltaLink"])


def test_a_link_gives_what_came_changed_and_went(fresh_reading: Client) -> None:
    link = delta_link(fresh_reading)
    quiet = fresh_reading.get(link)
    assert quiet["@odata.context"] == f"{fresh_reading.root}$metadata#accounts(name)/$delta"
    assert quiet["value"] == []
    new = fresh_reading.create("accounts", {"name": "New"})
    fresh_reading.send("PATCH", f"accounts({CONTOSO})", {"name": "Changed"})
    fresh_reading.send("DELETE", f"accounts({TEA})")
    page = fresh_reading.get(link)
    assert [(row.get("name"), row.get("accountid")) for row in page["value"][:2]] == [
        ("New", new),
        ("Changed", CONTOSO),
    ]
    assert page["value"][0]["@odata.etag"].startswith('W/"')
    assert page["value"][2:] == [deleted(fresh_reading, TEA)]
    count = f"accounts/$count?{link.partition('?')[2]}"
    assert fresh_reading.send("GET", count).content.decode("utf-8-sig") == "3"
    # The next link goes on from here, and the old one still gives the same.
    assert fresh_reading.get(page["@odata.deltaLink"])["value"] == []
    fresh_reading.send("PATCH", f"accounts({FABRIKAM})", {"name": "Later"})
    assert [row["name"] for row in fresh_reading.get(page["@odata.deltaLink"])["value"]] == ["Later"]
    assert len(fresh_reading.get(link)["value"]) == 4


def test_a_row_that_came_and_went_is_reported_as_deleted_and_one_that_came_back_as_changed(
    fresh_reading: Client,
) -> None:
    link = delta_link(fresh_reading)
    short = fresh_reading.create("accounts", {"name": "Short"})
    fresh_reading.send("DELETE", f"accounts({short})")
    fresh_reading.send("DELETE", f"accounts({TEA})")
    fresh_reading.create("accounts", {"accountid": TEA, "name": "Back"})
    changes = fresh_reading.get(link)["value"]
    assert [change.get("name") for change in changes] == ["Back", None]
    assert changes[1] == deleted(fresh_reading, short)


def test_a_change_set_that_fails_changes_nothing(fresh_reading: Client) -> None:
    link = delta_link(fresh_reading)
    parts = [("DELETE", f"accounts({TEA})"), ("DELETE", "accounts(00000000-0000-0000-0000-0000000000ff)")]
    inner = "".join(
        "--c\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n"
        f"Content-ID: {number}\r\n\r\n{method} {fresh_reading.root}{path} HTTP/1.1\r\n\r\n\r\n"
        for number, (method, path) in enumerate(parts, start=1)
    )
    body = f"--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n{inner}--c--\r\n--b--\r\n"
    fresh_reading.send("POST", "$batch", body.encode(), Content_Type="multipart/mixed; boundary=b")
    assert fresh_reading.get(link)["value"] == []
    assert fresh_reading.send("GET", f"accounts({TEA})").status_code == 200


def test_pages_of_rows_and_of_changes_miss_nothing(fresh_reading: Client) -> None:
    size = {"Prefer": "odata.track-changes,odata.maxpagesize=2"}
    first = fresh_reading.get("accounts?$select=name", **size)
    assert "@odata.deltaLink" not in first
    # Written between the pages, so it is a change, whether or not a later page shows it.
    fresh_reading.send("PATCH", f"accounts({CONTOSO})", {"name": "Between"})
    last = fresh_reading.get(first["@odata.nextLink"], **size)
    assert len(first["value"]) + len(last["value"]) == 4
    for number in range(3):
        fresh_reading.create("accounts", {"name": f"New {number}"})
    fresh_reading.send("DELETE", f"accounts({TEA})")
    changes: list[dict[str, Any]] = []
    link: str | None = last["@odata.deltaLink"]
    pages = 0
    while link:
        page = fresh_reading.get(link, Prefer="odata.maxpagesize=2")
        changes += page["value"]
        pages += 1
        if pages == 1:
            fresh_reading.create("accounts", {"name": "During"})
        link = page.get("@odata.nextLink")
    assert pages == 3
    assert [change.get("name") for change in changes] == ["Between", "New 0", "New 1", "New 2", None]
    assert [change["name"] for change in fresh_reading.get(page["@odata.deltaLink"])["value"]] == ["During"]


@pytest.mark.parametrize("option", ["$filter=name eq 'x'", "$orderby=name", "$expand=createdby", "$top=1"])
def test_options_are_refused_with_the_documented_text(reading: Client, option: str) -> None:
    reply = reading.send("GET", f"accounts?{option}", **_TRACK)
    name = option.partition("=")[0]
    assert error(reply)[0] == 400
    assert reply.json()["error"]["message"] == (
        f'The "{name}" query parameter isn\'t supported when Change Tracking is enabled.'
    )


def test_a_table_must_be_tracked(reading: Client) -> None:
    reply = reading.send("GET", "contacts?$select=fullname", **_TRACK)
    assert error(reply) == (400, "0x80072491")
    assert reply.json()["error"]["message"] == "Entity contact isn't enabled for change tracking."


def test_a_link_expires(reading: Client) -> None:
    old = quote("1!01/01/2020 00:00:00", safe="")
    assert error(reading.send("GET", f"accounts?$deltatoken={old}")) == (400, "0x80044352")
    assert error(reading.send("GET", f"accounts/$count?$deltatoken={old}")) == (400, "0x80044352")


def test_a_count_without_a_link_is_of_all_rows(reading: Client) -> None:
    assert reading.send("GET", "accounts/$count", **_TRACK).content.decode("utf-8-sig") == "4"


@pytest.mark.parametrize("token", ["x", "1!99/99/2026 00:00:00", "1", ""])
def test_a_token_that_is_none_is_refused(reading: Client, token: str) -> None:
    assert error(reading.send("GET", f"accounts?$deltatoken={quote(token)}")) == (400, "0x80060888")
