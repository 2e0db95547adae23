-- SPDX-License-Identifier: MIT
-- Reports out of order, twice, of another time or with another blob: each once, in order, and none that was not made.

local faults = require "spec.support.faults"
local recording = require "spec.support.recording"

describe("reports", function()
  local service

  setup(function() service = faults.service({ feeds = 3, rate = 20 }, { ha = true }) end)
  after_each(function() service:reset() end)
  teardown(function() service:stop() end)

  local function read(fault, options, count)
    local stream, record = service:stream(options)
    local reports = faults.read_until(stream, function()
      local stats = stream:stats()
      return stats.active_connections == stats.configured_connections
    end)
    faults.read(stream, 10, reports)
    service.sim:fault(fault)
    faults.read(stream, count or 150, reports)
    service:check_complete(reports)
    local stats = stream:stats()
    stream:close()
    return stats, record
  end

  it("of two origins come once", function()
    local stats = read "on=live,action=delay,ms=100,count=50"
    assert.is_true(stats.deduplicated > 50)
    assert.are.equal(0, stats.out_of_order)
  end)

  it("that a connection repeats come once", function()
    local stats = read("on=live,action=duplicate,count=30", { ha = false })
    assert.are.equal(30, stats.deduplicated)
  end)

  it("that one connection reorders are in order", function() read("on=live,action=reorder,within=5,count=60") end)

  it("that the only connection reorders by seconds are in order", function()
    local slow = faults.service { feeds = 12, rate = 1 }
    finally(function() slow:stop() end)
    local stream = slow:stream()
    local reports = faults.read(stream, 12)
    slow.sim:fault "on=live,action=reorder,within=30,count=30"
    faults.read(stream, 70, reports)
    slow:check_complete(reports)
    stream:close()
  end)

  for _, seconds in ipairs { 10, 3600 } do
    it(("of %d seconds ago are not delivered again"):format(seconds), function()
      local stats = read(("on=live,action=old,seconds=%d"):format(seconds))
      assert.is_true(stats.out_of_order + stats.deduplicated > 0)
    end)
  end

  for _, seconds in ipairs { 60, 7200, 86400 } do
    it(("from %d seconds ahead do not blind the feed"):format(seconds), function()
      local stats, record = read(("on=live,action=future,seconds=%d"):format(seconds))
      assert.are.equal(1, stats.rejected)
      assert.is_truthy(record:log "future")
    end)
  end

  for _, kind in ipairs { "hex", "blob", "envelope", "feed", "cut" } do
    it(("that one origin corrupts (%s) come from the other"):format(kind), function()
      local stats = read(("on=live,origin=o1,action=corrupt,count=10,kind=%s"):format(kind))
      -- A copy whose report came from elsewhere before is not read again, whatever its envelope says.
      if kind ~= "envelope" then assert.are.equal(10, stats.decode_errors + stats.rejected) end
    end)
  end
end)

describe("two different reports of one second", function()
  it("are both delivered", function()
    local first, reports = os.time() - 100, {}
    for i = 1, 10 do
      local text = recording.report(3, 1, first + i)
      reports[#reports + 1] = text
      local zeros = ("0"):rep(63) -- words 2 and 3 of the values follow each other once
      reports[#reports + 1] = text:gsub(zeros .. "2" .. zeros .. "3", zeros .. "2" .. zeros .. "7")
    end
    local file, remove = recording.file(reports)
    local service = faults.service { replay = file, rate = 100, feeds = false }
    finally(function()
      service:stop()
      remove()
    end)
    local stream = service:stream { backfill = false }
    local got = faults.read(stream, 20)
    for i, report in ipairs(got) do assert.are.equal(reports[i], report.full_report) end
    stream:close()
  end)
end)
