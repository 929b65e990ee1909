import assert from "node:assert/strict";

import { ADA, WORKS, fresh } from "./known.js";

/** Makes accounts named with a prefix of their own and gives the filter that finds them. */
async function made(api, count) {
  const prefix = fresh("Row");
  const Targets = Array.from({ length: count }, (_, number) => ({
    "@odata.type": "Microsoft.Dynamics.CRM.account",
    name: `${prefix} ${number}`,
    numberofemployees: number,
  }));
  await api.callAction({
    collection: "accounts",
    actionName: "Microsoft.Dynamics.CRM.CreateMultiple",
    action: { Targets },
  });
  return { prefix, filter: `startswith(name,'${prefix}')` };
}

export async function filterOrderAndTop(api) {
  const { filter } = await made(api, 5);
  const page = await api.retrieveMultiple({
    collection: "accounts",
    select: ["name", "numberofemployees"],
    filter: `${filter} and numberofemployees ge 1`,
    orderBy: ["numberofemployees desc"],
    top: 3,
  });
  assert.deepEqual(page.value.map((row) => row.numberofemployees), [4, 3, 2]);
}

export async function filterWithQuotesAndOtherAlphabets(api) {
  const page = await api.retrieveMultiple({ collection: "contacts", select: ["lastname"], filter: "lastname eq 'O''Neil'" });
  assert.deepEqual(page.value.map((row) => row.lastname), ["O'Neil"]);
  const other = await api.retrieveMultiple({ collection: "accounts", select: ["name"], filter: "address1_city eq 'Köln'" });
  assert.deepEqual(other.value.map((row) => row.name), ["Velo & Söhne"]);
}

export async function filterByIdsWithoutQuotes(api) {
  const page = await api.retrieveMultiple({
    collection: "contacts",
    filter: `contactid eq {${ADA.toUpperCase()}}`, // the client takes the braces off
    select: ["fullname"],
  });
  assert.deepEqual(page.value.map((row) => row.fullname), ["Ada Quist"]);
}

export async function filterByRelatedRows(api) {
  const byParent = await api.retrieveMultiple({ collection: "accounts", filter: "parentaccountid/name eq 'Cycle Works'" });
  assert.deepEqual(byParent.value.map((row) => row.name), ["Cycle Works North"]);
  const byTask = await api.retrieveMultiple({
    collection: "accounts",
    filter: "account_task_regardingobjectid/any(t:t/subject eq 'Order tyres')",
  });
  assert.deepEqual(byTask.value.map((row) => row.accountid), [WORKS]);
}

export async function filterByAQueryFunction(api) {
  const page = await api.retrieveMultiple({
    collection: "accounts",
    select: ["name"],
    filter: "Microsoft.Dynamics.CRM.In(PropertyName='accountnumber',PropertyValues=['CW-1','CW-2'])",
    orderBy: ["name"],
  });
  assert.deepEqual(page.value.map((row) => row.name), ["Cycle Works", "Cycle Works North"]);
}

export async function filterByAParameterAlias(api) {
  const page = await api.retrieveMultiple({
    collection: "accounts",
    select: ["name"],
    filter: "name eq @p1",
    queryParams: ["@p1='Cycle Works'"],
  });
  assert.deepEqual(page.value.map((row) => row.accountid), [WORKS]);
}

export async function pagesByHand(api) {
  const { filter } = await made(api, 7);
  const asked = { collection: "accounts", select: ["name"], filter, orderBy: ["name"], maxPageSize: 3, count: true };
  const sizes = [];
  let page = await api.retrieveMultiple(asked);
  assert.equal(page.oDataCount, 7);
  for (;;) {
    sizes.push(page.value.length);
    if (!page.oDataNextLink) break;
    page = await api.retrieveMultiple(asked, page.oDataNextLink);
  }
  assert.deepEqual(sizes, [3, 3, 1]);
}

export async function retrieveAllGoesToTheEnd(api) {
  const { prefix, filter } = await made(api, 11);
  const all = await api.retrieveAll({ collection: "accounts", select: ["name"], filter, maxPageSize: 4, orderBy: ["name"] });
  assert.equal(all.value.length, 11);
  assert.equal(new Set(all.value.map((row) => row.name)).size, 11);
  assert.ok(all.value.every((row) => row.name.startsWith(prefix)));
}

export async function countAndCountAll(api) {
  const { filter } = await made(api, 6);
  assert.equal(await api.count({ collection: "accounts", filter }), 6);
  assert.equal(await api.countAll({ collection: "accounts", filter, select: ["name"] }), 6);
}

export async function countOfAllRows(api) {
  const count = await api.count({ collection: "new_brands" });
  assert.equal(count, (await api.retrieveAll({ collection: "new_brands" })).value.length);
}

export async function expandASingleAndACollection(api) {
  const page = await api.retrieveMultiple({
    collection: "contacts",
    select: ["fullname"],
    filter: `contactid eq ${ADA}`,
    expand: [
      { property: "parentcustomerid_account", select: ["name"], expand: [{ property: "createdby", select: ["fullname"] }] },
    ],
  });
  assert.equal(page.value[0].parentcustomerid_account.name, "Cycle Works");
  const ridden = await api.retrieve({
    collection: "contacts",
    key: ADA,
    select: ["fullname"],
    expand: [{ property: "new_bicycles", select: ["new_name"], filter: "new_year eq 2024" }],
  });
  assert.deepEqual(ridden.new_bicycles.map((row) => row.new_name), ["Gull"]);
}

