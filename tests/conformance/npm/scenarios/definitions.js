import assert from "node:assert/strict";

const CRM = "Microsoft.Dynamics.CRM";
const STRONG = { headers: { Consistency: "Strong" } };

function label(text) {
  return {
    "@odata.type": `${CRM}.Label`,
    LocalizedLabels: [{ "@odata.type": `${CRM}.LocalizedLabel`, Label: text, LanguageCode: 1033 }],
  };
}

function required(level = "None") {
  return { Value: level, CanBeChanged: true, ManagedPropertyLogicalName: "canmodifyrequirementlevelsettings" };
}

function attribute(kind, schemaName, more = {}) {
  return {
    "@odata.type": `${CRM}.${kind}AttributeMetadata`,
    AttributeType: kind,
    AttributeTypeName: { Value: `${kind}Type` },
    SchemaName: schemaName,
    DisplayName: label(schemaName.split("_")[1]),
    Description: label(`The ${schemaName.split("_")[1]}`),
    RequiredLevel: required(),
    ...more,
  };
}

/** Makes a table with a schema name of its own; gives its MetadataId and logical name. */
async function table(api) {
  const schemaName = `new_Repair${Math.random().toString(36).replace(/[^a-z]/g, "").slice(0, 8)}`;
  const id = await api.createEntity({
    data: {
      "@odata.type": `${CRM}.EntityMetadata`,
      SchemaName: schemaName,
      DisplayName: label("Repair"),
      DisplayCollectionName: label("Repairs"),
      Description: label("What was done to a bicycle"),
      HasActivities: false,
      HasNotes: false,
      IsActivity: false,
      OwnershipType: "UserOwned",
      Attributes: [attribute("String", "new_Name", { IsPrimaryName: true, MaxLength: 100, FormatName: { Value: "Text" } })],
    },
  });
  return { id, name: schemaName.toLowerCase(), schemaName };
}

async function collectionOf(api, id) {
  return (await api.retrieveEntity({ key: id, select: ["EntitySetName"], ...STRONG })).EntitySetName;
}

export async function retrieveEntityByName(api) {
  const one = await api.retrieveEntity({
    key: "LogicalName='new_bicycle'",
    select: ["LogicalName", "EntitySetName", "PrimaryIdAttribute", "DisplayName"],
    expand: [
      { property: "Attributes", select: ["LogicalName", "AttributeType"], filter: "LogicalName eq 'new_price'" },
      { property: "Keys", select: ["LogicalName", "KeyAttributes"] },
    ],
  });
  assert.deepEqual([one.EntitySetName, one.PrimaryIdAttribute], ["new_bicycles", "new_bicycleid"]);
  assert.equal(one.DisplayName.UserLocalizedLabel.Label, "Bicycle");
  assert.deepEqual(one.Attributes.map((column) => column.AttributeType), ["Decimal"]);
  assert.deepEqual(one.Keys[0].KeyAttributes, ["new_frame", "new_year"]);
}

export async function retrieveEntitiesByAFilter(api) {
  const owned = await api.retrieveEntities({
    select: ["LogicalName"],
    filter: "OwnershipType eq Microsoft.Dynamics.CRM.OwnershipTypes'UserOwned'",
  });
  const names = owned.value.map((one) => one.LogicalName);
  assert.ok(names.includes("account") && names.includes("new_bicycle") && !names.includes("new_brand"));
  const custom = await api.retrieveEntities({ select: ["LogicalName"], filter: "IsCustomEntity eq true" });
  assert.ok(custom.value.every((one) => one.LogicalName !== "account"));
}

export async function retrieveAttributesOfATable(api) {
  const all = await api.retrieveAttributes({ entityKey: "LogicalName='new_bicycle'", select: ["LogicalName", "AttributeType"] });
  const types = Object.fromEntries(all.value.map((column) => [column.LogicalName, column.AttributeType]));
  assert.deepEqual([types.new_name, types.new_year, types.new_brandid], ["String", "Integer", "Lookup"]);
}

