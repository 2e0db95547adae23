// SPDX-License-Identifier: MIT
// How the SDK's decoded reports relate to the chain's fields; every known difference is named here and in docs/interop.md.
import assert from "node:assert/strict";
import { decodeReport } from "@chainlink/data-streams-sdk";
import { schemas } from "./schemas.mjs";

// The SDK's name for a field, where it is not the contract's.
const sdkName = (name) => (name === "benchmarkPrice" ? "price" : name);

// Not part of the SDK's decoded report: they are in the envelope.
const inEnvelope = new Set(["feedId", "validFromTimestamp", "observationsTimestamp"]);

// Enumerations of which the SDK accepts only the values it knows.
const highest = {
  4: { marketStatus: 2n }, 8: { marketStatus: 2n }, 9: { ripcord: 1n }, 10: { marketStatus: 2n }, 12: { ripcord: 1n },
};

// Why the SDK refuses a report that the chain accepts; undefined when it should not.
export function knownRefusal(version, fields) {
  if (!schemas.has(version) || version === 1) return /Unknown report version/;
  for (const [name, limit] of Object.entries(highest[version] ?? {})) {
    const value = version === 4 ? BigInt(fields[name]) & 0xffn : BigInt(fields[name]); // it reads a uint8 in v4
    if (value > limit) return /Invalid (market status|ripcord)/;
  }
  return undefined;
}

// Throws unless the SDK decodes fullReport to these fields; bigints exactly, numbers as the nearest double.
export function compareWithSdk(fullReport, version, fields) {
  const refusal = knownRefusal(version, fields);
  if (refusal) {
    assert.throws(() => decodeReport(fullReport, fields.feedId), refusal);
    return "refused";
  }
  const got = decodeReport(fullReport, fields.feedId);
  assert.equal(got.version, `V${version}`);
  for (const { name } of schemas.get(version)) {
    if (inEnvelope.has(name)) continue;
    const value = got[sdkName(name)];
    const expected = typeof value === "bigint" ? BigInt(fields[name]) : Number(fields[name]);
    assert.equal(value, expected, `v${version} ${name}`);
  }
  return "same";
}
