-- SPDX-License-Identifier: MIT
-- Gaps are filled whatever REST does meanwhile, as long as it has the reports in the end.

local faults = require "spec.support.faults"
local gap = require "spec.support.gap"

describe("a gap", function()
  local service

  setup(function() service = faults.service({ feeds = 2, rate = 20 }, { timeout = 1 }) end)
  after_each(function() service:reset() end)
  teardown(function() service:stop() end)

  for _, rest in ipairs {
    "status,status=503,times=6", "status,status=429,retry_after=1,times=3", "silence,times=2", "delay,ms=500,times=4",
    "cut,times=3", "garbage,times=3", "reset,times=3", "lag,seconds=2,times=2",
    "page,kind=short,count=25,times=3", "page,kind=repeat,times=4", "page,kind=reorder,times=4",
    "page,kind=empty,times=1",
  } do
    it("is filled though REST answers by " .. rest, function()
      gap.fill(service, gap.SKIP, "on=rest,path=/api/v1/reports/page,action=" .. rest)
    end)
  end

  it("while REST is down is filled once it is up", function()
    local stream, record = service:stream()
    local reports = faults.read(stream, 20)
    service:control "down?what=rest"
    service.sim:fault(gap.SKIP)
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
end)