export async function retrieveAttributesByACast(api) {
  const choices = await api.retrieveAttributes({
    entityKey: "LogicalName='new_bicycle'",
    castType: `${CRM}.PicklistAttributeMetadata`,
    select: ["LogicalName"],
    expand: [{ property: "OptionSet", select: ["Options"] }],
  });
  const size = choices.value.find((column) => column.LogicalName === "new_size");
  assert.deepEqual(size.OptionSet.Options.map((option) => option.Value), [10, 20, 30]);
}

export async function retrieveAttributeByACast(api) {
  const text = await api.retrieveAttribute({
    entityKey: "LogicalName='new_bicycle'",
    attributeKey: "LogicalName='new_name'",
    castType: `${CRM}.StringAttributeMetadata`,
    select: ["MaxLength", "SchemaName"],
  });
  assert.equal(text.MaxLength, 60);
}

export async function metadataByTheCommonRequests(api) {
  const column = await api.retrieve({
    collection: "EntityDefinitions",
    key: "LogicalName='contact'",
    navigationProperty: "Attributes",
    navigationPropertyKey: "LogicalName='firstname'",
    metadataAttributeType: `${CRM}.StringAttributeMetadata`,
  });
  assert.equal(column.MaxLength, 50);
}

export async function retrieveRelationshipsByACast(api) {
  const ones = await api.retrieveRelationships({
    castType: `${CRM}.OneToManyRelationshipMetadata`,
    select: ["SchemaName", "MetadataId", "ReferencingEntity"],
    filter: "ReferencedEntity eq 'new_brand'",
  });
  assert.deepEqual(ones.value.map((one) => one.ReferencingEntity), ["new_bicycle"]);
  const many = await api.retrieveRelationships({
    castType: `${CRM}.ManyToManyRelationshipMetadata`,
    filter: "SchemaName eq 'new_bicycle_contact'",
  });
  assert.equal(many.value[0].IntersectEntityName, "new_bicycle_contact");
  const one = await api.retrieveRelationship({ key: ones.value[0].MetadataId });
  assert.equal(one.SchemaName, ones.value[0].SchemaName);
}

export async function csdl(api) {
  const document = await api.retrieveCsdlMetadata();
  assert.match(document, /<EntityType Name="new_bicycle"/);
  assert.match(document, /<EntitySet Name="new_bicycles" EntityType="Microsoft.Dynamics.CRM.new_bicycle"/);
}

export async function createATableAndUseIt(api) {
  const { id, name } = await table(api);
  const collection = await collectionOf(api, id);
  const row = await api.create({ collection, data: { new_name: "First" }, returnRepresentation: true, ...STRONG });
  assert.equal(row.new_name, "First");
  assert.ok(row[`${name}id`]);
  await api.deleteRecord({ collection: "EntityDefinitions", key: id });
  await assert.rejects(api.retrieveEntity({ key: id, ...STRONG }), { status: 404 });
}

export async function updateATable(api) {
  const { id } = await table(api);
  const definition = await api.retrieveEntity({ key: id, ...STRONG });
  definition.DisplayName.LocalizedLabels[0].Label = "Overhaul";
  await api.updateEntity({ data: definition, mergeLabels: true });
  await api.callAction({ actionName: "PublishAllXml" });
  const changed = await api.retrieveEntity({ key: id, select: ["DisplayName"], ...STRONG });
  assert.equal(changed.DisplayName.LocalizedLabels[0].Label, "Overhaul");
}

