-- SPDX-License-Identifier: MIT
-- An iterator over a history, asked again from a finalizer while it took a page, took the same page twice: the loop
-- raised that the call is over.

local chainlink = require "chainlink"
local collector = require "spec.support.collector"
local simulator = require "spec.support.simulator"

local SECONDS, PAGE = 6, 2

describe("a history asked again while it turns a page", function()
  local sim, client, id, from

  setup(function()
    sim = simulator.start { rate_limit = 0, feeds = 1, plain = true }
    client = sim:client { rate_limit = false }
    id = assert(client:get_feeds())[1].id
    from = os.time() - 60
  end)

  teardown(function()
    client:close()
    sim:stop()
  end)

  -- Collects what comes, each second once.
  local function collected()
    local seen, count = {}, 0
    return function(report)
      local time = report.observations_timestamp
      assert(not seen[time], "a report came twice")
      seen[time], count = true, count + 1
    end, function() return count end
  end

  local function again(next_report, take)
    local ok, report = pcall(next_report)
    if ok and report then return take(report) end
    if ok then return false end
    assert(chainlink.is_error(report, "ConfigError"), report)
    assert.matches("waits for a page already", tostring(report))
    return true
  end

  it("from a finalizer, gives each report once", function()
    local place, reached, refused = 0, true, false
    while reached do
      place = place + 1
      local take, count = collected()
      local next_report = client:reports(id, from, from + SECONDS - 1, PAGE)
      local ok, err
      reached, ok, err = collector.interrupt(place, function()
        refused = again(next_report, take) or refused
      end, function()
        for _ = 1, PAGE + 1 do take(assert(next_report())) end
      end)
      if not ok then error(err, 0) end
      for report in next_report do take(report) end
      assert.are.equal(SECONDS, count())
    end
    assert.is_true(place > 1, "no finalizer ran")
    assert.is_true(refused, "no finalizer ran while a page was turned")
  end)

  it("from a callback, gives each report once", function()
    local take, count = collected()
    local next_report
    local refused = 0
    local asking = sim:client { rate_limit = false, on_response = function()
      if next_report and again(next_report, take) then refused = refused + 1 end
    end }
    next_report = asking:reports(id, from, from + SECONDS - 1, PAGE)
    for report in next_report do take(report) end
    asking:close()
    assert.are.equal(SECONDS, count())
    assert.is_true(refused > 1)
  end)
end)
