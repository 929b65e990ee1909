"""``$batch`` with change sets."""

import re
import uuid

import requests

from .client import Client, error

ANA = "c0000000-0000-4000-8000-000000000001"
JSON = ("Content-Type: application/json; type=entry",)


def operation(method: str, url: str, body: str = "", *headers: str, content_id: str | None = None) -> str:
    """One part: its MIME headers, the request line, its own headers, its body."""
    lines = ["Content-Type: application/http", "Content-Transfer-Encoding: binary"]
    if content_id:
        lines.append(f"Content-ID: {content_id}")
    return "\r\n".join([*lines, "", f"{method} {url} HTTP/1.1", *headers, "", body, ""])


def change_set(*operations: str) -> str:
    inner = "".join(f"--changeset_Y\r\n{one}" for one in operations)
    return f"Content-Type: multipart/mixed; boundary=changeset_Y\r\n\r\n{inner}--changeset_Y--\r\n"


def send(client: Client, *items: str, prefer: str = "") -> requests.Response:
    body = "".join(f"--batch_X\r\n{item}" for item in items) + "--batch_X--\r\n"
    return client.send(
        "POST", "$batch", body.encode(), Content_Type='multipart/mixed; boundary="batch_X"', Prefer=prefer
    )


def statuses(reply: requests.Response) -> list[int]:
    return [int(code) for code in re.findall(r"HTTP/1\.1 (\d+) \w+", reply.text)]


def test_reads_and_writes_one_after_another(shop: Client) -> None:
    row = str(uuid.uuid4())
    reply = send(
        shop,
        operation("PATCH", f"{shop.root}contacts({row})", '{"fullname":"B"}', *JSON),
        operation(
            "GET", f"/api/data/v9.2/contacts({row})?$select=fullname&$filter=fullname eq 'a b'", "", "Accept: */*"
        ),
        operation("DELETE", f"contacts({row})", "", "If-Match: *"),
    )
    assert reply.status_code == 200
    assert re.fullmatch(r"multipart/mixed; boundary=batchresponse_[0-9a-f-]{36}", reply.headers["Content-Type"])
    assert reply.text.startswith("--batchresponse_")
    assert reply.text.endswith("--\r\n")
    assert statuses(reply) == [204, 200, 204]
    assert f"OData-EntityId: {shop.root}contacts({row})" in reply.text
    assert '"fullname":"B"' in reply.text


def test_the_headers_of_a_part_count_for_it(shop: Client) -> None:
    path = f"contacts({ANA})?$select=_parentcustomerid_value"
    prefer = 'Prefer: odata.include-annotations="Microsoft.Dynamics.CRM.lookuplogicalname"'
    reply = send(shop, operation("GET", path, "", prefer), operation("GET", path))
    assert reply.text.count('lookuplogicalname":"account"') == 1
    assert reply.text.count("Preference-Applied: ") == 1


def test_it_stops_at_the_first_failure_unless_told_to_go_on(shop: Client) -> None:
    items = (operation("GET", "nothings"), operation("GET", "contacts/$count"))
    stopped = send(shop, *items)
    assert (stopped.status_code, statuses(stopped)) == (400, [404])
    assert "REQ_ID: " in stopped.text
    gone_on = send(shop, *items, prefer="odata.continue-on-error")
    assert (gone_on.status_code, statuses(gone_on)) == (200, [404, 200])


