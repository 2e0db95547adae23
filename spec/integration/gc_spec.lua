-- SPDX-License-Identifier: MIT
-- Ends: collected in any order, left open, cut off by os.exit or an error; and that nothing stays behind.

local await = require "spec.support.await"
local expect = require "spec.support.failure"
local process = require "spec.support.process"
local simulator = require "spec.support.simulator"

local PATIENCE = 90 -- seconds; a bound for a hang, nothing here takes as long

local function collect()
  for _ = 1, 3 do collectgarbage() end
end

local function exceeds(usage, before)
  return usage.descriptors > before.descriptors or usage.threads > before.threads
end

describe("at the end", function()
  local sim, id

  setup(function()
    sim = simulator.start { rate = 50, rate_limit = 0, feeds = 2 }
    local client = sim:client {}
    id = assert(client:get_feeds())[1].id
    client:close()
  end)

  after_each(function()
    collect()
    sim:clear_faults()
  end)

  teardown(function()
    sim:stop()
  end)

  local function no_connections()
    await("the connections' end", function() return sim:stats().websockets.open == 0 end)
  end

  -- Everything there is at once, and nothing else that would keep it alive.
  local function everything()
    local client = sim:client {}
    local stream = client:stream { id }
    local report = assert(stream:read(PATIENCE))
    local page = assert(client:get_report_page(id, os.time() - 10))
    return { client = client, stream = stream, report = report, page = page, pages = client:reports(id, os.time() - 9) }
  end

  for _, order in ipairs { "client stream report", "client report stream", "stream client report",
    "stream report client", "report client stream", "report stream client" } do
    it("objects are collected in the order " .. order, function()
      local all = everything()
      local full_report = all.report.full_report
      for name in order:gmatch "%a+" do
        all[name] = nil
        collect()
        if all.stream then assert(all.stream:read(PATIENCE)) end
        if all.report then assert.are.equal(full_report, all.report.full_report) end
        if all.client then assert(all.client:get_latest_report(id)) end
      end
      assert.is_true(all.page.reports[1].observations_timestamp > 0)
      assert.is_table(all.page.reports[1].signatures)
      all = nil -- luacheck: ignore 311
      collect()
      no_connections()
    end)
  end

  it("a stream that is not held any more is closed", function()
    local client = sim:client {}
    assert(client:stream({ id }):read(PATIENCE))
    collect()
    no_connections()
    client:close()
  end)

  it("reports outlive their client", function()
    local all = everything()
    all.client:close()
    all.client:close()
    all.stream:close()
    local report, tail = all.report, all.page.reports
    all = nil -- luacheck: ignore 311
    collect()
    assert.are.equal(id, report.feed_id)
    assert.is_string(report:to_json())
    assert.is_string(tostring(tail[#tail]))
  end)

  it("a range left in the middle is no burden", function()
    local client = sim:client {}
    for _ = 1, 5 do
      for _ in client:reports(id, os.time() - 1000) do break end -- luacheck: ignore 512
    end
    collect()
    assert(client:get_latest_report(id))
    client:close()
  end)

  it("a client is closed while a call is under way", function()
    sim:fault "on=rest,action=silence"
    local client = sim:client {}
    local pages = client:reports(id, os.time() - 5)
    client:close()
    expect.raised("StreamClosedError", {}, pages)
  end)

  it("a stream is closed while it connects, and while it waits to connect again", function()
    sim:fault "on=ws,action=status,status=503,retry_after=600,times=2"
    local client = sim:client {}
    local waiting, connecting = client:stream { id }, client:stream { id }
    connecting:close()
    await("the refusal", function() return waiting:stats().errors_count > 0 end)
    waiting:close()
    client:close()
    no_connections()
  end)

  it("many clients leave no descriptor and no thread", function()
    if not process.is_known() then return pending "there is no /proc here" end
    local function round(close)
      local client = sim:client {}
      local stream = client:stream { id }
      assert(stream:read(PATIENCE))
      assert(client:get_latest_report(id))
      if close then client:close() end
    end
    round(true) -- what libraries keep for ever is made at the first use
    collect()
    local before = process.usage()
    for i = 1, 20 do
      round(i % 2 == 0)
      collect()
    end
    await("descriptors and threads to go", function() return not exceeds(process.usage(), before) end)
    no_connections()
  end)

  it("errors in callbacks leave nothing behind", function()
    if not process.is_known() then return pending "there is no /proc here" end
    local function fail() error("from the callback", 0) end
    local function round()
      local client = sim:client { on_response = fail, logger = fail, log_level = "debug" }
      assert.is_false(pcall(client.get_latest_report, client, id))
      local stream = client:stream({ id }, { on_status = fail })
      assert.is_false(pcall(stream.connect, stream, PATIENCE)) -- read would give a report first, if one is there
      pcall(function()
        for _ in client:stream({ id }, { log_level = "none" }) do fail() end
      end)
    end
    round()
    collect()
    local before = process.usage()
    for _ = 1, 10 do round() end
    await("descriptors and threads to go", function()
      collect()
      return not exceeds(process.usage(), before)
    end)
    no_connections()
  end)

  local PRELUDE = [[
    local chainlink = require "chainlink"
    local client = chainlink.client {
      api_key = %q, api_secret = %q, rest_url = %q, ws_url = %q, tls = { ca_file = %q },
    }
    local stream = client:stream { %q }
    assert(stream:read(20))
  ]]

  local function script(text)
    return process.lua(PRELUDE:format(sim.api_key, sim.api_secret, sim.rest_url, sim.ws_url, sim.ca_file, id) .. text)
  end

  for name, text in pairs {
    ["the script ends"] = "io.write 'done'",
    ["os.exit is called"] = "io.write 'done' io.stdout:flush() os.exit(0)",
    ["os.exit closes the state"] = "io.write 'done' io.stdout:flush() os.exit(0, true)",
    ["os.exit is called inside the loop"] = "for _ in stream do io.write 'done' io.stdout:flush() os.exit(0) end",
    ["the script ends in a callback"] = "client:stream({ '" .. ("0x0003" .. ("e"):rep(60))
      .. "' }, { on_status = function() io.write 'done' io.stdout:flush() os.exit(0) end }):read(20)",
    ["a coroutine is left in the middle"] =
      "coroutine.wrap(function() for _ in stream do coroutine.yield() end end)() io.write 'done'",
    ["the client is collected at last"] = "client = nil collectgarbage() io.write 'done'",
  } do
    it("a stream is open and " .. name, function()
      local output, code = script(text)
      assert.are.equal("done", output)
      assert.are.equal(0, code)
      no_connections()
    end)
  end

  it("os.exit comes at any moment of a connection", function()
    for state in ("connecting connected"):gmatch "%a+" do
      for _ = 1, 8 do
        local output, code = script(([[
          client:stream({ %q }, { on_status = function(event)
            if event.state == %q then os.exit(0) end
          end }):read(20)
        ]]):format(id, state))
        assert.are.equal("", output)
        assert.are.equal(0, code)
      end
    end
    no_connections()
  end)

  it("a stream is open and the script fails", function()
    local output, code = script "for _ in stream do error 'the script gives up' end"
    assert.is_truthy(output:find("the script gives up", 1, true), output)
    assert.are.equal(1, code)
    no_connections()
  end)

  it("an error object that nobody catches is told in words", function()
    local output, code = script "stream:close() client:close() error((select(2, client:get_feeds())))"
    assert.are.equal(1, code)
    if _VERSION == "Lua 5.1" and not rawget(_G, "jit") then -- whose interpreter does not look into error objects
      assert.is_truthy(output:find("error object is not a string", 1, true), output)
    else
      assert.is_truthy(output:find("StreamClosedError: the client is closed", 1, true), output)
    end
  end)
end)
