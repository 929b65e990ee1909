import assert from "node:assert/strict";

import { ADA, DORA, NOBODY, WORKS, fresh } from "./known.js";

const GUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export async function createGivesTheId(api) {
  const id = await api.create({ collection: "accounts", data: { name: "Nord AG", creditonhold: true } });
  assert.match(id, GUID);
  const row = await api.retrieve({ collection: "accounts", key: id, select: ["name", "creditonhold"] });
  assert.deepEqual([row.accountid, row.name, row.creditonhold], [id, "Nord AG", true]);
}

export async function createWithRepresentationGivesTheRow(api) {
  const row = await api.create({
    collection: "accounts",
    data: { name: "Süd AG", numberofemployees: 7 },
    returnRepresentation: true,
    select: ["name", "numberofemployees", "statuscode"],
    includeAnnotations: "OData.Community.Display.V1.FormattedValue",
  });
  assert.deepEqual([row.name, row.numberofemployees, row.statuscode_Formatted], ["Süd AG", 7, "Active"]);
  assert.match(row.accountid, GUID);
}

export async function createWithRelatedRows(api) {
  const id = await api.create({
    collection: "accounts",
    data: { name: "Deep", primarycontactid: { firstname: "Eva", lastname: "Deep", emailaddress1: fresh("eva@") } },
  });
  const row = await api.retrieve({
    collection: "accounts",
    key: id,
    select: ["name"],
    expand: [{ property: "primarycontactid", select: ["firstname"] }],
  });
  assert.equal(row.primarycontactid.firstname, "Eva");
}

export async function createBindsALookup(api) {
  const id = await api.create({
    collection: "contacts",
    data: { lastname: "Bound", "parentcustomerid_account@odata.bind": `accounts(${WORKS})` },
  });
  const row = await api.retrieve({
    collection: "contacts",
    key: id,
    select: ["_parentcustomerid_value"],
    includeAnnotations: "*",
  });
  assert.equal(row._parentcustomerid_value, WORKS);
  assert.equal(row._parentcustomerid_value_LogicalName, "account");
  assert.equal(row._parentcustomerid_value_NavigationProperty, "parentcustomerid_account");
  assert.equal(row._parentcustomerid_value_Formatted, "Cycle Works");
}

export async function createRefusesAWrongValue(api) {
  await assert.rejects(api.create({ collection: "tasks", data: { subject: "x".repeat(201) } }), (error) => {
    assert.deepEqual([error.status, error.code], [400, "0x80044331"]);
    return true;
  });
}

export async function retrieveExpandsAndAnnotates(api) {
  const row = await api.retrieve({
    collection: "accounts",
    key: WORKS,
    select: ["name", "industrycode", "revenue"],
    expand: [{ property: "account_task_regardingobjectid", select: ["subject"], orderBy: ["subject"], top: 1 }],
    includeAnnotations: "*",
  });
  assert.equal(row.industrycode_Formatted, "Broadcasting");
  assert.equal(row.revenue, 250000.5);
  assert.deepEqual(row.account_task_regardingobjectid.map((task) => task.subject), ["Call the supplier"]);
}

export async function retrieveByAlternateKey(api) {
  const row = await api.retrieve({ collection: "accounts", key: "accountnumber='VS%2F3'", select: ["name"] });
  assert.equal(row.name, "Velo & Söhne");
}

export async function retrieveFollowsANavigationProperty(api) {
  const contact = { collection: "contacts", key: ADA };
  const account = await api.retrieve({ ...contact, navigationProperty: "parentcustomerid_account", select: ["name"] });
  assert.equal(account.name, "Cycle Works");
  const again = await api.retrieve({ ...contact, select: ["/parentcustomerid_account", "name"] });
  assert.equal(again.accountid, WORKS);
}

export async function retrieveAReference(api) {
  const reference = await api.retrieve({ collection: "contacts", key: ADA, select: ["parentcustomerid_account/$ref"] });
  assert.deepEqual([reference.collection, reference.id], ["accounts", WORKS]);
}

export async function retrieveNotModified(api) {
  const asked = { collection: "accounts", key: WORKS, select: ["name"] };
  const first = await api.retrieve(asked);
  const again = await api.retrieve({ ...asked, ifnonematch: first["@odata.etag"] });
  assert.equal(again?.name, undefined);
  const changed = await api.retrieve({ ...asked, ifnonematch: 'W/"1"' });
  assert.equal(changed.name, "Cycle Works");
}

