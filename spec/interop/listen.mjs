// SPDX-License-Identifier: MIT
// The official TypeScript SDK against `relay --listen`, by its key, and what it gets beside what the service has.
// run.sh starts both.
import assert from "node:assert/strict";
import { APIError, createClient } from "@chainlink/data-streams-sdk";
import { finish, test } from "./tap.mjs";

const env = (name) => process.env[name] ?? assert.fail(`${name} is not set: start this by run.sh`);
const common = { timeout: 10_000, retryAttempts: 0 };
const service = createClient({
  apiKey: env("CHAINLINK_STREAMS_API_KEY"), userSecret: env("CHAINLINK_STREAMS_API_SECRET"),
  endpoint: env("CHAINLINK_STREAMS_REST_URL"), wsEndpoint: env("CHAINLINK_STREAMS_WS_URL"), ...common,
});
const relay = (options = {}) => createClient({
  apiKey: env("CHAINLINK_STREAMS_LOCAL_KEY"), userSecret: env("CHAINLINK_STREAMS_LOCAL_SECRET"),
  endpoint: `http://${env("RELAY_ADDRESS")}`, wsEndpoint: `ws://${env("RELAY_ADDRESS")}`, ...common, ...options,
});
const same = ({ feedID, fullReport, validFromTimestamp, observationsTimestamp }) =>
  ({ feedID, fullReport, validFromTimestamp, observationsTimestamp });

let ids = [];

await test("lists the relay's feeds", async () => {
  ids = (await relay().listFeeds()).map((it) => it.feedID);
  assert.deepEqual(ids, env("RELAY_FEEDS").split(" "));
});

await test("streams over one lasting connection what the service has, and all of it", async () => {
  const stream = relay().createStream(ids);
  const reports = [];
  const has = (id) => reports.filter(({ feedID }) => feedID === id).length >= 8;
  try {
    await new Promise((resolve, reject) => {
      stream.on("error", reject);
      stream.on("disconnected", () => reject(new Error("disconnected")));
      stream.on("report", (report) => {
        reports.push(report);
        if (ids.every(has)) resolve();
      });
      stream.connect().catch(reject);
    });
  } finally {
    await stream.close();
  }
  for (const id of ids) {
    const got = reports.filter(({ feedID }) => feedID === id).map(same);
    const expected = await service.getReportsPage(id, got[0].observationsTimestamp, got.length);
    assert.deepEqual(got, expected.map(same));
  }
});

await test("gets by REST what the service has", async () => {
  const now = Math.floor(Date.now() / 1000);
  assert.equal((await relay().getLatestReport(ids[0])).feedID, ids[0]);
  for (const at of [now - 3, now - 1000]) {
    const report = await service.getReportByTimestamp(ids[0], at);
    assert.deepEqual(same(await relay().getReportByTimestamp(ids[0], at)), same(report));
    const bulk = await relay().getReportsBulk(ids, at);
    assert.deepEqual(bulk.map(({ feedID }) => feedID).sort(), [...ids].sort());
    const page = await relay().getReportsPage(ids[0], at - 20, 10);
    assert.deepEqual(page.map(same), (await service.getReportsPage(ids[0], at - 20, 10)).map(same));
  }
});

await test("is refused with another secret", async () => {
  const wrong = { userSecret: "not the secret" };
  await assert.rejects(relay(wrong).listFeeds(), (error) => error instanceof APIError && error.statusCode === 401);
  const stream = relay(wrong).createStream(ids);
  stream.on("error", () => {});
  await assert.rejects(stream.connect(), /Failed to establish any WebSocket connections/);
  assert.equal(stream.getConnectionDetails()[0].lastError.message.match(/\((401)\)/)?.[1], "401");
  await stream.close();
});

finish();
