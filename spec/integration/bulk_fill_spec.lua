-- SPDX-License-Identifier: MIT
-- Many feeds' gap takes few requests: the bulk endpoint is asked for the seconds that all of them missed, and pages for
-- feeds of the first schema (one in fourteen), as these have no validity that could prove it complete.

local service = require "spec.support.service"

local PATIENCE = 90 -- seconds; a bound for a hang, nothing here takes as long
local FEEDS, OUTAGE = 600, 3 -- the latter in seconds

describe("an outage of 600 feeds", function()
  local sim, client

  service.for_each({ rate = 1, rate_limit = 0, feeds = FEEDS },
    { rate_limit = false, circuit_breaker = false }, function(...) sim, client = ... end)

  it("is filled by the bulk endpoint, and nothing is lost", function()
    local ids, last = {}, {}
    for i, feed in ipairs(assert(client:get_feeds())) do ids[i] = feed.id end
    assert.are.equal(FEEDS, #ids)
    local stream = client:stream(ids, { reconnect_delay = 0.05, reconnect_max_delay = 0.1 })
    assert(stream:connect(PATIENCE))

    local function note(report)
      local id, time = report.feed_id, report.observations_timestamp
      assert(not last[id] or time == last[id] + 1, "every second, once and in order")
      last[id] = time
    end
    local function read_until_all_at(second)
      local behind = #ids
      for _, time in pairs(last) do behind = behind - (time >= second and 1 or 0) end
      while behind > 0 do
        local report = assert(stream:read(PATIENCE))
        note(report)
        if report.observations_timestamp == second then behind = behind - 1 end
      end
    end

    local begun = assert(stream:read(PATIENCE))
    note(begun)
    read_until_all_at(begun.observations_timestamp + 6) -- enough to see that each has one report a second
    local pages, bulks = sim:answered "/api/v1/reports/page", sim:answered "/api/v1/reports/bulk"
    sim:control("POST", "/control/down?what=all")
    local back_at = os.time() + OUTAGE + 1
    while os.time() < back_at do
      local report = stream:read(0.1)
      if report then note(report) end
    end
    sim:control("POST", "/control/up?what=all")
    read_until_all_at(back_at + 3)

    local stats = stream:stats()
    assert.are.equal(0, stats.lost)
    assert.are.equal(0, stats.unverified)
    assert.is_true(stats.full_reconnects >= 1)
    assert.is_true(stats.backfilled >= FEEDS * (OUTAGE - 1))
    pages, bulks = sim:answered "/api/v1/reports/page" - pages, sim:answered "/api/v1/reports/bulk" - bulks
    assert.is_true(bulks > 0)
    assert(pages + bulks <= FEEDS / 4, ("%d pages and %d bulk requests"):format(pages, bulks))
    stream:close()
  end)
end)
