-- SPDX-License-Identifier: MIT
-- What was missed is fetched and delivered in order; what never was is known to be nothing; what cannot be had is told.

local faults = require "spec.support.faults"
local gap = require "spec.support.gap"

describe("a gap", function()
  local service

  setup(function() service = faults.service({ feeds = 2, rate = 20 }, { timeout = 1 }) end)
  after_each(function() service:reset() end)
  teardown(function() service:stop() end)

  local DROP = "on=ws,action=status,status=503,times=5\non=live,action=drop"

  it("of skipped seconds is filled without a reconnect", function()
    local stats, record = gap.fill(service, gap.SKIP)
    assert.is_true(stats.gaps >= 1)
    assert.are.same({ "connecting", "connected" }, record:states())
    assert.is_true(faults.count(record, "gap") >= 1)
    assert.is_true(faults.count(record, "backfilled") >= 1)
  end)

  it("of a reconnect is filled", function() gap.fill(service, DROP) end)

  it("is told as lost where backfill is off", function()
    local stream, record = service:stream { backfill = false }
    faults.read(stream, 20)
    service.sim:fault(gap.SKIP)
    faults.read_until(stream, function() return faults.count(record, "lost") >= 1 end)
    local event = record:status "lost"
    assert.is_true(event.feed_id == service.ids[1] or event.feed_id == service.ids[2])
    assert.is_true(event.from <= event.to)
    assert.is_true(stream:stats().lost > 0)
    stream:close()
  end)

  it("is told as lost where REST's answer is final", function()
    local stream, record = service:stream()
    faults.read(stream, 20)
    service.sim:fault("on=rest,action=status,status=403,times=0", gap.SKIP)
    faults.read_until(stream, function() return faults.count(record, "lost") >= 1 end)
    assert.is_truthy(record:status("lost").reason)
    stream:close()
  end)
end)

describe("a feed without a report in each second", function()
  it("has empty gaps, and nothing lost", function()
    local service = faults.service { feeds = 2, rate = 1, irregular = 2 }
    finally(function() service:stop() end)
    local stream = service:stream { start = os.time() - 60 }
    local reports = faults.read_until(stream, function(list)
      return #list > 0 and list[#list].observations_timestamp > os.time() - 3
    end)
    faults.read(stream, 6, reports)
    service:check_complete(reports)
    assert.are.equal(0, stream:stats().lost)
    stream:close()
  end)

  it("or a service that makes none for a while: nothing is lost", function()
    local service = faults.service { feeds = 2, rate = 20 }
    finally(function() service:stop() end)
    local stream = service:stream()
    local reports = faults.read(stream, 20)
    service:control "pause?seconds=2"
    faults.read(stream, 200, reports)
    service:check_complete(reports)
    local stats = stream:stats()
    assert.are.equal(0, stats.backfilled)
    assert.are.equal(0, stats.lost)
    stream:close()
  end)
end)

describe("a stream with a start", function()
  local service

  setup(function() service = faults.service { feeds = 3, rate = 5 } end)
  teardown(function() service:stop() end)

  for _, seconds in ipairs { 1, 60, 3600 } do
    it(("%d seconds ago runs into the present without a seam"):format(seconds), function()
      local start = os.time() - seconds
      local stream = service:stream { start = start }
      local reports = faults.read_until(stream, function(list)
        return #list > 0 and list[#list].observations_timestamp >= os.time() - 1 and #list > seconds * 15
      end)
      faults.read(stream, 30, reports)
      service:check_complete(reports)
      local firsts = {}
      for _, report in ipairs(reports) do
        firsts[report.feed_id] = firsts[report.feed_id] or report.observations_timestamp
      end
      for _, id in ipairs(service.ids) do assert.are.equal(start, firsts[id]) end
      stream:close()
    end)
  end
end)