def test_a_change_set_uses_what_it_made(shop: Client) -> None:
    account, contact = str(uuid.uuid4()), str(uuid.uuid4())
    reply = send(
        shop,
        change_set(
            operation("POST", "accounts", f'{{"accountid":"{account}","name":"Set"}}', *JSON, content_id="1"),
            operation(
                "POST",
                "contacts",
                f'{{"contactid":"{contact}","parentcustomerid_account@odata.bind":"$1"}}',
                *JSON,
                content_id="2",
            ),
            operation("PATCH", "$1", '{"accountnumber":"set"}', *JSON, "If-Match: *", content_id="3"),
            operation("PUT", "$1/primarycontactid/$ref", '{"@odata.id":"$2"}', *JSON, content_id="4"),
        ),
    )
    assert statuses(reply) == [204, 204, 204, 204], reply.text
    head = reply.text.split("\r\n\r\n")[0].split("\r\n")
    assert len(head) == 2
    assert head[1].startswith("Content-Type: multipart/mixed; boundary=changesetresponse_")
    assert [int(number) for number in re.findall(r"Content-ID: (\d)", reply.text)] == [1, 2, 3, 4]
    row = shop.get(f"accounts({account})")
    assert (row["accountnumber"], row["_primarycontactid_value"]) == ("set", contact)
    assert shop.get(f"contacts({contact})")["_parentcustomerid_value"] == account


def test_a_failed_change_set_leaves_nothing_and_gives_one_error(shop: Client) -> None:
    row = str(uuid.uuid4())
    reply = send(
        shop,
        change_set(
            operation("POST", "accounts", f'{{"accountid":"{row}","name":"Gone"}}', *JSON, content_id="1"),
            operation("POST", "accounts", '{"name":"too long for this column"}', *JSON, content_id="2"),
        ),
        operation("GET", "contacts/$count"),
    )
    assert (reply.status_code, statuses(reply)) == (400, [400])
    assert "changesetresponse" not in reply.text
    assert "0x80044331" in reply.text
    assert shop.send("GET", f"accounts({row})").status_code == 404
    forward = change_set(operation("PATCH", "$9", '{"name":"x"}', *JSON, content_id="1"))
    assert "Content-ID Reference: '$9' does not exist in the batch context." in send(shop, forward).text


def test_what_is_no_batch_is_refused(shop: Client) -> None:
    kind = "multipart/mixed; boundary=batch_X"
    part = operation("GET", "contacts/$count")
    for body, content_type in (
        (f"--batch_X\r\n{part}--batch_X--\r\n".replace("\r\n", "\n"), kind),
        (f"--batch_X\r\n{part}", kind),
        ("", kind),
        (f"--batch_X\r\n{part}--batch_X--\r\n", "application/json"),
        (f"--batch_X\r\n{change_set(part)}--batch_X--\r\n", kind),
        ("--batch_X\r\nContent-Type: application/http\r\n\r\nnonsense\r\n--batch_X--\r\n", kind),
        (f"--batch_X\r\n{part.replace('GET contacts', 'nonsense')}--batch_X--\r\n", kind),
        (f"--batch_X\r\n{part}--batch_X--", kind),
        (f"--batch_Y\r\n{part}--batch_Y--\r\n", kind),
        (f"--batch_X\r\n{part.replace('application/http', 'text/plain')}--batch_X--\r\n", kind),
        (f"--batch_X\r\n{part.replace('Encoding: binary', 'Encoding: base64')}--batch_X--\r\n", kind),
        (f"--batch_X\r\n{change_set(change_set(part))}--batch_X--\r\n", kind),
        (f"--batch_X\r\n{change_set(*[operation('DELETE', 'contacts(1)', content_id='1')] * 2)}--batch_X--\r\n", kind),
        ("--batch_X--\r\n", kind),
        (f"--batch_X\r\n{part}--batch_X--\r\n", "multipart/mixed"),
    ):
        reply = shop.send("POST", "$batch", body.encode(), Content_Type=content_type)
        assert error(reply) == (400, "0x80048d19")
    many = "".join(f"--batch_X\r\n{part}" for _ in range(1001)) + "--batch_X--\r\n"
    assert error(shop.send("POST", "$batch", many.encode(), Content_Type=kind))[0] == 400
    assert shop.send("GET", "$batch").status_code == 404


def test_a_leading_line_end_and_lower_case_headers_are_accepted(shop: Client) -> None:
    part = operation("GET", f"{shop.root}contacts/$count").replace("Content-Type", "content-type")
    body = f"\r\n--batch_X\r\n{part}\r\n--batch_X--\r\n"
    reply = shop.send("POST", "$batch", body.encode(), Content_Type="multipart/mixed; boundary=batch_X")
    assert statuses(reply) == [200]


