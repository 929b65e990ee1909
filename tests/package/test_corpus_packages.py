"""Real packages: read, written and compared without loss."""

from pathlib import Path

from confmig.package.comparing import compare_packages
from confmig.package.container import Container
from confmig.package.package import Package
from confmig.package.writer import write_package

from .helpers import digest_of, member_of, rewrite, without_empty_tables


def test_a_real_package_holds_the_same_after_it_was_read_and_written(corpus_package: Path, tmp_path: Path) -> None:
    path = tmp_path / "data.zip"
    with Package(corpus_package) as package:
        events = list(package.rows())
        write_package(path, package.schema_bytes, package.schema, events, package.timestamp)
        assert events
        with Package(path) as written:
            assert list(written.rows()) == without_empty_tables(events)
            assert package.timestamp in {None, written.timestamp}


def test_a_package_that_cmt_wrote_is_written_again_byte_for_byte(recent_package: Path, tmp_path: Path) -> None:
    with Container(recent_package) as container:
        original = container.read("data.xml")
    path = rewrite(recent_package, tmp_path / "data.zip")
    assert member_of(path, "data.xml").replace(b"\r\n", b"\n") == original.replace(b"\r\n", b"\n")
    assert digest_of(path) == digest_of(recent_package)


def test_a_real_package_does_not_differ_from_itself(corpus_package: Path) -> None:
    with Package(corpus_package) as first, Package(corpus_package) as second:
        assert list(compare_packages(first, second)) == []
