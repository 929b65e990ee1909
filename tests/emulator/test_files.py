"""File columns: whole, in chunks, and in blocks."""

import base64
import os
from urllib.parse import unquote

import requests

from confmig.emulator.clock import VirtualClock
from confmig.emulator.http.server import Emulator
from confmig.emulator.options import EmulatorOptions

from .client import Client, error
from .conftest import SHOP

ANA = "c0000000-0000-4000-8000-000000000001"
CONTENT = os.urandom(5_000_000)


def contact(client: Client) -> str:
    return f"contacts({client.create('contacts', {'fullname': 'Paper'})})"


def test_a_file_as_a_whole(shop: Client) -> None:
    path = f"{contact(shop)}/shop_paper"
    assert shop.send("GET", f"{path}/$value").status_code == 204
    headers = {"Content_Type": "application/octet-stream", "x_ms_file_name": "caf%C3%A9.txt"}
    assert shop.send("PATCH", path, b"hello", **headers).status_code == 204
    row = shop.get(path.removesuffix("/shop_paper"))
    assert row["shop_paper_name"] == "café.txt"
    assert len(row["shop_paper"]) == 36
    reply = shop.send("GET", f"{path}/$value")
    assert (reply.status_code, reply.content, reply.headers["x-ms-file-size"]) == (200, b"hello", "5")
    part = shop.send("GET", f"{path}/$value", Range="bytes=1-2")
    assert (part.status_code, part.content) == (206, b"el")
    assert base64.b64decode(shop.get(path)["value"]) == b"hello"
    assert shop.send("DELETE", path).status_code == 204
    assert shop.get(path.removesuffix("/shop_paper"))["shop_paper"] is None


def test_a_file_in_chunks(shop: Client) -> None:
    path = f"{contact(shop)}/shop_paper"
    begun = shop.send("PATCH", f"{path}?x-ms-file-name=big.bin", x_ms_transfer_mode="chunked")
    assert begun.status_code == 200
    size = int(begun.headers["x-ms-chunk-size"])
    answers = []
    for start in range(0, len(CONTENT), size):
        part = CONTENT[start : start + size]
        content_range = f"bytes {start}-{start + len(part) - 1}/{len(CONTENT)}"
        headers = {"Content_Type": "application/octet-stream", "Content_Range": content_range}
        answers.append(shop.send("PATCH", begun.headers["Location"], part, **headers).status_code)
    assert answers == [206, 204]
    assert shop.send("GET", f"{path}/$value").content == CONTENT
    wrong = shop.send("PATCH", begun.headers["Location"], b"x", Content_Type="application/octet-stream")
    assert error(wrong)[0] == 400


def test_a_file_in_blocks(shop: Client) -> None:
    path = contact(shop)
    target = {"@odata.type": "Microsoft.Dynamics.CRM.contact", "contactid": path[9:-1]}
    begin = {"Target": target, "FileName": "b.bin", "FileAttributeName": "shop_paper"}
    token = shop.send("POST", "InitializeFileBlocksUpload", begin).json()["FileContinuationToken"]
    blocks = {base64.b64encode(f"{number:04}".encode()).decode(): bytes([number]) * 10 for number in range(3)}
    for name, content in blocks.items():
        body = {"BlockId": name, "BlockData": base64.b64encode(content).decode(), "FileContinuationToken": token}
        assert shop.send("POST", "UploadBlock", body).status_code == 204
    commit = {"FileName": "b.bin", "MimeType": "x/y", "BlockList": list(blocks), "FileContinuationToken": token}
    done = shop.send("POST", "CommitFileBlocksUpload", commit).json()
    assert done["FileSizeInBytes"] == 30
    assert shop.get(path)["shop_paper"] == done["FileId"]
    begun = shop.send(
        "POST", "InitializeFileBlocksDownload", {"Target": target, "FileAttributeName": "shop_paper"}
    ).json()
    assert (begun["FileSizeInBytes"], begun["FileName"], begun["IsChunkingSupported"]) == (30, "b.bin", True)
    part = {"Offset": 5, "BlockLength": 10, "FileContinuationToken": begun["FileContinuationToken"]}
    data = shop.send("POST", "DownloadBlock", part).json()["Data"]
    assert base64.b64decode(data) == b"\0" * 5 + b"\1" * 5
    assert shop.send("POST", "DeleteFile", {"FileId": done["FileId"]}).status_code == 204
    assert shop.get(path)["shop_paper"] is None
    missing = {"Target": target, "FileAttributeName": "shop_paper"}
    assert error(shop.send("POST", "InitializeFileBlocksDownload", missing)) == (404, "0x80040217")


