// SPDX-License-Identifier: MIT
// A client of version 2 of the service's WebSocket against a simulator with millisecond feeds, written from what the
// service documents and not from this library: of the official SDKs the one in Go alone speaks it, see docs/interop.md.
// run.sh starts it.
import assert from "node:assert/strict";
import { createHash, createHmac } from "node:crypto";
import { AbiCoder, toBeHex } from "ethers";
import WebSocket from "ws";
import { fullReportTypes } from "./schemas.mjs";
import { finish, test } from "./tap.mjs";

const env = (name) => process.env[`CHAINLINK_STREAMS_${name}`] ?? assert.fail(`${name} is not set: start this by run.sh`);
const [key, userSecret, restUrl, wsUrl] = ["API_KEY", "API_SECRET", "REST_URL", "WS_URL"].map(env);

// ---- the protocol

function signed(method, target, { secret = userSecret, at = Date.now() } = {}) {
  const body = createHash("sha256").update("").digest("hex");
  const text = [method, target, body, key, at].join(" ");
  return {
    "Authorization": key,
    "X-Authorization-Timestamp": String(at),
    "X-Authorization-Signature-SHA256": createHmac("sha256", secret).update(text).digest("hex"),
  };
}

const target = (version, ids) => `/api/v${version}/ws?feedIDs=${ids.join(",")}`;

// A WebSocket, open; rejects with the status of a handshake that is refused.
function connect(path, headers = signed("GET", path)) {
  const socket = new WebSocket(wsUrl + path, { headers });
  return new Promise((resolve, reject) => {
    socket.on("open", () => resolve(socket));
    socket.on("unexpected-response", (_, answer) => {
      answer.resume();
      reject(Object.assign(new Error(`refused: ${answer.statusCode}`), { status: answer.statusCode }));
    });
    socket.on("error", reject);
  });
}

// The reports of messages until each feed has `count` of them.
async function reportsOf(path, ids, count, headers) {
  const socket = await connect(path, headers);
  const reports = [];
  const has = (id) => reports.filter(({ feedID }) => feedID === id).length >= count;
  try {
    await new Promise((resolve, reject) => {
      socket.on("close", (code) => reject(new Error(`closed: ${code}`)));
      socket.on("message", (data) => {
        const message = JSON.parse(data);
        assert.deepEqual(Object.keys(message), ["report"]);
        reports.push(message.report);
        if (ids.every(has)) resolve();
      });
    });
  } finally {
    socket.terminate();
  }
  return reports;
}

// The common head of the blob, in the feed's own unit, whose milliseconds are `unit`.
function headOf({ feedID, fullReport }) {
  const coder = AbiCoder.defaultAbiCoder();
  const [, blob] = coder.decode(fullReportTypes, fullReport);
  const unit = { 0: 1000, 1: 1 }[parseInt(feedID[2], 16)];
  const time = unit === 1 ? "uint64" : "uint32";
  const [id, validFrom, observed, , , expires] =
    coder.decode(["bytes32", time, time, "uint192", "uint192", time], blob);
  assert.equal(id, feedID);
  assert.ok(expires > observed);
  return { unit, validFrom: Number(validFrom), observed: Number(observed) };
}

const json = async (path) => {
  const answer = await fetch(restUrl + path, { headers: signed("GET", path) });
  assert.equal(answer.status, 200, path);
  return answer.json();
};

const isMs = (id) => id[2] === "1";
const members = (suffix) => ["feedID", "fullReport", `observationsTimestamp${suffix}`, `validFromTimestamp${suffix}`];

// Windows follow on one another; several reports of a second share that second in feeds that count seconds.
function checkWindows(reports, ids) {
  for (const id of ids) {
    const heads = reports.filter(({ feedID }) => feedID === id).map(headOf);
    heads.slice(1).forEach(({ validFrom, observed }, i) => {
      if (!isMs(id) && observed === heads[i].observed) assert.equal(validFrom, observed, id);
      else assert.equal(validFrom, heads[i].observed + 1, id);
    });
    const seconds = new Set(heads.map(({ unit, observed }) => Math.floor(observed * unit / 1000)));
    if (isMs(id)) assert.ok(seconds.size < heads.length, `${id}: several reports a second`);
  }
}

