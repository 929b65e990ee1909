"""The environment that is served when none is named: the everyday tables of Dataverse."""

import base64
from collections.abc import Iterator

import pytest

from confmig.emulator.http.server import Emulator
from confmig.emulator.options import EmulatorOptions

from .client import ALL, NAME, TARGET, Client, error

FOURTH_COFFEE = "7d0c1c52-6a1e-4b7c-9c1d-2f5b7c000011"
YVONNE = "7d0c1c52-6a1e-4b7c-9c1d-2f5b7c000021"


@pytest.fixture(scope="module")
def standard() -> Iterator[Client]:
    """The environment, shared by a module whose tests make their own rows."""
    with Emulator(EmulatorOptions()) as emulator:
        client = Client(emulator.url)
        yield client
        client.close()


@pytest.mark.parametrize(
    ("table", "code", "primary_id", "primary_name", "least"),
    [
        ("account", 1, "accountid", "name", 140), ("contact", 2, "contactid", "fullname", 180),
        ("opportunity", 3, "opportunityid", "name", 100), ("incident", 112, "incidentid", "title", 50),
        ("savedquery", 1039, "savedqueryid", "name", 20), ("userquery", 4230, "userqueryid", "name", 20),
        ("lead", 4, "leadid", "fullname", 140),
        ("annotation", 5, "annotationid", "subject", 25), ("queue", 2020, "queueid", "name", 35),
        ("appointment", 4201, "activityid", "subject", 65), ("email", 4202, "activityid", "subject", 95),
        ("letter", 4207, "activityid", "subject", 45), ("phonecall", 4210, "activityid", "subject", 45),
        ("task", 4212, "activityid", "subject", 45),
    ],
)  # fmt: skip
def test_the_tables_have_the_columns_and_codes_of_the_real_ones(
    standard: Client, table: str, code: int, primary_id: str, primary_name: str, least: int
) -> None:
    path = f"EntityDefinitions(LogicalName='{table}')"
    found = standard.get(f"{path}?$select=ObjectTypeCode,PrimaryIdAttribute,PrimaryNameAttribute,IsCustomEntity")
    assert found["ObjectTypeCode"] == code
    assert (found["PrimaryIdAttribute"], found["PrimaryNameAttribute"]) == (primary_id, primary_name)
    assert found["IsCustomEntity"] is False
    columns = standard.rows(f"{path}/Attributes?$select=LogicalName,IsCustomAttribute")
    assert len(columns) >= least
    assert [column["LogicalName"] for column in columns if column["IsCustomAttribute"]] == []


@pytest.mark.parametrize(
    ("name", "table", "lookup", "target", "collection"),
    [
        ("account_primary_contact", "account", "primarycontactid", "contact", "account_primary_contact"),
        ("account_parent_account", "account", "parentaccountid", "account", "account_parent_account"),
        ("contact_customer_accounts", "contact", "parentcustomerid_account", "account", "contact_customer_accounts"),
        ("contact_customer_contacts", "contact", "parentcustomerid_contact", "contact", "contact_customer_contacts"),
        ("Account_Tasks", "task", "regardingobjectid_account_task", "account", "Account_Tasks"),
        ("Contact_Emails", "email", "regardingobjectid_contact_email", "contact", "Contact_Emails"),
        ("Account_Annotation", "annotation", "objectid_account", "account", "Account_Annotation"),
        ("opportunity_customer_accounts", "opportunity", "customerid_account", "account",
         "opportunity_customer_accounts"),
    ],
)  # fmt: skip
def test_relationships_have_the_names_that_programs_use(
    standard: Client, name: str, table: str, lookup: str, target: str, collection: str
) -> None:
    path = f"RelationshipDefinitions(SchemaName='{name}')/Microsoft.Dynamics.CRM.OneToManyRelationshipMetadata"
    found = standard.get(path)
    assert (found["ReferencingEntity"], found["ReferencedEntity"]) == (table, target)
    assert found["ReferencingEntityNavigationPropertyName"] == lookup
    assert found["ReferencedEntityNavigationPropertyName"] == collection