export async function retrieveMissingRow(api) {
  await assert.rejects(api.retrieve({ collection: "accounts", key: NOBODY }), (error) => {
    assert.deepEqual([error.status, error.code], [404, "0x80040217"]);
    assert.match(error.message, new RegExp(`account'? With Id = ${NOBODY} Does Not Exist`, "i"));
    return true;
  });
}

export async function updateChangesOnlyWhatItNames(api) {
  const key = await api.create({ collection: "accounts", data: { name: "Before", address1_city: "Bern" } });
  await api.update({ collection: "accounts", key, data: { name: "After" } });
  const row = await api.retrieve({ collection: "accounts", key, select: ["name", "address1_city"] });
  assert.deepEqual([row.name, row.address1_city], ["After", "Bern"]);
}

export async function updateWithRepresentation(api) {
  const key = await api.create({ collection: "accounts", data: { name: "Before" } });
  const row = await api.update({
    collection: "accounts",
    key,
    data: { numberofemployees: 3 },
    returnRepresentation: true,
    select: ["name", "numberofemployees"],
  });
  assert.deepEqual([row.name, row.numberofemployees], ["Before", 3]);
}

export async function updateMissingRow(api) {
  await assert.rejects(api.update({ collection: "accounts", key: NOBODY, data: { name: "x" } }), { status: 404 });
}

export async function updateWithAnOldVersion(api) {
  const asked = { collection: "accounts", select: ["name"] };
  const row = await api.create({ ...asked, data: { name: "One" }, returnRepresentation: true });
  const key = row.accountid;
  await api.update({ ...asked, key, data: { name: "Two" }, ifmatch: row["@odata.etag"] });
  const refused = await api.update({ ...asked, key, data: { name: "Three" }, ifmatch: row["@odata.etag"] });
  assert.equal(refused, false);
  assert.equal((await api.retrieve({ ...asked, key })).name, "Two");
}

export async function updateSingleProperty(api) {
  const key = await api.create({ collection: "accounts", data: { name: "Single" } });
  await api.updateSingleProperty({ collection: "accounts", key, fieldValuePair: { address1_city: "Basel" } });
  const row = await api.retrieve({ collection: "accounts", key, select: ["address1_city"] });
  assert.equal(row.address1_city, "Basel");
}

export async function deleteSingleProperty(api) {
  const key = await api.create({ collection: "accounts", data: { name: "Single", address1_city: "Basel" } });
  await api.deleteRecord({ collection: "accounts", key, property: "address1_city" });
  const row = await api.retrieve({ collection: "accounts", key, select: ["address1_city"] });
  assert.equal(row.address1_city, null);
}

export async function deleteRecord(api) {
  const key = await api.create({ collection: "accounts", data: { name: "Gone" } });
  assert.equal(await api.deleteRecord({ collection: "accounts", key }), true);
  await assert.rejects(api.retrieve({ collection: "accounts", key }), { status: 404 });
}

export async function deleteWithAnOldVersion(api) {
  const row = await api.create({ collection: "accounts", data: { name: "Kept" }, returnRepresentation: true });
  const key = row.accountid;
  assert.equal(await api.deleteRecord({ collection: "accounts", key, ifmatch: 'W/"1"' }), false);
  assert.equal(await api.deleteRecord({ collection: "accounts", key, ifmatch: row["@odata.etag"] }), true);
}

export async function upsertById(api) {
  const asked = { collection: "accounts", key: crypto.randomUUID(), returnRepresentation: true, select: ["name"] };
  assert.equal((await api.upsert({ ...asked, data: { name: "Made" } })).name, "Made");
  assert.equal((await api.upsert({ ...asked, data: { name: "Changed" } })).name, "Changed");
}

export async function upsertByAlternateKey(api) {
  const key = "new_frame='UPS-1',new_year=2026";
  await api.upsert({ collection: "new_bicycles", key, data: { new_name: "Made" } });
  await api.upsert({ collection: "new_bicycles", key, data: { new_name: "Changed" } });
  const row = await api.retrieve({ collection: "new_bicycles", key, select: ["new_name", "new_frame", "new_year"] });
  assert.deepEqual([row.new_name, row.new_frame, row.new_year], ["Changed", "UPS-1", 2026]);
}

