-- SPDX-License-Identifier: MIT
-- Feeds come and go while a stream runs: what stays is compared with REST's pages.

local recorder = require "spec.support.recorder"
local simulator = require "spec.support.simulator"

local PATIENCE = 20 -- seconds; nothing here takes as long
local RATE = 5 -- reports a second of each feed

local function ids_of(client)
  local ids = {}
  for i, feed in ipairs(assert(client:get_feeds())) do ids[i] = feed.id end
  return ids
end

local function slice(list, first, last)
  local out = {}
  for i = first, last do out[#out + 1] = list[i] end
  return out
end

-- What a stream brings, feed by feed.
local Log = {}
Log.__index = Log

local function new_log()
  return setmetatable({ blobs = {}, first = {}, last = {}, count = {} }, Log)
end

function Log:add(report)
  local id, second = report.feed_id, report.observations_timestamp
  assert(not self.blobs[report.report_blob], "a report came twice")
  assert(second >= (self.last[id] or 0), "seconds never go back")
  self.blobs[report.report_blob] = true
  self.first[id] = self.first[id] or second
  self.last[id] = second
  self.count[id] = (self.count[id] or 0) + 1
end

function Log:read_until(stream, enough)
  repeat self:add(assert(stream:read(PATIENCE))) until enough()
end

-- Until each of these feeds has come `seconds` further than it is now.
function Log:read_on(stream, ids, seconds)
  local goal = {}
  for _, id in ipairs(ids) do goal[id] = self.last[id] and self.last[id] + seconds end
  self:read_until(stream, function()
    for _, id in ipairs(ids) do
      if not goal[id] and self.last[id] then goal[id] = self.last[id] + seconds end
      if not goal[id] or self.last[id] < goal[id] then return false end
    end
    return true
  end)
end

-- Of the whole seconds in between, everything that REST has must have come.
function Log:compare(client, ids)
  local compared = 0
  for _, id in ipairs(ids) do
    for report in client:reports(id, self.first[id] + 1, self.last[id] - 1) do
      assert(self.blobs[report.report_blob], ("missing: %s at %d"):format(id, report.observations_timestamp))
      compared = compared + 1
    end
  end
  return compared
end

for _, ha in ipairs { false, true } do
  describe(ha and "changing feeds on two origins" or "changing feeds", function()
    local sim, client, ids

    before_each(function()
      sim = simulator.start { rate = RATE, rate_limit = 0, feeds = 15, origins = 2 }
      client = sim:client { rate_limit = false, circuit_breaker = false }
      ids = ids_of(client)
    end)

    after_each(function()
      client:close()
      sim:stop()
    end)

    it("loses nothing of the feeds that stay", function()
      local stream = client:stream(slice(ids, 1, 10), { ha = ha, reconnect_delay = 0.05 })
      local log = new_log()
      log:read_on(stream, slice(ids, 1, 10), 2)
      assert.is_true(stream:subscribe(slice(ids, 11, 15)))
      log:read_on(stream, ids, 1)
      assert.is_true(stream:unsubscribe(slice(ids, 1, 3)))
      local gone = { log.count[ids[1]], log.count[ids[2]], log.count[ids[3]] }
      assert.is_nil(stream:latest(ids[1]))
      log:read_on(stream, slice(ids, 4, 15), 3)
      assert(stream:connect(PATIENCE))
      log:read_on(stream, slice(ids, 4, 15), 2)
      for i = 1, 3 do assert.are.equal(gone[i], log.count[ids[i]]) end
      local stats = stream:stats()
      assert.are.equal(12, stats.feeds)
      assert.are.equal(ha and 2 or 1, stats.active_connections)
      assert.are.equal(0, stats.lost)
      assert.are.equal(0, stats.rejected)
      assert.are.equal(0, stats.full_reconnects + stats.partial_reconnects)
      assert.is_true(log:compare(client, slice(ids, 4, 10)) >= 7 * 6 * RATE)
      assert.is_true(log:compare(client, slice(ids, 11, 15)) >= 5 * 4 * RATE)
      stream:close()
    end)
  end)
end

describe("changing feeds", function()
  local sim

  after_each(function() sim:stop() end)

  it("goes on as before where a feed is not permitted", function()
    sim = simulator.start { rate = RATE, rate_limit = 0, feeds = 6, origins = 2 }
    local all = ids_of(sim:client())
    sim:stop()
    sim = simulator.start { rate = RATE, rate_limit = 0, feeds = 6, origins = 2,
      key = { "some:secret:" .. table.concat(slice(all, 1, 5), ",") } }
    local client = sim:client { api_key = "some", api_secret = "secret", rate_limit = false }
    local record = recorder.new()
    local watch = record:options { reconnect_delay = 0.05 }
    watch.on_response = nil
    local stream = client:stream(slice(all, 1, 4), watch)
    local log = new_log()
    log:read_on(stream, slice(all, 1, 4), 1)
    assert.is_true(stream:subscribe { all[6] })
    log:read_until(stream, function() return stream:stats().feeds == 4 end)
    local failed = {}
    for _, status in ipairs(record.statuses) do
      if status.state == "failed" then failed[#failed + 1] = status.reason end
    end
    assert.are.equal(1, #failed)
    assert.is_truthy(failed[1]:find("401", 1, true))
    assert.is_true(stream:subscribe { all[5] })
    log:read_on(stream, slice(all, 1, 5), 2)
    assert.is_nil(log.count[all[6]])
    assert.is_true(log:compare(client, slice(all, 1, 4)) > 0)
    client:close()
  end)

  it("refuses to be left without feeds, and to change once closed", function()
    sim = simulator.start { rate = RATE, rate_limit = 0, feeds = 2 }
    local client = sim:client()
    local ids = ids_of(client)
    local stream = client:stream(ids)
    local ok, err = pcall(stream.unsubscribe, stream, ids)
    assert.is_false(ok)
    assert.are.equal("ConfigError", err.kind)
    assert.are.equal(2, stream:stats().feeds)
    stream:close()
    local done, closed = stream:subscribe(ids)
    assert.is_nil(done)
    assert.are.equal("StreamClosedError", closed.kind)
    client:close()
  end)
end)
