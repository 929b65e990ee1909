"""Relationships that clients make, change and delete.

https://learn.microsoft.com/power-apps/developer/data-platform/webapi/create-update-entity-relationships-using-web-api
https://learn.microsoft.com/power-apps/developer/data-platform/webapi/multitable-lookup
"""

import pytest

from .client import ALL, TARGET, Client, error
from .metadatabodies import CRM, Json, attribute, label, many_to_many, one_to_many, table


@pytest.fixture
def library(fresh: Client) -> Client:
    """An emulator with the tables new_book and new_reader."""
    for name in ("new_Book", "new_Reader"):
        assert fresh.send("POST", "EntityDefinitions", table(name)).status_code == 204
    return fresh


def relate(client: Client, body: Json) -> str:
    reply = client.send("POST", "RelationshipDefinitions", body)
    assert reply.status_code == 204, reply.text
    location = reply.headers["OData-EntityId"]
    return location.removeprefix(f"{client.root}RelationshipDefinitions(").rstrip(")")


def test_one_to_many_with_its_lookup(library: Client) -> None:
    cascade = {"Assign": "Cascade", "Delete": "Restrict"}
    lookup = attribute("Lookup", "new_BorrowerId", RequiredLevel={"Value": "ApplicationRequired"})
    body = one_to_many("new_reader_book", "new_reader", "new_book", "x", CascadeConfiguration=cascade, Lookup=lookup)
    made = relate(library, body)
    one = library.get(f"RelationshipDefinitions({made})/{CRM}OneToManyRelationshipMetadata")
    assert (one["ReferencedAttribute"], one["ReferencingAttribute"]) == ("new_readerid", "new_borrowerid")
    assert one["ReferencingEntityNavigationPropertyName"] == "new_BorrowerId"
    assert one["ReferencedEntityNavigationPropertyName"] == "new_reader_book"
    assert (one["IsCustomRelationship"], one["CascadeConfiguration"]["Delete"]) == (True, "Restrict")
    column = library.get("EntityDefinitions(LogicalName='new_book')/Attributes(LogicalName='new_borrowerid')")
    assert (column["Targets"], column["SchemaName"]) == (["new_reader"], "new_BorrowerId")
    assert column["RequiredLevel"]["Value"] == "ApplicationRequired"
    reader = library.create("new_readers", {"new_name": "Ana"})
    bind = {"new_BorrowerId@odata.bind": f"/new_readers({reader})"}
    book = library.create("new_books", {"new_name": "B", **bind})
    read = library.get(f"new_books({book})?$select=new_name&$expand=new_BorrowerId($select=new_name)", **ALL)
    assert read["new_BorrowerId"]["new_name"] == "Ana"
    assert len(library.get(f"new_readers({reader})/new_reader_book")["value"]) == 1
    assert error(library.send("POST", "new_books", {"new_borrowerid@odata.bind": bind.popitem()[1]}))[0] == 400
    assert library.send("DELETE", f"RelationshipDefinitions({made})", If_Match="*").status_code == 204
    assert "_new_borrowerid_value" not in library.get(f"new_books({book})")
    assert error(library.send("GET", f"RelationshipDefinitions({made})"))[0] == 404
    relate(library, body)


def test_a_lookup_deleted_as_a_column_takes_its_relationship_along(library: Client) -> None:
    relate(library, one_to_many("new_reader_book", "new_reader", "new_book", "new_BorrowerId"))
    path = "EntityDefinitions(LogicalName='new_book')/Attributes(LogicalName='new_borrowerid')"
    assert library.send("DELETE", path).status_code == 204
    assert library.get("RelationshipDefinitions?$filter=SchemaName eq 'new_reader_book'")["value"] == []


def test_names_of_ones_own_for_the_navigation_properties(library: Client) -> None:
    names = {
        "ReferencingEntityNavigationPropertyName": "new_borrower",
        "ReferencedEntityNavigationPropertyName": "new_borrowed",
    }
    relate(library, one_to_many("new_reader_book", "new_reader", "new_book", "new_BorrowerId", **names))
    reader = library.create("new_readers", {"new_name": "Ana"})
    library.create("new_books", {"new_borrower@odata.bind": f"/new_readers({reader})"})
    assert len(library.get(f"new_readers({reader})/new_borrowed")["value"]) == 1
    again = one_to_many("new_reader_book2", "new_reader", "new_book", "new_Other", **names)
    assert error(library.send("POST", "RelationshipDefinitions", again)) == (400, "0x80072551")


