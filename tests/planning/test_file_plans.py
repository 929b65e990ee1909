"""Files in file columns: compared by name and content, written after all rows, named by hash."""

import hashlib

import pytest

from confmig.errors import PackageError
from confmig.model.environment import ColumnInfo
from confmig.model.values import ColumnType, FileContent, FileRef, Value
from confmig.planning.plan import Action, Phase, PlanOptions

from .conftest import FakePackage, FakeTarget, OpenedFile, Planned, declare, guid, make_plan, make_table, row

SHOP = make_table("shop", ColumnInfo("lease", ColumnType.FILE, creatable=False, updatable=False))
OURS, THEIRS = guid(801), guid(901)


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def package(name: str | None, content: bytes | None) -> FakePackage:
    found = FakePackage([declare(SHOP)], row("shop", 1, name="North", lease=FileRef(OURS, name)))
    if content is not None:
        found.files[OURS] = content
    return found


def target(name: str, content: bytes) -> tuple[FakeTarget, OpenedFile]:
    found, stored = FakeTarget(SHOP), OpenedFile(content)
    found.put("shop", 1, name="North", lease=FileRef(THEIRS, name))
    found.files["shop", guid(1), "lease"] = stored
    return found, stored


def after(planned: Planned) -> Value:
    return planned.only("shop", 1).after["lease"]


def test_the_file_of_a_new_row_is_written_after_all_rows() -> None:
    planned = make_plan(package("a.pdf", b"abc"), FakeTarget(SHOP))
    created, uploaded = planned.of("shop", 1)
    assert (created.action, created.after) == (Action.CREATE, {"name": "North"})
    assert (uploaded.action, uploaded.phase) == (Action.UPDATE, Phase.FILES)
    assert uploaded.before == {}
    assert uploaded.after == {"lease": FileContent(OURS, "a.pdf", 3, sha256(b"abc"))}
    assert (planned.counts["shop"].create, planned.counts["shop"].update) == (1, 0)


def test_the_same_name_and_content_are_the_same_file_whatever_the_ids() -> None:
    assert make_plan(package("a.pdf", b"abc"), target("a.pdf", b"abc")[0]).only("shop", 1).action is Action.UNCHANGED


def test_a_row_without_a_file_gets_one() -> None:
    there = FakeTarget(SHOP)
    there.put("shop", 1, name="North")
    change = make_plan(package("a.pdf", b"abc"), there).only("shop", 1)
    assert (change.action, change.before) == (Action.UPDATE, {"lease": None})


def test_another_content_of_the_same_size_is_told_by_its_hash() -> None:
    change = make_plan(package("a.pdf", b"abc"), target("a.pdf", b"xyz")[0]).only("shop", 1)
    assert change.before == {"lease": FileContent(THEIRS, "a.pdf", 3, sha256(b"xyz"))}
    assert change.after == {"lease": FileContent(OURS, "a.pdf", 3, sha256(b"abc"))}


@pytest.mark.parametrize(("name", "content"), [("b.pdf", b"abc"), ("a.pdf", b"abcd"), ("A.pdf", b"abc")])
def test_what_name_or_size_tell_is_not_read(name: str, content: bytes) -> None:
    there, stored = target(name, content)
    change = make_plan(package("a.pdf", b"abc"), there).only("shop", 1)
    assert change.before == {"lease": FileContent(THEIRS, name, len(content))}
    assert (stored.taken, stored.closed) == (0, True)


def test_a_file_without_a_name_in_the_package_keeps_that_of_the_target() -> None:
    there = target("kept.pdf", b"abc")[0]
    assert make_plan(package(None, b"abc"), there).only("shop", 1).action is Action.UNCHANGED
    assert after(make_plan(package(None, b"new"), target("kept.pdf", b"abc")[0])) == FileContent(
        OURS, "kept.pdf", 3, sha256(b"new")
    )


def test_a_file_that_nobody_named_is_called_by_its_id() -> None:
    created = make_plan(package(None, b"abc"), FakeTarget(SHOP)).of("shop", 1)[1]
    assert created.after == {"lease": FileContent(OURS, f"{OURS}.bin", 3, sha256(b"abc"))}


def test_a_column_without_a_file_leaves_that_of_the_target_alone() -> None:
    there = target("a.pdf", b"abc")[0]
    planned = make_plan(FakePackage([declare(SHOP)], row("shop", 1, name="North")), there)
    assert planned.only("shop", 1).action is Action.UNCHANGED


def test_an_ignored_file_is_neither_looked_for_nor_written() -> None:
    there, stored = target("b.pdf", b"xyz")
    options = PlanOptions(ignore=frozenset([("shop", "lease")]))
    assert make_plan(package("a.pdf", None), there, options).only("shop", 1).action is Action.UNCHANGED
    assert not stored.closed


def test_a_payload_that_is_missing_is_named_with_its_row() -> None:
    with pytest.raises(PackageError, match=f"table shop, row {guid(1)}, lease: there is no files/{OURS}.bin"):
        make_plan(package("a.pdf", None), FakeTarget(SHOP))


def test_a_plan_of_the_same_file_has_the_same_digest_and_another_content_another() -> None:
    digests = [make_plan(package("a.pdf", content), FakeTarget(SHOP)).header.digest for content in (b"1", b"1", b"2")]
    assert digests[0] == digests[1] != digests[2]
