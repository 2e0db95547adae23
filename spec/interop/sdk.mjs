// SPDX-License-Identifier: MIT
// The official TypeScript SDK and ethers.js against the simulator and against our decoder. run.sh starts it.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { APIError, createClient, decodeReport } from "@chainlink/data-streams-sdk";
import { AbiCoder, concat, getBytes, keccak256, recoverAddress } from "ethers";
import { compareWithSdk } from "./compare.mjs";
import { testHttp2 } from "./http2.mjs";
import { compareWithOthers } from "./others.mjs";
import { fullReportTypes, schemas } from "./schemas.mjs";
import { finish, test } from "./tap.mjs";

const env = (name) => process.env[name] ?? assert.fail(`${name} is not set: start this by run.sh`);
const here = (name) => new URL(name, import.meta.url);
const endpoint = env("CHAINLINK_STREAMS_REST_URL");
const wsEndpoint = env("CHAINLINK_STREAMS_WS_URL");

const client = (options = {}) => createClient({
  apiKey: env("CHAINLINK_STREAMS_API_KEY"), userSecret: env("CHAINLINK_STREAMS_API_SECRET"), endpoint, wsEndpoint,
  timeout: 10_000, retryAttempts: 0, ...options,
});

// Full reports -> what our decoder says of each.
function decodeHere(fullReports) {
  const { status, stdout, stderr } = spawnSync(process.env.LUA_BIN ?? "lua5.4", [here("decode.lua").pathname],
    { input: fullReports.join("\n") + "\n", encoding: "utf8", timeout: 30_000, maxBuffer: 1 << 28 });
  assert.equal(status, 0, stderr);
  const results = stdout.trim().split("\n").map((line) => JSON.parse(line));
  assert.equal(results.length, fullReports.length);
  return results;
}

const versionOf = (feedId) => parseInt(feedId.slice(2, 6), 16);
const collected = new Map(); // every full report the simulator gave -> its envelope

function checkReport(report, feedId) {
  assert.equal(report.feedID.toLowerCase(), feedId.toLowerCase());
  assert.equal(typeof report.observationsTimestamp, "number");
  assert.equal(typeof report.validFromTimestamp, "number");
  assert.match(report.fullReport, /^0x([0-9a-f]{2})+$/);
  collected.set(report.fullReport, report);
  return report;
}

// ---- the decoders, vector by vector

const vectors = JSON.parse(readFileSync(here("../data/vectors.json"), "utf8"));
const ours = new Map();

await test("our decoder reads every vector as ethers encoded it", () => {
  const all = [...vectors.reports, ...vectors.odd, ...vectors.unknown, ...vectors.invalid];
  decodeHere(all.map((it) => it.fullReport)).forEach((result, i) => ours.set(all[i].fullReport, result));
  for (const vector of [...vectors.reports, ...vectors.odd]) {
    const { version, fields } = ours.get(vector.fullReport);
    assert.deepEqual({ version, fields }, { version: vector.version, fields: vector.fields }, vector.case);
  }
});

for (const version of schemas.keys()) {
  await test(`the SDK and we agree on every v${version} vector${version === 1 ? ": it does not know v1" : ""}`, () => {
    const tally = { same: 0, refused: 0 };
    for (const { fullReport } of vectors.reports.filter((it) => it.version === version)) {
      tally[compareWithSdk(fullReport, version, ours.get(fullReport).fields)]++;
    }
    if (version !== 1) assert.ok(tally.same >= 10, JSON.stringify(tally));
    console.log(`# v${version}: ${tally.same} the same, ${tally.refused} refused by the SDK as known`);
  });
}

await test("the SDK and we agree on odd encodings, but for missing padding at the end", () => {
  for (const { fullReport, version, ethers } of vectors.odd) {
    const { fields } = ours.get(fullReport);
    if (ethers === "same") compareWithSdk(fullReport, version, fields);
    else assert.throws(() => decodeReport(fullReport, fields.feedId), /out-of-bounds/);
  }
});

await test("the SDK refuses unknown versions, of which we give the envelope", () => {
  for (const { fullReport, version, feedId } of vectors.unknown) {
    assert.deepEqual(ours.get(fullReport), { version, fields: { feedId }, signatures: 2 });
    assert.throws(() => decodeReport(fullReport, feedId), /Unknown report version/);
  }
});

