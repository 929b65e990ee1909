"""$batch on the wire, by Microsoft's documented samples."""

import json
import re
from email.message import Message
from email.parser import BytesParser
from email.policy import compat32

import pytest

from confmig.errors import ServiceError
from confmig.webapi.batching import MAX_PARTS, Part, batch_request, batch_responses
from confmig.webapi.sender import Request, Response

API = "https://contoso.crm4.dynamics.com/api/data/v9.2/"
BOUNDARY = "batchresponse_cbfd8f13-d0ab-4a2c-8b6c-6b3c5a4c4d4e"
ETAG = 'W/"81052965"'

CREATED = """\
HTTP/1.1 204 No Content
OData-Version: 4.0
Location: https://contoso.crm4.dynamics.com/api/data/v9.2/accounts(3dcf8c02-f446-ec11-8c62-00224804511a)
OData-EntityId: https://contoso.crm4.dynamics.com/api/data/v9.2/accounts(3dcf8c02-f446-ec11-8c62-00224804511a)


"""
FOUND = """\
HTTP/1.1 200 OK
Content-Type: application/json; odata.metadata=minimal
OData-Version: 4.0

{"value":[{"@odata.etag":"W/\\"1\\"","name":"Grün – 大 & Söhne\\r\\n","revenue":922337203685477.5807}]}
"""
REFUSED = """\
HTTP/1.1 412 Precondition Failed
REQ_ID: 5f0e0a3c-4711
Content-Type: application/json; odata.metadata=minimal
OData-Version: 4.0

{"error":{"code":"0x80040237","message":"A record with matching key values already exists."}}
"""


def multipart(*answers: str, boundary: str = BOUNDARY, end: bool = True) -> Response:
    text = "".join(
        f"--{boundary}\nContent-Type: application/http\nContent-Transfer-Encoding: binary\n\n{answer}"
        for answer in answers
    )
    text += f"--{boundary}--\n" if end else ""
    body = text.replace("\n", "\r\n").encode()
    return Response(200, {"content-type": f"multipart/mixed; boundary={boundary}"}, body)


def parts_of(request: Request) -> list[Message]:
    """The parts of a request, as Python's own parser sees them."""
    head = f"Content-Type: {request.headers['Content-Type']}\r\n\r\n".encode()
    message = BytesParser(policy=compat32).parsebytes(head + (request.body or b""))
    assert message.is_multipart()
    assert message.defects == []
    payload = message.get_payload()
    assert isinstance(payload, list)
    return [part for part in payload if isinstance(part, Message)]


def content(part: Message) -> bytes:
    payload = part.get_payload(decode=True)
    assert isinstance(payload, bytes)
    return payload


class TestARequest:
    parts = (
        Part("GET", "accounts?$select=name&$filter=name%20eq%20'a'", None, (("Prefer", "odata.maxpagesize=5000"),)),
        Part("POST", "accounts", '{"name":"Grün – 大\\r\\n--batch"}'.encode()),
        Part("PATCH", "accounts(1)", b'{"name":null}', (("If-Match", "*"),)),
    )

    def test_goes_to_the_batch_and_goes_on_after_an_error(self) -> None:
        request = batch_request(API, self.parts, {"OData-Version": "4.0"}, repeatable=False)
        assert (request.method, request.url) == ("POST", f"{API}$batch")
        assert request.headers["OData-Version"] == "4.0"
        assert request.headers["Prefer"] == "odata.continue-on-error"
        assert request.headers["Content-Type"].startswith("multipart/mixed; boundary=")

    @pytest.mark.parametrize("repeatable", [True, False])
    def test_may_be_repeated_as_the_caller_says(self, repeatable: bool) -> None:
        assert batch_request(API, self.parts, {}, repeatable=repeatable).repeatable is repeatable

    def test_ends_each_line_with_carriage_return_and_line_feed(self) -> None:
        body = batch_request(API, self.parts, {}, repeatable=True).body or b""
        assert not re.search(rb"(?<!\r)\n|\r(?!\n)", body)
        boundary = body.partition(b"\r\n")[0]
        assert body.endswith(boundary + b"--\r\n")

    def test_has_parts_that_the_standard_library_reads_back(self) -> None:
        found = parts_of(batch_request(API, self.parts, {}, repeatable=True))
        assert len(found) == len(self.parts)
        for part, sent in zip(found, self.parts, strict=True):
            assert part.get_content_type() == "application/http"
            assert part["Content-Transfer-Encoding"] == "binary"
            head, _, body = content(part).partition(b"\r\n\r\n")
            first, *lines = head.decode().split("\r\n")
            assert first == f"{sent.method} {API}{sent.path} HTTP/1.1"
            assert all(f"{name}: {value}" in lines for name, value in sent.headers)
            assert body.strip() == (sent.body or b"")

    def test_marks_the_bodies_of_its_parts_as_json(self) -> None:
        first, second, _ = parts_of(batch_request(API, self.parts, {}, repeatable=True))
        assert b"\r\nContent-Type: application/json" in content(second)
        assert b"Content-Type" not in content(first)

    def test_has_a_boundary_of_its_own(self) -> None:
        kinds = {batch_request(API, self.parts, {}, repeatable=True).headers["Content-Type"] for _ in range(3)}
        assert len(kinds) == 3

    def test_carries_as_many_parts_as_the_service_takes(self) -> None:
        assert MAX_PARTS == 1_000
        assert len(parts_of(batch_request(API, self.parts[1:2] * MAX_PARTS, {}, repeatable=True))) == MAX_PARTS


