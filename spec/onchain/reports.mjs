// SPDX-License-Identifier: MIT
// Signed reports, good and bad, for the contract and for chainlink-streams to judge.
import { AbiCoder, concat, dataSlice, getBytes, hexlify, keccak256, toBeHex, zeroPadValue } from "ethers";
import { allSchemas as schemas, fullReportTypes } from "../interop/schemas.mjs";
import { configurations, keys, random } from "./chain.mjs";

const coder = AbiCoder.defaultAbiCoder();
const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
const word = (value) => zeroPadValue(toBeHex(value), 32);
const { below, bytes, pick, shuffled } = random("reports 1");

// ---- blobs

const bitsOf = (type) => Number(type.match(/\d+$/)[0]);

function valueOf(version, { type, name }) {
  if (name === "feedId") return concat([toBeHex(version, 2), bytes(30)]);
  if (type === "bytes32") return hexlify(bytes(32));
  const signed = type.startsWith("int");
  const bits = 1 + below(bitsOf(type) - (signed ? 1 : 0));
  const value = BigInt(hexlify(bytes(32))) >> BigInt(256 - bits);
  return signed && below(2) ? -value : value;
}

const versions = [...schemas.keys()];

export function randomBlob(version = pick(versions)) {
  const fields = schemas.get(version);
  return coder.encode(fields.map(({ type }) => type), fields.map((field) => valueOf(version, field)));
}

// ---- parts of a full report, and the report of parts

const sign = (digest, signers) => signers.map((key) => {
  const { r, s, v } = key.sign(digest);
  return { r, s, v: v - 27 };
});

function partsOf(configuration, { signers, blob, digest } = {}) {
  const parts = {
    context: [digest ?? configuration.digest, word(BigInt(hexlify(bytes(5)))), hexlify(bytes(32))],
    blob: blob ?? randomBlob(),
    vs: new Uint8Array(32),
  };
  const hash = keccak256(concat([keccak256(parts.blob), ...parts.context]));
  const chosen = signers ?? shuffled(configuration.keys).slice(0, configuration.f + 1);
  const signatures = sign(hash, chosen);
  parts.rs = signatures.map(({ r }) => r);
  parts.ss = signatures.map(({ s }) => s);
  signatures.forEach(({ v }, i) => { parts.vs[i] = v; });
  return parts;
}

const encode = ({ context, blob, rs, ss, vs }) => coder.encode(fullReportTypes, [context, blob, rs, ss, hexlify(vs)]);

function flipBit(hex, bit) {
  const changed = getBytes(hex);
  changed[bit >> 3] ^= 1 << (bit & 7);
  return hexlify(changed);
}

const flipAny = (hex) => flipBit(hex, below(8 * (hex.length / 2 - 1)));

// A bit of the last four bytes of a word: all values of these fit their field, so that the blob stays readable.
function flipValue(blob) {
  const word = 32 * below((blob.length / 2 - 1) / 32);
  return flipBit(blob, 8 * (word + 28) + below(32));
}

// ---- what can be wrong

const some = (configuration, count) => shuffled(configuration.keys).slice(0, count);
const foreign = keys[71]; // of no configuration
const change = (configuration, alter) => {
  const parts = partsOf(configuration);
  alter(parts, below(parts.rs.length));
  return encode(parts);
};

