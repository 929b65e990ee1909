"""Business logic: each assumption about Journeys with each of its values, and plug-ins that refuse."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from confmig.emulator.behaviours.assumptions import known
from confmig.emulator.errors import EmulatorStartError
from confmig.emulator.http.server import Emulator
from confmig.emulator.options import EmulatorOptions

from .client import Client, error
from .securing import CRM, add_privileges

BEHAVIOURS = Path(__file__).with_name("behaviours.yml")
DOCUMENT = Path(__file__).parents[2] / "docs" / "behaviours.md"
DRAFT, LIVE, STOPPED, DRAINING = (f"msdynmkt_journeys(10000000-0000-4000-8000-00000000000{n})" for n in (1, 2, 3, 5))
DRAFT_EMAIL, READY = (f"msdynmkt_emails(20000000-0000-4000-8000-00000000000{n})" for n in (1, 2))
DEFINITION = "40000000-0000-4000-8000-000000000001"
SEGMENT = "msdynmkt_segments(30000000-0000-4000-8000-000000000001)"
EVENT = "msevtmgt_events(50000000-0000-4000-8000-000000000003)"
PUBLISHED = {"statecode": 1, "statuscode": 2}
REFUSED = (400, "0x80040265")
SYNCHRONOUS = {"MSCRM.BypassBusinessLogicExecution": "CustomSync"}


@contextmanager
def serving(*behaviours: str, deny: tuple[str, ...] = (), store: Path | None = None) -> Iterator[Client]:
    options = EmulatorOptions(environment=str(BEHAVIOURS), behaviours=behaviours, deny=deny, store=store)
    with Emulator(options) as emulator:
        client = Client(emulator.url)
        client.session.headers["Accept"] = "application/json"
        yield client
        client.close()


def send(client: Client, method: str, path: str, body: object = None, **headers: str) -> tuple[int, str]:
    reply = client.send(method, path, body, **headers)
    return error(reply) if reply.status_code >= 400 else (reply.status_code, "")


def state(client: Client, path: str) -> tuple[int, int]:
    row = client.get(path)
    return row["statecode"], row["statuscode"]


def name(client: Client, path: str) -> str:
    return str(client.get(path)["msdynmkt_name"])


@pytest.mark.parametrize("path", [LIVE, DRAINING, READY])
def test_a_live_row_is_not_changed(path: str) -> None:
    with serving() as client:
        reply = client.send("PATCH", path, {"msdynmkt_name": "new"})
        assert error(reply) == REFUSED
        assert "is live and cannot be changed" in reply.json()["error"]["message"]
        assert name(client, path) != "new"
        # Nor by the bulk message, nor as a single property.
        assert send(client, "PUT", f"{path}/msdynmkt_name", {"value": "new"}) == REFUSED


@pytest.mark.parametrize(
    ("value", "renamed", "after"), [("allow", "new", (1, 2)), ("draft", "new", (0, 1)), ("ignore", "Live", (1, 2))]
)
def test_other_assumptions_about_changes_of_live_rows(value: str, renamed: str, after: tuple[int, int]) -> None:
    with serving(f"live-update={value}") as client:
        version = client.get(LIVE)["@odata.etag"]
        assert send(client, "PATCH", LIVE, {"msdynmkt_name": "new"}) == (204, "")
        assert (name(client, LIVE), state(client, LIVE)) == (renamed, after)
        assert (client.get(LIVE)["@odata.etag"] == version) == (value == "ignore")


def test_a_change_of_a_live_journey_makes_its_next_version_which_takes_its_place() -> None:
    with serving("live-update=version", "publish=supersede") as client:
        assert send(client, "PATCH", LIVE, {"msdynmkt_name": "second"}) == (204, "")
        assert (name(client, LIVE), state(client, LIVE)) == ("Live", (1, 2))
        [second] = client.rows("msdynmkt_journeys?$filter=msdynmkt_name eq 'second'")
        assert (second["statecode"], second["statuscode"], second["msdynmkt_versionnumber"]) == (0, 1, 2)
        assert second["msdynmkt_baseversionjourneyid"] == LIVE[-37:-1]
        path = f"msdynmkt_journeys({second['msdynmkt_journeyid']})"
        assert send(client, "PATCH", path, PUBLISHED) == (204, "")
        assert (state(client, path), state(client, LIVE)) == ((1, 2), (2, 3))
        assert client.get(LIVE)["msdynmkt_issupersededbylaterversion"] is True
        assert client.get(path)["msdynmkt_issupersededbylaterversion"] is False
        # Emails know no versions.
        assert send(client, "PATCH", READY, {"msdynmkt_name": "second"}) == REFUSED


def test_drafts_are_changed_freely() -> None:
    with serving() as client:
        for path in (DRAFT, DRAFT_EMAIL, STOPPED):
            assert send(client, "PATCH", path, {"msdynmkt_name": "new"}) == (204, "")
        assert send(client, "POST", "msdynmkt_emails", {"msdynmkt_name": "new"}) == (204, "")
        assert send(client, "DELETE", DRAFT) == (204, "")


@pytest.mark.parametrize(
    ("value", "after"), [("refuse", None), ("allow", (1, 2)), ("draft", (0, 1)), ("stopped", (2, 3))]
)
def test_a_row_made_in_a_live_state(value: str, after: tuple[int, int] | None) -> None:
    with serving(f"live-create={value}") as client:
        reply = client.send("POST", "msdynmkt_journeys", {"msdynmkt_name": "new", **PUBLISHED})
        if after is None:
            assert error(reply) == REFUSED
            target = {"@odata.type": f"{CRM}msdynmkt_journey", **PUBLISHED}
            path = f"msdynmkt_journeys/{CRM}CreateMultiple"
            assert send(client, "POST", path, {"Targets": [target]}) == REFUSED
            assert len(client.rows("msdynmkt_journeys")) == 4
        else:
            assert state(client, reply.headers["OData-EntityId"]) == after


@pytest.mark.parametrize(("value", "answer"), [("refuse", REFUSED), ("allow", (204, ""))])
def test_a_live_row_deleted(value: str, answer: tuple[int, str]) -> None:
    with serving(f"live-delete={value}") as client:
        assert send(client, "DELETE", LIVE) == answer
        assert send(client, "GET", LIVE)[0] == (200 if value == "refuse" else 404)


@pytest.mark.parametrize(("value", "after"), [("refuse", (0, 1)), ("allow", (1, 2)), ("publishing", (3, 4))])
def test_a_draft_published_by_its_status(value: str, after: tuple[int, int]) -> None:
    with serving(f"publish={value}") as client:
        assert send(client, "PATCH", DRAFT, PUBLISHED) == (REFUSED if value == "refuse" else (204, ""))
        assert state(client, DRAFT) == after


@pytest.mark.parametrize(("value", "after"), [("allow", (2, 3)), ("refuse", (1, 2))])
def test_a_live_row_stopped_by_its_status(value: str, after: tuple[int, int]) -> None:
    with serving(f"unpublish={value}") as client:
        answer = send(client, "PATCH", LIVE, {"msdynmkt_name": "new", "statecode": 2, "statuscode": 3})
        assert answer == ((204, "") if value == "allow" else REFUSED)
        assert state(client, LIVE) == after


@pytest.mark.parametrize(("value", "after"), [("refuse", (2, 3)), ("allow", (1, 2))])
def test_a_stopped_row_restarted(value: str, after: tuple[int, int]) -> None:
    with serving(f"restart={value}", "publish=refuse") as client:
        assert send(client, "PATCH", STOPPED, PUBLISHED) == (REFUSED if value == "refuse" else (204, ""))
        assert state(client, STOPPED) == after


@pytest.mark.parametrize(("value", "answer"), [("live", REFUSED), ("draft", (204, ""))])
def test_ready_to_send(value: str, answer: tuple[int, str]) -> None:
    with serving(f"ready-to-send={value}") as client:
        assert send(client, "PATCH", READY, {"msdynmkt_subject": "new"}) == answer
        assert send(client, "PATCH", LIVE, {"msdynmkt_name": "new"}) == REFUSED


@pytest.mark.parametrize(
    ("value", "made", "published"),
    [("refuse-live", (204, ""), REFUSED), ("refuse", REFUSED, REFUSED), ("allow", (204, ""), (204, ""))],
)
def test_a_segment_without_its_definition(value: str, made: tuple[int, str], published: tuple[int, str]) -> None:
    with serving(f"segment-without-definition={value}", "publish=allow") as client:
        alone = {"msdynmkt_displayname": "alone", "statecode": 1, "statuscode": 2}
        assert send(client, "POST", "msdynmkt_segments", alone) == made
        assert send(client, "PATCH", SEGMENT, {"statecode": 0, "statuscode": 1}) == published
        whole = {"statecode": 0, "statuscode": 1, "msdynmkt_sourcesegmentuid": DEFINITION.upper()}
        # Once live, it is no longer changed.
        assert send(client, "PATCH", SEGMENT, whole) == (REFUSED if value == "allow" else (204, ""))


def test_an_event_has_its_live_state_in_a_column_of_its_own() -> None:
    with serving("live-update=draft") as client:
        assert send(client, "PATCH", EVENT, {"msevtmgt_name": "new"}) == (204, "")
        assert client.get(EVENT)["msevtmgt_publishstatus"] == 100000000


def test_an_assumption_for_one_table_wins() -> None:
    with serving("live-update=refuse", "msdynmkt_email.live-update=allow") as client:
        assert send(client, "PATCH", LIVE, {"msdynmkt_name": "new"}) == REFUSED
        assert send(client, "PATCH", READY, {"msdynmkt_name": "new"}) == (204, "")


def test_the_assumptions_of_a_definition_hold_and_those_of_the_command_line_win(tmp_path: Path) -> None:
    with serving(store=tmp_path / "rows.sqlite") as client:
        assert client.send("POST", "teams", {"name": "new"}).status_code == 400
    # They are kept with the store.
    with Emulator(EmulatorOptions(store=tmp_path / "rows.sqlite")) as emulator:
        client = Client(emulator.url)
        assert client.send("POST", "teams", {"name": "new"}).status_code == 400
        assert send(client, "DELETE", LIVE) == REFUSED
        assert send(client, "DELETE", EVENT) == (204, "")
    with serving("msevtmgt_event.live-delete=refuse") as client:
        assert send(client, "DELETE", EVENT) == REFUSED


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("live-update", "is not name=value"),
        ("live-updates=draft", "there is no behaviour 'live-updates'"),
        ("live-update=maybe", "can be refuse, allow, draft, ignore"),
        ("account.live-update=draft", "names a table that does not go live"),
    ],
)
def test_what_is_no_assumption(option: str, message: str) -> None:
    with pytest.raises(EmulatorStartError, match=message), serving(option):
        pass


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("assumptions: {live-update: maybe}", "can be refuse"),
        ("plugins: [{table: nothing, message: Create, text: refused}]", "unknown table 'nothing'"),
        ("plugins: [{table: team, message: Update, text: refused, columns: [colour]}]", "unknown column team.colour"),
        ("plugins: [{table: team, message: Merge, text: refused}]", "Merge"),
    ],
)
def test_wrong_behaviours_of_a_definition(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "wrong.yml").write_text(f"behaviours:\n  {text}\n")
    with (
        pytest.raises(EmulatorStartError, match=message),
        Emulator(EmulatorOptions(environment=str(tmp_path / "wrong.yml"))),
    ):
        pass


def test_plugins_refuse_with_their_text() -> None:
    with serving() as client:
        reply = client.send("POST", "teams", {"name": "new"})
        assert error(reply) == REFUSED
        assert reply.json()["error"]["message"] == "Teams need a budget code."
        team = client.send("POST", "teams", {"name": "new"}, **SYNCHRONOUS).headers["OData-EntityId"]
        assert send(client, "PATCH", team, {"name": "other"}) == (204, "")
        assert send(client, "PATCH", team, {"name": "other", "description": "x"}) == REFUSED
        assert send(client, "DELETE", team) == (500, "0x80040224")
        assert client.get(team)["name"] == "other"


@pytest.mark.parametrize(
    ("header", "value", "made"),
    [
        ("MSCRM.BypassBusinessLogicExecution", "CustomSync", True),
        ("MSCRM.BypassBusinessLogicExecution", "CustomSync,CustomAsync", True),
        ("MSCRM.BypassBusinessLogicExecution", "CustomAsync", False),
        ("MSCRM.BypassCustomPluginExecution", "true", True),
        ("MSCRM.BypassCustomPluginExecution", "false", False),
        ("MSCRM.BypassBusinessLogicExecutionStepIds", "90000000-0000-4000-8000-000000000001", True),
        ("MSCRM.BypassBusinessLogicExecutionStepIds", "90000000-0000-4000-8000-00000000ffff", False),
        ("MSCRM.SuppressCallbackRegistrationExpanderJob", "true", False),
    ],
)
def test_custom_logic_is_bypassed_and_that_of_microsoft_is_not(header: str, value: str, made: bool) -> None:
    with serving() as client:
        assert send(client, "POST", "teams", {"name": "new"}, **{header: value}) == ((204, "") if made else REFUSED)
        assert send(client, "PATCH", LIVE, {"msdynmkt_name": "new"}, **{header: value}) == REFUSED


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("MSCRM.BypassBusinessLogicExecution", "Everything"),
        ("MSCRM.BypassBusinessLogicExecutionStepIds", "one"),
        (
            "MSCRM.BypassBusinessLogicExecutionStepIds",
            ",".join(f"{n}0000000-0000-4000-8000-000000000001" for n in "1234"),
        ),
    ],
)
def test_wrong_bypasses(header: str, value: str) -> None:
    with serving() as client:
        assert send(client, "POST", "teams", {"name": "new"}, **{header: value}) == (400, "0x80040203")


@pytest.mark.parametrize(
    ("header", "value", "privilege"),
    [
        ("MSCRM.BypassBusinessLogicExecution", "CustomAsync", "prvBypassCustomBusinessLogic"),
        (
            "MSCRM.BypassBusinessLogicExecutionStepIds",
            "90000000-0000-4000-8000-000000000001",
            "prvBypassCustomBusinessLogic",
        ),
        ("MSCRM.BypassCustomPluginExecution", "true", "prvBypassCustomPlugins"),
    ],
)
def test_a_bypass_needs_its_privilege(header: str, value: str, privilege: str) -> None:
    with serving() as client:
        user = client.create("systemusers", {"lastname": "Customizer"})
        role = client.get("roles?$filter=name eq 'System Customizer'")["value"][0]["roleid"]
        client.send("POST", f"systemusers({user})/systemuserroles_association/$ref", {"@odata.id": f"roles({role})"})
        body = {"msdynmkt_name": "new"}
        assert send(client, "POST", "msdynmkt_emails", body, MSCRMCallerID=user) == (204, "")
        reply = client.send("POST", "msdynmkt_emails", body, MSCRMCallerID=user, **{header: value})
        assert error(reply) == (403, "0x80040220")
        assert f"is missing {privilege} privilege" in reply.json()["error"]["message"]
        add_privileges(client, role, "Global", privilege)
        assert send(client, "POST", "msdynmkt_emails", body, MSCRMCallerID=user, **{header: value}) == (204, "")


def test_every_assumption_and_value_is_documented() -> None:
    text = DOCUMENT.read_text()
    for key, assumption in known().assumptions.items():
        assert f"### `{key}`" in text
        assert assumption.default in assumption.values
        for value, meaning in assumption.values.items():
            mark = " (default)" if value == assumption.default else ""
            assert f"* `{value}`{mark}: {meaning}" in text
    for table in known().tables:
        assert f"`{table}`" in text
