"""The plan file: what it keeps, what its digest covers, and which files it is not."""

import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from confmig.errors import ExitCode, PlanError
from confmig.model.values import Choices, FileRef, Lookup, Parties, Party, Value
from confmig.planning.notes import Notes
from confmig.planning.plan import Action, Change, LookupPolicy, MatchedBy, Note, Phase, PlanOptions, TableCounts
from confmig.planning.planfile import PlanFile, PlanHeader, PlanWriter

from .conftest import (
    ORGANIZATION,
    URL,
    FakePackage,
    FakeTarget,
    declare,
    guid,
    link,
    lookup,
    make_plan,
    make_table,
    row,
    text,
    try_plan,
)

HEADER = PlanHeader(ORGANIZATION, URL, "p" * 64, "s" * 64, "1.0", {"lookups": "fail"}, "data.zip")
UPDATE = Change(Phase.ROWS, "shop", "2", Action.UPDATE, source_id="1", before={"city": "A"}, after={"city": "B"})


def write(path: Path, *changes: Change, header: PlanHeader = HEADER, notes: tuple[Note, ...] = ()) -> PlanHeader:
    with PlanWriter(path) as writer:
        for change in changes:
            writer.add(change)
        return writer.finish(header, notes)


def edit(path: Path, sql: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(sql)


def test_a_plan_comes_back_as_it_was_written(tmp_path: Path) -> None:
    values: dict[str, Value] = {
        "nothing": None,
        "text": "Ærø ' \u2028 \"",
        "whole": -3,
        "flag": True,
        "float": 0.1,
        "money": Decimal("922337203685477.5807"),
        "moment": datetime(2024, 5, 1, 9, 30, tzinfo=UTC),
        "day": datetime(2024, 5, 1),
        "reference": Lookup("town", "1", "Oslo"),
        "choices": Choices((3, 1)),
        "file": FileRef("f", "a.pdf"),
        "to": Parties((Party(Lookup("contact", "1"), 2, (("addressused", "a@b"),), "p1"), Party(None, 1))),
    }
    change = Change(
        Phase.STATES,
        "shop",
        "2",
        Action.UPDATE,
        source_id="1",
        name="North",
        rank=3,
        level=4,
        before=dict.fromkeys(values),
        after=values,
        relationship="r",
        other_id="9",
        matched_by=MatchedBy.KEY,
        reason="because",
        version="77",
        seq=1,
    )
    note = Note("kind", "shop", "city", "words", "example", 3)

    written = write(tmp_path / "a.plan", change, notes=(note,))

    with PlanFile(tmp_path / "a.plan") as plan:
        assert list(plan.changes()) == [change]
        assert plan.notes() == [note]
        assert plan.header == written
        plan.require_untouched()


def test_changes_are_kept_in_the_order_in_which_they_are_applied(tmp_path: Path) -> None:
    inverse = [
        Change(phase, table, row_id, Action.CREATE, rank=rank, level=level)
        for phase in (Phase.STATES, Phase.ROWS)
        for rank in (1, 0)
        for level in (1, 0)
        for table in ("b", "a")
        for row_id in ("2", "1")
    ]

    write(tmp_path / "a.plan", *inverse)

    with PlanFile(tmp_path / "a.plan") as plan:
        found = list(plan.changes())
    assert [(c.phase, c.rank, c.level, c.table, c.id) for c in found] == sorted(
        (c.phase, c.rank, c.level, c.table, c.id) for c in inverse
    )
    assert [change.seq for change in found] == list(range(1, len(inverse) + 1))


def test_changes_are_given_by_action(tmp_path: Path) -> None:
    write(
        tmp_path / "a.plan",
        UPDATE,
        Change(Phase.ROWS, "shop", "3", Action.SKIP),
        Change(Phase.STATES, "shop", "2", Action.UPDATE, source_id="1"),
    )

    with PlanFile(tmp_path / "a.plan") as plan:
        assert [change.id for change in plan.changes(actions=[Action.SKIP])] == ["3"]
        assert [change.phase for change in plan.changes([Action.UPDATE])] == [Phase.ROWS, Phase.STATES]
        assert plan.count([Action.UPDATE]) == 2
        assert plan.writes() == 2


def test_a_row_counts_once_and_as_what_happens_with_it_first(tmp_path: Path) -> None:
    def of_row(number: int, action: Action, phase: Phase = Phase.ROWS) -> Change:
        return Change(phase, "shop", guid(number), action, source_id=guid(number))

    def of_pair(number: int, action: Action) -> Change:
        return Change(Phase.ASSOCIATIONS, "shop", guid(number), action, relationship="r", other_id=guid(9))

    write(
        tmp_path / "a.plan",
        of_row(1, Action.CREATE),
        of_row(1, Action.UPDATE, Phase.DEFERRED),
        of_row(1, Action.UPDATE, Phase.STATES),
        of_row(2, Action.UPDATE),
        of_row(2, Action.UPDATE, Phase.STATES),
        of_row(3, Action.UNCHANGED),
        of_row(4, Action.SKIP),
        of_row(5, Action.CONFLICT),
        of_pair(1, Action.ASSOCIATE),
        of_pair(2, Action.UNCHANGED),
        of_pair(3, Action.CONFLICT),
    )

    with PlanFile(tmp_path / "a.plan") as plan:
        assert plan.counts() == [
            TableCounts("shop", create=1, update=1, unchanged=1, skip=1, conflict=2, associate=1, associated=1)
        ]


def test_two_conflicting_rows_of_the_package_with_one_target_count_as_two(tmp_path: Path) -> None:
    both = [Change(Phase.ROWS, "shop", "t", Action.CONFLICT, source_id=source) for source in ("1", "2")]

    write(tmp_path / "a.plan", *both)

    with PlanFile(tmp_path / "a.plan") as plan:
        assert plan.counts() == [TableCounts("shop", conflict=2)]


def test_equal_notes_are_counted_with_the_first_as_example() -> None:
    notes = Notes()
    notes.add("lookup", "shop", "town", "words", "first")
    notes.add("lookup", "shop", "town", "words", "second")
    notes.add("lookup", "market", "town", "words", count=4)

    assert notes.all() == [
        Note("lookup", "market", "town", "words", "", 4),
        Note("lookup", "shop", "town", "words", "first", 2),
    ]


def test_a_plan_that_replaces_another_keeps_nothing_of_it(tmp_path: Path) -> None:
    write(tmp_path / "a.plan", UPDATE)
    write(tmp_path / "a.plan")

    with PlanFile(tmp_path / "a.plan") as plan:
        assert list(plan.changes()) == []


# The digest


def digest_of(folder: Path, *changes: Change, header: PlanHeader = HEADER) -> str:
    return write(folder / "digest.plan", *changes, header=header).digest


def test_the_digest_is_a_sha256(tmp_path: Path) -> None:
    digest = digest_of(tmp_path, UPDATE)

    assert len(digest) == 64
    assert set(digest) <= set("0123456789abcdef")


@pytest.mark.parametrize(
    "changed",
    [
        Change(Phase.ROWS, "town", "2", Action.UPDATE, source_id="1", before={"city": "A"}, after={"city": "B"}),
        Change(Phase.ROWS, "shop", "3", Action.UPDATE, source_id="1", before={"city": "A"}, after={"city": "B"}),
        Change(Phase.ROWS, "shop", "2", Action.CREATE, source_id="1", before={"city": "A"}, after={"city": "B"}),
        Change(Phase.ROWS, "shop", "2", Action.UPDATE, source_id="1", before={"city": "X"}, after={"city": "B"}),
        Change(Phase.ROWS, "shop", "2", Action.UPDATE, source_id="1", before={"city": "A"}, after={"city": "X"}),
        Change(Phase.ROWS, "shop", "2", Action.UPDATE, source_id="1", before={"town": "A"}, after={"town": "B"}),
    ],
)
def test_the_digest_depends_on_every_written_thing(tmp_path: Path, changed: Change) -> None:
    assert digest_of(tmp_path, changed) != digest_of(tmp_path, UPDATE)


@pytest.mark.parametrize(
    "header",
    [
        PlanHeader("other", URL, "p" * 64, "s" * 64, "1.0", {"lookups": "fail"}),
        PlanHeader(ORGANIZATION, URL, "q" * 64, "s" * 64, "1.0", {"lookups": "fail"}),
        PlanHeader(ORGANIZATION, URL, "p" * 64, "s" * 64, "1.0", {"lookups": "null"}),
    ],
)
def test_the_digest_depends_on_organization_package_and_policies(tmp_path: Path, header: PlanHeader) -> None:
    assert digest_of(tmp_path, UPDATE, header=header) != digest_of(tmp_path, UPDATE)


def test_the_digest_does_not_depend_on_url_time_tool_or_file_name(tmp_path: Path) -> None:
    other = PlanHeader(
        ORGANIZATION,
        "https://renamed.example",
        "p" * 64,
        "s" * 64,
        "2.0",
        {"lookups": "fail"},
        package="copy.zip",
        created="2020-01-01T00:00:00+00:00",
    )

    assert digest_of(tmp_path, UPDATE, header=other) == digest_of(tmp_path, UPDATE)


def test_the_digest_does_not_depend_on_versions_and_on_rows_that_are_not_written(tmp_path: Path) -> None:
    moved = Change(
        Phase.ROWS,
        "shop",
        "2",
        Action.UPDATE,
        source_id="1",
        before={"city": "A"},
        after={"city": "B"},
        version="99",
    )
    idle = Change(Phase.ROWS, "shop", "1", Action.UNCHANGED, version="5")

    assert digest_of(tmp_path, idle, moved) == digest_of(tmp_path, UPDATE)


def test_the_digest_does_not_depend_on_the_order_in_which_changes_were_added(tmp_path: Path) -> None:
    first = Change(Phase.ROWS, "shop", "1", Action.CREATE)

    assert digest_of(tmp_path, first, UPDATE) == digest_of(tmp_path, UPDATE, first)


SHOP, TOWN = make_table("shop", text("city"), lookup("town", "town")), make_table("town")


def test_a_row_that_moved_in_columns_that_are_not_written_leaves_the_digest_alone() -> None:
    package = FakePackage([declare(SHOP)], row("shop", 1, name="North"))
    still, moved = FakeTarget(SHOP), FakeTarget(SHOP, url="https://renamed.example")
    still.put("shop", 1, name="South", city="Oslo")
    moved.put("shop", 1, name="South", city="Bergen")
    moved.versions["shop", guid(1)] = 99

    assert make_plan(package, moved).header.digest == make_plan(package, still).header.digest


def test_the_name_that_a_lookup_carries_is_no_part_of_the_digest() -> None:
    target = FakeTarget(SHOP, TOWN)
    target.put("town", 5)
    named, renamed = (
        FakePackage([declare(SHOP)], row("shop", 1, town=link("town", 5, name))) for name in ("Oslo", "Kristiania")
    )

    assert make_plan(named, target).header.digest == make_plan(renamed, target).header.digest


@pytest.mark.parametrize(
    "options",
    [
        PlanOptions(lookups=LookupPolicy.KEEP),
        PlanOptions(ignore=frozenset({("shop", "city")})),
        PlanOptions(max_changes=5),
    ],
)
def test_another_policy_makes_another_digest(options: PlanOptions) -> None:
    package = FakePackage([declare(SHOP)], row("shop", 1, name="North"))

    assert (
        make_plan(package, FakeTarget(SHOP), options).header.digest
        != make_plan(package, FakeTarget(SHOP)).header.digest
    )


def test_the_header_tells_what_the_plan_is_about() -> None:
    package = FakePackage([declare(SHOP)], row("shop", 1, name="North"))

    header = make_plan(package, FakeTarget(SHOP), PlanOptions(max_changes=5)).header

    assert (header.target_organization, header.target_url) == (ORGANIZATION, URL)
    assert (header.package, header.package_digest) == ("data.zip", package.digest)
    assert header.schema_digest == package.schema_digest
    assert header.policies == {
        "lookups": "fail",
        "ignore": "",
        "max-changes": "5",
        "versions": "identical",
        "solutions": "",
        "same-organization": "false",
    }
    assert datetime.fromisoformat(header.created).tzinfo is not None


# What was changed, and what is no plan


@pytest.mark.parametrize(
    "sql",
    [
        """UPDATE changes SET after = '{"city":"C"}' WHERE action = 'update'""",
        "UPDATE changes SET id = '7' WHERE action = 'update'",
        "UPDATE changes SET action = 'skip' WHERE action = 'update'",
        "UPDATE changes SET action = 'update' WHERE action = 'skip'",
        "UPDATE changes SET phase = 5 WHERE action = 'update'",
        "DELETE FROM changes WHERE action = 'update'",
        "INSERT INTO changes SELECT 9, phase, rank, level, tbl, '8', source_id, name, action, relationship, other_id,"
        " before, after, matched_by, reason, version, keys FROM changes WHERE action = 'update'",
        "UPDATE header SET value = '\"elsewhere\"' WHERE key = 'target_organization'",
        "UPDATE header SET value = '\"another\"' WHERE key = 'package_digest'",
        """UPDATE header SET value = '{"lookups":"keep"}' WHERE key = 'policies'""",
        "UPDATE header SET value = '\"0\"' WHERE key = 'digest'",
    ],
)
def test_a_plan_that_was_changed_after_it_was_made_is_found_out(tmp_path: Path, sql: str) -> None:
    write(tmp_path / "a.plan", UPDATE, Change(Phase.ROWS, "shop", "3", Action.SKIP))
    edit(tmp_path / "a.plan", sql)

    with PlanFile(tmp_path / "a.plan") as plan, pytest.raises(PlanError, match="changed after it was made") as caught:
        plan.require_untouched()

    assert caught.value.exit_code is ExitCode.REFUSED


def test_a_file_that_is_not_there_is_no_plan(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match=r"gone\.plan"):
        PlanFile(tmp_path / "gone.plan")

    assert not (tmp_path / "gone.plan").exists()


def test_a_folder_is_no_plan(tmp_path: Path) -> None:
    with pytest.raises(PlanError):
        PlanFile(tmp_path)


@pytest.mark.parametrize("content", [b"", b"<entities />", b"PK\x03\x04" + bytes(200), bytes(5_000)])
def test_a_file_of_another_kind_is_no_plan(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "foreign.plan"
    path.write_bytes(content)

    with pytest.raises(PlanError, match=r"foreign\.plan"):
        PlanFile(path)


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TABLE other (x)",
        "CREATE TABLE header AS SELECT 'digest' AS key",
        "CREATE TABLE header AS SELECT 'a' AS key, '1' AS value, 'c' AS third",
        "CREATE TABLE header AS SELECT 'version' AS key, 'no json' AS value",
        "CREATE TABLE header AS SELECT 'format_version' AS key, '\"1\"' AS value",
        "CREATE TABLE header AS SELECT 'format_version' AS key, 1 AS value",
    ],
)
def test_a_database_of_another_kind_is_no_plan(tmp_path: Path, sql: str) -> None:
    path = tmp_path / "foreign.plan"
    edit(path, sql)

    with pytest.raises(PlanError, match=r"foreign\.plan"):
        PlanFile(path)