def test_wrong_transfers_are_refused(shop: Client) -> None:
    assert error(shop.send("POST", "CommitFileBlocksUpload", {"FileContinuationToken": "no"}))[0] == 400
    assert error(shop.send("POST", "InitializeFileBlocksUpload", {"Target": 5}))[0] == 400
    assert (
        error(shop.send("PATCH", f"contacts({ANA})/shop_paper", b"x", Content_Type="application/octet-stream"))[0]
        == 400
    )
    assert error(shop.send("POST", f"contacts({ANA})/shop_paper", b"x"))[0] == 405


def test_names_of_files(shop: Client) -> None:
    path = f"{contact(shop)}/shop_paper"
    for header, option, expected in (
        ("my file.txt", "", "my file.txt"),
        ("header.txt", "?x-ms-file-name=option.txt", "header.txt"),
        ("", "?x-ms-file-name=caf%C3%A9.txt", "café.txt"),
        ("", "?x-ms-file-name=%20%20blanks%20.txt%20", "  blanks .txt "),
        ("café.txt".encode().decode("latin-1"), "", "café.txt"),
    ):
        headers = {"Content_Type": "application/octet-stream"} | ({"x_ms_file_name": header} if header else {})
        assert shop.send("PATCH", path + option, b"x", **headers).status_code == 204
        assert shop.get(path.removesuffix("/shop_paper"))["shop_paper_name"] == expected
        assert unquote(shop.send("GET", f"{path}/$value").headers["x-ms-file-name"]) == expected
    reply = shop.send("GET", f"{path}/$value")
    assert (reply.headers["x-ms-file-name"], reply.headers["mimetype"]) == ("caf%C3%A9.txt", "text/plain")


def test_ranges_of_downloads(shop: Client) -> None:
    path = f"{contact(shop)}/shop_paper"
    shop.send("PATCH", path, b"0123456789", Content_Type="application/octet-stream", x_ms_file_name="r.bin")
    for wanted, status, content, place in (
        ("bytes=0-3", 206, b"0123", "bytes 0-3/10"),
        ("bytes=8-4194303", 206, b"89", "bytes 8-9/10"),
        ("bytes=4-", 206, b"456789", "bytes 4-9/10"),
        ("bytes=10-20", 206, b"", "bytes */10"),
        ("lines=1-2", 200, b"0123456789", None),
    ):
        reply = shop.send("GET", f"{path}/$value", Range=wanted)
        assert (reply.status_code, reply.content, reply.headers.get("Content-Range")) == (status, content, place)
        assert reply.headers["x-ms-file-size"] == "10"
        assert base64.b64decode(shop.send("GET", path, Range=wanted).json()["value"]) == content
    assert error(shop.send("GET", f"{path}/$value", Range="bytes=11-20")) == (416, "0x80048d19")


