"""Live rows: what counts as live, and how it is told."""

import pytest

from confmig.checking.findings import Severity
from confmig.checking.live import LivePolicy, LiveRows, live_findings
from confmig.profiles.profile import load_profiles


@pytest.mark.parametrize(
    ("table", "values", "label"),
    [
        ("msdynmkt_journey", {"statecode": 0, "statuscode": 1}, ""),
        ("msdynmkt_journey", {"statecode": 1, "statuscode": 2}, "Live"),
        ("msdynmkt_journey", {"statecode": 2, "statuscode": 3}, ""),
        ("msdynmkt_journey", {"statecode": 2, "statuscode": 5}, "Draining"),
        ("msdynmkt_journey", {"statecode": 8, "statuscode": 9}, "Stopping"),
        ("msdynmkt_journey", {"statecode": 7, "statuscode": 1}, "unknown state 7"),
        ("msdynmkt_journey", {"statecode": 0, "statuscode": 4711}, "unknown state 4711"),
        ("msdynmkt_journey", {"statecode": None, "statuscode": None}, ""),
        ("msdynmkt_journey", {}, ""),
        ("msdynmkt_email", {"statecode": 0, "statuscode": 1}, ""),
        ("msdynmkt_email", {"statuscode": 2}, "Ready to send"),
        ("msdynmkt_email", {"statuscode": 3}, "Ready to send, editing"),
        ("msdynmkt_email", {"statuscode": 100}, ""),
        ("msdynmkt_email", {"statuscode": "2"}, "unknown state 2"),
        ("msdynmkt_segment", {"statecode": 0, "statuscode": 1}, "Active"),
        ("msdynmkt_segment", {"statecode": 1, "statuscode": 2}, ""),
        ("msdynmkt_segmentdefinition", {"statuscode": 723270005}, "Stopping"),
        ("msdyncrm_marketingform", {"statuscode": 1}, "Live"),
        ("msdyncrm_marketingform", {"statuscode": 2}, ""),
        ("msevtmgt_event", {"msevtmgt_publishstatus": 100000003}, "Live"),
        ("msevtmgt_event", {"statecode": 0, "statuscode": 1}, ""),
        ("account", {"statecode": 0, "statuscode": 1}, ""),
    ],
)
def test_what_counts_as_live(table: str, values: dict[str, object], label: str) -> None:
    assert load_profiles().live_state(table, values) == label


def found(count: int) -> dict[str, LiveRows]:
    rows = LiveRows()
    for number in range(count):
        rows.add(f"Row {number}" if number else "", f"id-{number}", "Live")
        rows.add("the same row again", f"id-{number}", "Live")
    return {"msdynmkt_email": rows}


def test_one_row_and_many_are_told_in_words() -> None:
    (one,) = live_findings(found(1), LivePolicy.FAIL)
    assert one.message == "1 row of msdynmkt_email is live, and a live row is not moved: (no name) (id-0, Live)."
    (two,) = live_findings(found(2), LivePolicy.FILTER)
    assert two.message.startswith("2 rows of msdynmkt_email are live and left out: (no name) (id-0, Live); Row 1 (id-1")
    (many,) = live_findings(found(12), LivePolicy.EXCLUDE_STATUS)
    assert many.message.startswith("12 rows of msdynmkt_email are live and moved without a state: ")
    assert many.message.endswith("Row 9 (id-9, Live) and 2 more.")


def test_only_fail_is_an_error() -> None:
    severities = {policy: next(live_findings(found(1), policy)).severity for policy in LivePolicy}
    assert severities.pop(LivePolicy.FAIL) is Severity.ERROR
    assert set(severities.values()) == {Severity.WARNING}
    assert list(live_findings({"msdynmkt_email": LiveRows()}, LivePolicy.FAIL)) == []