// ---- the tests

async function testTimes(ids) {
  await test("version 2 tells all times in milliseconds, of feeds in either unit", async () => {
    const reports = await reportsOf(target(2, ids), ids, 5);
    for (const report of reports) {
      assert.deepEqual(Object.keys(report).sort(), members("Ms"));
      const { unit, validFrom, observed } = headOf(report);
      assert.equal(report.validFromTimestampMs, validFrom * unit);
      assert.equal(report.observationsTimestampMs, observed * unit);
    }
    checkWindows(reports, ids);
  });

  await test("version 1 tells all times in seconds", async () => {
    for (const report of await reportsOf(target(1, ids), ids, 3)) {
      assert.deepEqual(Object.keys(report).sort(), members(""));
      const { unit, validFrom, observed } = headOf(report);
      assert.equal(report.validFromTimestamp, Math.floor(validFrom * unit / 1000));
      assert.equal(report.observationsTimestamp, Math.floor(observed * unit / 1000));
    }
  });

  await test("REST is asked in seconds, and tells a millisecond feed's times in milliseconds", async () => {
    const id = ids.find(isMs);
    const second = Math.floor(Date.now() / 1000) - 30;
    const { report } = await json(`/api/v1/reports?feedID=${id}&timestamp=${second}`);
    assert.deepEqual(Object.keys(report).sort(), members("Ms"));
    assert.equal(Math.floor(report.observationsTimestampMs / 1000), second);
    assert.equal(headOf(report).observed, report.observationsTimestampMs);
    const { reports } = await json(`/api/v1/reports/page?feedID=${id}&startTimestamp=${second}&limit=25`);
    assert.ok(reports.length >= 10 && reports.length <= 25, `${reports.length} reports`);
    assert.ok(reports[0].observationsTimestampMs >= second * 1000);
    checkWindows(reports, [id]);
  });
}

async function testHandshake(ids) {
  const path = target(2, ids);
  await test("version 2 wants the signature of its own path", async () => {
    const sets = {
      "no headers": {},
      "version 1's path": signed("GET", target(1, ids)),
      "other feeds": signed("GET", target(2, ids.slice(1))),
      "another secret": signed("GET", path, { secret: "not the secret" }),
      "a clock that is 20 s late": signed("GET", path, { at: Date.now() - 20_000 }),
    };
    for (const [name, headers] of Object.entries(sets)) {
      await assert.rejects(connect(path, headers), ({ status }) => status === (name === "no headers" ? 400 : 401),
        name);
    }
    const unknown = target(2, [toBeHex(BigInt("0x1003" + "ee".repeat(30)), 32)]);
    await assert.rejects(connect(unknown), ({ status }) => status === 401);
  });

  await test("version 2 is there at each origin, with the same reports", async () => {
    const answer = await fetch(restUrl, { method: "HEAD", headers: signed("HEAD", "/") });
    const origins = answer.headers.get("x-cll-available-origins").replace(/[{}\s]/g, "").split(",");
    assert.equal(origins.length, 2);
    const lists = await Promise.all(origins.map((origin) => reportsOf(path, ids, 20,
      { ...signed("GET", path), "X-Cll-Origin": origin })));
    const [one, other] = lists.map((list) => new Set(list.map(({ fullReport }) => fullReport)));
    const shared = [...one].filter((fullReport) => other.has(fullReport)).length;
    assert.ok(shared >= 20, `${shared} reports from both`);
  });

  await test("version 2 answers pings, and an offer to compress harms nothing", async () => {
    const socket = await connect(path); // ws offers permessage-deflate
    const pong = new Promise((resolve) => socket.on("pong", (data) => resolve(data.toString())));
    socket.ping("are you there");
    assert.equal(await pong, "are you there");
    socket.terminate();
  });
}

const feeds = (await json("/api/v1/feeds")).feeds.map(({ feedID }) => feedID);
const ids = [...feeds.filter(isMs).slice(0, 2), feeds.find((id) => !isMs(id))];
await testTimes(ids);
await testHandshake(ids);
finish();
