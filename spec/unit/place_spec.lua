-- SPDX-License-Identifier: MIT
-- How far a reader of an nginx's events is, told to another nginx.
local place = require "chainlink.openresty.place"

local A, B = "0x0003" .. ("1a"):rep(30), "0x0003" .. ("2b"):rep(30)
local IN_MS = "0x1003" .. ("3c"):rep(30)
local T = 1700000000000 -- milliseconds

-- A reader who was told reports of these times, {id, seconds behind T} each, and went to another nginx with that.
local function moved(...)
  local first = place.new()
  for _, report in ipairs { ... } do first:note(report[1], T + report[2] * 1000) end
  local second = place.new(first:text())
  second:move()
  return second
end

-- What it is told of a feed's events there: "no", "news" or "lost" of each {seconds, valid from, seconds}.
local function judged(reader, id, events, late)
  local words = {}
  for i, event in ipairs(events) do
    local observed, from = event[1], event[2] or event[1]
    local is_news, has_missed = reader:judge({ id = id, observed = T + observed * 1000,
      valid_from = event.has_none and 0 or T + from * 1000 }, late or 0)
    words[i] = has_missed and "lost" or is_news and "news" or "no"
    if is_news then reader:note(id, T + observed * 1000) end
  end
  return table.concat(words, " ")
end

describe("a reader's place", function()
  it("is where it was: each feed goes on behind its own time", function()
    local reader = moved({ A, 1 }, { B, 1 }, { A, 2 })
    assert.are.equal("no no news news", judged(reader, A, { { 1 }, { 2 }, { 3 }, { 4 } }))
    assert.are.equal("no no news", judged(reader, B, { { 0 }, { 1 }, { 2 } }))
    assert.are.equal("news", judged(reader, IN_MS, { { 1 } })) -- of which it had none
    assert.are.equal(("%s:%x.%s:%x.%s:%x"):format(A:sub(7, 14), T + 4000, B:sub(7, 14), T + 2000, IN_MS:sub(7, 14),
      T + 1000), reader:text())
  end)

  it("tells of what is missing by the next report's validity", function()
    assert.are.equal("news", judged(moved { A, 1 }, A, { { 2 } }))
    assert.are.equal("news", judged(moved { A, 1 }, A, { { 9, 2 } }))
    assert.are.equal("lost", judged(moved { A, 1 }, A, { { 9, 3 } }))
    assert.are.equal("no news", judged(moved { A, 1 }, A, { { 0 }, { 9, 3 } })) -- the stream there says what it lost
    assert.are.equal("news", judged(moved { A, 1 }, A, { { 2, has_none = true } }))
    assert.are.equal("lost", judged(moved { A, 1 }, A, { { 3, has_none = true } }))
    assert.are.equal("news", judged(moved { IN_MS, 1 }, IN_MS, { { 1.2, 1.001 } }))
    assert.are.equal("lost", judged(moved { IN_MS, 1 }, IN_MS, { { 1.2, 1.002 } }))
    assert.are.equal("lost news", judged(moved { A, 1 }, A, { { 3 }, { 9 } }))
  end)

  it("counts reports of one time, and is told those again that cannot be told apart", function()
    local function had_two() return moved({ A, 0 }, { A, 1 }, { A, 1 }) end
    assert.are.equal("no no no news news", judged(had_two(), A, { { 0 }, { 1 }, { 1 }, { 1 }, { 2 } }))
    assert.are.equal("news news news news", judged(had_two(), A, { { 1 }, { 1 }, { 1 }, { 2 } }))
    local reader = had_two()
    assert.are.equal("no no no news", judged(reader, A, { { 0 }, { 1 }, { 1 }, { 1 } }))
    reader = place.new(reader:text())
    reader:move()
    assert.are.equal("no no no no news", judged(reader, A, { { 0 }, { 1 }, { 1 }, { 1 }, { 1 } }))
  end)

  it("is behind by as much as reports may come late", function()
    assert.are.equal("no news news news", judged(moved { A, 20 }, A, { { 9 }, { 11 }, { 20 }, { 25, 24 } }, 10000))
    assert.are.equal("lost", judged(moved { A, 20 }, A, { { 25, 24 } }, 10000))
  end)

  it("is not told where it is not known of each feed, or of too many", function()
    local reader = place.new ""
    reader:note(A, T)
    assert.are.equal("", reader:text())
    reader = place.new()
    for i = 1, 32 do reader:note(("0x0003%08x"):format(i) .. ("0"):rep(52), T) end
    assert.are.equal(32 * #"00000001:18bcfe56800" + 31, #reader:text())
    reader:note(A, T)
    assert.are.equal("", reader:text())
    reader = place.new()
    reader:note(A, T)
    reader:note(A:sub(1, 14) .. ("4d"):rep(26), T)
    assert.are.equal("", reader:text())
  end)

  it("is told by anybody: nonsense is none", function()
    for _, text in ipairs { "nonsense", ":", "1a1a1a1a:", "1a1a1a1a:+1", "1a1a1a1a:" .. ("f"):rep(40),
      "1a1a1a1a:18bcfe56800+" .. ("9"):rep(40) } do
      local reader = place.new(text)
      reader:move()
      assert.are.equal("news", judged(reader, A, { { 5 } }), text)
    end
  end)
end)
