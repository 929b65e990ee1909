"""What responses mean: JSON with all its digits, and errors in the service's words."""

import json
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from confmig.errors import AccessError, ConfmigError, LostAnswerError, ServiceError
from confmig.webapi.replies import decode_json, encode_json, error_of, fault_of
from confmig.webapi.sender import Response

from .serving import response

URL = "https://contoso.crm4.dynamics.com"
MISSING = (
    "Principal user (Id=5f0e0a3c-0000-0000-0000-000000000001, type=8, roleCount=1, privilegeCount=1000, accessMode=4),"
    " is missing prvCreateAccount privilege (Id=d26fe964-230b-42dd-ad93-5cc879de411e) on OTC=1 for entity 'account'."
)


def refused(status: int, code: str, message: str, headers: dict[str, str] | None = None) -> Response:
    return response(status, {"error": {"code": code, "message": message}}, headers)


def error(answer: Response) -> ConfmigError:
    return error_of(fault_of(answer), "Reading account")


class TestNumbers:
    @pytest.mark.parametrize("digits", ["922337203685477.5807", "-922337203685477.5808", "0.0000000001", "20000.0000"])
    def test_keep_all_their_digits_both_ways(self, digits: str) -> None:
        value = decode_json(f'{{"x":{digits}}}'.encode(), URL)["x"]
        assert isinstance(value, Decimal)
        assert str(value) == digits or format(value, "f") == digits
        assert json.loads(encode_json({"x": value}), parse_float=str)["x"] in {digits, "1E-10"}

    @given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**15), max_value=10**15, places=10))
    @settings(deadline=None)
    def test_that_are_decimals_come_back_as_they_went(self, value: Decimal) -> None:
        back = decode_json(encode_json({"x": value}), URL)["x"]
        assert Decimal(back) == value

    def test_without_a_fraction_stay_whole(self) -> None:
        value = decode_json(b'{"x":9223372036854775807}', URL)["x"]
        assert value == 9223372036854775807
        assert isinstance(value, int)


@pytest.mark.parametrize(
    "body",
    [b"", b" ", b"<html>sign in</html>", b"[]", b"null", b'"text"', b'{"value":[', b"\xff\xfe{", b'{"a":1} trailing'],
)
def test_an_answer_that_is_no_json_object_is_an_error_and_never_empty(body: bytes) -> None:
    with pytest.raises(ServiceError, match="no JSON") as caught:
        decode_json(body, URL)
    assert URL in caught.value.message
    assert caught.value.hint


class TestAnErrorBody:
    def test_without_a_privilege_is_an_access_error_in_the_services_words(self) -> None:
        answer = refused(403, "0x80040220", MISSING, {"x-ms-service-request-id": "4711"})
        assert fault_of(answer).is_access
        found = error(answer)
        assert isinstance(found, AccessError)
        assert "prvCreateAccount" in found.message
        assert "0x80040220" in found.message
        assert "4711" in found.message
        assert found.message.startswith("Reading account")
        assert "role" in found.hint

    def test_from_an_organization_without_us_is_an_access_error(self) -> None:
        found = error(refused(403, "0x80072560", "The user is not a member of the organization."))
        assert isinstance(found, AccessError)
        assert "not a member" in found.message

    @pytest.mark.parametrize("body", [b"", b'{"error":{"code":"0x8004a101","message":"expired"}}'])
    def test_about_the_token_is_an_access_error(self, body: bytes) -> None:
        found = error(Response(401, {"www-authenticate": "Bearer authorization_uri=x"}, body))
        assert isinstance(found, AccessError)
        assert "401" in found.message

    def test_of_a_refusal_is_a_service_error_with_code_and_request(self) -> None:
        words = "Could not find a property named 'Name' on type 'Microsoft.Dynamics.CRM.account'."
        found = error(refused(400, "0x80060888", words, {"req_id": "0815"}))
        assert isinstance(found, ServiceError)
        assert not isinstance(found, LostAnswerError)
        for part in (words, "0x80060888", "0815", "400"):
            assert part in found.message

    def test_that_is_the_page_of_another_server_says_so(self) -> None:
        found = error(Response(404, {}, b"<html>Not found</html>"))
        assert isinstance(found, ServiceError)
        assert "Web API" in found.message
        assert "URL" in found.hint

    def test_of_a_row_that_is_missing_is_not_taken_for_a_missing_api(self) -> None:
        found = error(refused(404, "0x80040217", "Entity 'account' With Id = 1 Does Not Exist"))
        assert "Does Not Exist" in found.message

    @pytest.mark.parametrize(
        "body", [b"", b"<html>", b"[]", b'{"error":"text"}', b'{"error":{}}', b'{"error":null}', b"\xff", b"{}"]
    )
    def test_that_cannot_be_read_still_tells_the_status(self, body: bytes) -> None:
        fault = fault_of(Response(500, {"x-ms-service-request-id": "4711"}, body))
        assert "500" in str(fault)
        assert "4711" in str(fault)
        assert not fault.is_access

    def test_keeps_characters_beyond_ascii(self) -> None:
        assert fault_of(refused(400, "0x80040265", "Größe fehlt – 大")).message == "Größe fehlt – 大"
