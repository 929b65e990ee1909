"""``$metadata`` as XML that a client can build its model from.

https://docs.oasis-open.org/odata/odata-csdl-xml/v4.01/odata-csdl-xml-v4.01.html
"""

from xml.etree import ElementTree as ET

import pytest

from .client import Client, error
from .metadatabodies import many_to_many, one_to_many, table

EDM = "{http://docs.oasis-open.org/odata/ns/edm}"
Element = ET.Element


def schema(client: Client, query: str = "") -> Element:
    reply = client.send("GET", f"$metadata{query}", Accept="application/xml")
    assert reply.status_code == 200
    assert reply.headers["Content-Type"].startswith("application/xml")
    root = ET.fromstring(reply.content)
    assert root.tag == "{http://docs.oasis-open.org/odata/ns/edmx}Edmx"
    found = root.find(f".//{EDM}Schema")
    assert found is not None
    assert found.get("Namespace") == "Microsoft.Dynamics.CRM"
    return found


def named(parent: Element, tag: str) -> dict[str, Element]:
    elements = {str(one.get("Name")): one for one in parent.findall(f"{EDM}{tag}")}
    assert len(elements) == len(parent.findall(f"{EDM}{tag}")), f"two elements {tag} have one name"
    return elements


@pytest.fixture(scope="module")
def document(shop: Client) -> Element:
    return schema(shop)


def test_tables_with_keys_and_properties(document: Element) -> None:
    contact = named(document, "EntityType")["contact"]
    assert contact.get("BaseType") == "mscrm.crmbaseentity"
    key = contact.find(f"{EDM}Key/{EDM}PropertyRef")
    assert key is not None
    assert key.get("Name") == "contactid"
    kinds = {name: one.get("Type") for name, one in named(contact, "Property").items()}
    assert kinds["contactid"] == kinds["_parentcustomerid_value"] == "Edm.Guid"
    assert (kinds["birthdate"], kinds["shop_seen"]) == ("Edm.Date", "Edm.DateTimeOffset")
    assert (kinds["shop_rate"], kinds["shop_ratio"], kinds["shop_size"]) == ("Edm.Decimal", "Edm.Double", "Edm.Int32")
    assert kinds["versionnumber"] == "Edm.Int64"
    assert "parentcustomerid" not in kinds


def test_navigation_properties_lead_there_and_back(document: Element) -> None:
    types = named(document, "EntityType")
    checked = 0
    for name, kind in types.items():
        for nav, one in named(kind, "NavigationProperty").items():
            target = str(one.get("Type")).removeprefix("Collection(").removesuffix(")").removeprefix("mscrm.")
            assert target in types, (name, nav)
            partner = one.get("Partner")
            if partner is not None:
                back = named(types[target], "NavigationProperty")[partner]
                if back.get("Type") != "mscrm.principal":
                    assert back.get("Partner") == nav, (name, nav)
                checked += 1
            for constraint in one.findall(f"{EDM}ReferentialConstraint"):
                assert constraint.get("Property") in named(kind, "Property")
                assert constraint.get("ReferencedProperty") in named(types[target], "Property")
    assert checked > 50


def test_every_type_that_is_named_is_there(document: Element) -> None:
    defined = {str(one.get("Name")) for one in document if one.get("Name")}
    for element in document.iter():
        for attribute in ("Type", "BaseType", "EntityType", "Function", "Action"):
            value = str(element.get(attribute) or "").removeprefix("Collection(").removesuffix(")")
            namespace, _, name = value.rpartition(".")
            if namespace in ("mscrm", "Microsoft.Dynamics.CRM"):
                assert name in defined, value


def test_the_container_has_the_sets_of_the_service_document(shop: Client, document: Element) -> None:
    container = named(document, "EntityContainer")["System"]
    sets = named(container, "EntitySet")
    assert {one["name"] for one in shop.get("")["value"]} <= sets.keys()
    assert {"EntityDefinitions", "RelationshipDefinitions", "GlobalOptionSetDefinitions"} <= sets.keys()
    assert sets["accounts"].get("EntityType") == "Microsoft.Dynamics.CRM.account"
    bindings = {one.get("Path"): one.get("Target") for one in sets["accounts"]}
    assert bindings["primarycontactid"] == "contacts"
    assert set(bindings.values()) <= sets.keys()


def test_alternate_keys_and_annotations(shop: Client) -> None:
    account = named(schema(shop, "?annotations=true"), "EntityType")["account"]
    terms = {one.get("Term") for one in account.iter(f"{EDM}Annotation")}
    assert {"Keys.AlternateKeys", "Org.OData.Core.V1.Permissions"} <= terms
    names = [one.get("String") for one in account.iter(f"{EDM}PropertyValue") if one.get("Property") == "Alias"]
    assert names == ["accountnumber"]
    asked = shop.send("GET", "$metadata", Prefer='odata.include-annotations="*"')
    assert b"Org.OData.Core.V1.Permissions" in asked.content
    plain = named(schema(shop), "EntityType")["account"]
    assert "Org.OData.Core.V1.Permissions" not in {one.get("Term") for one in plain.iter(f"{EDM}Annotation")}


def test_new_tables_are_in_it(fresh: Client) -> None:
    fresh.send("POST", "EntityDefinitions", table("new_Thing"))
    fresh.send("POST", "RelationshipDefinitions", one_to_many("new_a_thing", "account", "new_thing", "new_AccountId"))
    fresh.send("POST", "RelationshipDefinitions", many_to_many("new_thing_contact", "new_thing", "contact"))
    document = schema(fresh)
    navs = named(named(document, "EntityType")["new_thing"], "NavigationProperty")
    assert navs["new_AccountId"].get("Type") == "mscrm.account"
    assert navs["new_thing_contact"].get("Type") == "Collection(mscrm.contact)"
    test_navigation_properties_lead_there_and_back(document)


def test_it_is_only_read(shop: Client) -> None:
    assert error(shop.send("POST", "$metadata", {}))[0] == 404
