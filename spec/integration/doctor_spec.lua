-- SPDX-License-Identifier: MIT
-- chainlink-streams doctor against a service that is well, and against one fault after the other: the line that names
-- it, what it says to do, and the exit code.

local cjson = require "cjson"
local project = require "spec.support.project"
local simulator = require "spec.support.simulator"

-- The output by check: {status=, message=, advice=}, the first of each and all of them, and the exit code.
local function examine(env, words)
  local exports = {}
  for name, value in pairs(env) do exports[#exports + 1] = ("%s='%s'"):format(name, value) end
  local output, code = project.run(("env %s timeout 60 chainlink-streams doctor --json %s"):format(
    table.concat(exports, " "), words or ""))
  local by_check, all = {}, {}
  for line in output:gmatch "[^\n]+" do
    local ok, finding = pcall(cjson.decode, line)
    assert.is_true(ok, output)
    all[#all + 1] = finding
    by_check[finding.check] = by_check[finding.check] or finding
  end
  return by_check, code, all, output
end

-- The service's environment with other values in it; false takes one away.
local function changed(sim, more)
  local env = {}
  for name, value in pairs(sim.env) do env[name] = value end
  for name, value in pairs(more) do env[name] = value or nil end
  return env
end

local function is(finding, status, message, advice, heading)
  assert.is_table(finding)
  assert.are.equal(status, finding.status, finding.message)
  assert.matches(message, finding.message)
  if advice then assert.matches(advice, finding.advice) end
  assert.are.equal(heading and "docs/troubleshooting.md#" .. heading, finding.see)
end

describe("the doctor", function()
  local sim, signers, remove

  setup(function()
    local folder
    folder, remove = project.folder()
    signers = folder .. "/signers.json"
    sim = simulator.start { rate_limit = 0, rate = 10, feeds = 5, signers_file = signers,
      key = "the-key:the-secret-0004" }
  end)
  teardown(function()
    sim:stop()
    remove()
  end)
  before_each(function() sim:clear_faults() end)

  it("finds a service that is well, in words", function()
    local found, code, all, output = examine(sim.env, "ETH/USD --signers " .. signers)
    assert.are.equal(0, code, output)
    is(found.libraries, "ok", "libcurl %d.*libwebsockets %d.*OpenSSL %d")
    is(found.files, "ok", "files may be open")
    is(found.name, "ok", "localhost is [%d.:]+")
    is(found.tcp, "ok", "localhost:%d+ is reached in %d+ ms")
    is(found.tls, "ok", "has a certificate signed by .*, good until %d%d%d%d%-%d%d%-%d%d %(%d+ days%)")
    is(found.answer, "ok", "answers in %d+ ms")
    is(found.clock, "ok", "agree")
    is(found.credentials, "ok", "CHAINLINK_STREAMS_API_KEY and CHAINLINK_STREAMS_API_SECRET are accepted: 5 feeds")
    is(found.feed, "ok", "^ETH/USD 0x0003%x+ may be read, its schema is v3 %(")
    is(found.report, "ok", "^the newest of ETH/USD is %-?%d+%.%d s old")
    is(found.signatures, "ok", "^ETH/USD: 2 signatures")
    is(found.origins, "ok", "names 2: o1, o2")
    is(found.v1, "ok", "^ETH/USD: connected in %d+ ms, a first report")
    is(found.v2, "ok", "^ETH/USD: connected in %d+ ms, a first report")
    assert.are.equal(14, #all)
    local text, status = project.run(sim:exports() .. " chainlink-streams doctor")
    assert.are.equal(0, status, text)
    for line in text:gmatch "[^\n]+" do assert.matches("^ok    %l+%d? +%S", line) end
    assert.is_nil(text:find("the-secret-0004", 1, true))
    assert.matches("ok    report +the newest of ", text)
  end)

  it("writes what it finds in the format and into the file that are asked for", function()
    local path = signers .. ".found"
    local doctor = sim:exports() .. " chainlink-streams doctor "
    assert.are.same({ "", 0 }, { project.run(doctor .. "--format json -o " .. path) })
    local checks = {}
    for line in project.read(path):gmatch "[^\n]+" do checks[#checks + 1] = cjson.decode(line).check end
    assert.are.equal("libraries files name tcp tls answer clock credentials", table.concat(checks, " ", 1, 8))
    assert.are.same({ "", 0 }, { project.run(doctor .. "--format text -o " .. path) })
    assert.matches("^ok    libraries +%S", project.read(path))
    for words, wrong in pairs { ["--json --format text"] = "--json is --format json",
      ["--format csv"] = "--format must be text, json, not 'csv'" } do
      assert.are.same({ "chainlink-streams: " .. wrong .. "\n", 2 }, { project.run(doctor .. words) })
    end
  end)

  it("tells wrong and missing credentials", function()
    local found, code, _, output = examine(changed(sim, { CHAINLINK_STREAMS_API_SECRET = "the-other-0004" }))
    assert.are.equal(1, code)
    is(found.credentials, "fail", "answered 401", "key and secret belong together",
      "401-unauthorized-403-forbidden")
    assert.is_nil(found.feed)
    assert.is_nil(output:find("the-other-0004", 1, true))
    found, code = examine(changed(sim, { CHAINLINK_STREAMS_API_SECRET = false }))
    assert.are.equal(1, code)
    is(found.credentials, "fail", "^there are none: the secret is missing", "%-%-profile NAME")
    is(found.answer, "ok", "answers in")
  end)

  it("tells a clock that is six seconds off, either way", function()
    for offset, words in pairs { [6] = "behind", [-6] = "ahead of" } do
      local other = simulator.start { feeds = 1, clock_offset = offset }
      local found, code = examine(other.env)
      other:stop()
      assert.are.equal(1, code)
      is(found.clock, "fail", "^this clock is [567] s " .. words .. " the service's, which refuses", "NTP",
        "the-clock-is-wrong")
      is(found.credentials, "fail", "answered 401", "set the clock first", "the-clock-is-wrong")
    end
    local other = simulator.start { feeds = 1, rate = 10, clock_offset = 3 }
    local found, code = examine(other.env)
    other:stop()
    assert.are.equal(0, code)
    is(found.clock, "warn", "^this clock is [234] s behind the service's, which accepts 5 s", "NTP")
  end)

  it("tells a port that is closed, and a name that is unknown", function()
    local found, code = examine(changed(sim, { CHAINLINK_STREAMS_REST_URL = "https://127.0.0.1:1" }))
    assert.are.equal(1, code)
    is(found.name, "ok", "127%.0%.0%.1")
    is(found.tcp, "fail", "127%.0%.0%.1:1: cannot connect: Connection refused", "check the port",
      "connection-refused-name-not-found-timeout")
    found, code = examine(changed(sim, { CHAINLINK_STREAMS_REST_URL = "https://no-such-host.invalid" }))
    assert.are.equal(1, code)
    is(found.name, "fail", "no%-such%-host%.invalid", "getent hosts no%-such%-host%.invalid",
      "connection-refused-name-not-found-timeout")
    assert.is_nil(found.credentials)
  end)

  it("tells what is wrong with a certificate", function()
    for kind, words in pairs {
      wrong_host = { "host name does not match", "the certificate is for .*, not for localhost: check the host" },
      expired = { "certificate has expired", "it was good until %d%d%d%d%-%d%d%-%d%d" },
      not_yet_valid = { "not yet valid", "it is good from %d%d%d%d%-%d%d%-%d%d on" },
      self_signed = { "certificate", "it is signed by .*, whom this computer does not trust" },
    } do
      local other = simulator.start { feeds = 1, certificate = kind }
      local found, code = examine(other.env)
      other:stop()
      assert.are.equal(1, code)
      is(found.tls, "fail", words[1], words[2], "certificate")
      assert.is_nil(found.answer)
    end
    local found, code = examine(changed(sim, { CHAINLINK_STREAMS_CA_FILE = false }))
    assert.are.equal(1, code)
    is(found.tls, "fail", "certificate", "install ca%-certificates, or name that authority by %-%-ca%-file",
      "certificate")
  end)

  it("tells a feed that may not be read, and one that there is not", function()
    local client = sim:client()
    local feeds = assert(client:get_feeds())
    client:close()
    local limited = simulator.start { feeds = 5, rate_limit = 0, key = "k:s:" .. feeds[1].id }
    local found, code = examine(limited.env, feeds[2].id)
    limited:stop()
    assert.are.equal(1, code)
    is(found.credentials, "ok", "accepted: 1 feeds")
    is(found.feed, "fail", feeds[2].id .. " is refused %(401%)", "the key may not read it",
      "401-unauthorized-403-forbidden")
    found, code = examine(sim.env, "NOSUCH/USD")
    assert.are.equal(1, code)
    is(found.feed, "fail", "^NOSUCH/USD: no feed is named 'NOSUCH/USD'; `chainlink%-streams feeds` lists")
    assert.is_nil(found.feed.advice)
    found, code = examine(sim.env, "0x12")
    assert.are.equal(1, code)
    is(found.feed, "fail", "^0x12: it is no feed id", "chainlink%-streams feeds")
  end)

  it("tells a feed without a report, and a stream that brings none", function()
    sim:fault "on=rest,path=/api/v1/reports/latest,action=status,status=404,times=0"
    local found, code = examine(sim.env, "ETH/USD")
    assert.are.equal(1, code)
    is(found.report, "fail", "^ETH/USD has none: .*404", "has no reports", "404-no-report-at-that-time")
    is(found.feed, "ok", "may be read")
    sim:clear_faults()
    sim:fault "on=ws,action=quiet,times=0"
    found, code = examine(sim.env, "ETH/USD --seconds 1")
    assert.are.equal(1, code)
    is(found.v1, "fail", "^ETH/USD: connected, and no report came within 1 s", "closed market", "no-reports-come")
  end)

  it("tells a service that is slow, has one origin, or no second version", function()
    sim:fault "on=rest,path=/,action=delay,ms=1300,times=1"
    local found, code = examine(sim.env)
    assert.are.equal(0, code)
    is(found.answer, "warn", "answers in 1[3-9]%d%d ms", "slow")
    local other = simulator.start { feeds = 1, origins = 1, rate_limit = 0, rate = 10,
      fault = "on=ws,path=/api/v2,action=status,status=404,times=0" }
    found, code = examine(other.env)
    other:stop()
    assert.are.equal(0, code)
    is(found.origins, "warn", "names one, o1", "ha = true")
    is(found.v2, "warn", "no version 2 of its WebSocket", "only millisecond feeds")
    is(found.v1, "ok", "connected")
  end)

  it("tells a WebSocket that is refused, and signers that are others", function()
    sim:fault "on=ws,action=status,status=403,times=0"
    local found, code = examine(sim.env)
    assert.are.equal(1, code)
    is(found.v1, "fail", "HTTP 403", "proxies let an upgrade through", "401-unauthorized-403-forbidden")
    sim:clear_faults()
    local others = simulator.start { seed = 7, feeds = 1, signers_file = signers .. ".other" }
    others:stop()
    found, code = examine(sim.env, "--signers " .. signers .. ".other")
    assert.are.equal(1, code)
    is(found.signatures, "fail", "config digest", "belong to this network")
  end)

  it("skips the version in seconds for a feed that is finer", function()
    local other = simulator.start { feeds = 1, ms_feeds = 1, rate = 10 }
    local found, code = examine(other.env)
    other:stop()
    assert.are.equal(0, code)
    assert.is_nil(found.v1)
    is(found.v2, "ok", "connected")
  end)
end)
