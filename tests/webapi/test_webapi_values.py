"""Values on the wire, both ways."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from confmig.errors import ServiceError
from confmig.model.values import Choices, FileRef, Lookup, Parties, Party, Value, same_value
from confmig.webapi.replies import decode_json, encode_json
from confmig.webapi.values import other_parties, parse_row, write_properties

from .samples import CONTACT, EMAIL, SETS, column

ID = "c0000000-0000-4000-8000-000000000001"
OTHER = "a0000000-0000-4000-8000-000000000001"
TARGET = "@Microsoft.Dynamics.CRM.lookuplogicalname"
NAME = "@OData.Community.Display.V1.FormattedValue"


def read(text: str, name: str) -> Value:
    """The value of a column of a contact that came back with this JSON beside its id."""
    row = decode_json(f'{{"contactid":"{ID}",{text}}}'.encode(), "")
    return parse_row(row, CONTACT, [column(name)]).values[name]


def written(values: Mapping[str, Value], before: Mapping[str, Value] | None = None) -> Any:
    return write_properties(CONTACT, values, SETS.__getitem__, before or {})


class TestReading:
    @pytest.mark.parametrize(
        ("name", "text", "value"),
        [
            ("fullname", '"fullname":"Émile  Zola "', "Émile  Zola "),
            ("new_count", '"new_count":-7', -7),
            ("versionnumber", '"versionnumber":9223372036854775807', 9223372036854775807),
            ("donotemail", '"donotemail":false', False),
            ("gendercode", '"gendercode":0', 0),
            ("statecode", '"statecode":1', 1),
            ("new_tastes", '"new_tastes":"3,1"', Choices((3, 1))),
            ("new_ratio", '"new_ratio":2', 2.0),
            ("new_ratio", '"new_ratio":0.1', 0.1),
            ("new_code", f'"new_code":"{ID.upper()}"', ID),
            ("entityimage", '"entityimage":"aGk="', "aGk="),
            ("lastonholdtime", '"lastonholdtime":"2026-01-02T03:04:05Z"', datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
            (
                "lastonholdtime",
                '"lastonholdtime":"2026-01-02T03:04:05.1234567Z"',
                datetime(2026, 1, 2, 3, 4, 5, 123456, tzinfo=UTC),
            ),
            ("new_local", '"new_local":"2026-01-02T03:04:05Z"', datetime(2026, 1, 2, 3, 4, 5)),
            ("birthdate", '"birthdate":"1840-04-02"', datetime(1840, 4, 2)),
            ("new_paper", f'"new_paper":"{ID}","new_paper_name":"a.pdf"', FileRef(ID, "a.pdf")),
        ],
    )
    def test_gives_each_type_its_value(self, name: str, text: str, value: Value) -> None:
        found = read(text, name)
        assert found == value
        assert type(found) is type(value)

    def test_keeps_the_nineteen_digits_of_money(self) -> None:
        assert str(read('"creditlimit":922337203685477.5807', "creditlimit")) == "922337203685477.5807"

    def test_keeps_the_ten_places_of_a_decimal(self) -> None:
        assert str(read('"new_rate":99999999999.0123456789', "new_rate")) == "99999999999.0123456789"

    def test_takes_a_whole_number_for_a_decimal(self) -> None:
        assert read('"new_rate":5', "new_rate") == Decimal(5)
        assert isinstance(read('"new_rate":5', "new_rate"), Decimal)

    @pytest.mark.parametrize("name", sorted(CONTACT.info.columns.keys() - {"contactid"}))
    def test_takes_null_and_what_is_left_out_for_no_value(self, name: str) -> None:
        assert read(f'"{name}":null,"_{name}_value":null', name) is None
        assert read('"x":1', name) is None

    @pytest.mark.parametrize(
        ("name", "text"),
        [
            ("new_count", '"five"'),
            ("new_count", "1.5"),
            ("new_count", "[1]"),
            ("gendercode", '{"a":1}'),
            ("donotemail", '"false"'),
            ("donotemail", '"yes"'),
            ("creditlimit", '"much"'),
            ("new_ratio", "{}"),
            ("new_tastes", '"1,x"'),
            ("lastonholdtime", '"yesterday"'),
            ("lastonholdtime", "5"),
        ],
    )
    def test_refuses_a_value_of_another_type_and_names_the_column(self, name: str, text: str) -> None:
        with pytest.raises(ServiceError, match=name):
            read(f'"{name}":{text}', name)

    def test_refuses_a_row_without_its_id(self) -> None:
        with pytest.raises(ServiceError, match="contactid"):
            parse_row({"fullname": "a"}, CONTACT, [])

    def test_gives_id_version_and_only_the_columns_asked_for(self) -> None:
        row = {"contactid": ID.upper(), "@odata.etag": 'W/"7"', "fullname": "a", "new_count": 1}
        record = parse_row(row, CONTACT, [column("fullname")])
        assert (record.table, record.id, record.version, record.values) == ("contact", ID, 'W/"7"', {"fullname": "a"})


class TestALookup:
    def test_tells_table_row_and_name(self) -> None:
        key = "_parentcustomerid_value"
        text = f'"{key}":"{OTHER.upper()}","{key}{TARGET}":"account","{key}{NAME}":"Contoso"'
        assert read(text, "parentcustomerid") == Lookup("account", OTHER, "Contoso")

    def test_with_one_target_needs_no_annotation(self) -> None:
        assert read(f'"_new_accountid_value":"{OTHER}"', "new_accountid") == Lookup("account", OTHER)

    def test_with_several_targets_and_no_annotation_is_an_error(self) -> None:
        with pytest.raises(ServiceError, match=r"contact\.parentcustomerid"):
            read(f'"_parentcustomerid_value":"{OTHER}"', "parentcustomerid")

    @pytest.mark.parametrize(
        ("table", "bind"),
        [
            ("account", {"parentcustomerid_account@odata.bind": f"/accounts({OTHER})"}),
            ("contact", {"parentcustomerid_contact@odata.bind": f"/contacts({OTHER})"}),
        ],
    )
    def test_with_several_targets_binds_by_the_name_in_the_metadata(self, table: str, bind: dict[str, str]) -> None:
        assert written({"parentcustomerid": Lookup(table, OTHER)}) == bind

    def test_binds_by_the_case_in_the_metadata(self) -> None:
        assert written({"new_accountid": Lookup("account", OTHER)}) == {
            "new_AccountId@odata.bind": f"/accounts({OTHER})"
        }

    def test_to_a_table_that_the_column_cannot_point_to_is_an_error(self) -> None:
        with pytest.raises(ServiceError, match=r"parentcustomerid.*team"):
            written({"parentcustomerid": Lookup("team", OTHER)})

    def test_is_cleared_by_null(self) -> None:
        assert written({"new_accountid": None}) == {"new_AccountId@odata.bind": None}

    def test_with_several_targets_is_cleared_where_it_pointed_to(self) -> None:
        before = {"parentcustomerid": Lookup("contact", OTHER)}
        assert written({"parentcustomerid": None}, before) == {"parentcustomerid_contact@odata.bind": None}

    def test_with_several_targets_is_cleared_even_if_nothing_is_known_of_before(self) -> None:
        (name,) = written({"parentcustomerid": None})
        assert name in {"parentcustomerid_account@odata.bind", "parentcustomerid_contact@odata.bind"}

    @pytest.mark.parametrize(("table", "entity_set"), [("systemuser", "systemusers"), ("team", "teams")])
    def test_to_the_owner_has_one_name_for_users_and_teams(self, table: str, entity_set: str) -> None:
        assert written({"ownerid": Lookup(table, OTHER)}) == {"ownerid@odata.bind": f"/{entity_set}({OTHER})"}

    def test_to_the_owner_is_never_cleared(self) -> None:
        assert written({"ownerid": None}) == {}


class TestWriting:
    @pytest.mark.parametrize(
        ("name", "value", "json"),
        [
            ("fullname", 'Émile "Z"\n', '"Émile \\"Z\\"\\n"'),
            ("fullname", None, "null"),
            ("creditlimit", Decimal("922337203685477.5807"), "922337203685477.5807"),
            ("creditlimit", Decimal("-0.0001"), "-0.0001"),
            ("new_rate", Decimal("99999999999.0123456789"), "99999999999.0123456789"),
            ("new_count", 0, "0"),
            ("donotemail", False, "false"),
            ("gendercode", None, "null"),
            ("new_tastes", Choices((3, 1)), '"3,1"'),
            ("new_tastes", Choices(()), "null"),
            ("lastonholdtime", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), '"2026-01-02T03:04:05Z"'),
            ("new_local", datetime(2026, 1, 2, 3, 4, 5), '"2026-01-02T03:04:05Z"'),
            ("birthdate", datetime(1753, 1, 1), '"1753-01-01"'),
            ("birthdate", None, "null"),
        ],
    )
    def test_gives_each_type_its_json(self, name: str, value: Value, json: str) -> None:
        assert encode_json(written({name: value})).decode() == f'{{"{name}":{json}}}'

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("fullname", "100% \u2028 'x' & 大"),
            ("creditlimit", Decimal("922337203685477.5807")),
            ("new_rate", Decimal("0.0000000001")),
            ("new_ratio", 1e-7),
            ("new_count", -2147483648),
            ("donotemail", True),
            ("new_tastes", Choices((5,))),
            ("lastonholdtime", datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC)),
            ("new_local", datetime(2026, 12, 31, 23, 59, 59)),
            ("birthdate", datetime(2026, 12, 31)),
        ],
    )
    def test_and_reading_back_gives_the_same_value(self, name: str, value: Value) -> None:
        back = parse_row(
            {"contactid": ID, **decode_json(encode_json(written({name: value})), "")}, CONTACT, [column(name)]
        ).values[name]
        assert same_value(back, value)
        assert type(back) is type(value)


def party(key: str, table: str, mask: int, name: str = "Ana") -> dict[str, Any]:
    """An activityparty as an expanded row of an e-mail brings it."""
    return {
        "activitypartyid": f"e0000000-0000-4000-8000-00000000000{key}",
        "_partyid_value": f"{key * 8}-0000-4000-8000-000000000001",
        f"_partyid_value{TARGET}": table,
        f"_partyid_value{NAME}": name,
        "_activityid_value": ID,
        f"_activityid_value{TARGET}": "email",
        "participationtypemask": mask,
        "ispartydeleted": False,
        "addressused": "ana@contoso.com",
    }


class TestParties:
    row: Mapping[str, Any] = {
        "activityid": ID,
        "email_activity_parties": [
            party("1", "systemuser", 1),
            party("2", "contact", 2),
            party("3", "account", 2),
            {"activitypartyid": OTHER, "participationtypemask": 3, "addressused": "x@example.com"},
            party("4", "account", 8),
            party("5", "team", 9),
        ],
    }

    def parties(self, name: str) -> Parties:
        value = parse_row(dict(self.row), EMAIL, [EMAIL.info.columns[name]]).values[name]
        assert isinstance(value, Parties)
        return value

    def test_belong_to_the_column_of_their_role(self) -> None:
        found = [one.party for one in self.parties("to").parties]
        assert found == [
            Lookup("contact", "22222222-0000-4000-8000-000000000001", "Ana"),
            Lookup("account", "33333333-0000-4000-8000-000000000001", "Ana"),
        ]
        assert [one.role for one in self.parties("from").parties] == [1]

    def test_without_a_row_keep_their_address(self) -> None:
        (only,) = self.parties("cc").parties
        assert only.party is None
        assert dict(only.columns)["addressused"] == "x@example.com"

    def test_come_with_their_columns_in_the_tools_order(self) -> None:
        first = self.parties("to").parties[0]
        names = [name for name, _ in first.columns]
        assert names == [
            "partyid",
            "activityid",
            "participationtypemask",
            "ispartydeleted",
            "addressused",
            "activitypartyid",
        ]
        assert dict(first.columns)["activityid"] == Lookup("activitypointer", ID)

    def test_that_were_not_asked_for_are_not_taken_for_none(self) -> None:
        with pytest.raises(ServiceError):
            parse_row({"activityid": ID}, EMAIL, [EMAIL.info.columns["to"]])

    def test_are_written_as_rows_of_the_activity(self) -> None:
        user = Party(Lookup("systemuser", OTHER), 1)
        unresolved = Party(None, None, (("addressused", "x@example.com"),))
        body = write_properties(EMAIL, {"from": Parties((user,)), "to": Parties((unresolved,))}, SETS.__getitem__, {})
        assert body == {
            "email_activity_parties": [
                {"participationtypemask": 1, "partyid_systemuser@odata.bind": f"/systemusers({OTHER})"},
                {"participationtypemask": 2, "addressused": "x@example.com"},
            ]
        }

    def test_that_a_write_does_not_name_stay_but_for_those_that_the_service_makes(self) -> None:
        made_by_the_service = (Party(Lookup("account", OTHER), 8), Party(Lookup("team", OTHER), 9))
        everyone = Parties((*self.parties("from").parties, *self.parties("to").parties, *made_by_the_service))
        kept = list(other_parties(everyone, {"to": Parties(()), "subject": "x"}, SETS.__getitem__))
        assert [one["participationtypemask"] for one in kept] == [1]

    def test_that_a_write_clears_do_not_stay(self) -> None:
        kept = list(other_parties(self.parties("to"), {"to": None}, SETS.__getitem__))
        assert kept == []
