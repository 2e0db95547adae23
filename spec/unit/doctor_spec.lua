-- SPDX-License-Identifier: MIT
-- What the doctor finds in versions, limits and times that are given to it.

local cjson = require "cjson"
local findings = require "chainlink.doctor.findings"
local system = require "chainlink.doctor.system"
local way = require "chainlink.doctor.way"

local GOOD = { libcurl = "7.88.1", libwebsockets = "4.1.6-debian", openssl = "OpenSSL 3.0.15 3 Sep 2024" }

-- The lines that examine(findings, ...) leads to.
local function lines(examine, ...)
  local list = {}
  local found = findings.new(function(finding)
    list[#list + 1] = findings.line(finding, function(text) return text end)
  end)
  examine(found, ...)
  return table.concat(list, "\n"), found.count
end

local function versions(more)
  local all = {}
  for name, value in pairs(GOOD) do all[name] = value end
  for name, value in pairs(more) do all[name] = value end
  return all
end

describe("the doctor on libraries", function()
  it("names good ones with their versions", function()
    local text, count = lines(system.libraries, GOOD)
    assert.matches("^ok    libraries    chainlink %d.* in Lua.*, with libcurl 7%.88%.1, libwebsockets 4%.1%.6, "
      .. "OpenSSL 3%.0%.15$", text)
    assert.are.same({ ok = 1, warn = 0, fail = 0 }, count)
    for _, version in ipairs { "4.1.0", "4.4.99", "4.5.1", "5.0.0" } do
      assert.are.equal(1, select(2, lines(system.libraries, versions { libwebsockets = version })).ok, version)
    end
  end)

  it("knows bad ones", function()
    local text, count = lines(system.libraries, versions { libwebsockets = "4.5.0-v4.5.0" })
    assert.are.equal("fail  libraries    libwebsockets 4.5.0 tells control frames as messages; use 4.1 to 4.4, "
      .. "or 4.5.1 and later", text)
    assert.are.same({ ok = 0, warn = 0, fail = 1 }, count)
    assert.matches("^fail  libraries    libwebsockets is older than 4%.1",
      (lines(system.libraries, versions { libwebsockets = "4.0.20" })))
    assert.matches("^warn  libraries    libcurl is older than 7%.80, .*; where connecting takes seconds",
      (lines(system.libraries, versions { libcurl = "7.74.0" })))
    assert.matches("^fail  libraries    OpenSSL is older than 3%.0",
      (lines(system.libraries, versions { openssl = "OpenSSL 1.1.1w" })))
    assert.are.equal("fail  libraries    no libcurl; install libcurl 4",
      (lines(system.libraries, { openssl = GOOD.openssl, libwebsockets = "4.3.2" }, { message = "no libcurl" })))
  end)

  it("knows how many files are few", function()
    assert.matches("^ok    files        1024 files may be open$", (lines(system.files, 1024)))
    assert.matches("^ok    files        any number of files may be open$", (lines(system.files, math.huge)))
    assert.matches("^warn  files        200 files may be open; .*ulimit %-n 1024", (lines(system.files, 200)))
    assert.matches("^fail  files        20 files may be open; ", (lines(system.files, 20)))
  end)
end)

describe("the doctor on the clock", function()
  -- The answer came half a second after the request, and the service's clock is ahead by so much.
  local function of(ahead, fraction)
    local sent = 1700000000 + (fraction or 0)
    return lines(way.clock, { sent_at = sent, received_at = sent + 0.5, date = math.floor(sent + 0.25 + ahead) })
  end

  it("agrees as far as a Date of whole seconds can tell", function()
    for fraction = 0, 0.9, 0.1 do
      for _, ahead in ipairs { 0, 0.9, -0.9 } do assert.matches("^ok    clock ", (of(ahead, fraction))) end
    end
  end)

  it("tells how far and which way it is off", function()
    for fraction = 0, 0.9, 0.1 do
      assert.matches("^warn  clock        this clock is [34] s behind the service's, which accepts 5 s; set it by NTP",
        (of(3.4, fraction)))
      assert.matches("^warn  clock        this clock is [34] s ahead of the service's", (of(-3.4, fraction)))
      assert.matches("^fail  clock        this clock is [67] s behind the service's, which refuses",
        (of(6.4, fraction)))
      local place = "docs/troubleshooting.md#the%-clock%-is%-wrong"
      assert.matches('^fail .* ahead of .*; set it by NTP .*clock = "auto" %(' .. place .. "%)$", (of(-3600, fraction)))
    end
    assert.matches("^warn  clock        the service does not tell its time", (lines(way.clock, {})))
  end)
end)

describe("a finding", function()
  it("is a line of text without control characters, or an object of JSON", function()
    local told = {}
    local found = findings.new(function(finding) told[#told + 1] = finding end)
    found:warn("tls", "a\n\27[1m\"b\"", "do\tthis")
    assert.are.equal("warn  tls          a??[1m\"b\"; do?this", findings.line(told[1], function(text) return text end))
    assert.are.same({ status = "warn", check = "tls", message = 'a??[1m"b"', advice = "do?this" },
      cjson.decode(findings.json(told[1])))
  end)

  it("names a URL's place", function()
    assert.are.same({ host = "h", place = "h:443", tls = true }, way.parts_of "https://h/base")
    assert.are.same({ host = "H.x", place = "h.x:8443", tls = true }, way.parts_of "WSS://H.x:8443")
    assert.are.same({ host = "::1", place = "::1:80", tls = false }, way.parts_of "http://[::1]")
  end)
end)
