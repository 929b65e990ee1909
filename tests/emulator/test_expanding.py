"""``$expand``: rows of other tables inside rows, its options, and what is not supported.

https://learn.microsoft.com/power-apps/developer/data-platform/webapi/query/join-tables
"""

import pytest

from .client import ALL, NAME, Client, error
from .test_filters import ANA, CONTOSO, FABRIKAM

_TASKS = "account_task_regardingobjectid"
_CONTACTS = "account_contact_parentcustomerid"


def test_a_lookup_is_expanded_without_its_version(reading: Client) -> None:
    page = reading.get(
        f"accounts?$select=name&$expand=primarycontactid($select=fullname)&$filter=accountid eq {CONTOSO}"
    )
    assert page["@odata.context"].endswith("$metadata#accounts(name,primarycontactid(fullname))")
    (row,) = page["value"]
    assert row["primarycontactid"] == {"fullname": "Ana Bowman", "contactid": ANA}
    other = reading.get("accounts(a0000000-0000-4000-8000-000000000004)?$select=name&$expand=primarycontactid")
    assert other["primarycontactid"] is None


def test_a_user_has_the_key_of_a_principal_too(reading: Client) -> None:
    row = reading.get(f"accounts({CONTOSO})?$select=name&$expand=createdby($select=fullname)")
    user = row["createdby"]
    assert user == {"fullname": "# confmig-emulator", "systemuserid": user["ownerid"], "ownerid": user["ownerid"]}


def test_a_lookup_with_several_tables_is_expanded_by_the_table_that_it_names(reading: Client) -> None:
    expand = "parentcustomerid_account($select=name),parentcustomerid_contact($select=fullname)"
    path = f"contacts?$select=fullname&$expand={expand}"
    ana, _, cy = reading.get(path)["value"]
    assert (ana["parentcustomerid_account"]["name"], ana["parentcustomerid_contact"]) == ("Contoso", None)
    assert (cy["parentcustomerid_account"], cy["parentcustomerid_contact"]["fullname"]) == (None, "Ana Bowman")


def test_levels_of_lookups(reading: Client) -> None:
    path = (
        f"accounts({FABRIKAM})?$select=name&$expand=parentaccountid($select=name;"
        "$expand=primarycontactid($select=fullname;$expand=createdby($select=fullname)))"
    )
    row = reading.get(path, **ALL)
    assert row["@odata.context"].endswith(
        "$metadata#accounts(name,parentaccountid(name,primarycontactid(fullname,createdby(fullname))))/$entity"
    )
    contact = row["parentaccountid"]["primarycontactid"]
    assert contact["fullname"] == "Ana Bowman"
    assert contact["createdby"]["fullname"] == "# confmig-emulator"


def test_a_reference_instead_of_a_row(reading: Client) -> None:
    page = reading.get("accounts?$select=name&$expand=primarycontactid/$ref")
    assert page["@odata.context"].endswith("$metadata#accounts(name,primarycontactid,primarycontactid/$ref())")
    first, *_, last = page["value"]
    assert first["_primarycontactid_value"] == ANA
    assert first["primarycontactid"] == {"@odata.id": f"{reading.root}contacts({ANA})"}
    assert last["primarycontactid"] is None


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("primarycontactid/fullname", "Ana Bowman"),
        (f"{_TASKS}(b0000000-0000-4000-8000-000000000002)/subject", "Write"),
        ("primarycontactid/parentcustomerid_account/name", "Contoso"),
    ],
)
def test_a_path_goes_on_below_the_row_that_it_leads_to(reading: Client, path: str, value: str) -> None:
    assert reading.get(f"accounts({CONTOSO})/{path}")["value"] == value
    assert reading.send("GET", f"accounts({CONTOSO})/{path}/$value").text == value


def test_a_path_ends_where_there_is_nothing_to_go_on_to(reading: Client) -> None:
    tasks = reading.get(f"accounts({CONTOSO})/primarycontactid/contact_task_regardingobjectid?$select=subject")["value"]
    assert [task["subject"] for task in tasks] == ["Call back"]
    reference = reading.get(f"accounts({CONTOSO})/primarycontactid/parentcustomerid_account/$ref")
    assert reference["@odata.id"] == f"{reading.root}accounts({CONTOSO})"
    assert reading.send("GET", f"accounts({FABRIKAM})/parentaccountid/parentaccountid/name").status_code == 204
    for path in ("primarycontactid/nothing", f"{_TASKS}/subject", "name/fullname", "primarycontactid/fullname/$ref"):
        assert error(reading.send("GET", f"accounts({CONTOSO})/{path}"))[0] in (400, 404)


def test_a_collection_with_all_its_options(reading: Client) -> None:
    options = "$select=subject;$filter=priority lt 3;$orderby=subject desc;$top=1"
    row = reading.get(f"accounts({CONTOSO})?$select=name&$expand={_TASKS}({options})")
    (task,) = row[_TASKS]
    assert task["@odata.etag"].startswith('W/"')
    assert list(task)[1:] == ["subject", "_regardingobjectid_value", "activityid"]
    assert (task["subject"], task["_regardingobjectid_value"]) == ("Write", CONTOSO)
    link = row[f"{_TASKS}@odata.nextLink"]
    assert link.startswith(f"{reading.root}accounts({CONTOSO})/{_TASKS}?$select=subject&$filter=priority%20lt%203")
    assert [one["subject"] for one in reading.get(link)["value"]] == ["Write"]