class TestAResponse:
    def test_has_an_answer_for_each_part_in_their_order(self) -> None:
        created, found, refused = batch_responses(multipart(CREATED, FOUND, REFUSED), 3)
        assert (created.status, created.body) == (204, b"")
        assert created.headers["odata-entityid"].endswith("accounts(3dcf8c02-f446-ec11-8c62-00224804511a)")
        assert found.status == 200
        row = json.loads(found.body, parse_float=str)["value"][0]
        assert row["name"] == "Grün – 大 & Söhne\r\n"
        assert row["revenue"] == "922337203685477.5807"
        assert refused.status == 412
        assert refused.request_id == "5f0e0a3c-4711"
        assert json.loads(refused.body)["error"]["code"] == "0x80040237"

    def test_may_quote_its_boundary(self) -> None:
        answer = multipart(CREATED)
        quoted = Response(200, {"content-type": f'multipart/mixed; boundary="{BOUNDARY}"'}, answer.body)
        assert [one.status for one in batch_responses(quoted, 1)] == [204]

    def test_may_lack_the_words_after_a_status(self) -> None:
        assert batch_responses(multipart("HTTP/1.1 204\nOData-Version: 4.0\n\n\n"), 1)[0].status == 204

    @pytest.mark.parametrize("expected", [0, 1, 3])
    def test_with_another_number_of_answers_is_an_error(self, expected: int) -> None:
        with pytest.raises(ServiceError, match="2 answers"):
            batch_responses(multipart(CREATED, FOUND), expected)

    @pytest.mark.parametrize(
        "answer",
        [
            Response(200, {"content-type": "application/json"}, b'{"value":[]}'),
            Response(200, {}, b""),
            Response(200, {"content-type": f"multipart/mixed; boundary={BOUNDARY}"}, b""),
            Response(200, {"content-type": "multipart/mixed"}, multipart(CREATED).body),
            Response(200, {"content-type": "multipart/mixed; boundary=other"}, multipart(CREATED).body),
            multipart("nothing of HTTP\n\n"),
            multipart(""),
        ],
    )
    def test_that_is_none_is_an_error(self, answer: Response) -> None:
        with pytest.raises(ServiceError):
            batch_responses(answer, 1)

    def test_that_was_cut_off_within_an_answer_is_an_error(self) -> None:
        whole = multipart(CREATED, FOUND)
        cut = Response(200, whole.headers, whole.body[: whole.body.index(b'"revenue"')])
        with pytest.raises(ServiceError):
            batch_responses(cut, 2)

    def test_of_many_answers_keeps_them_apart(self) -> None:
        answers = batch_responses(multipart(*[CREATED, REFUSED] * 500), 1_000)
        assert [answer.status for answer in answers] == [204, 412] * 500
