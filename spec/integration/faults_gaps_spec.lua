-- SPDX-License-Identifier: MIT
-- What was missed is fetched and delivered in order; what never was is known to be nothing; what cannot be had is told.

local faults = require "spec.support.faults"

describe("a gap", function()
  local service

  setup(function() service = faults.service({ feeds = 2, rate = 20 }, { timeout = 1 }) end)
  after_each(function() service:reset() end)
  teardown(function() service:stop() end)

  -- A gap by that fault, while REST misbehaves so: all is there, in order, and counted.
  local function filled(fault, rest, options)
    local stream, record = service:stream(options)
    local reports = faults.read(stream, 20)
    if rest then service.sim:fault(rest) end
    service.sim:fault(fault)
    faults.read_until(stream, function() return stream:stats().backfilled > 0 end, reports)
    faults.read(stream, 100, reports)
    service.sim:clear_faults() -- what REST says now is the truth
    service:check_complete(reports)
    local stats, marked = stream:stats(), 0
    for _, report in ipairs(reports) do marked = marked + (report.backfilled and 1 or 0) end
    assert.are.equal(0, stats.lost)
    assert.is_true(marked > 0 and marked <= stats.backfilled)
    stream:close()
    return stats, record
  end

  local SKIP, DROP = "on=live,action=skip,seconds=2", "on=ws,action=status,status=503,times=5\non=live,action=drop"

  it("of skipped seconds is filled without a reconnect", function()
    local stats, record = filled(SKIP)
    assert.is_true(stats.gaps >= 1)
    assert.are.same({ "connecting", "connected" }, record:states())
    assert.is_true(faults.count(record, "gap") >= 1)
    assert.is_true(faults.count(record, "backfilled") >= 1)
  end)

  it("of a reconnect is filled", function() filled(DROP) end)

  for _, rest in ipairs {
    "status,status=503,times=6", "status,status=429,retry_after=1,times=3", "silence,times=2", "delay,ms=500,times=4",
    "cut,times=3", "garbage,times=3", "reset,times=3", "lag,seconds=2,times=2",
    "page,kind=short,count=25,times=3", "page,kind=repeat,times=4", "page,kind=reorder,times=4",
    "page,kind=empty,times=1",
  } do
    it("is filled though REST answers by " .. rest, function()
      filled(SKIP, "on=rest,path=/api/v1/reports/page,action=" .. rest)
    end)
  end

  it("while REST is down is filled once it is up", function()
    local stream, record = service:stream()
    local reports = faults.read(stream, 20)
    service:control "down?what=rest"
    service.sim:fault(SKIP)
    faults.read_until(stream, function() return faults.count(record, "gap") > 0 end, reports)
    service:control "up?what=rest"
    faults.read_until(stream, function() return stream:stats().backfilled > 0 end, reports)
    faults.read(stream, 100, reports)
    service:check_complete(reports)
    stream:close()
  end)

  it("while everything was down is filled", function()
    local stream, record = service:stream { ha = true }
    local reports = faults.read(stream, 20)
    service:control "down?what=all"
    faults.read_until(stream, function() return faults.count(record, "reconnecting") >= 8 end, reports)
    service:control "up?what=all"
    faults.read_until(stream, function() return stream:stats().backfilled > 0 end, reports)
    faults.read(stream, 100, reports)
    service:check_complete(reports)
    assert.are.equal(0, stream:stats().lost)
    stream:close()
  end)

  it("is told as lost where backfill is off", function()
    local stream, record = service:stream { backfill = false }
    faults.read(stream, 20)
    service.sim:fault(SKIP)
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
    service.sim:fault("on=rest,action=status,status=403,times=0", SKIP)
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
