"""Image columns: with the row, through their URL, and the columns that come with them."""

import base64
import re

from .client import Client, error

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(200))
GIF = b"GIF89a" + bytes(50)
BINARY = {"Content_Type": "application/octet-stream", "x_ms_file_name": "face.png"}


def text(content: bytes) -> str:
    return base64.b64encode(content).decode()


def paper(rules: Client, **values: object) -> str:
    return f"rule_papers({rules.create('rule_papers', {'rule_name': 'P', **values})})"


def test_an_image_brings_its_id_time_and_address(rules: Client) -> None:
    path = paper(rules, rule_face=text(PNG))
    row = rules.get(path)
    assert "rule_face" not in row
    address = (
        f"/Image/download.aspx?Entity=rule_paper&Attribute=rule_face&Id={row['rule_faceid']}"
        f"&Timestamp={row['rule_face_timestamp']}"
    )
    assert row["rule_face_url"] == address
    assert re.fullmatch(r"63\d{16}", str(row["rule_face_timestamp"]))
    assert rules.send("PATCH", path, {"rule_face": text(GIF)}).status_code == 204
    assert rules.get(path)["rule_faceid"] != row["rule_faceid"]
    assert rules.get(f"{path}?$select=rule_face")["rule_face"] == text(GIF)


def test_images_are_removed_in_three_ways(rules: Client) -> None:
    for method, end, body in (
        ("PATCH", "", {"rule_face": None}),
        ("PUT", "/rule_face", {"value": None}),
        ("DELETE", "/rule_face", None),
    ):
        path = paper(rules, rule_face=text(PNG))
        assert rules.send(method, path + end, body).status_code == 204
        row = rules.get(f"{path}?$select=rule_face,rule_faceid,rule_face_url,rule_face_timestamp")
        assert {row[name] for name in row if name.startswith("rule_face")} == {None}
        assert rules.send("GET", f"{path}/rule_face/$value?size=full").status_code == 204


def test_an_image_through_its_url(rules: Client) -> None:
    path = paper(rules)
    assert rules.send("PATCH", f"{path}/rule_face", PNG, **BINARY).status_code == 204
    for url in (f"{path}/rule_face/$value", f"{path}/rule_face/$value?size=full"):
        assert rules.send("GET", url).content == PNG
    assert base64.b64decode(rules.get(f"{path}/rule_face?size=full")["value"]) == PNG
    part = rules.send("GET", f"{path}/rule_face/$value?size=full", Range="bytes=1-3")
    assert (part.status_code, part.content) == (206, b"PNG")


def test_the_full_size_is_kept_only_where_it_shall_be(rules: Client) -> None:
    path = paper(rules)
    assert rules.send("PATCH", path, {"rule_other": text(PNG)}).status_code == 204
    assert rules.send("GET", f"{path}/rule_other/$value").content == PNG
    assert rules.send("GET", f"{path}/rule_other/$value?size=full").status_code == 204
    target = {"@odata.type": "Microsoft.Dynamics.CRM.rule_paper", "rule_paperid": path[-37:-1]}
    begin = {"Target": target, "FileAttributeName": "rule_other"}
    reply = rules.send("POST", "InitializeFileBlocksDownload", begin)
    assert error(reply) == (404, "0x80040217")
    assert "No FileAttachment records found for imagedescriptorId:" in reply.text
    rules.send("PATCH", path, {"rule_face": text(GIF)})
    begun = rules.send("POST", "InitializeFileBlocksDownload", {**begin, "FileAttributeName": "rule_face"}).json()
    assert begun["FileSizeInBytes"] == len(GIF)


def test_what_is_no_image_of_the_column_is_refused(rules: Client) -> None:
    assert error(rules.send("POST", "rule_papers", {"rule_other": text(PNG)})) == (400, "0x80090487")
    assert error(rules.send("POST", "rule_papers", {"rule_face": text(b"no image")})) == (400, "0x80072553")
    reply = rules.send("POST", "rule_papers", {"rule_face": text(PNG * 6)})
    assert error(reply) == (400, "0x80072553")
    assert "Reason: File size is too big." in reply.text
    path = paper(rules)
    assert error(rules.send("PATCH", f"{path}/rule_face", b"no image", **BINARY)) == (400, "0x80072553")
    assert error(rules.send("PATCH", path, {"rule_face": "no base64!"})) == (400, "0x80048d19")
