// SPDX-License-Identifier: MIT
// The official TypeScript SDK as a peer of the benchmark; ours.lua says what the words mean.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(new URL("../../spec/interop/package.json", import.meta.url));
const { createClient, decodeReport } = require("@chainlink/data-streams-sdk");

const [mode, a, b, ha] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4]), process.argv[5] === "ha"];
const words = readFileSync(0, "utf8").split(/\s+/).filter(Boolean);
const setting = (name) => process.env[`CHAINLINK_STREAMS_${name}`];
const client = () => createClient({
  apiKey: setting("API_KEY"), userSecret: setting("API_SECRET"), endpoint: setting("REST_URL"),
  wsEndpoint: setting("WS_URL"), haMode: ha, retryAttempts: 0,
});
const price = (report) => Number(decodeReport(report.fullReport, report.feedID).price) / 1e18;
const cpu = () => { const { user, system } = process.cpuUsage(); return user + system; };
const kib = (file, ...names) => names.reduce((sum, name) =>
  sum + Number(readFileSync(`/proc/self/${file}`, "utf8").match(new RegExp(`${name}:\\s+(\\d+)`))[1]), 0);
let sum = 0;

// Calls take(report) until it answers true.
const read = async (stream, take) => {
  await new Promise((resolve, reject) => {
    let done = false;
    stream.on("report", (report) => {
      if (!done && take(report)) { done = true; resolve(); }
    });
    stream.on("error", reject);
    stream.connect().catch(reject);
  });
  await stream.close();
};

const modes = {
  async decode() {
    const id = words[0].slice(2 + 2 * 256, 2 + 2 * 288);
    const started = process.hrtime.bigint();
    for (let i = 0; i < a; i++) {
      const report = decodeReport(words[0], `0x${id}`);
      sum += (Number(report.price) + Number(report.bid) + Number(report.ask)) / 1e18;
    }
    console.log(Number(process.hrtime.bigint() - started) / a);
  },
  async stream() {
    let count = 0, before, started;
    await read(client().createStream(words), (report) => {
      sum += price(report);
      if (++count === a) [before, started] = [cpu(), process.hrtime.bigint()];
      if (count < a + b) return false;
      const seconds = Number(process.hrtime.bigint() - started) / 1e9;
      console.log((cpu() - before) / b, b / seconds, kib("status", "VmHWM"),
        kib("smaps_rollup", "Private_Clean", "Private_Dirty"));
      return true;
    });
  },
  async latency() {
    const late = [];
    let count = 0;
    await read(client().createStream(words), (report) => {
      const stamp = price(report) * 1e15, now = Number(process.hrtime.bigint()) / 1e3;
      sum += stamp;
      if (++count > a) late.push(now - stamp);
      return late.length === b;
    });
    late.sort((x, y) => x - y);
    console.log(...[0.5, 0.99, 0.999].map((part) => late[Math.ceil(b * part) - 1]));
  },
  async history() {
    const rest = client();
    let start = Math.floor(Date.now() / 1000) - 86400 * 30, count = 0;
    const before = cpu();
    for (let page = 0; page < a; page++) {
      const reports = await rest.getReportsPage(words[0], start, b);
      for (const report of reports) { sum += price(report); count++; }
      start = reports.at(-1).observationsTimestamp + 1;
    }
    console.log((cpu() - before) / count);
  },
  async first() {
    await read(client().createStream(words), (report) => { console.log(price(report)); sum = 1; return true; });
  },
};

await modes[mode]();
process.exit(sum > 0 ? 0 : 1);