def test_parts_that_are_refused_one_by_one(shop: Client) -> None:
    long = f"contacts?$filter=fullname eq '{'a' * 70_000}'"
    inner = "--batch_Z\r\n" + operation("GET", "contacts/$count") + "--batch_Z--\r\n"
    reply = send(
        shop,
        operation("POST", "$batch", inner, "Content-Type: multipart/mixed; boundary=batch_Z"),
        operation("GET", "https://elsewhere.example/api/data/v9.2/contacts"),
        operation("GET", long),
        operation("GET", "$1"),
        operation("GET", "contacts/$count"),
        prefer="odata.continue-on-error",
    )
    assert (reply.status_code, statuses(reply)) == (200, [400, 400, 414, 400, 200])


def test_a_long_url_is_accepted_in_a_batch(shop: Client) -> None:
    text = "a" * 40_000
    reply = send(shop, operation("GET", f"contacts?$select=fullname&$filter=fullname eq '{text}'"))
    assert statuses(reply) == [200]


def test_references_in_every_form(shop: Client) -> None:
    tag, contact = str(uuid.uuid4()), str(uuid.uuid4())
    reply = send(
        shop,
        change_set(
            operation("POST", "accounts", '{"name":"Rep"}', *JSON, "Prefer: return=representation", content_id="1"),
            operation("PATCH", f"contacts({contact})", '{"fullname":"By id"}', *JSON, content_id="2"),
            operation("PATCH", "accounts(accountnumber='ref/ä')", '{"name":"By key"}', *JSON, content_id="3"),
            operation("POST", "shop_tags", f'{{"shop_tagid":"{tag}"}}', *JSON, content_id="4"),
            operation("POST", "$2/shop_tags/$ref", f'{{"@odata.id":"{shop.root}$4"}}', *JSON, content_id="5"),
            operation("PUT", "$1/accountnumber", '{"value":"ref"}', *JSON, content_id="6"),
            operation("PATCH", "/$2", '{"parentcustomerid_account@odata.bind":"/$3"}', *JSON, content_id="7"),
        ),
    )
    assert statuses(reply) == [201, 204, 204, 204, 204, 204, 204], reply.text
    assert [row["shop_tagid"] for row in shop.get(f"contacts({contact})/shop_tags")["value"]] == [tag]
    by_key = shop.get("accounts(accountnumber='ref%2Fä')")["accountid"]
    assert shop.get(f"contacts({contact})")["_parentcustomerid_value"] == by_key
    assert shop.get("accounts(accountnumber='ref')")["name"] == "Rep"


def test_going_on_after_a_change_set_that_failed(shop: Client) -> None:
    row = str(uuid.uuid4())
    bad = change_set(
        operation("PATCH", f"accounts({row})", '{"name":"Gone"}', *JSON, content_id="1"),
        operation("DELETE", f"accounts({uuid.uuid4()})", content_id="2"),
        operation("PATCH", f"accounts({row})", '{"name":"Never"}', *JSON, content_id="3"),
    )
    good = change_set(operation("PATCH", f"contacts({row})", '{"fullname":"Kept"}', *JSON, content_id="1"))
    reply = send(shop, bad, good, prefer="odata.continue-on-error")
    assert (reply.status_code, statuses(reply)) == (200, [404, 204])
    assert shop.send("GET", f"accounts({row})").status_code == 404
    assert shop.get(f"contacts({row})")["fullname"] == "Kept"


def test_line_ends_without_cr_need_two_more(shop: Client) -> None:
    text = f"--b\n{operation('GET', 'contacts?$top=1&$select=fullname')}\n--b--".replace("\r\n", "\n")
    kind = "multipart/mixed; boundary=b"
    assert error(shop.send("POST", "$batch", f"{text}\n".encode(), Content_Type=kind)) == (400, "0x80048d19")
    reply = shop.send("POST", "$batch", f"{text}\n\n".encode(), Content_Type=kind)
    assert (reply.status_code, statuses(reply)) == (200, [200])