def test_chunks_must_continue_the_file(shop: Client) -> None:
    path = f"{contact(shop)}/shop_paper"
    begun = shop.send("PATCH", f"{path}?x-ms-file-name=c.bin", x_ms_transfer_mode="chunked", If_None_Match="null")
    location = begun.headers["Location"]

    def chunk(place: str, content: bytes) -> requests.Response:
        return shop.send("PATCH", location, content, Content_Range=place, Content_Type="application/octet-stream")

    for place in ("", "bytes 1-2/6", "bytes 0-2/6", "bytes 0-1/2-3", "bytes 0-1/1"):
        assert error(chunk(place, b"ab")) == (400, "0x80048d19")
    assert [chunk("bytes 0-1/5", b"ab").status_code, chunk("bytes 2-4/5", b"cde").status_code] == [206, 204]
    assert chunk("bytes 5-5/5", b"").status_code == 204
    assert error(chunk("bytes 5-5/6", b"f")) == (400, "0x80048d19")
    assert shop.send("GET", f"{path}/$value").content == b"abcde"
    unknown = path + "?sessiontoken=none"
    assert error(shop.send("PATCH", unknown, b"x", Content_Type="application/octet-stream")) == (400, "0x80040203")


def test_files_that_are_too_large(rules: Client) -> None:
    row = f"rule_papers({rules.create('rule_papers', {})})"
    binary = {"Content_Type": "application/octet-stream", "x_ms_file_name": "f.bin"}
    too_big = (400, "0x80044a02")
    assert rules.send("PATCH", f"{row}/rule_file", b"x" * 1024, **binary).status_code == 204
    assert error(rules.send("PATCH", f"{row}/rule_file", b"x" * 1025, **binary)) == too_big
    begun = rules.send("PATCH", f"{row}/rule_file?x-ms-file-name=f", x_ms_transfer_mode="chunked")
    place = {"Content_Range": "bytes 0-9/1025", **binary}
    assert error(rules.send("PATCH", begun.headers["Location"], b"x" * 10, **place)) == too_big
    target = {"@odata.type": "Microsoft.Dynamics.CRM.rule_paper", "rule_paperid": row[-37:-1]}
    begin = {"Target": target, "FileName": "b.bin", "FileAttributeName": "rule_file"}
    token = rules.send("POST", "InitializeFileBlocksUpload", begin).json()["FileContinuationToken"]

    def block(name: str, size: int) -> requests.Response:
        data = base64.b64encode(b"x" * size).decode()
        body = {"BlockId": name, "BlockData": data, "FileContinuationToken": token}
        return rules.send("POST", "UploadBlock", body)

    assert block("AAAA", 600).status_code == 204
    assert error(block("AAAB", 600)) == too_big
    for wrong in ("", "no base64", "AAAAAAAA", "A" * 100):
        assert error(block(wrong, 1)) == (400, "0x80040203")
    commit = {"FileName": "b.bin", "BlockList": ["AAAA", "AAAB"], "FileContinuationToken": token}
    assert error(rules.send("POST", "CommitFileBlocksUpload", commit)) == (400, "0x80040203")
    assert rules.get(row)["rule_file_name"] == "f.bin"


def test_an_empty_file_is_a_file(shop: Client) -> None:
    path = f"{contact(shop)}/shop_paper"
    assert shop.send("PATCH", path, b"", Content_Type="x/y", x_ms_file_name="empty.txt").status_code == 204
    reply = shop.send("GET", f"{path}/$value")
    assert (reply.status_code, reply.content, reply.headers["x-ms-file-size"]) == (200, b"", "0")


def test_what_is_abandoned_is_forgotten() -> None:
    clock = VirtualClock()
    with Emulator(EmulatorOptions(environment=str(SHOP), clock=clock)) as emulator:
        client = Client(emulator.url)
        path = f"{contact(client)}/shop_paper?x-ms-file-name=a.bin"
        first = client.send("PATCH", path, x_ms_transfer_mode="chunked").headers["Location"]
        headers = {"Content_Type": "application/octet-stream", "Content_Range": "bytes 0-0/2"}
        assert client.send("PATCH", first, b"a", **headers).status_code == 206
        clock.advance(3601)
        assert error(client.send("PATCH", first, b"b", **headers)) == (400, "0x80040203")
        locations = [client.send("PATCH", path, x_ms_transfer_mode="chunked").headers["Location"] for _ in range(70)]
        assert client.send("PATCH", locations[0], b"a", **headers).status_code == 400
        assert client.send("PATCH", locations[-1], b"a", **headers).status_code == 206
        client.close()
