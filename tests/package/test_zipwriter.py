"""The zip that packages are written into: read by programs that others wrote, and the same bytes everywhere."""

import hashlib
import io
import zipfile

import pytest

from confmig.package.zipwriter import ZipWriter

_MEMBERS = {"data.xml": b"rows " * 10_000, "empty": b"", "files/a.bin": bytes(range(256))}


def _write(stream: io.BytesIO, *, pack: bool, **more: int) -> bytes:
    writer = ZipWriter(stream, pack=pack, **more)
    for name, content in _MEMBERS.items():
        with writer.member(name) as member:
            for start in range(0, len(content), 1000):
                member.write(content[start : start + 1000])
    writer.finish()
    return stream.getvalue()


@pytest.mark.parametrize("pack", [True, False])
@pytest.mark.parametrize("more", [{}, {"zip64_from": 0}, {"zip64_from": 100}], ids=str)
def test_python_reads_what_was_written_in_32_and_in_64_bits(pack: bool, more: dict[str, int]) -> None:
    with zipfile.ZipFile(io.BytesIO(_write(io.BytesIO(), pack=pack, **more))) as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()} == _MEMBERS
        method = zipfile.ZIP_DEFLATED if pack else zipfile.ZIP_STORED
        assert {info.compress_type for info in archive.infolist()} == {method}


def test_more_members_than_16_bits_can_count() -> None:
    stream = io.BytesIO()
    writer = ZipWriter(stream, pack=False)
    for number in range(70_000):
        writer.add(f"files/{number}.bin", b"")
    writer.finish()
    with zipfile.ZipFile(stream) as archive:
        assert len(archive.namelist()) == 70_000


def test_the_bytes_of_what_is_stored_are_these_on_every_python() -> None:
    content = _write(io.BytesIO(), pack=False)
    assert hashlib.sha256(content).hexdigest() == "64c3a7075af4e0b1d5f63d03af8094288d184d5a9b93bd696d87320767849b15"
