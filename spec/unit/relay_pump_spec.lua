-- SPDX-License-Identifier: MIT
-- What the relay does with a stream's reports and a sink's answers, without either: where it begins, what it adds
-- together, what it tells as lost, when it goes back.

local errors = require "chainlink.errors"
local relay = require "chainlink.relay"
local stopped_clock = require "spec.support.stopped_clock"

local NOW = 1700000000.5
local A, B = "0xa", "0xb"

local function report(feed, ms, valid_from)
  return { feed_id = feed, observations_timestamp_ms = ms, valid_from_timestamp_ms = valid_from }
end

describe("the relay", function()
  local clock, script
  before_each(function()
    clock = stopped_clock.at(NOW)
    script = { added = {}, starts = {}, logs = {}, events = {}, totals = {}, closed = 0, streams = {}, newest = {} }
  end)
  after_each(function() clock.restore() end)

  -- A stream that gives these, then waits no longer: functions are called, false is a pause that `read` ends.
  local function stream_of(list)
    local place = 0
    local function next_one()
      place = place + 1
      local item = list[place]
      if type(item) == "function" then
        item()
        return next_one()
      end
      return item
    end
    local stream = {}
    function stream.read() return (assert(next_one(), "the script is over")) end
    function stream.poll()
      local item = next_one()
      if item == "end" then return nil, script.failure end
      return item or nil
    end
    function stream.close() script.closed = script.closed + 1 end
    return stream
  end

  -- Runs it with the script's streams, one after the other, and what the sink has: `newest` of each time.
  local function run(streams, answers)
    script.failure, script.added = errors.new("NetworkError", "the end of the script"), {}
    local sink, client = {}, {}
    function sink.newest(_, feeds)
      script.asked = feeds
      return table.remove(script.newest, 1) or {}
    end
    function sink.add(_, batch)
      script.added[#script.added + 1] = batch
      return answers and table.remove(answers, 1) or { added = 0, known = 0, late = 0, old = 0, behind = 0 }
    end
    function client.stream(_, feeds, options)
      script.starts[#script.starts + 1], script.feeds = options.start or "new", feeds
      script.on_status = options.on_status
      local list = table.remove(streams, 1)
      if not list then return nil, script.failure end
      return stream_of(list)
    end
    local ok, err = pcall(relay.start, client, { A, B }, sink, {
      log = function(level, words) script.logs[#script.logs + 1] = level .. ": " .. words end,
      on_batch = function(totals)
        local copy = {}
        for name, number in pairs(totals) do copy[name] = number end
        script.totals[#script.totals + 1] = copy
      end,
      on_status = function(event) script.events[#script.events + 1] = event end,
    })
    assert.is_false(ok)
    assert.equal(script.failure, err)
    return script.added
  end

  local function begin_with(newest)
    script.newest = { newest }
    run { { report(A, 1), "end" } }
    return script.starts[1]
  end

  it("begins with what comes where nothing is there, else with the feed furthest behind", function()
    assert.equal("new", begin_with {})
    script.starts = {}
    assert.equal(1699999990, begin_with { [A] = 1699999990999, [B] = 1699999995000 })
    script.starts = {}
    assert.equal(1699999990, begin_with { [A] = 1699999995000, [B] = 1699999990999 })
    assert.same({ A, B }, script.asked)
    assert.same({ A, B }, script.feeds)
  end)

  it("goes back by an hour at most", function()
    assert.equal(1699996400, begin_with { [A] = 1699996400400 })
    script.starts = {}
    assert.equal(1699996401, begin_with { [A] = 1699996401000 })
    script.starts = {}
    assert.equal(1699996400, begin_with { [A] = 1 })
  end)

  it("adds what is there together, by feed and in order, each with the time of the one before", function()
    local a, b, c, d = report(A, 10), report(B, 20), report(A, 30), report(A, 25)
    script.newest = { { [A] = 5 } }
    local added = run { { a, b, c, false, d, "end" } }
    assert.equal(2, #added)
    assert.same({ { report = a, before = 5 }, { report = c, before = 10 } }, added[1][A])
    assert.same({ { report = b } }, added[1][B])
    assert.same({ [A] = { { report = d, before = 30 } } }, added[2])
    assert.equal(1, script.closed)
  end)

  it("remembers the newest time, whatever comes after it", function()
    local added = run { { report(A, 30), false, report(A, 25), false, report(A, 40), "end" } }
    assert.equal(30, added[3][A][1].before)
  end)

  it("knows a time however early it is", function()
    assert.equal(0, run({ { report(A, 0), report(A, 5), "end" } })[1][A][2].before)
  end)

  it("raises what its sink raises as it is", function()
    local client = { stream = function() return stream_of { report(A, 1), "end" } end }
    local sink = { newest = function() return {} end, add = function() error("a text", 0) end }
    local ok, err = pcall(relay.start, client, { A }, sink, {})
    assert.is_false(ok)
    assert.equal("a text", err)
    assert.equal(1, script.closed)
  end)

  it("adds so many together at most", function()
    local list = {}
    for i = 1, 600 do list[i] = report(A, i) end
    list[601] = "end"
    local added = run { list }
    assert.same({ 257, 257, 86 }, { #added[1][A], #added[2][A], #added[3][A] })
    assert.equal(258, added[2][A][1].report.observations_timestamp_ms)
  end)

  it("passes over a report whose time nobody knows", function()
    local known = report(A, 7)
    local added = run { { report(A), known, "end" } }
    assert.same({ [A] = { { report = known } } }, added[1])
  end)

  it("counts what the sink answers, and tells it", function()
    run({ { report(A, 1), false, report(A, 2), "end" } },
      { { added = 2, known = 1, late = 0, old = 3, behind = 0 },
        { added = 5, known = 0, late = 4, old = 0, behind = 0 } })
    assert.same({ { added = 2, known = 1, late = 0, old = 3, behind = 0 },
      { added = 7, known = 1, late = 4, old = 3, behind = 0 } }, script.totals)
  end)

  it("begins anew where what was there is gone, and tells that", function()
    script.newest = { { [A] = 1699999990000 }, { [A] = 1699999980000 } }
    local first, second = report(A, 1), report(A, 2)
    local added = run({ { first, false, second, "end" }, { second, "end" } }, { { added = 0, behind = 1 } })
    assert.equal(second, added[2][A][1].report)
    assert.equal(2, #added)
    assert.same({ 1699999990, 1699999980 }, script.starts)
    assert.equal(2, script.closed)
    assert.same({ "warn: reports that were there are gone: going on from what is left" }, script.logs)
  end)

  it("raises why a stream cannot be opened", function()
    assert.same({}, run {})
  end)

  local function lose(event) return function() script.on_status(event) end end

  it("lets a feed's next report tell what its stream has lost", function()
    local added = run { { report(A, 5), lose { state = "lost", feed_id = A, from_ms = 10, to_ms = 20 },
      lose { state = "lost", feed_id = A, from_ms = 30, to_ms = 40 }, lose { state = "gap", feed_id = B, from_ms = 1 },
      lose { state = "lost", feed_id = B }, report(B, 60), report(A, 70), report(A, 80), "end" } }
    local of_a = added[1][A]
    assert.same({ false, "10 40", false }, { of_a[1].lost or false, of_a[2].lost or false, of_a[3].lost or false })
    assert.is_nil(added[1][B][1].lost)
    assert.equal(4, #script.events)
  end)

  it("tells one whose end nobody knows by its beginning", function()
    local added = run { { lose { state = "lost", feed_id = A, from_ms = 10 }, report(A, 70), "end" } }
    assert.equal("10 10", added[1][A][1].lost)
  end)

  describe("whose hole is longer than it goes back", function()
    local START = 1699996400000
    local function lost_of(newest, valid_from, ...)
      script.newest = { { [A] = newest } }
      local added = run { { report(A, START + 9000, valid_from), ... } }
      return added[1][A]
    end

    it("tells what is between what was there and the first report", function()
      local items = lost_of(START - 5000, START + 2000, report(A, START + 9001, START + 9000), "end")
      assert.equal(("%.0f %.0f"):format(START - 4999, START + 1999), items[1].lost)
      assert.is_nil(items[2].lost)
    end)

    it("tells nothing where the first report begins there, to a second", function()
      assert.is_nil(lost_of(START - 5000, START - 4000, "end")[1].lost)
      assert.equal(("%.0f %.0f"):format(START - 4999, START - 4000), lost_of(START - 5000, START - 3999, "end")[1].lost)
    end)

    it("tells it of the first report alone", function()
      script.newest = { { [A] = START - 5000 } }
      local list = { report(A, START - 3000, START - 4999), report(A, START + 9000, START + 5000), "end" }
      local items = run({ list })[1][A]
      assert.same({ false, false }, { items[1].lost or false, items[2].lost or false })
    end)

    it("tells nothing where it went back far enough, or where nothing was there", function()
      assert.is_nil(lost_of(START + 1, START + 5000, "end")[1].lost)
      assert.is_nil(lost_of(START, START + 5000, "end")[1].lost)
      assert.is_nil(lost_of(nil, START + 5000, "end")[1].lost)
      assert.is_nil(lost_of(START - 5000, nil, "end")[1].lost)
    end)

    it("tells what the stream has lost where it goes back far enough", function()
      script.newest = { { [A] = START + 1000 } }
      local added = run { { lose { state = "lost", feed_id = A, from_ms = 10, to_ms = 20 },
        report(A, START + 9000, START + 5000), "end" } }
      assert.equal("10 20", added[1][A][1].lost)
    end)
  end)
end)