export async function createColumnsOfEveryType(api) {
  const { id } = await table(api);
  const columns = [
    attribute("String", "new_Code", { MaxLength: 40, FormatName: { Value: "Text" } }),
    attribute("Memo", "new_Text", { MaxLength: 500, Format: "TextArea" }),
    attribute("Integer", "new_Count", { MinValue: 0, MaxValue: 100, Format: "None" }),
    attribute("Decimal", "new_Hours", { MinValue: 0, MaxValue: 1000, Precision: 2 }),
    attribute("Double", "new_Force", { MinValue: 0, MaxValue: 1000, Precision: 3 }),
    attribute("Money", "new_Cost", { PrecisionSource: 2 }),
    attribute("DateTime", "new_Done", { Format: "DateOnly", DateTimeBehavior: { Value: "DateOnly" } }),
    attribute("Boolean", "new_Paid", {
      DefaultValue: false,
      OptionSet: {
        TrueOption: { Value: 1, Label: label("Paid") },
        FalseOption: { Value: 0, Label: label("Open") },
        OptionSetType: "Boolean",
      },
    }),
    attribute("Picklist", "new_Kind", {
      OptionSet: {
        "@odata.type": `${CRM}.OptionSetMetadata`,
        IsGlobal: false,
        OptionSetType: "Picklist",
        Options: [
          { Value: 1, Label: label("Brake") },
          { Value: 2, Label: label("Chain") },
        ],
      },
    }),
  ];
  for (const data of columns) {
    assert.match(await api.createAttribute({ entityKey: id, data }), /^[0-9a-f-]{36}$/);
  }
  const collection = await collectionOf(api, id);
  const row = await api.create({
    collection,
    data: { new_name: "All", new_count: 3, new_hours: 1.25, new_cost: 80, new_done: "2026-01-05", new_paid: true, new_kind: 2 },
    returnRepresentation: true,
    includeAnnotations: "*",
    ...STRONG,
  });
  assert.deepEqual([row.new_kind_Formatted, row.new_paid_Formatted, row.new_hours], ["Chain", "Paid", 1.25]);
  await assert.rejects(api.create({ collection, data: { new_count: 101 } }), { status: 400, code: "0x8004432F" });
}

export async function updateAColumn(api) {
  const { id } = await table(api);
  const key = await api.createAttribute({ entityKey: id, data: attribute("String", "new_Code", { MaxLength: 40 }) });
  const castType = `${CRM}.StringAttributeMetadata`;
  const column = await api.retrieveAttribute({ entityKey: id, attributeKey: key, castType, ...STRONG });
  column.DisplayName.LocalizedLabels[0].Label = "Mark";
  column.MaxLength = 60;
  await api.updateAttribute({ entityKey: id, data: column, castType, mergeLabels: true });
  const changed = await api.retrieveAttribute({ entityKey: id, attributeKey: key, castType, ...STRONG });
  assert.deepEqual([changed.DisplayName.LocalizedLabels[0].Label, changed.MaxLength], ["Mark", 60]);
}

export async function createUpdateAndDeleteARelationship(api) {
  const { id, name, schemaName } = await table(api);
  const key = await api.createRelationship({
    data: {
      "@odata.type": `${CRM}.OneToManyRelationshipMetadata`,
      SchemaName: `new_bicycle_${name}`,
      ReferencedEntity: "new_bicycle",
      ReferencedAttribute: "new_bicycleid",
      ReferencingEntity: name,
      AssociatedMenuConfiguration: { Behavior: "UseCollectionName", Group: "Details", Label: label("Repairs"), Order: 10000 },
      CascadeConfiguration: {
        Assign: "NoCascade",
        Delete: "RemoveLink",
        Merge: "NoCascade",
        Reparent: "NoCascade",
        Share: "NoCascade",
        Unshare: "NoCascade",
      },
      Lookup: attribute("Lookup", "new_BicycleId"),
    },
  });
  const collection = await collectionOf(api, id);
  const row = await api.create({
    collection,
    data: { new_name: "Bound", "new_BicycleId@odata.bind": "/new_bicycles(e0000000-0000-4000-8000-000000000001)" },
    returnRepresentation: true,
    ...STRONG,
  });
  assert.equal(row._new_bicycleid_value, "e0000000-0000-4000-8000-000000000001", schemaName);
  const castType = `${CRM}.OneToManyRelationshipMetadata`;
  const relationship = await api.retrieveRelationship({ key, castType, ...STRONG });
  relationship.CascadeConfiguration.Delete = "Restrict";
  await api.updateRelationship({ data: relationship, castType, mergeLabels: true });
  const changed = await api.retrieveRelationship({ key, castType, ...STRONG });
  assert.equal(changed.CascadeConfiguration.Delete, "Restrict");
  await api.deleteRelationship({ key });
  await assert.rejects(api.retrieveRelationship({ key, ...STRONG }), { status: 404 });
}