def test_the_sample_rows_lead_to_each_other(standard: Client) -> None:
    path = f"accounts({FOURTH_COFFEE})?$select=name,revenue&$expand=primarycontactid($select=fullname)"
    row = standard.get(f"{path},contact_customer_accounts($select=lastname),Account_Tasks($select=subject)", **ALL)
    assert row["name"] == "Fourth Coffee (sample)"
    assert float(row["revenue"]) == 100000
    assert row["primarycontactid"]["fullname"] == "Yvonne McKay (sample)"
    assert [one["lastname"] for one in row["contact_customer_accounts"]] == ["McKay (sample)"]
    assert [one["subject"] for one in row["Account_Tasks"]] == ["Send the price list (sample)"]


def test_an_account_is_made_with_its_contact_and_tasks_at_once(standard: Client) -> None:
    account = standard.create(
        "accounts",
        {
            "name": "Contoso Ltd",
            "creditonhold": False,
            "address1_latitude": 47.639583,
            "revenue": 5000000,
            "accountcategorycode": 1,
            "primarycontactid": {"firstname": "John", "lastname": "Smith"},
            "Account_Tasks": [{"subject": "Task 1"}, {"subject": "Task 2"}],
        },
    )
    expand = "primarycontactid($select=fullname),Account_Tasks($select=subject,activitytypecode)"
    row = standard.get(f"accounts({account})?$expand={expand}", **ALL)
    assert row["accountcategorycode" + NAME] == "Preferred Customer"
    assert row["donotbulkemail" + NAME] == "Allow"
    defaults = ("customersizecode", "address2_addresstypecode", "territorycode", "preferredcontactmethodcode")
    assert [row[name] for name in defaults] == [1, 1, 1, 1]
    assert (row["address1_addresstypecode"], row["industrycode"], row["followemail"]) == (None, None, True)
    assert row["address1_latitude"] == "47.63958"
    assert row["primarycontactid"]["fullname"] == "John Smith"
    assert {(task["subject"], task["activitytypecode"]) for task in row["Account_Tasks"]} == {
        ("Task 1", "task"),
        ("Task 2", "task"),
    }


def test_full_names_are_made_by_the_service_and_ignored_in_bodies(standard: Client) -> None:
    contact = standard.create("contacts", {"firstname": "Rafel", "lastname": "Shillo", "fullname": "Somebody Else"})
    assert standard.get(f"contacts({contact})?$select=fullname")["fullname"] == "Rafel Shillo"
    standard.send("PATCH", f"contacts({contact})", {"lastname": "Ortega"})
    assert standard.get(f"contacts({contact})?$select=fullname")["fullname"] == "Rafel Ortega"
    standard.send("PATCH", f"contacts({contact})", {"fullname": "Somebody Else", "jobtitle": "Buyer"})
    assert standard.get(f"contacts({contact})?$select=fullname")["fullname"] == "Rafel Ortega"
    standard.send("PATCH", f"contacts({contact})", {"firstname": None})
    assert standard.get(f"contacts({contact})?$select=fullname")["fullname"] == "Ortega"
    lead = standard.create("leads", {"subject": "Beans", "firstname": "Ana", "lastname": "Bowman"})
    assert standard.get(f"leads({lead})?$select=fullname")["fullname"] == "Ana Bowman"


def test_an_email_has_parties_and_is_about_a_row(standard: Client) -> None:
    email = standard.create(
        "emails",
        {
            "subject": "Order 17",
            "description": "It left today.",
            "regardingobjectid_account_email@odata.bind": f"/accounts({FOURTH_COFFEE})",
            "email_activity_parties": [
                {"partyid_contact@odata.bind": f"/contacts({YVONNE})", "participationtypemask": 2},
                {"addressused": "sales@example.com", "participationtypemask": 1},
            ],
        },
    )
    path = f"emails({email})?$select=directioncode,statuscode,_regardingobjectid_value&$expand=email_activity_parties"
    row = standard.get(path, **ALL)
    assert row["_regardingobjectid_value" + TARGET] == "account"
    assert row["statuscode" + NAME] == "Draft"
    assert row["directioncode" + NAME] == "Outgoing"
    assert {party["participationtypemask"] for party in row["email_activity_parties"]} == {1, 2}
    assert {party["_partyid_value"] for party in row["email_activity_parties"]} == {YVONNE, None}


def test_a_task_is_completed_and_a_wrong_pair_of_states_refused(standard: Client) -> None:
    about = {"regardingobjectid_contact_task@odata.bind": f"/contacts({YVONNE})"}
    task = standard.create("tasks", {"subject": "Call back"} | about)
    assert standard.send("PATCH", f"tasks({task})", {"statecode": 1, "statuscode": 2}).status_code == 400
    assert standard.send("PATCH", f"tasks({task})", {"statecode": 1, "statuscode": 5}).status_code == 204
    assert standard.get(f"tasks({task})?$select=statecode", **ALL)["statecode" + NAME] == "Completed"


