"""Live rows of the source: refused, left out or moved without their states."""

import json
import zipfile
from collections.abc import Callable, MutableMapping
from pathlib import Path
from typing import Any

import pytest
import requests

from confmig.emulator.http.asgi import Application
from confmig.package.package import Package
from tests.flow.conftest import Confmig, Result, Serve

JOURNEY = "msdynmkt_journeys"
PUBLISHED_BY_WRITING = ("publish=allow",)  # a test has no application that publishes


@pytest.fixture
def schema(confmig: Confmig, serve: Serve) -> Path:
    """The schema of e-mails, fragments and journeys, with their states."""
    source = serve(environment="journeys-sandbox")
    tables = ("--table=msdynmkt_email", "--table=msdynmkt_fragment", "--table=msdynmkt_journey")
    assert confmig("schema", "generate", "--source", source.url, *tables).code == 0
    return Path("data_schema.xml")


def section(result: Result, title: str) -> list[list[Any]]:
    found: list[list[Any]] = next(item["rows"] for item in result.report["sections"] if item["title"] == title)
    return found


def rows(url: str, path: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = requests.get(f"{url}/api/data/v9.2/{path}", timeout=10).json()["value"]
    return found


def test_fail_writes_nothing_and_leaves_an_older_package_alone(confmig: Confmig, serve: Serve, schema: Path) -> None:
    source = serve(environment="journeys-sandbox")
    arguments = ("export", "--source", source.url, "--schema", schema, "--format", "json")
    refused = confmig(*arguments)
    assert (refused.code, refused.report["reason"]) == (3, "live-rows")
    assert sorted(path.name for path in Path().iterdir()) == ["data_schema.xml"]
    assert confmig(*arguments, "--live", "filter").code == 0
    before = {path: path.read_bytes() for path in Path().iterdir()}
    assert {path.name for path in before} == {"data_schema.xml", "data.zip", "data.manifest.json"}
    again = confmig(*arguments, "--live", "fail")
    assert again.code == 3
    assert [row[:3] for row in section(again, "Findings")] == [
        ["error", "live-rows", "msdynmkt_email"],
        ["error", "live-rows", "msdynmkt_fragment"],
    ]
    assert {path: path.read_bytes() for path in Path().iterdir()} == before


def test_a_live_row_that_the_filter_of_the_schema_leaves_out_does_no_harm(
    confmig: Confmig, serve: Serve, schema: Path
) -> None:
    source = serve(environment="journeys-sandbox")
    text = schema.read_text()
    for table in ("msdynmkt_email", "msdynmkt_fragment"):
        fetch = (
            f'<fetch><entity name="{table}"><filter><condition attribute="statuscode" operator="ne" value="2" />'
            "</filter></entity></fetch>"
        )
        escaped = fetch.replace("<", "&lt;").replace(">", "&gt;")
        start = text.index(f'<entity name="{table}"')
        end = text.index("</entity>", start)
        text = f"{text[:end]}<filter>{escaped}</filter>{text[end:]}"
    schema.write_text(text)
    done = confmig("export", "--source", source.url, "--schema", schema, "--format", "json")
    assert done.code == 0, done
    assert section(done, "Findings") == []


def test_filter_leaves_rows_out_and_tells_what_leads_nowhere_now(confmig: Confmig, serve: Serve, schema: Path) -> None:
    source = serve(environment="journeys-sandbox")
    done = confmig("export", "--source", source.url, "--schema", schema, "--live", "filter", "--format", "json")
    assert done.code == 0
    assert {row[0]: row[1] for row in section(done, "Tables")} == {
        "msdynmkt_email": 35,
        "msdynmkt_fragment": 21,
        "msdynmkt_journey": 18,
    }
    live = {row["msdynmkt_emailid"] for row in rows(source.url, "msdynmkt_emails?$filter=statuscode eq 2")}
    quiet = rows(source.url, f"{JOURNEY}?$filter=statuscode ne 2 and statuscode ne 9")
    named = sum(email in journey["msdynmkt_journeyjson"] for journey in quiet for email in live)
    assert [line for (line,) in section(done, "Leading nowhere now")] == [
        # The blocks of an e-mail's design name their fragments, and the steps of a journey its e-mails.
        "msdynmkt_email.msdynmkt_designerhtml: 34 lead to live rows of msdynmkt_fragment, which were left out",
        "msdynmkt_email.msdynmkt_email_fragment: 34 lead to live rows of msdynmkt_fragment, which were left out",
        f"msdynmkt_journey.msdynmkt_journeyjson: {named} lead to live rows of msdynmkt_email, which were left out",
    ]
    assert [row[0] for row in section(done, "Findings")] == ["warning", "warning"]
    with Package(Path("data.zip")) as package:
        assert live.isdisjoint(str(getattr(event, "id", "")) for event in package.rows())
        assert package.schema_bytes == schema.read_bytes()


def test_filter_tells_lookups_that_lead_nowhere_too(confmig: Confmig, serve: Serve) -> None:
    source = serve(environment="journeys-sandbox", behaviours=PUBLISHED_BY_WRITING)
    users = rows(source.url, "msdynmkt_emails?$filter=_msdynmkt_templateid_value ne null and statuscode eq 1")
    name = users[0]["_msdynmkt_templateid_value"]
    live = requests.patch(
        f"{source.url}/api/data/v9.2/msdynmkt_emailtemplates({name})", json={"statuscode": 2}, timeout=10
    )
    assert live.status_code == 204, live.text
    tables = ("--table=msdynmkt_email", "--table=msdynmkt_emailtemplate")
    assert confmig("schema", "generate", "--source", source.url, *tables).code == 0
    done = confmig(
        "export", "--source", source.url, "--schema", "data_schema.xml", "--live", "filter", "--format", "json"
    )
    (told,) = section(done, "Leading nowhere now")
    count = sum(1 for row in users if row["_msdynmkt_templateid_value"] == name)
    assert told[0].startswith(
        f"msdynmkt_email.msdynmkt_templateid: {count} lead to live rows of msdynmkt_emailtemplate"
    )


def test_exclude_status_moves_all_rows_as_drafts(confmig: Confmig, serve: Serve, schema: Path) -> None:
    source, target = serve(environment="journeys-sandbox"), serve(environment="journeys-production")
    before = {row["msdynmkt_emailid"] for row in rows(target.url, "msdynmkt_emails?$select=msdynmkt_emailid")}
    live = {row["msdynmkt_emailid"] for row in rows(source.url, "msdynmkt_emails?$filter=statuscode ne 1")}
    done = confmig("export", "--source", source.url, "--schema", schema, "--live", "exclude-status", "--format", "json")
    assert (done.code, section(done, "Leading nowhere now")) == (0, [])
    with Package(Path("data.zip")) as package:
        columns = {column.name for table in package.schema.tables for column in table.columns}
        assert {"statecode", "statuscode"}.isdisjoint(columns)
        assert {"statecode", "statuscode"}.isdisjoint(
            name for event in package.rows() for name in getattr(event, "values", {})
        )
    assert confmig("import", "--target", target.url, "--data", "data.zip").code == 0
    arrived = {row["msdynmkt_emailid"]: row for row in rows(target.url, "msdynmkt_emails")}
    created = arrived.keys() - before
    assert created & live
    assert {(arrived[row]["statecode"], arrived[row]["statuscode"]) for row in created} == {(0, 1)}


def test_a_state_that_nobody_knows_counts_as_live(confmig: Confmig, serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "newer.yml").write_text(
        """tables:
  msdynmkt_keyword:
    columns:
      msdynmkt_keywordid: {type: Uniqueidentifier}
      msdynmkt_name: {type: String}
      statecode: {type: State}
      statuscode: {type: Status}
    primary_name: msdynmkt_name
    states: {0: Active, 1: Inactive}
    statuses: {1: {label: Draft, state: 0}, 77: {label: Hovering, state: 0}, 2: {label: Ready, state: 1}}
rows:
  msdynmkt_keyword:
    - {msdynmkt_keywordid: 11111111-aaaa-4aaa-8aaa-000000000001, msdynmkt_name: Sun, statecode: 0, statuscode: 77}
    - {msdynmkt_keywordid: 11111111-aaaa-4aaa-8aaa-000000000002, msdynmkt_name: Moon, statecode: 0, statuscode: 1}
"""
    )
    source = serve(environment=str(tmp_path / "newer.yml"))
    assert confmig("schema", "generate", "--source", source.url, "--table", "msdynmkt_keyword").code == 0
    refused = confmig("export", "--source", source.url, "--schema", "data_schema.xml")
    assert refused.code == 3
    assert "Sun (11111111-aaaa-4aaa-8aaa-000000000001, unknown state 77)" in refused.out


Patch = dict[str, object]


def going_live(path: str, row: str, state: Patch) -> Callable[[Application], Application]:
    """An environment in which a row goes live after its table has been read once."""

    def wrap(inner: Application) -> Application:
        readings = 0

        async def app(scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
            nonlocal readings
            readings += scope["type"] == "http" and scope["path"].endswith(f"/{path}")
            if readings == 2:
                readings += 1
                await inner(_patch(scope, row, state), _body(state), _nowhere)
            await inner(scope, receive, send)

        return app

    return wrap


def _patch(scope: MutableMapping[str, Any], row: str, state: Patch) -> MutableMapping[str, Any]:
    path = f"{scope['path']}({row})"
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(json.dumps(state))).encode())]
    return {
        **scope, "method": "PATCH", "path": path, "raw_path": path.encode(), "query_string": b"", "headers": headers
    }  # fmt: skip


