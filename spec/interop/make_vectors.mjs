// SPDX-License-Identifier: MIT
// Writes spec/data/vectors.json: full reports of every schema, encoded and signed by ethers.js, and invalid ones.
// Everything comes from one seed: running it again gives the same bytes.
import { writeFileSync } from "node:fs";
import {
  AbiCoder, SigningKey, computeAddress, concat, dataLength, dataSlice, getBytes, hexlify, keccak256, toBeHex, toUtf8Bytes,
  version as ethersVersion, zeroPadValue,
} from "ethers";
import { allSchemas, fullReportTypes, isTime, schemas } from "./schemas.mjs";

const coder = AbiCoder.defaultAbiCoder();
const target = new URL("../data/vectors.json", import.meta.url);

// ---- a deterministic source of randomness: keccak256 in counter mode

let counter = 0;
const seed = toUtf8Bytes("chainlink-streams vectors 1");
const random256 = () => keccak256(concat([seed, toBeHex(++counter, 8)]));
const randomBelow = (n) => Number(BigInt(random256()) % BigInt(n));
const randomBits = (bits) => BigInt(random256()) >> BigInt(256 - bits);
const pick = (list) => list[randomBelow(list.length)];

function shuffled(list) {
  const copy = [...list];
  for (let i = copy.length - 1; i > 0; i--) {
    const j = randomBelow(i + 1);
    [copy[i], copy[j]] = [copy[j], copy[i]];
  }
  return copy;
}

// ---- values

const bitsOf = (type) => Number(type.match(/\d+$/)[0]);
const isSigned = (type) => type.startsWith("int");
const maximum = (type) => (1n << BigInt(bitsOf(type) - (isSigned(type) ? 1 : 0))) - 1n;
const minimum = (type) => (isSigned(type) ? -(maximum(type) + 1n) : 0n);
const clamp = (type, value) => (value > maximum(type) ? maximum(type) : value < minimum(type) ? minimum(type) : value);
const randomSigned = (type, value) => clamp(type, isSigned(type) && randomBelow(2) ? -value : value);

const edges = [1n << 53n, (1n << 53n) + 1n, (1n << 63n) - 1n, 1n << 63n, (1n << 64n) - 1n, 1n << 64n, (1n << 127n) + 1n,
  (1n << 128n) - 1n, 1n << 128n, (1n << 191n) - 19n, 1n << 31n, (1n << 32n) - 1n];
const tens = [9n, 15n, 16n, 17n, 18n, 19n, 20n, 36n, 38n, 57n].flatMap((n) => [10n ** n, 10n ** n - 1n, 10n ** n + 1n]);

const money = () => BigInt(randomBelow(100_000_000)) * 10n ** 12n + BigInt(randomBelow(1_000_000_000));
const recent = () => 1_700_000_000n + BigInt(randomBelow(100_000_000));

// Values as a live feed has them.
function typical(type, name) {
  if (name.endsWith("Fee")) return BigInt(randomBelow(1_000_000_000)) * 10n ** 7n;
  if (type === "int192") return money();
  if (type === "uint64" && isTime(name)) return recent() * 1000n + BigInt(randomBelow(1000));
  if (name === "expiryTime" || name === "firstDayOfNotice") return recent();
  if (name === "contractMonth") return BigInt(1 + randomBelow(12));
  if (type === "uint64") return name === "navDate" ? recent() * 1000n : recent() * 10n ** 9n + BigInt(randomBelow(10 ** 9));
  return name === "duration" ? 3600n : recent();
}

