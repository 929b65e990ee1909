"""Files read and uploaded in blocks, when the environment answers otherwise than one hopes."""

from collections.abc import Callable

import pytest

from confmig.errors import AccessError, ServiceError
from confmig.webapi.files import BLOCK, FileDownload, FileUpload
from confmig.webapi.sender import Request, Response
from confmig.webapi.writes import WriteStatus

CONTENT = bytes(range(256)) * 40_000


def served(content: bytes) -> Callable[[int], Response]:
    """A service that gives a file block by block."""

    def fetch(start: int) -> Response:
        return Response(206, {"x-ms-file-size": str(len(content))}, content[start : start + BLOCK])

    return fetch


def read(download: FileDownload) -> bytes:
    parts = []
    while part := download.read(1_000_000):
        parts.append(part)
    return b"".join(parts)


@pytest.mark.parametrize("size", [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, len(CONTENT)])
def test_a_file_is_read_whole_block_by_block(size: int) -> None:
    download = FileDownload(served(CONTENT[:size]), "Reading")
    assert download.size == size
    assert read(download) == CONTENT[:size]


def test_a_server_that_knows_no_ranges_gives_the_whole_file() -> None:
    assert read(FileDownload(lambda _: Response(200, {}, CONTENT), "Reading")) == CONTENT


@pytest.mark.parametrize(
    "later", [Response(204, {}, b""), Response(206, {"x-ms-file-size": "7"}, b"x"), Response(206, {}, b"x")]
)
def test_a_file_that_is_replaced_while_it_is_read_is_no_file(later: Response) -> None:
    first = served(CONTENT)
    download = FileDownload(lambda start: first(start) if start == 0 else later, "Reading")
    with pytest.raises(ServiceError, match=r"Reading: the (file was replaced|environment does not tell)"):
        read(download)


def test_a_row_without_a_file_gives_none() -> None:
    with pytest.raises(ServiceError, match="Reading: the row has no file any more"):
        FileDownload(lambda _: Response(204, {}, b""), "Reading")


def test_a_missing_privilege_is_said_as_such() -> None:
    with pytest.raises(AccessError):
        FileDownload(lambda _: Response(403, {}, b'{"error":{"code":"0x80040220","message":"no"}}'), "Reading")


class Answering:
    """Gives these answers one after the other, and keeps the requests."""

    def __init__(self, *answers: Response) -> None:
        self.answers = list(answers)
        self.requests: list[Request] = []

    def send(self, request: Request) -> Response:
        self.requests.append(request)
        return self.answers.pop(0)


BEGUN = Response(200, {}, b'{"FileContinuationToken":"t"}')
TAKEN = Response(204, {}, b"")


def upload(*answers: Response) -> tuple[WriteStatus, Answering]:
    sender = Answering(*answers)
    result = FileUpload(sender, "https://x/api/", "Uploading").send({"itemid": "1"}, "paper", "a.pdf", [b"12", b"3"])
    return result.status, sender


def test_only_the_last_request_of_an_upload_may_not_be_repeated() -> None:
    done = Response(200, {}, b'{"FileId":"f","FileSizeInBytes":3}')
    status, sender = upload(BEGUN, TAKEN, TAKEN, done)
    assert status is WriteStatus.DONE
    assert [request.repeatable for request in sender.requests] == [True, True, True, False]
    assert b'"MimeType":"application/pdf"' in (sender.requests[-1].body or b"")


def test_a_file_that_arrived_with_another_size_is_not_done() -> None:
    assert upload(BEGUN, TAKEN, TAKEN, Response(200, {}, b'{"FileSizeInBytes":2}'))[0] is WriteStatus.LOST


def test_a_refused_block_ends_the_upload() -> None:
    refused = Response(400, {}, b'{"error":{"code":"0x80044a02","message":"too big"}}')
    status, sender = upload(BEGUN, refused)
    assert (status, len(sender.requests)) == (WriteStatus.REFUSED, 2)


@pytest.mark.parametrize("busy", [Response(503, {}, b""), Response(500, {}, b"<html>"), Response(429, {}, b"")])
def test_an_environment_that_is_not_there_refuses_nothing(busy: Response) -> None:
    with pytest.raises(ServiceError, match="Uploading"):
        upload(BEGUN, busy)