def _body(state: Patch) -> Any:
    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": json.dumps(state).encode(), "more_body": False}

    return receive


async def _nowhere(_: object) -> None:
    """Nobody asked for this answer."""


@pytest.mark.parametrize(("policy", "code"), [("fail", 3), ("filter", 0), ("exclude-status", 0)])
def test_a_row_that_goes_live_while_it_is_exported(policy: str, code: int, confmig: Confmig, serve: Serve) -> None:
    quiet = serve(environment="journeys-sandbox")
    row = rows(quiet.url, f"{JOURNEY}?$filter=statuscode eq 1&$top=1")[0]["msdynmkt_journeyid"]
    assert confmig("schema", "generate", "--source", quiet.url, "--table", "msdynmkt_journey").code == 0
    arguments = ("export", "--schema", "data_schema.xml", "--live", policy, "--format", "json", "--source")
    assert confmig(*arguments, quiet.url).code == 0
    before = {path: path.read_bytes() for path in Path().iterdir()}
    live = going_live(JOURNEY, row, {"statecode": 1, "statuscode": 2})
    source = serve(live, environment="journeys-sandbox", behaviours=PUBLISHED_BY_WRITING)
    result = confmig(*arguments, source.url)
    assert result.code == code, result
    (finding,) = section(result, "Findings")
    assert finding[1:3] == ["live-rows", "msdynmkt_journey"]
    assert row in finding[7]
    if policy == "fail":
        assert {path: path.read_bytes() for path in Path().iterdir()} == before
    else:
        assert result.facts["rows"] == (17 if policy == "filter" else 18)


