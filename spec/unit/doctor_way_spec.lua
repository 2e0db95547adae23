-- SPDX-License-Identifier: MIT
-- What the doctor makes of a probe: each step of the way to an endpoint, and the clock.

local core = require "chainlink.core"
local findings = require "chainlink.doctor.findings"
local live = require "chainlink.doctor.live"
local stopped_clock = require "spec.support.stopped_clock"
local system = require "chainlink.doctor.system"
local way = require "chainlink.doctor.way"

local T = 1700000000 -- 2023-11-14
local DAY = 86400

local function look(examine, ...)
  local list = {}
  local found = findings.new(function(finding) list[#list + 1] = finding end)
  local result = examine(found, ...)
  return list, result, found.count
end

-- "status check message; advice (see)"
local function line(finding) return (findings.line(finding, function(text) return text end):gsub(" +", " ")) end

local function lines(list)
  local out = {}
  for i, finding in ipairs(list) do out[i] = line(finding) end
  return table.concat(out, "\n")
end

describe("the way to an endpoint", function()
  local probe, clock, probes, asked
  before_each(function()
    probe, probes, asked, clock = core.probe, {}, {}, stopped_clock.at(T)
    core.probe = function(client, endpoint, is_signed, is_blind)
      asked[#asked + 1] = ("%s %d %s %s"):format(client, endpoint, tostring(is_signed), tostring(is_blind))
      return table.remove(probes, 1)
    end
  end)
  after_each(function()
    core.probe = probe
    clock.restore()
  end)

  local good = { stage = "done", address = "10.0.0.1", name_seconds = 0.002, tcp_seconds = 0.012, sent_seconds = 0.05,
    total_seconds = 0.25, status = 200, certificate = { issuer = "CA", till = T + 14 * DAY, from = T - DAY } }

  local function like(more, list)
    local all = {}
    for name, value in pairs(list or good) do all[name] = value end
    for name, value in pairs(more) do all[name] = value end
    return all
  end

  local function examine(told, url, ...)
    probes = { told, ... }
    return look(way.examine, "client", 1, url or "https://H:8443/base")
  end

  it("is well", function()
    local list, result, count = examine(good)
    assert.equal("ok name H is 10.0.0.1 (2 ms)\nok tcp h:8443 is reached in 10 ms\nok tls h:8443 has a certificate "
      .. "signed by CA, good until 2023-11-28 (14 days)\nok answer h:8443 answers in 200 ms (connected in 50 ms)",
      lines(list))
    assert.equal(good, result)
    assert.same({ ok = 4, warn = 0, fail = 0 }, count)
    assert.same({ "client 1 false false" }, asked)
  end)

  it("has no TLS where none is asked for, and an address that is not told", function()
    local told = like { certificate = false, tcp_seconds = 0.001 }
    told.address = nil
    local list = examine(told, "http://h")
    assert.equal("ok name h is known (2 ms)\nok tcp h:80 is reached in 0 ms\nok answer h:80 answers in 200 ms "
      .. "(connected in 50 ms)", lines(list))
  end)

  it("wants a certificate that lasts for two weeks", function()
    local list = examine(like { certificate = { till = T + 14 * DAY - 1 } })
    assert.equal("warn tls h:8443 has a certificate signed by somebody, good until 2023-11-28 (14 days); it has to be "
      .. "renewed soon", line(list[3]))
    list = examine(like { certificate = { issuer = "CA" } })
    assert.equal("ok tls h:8443 has a certificate signed by CA, good until an unknown day", line(list[3]))
    list = examine(like { certificate = false })
    assert.equal("ok tls h:8443 has a certificate signed by somebody, good until an unknown day", line(list[3]))
  end)

  it("is slow where an answer takes more than a second", function()
    local list = examine(like { total_seconds = 1.5, sent_seconds = 0.5 })
    assert.equal("ok answer h:8443 answers in 1000 ms (connected in 500 ms)", line(list[4]))
    list = examine(like { total_seconds = 2, sent_seconds = 0.5 })
    assert.equal("warn answer h:8443 answers in 1500 ms (connected in 500 ms); that is slow: look at the network, and "
      .. "at the load of both ends", line(list[4]))
  end)

  local function failed(stage, message, kind, certificate)
    return like { stage = stage, certificate = false, error = { kind = kind or "NetworkError", message = message,
      retryable = true } }, nil, { certificate = certificate }
  end

  it("ends at the first step that fails", function()
    local list, result, count = examine(failed("name", "no such host"))
    assert.equal("fail name no such host; check the host in the URL and this computer's DNS: getent hosts H "
      .. "(docs/troubleshooting.md#connection-refused-name-not-found-timeout)", lines(list))
    assert.is_nil(result)
    assert.same({ ok = 0, warn = 0, fail = 1 }, count)
    list, result = examine(failed("tcp", "refused"))
    assert.equal("fail tcp refused; nothing listens there: check the port in the URL, and the service "
      .. "(docs/troubleshooting.md#connection-refused-name-not-found-timeout)", line(list[2]))
    assert.same({ 2, "nil" }, { #list, tostring(result) })
    list = examine(failed("tcp", "timeout", "TimeoutError"))
    assert.matches("^fail tcp timeout; nothing answers: a firewall may let nothing out, or a proxy is needed",
      line(list[2]))
    list, result = examine(failed("answer", "rubbish"))
    assert.equal("fail answer rubbish; something answers there which is no Data Streams service, or is ill "
      .. "(docs/troubleshooting.md#connection-refused-name-not-found-timeout)", line(list[4]))
    assert.is_nil(result)
  end)

  it("tells what is wrong with a certificate, by what is shown", function()
    local function advice(message, certificate)
      asked = {}
      local list = examine(failed("tls", message, nil, certificate))
      assert.equal(3, #list)
      assert.same({ "client 1 false false", "client 1 false true" }, asked)
      return list[3].advice, list[3].message, list[3].see
    end
    local words, message, see = advice("TLS: host name does not match", { names = "a, b", subject = "s" })
    assert.equal("the certificate is for a, b, not for H: check the host in the URL, or is it a proxy's?", words)
    assert.equal("TLS: host name does not match", message)
    assert.equal("docs/troubleshooting.md#certificate", see)
    assert.matches("^the certificate is for s, not for H", (advice("host name does not match", { subject = "s" })))
    assert.matches("^the certificate is for another host, not", (advice("host name does not match", {})))
    assert.equal("it was good until 2023-11-15: check this computer's date; if that is right, the service has to "
      .. "renew it", (advice("certificate has expired", { till = T + DAY, from = T })))
    assert.equal("it is good from 2023-11-15 on: set this computer's date",
      (advice("certificate is not yet valid", { from = T + DAY, till = T })))
    assert.matches("^it is signed by CA, whom this computer does not trust", (advice("bad certificate",
      { issuer = "CA" })))
    assert.matches("^it is signed by somebody, whom", (advice("bad certificate", nil)))
    assert.equal("no handshake of TLS 1.2 or 1.3 came about: check the port, and that it is https:// there",
      (advice("wrong version number", {})))
  end)

  it("is at a place that its URL names", function()
    assert.same({ host = "h", place = "h:80", tls = false }, way.parts_of "ws://h/x")
    assert.same({ host = "h", place = "h:443", tls = true }, way.parts_of "wss://h/x")
    assert.same({ host = "::1", place = "::1:8443", tls = true }, way.parts_of "https://[::1]:8443")
  end)
end)

describe("the clock", function()
  local function clock(sent_at, received_at, date)
    local list, ahead = look(way.clock, { sent_at = sent_at, received_at = received_at, date = date })
    assert.equal(1, #list)
    return line(list[1]), ahead
  end

  it("agrees to a second beyond what a Date can tell", function()
    local fine = "ok clock this clock and the service's agree to about a second"
    for _, case in ipairs { { T, T, T }, { T + 2, T + 2, T }, { T - 1, T - 1, T }, { T - 9, T - 1, T },
      { T + 2, T + 9, T } } do
      assert.same({ fine, 0 }, { clock((table.unpack or unpack)(case)) }) -- luacheck: ignore 113 143
    end
  end)

  it("is told by how much it is off, the middle of what may be", function()
    local words, ahead = clock(T + 2.5, T + 3, T)
    assert.matches("^warn clock this clock is 2 s ahead of the service's, which accepts 5 s; set it by NTP", words)
    assert.equal(2.25, ahead)
    words, ahead = clock(T - 2.5, T - 1.5, T)
    assert.matches("^warn clock this clock is %d s behind the service's, which accepts 5 s", words)
    assert.equal(-2.5, ahead)
    words, ahead = clock(T + 5.5, T + 5.5, T)
    assert.matches("^warn clock this clock is 5 s ahead", words)
    assert.equal(5, ahead)
    words, ahead = clock(T + 6, T + 6, T)
    assert.matches("^fail clock this clock is %d s ahead of the service's, which refuses signatures more than 5 s off; "
      .. ".*%(docs/troubleshooting.md#the%-clock%-is%-wrong%)$", words)
    assert.equal(5.5, ahead)
    words = clock(T - 20, T - 19, T)
    assert.matches("^fail clock this clock is 20 s behind the service's, which refuses", words)
  end)

  it("is not known to be right where no time is told", function()
    local list, ahead = look(way.clock, {})
    assert.equal("warn clock the service does not tell its time; see that this computer's clock is set by NTP",
      line(list[1]))
    assert.equal(0, ahead)
  end)
end)

describe("the number of files", function()
  it("is few, or too few, up to a bound", function()
    for limit, status in pairs { [31] = "fail", [32] = "warn", [255] = "warn", [256] = "ok" } do
      local list = look(system.files, limit)
      assert.equal(status, list[1].status, limit)
      assert.equal(status ~= "ok", list[1].advice ~= nil)
      assert.equal(("%d files may be open"):format(limit), list[1].message)
    end
  end)
end)

describe("a library's version", function()
  local function of(name, version)
    local all = { libcurl = "7.80.0", libwebsockets = "4.1", openssl = "OpenSSL 3.0" }
    all[name] = version
    local list = look(system.libraries, all)
    local statuses = {}
    for i, finding in ipairs(list) do statuses[i] = finding.status end
    return table.concat(statuses, " "), list
  end

  it("is good or bad, up to a bound", function()
    for _, case in ipairs { { "libcurl", "7.79.999", "warn" }, { "libcurl", "7.80", "ok" },
      { "libcurl", "8.0.0", "ok" },
      { "libwebsockets", "4.0.999", "fail" }, { "libwebsockets", "4.1.0", "ok" }, { "libwebsockets", "4.4.999", "ok" },
      { "libwebsockets", "4.5.0", "fail" }, { "libwebsockets", "4.5.1", "ok" }, { "libwebsockets", "4.5", "fail" },
      { "openssl", "2.999.999", "fail" }, { "openssl", "3.0.0", "ok" },
      { "libcurl", "0.0.0", "warn" }, { "libwebsockets", "0.0.0", "fail" }, { "openssl", "0.0.0", "fail" } } do
      assert.equal(case[3], (of(case[1], case[2])), case[1] .. " " .. case[2])
    end
  end)

  it("is missing where it tells none", function()
    local status, list = of("libwebsockets", "none")
    assert.equal("ok", status)
    assert.matches("with libcurl 7%.80%.0, libwebsockets missing, OpenSSL 3%.0$", list[1].message)
    list = look(system.libraries, { libcurl = "8.1.2", libwebsockets = "4.3.2" })
    assert.matches("^chainlink .+ in .+, with libcurl 8%.1%.2, libwebsockets 4%.3%.2, OpenSSL missing$",
      list[1].message)
    assert.is_truthy(list[1].message:find(core.version, 1, true))
  end)

  it("is not looked at alone where libcurl cannot be loaded", function()
    local list = look(system.libraries, { libwebsockets = "4.0.0", openssl = "OpenSSL 3.0" }, { message = "why" })
    assert.equal("fail libraries libwebsockets is older than 4.1, for which this is written; use 4.1 to 4.4, or 4.5.1 "
      .. "and later\nfail libraries why; install libcurl 4", lines(list))
  end)
end)

describe("the service's WebSocket", function()
  local probe, clock
  before_each(function() probe, clock = core.probe, stopped_clock.at(T) end)
  after_each(function()
    core.probe = probe
    clock.restore()
  end)

  local function origins(told)
    core.probe = function(client, endpoint, is_signed, is_blind)
      assert.same({ "client", 1, true, false }, { client, endpoint, is_signed, is_blind })
      return told
    end
    return line(look(live.origins, "client")[1])
  end

  it("has origins", function()
    local advice = "; `ha = true` has a second connection only where there are two"
    assert.equal("ok origins the service names 2: a, b", origins { status = 200, origins = { "a", "b" } })
    assert.equal("warn origins the service names one, a" .. advice, origins { status = 200, origins = { "a" } })
    assert.equal("warn origins the service names none" .. advice, origins { status = 200, origins = {} })
    assert.equal("warn origins the service names none" .. advice, origins { status = 200 })
    assert.equal("fail origins HEAD / answered 401; check the credentials and the clock",
      origins { status = 401, origins = { "a", "b" } })
    assert.equal("fail origins words", origins { status = 200, error = { message = "words" } })
  end)

  -- A client whose streams are up after 0.7 s, where `up`, and then read this.
  local function client_of(asked, up, report, err, open_err)
    return { stream = function(_, ids, options)
      asked[#asked + 1] = { ids = ids, options = options }
      if open_err then return nil, open_err end
      local stream = {}
      function stream.read(_, seconds)
        asked[#asked].seconds = seconds
        clock.now = clock.now + 0.7
        options.on_status { state = "connecting" }
        if up then options.on_status { state = "connected" } end
        clock.now = clock.now + 1.5
        return report, err
      end
      function stream.close() asked[#asked].is_closed = true end
      return stream
    end }
  end

  local context = { seconds = 7, clock_ahead = 2 }
  local feed = { id = "0xf", name = "BTC", resolution = "s" }

  it("brings a first report by both versions", function()
    local asked = {}
    local list = look(live.examine, client_of(asked, true, { observations_timestamp = T }), feed, context)
    assert.equal("ok v1 BTC: connected in 700 ms, a first report 1.5 s later, 0.2 s old\n"
      .. "ok v2 BTC: connected in 700 ms, a first report 1.5 s later, 2.4 s old", lines(list))
    assert.same({ { "v1", 7, true }, { "v2", 7, true } }, { { asked[1].options.protocol, asked[1].seconds,
      asked[1].is_closed }, { asked[2].options.protocol, asked[2].seconds, asked[2].is_closed } })
    assert.same({ "0xf", false, 0 }, { asked[1].ids[1], asked[1].options.backfill, asked[1].options.max_reconnects })
  end)

  it("has the second version alone for milliseconds, and a feed without a name", function()
    local list = look(live.examine, client_of({}, false, { observations_timestamp_ms = T * 1000 }),
      { id = "0xf", resolution = "ms" }, context)
    assert.equal("ok v2 0xf: connected in 0 ms, a first report 2.2 s later, 0.2 s old", lines(list))
  end)

  it("fails in ways that are told apart", function()
    local function of(up, err, open_err, version)
      local client, of_id = client_of({}, up, nil, err, open_err), { id = "0xf", resolution = version or "ms" }
      local list = look(live.examine, client, of_id, context)
      return line(list[1])
    end
    local late = { kind = "TimeoutError", message = "no report within 7 seconds" }
    assert.equal("fail v2 0xf: connected, and no report came within 7 s; a closed market has none; see the feed's "
      .. "hours, or give --seconds more (docs/troubleshooting.md#no-reports-come)", of(true, late))
    assert.matches("^fail v2 0xf: no report within 7 seconds; REST works without", of(false, late))
    assert.equal("warn v2 the service has no version 2 of its WebSocket (404); only millisecond feeds need it",
      of(true, { kind = "APIError", message = "x", status = 404 }))
    local gone = { kind = "APIError", message = "x", status = 404 }
    assert.matches("^fail v1 0xf: x; REST works", of(true, gone, nil, "s"))
    assert.matches("^fail v2 0xf: x; REST works", of(true, { kind = "APIError", message = "x", status = 500 }))
    assert.matches("^fail v2 0xf: y; REST works", of(true, nil, { kind = "NetworkError", message = "y" }))
  end)
end)