const cases = [
  ["zero", () => 0n],
  ["one", () => 1n],
  ["minus one", (type) => clamp(type, -1n)],
  ["maximum", (type) => maximum(type), "any enum"],
  ["minimum", (type) => minimum(type)],
  ["minimum and maximum by turns", (type, name, i) => (i % 2 ? minimum(type) : maximum(type))],
  ["typical", typical],
  ["typical, negative", (type, name) => randomSigned(type, typical(type, name))],
  ["powers of two", (type) => randomSigned(type, pick(edges))],
  ["powers of ten", (type) => randomSigned(type, pick(tens))],
  ["small", (type) => randomSigned(type, randomBits(1 + randomBelow(20)))],
  ["random length", (type) => randomSigned(type, randomBits(1 + randomBelow(bitsOf(type))))],
  ["random, negative", (type) => (isSigned(type) ? -randomBits(191) : randomBits(bitsOf(type)))],
  ["random", (type) => randomSigned(type, randomBits(Math.min(191, bitsOf(type))))],
  ["random, any enum", (type) => randomSigned(type, randomBits(Math.min(191, bitsOf(type)))), "any enum"],
];

const enums = { marketStatus: 3, ripcord: 2 };

function fieldValues(version, [, value, anyEnum]) {
  return allSchemas.get(version).map(({ type, name }, i) => {
    if (name === "feedId") return concat([toBeHex(version, 2), dataSlice(random256(), 2)]);
    if (type === "bytes32") return random256();
    if (name in enums && !anyEnum) return BigInt(randomBelow(enums[name]));
    return value(type, name, i);
  });
}

const asFields = (version, values) =>
  Object.fromEntries(allSchemas.get(version).map(({ name }, i) => [name, String(values[i])]));

const encodeBlob = (version, values) => coder.encode(allSchemas.get(version).map(({ type }) => type), values);

// ---- signatures

const keys = Array.from({ length: 16 }, (_, i) => new SigningKey(keccak256(toUtf8Bytes(`oracle ${i}`))));
const addressOf = new Map(keys.map((key) => [key, computeAddress(key.publicKey).toLowerCase()]));

const digestOf = (context, blob) => keccak256(concat([keccak256(blob), ...context]));

const randomContext = () => [
  concat(["0x0006", dataSlice(random256(), 2)]),
  zeroPadValue(dataSlice(random256(), 0, 5), 32),
  pick(["0x" + "00".repeat(32), random256()]),
];

function sign(context, blob, count) {
  const signers = shuffled(keys).slice(0, count);
  const digest = digestOf(context, blob);
  const signatures = signers.map((key) => key.sign(digest));
  const vs = new Uint8Array(32);
  signatures.forEach((signature, i) => { vs[i] = signature.v - 27; });
  return {
    digest,
    signers: signers.map((key) => addressOf.get(key)),
    rs: signatures.map(({ r }) => r),
    ss: signatures.map(({ s }) => s),
    vs: hexlify(vs),
  };
}

// ---- full reports

function report(name, version, values, count) {
  const context = randomContext();
  const blob = encodeBlob(version, values);
  const signed = sign(context, blob, count);
  const fullReport = coder.encode(fullReportTypes, [context, blob, signed.rs, signed.ss, signed.vs]);
  return {
    case: name, version: version & 0xfff, fullReport, fields: asFields(version, values), reportContext: context, digest: signed.digest,
    signers: signed.signers,
  };
}

// Most have one or two signatures (the testnet has two); every ninth takes the next count up to 16.
let reportNumber = 0;
const signatureCount = () => (++reportNumber % 9 ? pick([1, 1, 2]) : 1 + (reportNumber / 9) % 16);

const ofVersions = (versions) => versions.flatMap((version) =>
  cases.map((it) => report(it[0], version, fieldValues(version, it), signatureCount())));
const regular = () => ofVersions([...schemas.keys()]);
const newer = () => ofVersions([...allSchemas.keys()].filter((version) => !schemas.has(version)));

// ---- encodings by hand

const word = (value) => toBeHex(value, 32);
const bytesPart = (bytes) => concat([word(dataLength(bytes)), bytes, "0x" + "00".repeat((32 - dataLength(bytes) % 32) % 32)]);
const wordsPart = (words) => concat([word(words.length), ...words]);
const HEAD = 7 * 32;
const BLOB = 0, RS = 1, SS = 2; // the order of the offsets in the head

