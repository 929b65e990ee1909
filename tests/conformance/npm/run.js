// Runs scenarios of the npm client against an emulator: node run.js URL TOKEN
// Prints one line of JSON for each: {"name": …, "error": null or the text of what went wrong}.

import { DynamicsWebApi } from "dynamics-web-api";

import * as batches from "./scenarios/batches.js";
import * as calls from "./scenarios/calls.js";
import * as definitions from "./scenarios/definitions.js";
import * as files from "./scenarios/files.js";
import * as links from "./scenarios/links.js";
import * as queries from "./scenarios/queries.js";
import * as rows from "./scenarios/rows.js";

const MODULES = { batches, calls, definitions, files, links, queries, rows };
const [serverUrl, token] = process.argv.slice(2);

/** A client of the emulator, made as the client's README says. */
function open(config = {}) {
  return new DynamicsWebApi({ serverUrl, onTokenRefresh: async () => token, ...config });
}

for (const [module, scenarios] of Object.entries(MODULES)) {
  for (const [name, scenario] of Object.entries(scenarios)) {
    let error = null;
    try {
      await scenario(open(), open);
    } catch (caught) {
      error = caught.stack ?? `${caught.status} ${caught.code} ${caught.message}`;
    }
    console.log(JSON.stringify({ name: `${module}.${name}`, error }));
  }
}