def test_a_table_that_is_declared_twice_is_looked_at_with_both_filters(
    confmig: Confmig, serve: Serve, tmp_path: Path
) -> None:
    source = serve(environment="journeys-sandbox")

    def entity(status: int) -> str:
        fetch = (
            f'&lt;fetch&gt;&lt;entity name="msdynmkt_email"&gt;&lt;filter&gt;&lt;condition attribute="statuscode"'
            f' operator="eq" value="{status}" /&gt;&lt;/filter&gt;&lt;/entity&gt;&lt;/fetch&gt;'
        )
        return (
            '<entity name="msdynmkt_email" displayname="Email" primaryidfield="msdynmkt_emailid"'
            ' primarynamefield="msdynmkt_name"><fields><field displayname="Email" name="msdynmkt_emailid" type="guid"'
            f' primaryKey="true" /></fields><filter>{fetch}</filter></entity>'
        )

    (tmp_path / "twice.xml").write_text(f"<entities>{entity(1)}{entity(2)}</entities>")
    checked = confmig("export", "--source", source.url, "--schema", "twice.xml", "--format", "json")
    assert (checked.code, checked.report["reason"]) == (3, "live-rows")
    assert "5 rows" in checked.report["verdict"]
    done = confmig("export", "--source", source.url, "--schema", "twice.xml", "--live", "filter", "--format", "json")
    assert (done.code, done.facts["rows"]) == (0, 34)


def test_what_points_to_a_row_that_goes_live_later_is_left_out_too(confmig: Confmig, serve: Serve) -> None:
    """The associations of the table before are read by then, so all is read once more."""
    quiet = serve(environment="journeys-sandbox")
    tables = ("--table", "msdynmkt_email", "--table", "msdynmkt_fragment")
    assert confmig("schema", "generate", "--source", quiet.url, *tables).code == 0
    arguments = ("export", "--schema", "data_schema.xml", "--live", "filter", "--format", "json", "--source")
    before = confmig(*arguments, quiet.url)
    drafts = [row["msdynmkt_fragmentid"] for row in rows(quiet.url, "msdynmkt_fragments?$filter=statuscode eq 1")]
    with zipfile.ZipFile("data.zip") as package:
        text = package.read("data.xml").decode()
    row = next(draft for draft in drafts if f"<targetid>{draft}</targetid>" in text)
    live = going_live("msdynmkt_fragments", row, {"statecode": 0, "statuscode": 2})
    after = confmig(*arguments, serve(live, environment="journeys-sandbox", behaviours=PUBLISHED_BY_WRITING).url)
    assert after.code == before.code == 0
    assert after.facts["associations"] < before.facts["associations"]
    with zipfile.ZipFile("data.zip") as package:
        assert f"<targetid>{row}</targetid>" not in package.read("data.xml").decode()
    lost = {line[0] for line in section(after, "Leading nowhere now")}
    assert lost != {line[0] for line in section(before, "Leading nowhere now")}


def test_rows_that_go_live_all_the_time_stop_an_export(confmig: Confmig, serve: Serve) -> None:
    quiet = serve(environment="journeys-sandbox")
    drafts = [row["msdynmkt_journeyid"] for row in rows(quiet.url, f"{JOURNEY}?$filter=statuscode eq 1")]
    assert confmig("schema", "generate", "--source", quiet.url, "--table", "msdynmkt_journey").code == 0

    def wrap(inner: Application) -> Application:
        readings = 0

        async def app(scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
            nonlocal readings
            if scope["type"] == "http" and scope["path"].endswith(f"/{JOURNEY}"):
                if readings:
                    state: Patch = {"statecode": 1, "statuscode": 2}
                    await inner(_patch(scope, drafts[readings], state), _body(state), _nowhere)
                readings += 1
            await inner(scope, receive, send)

        return app

    source = serve(wrap, environment="journeys-sandbox", behaviours=PUBLISHED_BY_WRITING)
    arguments = ("--schema", "data_schema.xml", "--live", "filter", "--format", "json")
    result = confmig("export", "--source", source.url, *arguments)
    assert (result.code, result.report["reason"]) == (8, "service-unavailable")
    assert not Path("data.zip").exists()
