-- SPDX-License-Identifier: MIT
-- Many reports a second of many millisecond feeds, over two origins whose connections end all the time: what was
-- delivered is compared with what the service made, millisecond by millisecond. After some seconds the service pauses,
-- so that a busy machine can catch up; what comes then shows what was lost before.

local chainlink = require "chainlink"
local core = require "chainlink.core"
local faults = require "spec.support.faults"
local simulator = require "spec.support.simulator"

local FEEDS, RATE, SECONDS = 100, 50, 2
local STEP = 1000 / RATE -- milliseconds from one report to the next
local PATIENCE = 240 -- seconds; a bound for a hang

describe("a stream of millisecond feeds #load", function()
  local sim, client, ids
  before_each(function()
    sim = simulator.start { plain = true, feeds = FEEDS + 10, ms_feeds = FEEDS + 10, rate = RATE, signers = 1,
      rate_limit = 0 }
    client = sim:client { rate_limit = false, reconnect_delay = 0.05, reconnect_max_delay = 0.2 }
    ids = {}
    for _, feed in ipairs(assert(client:get_feeds())) do
      -- Version 1 has no valid_from: what a connection lost there shows by nothing.
      if feed.version ~= 1 and #ids < FEEDS then ids[#ids + 1] = feed.id end
    end
  end)
  after_each(function()
    client:close()
    sim:stop()
  end)

  local function add(feed, ms)
    assert(not feed.times[ms], "twice")
    feed.times[ms] = true
    if ms < feed.last then feed.back = feed.back + 1 else feed.last = ms end
    while feed.times[feed.wanted] do feed.wanted = feed.wanted + STEP end -- the service has one each STEP
  end

  -- The second from which on there are no reports for a while.
  local function pause()
    return require("cjson").decode((sim:control("POST", "/control/pause?seconds=5"))).from
  end

  -- Reads while something is done to the service again and again; -> by feed { first, last, times = {ms = true}, … },
  -- statistics and events.
  local function read(options, disturb)
    local events, by_feed = {}, {}
    options.ha = true
    options.on_status = function(event) events[#events + 1] = event end
    local stream = client:stream(ids, options)
    assert(stream:connect(30))
    local started = core.monotonic()
    local disturb_at, from = started + 0.5, nil
    local incomplete = #ids
    while incomplete > 0 and core.monotonic() < started + PATIENCE do
      local report, err = stream:read(0.2)
      if report then
        local ms = report.observations_timestamp_ms
        local feed = by_feed[report.feed_id] or { first = ms, last = ms, wanted = ms, back = 0, times = {} }
        by_feed[report.feed_id] = feed
        local is_late = ms < feed.last
        add(feed, ms)
        assert(not is_late or stream:latest(report.feed_id).observations_timestamp_ms >= feed.last, "the newest one")
        if from and not feed.is_complete and feed.wanted >= from * 1000 then
          feed.is_complete, incomplete = true, incomplete - 1
        end
      elseif err.kind ~= "TimeoutError" then
        error(err)
      end
      local now = core.monotonic()
      if not from and now > started + SECONDS then from = pause() end
      -- Not at the end: what is lost there would show by no later report.
      if now >= disturb_at and not from then
        disturb()
        disturb_at = now + 0.2 + 0.3 * math.random()
      end
    end
    local stats = stream:stats()
    stream:close()
    return by_feed, from * 1000, stats, events
  end

  -- With the history from each feed's first report to the end; -> reports in it.
  local function compare(by_feed, end_ms)
    local made = 0
    for _, id in ipairs(ids) do
      local feed = assert(by_feed[id], "a feed brought nothing")
      for report in client:reports(id, math.floor(feed.first / 1000), math.floor(end_ms / 1000)) do
        local ms = report.observations_timestamp_ms
        if ms >= feed.first then
          if not feed.times[ms] then error(("%s is missing %d ms after the first"):format(id, ms - feed.first)) end
          made = made + 1
        end
      end
    end
    return made
  end

  -- Ends connections: all of them, which then are not made at once, those of one origin, those of the other.
  local kills
  local function kill()
    local which = ({ "", "origin=o1", "origin=o2" })[kills % 3 + 1]
    local how = ({ "drop", "reset", "close" })[math.random(3)]
    if which == "" then sim:fault "on=ws,action=status,status=503,times=6" end
    sim:control("POST", ("/control/kill?how=%s&%s"):format(how, which))
    kills = kills + 1
  end
  before_each(function() kills = 0 end)

  it("loses, doubles and reorders nothing over reconnects of two origins", function()
    local by_feed, end_ms, stats, events = read({}, kill)
    assert.is_true(compare(by_feed, end_ms) >= FEEDS * RATE * SECONDS)
    for _, feed in pairs(by_feed) do assert.are.equal(0, feed.back) end
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

  it("loses and doubles nothing in order of arrival either, though messages overtake each other", function()
    local count = 0
    local by_feed, end_ms, stats = read({ order = "arrival" }, function()
      count = count + 1
      if count % 2 == 0 then kill() else sim:fault "on=live,times=0,action=reorder,within=300,count=2000" end
    end)
    compare(by_feed, end_ms)
    local back = 0
    for _, feed in pairs(by_feed) do back = back + feed.back end
    assert.is_true(back > 0)
    assert.is_true(stats.out_of_order > 0)
    assert.is_true(stats.backfilled > 0)
    assert.are.equal(0, stats.lost)
  end)
end)

describe("a millisecond feed that comes to a stream of seconds", function()
  it("has its gaps filled", function()
    local service = faults.service { feeds = 4, ms_feeds = 2, rate = 5 }
    finally(function() service:stop() end)
    local after = service.ids[1]
    local stream, record = service:stream({}, { service.ids[3], service.ids[4] })
    faults.read(stream, 10)
    assert(stream:subscribe { after })
    assert(stream:connect(60))
    local reports = faults.read_until(stream, function(list)
      return #list > 10 and list[#list].feed_id == after
    end)
    service.sim:fault "on=live,action=skip,seconds=2,times=0"
    faults.read_until(stream, function(list)
      return list[#list].feed_id == after and list[#list].backfilled
    end, reports)
    faults.read(stream, 30, reports)
    service:check_complete(reports)
    assert.are.equal(0, stream:stats().lost)
    for _, event in ipairs(record.statuses) do
      if event.feed_id == after then
        assert.is_true(math.abs(event.from - os.time()) < 600)
        assert.are.equal(event.from, math.floor(event.from_ms / 1000))
      end
    end
    stream:close()
  end)
end)