// Each returns a full report of the configuration, and one that can be decoded: the verifier does not read the blob.
const kinds = {
  "valid": (c) => encode(partsOf(c)),
  "any v after the signatures": (c) => change(c, (p) => p.vs.fill(0xff, p.rs.length)),
  "longer blob": (c) => encode(partsOf(c, { blob: concat([randomBlob(), bytes(below(100))]) })),
  "unknown schema": (c) => encode(partsOf(c, { blob: concat([toBeHex(99, 2), bytes(30 + below(300))]) })),
  "changed blob": (c) => change(c, (p) => { p.blob = flipValue(p.blob); }),
  "changed epoch": (c) => change(c, (p) => { p.context[1] = flipAny(p.context[1]); }),
  "changed extra hash": (c) => change(c, (p) => { p.context[2] = flipAny(p.context[2]); }),
  "changed digest": (c) => change(c, (p) => { p.context[0] = flipAny(p.context[0]); }),
  "changed r": (c) => change(c, (p, i) => { p.rs[i] = flipAny(p.rs[i]); }),
  "changed s": (c) => change(c, (p, i) => { p.ss[i] = flipAny(p.ss[i]); }),
  "changed v": (c) => change(c, (p, i) => { p.vs[i] ^= 1; }),
  "v of 27 or 28": (c) => change(c, (p, i) => { p.vs[i] += 27; }),
  "v out of range": (c) => change(c, (p, i) => { p.vs[i] = 2 + below(227); }),
  "v that overflows": (c) => change(c, (p, i) => { p.vs[i] = 229 + below(27); }),
  "bad signature, then v that overflows": (c) => change(c, (p) => { p.ss[0] = flipAny(p.ss[0]); p.vs[1] = 255; }),
  "high s": (c) => change(c, (p, i) => { p.ss[i] = word(ORDER - BigInt(p.ss[i])); p.vs[i] ^= 1; }),
  "high s, v kept": (c) => change(c, (p, i) => { p.ss[i] = word(ORDER - BigInt(p.ss[i])); }),
  "zero r": (c) => change(c, (p, i) => { p.rs[i] = word(0n); }),
  "zero s": (c) => change(c, (p, i) => { p.ss[i] = word(0n); }),
  "r of the order": (c) => change(c, (p, i) => { p.rs[i] = word(ORDER); }),
  "s of the order": (c) => change(c, (p, i) => { p.ss[i] = word(ORDER); }),
  "r beyond the order": (c) => change(c, (p, i) => { p.rs[i] = hexlify(new Uint8Array(32).fill(0xff)); }),
  "s beyond the order": (c) => change(c, (p, i) => { p.ss[i] = hexlify(new Uint8Array(32).fill(0xff)); }),
  "r + order": (c) => change(c, (p, i) => { p.rs[i] = word((BigInt(p.rs[i]) + ORDER) % (1n << 256n)); }),
  "random r": (c) => change(c, (p, i) => { p.rs[i] = hexlify(bytes(32)); }),
  "no signature": (c) => encode(partsOf(c, { signers: [] })),
  "one too few": (c) => encode(partsOf(c, { signers: some(c, c.f) })),
  "one too many": (c) => encode(partsOf(c, { signers: some(c, c.f + 2) })),
  "more than 31": (c) => encode(partsOf(c, { signers: [...keys].slice(0, 32) })),
  "one r too many": (c) => change(c, (p) => { p.rs.push(word(1n)); }),
  "one s too many": (c) => change(c, (p) => { p.ss.push(word(1n)); }),
  "one s too few": (c) => change(c, (p) => { p.ss.pop(); }),
  "no s": (c) => change(c, (p) => { p.ss = []; }),
  "a signer twice": (c) => {
    const [a, ...rest] = some(c, c.f);
    return encode(partsOf(c, { signers: [a, ...rest, a] }));
  },
  "one signer only": (c) => { const [a] = some(c, 1); return encode(partsOf(c, { signers: Array(c.f + 1).fill(a) })); },
  "a signer twice, once with high s": (c) => {
    const [a, ...rest] = some(c, c.f);
    const parts = partsOf(c, { signers: [a, ...rest, a] });
    parts.ss[c.f] = word(ORDER - BigInt(parts.ss[c.f]));
    parts.vs[c.f] ^= 1;
    return encode(parts);
  },
  "a foreign signer": (c) => encode(partsOf(c, { signers: shuffled([...some(c, c.f), foreign]) })),
  "foreign signers": (c) => {
    const others = shuffled(keys.filter((key) => !c.keys.includes(key)));
    return encode(partsOf(c, { signers: others.slice(0, c.f + 1) }));
  },
  "the signers of another configuration": (c) =>
    encode(partsOf(pick(Object.values(configurations)), { digest: c.digest })),
  "the signers before an update": (c) => encode(partsOf(c, { signers: shuffled(c.before).slice(0, c.f + 1) })),
  "unknown digest": (c) => encode(partsOf(c, { digest: hexlify(bytes(32)) })),
  "digest zero": (c) => encode(partsOf(c, { digest: word(0n) })),
};

// Every single bit of the signatures and context of one report; then each kind under each configuration, in turns.
export function reports(count) {
  const list = [];
  const add = (name, report) => list.push({ name, report });
  const base = partsOf(configurations.small, { blob: randomBlob(3) });
  const whole = encode(base);
  const size = whole.length / 2 - 1;
  const addBits = (from, to) => {
    for (let bit = 8 * from; bit < 8 * to; bit++) add(`bit ${bit}`, flipBit(whole, bit));
  };
  add("valid", whole);
  addBits(32, 96); // the context after the digest
  addBits(6 * 32, 6 * 32 + 3); // the vs, and one that does not count
  addBits(size - 5 * 32, size - 3 * 32); // the rs; their length is before them
  addBits(size - 2 * 32, size); // the ss
  const names = Object.keys(kinds);
  for (let round = 0; list.length < count; round++) {
    for (const configuration of Object.values(configurations)) {
      for (const name of names) add(`${name}, ${configuration.name}`, kinds[name](configuration));
    }
  }
  return list;
}