export async function aggregateWithApply(api) {
  const { filter } = await made(api, 4);
  const result = await api.retrieveMultiple({
    collection: "accounts",
    apply: `filter(${filter})/groupby((statuscode),aggregate(numberofemployees with sum as total,$count as rows))`,
  });
  assert.deepEqual([result.value[0].statuscode, result.value[0].total, result.value[0].rows], [1, 6, 4]);
}

export async function aSelectOfAnUnknownColumn(api) {
  await assert.rejects(api.retrieveMultiple({ collection: "accounts", select: ["Name"] }), (error) => {
    assert.equal(error.status, 400);
    assert.match(error.message, /Could not find a property named 'Name' on type 'Microsoft.Dynamics.CRM.account'/);
    return true;
  });
}

export async function anUnknownCollection(api) {
  await assert.rejects(api.retrieveMultiple({ collection: "account" }), (error) => {
    assert.equal(error.status, 404);
    assert.equal(error.message, "Resource not found for the segment 'account'.");
    return true;
  });
}

export async function fetchGivesRowsAndLinkedColumns(api) {
  const fetchXml = `<fetch>
    <entity name="contact">
      <attribute name="fullname" />
      <order attribute="fullname" />
      <link-entity name="account" from="accountid" to="parentcustomerid" alias="company" link-type="inner">
        <attribute name="name" />
        <filter><condition attribute="address1_city" operator="eq" value="Bern" /></filter>
      </link-entity>
      <filter><condition attribute="contactid" operator="eq" value="${ADA}" /></filter>
    </entity>
  </fetch>`;
  const result = await api.fetch({ collection: "contacts", fetchXml, includeAnnotations: "*" });
  assert.equal(result.value.length, 1);
  assert.equal(result.value[0]["company.name"], "Cycle Works");
}

export async function fetchPagesWithCookies(api) {
  const { prefix } = await made(api, 5);
  const fetchXml = `<fetch mapping="logical" count="2"><entity name="account"><attribute name="name"/><order attribute="name"/>
    <filter><condition attribute="name" operator="begins-with" value="${prefix}"/></filter></entity></fetch>`;
  const request = { collection: "accounts", fetchXml, includeAnnotations: "*" };
  const first = await api.fetch(request);
  assert.equal(first.PagingInfo.nextPage, 2);
  const second = await api.fetch({
    ...request,
    pageNumber: first.PagingInfo.nextPage,
    pagingCookie: first.PagingInfo.cookie,
  });
  const names = [...first.value, ...second.value].map((row) => row.name);
  assert.deepEqual(names, [0, 1, 2, 3].map((number) => `${prefix} ${number}`));
}

export async function fetchAllGoesToTheEnd(api) {
  const { prefix } = await made(api, 9);
  const fetchXml = `<fetch count="2"><entity name="account"><attribute name="name"/><order attribute="name" descending="true"/>
    <filter><condition attribute="name" operator="like" value="${prefix}%"/></filter></entity></fetch>`;
  const result = await api.fetchAll({ collection: "accounts", fetchXml, includeAnnotations: "*" });
  assert.equal(result.value.length, 9);
  assert.equal(result.value[0].name, `${prefix} 8`);
}

export async function fetchAggregates(api) {
  const { prefix } = await made(api, 4);
  const fetchXml = `<fetch aggregate="true"><entity name="account">
    <attribute name="accountid" alias="rows" aggregate="count"/>
    <attribute name="numberofemployees" alias="most" aggregate="max"/>
    <filter><condition attribute="name" operator="begins-with" value="${prefix}"/></filter></entity></fetch>`;
  const result = await api.fetch({ collection: "accounts", fetchXml });
  assert.deepEqual([result.value[0].rows, result.value[0].most], [4, 3]);
}

export async function aLongFetchBecomesABatch(api) {
  const values = Array.from({ length: 60 }, () => `<value>${crypto.randomUUID()}</value>`).join("");
  const fetchXml = `<fetch><entity name="account"><attribute name="name"/><filter type="or">
    <condition attribute="accountid" operator="in">${values}<value>${WORKS}</value></condition></filter></entity></fetch>`;
  const result = await api.fetch({ collection: "accounts", fetchXml });
  assert.deepEqual(result.value.map((row) => row.name), ["Cycle Works"]);
}

export async function aLongFilterBecomesABatch(api) {
  const ids = Array.from({ length: 60 }, () => `accountid eq ${crypto.randomUUID()}`).join(" or ");
  const page = await api.retrieveMultiple({ collection: "accounts", select: ["name"], filter: `${ids} or accountid eq ${WORKS}` });
  assert.deepEqual(page.value.map((row) => row.name), ["Cycle Works"]);
}

export async function defaultsOfTheConfiguration(api, open) {
  const { filter } = await made(api, 3);
  const other = open({ maxPageSize: 2, includeAnnotations: "OData.Community.Display.V1.FormattedValue", returnRepresentation: true });
  const page = await other.retrieveMultiple({ collection: "accounts", select: ["statecode"], filter });
  assert.equal(page.value.length, 2);
  assert.equal(page.value[0].statecode_Formatted, "Active");
  const row = await other.create({ collection: "accounts", data: { name: "Whole" } });
  assert.equal(row.name, "Whole");
}
