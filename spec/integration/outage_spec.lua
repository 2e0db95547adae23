-- SPDX-License-Identifier: MIT
-- Gaps that nobody can fill: they hold reports no longer than it takes to see that, and delivery goes on.

local faults = require "spec.support.faults"

local PAGES = "/api/v1/reports/page"

for _, unit in ipairs { "s", "ms" } do
  describe("feeds in " .. unit, function()
    local OUTAGE = 600 -- seconds; the validity of a report does not reach so far back
    local service, ended
    setup(function()
      ended = os.time() - 3
      service = faults.service { feeds = 3, rate = 5, ms_feeds = unit == "ms" and 3 or 0, presign = 5,
        outage = ("%d:%d"):format(ended - OUTAGE, ended) }
    end)
    after_each(function() service:reset() end)
    teardown(function() service:stop() end)

    it("go on behind an outage of the oracles", function()
      local stream, record = service:stream { start = ended - OUTAGE - 5 }
      local reports = faults.read_until(stream, function(list)
        return #list > 0 and list[#list].observations_timestamp > ended + 5
      end)
      faults.read(stream, 30, reports)
      service:check_complete(reports)
      local first_behind
      for _, report in ipairs(reports) do
        if report.observations_timestamp > ended then first_behind = first_behind or report end
      end
      local reach = first_behind.observations_timestamp_ms - first_behind.valid_from_timestamp_ms
      assert.are.equal(300000, reach)
      assert.are.equal(0, stream:stats().lost)
      assert.are.equal(0, faults.count(record, "lost"))
      stream:close()
    end)

    -- A report was left out: neither the connection nor REST has anything from before the one that is held.
    it("go on behind a gap of which REST has nothing", function()
      local stream = service:stream()
      local reports = faults.read(stream, 30)
      service.sim:fault("on=rest,path=" .. PAGES .. ",action=page,kind=empty,times=0", "on=live,action=skip,seconds=1")
      local asked, newest = service.sim:answered(PAGES), {}
      faults.read_until(stream, function() return stream:stats().empty_gaps == #service.ids end, reports)
      local questions = service.sim:answered(PAGES) - asked
      assert.is_true(questions <= 5 * #service.ids, questions .. " questions")
      faults.read(stream, 30, reports)
      for _, report in ipairs(reports) do
        assert.is_true(report.observations_timestamp_ms >= (newest[report.feed_id] or 0))
        newest[report.feed_id] = report.observations_timestamp_ms
      end
      local stats = stream:stats()
      assert.are.equal(0, stats.lost)
      assert.are.equal(0, stats.backfilled)
      stream:close()
    end)
  end)
end

describe("a feed with more reports a second than REST gives at once", function()
  it("goes on, and what is not to be had is told", function()
    local service = faults.service { feeds = 1, ms_feeds = 1, rate = 200, signers = 1 }
    finally(function() service:stop() end)
    local stream, record = service:stream()
    local reports = faults.read(stream, 200)
    service.sim:fault("on=rest,path=" .. PAGES .. ",action=page,kind=short,count=60,times=0",
      "on=live,action=skip,seconds=1")
    faults.read_until(stream, function() return faults.count(record, "lost") > 0 end, reports)
    local told = #reports
    faults.read_until(stream, function() return #reports > told + 400 end, reports)
    stream:close()
    local lost, missing = {}, 0
    for _, event in ipairs(record.statuses) do
      if event.state == "lost" then
        assert.are.equal("REST gives no more reports of one second", event.reason)
        assert.are.equal(event.from, math.floor(event.from_ms / 1000))
        lost[#lost + 1] = event
      end
    end
    for i = 2, #reports do -- one each 5 ms
      for ms = reports[i - 1].observations_timestamp_ms + 5, reports[i].observations_timestamp_ms - 5, 5 do
        local is_told = false
        for _, event in ipairs(lost) do is_told = is_told or (ms >= event.from_ms and ms <= event.to_ms) end
        assert.is_true(is_told, ("nothing was told of %d ms"):format(ms))
        missing = missing + 1
      end
      assert.is_true(reports[i].observations_timestamp_ms > reports[i - 1].observations_timestamp_ms)
    end
    assert.is_true(missing > 0)
  end)
end)
