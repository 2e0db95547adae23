-- SPDX-License-Identifier: MIT
-- Sets of spans, ascending lists and what was seen, each against a plain model of it.

local seen = require "chainlink.seen"
local sorted = require "chainlink.sorted"
local spans = require "chainlink.spans"

-- Numbers that are the same in every Lua.
local function generator()
  local state = 7
  return function(limit)
    state = state * 48271 % 2147483647
    return state % limit
  end
end

describe("an ascending list", function()
  local function keys(list)
    local out = {}
    for i = list.first, list.last do out[#out + 1] = list[i].key end
    return out
  end

  it("has each item where it belongs", function()
    local list, random, model = sorted.new(), generator(), {}
    assert.equal(1, list:place(5))
    for round = 1, 200 do
      local key = random(50)
      local place = list:place(key)
      assert.is_true(place == list.first or list[place - 1].key < key)
      assert.is_true(place == list.last + 1 or list[place].key >= key)
      list:insert(place, { key = key })
      model[#model + 1] = key
      table.sort(model)
      if round % 7 == 0 then
        list:drop_first()
        table.remove(model, 1)
      end
      assert.same(model, keys(list))
      assert.equal(#model, list:count())
      assert.is_nil(list[list.first - 1])
      assert.is_nil(list[list.last + 1])
    end
  end)

  it("gives up items from one place to another, and keeps nothing of them", function()
    for from = 1, 6 do
      for to = from - 1, 5 do
        local list = sorted.new()
        for key = 1, 5 do list:insert(list:place(key), { key = key }) end
        list:remove(from, to)
        local expected = {}
        for key = 1, 5 do
          if key < from or key > to then expected[#expected + 1] = key end
        end
        assert.same(expected, keys(list))
        for i = list.last + 1, 6 do assert.is_nil(list[i]) end
      end
    end
  end)
end)

describe("a set of spans", function()
  -- What is fresh of from, …, to in a model, as spans.
  local function fresh_in(model, from, to)
    local out = {}
    for i = from, to do
      if not model[i] then
        local last = out[#out]
        if last and last[2] == i - 1 then last[2] = i else out[#out + 1] = { i, i } end
      end
      model[i] = true
    end
    return out
  end

  it("tells what is new of each, and how much is covered", function()
    local random = generator()
    for _ = 1, 20 do
      local set, model = spans.new(1000), {}
      for _ = 1, 25 do
        local from = random(60)
        local to = from + random(8)
        local got = {}
        set:add(from, to, function(low, high) got[#got + 1] = { low, high } end)
        assert.same(fresh_in(model, from, to), got)
        local low = random(60)
        local high, count = low + random(20), 0
        for i = low, high do count = count + (model[i] and 1 or 0) end
        assert.equal(count, set:covered(low, high))
        local islands = 0
        for i = 0, 80 do islands = islands + (model[i] and not model[i - 1] and 1 or 0) end
        assert.equal(islands, set.list:count()) -- those that touch are one
      end
    end
  end)

  it("forgets what lies wholly before, and the oldest beyond its limit", function()
    local function ignore() end
    local set = spans.new(2)
    set:add(0, 1, ignore)
    set:add(4, 5, ignore)
    assert.equal(4, set:covered(0, 9))
    set:add(8, 9, ignore)
    assert.equal(4, set:covered(0, 9))
    assert.equal(0, set:covered(0, 1))
    set:forget(5)
    assert.equal(2, set:covered(4, 5))
    set:forget(6)
    assert.equal(0, set:covered(4, 5))
    set:forget(100)
    assert.equal(0, set:covered(0, 100))
  end)

  it("has texts of up to 366 days", function()
    for text, seconds in pairs { ["5s"] = 5, ["1m"] = 60, ["4h"] = 14400, ["366d"] = 31622400, ["31622400s"] = 31622400,
      ["00000001s"] = 1 } do
      assert.equal(seconds, spans.seconds(text))
    end
    assert.equal(1, spans.seconds(1))
    assert.equal(31622400, spans.seconds(31622400))
    for _, wrong in ipairs { "0s", "31622401s", "000000001s", "s", "1", "1w", 0, 31622401, 1.5, true } do
      assert.is_nil(spans.seconds(wrong), tostring(wrong))
    end
  end)
end)

describe("what was seen", function()
  it("is known again by time and tag, as long as it is remembered", function()
    local known = seen.new(1000, 1000)
    for _, tag in ipairs { "a", "b", "c" } do
      assert.is_true(known:add(5, tag))
      assert.is_false(known:add(5, tag))
    end
    assert.is_true(known:add(6, "a"))
    assert.is_false(known:add(5, "a"))
    assert.is_false(known:is_forgotten(5))
    assert.is_false(known:is_forgotten(0))
  end)

  it("is forgotten by number, half of it at a time", function()
    local known = seen.new(5, 1e9)
    for ms = 1, 4 do assert.is_true(known:add(ms, "a")) end
    for ms = 1, 4 do assert.is_false(known:add(ms, "a")) end
    assert.is_false(known:is_forgotten(1))
    assert.is_true(known:add(5, "a"))
    assert.same({ true, true, false }, { known:is_forgotten(1), known:is_forgotten(2), known:is_forgotten(3) })
    assert.is_false(known:add(3, "a"))
    local least = seen.new(2, 1e9)
    for ms = 1, 3 do assert.is_true(least:add(ms, "a")) end
    assert.same({ true, false }, { least:is_forgotten(1), least:is_forgotten(2) })
  end)

  it("is forgotten by time, that of the feed where it is told", function()
    local known = seen.new(1000, 10)
    assert.is_true(known:add(100, "a"))
    assert.is_true(known:add(110, "a")) -- no more than the span
    assert.is_true(known:add(111, "a"))
    assert.is_false(known:add(100, "a"))
    assert.is_true(known:add(121, "a"))
    assert.is_false(known:is_forgotten(110))
    assert.is_true(known:add(122, "a"))
    assert.same({ true, false }, { known:is_forgotten(110), known:is_forgotten(111) })
    local late = seen.new(1000, 10)
    assert.is_true(late:add(100, "a", 200))
    assert.is_true(late:add(150, "a", 210))
    assert.is_true(late:add(90, "a", 211))
    assert.is_true(late:add(95, "a", 222))
    assert.same({ true, false }, { late:is_forgotten(150), late:is_forgotten(151) })
  end)
end)