def test_a_note_knows_its_size_and_what_it_is_about_and_goes_with_it(standard: Client) -> None:
    account = standard.create("accounts", {"name": "With a note"})
    body = base64.b64encode(b"Ten bytes!").decode()
    note = standard.create(
        "annotations",
        {
            "subject": "A file",
            "filename": "a.txt",
            "mimetype": "text/plain",
            "isdocument": True,
            "documentbody": body,
            "objectid_account@odata.bind": f"/accounts({account})",
        },
    )
    row = standard.get(f"annotations({note})?$select=filesize,objecttypecode,documentbody")
    assert (row["filesize"], row["objecttypecode"], row["documentbody"]) == (10, "account", body)
    assert [one["subject"] for one in standard.rows(f"accounts({account})/Account_Annotation")] == ["A file"]
    assert standard.send("DELETE", f"accounts({account})").status_code == 204
    assert standard.send("GET", f"annotations({note})").status_code == 404


def test_leads_and_opportunities_belong_to_customers(standard: Client) -> None:
    lead = standard.create("leads", {"subject": "Machines", "lastname": "Herrera"})
    opportunity = standard.create(
        "opportunities",
        {
            "name": "Three machines",
            "estimatedvalue": 2500.5,
            "customerid_account@odata.bind": f"/accounts({FOURTH_COFFEE})",
            "originatingleadid@odata.bind": f"/leads({lead})",
        },
    )
    row = standard.get(f"opportunities({opportunity})?$expand=customerid_account($select=name)", **ALL)
    assert row["customerid_account"]["name"] == "Fourth Coffee (sample)"
    assert row["opportunityratingcode" + NAME] == "Warm"
    assert (float(row["estimatedvalue"]), row["statecode" + NAME]) == (2500.5, "Open")
    reply = standard.send("POST", f"leads({lead})/accountleads_association/$ref",
                          {"@odata.id": f"{standard.root}accounts({FOURTH_COFFEE})"})  # fmt: skip
    assert reply.status_code == 204, reply.text
    assert [one["name"] for one in standard.rows(f"leads({lead})/accountleads_association")] == [
        "Fourth Coffee (sample)"
    ]


def test_a_text_may_be_as_long_as_the_real_column_and_no_longer(standard: Client) -> None:
    assert standard.send("POST", "accounts", {"name": "x" * 160}).status_code == 204
    assert standard.send("POST", "accounts", {"name": "x" * 161}).status_code == 400
    assert standard.send("POST", "accounts", {"name": "a", "industrycode": 99}).status_code == 400


def test_the_customer_of_a_row_is_an_account_or_a_contact(standard: Client) -> None:
    firm = standard.create("accounts", {"name": "Firm"})
    boss = standard.create(
        "contacts", {"lastname": "Boss", "parentcustomerid_account@odata.bind": f"/accounts({firm})"}
    )
    task = {"subject": "Call", "regardingobjectid_contact_task@odata.bind": f"/contacts({boss})"}
    standard.create("tasks", task)
    path = f"tasks?$select=subject&$filter=regardingobjectid_contact_task/_accountid_value eq {firm}"
    assert [row["subject"] for row in standard.rows(path)] == ["Call"]
    bind = {"parentcustomerid_contact@odata.bind": f"/contacts({boss})"}
    aide = standard.create("contacts", {"lastname": "Aide", **bind})
    read = f"contacts({aide})?$select=_accountid_value,_parentcontactid_value"
    found = standard.get(read)
    assert (found["_accountid_value"], found["_parentcontactid_value"]) == (None, boss)
    reference = {"@odata.id": f"{standard.root}contacts({aide})"}
    assert standard.send("POST", f"accounts({firm})/contact_customer_accounts/$ref", reference).status_code == 204
    found = standard.get(read)
    assert (found["_accountid_value"], found["_parentcontactid_value"]) == (firm, None)
    assert standard.send("DELETE", f"accounts({firm})/contact_customer_accounts({aide})/$ref").status_code == 204
    assert standard.get(read)["_accountid_value"] is None


