"""Live rows while rows are read: which are left out, what then leads nowhere, and a schema without states."""

from confmig.checking.live import LivePolicy
from confmig.exporting.live import LiveGuard, without_states
from confmig.model.environment import ColumnInfo, TableInfo
from confmig.model.records import Record
from confmig.model.schema import Column, Schema, Table
from confmig.model.values import ColumnType, Lookup, Value
from confmig.profiles.profile import load_profiles

EMAIL = "msdynmkt_email"
ID = "11111111-aaaa-4aaa-8aaa-000000000001"


def info(*columns: str) -> TableInfo:
    found = {name: ColumnInfo(name, ColumnType.STRING) for name in ("msdynmkt_emailid", "msdynmkt_name", *columns)}
    return TableInfo(EMAIL, "msdynmkt_emailid", "msdynmkt_name", found)


def guard(policy: LivePolicy) -> LiveGuard:
    made = LiveGuard(policy, load_profiles())
    made.judge(Record(EMAIL, ID, {"msdynmkt_name": "Hello", "statuscode": 2}), info("statuscode"))
    return made


def test_each_policy_does_what_it_says_with_a_live_row() -> None:
    stops = {policy: guard(policy).stops() for policy in LivePolicy}
    assert stops == {LivePolicy.FAIL: True, LivePolicy.FILTER: False, LivePolicy.EXCLUDE_STATUS: False}
    left_out = {policy: guard(policy).is_left_out(EMAIL, ID) for policy in LivePolicy}
    assert left_out == {LivePolicy.FAIL: False, LivePolicy.FILTER: True, LivePolicy.EXCLUDE_STATUS: False}
    assert guard(LivePolicy.FAIL).found[EMAIL].first == [f"Hello ({ID}, Ready to send)"]


def test_lookups_to_rows_that_are_left_out_are_dangling() -> None:
    values: dict[str, Value] = {
        "first": Lookup(EMAIL, ID),
        "other": Lookup(EMAIL, ID.replace("1", "2")),
        "text": ID,
        "none": None,
    }
    record = Record("msdynmkt_journey", ID, values)
    assert list(guard(LivePolicy.FILTER).dangling(record)) == [("first", EMAIL)]
    assert list(guard(LivePolicy.EXCLUDE_STATUS).dangling(record)) == []


def test_only_state_columns_that_the_environment_has_are_asked_for() -> None:
    asked = LiveGuard(LivePolicy.FAIL, load_profiles())
    assert asked.columns(info("statuscode")) == ["statuscode"]
    assert asked.columns(info()) == []


def table(name: str, *columns: str) -> Table:
    return Table(name, f"{name}id", tuple(Column(column, ColumnType.STRING) for column in columns))


def test_without_states_both_state_columns_go_and_the_publish_status_too() -> None:
    schema = Schema(
        (
            table(EMAIL, "msdynmkt_name", "statecode", "statuscode"),
            table("msevtmgt_event", "statecode", "msevtmgt_publishstatus", "msevtmgt_name"),
            table("msdynmkt_topic", "statecode", "statuscode"),
        )
    )
    left = [[column.name for column in item.columns] for item in without_states(schema, load_profiles()).tables]
    assert left == [["msdynmkt_name"], ["msevtmgt_name"], ["statecode", "statuscode"]]
