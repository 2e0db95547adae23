// SPDX-License-Identifier: MIT
// The SDKs in other languages: each decodes the vectors in a program of its own, which run.sh built, and their answers
// are compared with ours. Every known difference is named here and in docs/interop.md.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { schemas } from "./schemas.mjs";
import { skip, test } from "./tap.mjs";

const here = (name) => new URL(name, import.meta.url).pathname;

// Lines in, as many lines out.
function converse([program, ...args], lines) {
  const { status, stdout, stderr, error } = spawnSync(program, args,
    { input: lines.join("\n") + "\n", encoding: "utf8", timeout: 60_000, maxBuffer: 1 << 28 });
  assert.equal(status, 0, error?.message ?? stderr);
  return stdout.trimEnd().split("\n");
}

function ask(command, lines) {
  const answers = converse(command, lines).map((line) => JSON.parse(line));
  assert.equal(answers.length, lines.length);
  return answers;
}

// Of an invalid vector only its description tells the version.
const versionOf = (vector) => vector.version ?? Number(vector.reason.match(/^v(\d+) /)?.[1] ?? 7);
const feedIdOf = (vector) => vector.fields?.feedId ?? vector.feedId ??
  "0x" + versionOf(vector).toString(16).padStart(4, "0") + "00".repeat(30);

// ---- the official Rust crate

const rust = {
  name: "the Rust crate",
  program: process.env.INTEROP_RUST,
  command: [process.env.INTEROP_RUST, "decode"],
  line: ({ fullReport }) => fullReport,
  decodes: (version) => schemas.has(version),
  refusal: undefined, // the caller chooses the decoder, so there is nothing that could refuse an unknown version
  // navDate of v12 is signed there
  fields: (version, { ...fields }) => {
    if (version === 12) fields.navDate = String(BigInt.asIntN(64, BigInt(fields.navDate)));
    return fields;
  },
  acceptsOdd: () => true,
  // It looks at the low 64 bits of an offset and a length, and not at the signatures at all.
  invalid: ({ reason, ethers }) => {
    if (/^offset of reportBlob is 31 bytes|^length of reportBlob is (2\^64 - 1|2\^256 - 1)$/.test(reason)) return "panic";
    const low = /^(offset|length) of reportBlob is 2\^64 \+ 224$/.test(reason);
    const signatures = /of raw[RS]s is |^last (byte|word) missing$/.test(reason);
    return low || signatures || ethers === "accepts" ? "accepted" : "refused";
  },
};

// ---- Python, of a third party

const python = {
  name: "py-chainlink-streams",
  program: process.env.INTEROP_PYTHON,
  command: [process.env.INTEROP_PYTHON, here("python/decode.py")],
  line: (vector) => `${vector.fullReport} ${feedIdOf(vector)}`,
  decodes: (version) => version === 3,
  refusal: /Schema version \d+ is not yet supported/,
  fields: (_, fields) => fields,
  acceptsOdd: ({ version }) => version === 3,
  invalid: () => "refused",
};

// ---- comparing

const outcome = ({ error }) => (error === undefined ? "accepted" : error === "panic" ? "panic" : "refused");

async function compareWith(sdk, vectors, ours) {
  const all = [...vectors.reports, ...vectors.odd, ...vectors.unknown, ...vectors.invalid];
  const answers = new Map();
  await test(`${sdk.name} answers every vector`, () => {
    ask(sdk.command, all.map(sdk.line)).forEach((answer, i) => answers.set(all[i], answer));
  }, 90);
  const answerTo = (vector) => answers.get(vector) ?? assert.fail("no answers");
  const same = (vector) => {
    const { version, fields, error } = answerTo(vector);
    const expected = { version: vector.version, fields: sdk.fields(vector.version, ours.get(vector.fullReport).fields) };
    assert.deepEqual({ version, fields }, expected, `${vector.case}: ${error}`);
  };

  for (const version of schemas.keys()) {
    const known = sdk.decodes(version);
    await test(`${sdk.name} and we agree on every v${version} vector${known ? "" : ": it does not know the schema"}`, () => {
      const reports = vectors.reports.filter((it) => it.version === version);
      assert.ok(reports.length >= 10, `${reports.length} vectors`);
      for (const vector of reports) known ? same(vector) : assert.match(answerTo(vector).error ?? "accepted", sdk.refusal);
    });
  }

  await test(`${sdk.name} and odd encodings`, () => {
    for (const vector of vectors.odd) {
      if (sdk.acceptsOdd(vector)) same(vector);
      else assert.equal(outcome(answerTo(vector)), "refused", vector.case);
    }
  });

  if (sdk.refusal) await test(`${sdk.name} refuses unknown versions`, () => {
    for (const vector of vectors.unknown) assert.match(answerTo(vector).error ?? "accepted", sdk.refusal, vector.case);
  });

  await test(`${sdk.name} and invalid encodings: it accepts those that it is known to accept`, () => {
    const tally = { accepted: 0, refused: 0, panic: 0 };
    for (const vector of vectors.invalid) {
      const got = outcome(answerTo(vector));
      assert.equal(got, sdk.invalid(vector), vector.reason);
      tally[got]++;
    }
    console.log(`# ${sdk.name} of ${vectors.invalid.length} invalid encodings: ${JSON.stringify(tally)}`);
  });
  return answers;
}

// ---- compression

const lua = (...args) => [process.env.LUA_BIN ?? "lua5.4", here("compress.lua"), ...args];

const envelope = ({ fullReport, fields }) => ({
  feedID: fields.feedId, validFromTimestamp: Number(fields.validFromTimestamp ?? 0),
  observationsTimestamp: Number(fields.observationsTimestamp), fullReport,
});

async function compareCompression(reports, answers) {
  const compressed = converse(lua(), reports.map((it) => it.fullReport));
  if (compressed[0] === "no libsnappy") return skip("compression", "built without libsnappy");
  await test("the Rust crate reads what report:compress() made of every vector", () => {
    assert.equal(compressed.length, reports.length);
    ask([rust.program, "decompress"], compressed).forEach((answer, i) => assert.deepEqual(answer, envelope(reports[i])));
  });
  await test("we read what its compress_report made of every vector, the same text as ours", () => {
    const theirs = converse(lua("decompress"), reports.map((it) => answers.get(it)?.compressed ?? assert.fail(it.case)));
    const own = converse(lua("decompress"), compressed);
    assert.equal(theirs.length, reports.length);
    assert.deepEqual(theirs, own);
    theirs.forEach((text, i) => assert.deepEqual(JSON.parse(text), envelope(reports[i])));
  });
}

export async function compareWithOthers(vectors, ours) {
  if (rust.program) await compareCompression(vectors.reports, await compareWith(rust, vectors, ours));
  else skip("the official Rust crate", process.env.INTEROP_RUST_ABSENT ?? "run.sh did not build it");
  if (python.program) await compareWith(python, vectors, ours);
  else skip("py-chainlink-streams", process.env.INTEROP_PYTHON_ABSENT ?? "run.sh did not install it");
}