def test_a_plan_that_was_not_finished_is_no_plan(tmp_path: Path) -> None:
    write(tmp_path / "a.plan", UPDATE)
    edit(tmp_path / "a.plan", "DELETE FROM header")

    with pytest.raises(PlanError, match="not finished"):
        PlanFile(tmp_path / "a.plan")


def test_a_plan_that_is_broken_off_leaves_the_one_before_it_and_nothing_else(tmp_path: Path) -> None:
    before = write(tmp_path / "a.plan", UPDATE)

    with PlanWriter(tmp_path / "a.plan") as writer:
        writer.add(Change(Phase.ROWS, "shop", "3", Action.CREATE))

    assert [path.name for path in tmp_path.iterdir()] == ["a.plan"]
    with PlanFile(tmp_path / "a.plan") as plan:
        assert plan.header == before


def test_a_plan_of_another_format_says_which_one_this_program_reads(tmp_path: Path) -> None:
    write(tmp_path / "a.plan", UPDATE)
    edit(tmp_path / "a.plan", "UPDATE header SET value = '\"99\"' WHERE key = 'format_version'")

    with pytest.raises(PlanError, match="99"):
        PlanFile(tmp_path / "a.plan")


def test_a_plan_that_was_cut_short_on_its_way_is_found_out(tmp_path: Path) -> None:
    whole, short = tmp_path / "whole.plan", tmp_path / "short.plan"
    write(whole, *(Change(Phase.ROWS, "shop", str(number), Action.CREATE) for number in range(3_000)))
    shutil.copyfile(whole, short)
    with short.open("r+b") as file:
        file.truncate(whole.stat().st_size // 2)

    with pytest.raises(PlanError, match=r"short\.plan"), PlanFile(short) as plan:
        plan.require_untouched()


def test_findings_leave_no_plan_of_this_package_behind(tmp_path: Path) -> None:
    package = FakePackage([declare(TOWN)], row("town", 1))

    result = try_plan(package, FakeTarget(SHOP), PlanOptions(), tmp_path / "a.plan")

    assert result.header is None
    assert not (tmp_path / "a.plan").exists()


def test_making_a_plan_gives_back_the_header_that_stands_in_the_file(tmp_path: Path) -> None:
    package = FakePackage([declare(TOWN)], row("town", 1))

    result = try_plan(package, FakeTarget(TOWN), PlanOptions(), tmp_path / "a.plan")

    with PlanFile(tmp_path / "a.plan") as plan:
        assert plan.header == result.header
