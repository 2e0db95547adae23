-- SPDX-License-Identifier: MIT
-- CHAINLINK_STREAMS_TRACE: each request, handshake and message with its time, what becomes of it, and no secret.

local project = require "spec.support.project"
local simulator = require "spec.support.simulator"

local KEY, SECRET = "the-key-0005", "the-secret-0005"

describe("a trace", function()
  local sim

  setup(function() sim = simulator.start { feeds = 3, rate = 10, rate_limit = 0, key = KEY .. ":" .. SECRET } end)
  teardown(function() sim:stop() end)
  before_each(function() sim:clear_faults() end)

  -- What a command writes on standard error with CHAINLINK_STREAMS_TRACE of that value.
  local function trace(value, words)
    local command = ("%s CHAINLINK_STREAMS_TRACE=%s timeout 60 chainlink-streams %s 2>&1 >/dev/null"):format(
      sim:exports(), value, words)
    local output, code = project.run(command)
    assert.are.equal(0, code, output)
    return output
  end

  local function check(text)
    assert.is_nil(text:find(SECRET, 1, true), text)
    assert.is_nil(text:find(KEY, 1, true), text)
    for _, name in ipairs { "Authorization", "Signature-SHA256" } do assert.is_nil(text:find(name, 1, true), text) end
    for digits in text:gsub("0x%x+", ""):gmatch "%x+" do assert.is_true(#digits < 64, "a signature? " .. digits) end
    for line in text:gmatch "[^\n]+" do assert.matches("^# trace %d%d:%d%d:%d%d%.%d%d%d [<>*x] %S", line) end
  end

  it("has REST requests and answers", function()
    local text = trace(1, "latest ETH/USD --format json")
    check(text)
    assert.matches("> GET https://localhost:%d+/api/v1/feeds, attempt 1, signed %(key and signature are not shown%)\n",
      text)
    assert.matches("< GET /api/v1/reports/latest%?feedID=0x%x+: 200 in %d%.%d+ s\n", text)
    sim:fault "on=rest,path=/api/v1/reports/latest,action=status,status=503"
    text = trace(1, "latest ETH/USD --format json")
    check(text)
    assert.matches("< GET /api/v1/reports/latest[^\n]*: 503 in", text)
    assert.matches("< GET /api/v1/reports/latest[^\n]* 503[^\n]*; retry 1 of 3 in", text)
    assert.matches("> GET [^\n]*, attempt 2, signed", text)
  end)

  it("has handshakes, messages, and why some are discarded", function()
    sim:fault("on=ws,action=duplicate,after=1;action=corrupt,kind=hex,after=1;action=garbage,after=1;"
      .. "action=foreign,after=1;action=future,after=1;action=close,code=1001,after=1")
    local text = trace(1, "stream ETH/USD --quiet --count 12")
    check(text)
    local here = "localhost:" .. sim:port()
    for _, words in ipairs {
      "> " .. here .. " handshake: GET /api/v1/ws%?feedIDs=0x%x+, signed %(key and signature are not shown%)\n",
      "* " .. here .. " connecting", "* " .. here .. " connected\n",
      "< " .. here .. ", %d+ bytes, feed 0x%x+: taken\n",
      "< " .. here .. ", %d+ bytes, feed 0x%x+: discarded, it has come before\n",
      "x " .. here .. ": %S", "< " .. here .. ", %d+ bytes, feed 0x%x+: discarded, its report is not understood\n",
      "< " .. here .. ", %d+ bytes: discarded, it is not understood\n",
      "discarded, its feed is not subscribed to\n", "discarded, its time lies in the future\n",
      "* " .. here .. " disconnected: the service closed the connection %(1001",
    } do assert.matches(words:gsub("%*", "%%*", 1), text) end
  end)

  it("has pings and pongs, and handshakes that are refused", function()
    local asking = sim:client()
    local feed = assert(asking:get_feeds())[1].id
    asking:close()
    local folder, remove = project.folder()
    project.write(folder .. "/script.lua", ([[
      local client = require "chainlink".client_from_env { ping_interval = 1,
        headers = { ["X-Mine"] = "the-header-0005" } }
      local stream = client:stream { "%s" }
      repeat assert(stream:read(60)) until stream:stats().origins[1].ping_latency
      client:close()
      client = require "chainlink".client_from_env { api_secret = "other" }
      client:stream { "%s" }:read(60)
      client:close()]]):gsub("%%s", feed))
    local output, code = project.run(("%s CHAINLINK_STREAMS_TRACE=yes timeout 60 %s %s/script.lua"):format(
      sim:exports(), project.lua, folder))
    remove()
    assert.are.equal(0, code, output)
    check(output)
    assert.is_nil(output:find("the-header-0005", 1, true))
    assert.matches("> ping 1\n", output)
    assert.matches("< pong 1, after %d+%.%d ms\n", output)
    assert.matches("failed: the service refused the credentials or a feed %(HTTP 401%)", output)
  end)

  it("is off unless it is asked for", function()
    assert.are.equal("", trace("", "latest ETH/USD"))
    assert.are.equal("", trace(0, "latest ETH/USD"))
    assert.are.equal("", trace("", "stream ETH/USD --quiet --count 2"))
  end)
end)