def test_a_filter_inside_names_a_parameter_of_the_query(reading: Client) -> None:
    path = f"accounts({CONTOSO})?$select=name&$expand={_CONTACTS}($select=fullname;$filter=fullname eq @who)"
    assert [row["fullname"] for row in reading.get(f"{path}&@who='Ana Bowman'")[_CONTACTS]] == ["Ana Bowman"]
    assert reading.get(f"{path}&@who='Nobody'")[_CONTACTS] == []


def test_rows_inside_rows_inside_rows_come_in_pages(reading: Client) -> None:
    path = (
        f"accounts?$select=name&$filter=accountid eq {CONTOSO}"
        f"&$expand={_CONTACTS}($select=fullname;$expand=createdby($select=fullname)),{_TASKS}($select=subject)"
    )
    (row,) = reading.get(path, Prefer="odata.maxpagesize=1")["value"]
    (contact,), (task,) = row[_CONTACTS], row[_TASKS]
    assert list(contact) == ["fullname", "contactid", "createdby"]
    assert list(task) == ["subject", "activityid"]
    for nav, name in ((_CONTACTS, "contactid"), (_TASKS, "activityid")):
        link = row[f"{nav}@odata.nextLink"]
        assert "$skiptoken=%3Ccookie%20pagenumber=%222%22" in link
        rest = reading.get(link)["value"]
        assert len(rest) == 1
        assert rest[0][name] != row[nav][0][name]
    (whole,) = reading.get(path)["value"]
    assert (len(whole[_CONTACTS]), len(whole[_TASKS])) == (2, 2)
    assert "$skiptoken" not in whole[f"{_TASKS}@odata.nextLink"]


def test_pairs_are_expanded_from_both_sides(reading: Client) -> None:
    rows = reading.get("accounts?$select=name&$expand=account_labels($select=title;$orderby=title)")["value"]
    assert [[one["title"] for one in row["account_labels"]] for row in rows] == [["Blue", "Red"], ["Red"], [], []]
    labels = reading.get("labels?$select=title&$expand=label_accounts($select=name;$filter=creditonhold eq true)")[
        "value"
    ]
    assert [[one["name"] for one in row["label_accounts"]] for row in labels] == [["Contoso"], ["Contoso"]]


def test_annotations_are_inside_expanded_rows_too(reading: Client) -> None:
    row = reading.get(
        f"accounts({CONTOSO})?$select=name&$expand=primarycontactid($select=_parentcustomerid_value)", **ALL
    )
    assert row["primarycontactid"][f"_parentcustomerid_value{NAME}"] == "Contoso"


_ONLY = (
    "Only $select and $filter clause can be provided while doing $expand on many-to-one relationship or nested "
    "one-to-many relationship."
)


@pytest.mark.parametrize(
    ("expand", "message"),
    [
        (f"{_TASKS}/$ref", "Expand with $ref is only supported on lookup type navigation property."),
        ("primarycontactid($orderby=fullname)", _ONLY),
        ("primarycontactid($top=1)", _ONLY),
        (f"{_TASKS}($top=1),{_CONTACTS}($expand=createdby)", _ONLY),
        (f"{_CONTACTS}($expand=contact_task_regardingobjectid($orderby=subject))", _ONLY),
        ("account_labels,createdby", None),
        ("account_labels($expand=createdby)", None),
        ("primarycontactid($skip=1)", None),
        ("primarycontactid($count=true)", None),
        (f"{_TASKS}($levels=2)", None),
        ("primarycontactid($select=Nope)", None),
        ("primarycontactid($select=fullname", None),
        ("_primarycontactid_value", None),
        (",".join(["createdby"] * 16), None),
        ("createdby($expand=" * 40 + "createdby" + ")" * 40, None),
        (f"{_TASKS}($filter=nope eq 1)", None),
        (f"{_TASKS}($top=x)", None),
    ],
)
def test_what_is_not_supported_in_an_expansion_is_refused(reading: Client, expand: str, message: str | None) -> None:
    reply = reading.send("GET", f"accounts?$select=name&$expand={expand}")
    assert error(reply) == (400, "0x80060888")
    assert message is None or reply.json()["error"]["message"] == message


def test_the_key_of_a_principal_can_be_selected(reading: Client) -> None:
    row = reading.get(f"accounts({CONTOSO})?$select=name&$expand=ownerid($select=ownerid)")
    assert row["ownerid"] == {"systemuserid": row["ownerid"]["ownerid"], "ownerid": row["ownerid"]["ownerid"]}
    assert "ownerid" in reading.get("systemusers?$select=ownerid&$top=1")["value"][0]


def test_blanks_around_what_is_expanded_and_properties_that_come_twice(reading: Client) -> None:
    expand = " primarycontactid ( $select = fullname ; $expand = createdby ( $select = fullname ) ) , createdby "
    page = reading.get(f"accounts({CONTOSO})?$select=name&$expand={expand}")
    assert page["@odata.context"].endswith(
        "$metadata#accounts(name,primarycontactid(fullname,createdby(fullname)),createdby())/$entity"
    )
    assert page["primarycontactid"]["createdby"]["fullname"] == "# confmig-emulator"
    twice = reading.send("GET", f"accounts({CONTOSO})?$select=name&$expand=primarycontactid,primarycontactid")
    assert twice.text.count('"primarycontactid":') == 1