// What a hand-made encoding starts from: a small signed report of version 7 unless told otherwise.
function base(version = 7, { signatures = 2, blobTail = "0x" } = {}) {
  const values = fieldValues(version, cases.find(([name]) => name === "typical"));
  const context = randomContext();
  context[2] = "0x" + "00".repeat(32);
  const blob = concat([encodeBlob(version, values), blobTail]);
  return { version, values, context, blob, ...sign(context, blob, signatures) };
}

const head = (it, offsets) => concat([...it.context, ...offsets.map(word), it.vs]);

// Lays the three parts out in `order`, `gap` bytes before each, and returns the whole and where they are.
function layOut(it, { order = [BLOB, RS, SS], gap = "0x", tail = "0x", parts = {} } = {}) {
  const encoded = { [BLOB]: bytesPart(it.blob), [RS]: wordsPart(it.rs), [SS]: wordsPart(it.ss), ...parts };
  const offsets = [];
  let body = "0x";
  for (const part of order) {
    body = concat([body, gap]);
    offsets[part] = HEAD + dataLength(body);
    body = concat([body, encoded[part]]);
  }
  return { fullReport: concat([head(it, offsets), body, tail]), offsets };
}

const setWord = (hex, offset, value) =>
  concat([dataSlice(hex, 0, offset), word(value), dataSlice(hex, offset + 32)]);
const cut = (hex, bytes) => dataSlice(hex, 0, dataLength(hex) - bytes);
const offsetWord = (part) => 96 + 32 * part;

// ---- odd encodings that abi.decode accepts

function odd(name, it, fullReport, { ethers = "same", rs = it.rs, ss = it.ss } = {}) {
  const paired = rs === it.rs && ss === it.ss;
  return {
    case: name, version: it.version, fullReport, fields: asFields(it.version, it.values), reportContext: it.context,
    digest: it.digest, signers: paired ? it.signers : null, rs: rs.length, ss: ss.length, ethers,
  };
}

function* oddReports() {
  for (const order of [[SS, RS, BLOB], [RS, BLOB, SS], [RS, SS, BLOB]]) {
    const it = base(3);
    yield odd(`parts in the order ${order}`, it, layOut(it, { order }).fullReport);
  }
  let it = base(7);
  yield odd("gaps between parts", it, layOut(it, { gap: "0x" + "ff".repeat(64) }).fullReport);
  it = base(7);
  yield odd("parts at odd addresses", it, layOut(it, { gap: "0x5a5a5a5a5a" }).fullReport);
  it = base(7);
  yield odd("trailing bytes", it, layOut(it, { tail: random256() + "0102030405" }).fullReport);
  it = base(8, { blobTail: random256() });
  yield odd("blob one word longer than its schema", it, layOut(it).fullReport);
  it = base(8, { blobTail: "0xdeadbeef" });
  yield odd("blob four bytes longer than its schema, padded", it, layOut(it).fullReport);
  it = base(8, { blobTail: "0xdeadbeef" });
  yield odd("blob four bytes longer, padding not zero", it,
    layOut(it, { parts: { [BLOB]: concat([word(dataLength(it.blob)), it.blob, "0x" + "ee".repeat(28)]) } }).fullReport);
  it = base(8, { blobTail: "0xdeadbeef" });
  yield odd("unpadded blob at the end", it,
    layOut(it, { order: [RS, SS, BLOB], parts: { [BLOB]: concat([word(dataLength(it.blob)), it.blob]) } }).fullReport,
    { ethers: "refuses" });
  it = base(8, { blobTail: "0xdeadbeef" });
  yield odd("unpadded blob before the signatures", it,
    layOut(it, { parts: { [BLOB]: concat([word(dataLength(it.blob)), it.blob]) } }).fullReport);
  it = base(7);
  it.vs = concat([dataSlice(it.vs, 0, 2), dataSlice(random256(), 2)]);
  yield odd("dirty bytes in rawVs beyond the signatures", it, layOut(it).fullReport);
  it = base(7, { signatures: 0 });
  it.vs = random256();
  yield odd("no signatures", it, layOut(it).fullReport);
  yield* oddOverlaps();
  yield* oddCounts();
}

