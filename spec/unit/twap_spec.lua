-- SPDX-License-Identifier: MIT
-- chainlink.twap: price times validity over a window, in integers.

local chainlink = require "chainlink"
local check = require "spec.support.failure"
local priced = require "spec.support.priced"

local T = 1700000040
local id = priced.id(3)

local function twap_of(options, list)
  local twap = chainlink.twap(options)
  for _, what in ipairs(list) do
    local start = what.ms and T * 1000 or T
    assert(twap:push(priced.report { at = start + what.at, from = what.from and start + what.from, price = what.price,
      bid = what.bid, ms = what.ms, number = what.number }) ~= nil)
  end
  return twap
end

describe("an average", function()
  it("is price times validity, over what is covered", function()
    local value = twap_of({ window = "1m" }, { { at = 3, from = 1, price = 10 }, { at = 4, from = 4, price = 2 } })
      :value(id)
    assert.same({ feed_id = id, average = "8", raw = "8000000000000000000", sum = "32000000000000000000000",
      covered_ms = 4000, coverage = 4000 / 60000, from_ms = (T - 55) * 1000, to_ms = T * 1000 + 4999, window = 60,
      count = 2 }, value)
  end)

  it("is of the window alone that ends with the newest report", function()
    local twap = twap_of({ window = 10 }, { { at = 5, from = 1, price = 100 }, { at = 12, from = 6, price = 10 } })
    -- 3 s of 100, 7 s of 10
    assert.same({ "37", 10000, 1 }, { twap:value(id).average, twap:value(id).covered_ms, twap:value(id).coverage })
    twap:push(priced.report { at = T + 20, from = T + 13, price = 1 })
    assert.same({ "2.8", 2 }, { twap:value(id).average, twap:value(id).count }) -- 2 s of 10, 8 s of 1
  end)

  it("is rounded toward zero, and its sum is whole", function()
    local list = { { at = 0, price = 1 }, { at = 1, price = 1 }, { at = 2, price = 0 } }
    assert.equal("0.666666666666666666", twap_of({ window = 60 }, list):value(id).average)
    for _, what in ipairs(list) do what.price = -what.price end
    local value = twap_of({ window = 60 }, list):value(id)
    assert.same({ "-0.666666666666666666", "-2000000000000000000000" }, { value.average, value.sum })
  end)

  it("is to the millisecond of millisecond feeds", function()
    local value = twap_of({ window = "1s" }, { { at = 1, price = 4, ms = true },
      { at = 4, from = 2, price = 8, ms = true } }):value(priced.id(3, 1, true))
    assert.same({ "7", 4, 0.004 }, { value.average, value.covered_ms, value.coverage })
  end)

  it("counts a time once: it belongs to the first report that was observed then or later", function()
    local value = twap_of({ window = 60 }, { { at = 10, from = 1, price = 1 }, { at = 12, from = 5, price = 6 } })
      :value(id)
    assert.same({ "22000000000000000000000", 12000 }, { value.sum, value.covered_ms }) -- 10 s of 1, 2 s of 6
    value = twap_of({ window = 60 }, { { at = 10, price = 1 }, { at = 10, price = 2 },
      { at = 10, price = 2, bid = 3 } }):value(id)
    assert.same({ "1", 1000, 3 }, { value.average, value.covered_ms, value.count })
  end)

  it("is the same when reports come late", function()
    local list = { { at = 3, from = 1, price = 5 }, { at = 9, from = 2, price = 7 }, { at = 9, price = 8 },
      { at = 20, from = 8, price = 11 }, { at = 61, from = 15, price = 2 } }
    local expected = twap_of({ window = 60 }, list):value(id)
    for _, order in ipairs { { 5, 4, 2, 3, 1 }, { 2, 1, 5, 3, 4 }, { 4, 2, 3, 5, 1 } } do
      local shuffled = {}
      for i, place in ipairs(order) do shuffled[i] = list[place] end
      assert.same(expected, twap_of({ window = 60 }, shuffled):value(id))
    end
  end)

  it("does not count what is repeated, or lies before the window", function()
    local twap = twap_of({ window = 60 }, { { at = 100, price = 1 }, { at = 100, price = 1 }, { at = 41, price = 2 },
      { at = 40, price = 2 }, { at = 41, price = 2 } })
    assert.same({ reports = 2, repeated = 2, late = 1, unreadable = 0 }, twap:stats())
    assert.equal("1.5", twap:value(id).average)
  end)

  it("covers what is remembered", function()
    local twap = chainlink.twap { window = 60, remember = 2 }
    for second = 1, 5 do twap:push(priced.report { at = T + second, price = second }) end
    assert.same({ "4.5", 2000, 2 }, { twap:value(id).average, twap:value(id).covered_ms, twap:value(id).count })
    for bid = 2, 4 do twap:push(priced.report { at = T + 5, price = 9, bid = bid }) end
    assert.is_nil(twap:value(id)) -- nothing but reports whose time belongs to one that is forgotten
  end)

  it("leaves out a report that has not a millisecond within the window, and takes one that has", function()
    local twap = twap_of({ window = 1 }, { { at = 100, price = 5, ms = true }, { at = 1099, price = 3, ms = true } })
    local value = twap:value(priced.id(3, 1, true))
    assert.same({ 2, 2, "4" }, { value.count, value.covered_ms, value.average })
    twap:push(priced.report { at = T * 1000 + 1100, price = 3, ms = true })
    value = twap:value(priced.id(3, 1, true))
    assert.same({ 2, 2, "3" }, { value.count, value.covered_ms, value.average })
  end)

  it("counts of its first report what lies within, to the millisecond", function()
    local twap = twap_of({ window = 1 }, { { at = 101, from = 100, price = 5, ms = true },
      { at = 1100, price = 3, ms = true } })
    local value = twap:value(priced.id(3, 1, true))
    assert.same({ 2, "4" }, { value.covered_ms, value.average })
  end)

  it("tells what lies before its window from what was counted", function()
    local twap = twap_of({ window = 1 }, { { at = 10, price = 1 } })
    assert.same({ false, "late" }, { twap:push(priced.report { at = T + 1, price = 1 }) })
    assert.same({ false, "repeated" }, { twap:push(priced.report { at = T + 10, price = 1 }) })
    assert.same({ reports = 1, repeated = 1, late = 1, unreadable = 0 }, twap:stats())
  end)

  it("is of each feed, nil of one that had no report", function()
    local twap = twap_of({ window = 60 }, { { at = 1, price = 1 }, { at = 2, price = 2, number = 2 } })
    assert.same({ "1", "2" }, { twap:value(id).average, twap:value(priced.id(3, 2)).average })
    assert.is_nil(twap:value(priced.id(3, 3)))
  end)

  it("comes after each report of a source that counts", function()
    local reports = {}
    for i, at in ipairs { 1, 2, 2, 3 } do reports[i] = priced.report { at = T + at, price = at } end
    local got = {}
    for value in chainlink.twap { window = "1h" }:over(priced.iterator(reports)) do got[#got + 1] = value.average end
    assert.same({ "1", "1.5", "2" }, got)
  end)
end)

describe("wrong use of averages", function()
  it("raises", function()
    local twap = chainlink.twap { window = "1m" }
    check.says(check.raised("ConfigError", {}, chainlink.twap, {}), "option 'window' is required")
    check.says(check.raised("ConfigError", {}, chainlink.twap, { window = "1y" }), "option 'window' must be")
    check.says(check.raised("ConfigError", {}, twap.push, twap, nil), "push: expected a report, got nil")
    check.failure("DecodeError", {}, twap:push(assert(chainlink.decode(require "spec.support.sample".v99))))
    assert.same({ reports = 0, repeated = 0, late = 0, unreadable = 1 }, twap:stats())
    for _, name in ipairs { "push", "value", "over", "stats" } do
      check.says(check.raised("ConfigError", {}, twap[name], {}), "write twap:" .. name .. "(...) with a colon")
    end
    check.says(check.raised("ConfigError", {}, chainlink.twap, { window = 1, field = 5 }), "option 'field' must be")
    for _, remember in ipairs { 1, 16777217, 2.5 } do
      check.says(check.raised("ConfigError", {}, chainlink.twap, { window = 1, remember = remember }),
        "option 'remember' must be a whole number from 2 to 16777216")
    end
    assert.equal(131072, twap.remember) -- where nothing is said
    for _, remember in ipairs { 2, 16777216 } do
      assert.truthy(chainlink.twap { window = 1, remember = remember })
    end
  end)
end)