def test_many_to_many(library: Client) -> None:
    made = relate(library, many_to_many("new_Book_Reader", "new_book", "new_reader"))
    many = library.get(f"RelationshipDefinitions({made})/{CRM}ManyToManyRelationshipMetadata")
    assert many["IntersectEntityName"] == "new_book_reader"
    assert (many["Entity1IntersectAttribute"], many["Entity2IntersectAttribute"]) == ("new_bookid", "new_readerid")
    book, reader = library.create("new_books", {"new_name": "B"}), library.create("new_readers", {"new_name": "R"})
    link = {"@odata.id": f"{library.root}new_readers({reader})"}
    assert library.send("POST", f"new_books({book})/new_Book_Reader/$ref", link).status_code == 204
    assert len(library.get(f"new_readers({reader})/new_Book_Reader")["value"]) == 1
    assert len(library.get("new_book_readerset")["value"]) == 1
    intersect = library.get("EntityDefinitions(LogicalName='new_book_reader')?$select=IsIntersect")
    assert intersect["IsIntersect"] is True
    assert error(library.send("DELETE", "EntityDefinitions(LogicalName='new_book_reader')"))[0] == 400
    again = many_to_many("new_Second", "new_book", "new_reader", IntersectEntityName="new_book_reader")
    assert error(library.send("POST", "RelationshipDefinitions", again)) == (400, "0x80072540")
    assert library.send("DELETE", f"RelationshipDefinitions({made})").status_code == 204
    assert error(library.send("GET", "new_book_readerset"))[0] == 404
    assert library.get(f"new_books({book})")["new_name"] == "B"


def test_many_to_many_with_itself(library: Client) -> None:
    relate(library, many_to_many("new_Sequel", "new_book", "new_book"))
    one, two = (library.create("new_books", {"new_name": name}) for name in "AB")
    link = {"@odata.id": f"{library.root}new_books({two})"}
    assert library.send("POST", f"new_books({one})/new_Sequel_Referencing/$ref", link).status_code == 204
    found = library.get(f"new_books({two})/new_Sequel_Referenced")["value"]
    assert [row["new_name"] for row in found] == ["A"]


def test_deleting_one_side_of_many_to_many(library: Client) -> None:
    relate(library, many_to_many("new_Book_Reader", "new_book", "new_reader"))
    assert library.send("DELETE", "EntityDefinitions(LogicalName='new_reader')").status_code == 204
    assert error(library.send("GET", "new_book_readerset"))[0] == 404
    library.create("new_books", {"new_name": "still there"})


def test_a_customer_lookup(library: Client) -> None:
    body: Json = {
        "OneToManyRelationships": [
            {"SchemaName": f"new_book_customer_{name}", "ReferencedEntity": name, "ReferencingEntity": "new_book"}
            for name in ("account", "contact")
        ],
        "Lookup": {**attribute("Lookup", "new_CustomerId"), "@odata.type": f"{CRM}ComplexLookupAttributeMetadata"},
    }
    reply = library.send("POST", "CreateCustomerRelationships", body)
    assert reply.status_code == 200
    assert len(reply.json()["RelationshipIds"]) == 2
    column = library.get("EntityDefinitions(LogicalName='new_book')/Attributes(LogicalName='new_customerid')")
    assert (column["MetadataId"], column["AttributeType"]) == (reply.json()["AttributeId"], "Customer")
    assert column["Targets"] == ["account", "contact"]
    account = library.create("accounts", {"name": "Acme"})
    book = library.create("new_books", {"new_CustomerId_account@odata.bind": f"/accounts({account})"})
    read = library.get(f"new_books({book})?$select=_new_customerid_value", **ALL)
    assert (read["_new_customerid_value"], read[f"_new_customerid_value{TARGET}"]) == (account, "account")
    assert error(library.send("POST", "CreateCustomerRelationships", body)) == (400, "0x80047013")
    body["OneToManyRelationships"] = body["OneToManyRelationships"][:1]
    assert error(library.send("POST", "CreateCustomerRelationships", body)) == (400, "0x8004023a")


def polymorphic(*targets: str) -> Json:
    return {
        "OneToManyRelationships": [
            {"SchemaName": f"new_book_poly_{name}", "ReferencedEntity": name, "ReferencingEntity": "new_book"}
            for name in targets
        ],
        "Lookup": {**attribute("Lookup", "new_About"), "@odata.type": f"{CRM}ComplexLookupAttributeMetadata"},
    }


def test_a_lookup_to_several_tables(library: Client) -> None:
    reply = library.send("POST", "CreatePolymorphicLookupAttribute", polymorphic("new_reader", "account"))
    assert reply.status_code == 200
    account, reader = library.create("accounts", {"name": "Acme"}), library.create("new_readers", {"new_name": "R"})
    first = library.create("new_books", {"new_About_account@odata.bind": f"/accounts({account})"})
    second = library.create("new_books", {"new_About_new_reader@odata.bind": f"/new_readers({reader})"})
    # A third table, as the documents add one.
    contact = relate(library, one_to_many("new_book_poly_contact", "contact", "new_book", "new_About"))
    person = library.create("contacts", {"fullname": "Ana"})
    third = library.create("new_books", {"new_About_contact@odata.bind": f"/contacts({person})"})
    shown = {
        row["new_bookid"]: row.get(f"_new_about_value{TARGET}")
        for row in library.rows("new_books?$select=_new_about_value", **ALL)
    }
    assert shown == {first: "account", second: "new_reader", third: "contact"}
    assert error(
        library.send("POST", "RelationshipDefinitions", one_to_many("new_x", "contact", "new_book", "new_About"))
    ) == (400, "0x80047013")
    assert library.send("DELETE", f"RelationshipDefinitions({contact})").status_code == 204
    assert library.get(f"new_books({third})")["_new_about_value"] is None
    assert library.send("DELETE", "EntityDefinitions(LogicalName='new_reader')").status_code == 204
    assert library.get(f"new_books({second})")["_new_about_value"] is None
    assert library.get(f"new_books({first})", **ALL)[f"_new_about_value{TARGET}"] == "account"
    column = library.get("EntityDefinitions(LogicalName='new_book')/Attributes(LogicalName='new_about')")
    assert column["Targets"] == ["account"]