function* oddOverlaps() {
  let it = base(7);
  let laid = layOut(it);
  yield odd("rawSs is rawRs", it, setWord(laid.fullReport, offsetWord(SS), laid.offsets[RS]), { ss: [...it.rs] });
  it = base(7);
  laid = layOut(it);
  yield odd("rawRs in the head: the zero word of the context is its length", it,
    setWord(laid.fullReport, offsetWord(RS), 64), { rs: [] });
  it = base(7, { signatures: 0 });
  laid = layOut(it);
  yield odd("both arrays empty and in the last word", it,
    cut(setWord(laid.fullReport, offsetWord(SS), laid.offsets[RS]), 32));
  // The last word of the blob (exchangeRate) is 0 or 1 and also serves as the length of rawRs.
  it = base(7, { signatures: 0 });
  it.values[6] = 0n;
  it.blob = encodeBlob(7, it.values);
  it.digest = digestOf(it.context, it.blob);
  laid = layOut(it);
  yield odd("rawRs inside the blob", it, setWord(laid.fullReport, offsetWord(RS), laid.offsets[BLOB] + 32 * 7), { rs: [] });
}

function* oddCounts() {
  let it = base(7);
  let rs = [...it.rs, random256()];
  yield odd("one r more than s", it, layOut(it, { parts: { [RS]: wordsPart(rs) } }).fullReport, { rs });
  it = base(7);
  const ss = [...it.ss, random256()];
  yield odd("one s more than r", it, layOut(it, { parts: { [SS]: wordsPart(ss) } }).fullReport, { ss });
  it = base(7, { signatures: 0 });
  rs = Array.from({ length: 33 }, random256);
  const both = { [RS]: wordsPart(rs), [SS]: wordsPart(rs) };
  yield odd("33 signatures, more than rawVs has bytes", it, layOut(it, { parts: both }).fullReport, { rs, ss: [...rs] });
}

// Versions without a schema: context, blob and signatures are readable, the fields are not.
function* unknownReports() {
  for (const version of [0, 15, 0xffff]) {
    const context = randomContext();
    const feedId = concat([toBeHex(version, 2), dataSlice(random256(), 2)]);
    const blob = version ? concat([feedId, random256(), "0x0102"]) : feedId;
    const { digest, signers, rs, ss, vs } = sign(context, blob, 2);
    const fullReport = coder.encode(fullReportTypes, [context, blob, rs, ss, vs]);
    yield { case: `unknown version ${version}`, version: version & 0xfff, fullReport, feedId, reportBlob: blob, reportContext: context, digest, signers };
  }
}

// ---- encodings that abi.decode refuses

const invalid = (reason, fullReport, ethers = "refuses") => ({ reason, fullReport, ethers });

function* invalidReports() {
  const { fullReport, offsets } = layOut(base(7, { signatures: 1 }));
  const length = dataLength(fullReport);
  yield invalid("no bytes at all", "0x");
  yield invalid("one byte", "0x00");
  yield invalid("head one byte short", dataSlice(fullReport, 0, HEAD - 1));
  yield invalid("head only", dataSlice(fullReport, 0, HEAD));
  yield invalid("last byte missing", cut(fullReport, 1));
  yield invalid("last word missing", cut(fullReport, 32));
  yield invalid("cut in the blob", dataSlice(fullReport, 0, offsets[BLOB] + 100));
  yield* invalidOffsets(fullReport, length);
  yield* invalidLengths(fullReport, length, offsets);
  yield* invalidBlobs();
  yield* invalidValues();
}

