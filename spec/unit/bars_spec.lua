-- SPDX-License-Identifier: MIT
-- chainlink.bars: what opens, closes and repairs a bar, what is covered, what is bounded.

local chainlink = require "chainlink"
local check = require "spec.support.failure"
local priced = require "spec.support.priced"

local T = 1700000040 -- the beginning of a minute

-- Pushes reports {at=, price=, …}, times from T; answers the bars that they make.
local function push_all(bars, list)
  local made = {}
  for _, what in ipairs(list) do
    local shifted = {}
    for name, value in pairs(what) do shifted[name] = value end
    local start = what.ms and T * 1000 or T
    shifted.at, shifted.from = start + what.at, what.from and start + what.from
    assert(bars:push(priced.report(shifted)) ~= nil)
    for bar in function() return bars:take() end do made[#made + 1] = bar end
  end
  return made
end

local function line(bar)
  return ("%d %s %s %s %s x%d %d"):format(bar.time - T, tostring(bar.open), tostring(bar.high), tostring(bar.low),
    tostring(bar.close), bar.count, bar.covered_ms) .. (bar.complete and "" or " incomplete")
    .. (bar.revised and " revised" or "")
end

local function lines(list)
  local out = {}
  for i, bar in ipairs(list) do out[i] = line(bar) end
  return out
end

local function made_of(options, list)
  local bars = chainlink.bars(options)
  local made = push_all(bars, list)
  bars:flush()
  for bar in function() return bars:take() end do made[#made + 1] = bar end
  return lines(made), bars
end

describe("a bar", function()
  it("has open, high, low and close, exactly, and the times of its first and last report", function()
    local bars = chainlink.bars { interval = "1m" }
    local made = push_all(bars, { { at = 1, price = 3 }, { at = 2, price = -2.5 }, { at = 3, price = 4.5 },
      { at = 59, price = 0 }, { at = 60, price = 7 } })
    assert.same({ { feed_id = priced.id(3), time = T, interval = 60, open = "3", high = "4.5", low = "-2.5",
      close = "0", count = 4, first_ms = (T + 1) * 1000, last_ms = (T + 59) * 1000, covered_ms = 4000,
      coverage = 4 / 60, complete = true, revised = false } }, made)
  end)

  it("begins with its first millisecond and ends before the next one's", function()
    local got = made_of({ interval = "1s" }, { { at = 0, price = 1, ms = true }, { at = 999, price = 2, ms = true },
      { at = 1000, price = 3, ms = true } })
    assert.same({ "0 1 2 1 2 x2 2", "1 3 3 3 3 x1 1 incomplete" }, got)
  end)

  it("is aligned to UTC, days too", function()
    local bars = chainlink.bars { interval = "1d" }
    bars:push(priced.report { at = T, price = 1 })
    assert.equal("2023-11-14 00:00:00", os.date("!%Y-%m-%d %H:%M:%S", bars:current(priced.id(3)).time))
  end)

  it("is of any whole span, by text or by seconds", function()
    for interval, seconds in pairs { ["7s"] = 7, ["5m"] = 300, ["4h"] = 14400, ["7d"] = 604800, [90] = 90 } do
      local bars = chainlink.bars { interval = interval }
      bars:push(priced.report { at = T, price = 1 })
      local bar = bars:current(priced.id(3))
      assert.equal(seconds, bar.interval)
      assert.equal(0, bar.time % seconds)
      assert.is_true(bar.time <= T and T < bar.time + seconds)
    end
  end)

  it("of reports of one time has the first that came as its open, the last as its close", function()
    local got = made_of({ interval = "1m" }, { { at = 5, price = 1 }, { at = 5, price = 2 }, { at = 5, price = 3 } })
    assert.same({ "0 1 3 1 3 x3 1000 incomplete" }, got)
  end)

  it("counts a repeated report once, wherever it was", function()
    local got, bars = made_of({ interval = "1m" }, { { at = 1, price = 1 }, { at = 1, price = 1 },
      { at = 2, price = 2 }, { at = 1, price = 1 }, { at = 1, price = 1, bid = 5 }, { at = 1, price = 1, bid = 5 },
      { at = 1, price = 1, bid = 6 }, { at = 1, price = 1, bid = 6 }, { at = 61, price = 3 }, { at = 2, price = 2 } })
    assert.same({ "0 1 2 1 2 x4 2000", "60 3 3 3 3 x1 1000 incomplete" }, got)
    local stats = bars:stats()
    assert.equal(5, stats.repeated)
    assert.equal(5, stats.reports)
  end)

  it("is of another field where that is asked for", function()
    local bars = chainlink.bars { interval = "1m", field = "bid" }
    assert.is_true(bars:push(priced.report { at = T, price = 1, bid = 5e18 }))
    assert.equal("5", bars:current(priced.id(3)).open)
    check.says(check.failure("DecodeError", {}, bars:push(priced.report { at = T, price = 1, version = 2 })),
      'reports of version 2 have no number "bid"')
    assert.equal(1, bars:stats().unreadable)
  end)

  it("is made for each feed by its own time", function()
    local got = made_of({ interval = "1m" }, { { at = 0, price = 1 }, { at = 100, price = 2, number = 2 },
      { at = 1, price = 3 }, { at = 60, price = 4 } })
    assert.same({ "0 1 3 1 3 x2 2000", "60 4 4 4 4 x1 1000 incomplete", "60 2 2 2 2 x1 1000 incomplete" }, got)
  end)
end)

describe("coverage", function()
  it("is of the time that reports are valid for, once, whichever bar they are in", function()
    local got = made_of({ interval = "1m" }, { { at = 10, from = -5, price = 1 }, { at = 12, from = 9, price = 2 },
      { at = 62, from = 50, price = 3 } })
    assert.same({ "0 1 2 1 2 x2 23000", "60 3 3 3 3 x1 3000 incomplete" }, got)
  end)

  it("is to the millisecond of millisecond feeds", function()
    local got = made_of({ interval = "1s" }, { { at = 100, from = 1, price = 1, ms = true },
      { at = 1200, from = 901, price = 2, ms = true } })
    assert.same({ "0 1 1 1 1 x1 199", "1 2 2 2 2 x1 201 incomplete" }, got)
  end)

  it("of reports that are valid from later than they were observed is of that time alone", function()
    local got = made_of({ interval = "1m" }, { { at = 10, from = 20, price = 1 } })
    assert.same({ "0 1 1 1 1 x1 1000 incomplete" }, got)
  end)

  it("closes holes", function()
    local got = made_of({ interval = "1m" }, { { at = 10, price = 1 }, { at = 20, price = 1 }, { at = 30, price = 1 },
      { at = 25, from = 15, price = 1 }, { at = 40, from = 5, price = 1 } })
    assert.same({ "0 1 1 1 1 x5 36000 incomplete" }, got)
  end)
end)

describe("a late report", function()
  it("repairs a bar, which is sent again", function()
    local got = made_of({ interval = "1m" }, { { at = 30, price = 5 }, { at = 60, price = 6 }, { at = 20, price = 9 },
      { at = 59, price = 1 }, { at = 30, price = 7 } })
    assert.same({ "0 5 5 5 5 x1 1000", "0 9 9 5 5 x2 2000 revised", "0 9 9 1 1 x3 3000 revised",
      "0 9 9 1 1 x4 3000 revised", "60 6 6 6 6 x1 1000 incomplete" }, got)
  end)

  it("makes a bar that was not there", function()
    local got = made_of({ interval = "1m" }, { { at = 0, price = 5 }, { at = 120, price = 6 }, { at = 60, price = 7 },
      { at = -60, price = 8 } })
    assert.same({ "0 5 5 5 5 x1 1000", "60 7 7 7 7 x1 1000", "-60 8 8 8 8 x1 1000",
      "120 6 6 6 6 x1 1000 incomplete" }, got)
  end)

  it("revises the other bars of which it covers more", function()
    local got = made_of({ interval = "1m" }, { { at = 30, price = 5 }, { at = 90, price = 6 }, { at = 150, price = 7 },
      { at = 100, from = 20, price = 8 } })
    assert.same({ "0 5 5 5 5 x1 1000", "60 6 6 6 6 x1 1000", "0 5 5 5 5 x1 40000 revised",
      "60 6 8 6 8 x2 41000 revised", "120 7 7 7 7 x1 1000 incomplete" }, got)
  end)

  it("is not counted when its bar cannot change any more", function()
    local bars = chainlink.bars { interval = "1m", repair = 120 }
    local made = push_all(bars, { { at = 30, price = 1 }, { at = 179, price = 2 } })
    assert.same({ true }, { bars:push(priced.report { at = T + 31, price = 3 }) })
    assert.same({ true }, { bars:push(priced.report { at = T + 180, price = 4 }) })
    assert.same({ false, "late" }, { bars:push(priced.report { at = T + 32, price = 5 }) })
    assert.same({ true }, { bars:push(priced.report { at = T + 60, price = 6 }) })
    assert.equal(1, #made)
    assert.equal(1, bars:stats().late)
  end)

  it("counts for no bar that cannot change, though it waits or was told as empty", function()
    local bars = chainlink.bars { interval = "1m", repair = 0 }
    for _, what in ipairs { { at = 30 }, { at = 70 }, { at = 75, from = 0 } } do
      bars:push(priced.report { at = T + what.at, from = T + (what.from or what.at), price = 1 })
    end
    assert.equal("0 1 1 1 1 x1 1000", line(bars:take()))
    assert.same({ "0 1 1 1 1 x1 1000", "60 nil nil nil nil x0 0", "120 2 2 2 2 x2 7000 incomplete" },
      (made_of({ interval = "1m", repair = 0, gaps = true }, { { at = 30, price = 1 }, { at = 150, price = 2 },
        { at = 125, from = 60, price = 2 } })))
  end)

  it("reaches back no further than the bars that can change", function()
    local bars = chainlink.bars { interval = "1m", repair = 0 }
    local made = push_all(bars, { { at = 30, price = 1 }, { at = 70, price = 2 }, { at = 75, from = 0, price = 3 },
      { at = 125, price = 3 } })
    assert.same({ "0 1 1 1 1 x1 1000", "60 2 3 2 3 x2 16000" }, lines(made))
  end)
end)

describe("a gap", function()
  local reports = { { at = 0, price = 1 }, { at = 200, from = 190, price = 2 }, { at = 130, price = 3 },
    { at = -100, price = 4 } }

  it("has no bars", function()
    assert.same({ "0 1 1 1 1 x1 1000", "120 3 3 3 3 x1 1000", "-120 4 4 4 4 x1 1000",
      "180 2 2 2 2 x1 11000 incomplete" }, (made_of({ interval = "1m" }, reports)))
  end)

  it("has empty bars where they are asked for", function()
    assert.same({ "0 1 1 1 1 x1 1000", "60 nil nil nil nil x0 0", "120 nil nil nil nil x0 0",
      "120 3 3 3 3 x1 1000 revised", "-120 4 4 4 4 x1 1000", "-60 nil nil nil nil x0 0",
      "180 2 2 2 2 x1 11000 incomplete" }, (made_of({ interval = "1m", gaps = true }, reports)))
  end)

  it("has them one by one, however long it is", function()
    local bars = chainlink.bars { interval = "1s", gaps = true }
    bars:push(priced.report { at = 1, price = 1 })
    bars:push(priced.report { at = T, price = 1 })
    assert.equal(1, bars:take().time)
    for second = 2, 300 do assert.same({ second, 0 }, { bars:take().time, bars:current(priced.id(3)).count - 1 }) end
  end)

  -- The bars that are ready, twenty at most.
  local function ready(bars, list)
    for _, what in ipairs(list) do
      bars:push(priced.report { at = T + what.at, price = what.price })
    end
    local made = {}
    for bar in function() return #made < 20 and bars:take() or nil end do made[#made + 1] = bar end
    return lines(made)
  end

  it("is not between bars that follow each other, nor before a bar that comes late", function()
    local bars = chainlink.bars { interval = "1m", gaps = true }
    assert.same({ "0 1 1 1 1 x1 1000", "60 2 2 2 2 x1 1000" },
      ready(bars, { { at = 0, price = 1 }, { at = 60, price = 2 }, { at = 120, price = 3 } }))
    assert.same({ "-60 4 4 4 4 x1 1000" }, ready(bars, { { at = -60, price = 4 } }))
    assert.same({ "-240 5 5 5 5 x1 1000", "-180 nil nil nil nil x0 0", "-120 nil nil nil nil x0 0" },
      ready(bars, { { at = -240, price = 5 } }))
    assert.equal(6, bars:stats().bars)
    assert.equal(0, bars:stats().revised)
    assert.same({ "-180 6 6 6 6 x1 1000 revised" }, ready(bars, { { at = -180, price = 6 } }))
    assert.same({ reports = 6, repeated = 0, late = 0, unreadable = 0, bars = 7, revised = 1 }, bars:stats())
  end)

  it("that is covered later is told again", function()
    assert.same({ "0 1 1 1 1 x1 1000", "60 nil nil nil nil x0 0", "60 nil nil nil nil x0 60000 revised",
      "120 2 3 2 3 x2 21000 incomplete" },
      (made_of({ interval = "1m", gaps = true }, { { at = 0, price = 1 }, { at = 120, price = 2 },
        { at = 140, from = 60, price = 3 } })))
  end)
end)

describe("what is kept", function()
  it("is bounded: what is not newer than reports that are forgotten is late", function()
    local bars = chainlink.bars { interval = "1d", remember = 10 }
    for second = 1, 100 do bars:push(priced.report { at = T + second, price = 1 }) end
    assert.same({ false, "repeated" }, { bars:push(priced.report { at = T + 96, price = 1 }) })
    assert.same({ false, "late" }, { bars:push(priced.report { at = T + 90, price = 1 }) })
    assert.same({ false, "late" }, { bars:push(priced.report { at = T + 50, price = 2 }) })
    assert.equal(100, bars:current(priced.id(3)).count)
  end)

  it("is all of the bars that may change, and none besides", function()
    local bars = chainlink.bars { interval = "1s", repair = 10 }
    for second = 1, 200 do
      bars:push(priced.report { at = T + second, price = 1 })
      while bars:take() do end
      local kept = 0
      for _ in pairs(bars.feeds[priced.id(3)].bars) do kept = kept + 1 end
      -- What cannot change any more since the last report goes with the next one.
      assert.equal(math.min(second, 12), kept)
    end
  end)

  it("is whole where it waits, though it cannot change any more", function()
    local bars = chainlink.bars { interval = "1s", repair = 0 }
    for second = 0, 2 do bars:push(priced.report { at = T + second, price = 5 }) end
    for second = 0, 1 do assert.equal(second .. " 5 5 5 5 x1 1000", line(bars:take())) end
  end)

  it("is not more after many bars than after some", function()
    local jit = rawget(_G, "jit")
    if jit then -- its traces, whose number depends on addresses, would be counted too
      jit.off()
      jit.flush()
      finally(function() jit.on() end)
    end
    local bars = chainlink.bars { interval = "1s", repair = 10 }
    local function run(from, to)
      for second = from, to do
        bars:push(priced.report { at = T + 2 * second, price = 1 }) -- what is covered has as many holes
        while bars:take() do end
      end
      collectgarbage()
      collectgarbage()
      return collectgarbage "count"
    end
    local before = run(1, 1000)
    local grown = run(1001, 3000) - before
    assert.is_true(grown < 10, grown) -- KiB; 2,000 bars are some 700, their reports' tags 90
  end)

  it("is refused when nobody takes what is ready", function()
    local bars = chainlink.bars { interval = "1s", repair = 0, remember = 2 }
    local err = check.raised("ConfigError", {}, function()
      for second = 1, 5000 do bars:push(priced.report { at = T + second, price = 1 }) end
    end)
    check.says(err, "4096 bars wait")
    assert.equal(4098, bars:stats().reports) -- the first makes none, and one is past the limit
  end)
end)

describe("bars in progress", function()
  it("are told without being taken", function()
    local bars = chainlink.bars { interval = "1m" }
    assert.is_nil(bars:current(priced.id(3)))
    push_all(bars, { { at = 1, price = 1 }, { at = 2, price = 2 } })
    for _ = 1, 2 do assert.equal("0 1 2 1 2 x2 2000 incomplete", line(bars:current(priced.id(3)))) end
    assert.is_nil(bars:take())
  end)

  it("are ready early by flush, of a time or all, and again when they are whole", function()
    local bars = chainlink.bars { interval = "1m" }
    push_all(bars, { { at = 1, price = 1 }, { at = 61, price = 2, number = 2 } })
    bars:flush(T + 59)
    assert.is_nil(bars:take())
    bars:flush(T + 60)
    assert.equal("0 1 1 1 1 x1 1000 incomplete", line(bars:take()))
    bars:flush(T + 60)
    assert.is_nil(bars:take())
    assert.same({ "0 1 2 1 2 x2 2000 incomplete revised", "0 1 2 1 2 x2 2000 revised" },
      lines(push_all(bars, { { at = 2, price = 2 }, { at = 60, price = 3 } })))
    bars:flush()
    assert.equal("60 3 3 3 3 x1 1000 incomplete", line(bars:take()))
    assert.equal(priced.id(3, 2), bars:take().feed_id)
  end)
end)

describe("bars over a source", function()
  it("come as they are ready, and at its end those in progress", function()
    local reports, got = {}, {}
    for i, at in ipairs { 0, 30, 60, 61 } do reports[i] = priced.report { at = T + at, price = i } end
    for bar in chainlink.bars({ interval = "1m" }):over(priced.iterator(reports)) do got[#got + 1] = line(bar) end
    assert.same({ "0 1 2 1 2 x2 2000", "60 3 4 3 4 x2 2000 incomplete" }, got)
  end)
end)

describe("wrong use of bars", function()
  it("raises", function()
    local report = priced.report { at = T, price = 1 }
    local bars = chainlink.bars { interval = "1m" }
    for _, interval in ipairs { "", "1", "0s", "1w", "1.5s", "-1s", "1 m", "367d", "999999999s", 0, 1.5, true } do
      check.says(check.raised("ConfigError", {}, chainlink.bars, { interval = interval }), "option 'interval'")
    end
    check.says(check.raised("ConfigError", {}, chainlink.bars, {}), "option 'interval' is required")
    check.says(check.raised("ConfigError", {}, chainlink.bars, { intervall = "1m" }), "did you mean 'interval'?")
    check.says(check.raised("ConfigError", {}, bars.push, bars, "report"), "push: expected a report, got")
    check.says(check.raised("ConfigError", {}, bars.push, report, report), "write bars:push(...) with a colon")
    check.says(check.raised("ConfigError", {}, bars.over, bars, 5), "source must be a stream or an iterator")
    check.raised("ConfigError", {}, bars.flush, bars, "now")
    check.raised("InvalidFeedIDError", {}, bars.current, bars, "0x12")
  end)

  it("takes options up to their limits", function()
    for _, options in ipairs { { repair = 0 }, { repair = 366 * 86400 }, { remember = 2 }, { remember = 2 ^ 24 },
      { gaps = true } } do
      options.interval = "1m"
      assert.truthy(chainlink.bars(options))
    end
    for words, options in pairs { ["'repair' must be a whole number of seconds, at most 366 days"] = { repair = -1 },
      ["'repair' must be"] = { repair = 366 * 86400 + 1 }, ["'remember' must be a whole number"] = { remember = 1 },
      ["'remember' must be"] = { remember = 2 ^ 24 + 1 }, ["'gaps' must be"] = { gaps = 1 },
      ["'field' must be"] = { field = 5 } } do
      options.interval = "1m"
      check.says(check.raised("ConfigError", {}, chainlink.bars, options), words)
    end
    local bars = chainlink.bars { interval = "1m" }
    for _, name in ipairs { "push", "take", "current", "flush", "over", "stats" } do
      check.says(check.raised("ConfigError", {}, bars[name], {}), "write bars:" .. name .. "(...) with a colon")
    end
  end)

  it("remembers 65536 reports where nothing is said", function()
    assert.equal(65536, chainlink.bars({ interval = "1s" }).remember)
  end)

  it("may be repaired for a quarter of an hour where nothing is said", function()
    local bars = chainlink.bars { interval = "1s" }
    push_all(bars, { { at = 1000, price = 1 } })
    assert.is_true(bars:push(priced.report { at = T + 100, price = 2 }))
    assert.same({ false, "late" }, { bars:push(priced.report { at = T + 99, price = 2 }) })
  end)

  it("does not take a report without known fields", function()
    local sample = require "spec.support.sample"
    local bars = chainlink.bars { interval = "1m" }
    for _, text in ipairs { sample.v99, sample.us_v3, sample.ms_largest } do
      check.failure("DecodeError", {}, bars:push(assert(chainlink.decode(text))))
    end
    assert.equal(3, bars:stats().unreadable)
  end)
end)
