import assert from "node:assert/strict";

import { ADA, NOBODY, NORTH, fresh } from "./known.js";

async function namesLike(api, prefix) {
  const page = await api.retrieveMultiple({ collection: "accounts", select: ["name"], filter: `startswith(name,'${prefix}')` });
  return page.value.map((row) => row.name).sort();
}

export async function readsAndAChange(api) {
  const key = await api.create({ collection: "contacts", data: { lastname: "Before" } });
  api.startBatch();
  api.retrieveMultiple({ collection: "accounts", select: ["name"], top: 2 });
  api.update({ collection: "contacts", key, data: { lastname: "After" } });
  api.retrieve({ collection: "contacts", key, select: ["lastname"] });
  api.count({ collection: "new_brands" });
  const [accounts, updated, contact, count] = await api.executeBatch();
  assert.equal(accounts.value.length, 2);
  assert.equal(updated, true);
  assert.equal(contact.lastname, "After");
  assert.ok(count >= 2);
}

export async function contentIdInAPayload(api) {
  api.startBatch();
  api.create({ collection: "contacts", data: { firstname: "John", lastname: "Doe" }, contentId: "1" });
  api.create({ collection: "accounts", data: { name: "Doe & Sons", "primarycontactid@odata.bind": "$1" } });
  const [contact, account] = await api.executeBatch();
  const row = await api.retrieve({ collection: "accounts", key: account, select: ["_primarycontactid_value"] });
  assert.equal(row._primarycontactid_value, contact);
}

export async function contentIdInAUrl(api) {
  const name = fresh("Content");
  api.startBatch();
  api.create({ collection: "accounts", data: { name }, contentId: "1" });
  api.create({ collection: "primarycontactid", data: { lastname: "Through" }, contentId: "$1" });
  const [account] = await api.executeBatch();
  const row = await api.retrieve({
    collection: "accounts",
    key: account,
    select: ["name"],
    expand: [{ property: "primarycontactid", select: ["lastname"] }],
  });
  assert.deepEqual([row.name, row.primarycontactid.lastname], [name, "Through"]);
}

export async function aChangeSetIsAllOrNothing(api) {
  const prefix = fresh("Set");
  api.startBatch();
  api.create({ collection: "accounts", data: { name: `${prefix} 1` } });
  api.create({ collection: "tasks", data: { subject: "x".repeat(201) } });
  await assert.rejects(api.executeBatch());
  assert.deepEqual(await namesLike(api, prefix), []);
}

export async function withoutChangeSets(api) {
  const prefix = fresh("Loose");
  api.startBatch();
  api.create({ collection: "accounts", data: { name: `${prefix} 1` } });
  api.create({ collection: "accounts", data: { name: `${prefix} 2` } });
  const ids = await api.executeBatch({ inChangeSet: false });
  assert.equal(new Set(ids).size, 2);
  assert.deepEqual(await namesLike(api, prefix), [`${prefix} 1`, `${prefix} 2`]);
}

export async function continueOnError(api) {
  const prefix = fresh("On");
  api.startBatch();
  api.create({ collection: "accounts", data: { name: `${prefix} 1` }, inChangeSet: false });
  api.deleteRecord({ collection: "accounts", key: NOBODY, inChangeSet: false });
  api.create({ collection: "accounts", data: { name: `${prefix} 2` }, inChangeSet: false });
  const [first, failed, last] = await api.executeBatch({ continueOnError: true });
  assert.ok(first && last);
  assert.deepEqual([failed.status, failed.error.code], [404, "0x80040217"]);
  assert.deepEqual(await namesLike(api, prefix), [`${prefix} 1`, `${prefix} 2`]);
}

export async function theFirstErrorEndsTheBatch(api) {
  const prefix = fresh("Stop");
  api.startBatch();
  api.create({ collection: "accounts", data: { name: `${prefix} 1` }, inChangeSet: false });
  api.deleteRecord({ collection: "accounts", key: NOBODY, inChangeSet: false });
  api.create({ collection: "accounts", data: { name: `${prefix} 2` }, inChangeSet: false });
  await assert.rejects(api.executeBatch());
  assert.deepEqual(await namesLike(api, prefix), [`${prefix} 1`]);
}

export async function twoChangeSetsAndAReadBetween(api) {
  const prefix = fresh("Two");
  api.startBatch();
  api.create({ collection: "accounts", data: { name: `${prefix} 1` } });
  api.retrieveMultiple({ collection: "accounts", select: ["name"], filter: `startswith(name,'${prefix}')` });
  api.create({ collection: "accounts", data: { name: `${prefix} 2` } });
  api.create({ collection: "accounts", data: { name: `${prefix} 3` } });
  const [, between, ...others] = await api.executeBatch();
  assert.deepEqual(between.value.map((row) => row.name), [`${prefix} 1`]);
  assert.equal(others.length, 2);
  assert.equal((await namesLike(api, prefix)).length, 3);
}

export async function upsertsDeletesAndLinks(api) {
  const bicycle = await api.create({ collection: "new_bicycles", data: { new_name: "In a batch" } });
  const gone = await api.create({ collection: "accounts", data: { name: "Gone" } });
  const key = crypto.randomUUID();
  api.startBatch();
  api.upsert({ collection: "accounts", key, data: { name: "Made by a batch" } });
  api.deleteRecord({ collection: "accounts", key: gone });
  api.associate({
    collection: "new_bicycles",
    primaryKey: bicycle,
    relationshipName: "new_riders",
    relatedCollection: "contacts",
    relatedKey: ADA,
  });
  api.associateSingleValued({
    collection: "accounts",
    primaryKey: key,
    navigationProperty: "parentaccountid",
    relatedCollection: "accounts",
    relatedKey: NORTH,
  });
  await api.executeBatch();
  const row = await api.retrieve({ collection: "accounts", key, select: ["name", "_parentaccountid_value"] });
  assert.deepEqual([row.name, row._parentaccountid_value], ["Made by a batch", NORTH]);
  await assert.rejects(api.retrieve({ collection: "accounts", key: gone }), { status: 404 });
  const riders = await api.retrieve({ collection: "new_bicycles", key: bicycle, expand: [{ property: "new_riders" }] });
  assert.deepEqual(riders.new_riders.map((one) => one.contactid), [ADA]);
}

export async function representationsInABatch(api) {
  api.startBatch();
  api.create({ collection: "accounts", data: { name: "Shown" }, returnRepresentation: true, select: ["name"] });
  api.callFunction("WhoAmI");
  const [row, me] = await api.executeBatch();
  assert.equal(row.name, "Shown");
  assert.ok(me.UserId);
}

export async function fetchInABatch(api) {
  const fetchXml = '<fetch top="1"><entity name="new_brand"><attribute name="new_name"/><order attribute="new_name"/></entity></fetch>';
  api.startBatch();
  api.fetch({ collection: "new_brands", fetchXml });
  api.retrieveMultiple({ collection: "new_brands", filter: "contains(new_name,'Mer')" });
  const [fetched, filtered] = await api.executeBatch();
  assert.equal(fetched.value[0].new_name, "Albatros");
  assert.equal(filtered.value[0].new_name, "Merle");
}

export async function aHundredCreates(api) {
  const prefix = fresh("Many");
  api.startBatch();
  for (let number = 0; number < 100; number += 1) {
    api.create({ collection: "accounts", data: { name: `${prefix} ${number}` } });
  }
  const ids = await api.executeBatch();
  assert.equal(new Set(ids).size, 100);
  assert.equal((await namesLike(api, prefix)).length, 100);
}
