import assert from "node:assert/strict";

const PNG =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

async function bicycle(api) {
  return { collection: "new_bicycles", key: await api.create({ collection: "new_bicycles", data: { new_name: "Filed" } }) };
}

/** Bytes in which a block that is lost or moved shows. */
function content(size) {
  return Buffer.from(Uint8Array.from({ length: size }, (_, index) => (index * 7 + (index >> 12)) % 251));
}

async function roundTrip(api, size) {
  const row = await bicycle(api);
  const data = content(size);
  await api.uploadFile({ ...row, fieldName: "new_manual", fileName: "manual.bin", data });
  const file = await api.downloadFile({ ...row, property: "new_manual" });
  assert.equal(file.fileName, "manual.bin");
  assert.equal(file.fileSize, size);
  assert.ok(Buffer.from(file.data).equals(data));
}

export async function aSmallFile(api) {
  await roundTrip(api, 1000);
}

export async function aFileInSeveralChunks(api) {
  await roundTrip(api, 9 * 1024 * 1024 + 17);
}

export async function aFileOfExactlyTwoChunks(api) {
  await roundTrip(api, 8 * 1024 * 1024);
}

export async function aFileIsReplaced(api) {
  const row = await bicycle(api);
  await api.uploadFile({ ...row, property: "new_manual", fileName: "old.txt", data: Buffer.from("old") });
  await api.uploadFile({ ...row, property: "new_manual", fileName: "new.txt", data: Buffer.from("the new one") });
  const file = await api.downloadFile({ ...row, property: "new_manual" });
  assert.deepEqual([file.fileName, Buffer.from(file.data).toString()], ["new.txt", "the new one"]);
}

export async function aFileIsDeleted(api) {
  const row = await bicycle(api);
  await api.uploadFile({ ...row, property: "new_manual", fileName: "gone.txt", data: Buffer.from("gone") });
  assert.ok((await api.retrieve({ ...row, select: ["new_manual"] })).new_manual);
  await api.deleteRecord({ ...row, fieldName: "new_manual" });
  assert.equal((await api.retrieve({ ...row, select: ["new_manual"] })).new_manual, null);
}

export async function anImageInARow(api) {
  const key = await api.create({ collection: "accounts", data: { name: "Pictured", entityimage: PNG } });
  const row = await api.retrieve({ collection: "accounts", key, select: ["entityimage", "entityimage_url"] });
  assert.ok(Buffer.from(row.entityimage, "base64").length > 0);
  assert.match(row.entityimage_url, /^\/Image\/download\.aspx\?Entity=account&Attribute=entityimage&Id=/);
}
