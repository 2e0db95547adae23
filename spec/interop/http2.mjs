// SPDX-License-Identifier: MIT
// Our REST client over HTTP/2: Node's server, in front of the simulator, which authenticates what comes through.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { constants, createSecureServer } from "node:http2";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "./tap.mjs";

const client = new URL("http2.lua", import.meta.url).pathname;

function makeCertificate(folder) {
  const [key, cert] = ["key.pem", "cert.pem"].map((name) => join(folder, name));
  execFileSync("openssl", ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
    "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", cert],
  { stdio: "ignore", timeout: 20_000 });
  return { key: readFileSync(key), cert: readFileSync(cert), file: cert };
}

// What spoil(request number, stream) does not take is answered by the service.
async function withServer(service, spoil, use) {
  const folder = mkdtempSync(join(tmpdir(), "http2-"));
  const { key, cert, file } = makeCertificate(folder);
  const seen = { sessions: 0, requests: 0, versions: new Set() };
  const server = createSecureServer({ key, cert, allowHTTP1: true });
  server.on("session", () => { seen.sessions++; });
  server.on("request", async (request, response) => {
    seen.versions.add(request.httpVersion);
    if (spoil(++seen.requests, request.stream)) return;
    const headers = Object.fromEntries(Object.entries(request.headers).filter(([name]) => !name.startsWith(":")));
    const answer = await fetch(service + request.url, { method: request.method, headers });
    response.writeHead(answer.status, { "content-type": answer.headers.get("content-type") ?? "text/plain" });
    response.end(Buffer.from(await answer.arrayBuffer()));
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    await use({ url: `https://localhost:${server.address().port}`, file, seen });
  } finally {
    server.close();
    rmSync(folder, { recursive: true });
  }
}

// Not spawnSync: the server answers from this very process.
function ask({ url, file }) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.env.LUA_BIN ?? "lua5.4", [client], { timeout: 20_000,
      env: { ...process.env, CHAINLINK_STREAMS_REST_URL: url, CHAINLINK_STREAMS_CA_FILE: file } });
    let out = "", errors = "";
    child.stdout.on("data", (text) => { out += text; });
    child.stderr.on("data", (text) => { errors += text; });
    child.on("error", reject);
    child.on("close", (status) => (status === 0 ? resolve(JSON.parse(out)) : reject(new Error(errors))));
  });
}

const goAway = (stream) => {
  stream.session.goaway(constants.NGHTTP2_NO_ERROR, 0);
  stream.session.destroy();
  return true;
};
const reset = (code) => (stream) => {
  stream.close(code);
  return true;
};

export async function testHttp2(service) {
  await test("REST over HTTP/2: one connection for all requests", () =>
    withServer(service, () => false, async (server) => {
      const answer = await ask(server);
      assert.deepEqual([...server.seen.versions], ["2.0"]);
      assert.equal(server.seen.sessions, 1);
      assert.equal(answer.requests, server.seen.requests);
      assert.equal(answer.retries, 0);
      assert.equal(answer.reports, 20);
    }));

  const faults = {
    "GOAWAY before an answer": goAway,
    "a refused stream": reset(constants.NGHTTP2_REFUSED_STREAM),
    "a stream that is reset": reset(constants.NGHTTP2_INTERNAL_ERROR),
  };
  for (const [name, fault] of Object.entries(faults))
    await test(`REST over HTTP/2: ${name} is got over`, () =>
      withServer(service, (number, stream) => number === 3 && fault(stream), async (server) => {
        const answer = await ask(server);
        assert.equal(server.seen.requests, answer.expected + 1);
        assert.equal(answer.reports, 20);
      }));
}
