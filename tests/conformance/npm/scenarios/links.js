import assert from "node:assert/strict";

import { ALBATROS, WORKS } from "./known.js";

async function bicycleAndRider(api) {
  const bicycle = await api.create({ collection: "new_bicycles", data: { new_name: "Linked" } });
  const rider = await api.create({ collection: "contacts", data: { lastname: "Rider" } });
  return { bicycle, rider };
}

async function riders(api, bicycle) {
  const row = await api.retrieve({
    collection: "new_bicycles",
    key: bicycle,
    select: ["new_name"],
    expand: [{ property: "new_riders", select: ["lastname"] }],
  });
  return row.new_riders.map((one) => one.contactid);
}

export async function associateManyToMany(api) {
  const { bicycle, rider } = await bicycleAndRider(api);
  await api.associate({
    collection: "new_bicycles",
    primaryKey: bicycle,
    relationshipName: "new_riders",
    relatedCollection: "contacts",
    relatedKey: rider,
  });
  assert.deepEqual(await riders(api, bicycle), [rider]);
  const found = await api.retrieveMultiple({
    collection: "contacts",
    filter: `new_bicycles/any(b:b/new_bicycleid eq ${bicycle})`,
    select: ["lastname"],
  });
  assert.deepEqual(found.value.map((row) => row.contactid), [rider]);
}

export async function disassociateManyToMany(api) {
  const { bicycle, rider } = await bicycleAndRider(api);
  await api.associate({
    collection: "contacts",
    primaryKey: rider,
    relationshipName: "new_bicycles",
    relatedCollection: "new_bicycles",
    relatedKey: bicycle,
  });
  await api.disassociate({
    collection: "new_bicycles",
    primaryKey: bicycle,
    relationshipName: "new_riders",
    relatedKey: rider,
  });
  assert.deepEqual(await riders(api, bicycle), []);
}

export async function associateTwiceIsRefused(api) {
  const { bicycle, rider } = await bicycleAndRider(api);
  const request = {
    collection: "new_bicycles",
    primaryKey: bicycle,
    relationshipName: "new_riders",
    relatedCollection: "contacts",
    relatedKey: rider,
  };
  await api.associate(request);
  await assert.rejects(api.associate(request), { status: 412, code: "0x80040237" });
}

export async function associateOneToMany(api) {
  const { bicycle } = await bicycleAndRider(api);
  await api.associate({
    collection: "new_brands",
    primaryKey: ALBATROS,
    relationshipName: "new_brand_new_bicycle_new_brandid",
    relatedCollection: "new_bicycles",
    relatedKey: bicycle,
  });
  const row = await api.retrieve({ collection: "new_bicycles", key: bicycle, select: ["_new_brandid_value"] });
  assert.equal(row._new_brandid_value, ALBATROS);
  await api.disassociate({
    collection: "new_brands",
    primaryKey: ALBATROS,
    relationshipName: "new_brand_new_bicycle_new_brandid",
    relatedKey: bicycle,
  });
  const loose = await api.retrieve({ collection: "new_bicycles", key: bicycle, select: ["_new_brandid_value"] });
  assert.equal(loose._new_brandid_value, null);
}

export async function associateAndDisassociateSingleValued(api) {
  const { bicycle, rider } = await bicycleAndRider(api);
  const place = { collection: "new_bicycles", primaryKey: bicycle };
  await api.associateSingleValued({
    ...place,
    navigationProperty: "new_holderid_contact",
    relatedCollection: "contacts",
    relatedKey: rider,
  });
  const asked = { collection: "new_bicycles", key: bicycle, select: ["_new_holderid_value"], includeAnnotations: "*" };
  assert.equal((await api.retrieve(asked))._new_holderid_value_LogicalName, "contact");
  await api.associateSingleValued({
    ...place,
    navigationProperty: "new_holderid_account",
    relatedCollection: "accounts",
    relatedKey: WORKS,
  });
  const held = await api.retrieve(asked);
  assert.deepEqual([held._new_holderid_value, held._new_holderid_value_LogicalName], [WORKS, "account"]);
  await api.disassociateSingleValued({ ...place, navigationProperty: "new_holderid_account" });
  assert.equal((await api.retrieve(asked))._new_holderid_value, null);
}

export async function aLookupIsClearedByNull(api) {
  const { bicycle } = await bicycleAndRider(api);
  const place = { collection: "new_bicycles", key: bicycle };
  await api.update({ ...place, data: { "new_brandid@odata.bind": `/new_brands(${ALBATROS})` } });
  await api.update({ ...place, data: { "new_brandid@odata.bind": null } });
  const row = await api.retrieve({ ...place, select: ["_new_brandid_value"] });
  assert.equal(row._new_brandid_value, null);
}

export async function createBelowANavigationProperty(api) {
  const account = await api.create({ collection: "accounts", data: { name: "Has tasks" } });
  await api.create({
    collection: "accounts",
    key: account,
    navigationProperty: "account_task_regardingobjectid",
    data: { subject: "Below" },
  });
  const row = await api.retrieve({
    collection: "accounts",
    key: account,
    expand: [{ property: "account_task_regardingobjectid", select: ["subject"] }],
  });
  assert.deepEqual(row.account_task_regardingobjectid.map((task) => task.subject), ["Below"]);
}

export async function partiesOfAnEmail(api) {
  const sender = await api.create({ collection: "contacts", data: { lastname: "Sender" } });
  const id = await api.create({
    collection: "emails",
    data: {
      subject: "Hello",
      email_activity_parties: [
        { "partyid_contact@odata.bind": `/contacts(${sender})`, participationtypemask: 1 },
        { "partyid_account@odata.bind": `/accounts(${WORKS})`, participationtypemask: 2 },
      ],
    },
  });
  const row = await api.retrieve({
    collection: "emails",
    key: id,
    select: ["subject"],
    expand: [{ property: "email_activity_parties", select: ["participationtypemask", "_partyid_value"] }],
  });
  const parties = row.email_activity_parties.map((party) => [party.participationtypemask, party._partyid_value]);
  assert.deepEqual(parties.sort(), [
    [1, sender],
    [2, WORKS],
  ]);
}
