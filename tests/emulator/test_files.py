"""File columns: whole, in chunks, and in blocks."""

import base64
import os

from .client import Client, error

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
