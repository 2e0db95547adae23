// SPDX-License-Identifier: MIT
// Full reports whose encoding was changed in every way that abi.decode has an opinion about. Signatures are random.
import { AbiCoder, concat, getBytes, hexlify, toBeHex } from "ethers";
import { allSchemas as schemas, fullReportTypes } from "../interop/schemas.mjs";
import { random } from "./chain.mjs";
import { randomBlob } from "./reports.mjs";

const coder = AbiCoder.defaultAbiCoder();
const { below, bytes, pick, shuffled } = random("encodings 1");
const HEAD = 7;
const modulo = (value) => ((value % (1n << 256n)) + (1n << 256n)) % (1n << 256n);
const word = (value) => getBytes(toBeHex(modulo(BigInt(value)), 32));
const words = (count) => Array.from({ length: count }, () => hexlify(bytes(32)));

const encodeBlob = (blob) => {
  const n = below(4);
  return getBytes(coder.encode(fullReportTypes, [words(3), blob, words(n), words(n), hexlify(bytes(32))]));
};
const base = () => encodeBlob(randomBlob());

function put(data, index, value) {
  const changed = data.slice();
  changed.set(word(value).slice(0, Math.max(0, changed.length - 32 * index)), 32 * index);
  return changed;
}

const at = (data, index) => Number(BigInt(hexlify(data.slice(32 * index, 32 * index + 32))));
const grow = (data, extra) => getBytes(concat([data, extra]));

// Values of an offset or a length that matter in a payload so long.
function telling(size) {
  const words = Math.floor(size / 32);
  const edges = [0, 1, 31, 32, 33, 64, 192, 193, 223, 224, 225, size - 65, size - 64, size - 33, size - 32, size - 31,
    size - 1, size, size + 1, words, words - 1].filter((value) => value >= 0).map(BigInt);
  const wide = [31n, 32n, 59n, 63n, 64n, 128n, 251n, 255n, 256n]
    .flatMap((n) => [(1n << n) - 1n, 1n << n, (1n << n) + 32n]);
  return pick([pick(edges), pick(edges), pick(wide), BigInt(below(size + 64)), BigInt(32 * below(words + 2)),
    -BigInt(below(size))]);
}

const offsets = [3, 4, 5];
const lengthWord = (data) => at(data, pick(offsets)) / 32;

// The parts behind one another in another order, with gaps and without padding, at any alignment.
function rearranged(data) {
  const parts = offsets.map((index) => {
    const start = at(data, index);
    const count = at(data, start / 32);
    return { index, bytes: data.slice(start, start + 32 + (index === 3 ? count : 32 * count)) };
  });
  let out = data.slice(0, 32 * HEAD);
  for (const part of shuffled(parts)) {
    out = grow(out, bytes(pick([0, 0, 32, below(70)])));
    out = put(out, part.index, out.length);
    out = grow(out, part.bytes);
  }
  return out;
}

// All parts in the same bytes: the two arrays, or the blob on one of them.
function overlapping(data) {
  const [from, to] = shuffled(offsets);
  return put(data, from, at(data, to) + pick([0, 0, 32, -32, 1]));
}

const bitsOf = (type) => Number(type.match(/\d+$/)[0]);

// A field of the blob at or beyond an end of its type.
function stretched() {
  const version = pick([...schemas.keys()]);
  const blob = getBytes(randomBlob(version));
  const fields = schemas.get(version);
  const index = 1 + below(fields.length - 1);
  const { type } = fields[index];
  if (type === "bytes32") return blob;
  const bits = BigInt(bitsOf(type) - (type.startsWith("int") ? 1 : 0));
  const end = 1n << bits;
  const low = type.startsWith("int") ? -end : 0n;
  const value = pick([end - 1n, end, end + 1n, low, low - 1n, -1n, -end, 1n << 255n, (1n << 256n) - 1n,
    end << BigInt(below(Number(255n - bits) || 1)), BigInt(hexlify(bytes(32)))]);
  return put(blob, index, value);
}

const cut = (data, limit = data.length) => data.slice(0, data.length - below(Math.min(limit, data.length) + 1));
const flip = (data, from, count) => {
  const changed = data.slice();
  changed[from + below(count)] ^= 1 << below(8);
  return changed;
};
const version = (blob, number) => concat([toBeHex(number, 2), getBytes(blob).slice(2)]);

const kinds = {
  "untouched": base,
  "offset": () => { const data = base(); return put(data, pick(offsets), telling(data.length)); },
  "two offsets": () => {
    const data = base();
    return put(put(data, pick(offsets), telling(data.length)), pick(offsets), telling(data.length));
  },
  "length": () => { const data = base(); return put(data, lengthWord(data), telling(data.length)); },
  "offset and length": () => {
    const data = base();
    return put(put(data, lengthWord(data), telling(data.length)), pick(offsets), telling(data.length));
  },
  "length a little different": () => {
    const data = base(), i = lengthWord(data);
    return put(data, i, at(data, i) + pick([-33, -32, -1, 1, 31, 32, 33]));
  },
  "rearranged": () => rearranged(base()),
  "rearranged and cut": () => cut(rearranged(base()), 66),
  "overlapping": () => overlapping(base()),
  "cut": () => cut(base()),
  "cut a little": () => cut(base(), 70),
  "trailing bytes": () => grow(base(), bytes(below(100))),
  "a byte more or less": () => {
    const data = base(), i = below(data.length);
    return below(2) ? grow(data.slice(0, i), data.slice(i + 1)) : grow(grow(data.slice(0, i), bytes(1)), data.slice(i));
  },
  "a bit of the head": () => flip(base(), 0, 32 * HEAD),
  "a bit of an offset's end": () => flip(base(), 32 * pick(offsets) + 30, 2),
  "a bit of a length": () => { const data = base(); return flip(data, 32 * lengthWord(data), 32); },
  "a bit anywhere": () => { const data = base(); return flip(data, 0, data.length); },
  "field": () => encodeBlob(stretched()),
  "short blob": () => encodeBlob(cut(getBytes(randomBlob()))),
  "slightly short blob": () => encodeBlob(cut(getBytes(randomBlob()), 40)),
  "long blob": () => encodeBlob(grow(randomBlob(), bytes(below(80)))),
  "another version": () => encodeBlob(version(randomBlob(), pick([0, 0x1000, 0x2000]) + below(16))),
  "any version": () => encodeBlob(version(randomBlob(), below(65536))),
  "noise": () => bytes(below(600)),
  "zeros": () => new Uint8Array(32 * below(20)),
};

export function encodings(count) {
  const names = Object.keys(kinds);
  return Array.from({ length: count }, (_, i) => {
    const name = names[i % names.length];
    return { name, report: hexlify(kinds[name]()) };
  });
}