function* invalidOffsets(fullReport, length) {
  const names = ["reportBlob", "rawRs", "rawSs"];
  const bad = [
    ["the end", length], ["31 bytes before the end", length - 31], ["2^63", 1n << 63n], ["2^64 - 1", (1n << 64n) - 1n],
    ["2^64", 1n << 64n], ["2^64 + 224", (1n << 64n) + 224n], ["2^255", 1n << 255n], ["2^256 - 32", (1n << 256n) - 32n],
    ["2^256 - 1", (1n << 256n) - 1n],
  ];
  for (const [part, name] of names.entries()) {
    for (const [text, value] of part === BLOB ? bad : bad.filter((_, i) => i % 3 === part)) {
      yield invalid(`offset of ${name} is ${text}`, setWord(fullReport, offsetWord(part), value));
    }
  }
  yield invalid("offset of reportBlob is 0: the config digest is its length", setWord(fullReport, offsetWord(BLOB), 0));
}

function* invalidLengths(fullReport, length, offsets) {
  const rest = length - offsets[BLOB] - 32;
  for (const [text, value] of [["one over the payload", rest + 1], ["2^63", 1n << 63n], ["2^64 - 1", (1n << 64n) - 1n],
    ["2^64", 1n << 64n], ["2^64 + 224", (1n << 64n) + 224n], ["2^256 - 1", (1n << 256n) - 1n]]) {
    yield invalid(`length of reportBlob is ${text}`, setWord(fullReport, offsets[BLOB], value));
  }
  // ethers keeps a length over 2^53 as an error inside its result, which only reading that member raises
  for (const [part, name] of [[RS, "rawRs"], [SS, "rawSs"]]) {
    const fitting = (length - offsets[part] - 32) / 32;
    for (const [text, value] of [["one over the payload", fitting + 1], ["2^58", 1n << 58n],
      ["2^59, times 32 is 2^64", 1n << 59n], ["2^64", 1n << 64n], ["2^251, times 32 is 2^256", 1n << 251n],
      ["2^256 - 1", (1n << 256n) - 1n]]) {
      yield invalid(`length of ${name} is ${text}`, setWord(fullReport, offsets[part], value));
    }
  }
}

function withBlob(version, makeBlob) {
  const it = base(version, { signatures: 1 });
  it.blob = makeBlob(it.blob);
  return layOut(it).fullReport;
}

function* invalidBlobs() {
  yield invalid("empty blob", withBlob(7, () => "0x"));
  yield invalid("blob of 31 bytes: not even a feed id", withBlob(7, (blob) => dataSlice(blob, 0, 31)));
  yield invalid("blob of a feed id only", withBlob(3, (blob) => dataSlice(blob, 0, 32)));
  for (const version of schemas.keys()) {
    yield invalid(`v${version} blob one byte short`, withBlob(version, (blob) => cut(blob, 1)));
  }
}

// ethers masks the upper bits away instead of refusing them.
const over = (version, name, text, value) => {
  const index = allSchemas.get(version).findIndex((field) => field.name === name);
  if (index < 0) throw new Error(`v${version} has no ${name}`);
  return invalid(`v${version} ${name} is ${text}`, withBlob(version, (blob) => setWord(blob, 32 * index, value)), "accepts");
};

function* invalidValues() {
  const wrap = (value) => value & ((1n << 256n) - 1n);
  const bits = [["uint32", 32], ["uint64", 64], ["uint192", 192]];
  for (const [version, name] of [[3, "validFromTimestamp"], [3, "observationsTimestamp"], [2, "expiresAt"], [3, "nativeFee"],
    [3, "linkFee"], [1, "currentBlockNum"], [1, "currentBlockTimestamp"], [4, "marketStatus"], [13, "bidVolume"]]) {
    const { type } = schemas.get(version).find((field) => field.name === name);
    const width = bits.find(([it]) => it === type)[1];
    yield over(version, name, `2^${width}`, 1n << BigInt(width));
  }
  yield over(3, "observationsTimestamp", "2^255", 1n << 255n);
  yield over(9, "ripcord", "-1", wrap(-1n));
  for (const [version, name] of [[1, "ask"], [3, "benchmarkPrice"], [6, "price5"], [10, "tokenizedPrice"], [11, "mid"]]) {
    yield over(version, name, "2^191", 1n << 191n);
    yield over(version, name, "-2^191 - 1", wrap(-(1n << 191n) - 1n));
  }
  yield over(3, "bid", "-1 in 192 bits, not sign-extended", (1n << 192n) - 1n);
  yield over(3, "ask", "2^255: sign bit of the word only", 1n << 255n);
}

