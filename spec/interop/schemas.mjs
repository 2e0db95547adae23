// SPDX-License-Identifier: MIT
// The report schemas written down a second time, on purpose: the vectors must not depend on the tables under test.

const head = [
  ["bytes32", "feedId"],
  ["uint32", "validFromTimestamp"],
  ["uint32", "observationsTimestamp"],
  ["uint192", "nativeFee"],
  ["uint192", "linkFee"],
  ["uint32", "expiresAt"],
];

const after = {
  2: [["int192", "benchmarkPrice"]],
  3: [["int192", "benchmarkPrice"], ["int192", "bid"], ["int192", "ask"]],
  4: [["int192", "benchmarkPrice"], ["uint32", "marketStatus"]],
  5: [["int192", "rate"], ["uint32", "timestamp"], ["uint32", "duration"]],
  6: [["int192", "price"], ["int192", "price2"], ["int192", "price3"], ["int192", "price4"], ["int192", "price5"]],
  7: [["int192", "exchangeRate"]],
  8: [["uint64", "lastUpdateTimestamp"], ["int192", "midPrice"], ["uint32", "marketStatus"]],
  9: [["int192", "navPerShare"], ["uint64", "navDate"], ["int192", "aum"], ["uint32", "ripcord"]],
  10: [
    ["uint64", "lastUpdateTimestamp"], ["int192", "price"], ["uint32", "marketStatus"], ["int192", "currentMultiplier"],
    ["int192", "newMultiplier"], ["uint32", "activationDateTime"], ["int192", "tokenizedPrice"],
  ],
  11: [
    ["int192", "mid"], ["uint64", "lastSeenTimestampNs"], ["int192", "bid"], ["int192", "bidVolume"], ["int192", "ask"],
    ["int192", "askVolume"], ["int192", "lastTradedPrice"], ["uint32", "marketStatus"],
  ],
  12: [["int192", "navPerShare"], ["int192", "nextNavPerShare"], ["uint64", "navDate"], ["uint32", "ripcord"]],
  13: [
    ["int192", "bestAsk"], ["int192", "bestBid"], ["uint64", "askVolume"], ["uint64", "bidVolume"],
    ["int192", "lastTradedPrice"],
  ],
};

// version -> [{type, name}, …] in ABI order; those that every published SDK knows
export const schemas = new Map([
  [1, [
    ["bytes32", "feedId"], ["uint32", "observationsTimestamp"], ["int192", "benchmarkPrice"], ["int192", "bid"],
    ["int192", "ask"], ["uint64", "currentBlockNum"], ["bytes32", "currentBlockHash"], ["uint64", "validFromBlockNum"],
    ["uint64", "currentBlockTimestamp"],
  ]],
  ...Object.entries(after).map(([version, fields]) => [Number(version), [...head, ...fields]]),
].map(([version, fields]) => [version, fields.map(([type, name]) => ({ type, name }))]));

const futures = [...head, ...[
  ["int192", "midPrice"], ["int192", "bidPrice"], ["int192", "askPrice"], ["uint64", "expiryTime"],
  ["uint64", "firstDayOfNotice"], ["uint64", "lastSeenTimestampNs"], ["uint32", "marketStatus"],
  ["uint32", "contractMonth"], ["int192", "goldmanRollPrice"], ["uint32", "currentBusinessDay"],
  ["int192", "interpolatedGoldmanRollPrice"],
]].map(([type, name]) => ({ type, name }));

// The head's times are 64 bits wide in feeds of milliseconds, whose ids begin with 0x1.
export const isTime = (name) => ["validFromTimestamp", "observationsTimestamp", "expiresAt"].includes(name);
const MILLISECONDS = 0x1000;
const inSeconds = [...schemas, [14, futures]];

// By the first two bytes of a feed id: all schemas in seconds and in milliseconds.
export const allSchemas = new Map([
  ...inSeconds,
  ...inSeconds.map(([version, fields]) => [version | MILLISECONDS,
    fields.map(({ type, name }) => ({ type: isTime(name) ? "uint64" : type, name }))]),
]);

export const fullReportTypes = ["bytes32[3]", "bytes", "bytes32[]", "bytes32[]", "bytes32"];