def test_a_lookup_that_gets_a_second_target_keeps_its_values(library: Client) -> None:
    relate(library, one_to_many("new_book_account", "account", "new_book", "new_About"))
    account = library.create("accounts", {"name": "Acme"})
    book = library.create("new_books", {"new_About@odata.bind": f"/accounts({account})"})
    relate(library, one_to_many("new_book_contact", "contact", "new_book", "new_About"))
    read = library.get(f"new_books({book})", **ALL)
    assert (read["_new_about_value"], read[f"_new_about_value{TARGET}"]) == (account, "account")


def test_changing_how_a_relationship_cascades(library: Client) -> None:
    made = relate(library, one_to_many("new_book_book", "new_book", "new_book", "new_ParentId"))
    body = library.get(f"RelationshipDefinitions({made})")
    assert body["CascadeConfiguration"]["Delete"] == "RemoveLink"
    body["CascadeConfiguration"]["Delete"] = "Cascade"
    body["IsHierarchical"] = True
    reply = library.send("PUT", f"RelationshipDefinitions({made})", body, **{"MSCRM.MergeLabels": "true"})
    assert reply.status_code == 204
    changed = library.get(f"RelationshipDefinitions({made})")
    assert (changed["CascadeConfiguration"]["Delete"], changed["IsHierarchical"]) == ("Cascade", True)
    one = library.create("new_books", {"new_name": "A"})
    bind = {"new_ParentId@odata.bind": f"/new_books({one})"}
    assert error(library.send("PATCH", f"new_books({one})", bind)) == (400, "0x80040387")
    body["CascadeConfiguration"]["Delete"] = "Perhaps"
    assert error(library.send("PUT", f"RelationshipDefinitions({made})", body)) == (400, "0x8004023a")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, (400, "0x80048d19")),
        ({"@odata.type": f"{CRM}OneToManyRelationshipMetadata"}, (400, "0x80048d19")),
        (one_to_many("plain", "account", "contact", "new_A"), (400, "0x80044366")),
        (one_to_many("new_r", "account", "contact", "Plain"), (400, "0x80044366")),
        (one_to_many("new_r", "nothing", "contact", "new_A"), (404, "0x80060888")),
        (one_to_many("new_r", "account", "shop_related", "new_A"), (400, "0x8004023a")),
        (one_to_many("new_r", "account", "contact", "shop_Size"), (400, "0x80047013")),
        (one_to_many("new_r", "account", "contact", "new_A", ReferencedAttribute="name"), (400, "0x8004023a")),
        (one_to_many("new_r", "account", "contact", "new_A", IsHierarchical=True), (400, "0x8004701F")),
        (one_to_many("new_r", "account", "contact", "new_A", CascadeConfiguration=7), (400, "0x80048d19")),
        (many_to_many("shop_contact_tag", "contact", "shop_tag"), (400, "0x80044363")),
        (many_to_many("new_r", "contact", "nothing"), (404, "0x80060888")),
        (many_to_many("new_r", "contact", "account", IntersectEntityName="account"), (400, "0x80044366")),
    ],
)
def test_wrong_relationships(shop: Client, body: Json, expected: tuple[int, str]) -> None:
    assert error(shop.send("POST", "RelationshipDefinitions", body)) == expected
    assert shop.get("RelationshipDefinitions?$filter=SchemaName eq 'new_r'")["value"] == []


def test_relationships_of_the_platform_stay(shop: Client) -> None:
    named = (
        f"RelationshipDefinitions/{CRM}OneToManyRelationshipMetadata?$filter=ReferencingAttribute eq 'primarycontactid'"
    )
    made = shop.get(named)["value"][0]["MetadataId"]
    assert error(shop.send("DELETE", f"RelationshipDefinitions({made})")) == (400, "0x8004f032")


def test_a_key_keeps_its_lookup(library: Client) -> None:
    made = relate(library, one_to_many("new_reader_book", "new_reader", "new_book", "new_BorrowerId"))
    key = {"SchemaName": "new_Loan", "KeyAttributes": ["new_borrowerid"], "DisplayName": label("Loan")}
    assert library.send("POST", "EntityDefinitions(LogicalName='new_book')/Keys", key).status_code == 204
    for path in (f"RelationshipDefinitions({made})", "EntityDefinitions(LogicalName='new_reader')"):
        assert error(library.send("DELETE", path)) == (400, "0x8004f01f")
    assert library.get("new_readers")["value"] == []