export async function createAManyToManyRelationship(api) {
  const { id, name } = await table(api);
  const key = await api.createRelationship({
    data: {
      "@odata.type": `${CRM}.ManyToManyRelationshipMetadata`,
      SchemaName: `new_${name}_contact`,
      IntersectEntityName: `new_${name}_contact`,
      Entity1LogicalName: name,
      Entity1AssociatedMenuConfiguration: { Behavior: "UseLabel", Group: "Details", Label: label("Repairs"), Order: 10000 },
      Entity2LogicalName: "contact",
      Entity2AssociatedMenuConfiguration: { Behavior: "UseLabel", Group: "Details", Label: label("Helpers"), Order: 10000 },
    },
  });
  const relationship = await api.retrieveRelationship({ key, castType: `${CRM}.ManyToManyRelationshipMetadata`, ...STRONG });
  const collection = await collectionOf(api, id);
  const row = await api.create({ collection, data: { new_name: "Helped" }, ...STRONG });
  await api.associate({
    collection,
    primaryKey: row,
    relationshipName: relationship.Entity1NavigationPropertyName,
    relatedCollection: "contacts",
    relatedKey: "c0000000-0000-4000-8000-000000000001",
    ...STRONG,
  });
  const read = await api.retrieve({ collection, key: row, expand: [{ property: relationship.Entity1NavigationPropertyName }] });
  assert.equal(read[relationship.Entity1NavigationPropertyName][0].fullname, "Ada Quist");
}

export async function polymorphicLookup(api) {
  const { id, name } = await table(api);
  const made = await api.callAction({
    actionName: "CreatePolymorphicLookupAttribute",
    action: {
      OneToManyRelationships: ["account", "contact"].map((target) => ({
        SchemaName: `new_${name}_${target}`,
        ReferencedEntity: target,
        ReferencingEntity: name,
      })),
      Lookup: attribute("Lookup", "new_PayerId", { "@odata.type": `${CRM}.ComplexLookupAttributeMetadata` }),
    },
  });
  assert.equal(made.RelationshipIds.length, 2);
  const column = await api.retrieveAttribute({
    entityKey: id,
    attributeKey: made.AttributeId,
    castType: `${CRM}.LookupAttributeMetadata`,
    ...STRONG,
  });
  assert.deepEqual([...column.Targets].sort(), ["account", "contact"]);
}

export async function globalOptionSets(api) {
  const name = `new_colour${Math.random().toString(36).replace(/[^a-z]/g, "").slice(0, 8)}`;
  const id = await api.createGlobalOptionSet({
    data: {
      "@odata.type": `${CRM}.OptionSetMetadata`,
      IsCustomOptionSet: true,
      IsGlobal: true,
      IsManaged: false,
      Name: name,
      OptionSetType: "Picklist",
      DisplayName: label("Colour"),
      Options: [
        { Value: 1, Label: label("Red") },
        { Value: 2, Label: label("Blue") },
      ],
    },
  });
  const asked = { key: `Name='${name}'`, castType: `${CRM}.OptionSetMetadata`, select: ["Name", "Options"], ...STRONG };
  const read = await api.retrieveGlobalOptionSet(asked);
  assert.deepEqual(read.Options.map((option) => option.Label.UserLocalizedLabel.Label), ["Red", "Blue"]);
  const whole = await api.retrieveGlobalOptionSet({ key: id, castType: `${CRM}.OptionSetMetadata`, ...STRONG });
  whole.DisplayName.LocalizedLabels[0].Label = "Paint";
  await api.updateGlobalOptionSet({ data: whole, castType: `${CRM}.OptionSetMetadata`, mergeLabels: true });
  const all = await api.retrieveGlobalOptionSets({ castType: `${CRM}.OptionSetMetadata`, select: ["Name", "DisplayName"], ...STRONG });
  assert.equal(all.value.find((one) => one.Name === name).DisplayName.LocalizedLabels[0].Label, "Paint");
  await api.deleteGlobalOptionSet({ key: id });
  await assert.rejects(api.retrieveGlobalOptionSet({ key: id, ...STRONG }), { status: 404 });
}
