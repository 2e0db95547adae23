-- SPDX-License-Identifier: MIT
-- A feed's newest reports in memory: what they can answer, and what they cannot.

local recent = require "chainlink.web.recent"

local function item(time, valid_from, length)
  return { time = time, valid_from = valid_from, key = time, text = ("x"):rep(length or 1) }
end

local function filled(bytes, ...)
  local it = recent.new(bytes)
  for _, one in ipairs { ... } do it:add(one) end
  return it
end

local function times(items)
  if not items then return nil end
  local list = {}
  for i, one in ipairs(items) do list[i] = one.time end
  return list
end

describe("recent reports", function()
  it("answer for what lies behind the oldest's second", function()
    local it = filled(1000, item(10, 9), item(11, 11), item(12, 12), item(14, 13))
    assert.equal(14, it:newest().time)
    assert.equal(12, it:at(12).time)
    assert.is_nil(it:at(13)) -- the service may say what it says of a second without a report
    assert.is_nil(it:at(10)) -- another one of that second may have come before
    assert.same({ 11, 12 }, times(it:page(11, 2)))
    assert.same({ 14 }, times(it:page(13, 100)))
    assert.same({}, times(it:page(15, 100)))
    assert.is_nil(it:page(10, 100))
    assert.is_nil(it:page(9, 100))
  end)

  it("know nothing at the beginning", function()
    local it = recent.new(10)
    assert.is_nil(it:newest())
    assert.is_nil(it:at(1))
    assert.is_nil(it:page(1, 1))
  end)

  it("forget what lies before a hole", function()
    local it = filled(1000, item(10, 9), item(11, 11), item(14, 13), item(15, 15))
    assert.is_nil(it:page(11, 100))
    assert.is_nil(it:at(11))
    assert.same({ 15 }, times(it:page(15, 100)))
  end)

  it("keep the newest alone where no hole can be told", function()
    local it = filled(1000, item(10), item(11), item(12))
    assert.equal(12, it:newest().time)
    assert.is_nil(it:page(12, 100))
    assert.same({}, times(it:page(13, 100)))
  end)

  it("give the first one of a second, and all of them in a page", function()
    local it = recent.new(1000)
    it:add { time = 9000, valid_from = 9000, key = 9, text = "x" }
    for ms = 10000, 10800, 200 do
      it:add { time = ms, valid_from = ms - 999, key = 10, text = "x" }
    end
    assert.equal(10000, it:at(10).time)
    assert.same({ 10000, 10200, 10400, 10600, 10800 }, times(it:page(10, 100)))
  end)

  it("are bounded by the bytes of their texts, but for the newest", function()
    local it = recent.new(30)
    for time = 1, 100 do it:add(item(time, time, 10)) end
    assert.same({ 99, 100 }, times(it:page(99, 100)))
    assert.is_nil(it:page(98, 100))
    it:add(item(101, 101, 50))
    assert.equal(101, it:newest().time)
    assert.is_nil(it:at(101))
    assert.same({}, times(it:page(102, 100)))
    it:add(item(102, 102, 10))
    assert.is_nil(it:at(102))
    it:add(item(103, 103, 10))
    assert.equal(103, it:at(103).time)
  end)
end)