await test("we refuse every invalid encoding; the SDK accepts those that it is known to accept", () => {
  for (const { fullReport, reason, ethers } of vectors.invalid) {
    assert.match(ours.get(fullReport).error ?? "accepted", /^DecodeError: /, reason);
    const version = Number(reason.match(/^v(\d+) /)?.[1] ?? 7);
    const feedId = "0x" + version.toString(16).padStart(4, "0") + "00".repeat(30);
    const unread = /^length of raw[RS]s is 2\^/.test(reason); // ethers puts that error off, the SDK never looks
    const enumeration = /^v9 ripcord|^v1 /.test(reason); // refused for its value, or its version
    const accepted = unread || (ethers === "accepts" && !enumeration);
    if (accepted) assert.doesNotThrow(() => decodeReport(fullReport, feedId), reason);
    else assert.throws(() => decodeReport(fullReport, feedId), undefined, reason);
  }
});

await compareWithOthers(vectors, ours);

// ---- REST

let feeds = [];
const known = () => feeds.filter((id) => versionOf(id) >= 2 && versionOf(id) <= 13);
const oneOf = (version) => known().find((id) => versionOf(id) === version) ?? assert.fail(`no feed of v${version}`);
const secondsAgo = (n) => Math.floor(Date.now() / 1000) - n;

await test("lists feeds of every schema", async () => {
  feeds = (await client().listFeeds()).map((it) => it.feedID);
  for (const version of schemas.keys()) {
    assert.ok(feeds.some((id) => versionOf(id) === version), `v${version} is missing among ${feeds.length} feeds`);
  }
});

await test("gets the latest report of every feed the SDK knows", async () => {
  assert.ok(known().length >= 12, `${known().length} feeds`);
  for (const feed of known()) checkReport(await client().getLatestReport(feed), feed);
});

await test("gets a report by timestamp, the same each time", async () => {
  const feed = oneOf(3);
  const timestamp = secondsAgo(60);
  const report = checkReport(await client().getReportByTimestamp(feed, timestamp), feed);
  assert.equal(report.observationsTimestamp, timestamp);
  assert.deepEqual(await client().getReportByTimestamp(feed, timestamp), report);
});

await test("gets several feeds in bulk", async () => {
  const ids = known();
  assert.ok(ids.length >= 12, `${ids.length} feeds`);
  const timestamp = secondsAgo(30);
  const reports = await client().getReportsBulk(ids, timestamp);
  assert.deepEqual(reports.map((it) => it.feedID.toLowerCase()).sort(), ids.map((id) => id.toLowerCase()).sort());
  for (const report of reports) {
    checkReport(report, report.feedID);
    assert.equal(report.observationsTimestamp, timestamp);
  }
});

await test("gets a page of history, ascending", async () => {
  const feed = oneOf(11);
  const start = secondsAgo(120);
  const reports = await client().getReportsPage(feed, start, 25);
  assert.equal(reports.length, 25);
  reports.forEach((report, i) => assert.equal(checkReport(report, feed).observationsTimestamp, start + i));
});

// ---- WebSocket

// Streams until `enough(metrics, reports)`, closes, and answers the reports and the metrics of that moment.
async function stream(ids, options, enough) {
  const it = client(options).createStream(ids);
  const reports = [];
  let poll;
  try {
    return await new Promise((resolve, reject) => {
      it.on("error", reject);
      it.on("disconnected", () => reject(new Error("disconnected")));
      it.on("report", (report) => reports.push(report));
      it.connect().catch(reject);
      poll = setInterval(() => {
        const metrics = it.getMetrics();
        if (!enough(metrics, reports)) return;
        resolve({ reports: [...reports], metrics, type: it.getConnectionType(), origins: it.getOrigins() });
      }, 20);
    });
  } finally {
    clearInterval(poll);
    await it.close();
  }
}

const perFeed = (ids, reports, count) => ids.every((id) => reports.filter((it) => it.feedID === id).length >= count);
const identities = (reports) => reports.map((it) => `${it.feedID} ${it.observationsTimestamp}`);

// Long enough that a connection which is cut after a few seconds shows.
await test("streams reports of several schemas over one lasting connection", async () => {
  const ids = [3, 8, 13].map(oneOf);
  const { reports, metrics, type } = await stream(ids, {}, (_, all) => perFeed(ids, all, 8));
  reports.forEach((report) => checkReport(report, report.feedID));
  assert.equal(type, "single");
  assert.equal(metrics.activeConnections, 1);
  assert.equal(metrics.partialReconnects + metrics.fullReconnects, 0);
  assert.equal(new Set(identities(reports)).size, reports.length);
});