def test_values_of_the_rows_below_a_row(standard: Client) -> None:
    contacts = [{"lastname": name, "annualincome": income} for name, income in (("A", 1000), ("B", 3000))]
    firm = standard.create("accounts", {"name": "Firm", "contact_customer_accounts": contacts})
    functions = {"average": "average", "sum": "total", "min": "minimum", "max": "maximum"}
    asked = ",".join(f"annualincome with {function} as {alias}" for function, alias in functions.items())
    (found,) = standard.rows(f"accounts({firm})/contact_customer_accounts?$apply=aggregate({asked})")
    values = {name: float(found[name]) for name in functions.values()}
    assert values == {"average": 2000, "total": 4000, "minimum": 1000, "maximum": 3000}


def test_queries_that_are_kept(standard: Client) -> None:
    (view,) = standard.rows("savedqueries?$select=name,savedqueryid&$filter=name eq 'Active Accounts'")
    found = standard.rows(f"accounts?savedQuery={view['savedqueryid']}")
    assert {"Fourth Coffee (sample)", "Litware, Inc. (sample)"} <= {row["name"] for row in found}
    query = {
        "name": "My User Query",
        "description": "User query to display contact info.",
        "querytype": 0,
        "returnedtypecode": "contact",
        "fetchxml": "<fetch><entity name='contact'><attribute name='fullname' /><filter>"
        "<condition attribute='fullname' operator='like' value='%McKay%' /></filter></entity></fetch>",
    }
    query_id = standard.create("userqueries", query)
    assert [row["fullname"] for row in standard.rows(f"contacts?userQuery={query_id}")] == ["Yvonne McKay (sample)"]


def test_cases_of_a_customer(standard: Client) -> None:
    path = f"accounts({FOURTH_COFFEE})/incident_customer_accounts?$select=title,prioritycode,_accountid_value"
    (case,) = standard.rows(path, **ALL)
    assert case["prioritycode" + NAME] == "High"
    assert case["_accountid_value"] == FOURTH_COFFEE


def test_a_letter_goes_into_one_queue_after_another(standard: Client) -> None:
    letter = standard.create("letters", {"subject": "Order 18"})
    target = {"Target": {"activityid": letter, "@odata.type": "Microsoft.Dynamics.CRM.letter"}}
    items = set()
    for name in ("First", "Second"):
        queue = standard.create("queues", {"name": name})
        reply = standard.send("POST", f"queues({queue})/Microsoft.Dynamics.CRM.AddToQueue", target)
        assert reply.status_code == 200, reply.text
        answer = reply.json()
        context = f"{standard.root}$metadata#Microsoft.Dynamics.CRM.AddToQueueResponse"
        assert answer["@odata.context"] == context
        items.add(answer["QueueItemId"])
        item = standard.get(f"queueitems({answer['QueueItemId']})?$select=_queueid_value,_objectid_value")
        assert (item["_queueid_value"], item["_objectid_value"]) == (queue, letter)
    assert len(items) == 1
    wrong = {"Target": {"accountid": FOURTH_COFFEE, "@odata.type": "Microsoft.Dynamics.CRM.account"}}
    assert error(standard.send("POST", f"queues({queue})/Microsoft.Dynamics.CRM.AddToQueue", wrong)) == (
        400,
        "0x80040203",
    )


@pytest.mark.parametrize(("action", "status", "state"), [("WinOpportunity", 3, 1), ("LoseOpportunity", 4, 2)])
def test_an_opportunity_is_closed_with_an_activity(standard: Client, action: str, status: int, state: int) -> None:
    bind = {"customerid_account@odata.bind": f"/accounts({FOURTH_COFFEE})"}
    opportunity = standard.create("opportunities", {"name": "Beans", **bind})
    event = {"subject": "Closed", "opportunityid@odata.bind": f"{standard.root}opportunities({opportunity})"}
    reply = standard.send("POST", action, {"Status": status, "OpportunityClose": event})
    assert reply.status_code == 204, reply.text
    row = standard.get(f"opportunities({opportunity})?$select=statecode,statuscode")
    assert (row["statecode"], row["statuscode"]) == (state, status)
    (closed,) = standard.rows(f"opportunitycloses?$filter=_opportunityid_value eq {opportunity}")
    assert (closed["subject"], closed["statecode"]) == ("Closed", 1)
    assert error(standard.send("POST", action, {"Status": status})) == (400, "0x80040203")