export async function upsertThatMayOnlyCreate(api) {
  const asked = { collection: "accounts", key: WORKS, returnRepresentation: true, select: ["name"] };
  assert.equal(await api.upsert({ ...asked, data: { name: "Refused" }, ifnonematch: "*" }), null);
  const made = await api.upsert({ ...asked, key: crypto.randomUUID(), data: { name: "Made" }, ifnonematch: "*" });
  assert.equal(made.name, "Made");
}

export async function upsertThatMayOnlyUpdate(api) {
  const asked = { collection: "accounts", returnRepresentation: true, select: ["name"] };
  assert.equal(await api.upsert({ ...asked, key: NOBODY, data: { name: "Refused" }, ifmatch: "*" }), null);
  const key = await api.create({ collection: "accounts", data: { name: "Before" } });
  assert.equal((await api.upsert({ ...asked, key, data: { name: "After" }, ifmatch: "*" })).name, "After");
}

export async function valuesOfEveryType(api) {
  const data = {
    new_name: "Äther \u{1F6B2}",
    new_year: 2026,
    new_price: 1234.56,
    new_weight: 8.125,
    new_electric: true,
    new_uses: "1,4",
    new_size: 10,
    new_bought: "2026-04-30",
    new_checked: "2026-05-01T10:00:00Z",
    new_ridden: "2026-05-02T12:30:00+02:00",
    "new_brandid@odata.bind": "/new_brands(b0000000-0000-4000-8000-000000000002)",
  };
  const row = await api.create({ collection: "new_bicycles", data, returnRepresentation: true, includeAnnotations: "*" });
  for (const name of ["new_name", "new_year", "new_price", "new_weight", "new_electric", "new_uses", "new_size", "new_bought"]) {
    assert.equal(row[name], data[name], name);
  }
  assert.equal(new Date(row.new_checked).toISOString(), "2026-05-01T10:00:00.000Z");
  assert.equal(new Date(row.new_ridden).toISOString(), "2026-05-02T10:30:00.000Z");
  assert.equal(row.new_uses_Formatted, "City; Race");
  assert.equal(row._new_brandid_value_Formatted, "Merle");
}

export async function bypassAndDuplicateDetectionHeaders(api) {
  const key = await api.create({
    collection: "accounts",
    data: { name: "Quiet" },
    bypassCustomPluginExecution: true,
    duplicateDetection: true,
    tag: "import",
    headers: { "MSCRM.SuppressCallbackRegistrationExpanderJob": "true" },
  });
  await api.update({ collection: "accounts", key, data: { name: "Quieter" }, bypassCustomPluginExecution: true });
  assert.equal((await api.retrieve({ collection: "accounts", key, select: ["name"] })).name, "Quieter");
}

export async function impersonatedCreateBelongsToTheUser(api, open) {
  const id = await open({ impersonate: DORA }).create({ collection: "accounts", data: { name: "Dora's" } });
  const row = await api.retrieve({ collection: "accounts", key: id, select: ["_createdby_value", "_ownerid_value"] });
  assert.deepEqual([row._createdby_value, row._ownerid_value], [DORA, DORA]);
}

export async function requestsByEntityNames(api, open) {
  const named = open({ useEntityNames: true });
  const id = await named.create({ collection: "new_bicycle", data: { new_name: "By name" } });
  assert.equal((await named.retrieve({ collection: "new_bicycle", key: id, select: ["new_name"] })).new_name, "By name");
  const fetched = await named.fetch({
    collection: "account",
    fetchXml: '<fetch top="1"><entity name="account"><attribute name="name"/></entity></fetch>',
  });
  assert.equal(fetched.value.length, 1);
}

export async function aRequestThatIsAborted(api) {
  const controller = new AbortController();
  controller.abort();
  await assert.rejects(api.retrieveMultiple({ collection: "accounts", signal: controller.signal }));
}

export async function aTokenThatIsRefused(api, open) {
  const stranger = open({ onTokenRefresh: async () => "another" });
  await assert.rejects(stranger.callFunction("WhoAmI"), { status: 401 });
}