// What only the resolution in the feed id makes wrong, or leaves right.
function* newerInvalid() {
  for (const version of [...allSchemas.keys()].filter((it) => !schemas.has(it))) {
    yield invalid(`v${version} blob one byte short`, withBlob(version, (blob) => cut(blob, 1)));
    for (const { type, name } of allSchemas.get(version)) {
      if (type === "uint64") yield over(version, name, "2^64", 1n << 64n);
    }
  }
  for (const name of ["validFromTimestamp", "observationsTimestamp", "expiresAt"]) {
    yield over(14, name, "2^32", 1n << 32n);
    yield over(3, name, "milliseconds", 1_700_000_000_123n);
  }
}

// ---- check every vector with ethers' own decoder

function ethersDecodes(fullReport) {
  // reading a member of the result raises the errors that ethers put off
  const [context, blob, rs, ss] = coder.decode(fullReportTypes, fullReport).toArray();
  const version = Number(dataSlice(blob, 0, 2));
  const types = allSchemas.get(version)?.map(({ type }) => type) ?? ["bytes32"];
  const values = coder.decode(types, blob).toArray();
  return { version, context: context.toArray(), values, blob, rs: rs.toArray().length, ss: ss.toArray().length };
}

function check(condition, what) {
  if (!condition) throw new Error(`ethers does not agree: ${what}`);
}

function attempt(fullReport) {
  try {
    return ethersDecodes(fullReport);
  } catch {
    return null;
  }
}

function checkValid(vector) {
  const got = attempt(vector.fullReport);
  if (vector.ethers === "refuses") return check(!got, `${vector.case}: accepted`);
  check(got, `${vector.case}: refused`);
  check((got.version & 0xfff) === vector.version, `${vector.case}: version`);
  check(JSON.stringify(got.context) === JSON.stringify(vector.reportContext), `${vector.case}: context`);
  check(digestOf(got.context, got.blob) === vector.digest, `${vector.case}: digest`);
  check(got.rs === (vector.rs ?? vector.signers.length) && got.ss === (vector.ss ?? vector.signers.length), `${vector.case}: signatures`);
  const fields = vector.fields ?? { feedId: vector.feedId };
  check(JSON.stringify(got.values.map(String)) === JSON.stringify(Object.values(fields)), `${vector.case}: fields`);
}

function checkInvalid({ reason, fullReport, ethers }) {
  check((attempt(fullReport) === null) === (ethers === "refuses"), reason);
}

// ---- write

const vectors = {
  reports: regular(), odd: [...oddReports()], unknown: [...unknownReports()], invalid: [...invalidReports()],
  newer: newer(), newerInvalid: [...newerInvalid()],
};
[...vectors.reports, ...vectors.odd, ...vectors.unknown, ...vectors.newer].forEach(checkValid);
[...vectors.invalid, ...vectors.newerInvalid].forEach(checkInvalid);

const list = (items) => `[\n${items.map((it) => JSON.stringify(it)).join(",\n")}\n]`;
const text = `{"encoder":"ethers ${ethersVersion}",\n` +
  Object.entries(vectors).map(([name, items]) => `"${name}":${list(items)}`).join(",\n") + "}\n";
writeFileSync(target, text);
console.log(`${Object.entries(vectors).map(([name, items]) => `${items.length} ${name}`).join(", ")}: ${text.length} bytes`);
