-- SPDX-License-Identifier: MIT
-- Many reports a second of many millisecond feeds, over two origins whose connections end all the time: what was
-- delivered is compared with what the service made, millisecond by millisecond.

local chainlink = require "chainlink"
local core = require "chainlink.core"
local simulator = require "spec.support.simulator"

local FEEDS, RATE, SECONDS = 100, 50, 3

describe("a stream of millisecond feeds", function()
  local sim, client, ids
  setup(function()
    sim = simulator.start { plain = true, feeds = FEEDS + 10, ms_feeds = FEEDS + 10, rate = RATE, signers = 1,
      rate_limit = 0 }
    client = sim:client { rate_limit = false, reconnect_delay = 0.05, reconnect_max_delay = 0.2 }
    ids = {}
    for _, feed in ipairs(assert(client:get_feeds())) do
      -- Version 1 has no valid_from: what a connection lost there shows by nothing.
      if feed.version ~= 1 and #ids < FEEDS then ids[#ids + 1] = feed.id end
    end
  end)
  teardown(function()
    client:close()
    sim:stop()
  end)

  -- Reads while something is done to the service again and again; -> by feed { first, last, times = {ms = true}, … },
  -- statistics and events.
  local function read(options, disturb)
    local events, by_feed = {}, {}
    options.ha = true
    options.on_status = function(event) events[#events + 1] = event end
    local stream = client:stream(ids, options)
    assert(stream:connect(30))
    local started = core.monotonic()
    local kill_at, settled = started + 0.5, nil
    local behind = #ids
    while behind > 0 do
      local report = assert(stream:read(60))
      local ms, feed = report.observations_timestamp_ms, by_feed[report.feed_id]
      if not feed then
        feed = { first = ms, last = ms, back = 0, count = 0, times = {}, is_through = false }
        by_feed[report.feed_id] = feed
      end
      assert(not feed.times[ms], "twice")
      feed.times[ms], feed.count = true, feed.count + 1
      if ms < feed.last then feed.back = feed.back + 1 else feed.last = ms end
      if settled and not feed.is_through and ms > settled then feed.is_through, behind = true, behind - 1 end
      local now = core.monotonic()
      if not settled and now >= kill_at then
        disturb()
        kill_at = now + 0.2 + 0.5 * math.random()
        -- What comes of a later time comes behind all that a connection may have lost.
        if now > started + SECONDS then settled = os.time() * 1000 + 1500 end
      end
    end
    local stats = stream:stats()
    stream:close()
    return by_feed, stats, events
  end

  local function compare(by_feed, is_ordered)
    local made = 0
    for _, id in ipairs(ids) do
      local feed = assert(by_feed[id], "a feed brought nothing")
      if is_ordered then assert.are.equal(0, feed.back) end
      local known = 0
      for report in client:reports(id, math.floor(feed.first / 1000), math.floor(feed.last / 1000)) do
        local ms = report.observations_timestamp_ms
        if ms >= feed.first and ms <= feed.last then
          if not feed.times[ms] then error(("%s is missing %d ms after the first"):format(id, ms - feed.first)) end
          known = known + 1
        end
      end
      assert.are.equal(feed.count, known)
      made = made + known
    end
    return made
  end

  local function kill()
    local origin = ({ "origin=o1", "origin=o2", "" })[math.random(3)]
    local how = ({ "drop", "reset", "close" })[math.random(3)]
    sim:control("POST", ("/control/kill?how=%s&%s"):format(how, origin))
  end

  it("loses, doubles and reorders nothing over reconnects of two origins", function()
    local by_feed, stats, events = read({}, kill)
    local made = compare(by_feed, true)
    assert.is_true(made >= FEEDS * RATE * SECONDS)
    assert.is_true(stats.full_reconnects > 0)
    assert.is_true(stats.backfilled > 0)
    assert.are.equal(0, stats.lost)
    for _, event in ipairs(events) do
      if event.state == "gap" or event.state == "backfilled" then
        assert.are.equal(event.from, math.floor(event.from_ms / 1000))
        assert.are.equal(event.to, math.floor(event.to_ms / 1000))
        assert.is_true(event.from_ms <= event.to_ms)
      end
    end
    assert.are.equal("ms", chainlink.feed_resolution(ids[1]))
  end)
end)
