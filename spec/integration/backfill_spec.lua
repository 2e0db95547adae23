-- SPDX-License-Identifier: MIT
-- Nothing is lost that the service still has: what a stream brings through faults, compared with REST's pages.

local recorder = require "spec.support.recorder"
local service = require "spec.support.service"
local simulator = require "spec.support.simulator"

local PATIENCE = 90 -- seconds; a bound for a hang, nothing here takes as long
local QUICK = { reconnect_delay = 0.05, reconnect_max_delay = 0.1 }

local function options(more)
  local out = {}
  for name, value in pairs(QUICK) do out[name] = value end
  for name, value in pairs(more or {}) do out[name] = value end
  return out
end

-- Reads until each feed has come to a second at least `seconds` after its first, and `enough` says so; looks at all
-- feeds once in as many reports, as there may be a thousand.
local function read_for(stream, seconds, enough)
  local reports, first, last, seen, looked = {}, {}, {}, 0, 0
  local feeds = stream:stats().feeds
  while true do
    local report = assert(stream:read(PATIENCE))
    local id, second = report.feed_id, report.observations_timestamp
    reports[#reports + 1] = report
    if not first[id] then first[id], seen = second, seen + 1 end
    assert(not last[id] or second >= last[id], "seconds never go back")
    last[id] = second
    if seen == feeds and #reports - looked >= feeds then
      looked = #reports
      local slowest = math.huge
      for feed in pairs(first) do slowest = math.min(slowest, last[feed] - first[feed]) end
      if slowest >= seconds and enough(stream:stats()) then return reports, first, last end
    end
  end
end

-- Of whole seconds in between, the stream must have brought exactly what REST has.
local function compare(client, reports, first, last)
  local got = {}
  for _, report in ipairs(reports) do
    assert.is_nil(got[report.report_blob], "a report came twice")
    got[report.report_blob] = true
  end
  local compared = 0
  for id, from in pairs(first) do
    for report in client:reports(id, from + 1, last[id] - 1) do
      assert(got[report.report_blob], ("missing: %s at %d"):format(id, report.observations_timestamp))
      compared = compared + 1
    end
  end
  return compared
end

-- The same for every `step`th feed.
local function compare_some(client, ids, step, reports, first, last)
  local some = {}
  for i = 1, #ids, step do some[ids[i]] = first[ids[i]] end
  return compare(client, reports, some, last)
end

local function ids_of(client)
  local ids = {}
  for i, feed in ipairs(assert(client:get_feeds())) do ids[i] = feed.id end
  return ids
end

describe("backfill", function()
  local sim, client

  service.for_each({ rate = 1, rate_limit = 0, feeds = 6, origins = 2 },
    { rate_limit = false, circuit_breaker = false }, function(...) sim, client = ... end)

  -- Reports are made, and do not come; then none are made; then `go_on` lets the stream know what it missed.
  local function is_asked_for(stream, ids, silence, go_on)
    assert(stream:connect(PATIENCE))
    local newest = {}
    local function note(report) newest[report.feed_id] = report.observations_timestamp end
    for _ = 1, 2 * #ids do note(assert(stream:read(PATIENCE))) end
    silence()
    local function read_until(time)
      while os.time() < time do
        local report = stream:read(0.1)
        if report then note(report) end
      end
    end
    read_until(os.time() + 3) -- these seconds' reports are made, but not sent
    sim:control("POST", "/control/pause?seconds=600")
    read_until(os.time() + 3) -- from here on none are made
    go_on()
    local backfilled = 0
    while backfilled < #ids do
      local report = assert(stream:read(PATIENCE))
      assert.is_true(report.backfilled)
      if newest[report.feed_id] then
        assert.is_true(report.observations_timestamp > newest[report.feed_id])
        newest[report.feed_id], backfilled = nil, backfilled + 1
      end
    end
    stream:close()
  end

  it("asks for what a feed missed over a reconnect that brings no report", function()
    local ids = ids_of(client)
    local function down() sim:control("POST", "/control/down?what=all") end
    local function up() sim:control("POST", "/control/up?what=all") end
    is_asked_for(client:stream(ids, options()), ids, down, up)
  end)

  -- The first connection brings nothing, the second comes too late, and then the first ends.
  it("asks for what both connections missed when the one that was followed ends", function()
    local ids = ids_of(client)
    sim:control("POST", "/control/down?what=o2")
    local stream = client:stream(ids, options { ha = true })
    local function silence() sim:fault "on=live,action=quiet" end
    local function go_on()
      sim:control("POST", "/control/up?what=o2")
      while stream:stats().active_connections < 2 do stream:read(0.05) end
      sim:control("POST", "/control/down?what=o1")
    end
    is_asked_for(stream, ids, silence, go_on)
  end)

  it("brings what fell into reconnects, in order, and says so", function()
    local record = recorder.new()
    local watch = record:options(options())
    watch.on_response = nil
    local ids = ids_of(client)
    sim:fault("on=ws,times=2,action=drop,after=9")
    local stream = client:stream(ids, watch)
    local reports, first, last = read_for(stream, 5, function(stats) return stats.full_reconnects >= 2 end)
    local stats = stream:stats()
    assert.is_true(compare(client, reports, first, last) >= 20)
    assert.are.equal(0, stats.lost)
    stream:close()
  end)

  it("begins in the past and goes on live without a seam", function()
    local ids = ids_of(client)
    local start = os.time() - 30
    local stream = client:stream(ids, options { start = start })
    local reports, first, last = read_for(stream, 32, function() return true end)
    for _, id in ipairs(ids) do
      assert.are.equal(start, first[id])
      first[id] = first[id] - 1
    end
    assert.is_true(compare(client, reports, first, last) >= 30 * #ids)
    assert.is_true(reports[1].backfilled)
    assert.is_true(stream:stats().backfilled >= 28 * #ids)
    stream:close()
  end)

  it("tells a lost range of a single second with its end", function()
    local ids, lost = ids_of(client), nil
    local stream = client:stream({ ids[1] }, options { backfill = false, on_status = function(event)
      if event.state == "lost" then lost = event end
    end })
    local before = assert(stream:read(PATIENCE)).observations_timestamp
    sim:fault "on=live,action=skip,seconds=1"
    while not lost do before = math.max(before, assert(stream:read(PATIENCE)).observations_timestamp) end
    assert.are.equal(lost.from, lost.to)
    assert.is_true(lost.to < before)
    assert.are.equal("backfill is off", lost.reason)
    assert.are.equal(1, stream:stats().lost_seconds)
    stream:close()
  end)

  it("keeps a gap while REST is down, and fills it then", function()
    local ids = ids_of(client)
    sim:fault("on=rest,path=/api/v1/reports/page,times=6,action=status,status=503")
    sim:fault("on=ws,times=1,action=drop,after=9")
    local stream = client:stream(ids, options())
    local reports, first, last = read_for(stream, 6, function(stats) return stats.full_reconnects >= 1 end)
    assert.is_true(compare(client, reports, first, last) >= 20)
    assert.are.equal(0, stream:stats().lost)
    stream:close()
  end)
end)

describe("high availability", function()
  local sim, client

  service.for_each({ rate = 1, rate_limit = 0, feeds = 4, origins = 2 },
    { rate_limit = false, circuit_breaker = false }, function(...) sim, client = ... end)

  it("keeps a connection to each origin, and loses nothing when one fails", function()
    local ids = ids_of(client)
    sim:fault("on=ws,times=2,action=drop,after=10")
    local stream = client:stream(ids, options { ha = true })
    local reports, first, last = read_for(stream, 5, function(stats)
      return stats.partial_reconnects + stats.full_reconnects >= 1 and stats.active_connections == 2
    end)
    assert.is_true(compare(client, reports, first, last) >= 12)
    local stats = stream:stats()
    assert.are.equal(2, stats.configured_connections)
    assert.are.equal(0, stats.lost)
    assert.is_true(stats.deduplicated > 0)
    local names = { stats.origins[1].origin, stats.origins[2].origin }
    table.sort(names)
    assert.are_not.equal(names[1], names[2])
    stream:close()
  end)
end)

describe("a thousand feeds", function()
  it("are spread over twenty connections to two origins, and lose nothing when some fail #load", function()
    local sim = simulator.start { rate = 1, rate_limit = 0, feeds = 1000, origins = 2 }
    local client = sim:client { rate_limit = false }
    local ids = ids_of(client)
    sim:fault("on=ws,times=3,action=drop,after=150")
    local stream = client:stream(ids, options { ha = true, queue_size = 65536, pong_timeout = 60 })
    assert(stream:connect(PATIENCE))
    local reports, first, last = read_for(stream, 3, function(stats)
      return stats.partial_reconnects + stats.full_reconnects >= 3 and stats.active_connections == 20
    end)
    assert.are.equal(20, stream:stats().configured_connections)
    assert.is_true(compare_some(client, ids, 50, reports, first, last) >= 20)
    assert.are.equal(0, stream:stats().lost)
    client:close()
    sim:stop()
  end)

  it("need not more connections than an account may hold", function()
    local sim = simulator.start { feeds = 50 }
    local client = sim:client {}
    local ids = ids_of(client)
    local ok, err = pcall(function()
      return client:stream(ids, { feeds_per_connection = 4, ha = true })
    end)
    assert.is_false(ok)
    assert.are.equal("ConfigError", err.kind)
    assert.is_truthy(err.message:find("50 feeds / 4 per connection x 2 origins = 26 connections", 1, true))
    client:close()
    sim:stop()
  end)
end)
