-- SPDX-License-Identifier: MIT
-- What `top` knows of its feeds, at given times.

local board = require "chainlink.cli.board"

local A, B = "0x0003" .. ("aa"):rep(30), "0x0003" .. ("bb"):rep(30)
local stats = { name = "the stream's" }

local function report(id, observed, more)
  local made = { feed_id = id, observations_timestamp_ms = observed * 1000, price = 1.5, received_at = observed + 0.25 }
  for name, value in pairs(more or {}) do made[name] = value end
  return made
end

describe("the board", function()
  it("has each feed once, by its name where it is known", function()
    local state = board.new({ A, B, A }, { [A] = "A/USD" }, 100):state(stats, 100, 1000)
    assert.equal(2, #state.feeds)
    assert.equal("A/USD", state.feeds[1].name)
    assert.equal(B, state.feeds[2].name)
    assert.is_nil(state.feeds[1].price)
    assert.is_nil(state.feeds[1].age)
    assert.is_nil(state.rate)
    assert.equal(stats, state.stats)
    assert.equal(0, state.uptime)
  end)

  it("tells the newest price, where it went, its age and how late it came", function()
    local feeds = board.new({ A }, {}, 100)
    local function after(observed, more)
      feeds:report(report(A, observed, more), 101)
      return feeds:state(stats, 105, 1010).feeds[1]
    end
    local feed = after(1000, { bid = 1, ask = 2 })
    assert.same({ 1.5, 1, 2, 10, 250 }, { feed.price, feed.bid, feed.ask, feed.age, feed.latency })
    assert.is_nil(feed.direction)
    assert.equal("up", after(1001, { price = 1.75 }).direction)
    assert.equal("down", after(1002, { price = 1.25 }).direction)
    assert.is_nil(after(1003, { price = 1.25 }).direction)
    feed = after(1004, { backfilled = true, received_at = 1009 })
    assert.equal(250, feed.latency) -- what came later on purpose tells nothing
    assert.equal(5, feed.reports)
    feeds:report(report(B, 1005), 101)
    assert.equal(5, feeds:state(stats, 105, 1010).feeds[1].reports)
  end)

  it("takes bid and ask by the names that the schemas have", function()
    local feeds = board.new({ A, B }, {}, 0)
    feeds:report(report(A, 1, { best_bid = 3, best_ask = 4 }), 1)
    feeds:report(report(B, 1, { bid_price = 5, ask_price = 6 }), 1)
    local state = feeds:state(stats, 1, 1)
    assert.same({ 3, 4, 5, 6 }, { state.feeds[1].bid, state.feeds[1].ask, state.feeds[2].bid, state.feeds[2].ask })
  end)

  it("reckons rates over whole seconds, ten at most", function()
    local feeds = board.new({ A, B }, {}, 100)
    assert.is_nil(feeds:state(stats, 100.9, 0).rate)
    for second = 100, 129 do
      for _ = 1, second < 120 and 2 or 5 do feeds:report(report(A, second), second + 0.5) end
    end
    local function rates(now)
      local state = feeds:state(stats, now, 0)
      return { state.feeds[1].rate, state.feeds[2].rate, state.rate }
    end
    assert.same({ 5, 0, 5 }, rates(130))
    assert.same({ 4.5, 0, 4.5 }, rates(131.2))
    assert.same({ 4.7, 0, 4.7 }, rates(129.9)) -- without the second that has not passed
    assert.same({ 0, 0, 0 }, rates(140))
    local early = board.new({ A }, {}, 200.5)
    for _ = 1, 6 do early:report(report(A, 1), 201.5) end
    assert.equal(6, early:state(stats, 202.3, 0).rate)
    assert.equal(3, early:state(stats, 203.9, 0).rate)
  end)

  it("keeps no more seconds than it reckons with", function()
    local feeds = board.new({ A }, {}, 100)
    for second = 100, 199 do feeds:report(report(A, second), second) end
    local seconds = {}
    for second in pairs(feeds.feeds[1].slots) do seconds[#seconds + 1] = second end
    table.sort(seconds)
    assert.same({ 11, 189, 199 }, { #seconds, seconds[1], seconds[11] })
  end)

  it("knows no latency of a report that does not tell when it came, or was observed", function()
    local feeds = board.new({ A }, {}, 100)
    feeds:report(report(A, 1000, { received_at = false }), 101)
    feeds:report(report(A, 1000, { observations_timestamp_ms = false }), 101)
    assert.is_nil(feeds:state(stats, 105, 1010).feeds[1].latency)
  end)

  it("takes for trouble what is none of a feed's own business", function()
    for state, is_trouble in pairs { disconnected = true, reconnecting = true, failed = true, lost = true,
      unverified = true, connected = false, gap = false, backfilled = false } do
      local feeds = board.new({ A }, {}, 0)
      feeds:event { state = state, time = 1, feed_id = A }
      local told = feeds:state(stats, 0, 0)
      assert.equal(is_trouble, told.trouble ~= nil, state)
      assert.same({ state == "gap" and 1 or 0, state == "lost" and 1 or 0 }, { told.feeds[1].gaps, told.feeds[1].lost })
    end
  end)

  it("counts gaps and losses of each feed, and keeps the last trouble", function()
    local feeds = board.new({ A, B }, { [A] = "A/USD" }, 0)
    feeds:event { state = "gap", feed_id = A, time = 1 }
    feeds:event { state = "backfilled", feed_id = A, time = 2 }
    feeds:event { state = "gap", feed_id = A, time = 3 }
    feeds:event { state = "gap", feed_id = "0x00", time = 3 }
    local function trouble() return feeds:state(stats, 0, 0).trouble end
    assert.is_nil(trouble())
    feeds:event { state = "lost", feed_id = A, time = 4, reason = "too old" }
    assert.same({ at = 4, words = "lost A/USD: too old" }, trouble())
    feeds:event { state = "disconnected", host = "h:1", time = 5 }
    assert.same({ at = 5, words = "disconnected h:1" }, trouble())
    feeds:event { state = "failed", time = 6 }
    feeds:event { state = "connected", host = "h:1", time = 7 }
    assert.same({ at = 6, words = "failed" }, trouble())
    local state = feeds:state(stats, 0, 0)
    assert.same({ 2, 1, 0, 0 }, { state.feeds[1].gaps, state.feeds[1].lost, state.feeds[2].gaps, state.feeds[2].lost })
  end)
end)
