// SPDX-License-Identifier: MIT
// Lets the chain's abi.decode read the encodings. Usage: decode.mjs URL DEPLOYMENT OUT COUNT. Writes a line each: name,
// full report, "no" or "yes" and: context, blob, rs, ss, vs, the schema's version, "name=value" of each of its fields.
import { readFileSync, writeFileSync } from "node:fs";
import { Interface, dataLength, dataSlice } from "ethers";
import { allSchemas as schemas } from "../interop/schemas.mjs";
import { callAll } from "./chain.mjs";
import { encodings } from "./encodings.mjs";

const [url, deploymentFile, target, count] = process.argv.slice(2);
const { contracts, addresses } = JSON.parse(readFileSync(deploymentFile, "utf8"));
const decoder = new Interface(contracts.Decoder.abi);
const call = (name, input) => ({ to: addresses.decoder, data: decoder.encodeFunctionData(name, [input]) });

// The function that reads the blob: its schema's, or for a version that nobody knows the one for the feed id.
function reader(blob) {
  const version = dataLength(blob) >= 2 ? Number(BigInt(dataSlice(blob, 0, 2))) : 0;
  return schemas.has(version) ? `v${version}` : "feedId";
}

const list = encodings(Number(count));
const envelopes = (await callAll(url, list.map(({ report }) => call("envelope", report))))
  .map(({ value }) => value && decoder.decodeFunctionResult("envelope", value));
const readable = list.map((_, i) => i).filter((i) => envelopes[i]);
const blobs = new Map();
const answers = await callAll(url, readable.map((i) => call(reader(envelopes[i][1]), envelopes[i][1])));
readable.forEach((i, n) => blobs.set(i, answers[n].value));

function describe(i) {
  const { name, report } = list[i];
  if (!blobs.get(i)) return [name, report, "no"];
  const [context, blob, rs, ss, vs] = envelopes[i];
  const read = reader(blob);
  const value = decoder.decodeFunctionResult(read, blobs.get(i))[0];
  const fields = read === "feedId" ? [`feedId=${value}`]
    : schemas.get(Number(read.slice(1))).map(({ name: field }, n) => `${field}=${value[n]}`);
  return [name, report, "yes", context.join(","), blob, rs.join(","), ss.join(","), vs, read, ...fields];
}
writeFileSync(target, `${list.map((_, i) => describe(i).join("\t")).join("\n")}\n`);