for (const [name, options, expected] of [
  ["two origins it discovers", { haMode: true }, 2],
  ["two URLs", { haMode: true, wsEndpoint: `${wsEndpoint},${wsEndpoint.replace("localhost", "127.0.0.1")}` }, 2],
]) {
  await test(`streams with high availability over ${name}, without duplicates`, async () => {
    const ids = [2, 10].map(oneOf);
    const { reports, metrics, type, origins } = await stream(ids, options,
      (it, all) => perFeed(ids, all, 3) && it.deduplicated >= 4);
    reports.forEach((report) => checkReport(report, report.feedID));
    assert.equal(type, "multiple");
    assert.equal(new Set(origins).size, expected);
    assert.equal(metrics.activeConnections, expected);
    assert.equal(metrics.configuredConnections, expected);
    assert.deepEqual(Object.values(metrics.originStatus), Array(expected).fill("connected"));
    assert.equal(metrics.accepted, reports.length);
    assert.equal(metrics.totalReceived, metrics.accepted + metrics.deduplicated);
    assert.equal(metrics.partialReconnects + metrics.fullReconnects, 0);
    assert.equal(new Set(identities(reports)).size, reports.length);
    console.log(`# ${origins.join(" ")}: ${metrics.accepted} accepted, ${metrics.deduplicated} deduplicated`);
  });
}

// ---- refusals

const isStatus = (status) => (error) => error instanceof APIError && error.statusCode === status;

await test("a wrong secret is refused: REST, one connection, high availability", async () => {
  const wrong = { userSecret: "not the secret" };
  await assert.rejects(client(wrong).listFeeds(), isStatus(401));
  for (const haMode of [false, true]) {
    const it = client({ ...wrong, haMode }).createStream(oneOf(3));
    it.on("error", () => {});
    await assert.rejects(it.connect(), /Failed to establish any WebSocket connections/);
    assert.equal(it.getConnectionDetails()[0].lastError.message.match(/\((401)\)/)?.[1], "401");
    await it.close();
  }
});

await test("an unknown feed is refused", async () => {
  await assert.rejects(client().getLatestReport("0x0003" + "ee".repeat(30)), isStatus(401));
});

// ---- what the simulator sent, read and verified by others

await test("the SDK and we agree on every report the simulator sent", () => {
  const fullReports = [...collected.keys()];
  assert.ok(fullReports.length >= 50, `${fullReports.length} reports`);
  decodeHere(fullReports).forEach(({ version, fields, error }, i) => {
    assert.equal(error, undefined);
    const envelope = collected.get(fullReports[i]);
    assert.equal(fields.feedId, envelope.feedID.toLowerCase());
    assert.equal(fields.observationsTimestamp, String(envelope.observationsTimestamp));
    assert.equal(fields.validFromTimestamp, String(envelope.validFromTimestamp));
    assert.equal(compareWithSdk(fullReports[i], version, fields), "same");
  });
  console.log(`# ${fullReports.length} reports`);
});

function signatures(fullReport) {
  const [context, blob, rs, ss, vs] = AbiCoder.defaultAbiCoder().decode(fullReportTypes, fullReport);
  const digest = keccak256(concat([keccak256(blob), ...context]));
  const recover = (r, i) => recoverAddress(digest, { r, s: ss[i], v: 27 + getBytes(vs)[i] }).toLowerCase();
  return { configDigest: context[0], signers: rs.map(recover) };
}

await test("ethers recovers f + 1 different oracles from every report the simulator sent", async () => {
  const answer = await fetch(`${endpoint}/control/oracles`, { signal: AbortSignal.timeout(10_000) });
  assert.equal(answer.status, 200);
  const oracles = await answer.json();
  assert.deepEqual([oracles.f, oracles.signers.length], [1, 4]);
  assert.ok(collected.size >= 50, `${collected.size} reports`);
  for (const fullReport of collected.keys()) {
    const { configDigest, signers } = signatures(fullReport);
    assert.equal(configDigest, oracles.config_digest);
    assert.equal(signers.length, oracles.f + 1);
    assert.equal(new Set(signers).size, signers.length);
    for (const signer of signers) assert.ok(oracles.signers.includes(signer), `${signer}: ${oracles.signers}`);
  }
});

await testHttp2(endpoint);

finish();
