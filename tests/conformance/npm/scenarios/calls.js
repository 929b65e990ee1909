import assert from "node:assert/strict";

import { DORA, GULL, WORKS, fresh } from "./known.js";

const CRM = "Microsoft.Dynamics.CRM";

function multiple(api, name, Targets) {
  return api.callAction({ collection: "new_bicycles", actionName: `${CRM}.${name}`, action: { Targets } });
}

async function bicyclesLike(api, prefix) {
  const page = await api.retrieveMultiple({
    collection: "new_bicycles",
    select: ["new_name", "new_year"],
    filter: `startswith(new_name,'${prefix}')`,
    orderBy: ["new_name"],
  });
  return page.value;
}

export async function whoAmI(api) {
  const me = await api.callFunction("WhoAmI");
  assert.equal(me.OrganizationId, "5a3c8f0e-2222-4c2b-8a8e-000000000001");
  const row = await api.retrieve({ collection: "systemusers", key: me.UserId, select: ["_businessunitid_value"] });
  assert.equal(row._businessunitid_value, me.BusinessUnitId);
}

export async function whoAmIOfAnImpersonatedUser(api) {
  const me = await api.callFunction({ functionName: "WhoAmI", impersonate: DORA });
  assert.equal(me.UserId, DORA);
}

export async function retrieveVersion(api) {
  assert.equal((await api.callFunction({ functionName: "RetrieveVersion" })).Version, "9.2.26011.00140");
}

export async function retrieveTotalRecordCount(api) {
  const { EntityRecordCountCollection: counts } = await api.callFunction({
    name: "RetrieveTotalRecordCount",
    parameters: { EntityNames: ["new_brand", "team"] },
  });
  assert.deepEqual(counts.Keys, ["new_brand", "team"]);
  assert.equal(counts.Count, 2);
  assert.equal(counts.Values[0], await api.count({ collection: "new_brands" }));
}

export async function retrieveCurrentOrganization(api) {
  const { Detail } = await api.callFunction({
    name: "RetrieveCurrentOrganization",
    parameters: { AccessType: `${CRM}.EndpointAccessType'Default'` },
  });
  assert.equal(Detail.FriendlyName, "Office");
}

export async function retrieveProvisionedLanguages(api) {
  const languages = await api.callFunction("RetrieveProvisionedLanguages");
  assert.ok(languages.RetrieveProvisionedLanguages.includes(1033));
}

export async function aBoundFunction(api) {
  const result = await api.callFunction({
    collection: "systemusers",
    key: DORA,
    name: `${CRM}.RetrievePrincipalAccess`,
    parameters: { Target: { "@odata.id": `accounts(${WORKS})` } },
  });
  assert.equal(typeof result.AccessRights, "string");
}

export async function aBoundFunctionWithoutParameters(api) {
  const me = await api.callFunction("WhoAmI");
  const result = await api.callFunction({ collection: "systemusers", key: me.UserId, name: `${CRM}.RetrieveUserPrivileges` });
  assert.ok(result.RolePrivileges.length > 0);
}

export async function anUnknownFunction(api) {
  await assert.rejects(api.callFunction("NoSuchFunction"), { status: 404 });
}

export async function createUpdateAndUpsertMultiple(api) {
  const prefix = fresh("Bulk");
  const type = { "@odata.type": `${CRM}.new_bicycle` };
  const { Ids } = await multiple(api, "CreateMultiple", [
    { ...type, new_name: `${prefix} 1` },
    { ...type, new_name: `${prefix} 2`, "new_brandid@odata.bind": "/new_brands(b0000000-0000-4000-8000-000000000001)" },
  ]);
  assert.equal(Ids.length, 2);
  await multiple(api, "UpdateMultiple", Ids.map((id, index) => ({ ...type, new_bicycleid: id, new_year: 2020 + index })));
  await multiple(api, "UpsertMultiple", [
    { ...type, "@odata.id": `new_bicycles(${Ids[0]})`, new_year: 2030 },
    { ...type, "@odata.id": `new_bicycles(new_frame='${prefix.slice(-8)}',new_year=2031)`, new_name: `${prefix} 3` },
  ]);
  const years = (await bicyclesLike(api, prefix)).map((row) => [row.new_name, row.new_year]);
  assert.deepEqual(years, [
    [`${prefix} 1`, 2030],
    [`${prefix} 2`, 2021],
    [`${prefix} 3`, 2031],
  ]);
}

export async function createMultipleIsAllOrNothing(api) {
  const prefix = fresh("Bulk");
  const type = { "@odata.type": `${CRM}.new_bicycle` };
  await assert.rejects(
    multiple(api, "CreateMultiple", [
      { ...type, new_name: `${prefix} 1` },
      { ...type, new_name: "x".repeat(61) },
    ]),
    { status: 400, code: "0x80044331" },
  );
  assert.deepEqual(await bicyclesLike(api, prefix), []);
}

export async function bulkDelete(api) {
  const prefix = fresh("Swept");
  const type = { "@odata.type": `${CRM}.new_bicycle` };
  await multiple(api, "CreateMultiple", [1, 2, 3].map((number) => ({ ...type, new_name: `${prefix} ${number}` })));
  const { JobId } = await api.callAction({
    actionName: "BulkDelete",
    action: {
      QuerySet: [
        {
          EntityName: "new_bicycle",
          Criteria: {
            FilterOperator: "And",
            Conditions: [
              { AttributeName: "new_name", Operator: "BeginsWith", Values: [{ Value: prefix, Type: "System.String" }] },
            ],
          },
        },
      ],
      JobName: "Sweep",
      SendEmailNotification: false,
      ToRecipients: [],
      CCRecipients: [],
      RecurrencePattern: "",
      StartDateTime: new Date().toISOString(),
    },
  });
  assert.ok(JobId);
  assert.deepEqual(await bicyclesLike(api, prefix), []);
}

export async function publishing(api) {
  await api.callAction({
    actionName: "PublishXml",
    action: { ParameterXml: "<importexportxml><entities><entity>new_bicycle</entity></entities></importexportxml>" },
  });
  await api.callAction({ actionName: "PublishAllXml" });
}

export async function changesSinceADeltaLink(api) {
  const request = { collection: "new_bicycles", select: ["new_name"], trackChanges: true };
  const first = await api.retrieveMultiple(request);
  assert.ok(first.oDataDeltaLink);
  const made = await api.create({ collection: "new_bicycles", data: { new_name: "Since" } });
  await api.update({ collection: "new_bicycles", key: GULL, data: { new_weight: 9.5 } });
  const second = await api.retrieveMultiple(request, first.oDataDeltaLink);
  assert.deepEqual(second.value.map((row) => row.new_bicycleid).sort(), [GULL, made].sort());
  await api.deleteRecord({ collection: "new_bicycles", key: made });
  const third = await api.retrieveMultiple(request, second.oDataDeltaLink);
  assert.deepEqual(third.value.map((row) => [row.id, row.reason]), [[made, "deleted"]]);
}
