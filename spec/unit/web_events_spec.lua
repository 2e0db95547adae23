-- SPDX-License-Identifier: MIT
-- Who is sent which events.

local events = require "chainlink.web.events"
local sse = require "chainlink.web.sse"
local stopped_clock = require "spec.support.stopped_clock"

local KEPT_BYTES = 512 * 1024

describe("the events of a server", function()
  local clock, told, epoch
  before_each(function()
    clock = stopped_clock.at(1700000000.5)
    told, epoch = events.new(), ("%x"):format(1700000000500)
  end)
  after_each(function() clock.restore() end)

  -- A reader that writes down what it is sent, and takes no more than so many texts.
  local function reader(most)
    local self = { texts = {} }
    function self.take(text)
      self.texts[#self.texts + 1] = text
      return #self.texts < (most or math.huge)
    end
    return self
  end

  local hello = sse.hello(1700000000500)

  local function report(number, json) return sse.report(epoch, number, json) end

  local function joined(resume)
    local one = reader()
    told:join(one.take, resume)
    assert.are.equal(1, #one.texts)
    assert.are.equal(hello, one.texts[1]:sub(1, #hello))
    return one.texts[1]:sub(#hello + 1)
  end

  it("are sent to everybody as they come, numbered from 1", function()
    local one, two = reader(), reader()
    told:join(one.take, "")
    told:report("a", "1")
    told:join(two.take, "")
    told:report("b", "2")
    told:fact("state", "s", "3")
    assert.are.same({ hello, report(1, "1"), report(2, "2"), sse.event("state", "3") }, one.texts)
    assert.are.same({ hello .. report(1, "1"), report(2, "2"), sse.event("state", "3") }, two.texts)
  end)

  it("are sent no more to who takes no more", function()
    local never, once, always = reader(1), reader(2), reader()
    for _, one in ipairs { never, once, always } do told:join(one.take, "") end
    for i = 1, 3 do told:report("a", tostring(i)) end
    assert.are.same({ 1, 2, 4 }, { #never.texts, #once.texts, #always.texts })
  end)

  it("are facts in the order of their keys, each as it is now, then reports", function()
    told:fact("feed", "one", "1")
    told:report("a", "0")
    told:fact("feed", "two", "2")
    told:fact("state", "three", "3")
    told:fact("feed", "one", "4")
    local facts = sse.event("feed", "4") .. sse.event("feed", "2") .. sse.event("state", "3")
    assert.are.equal(facts .. report(1, "0"), joined "")
  end)

  it("go on where a reader left them, and tell who left elsewhere", function()
    for i = 1, 3 do told:report("a", tostring(i)) end
    assert.are.equal(report(2, "2") .. report(3, "3"), joined(epoch .. "-1"))
    assert.are.equal("", joined(epoch .. "-3"))
    local all = report(1, "1") .. report(2, "2") .. report(3, "3")
    assert.are.equal(all, joined(epoch .. "-0"))
    assert.are.equal(all, joined "")
    assert.are.equal(sse.MISSED .. all, joined(epoch .. "-4"))
    assert.are.equal(sse.ANEW .. all, joined "0-1")
  end)

  -- A report whose text is of so many bytes.
  local function sized(feed, number, size)
    local json = ("x"):rep(size - #report(number, ""))
    told:report(feed, json)
    return report(number, json)
  end

  it("are kept up to a number of bytes, and the newest of each feed beyond it", function()
    local half = KEPT_BYTES / 2
    local first, second = sized("a", 1, half), sized("b", 2, half)
    assert.are.equal(first .. second, joined "")
    local third = sized("c", 3, 100)
    local fourth = sized("b", 4, half - 100)
    assert.are.equal(first .. second .. third .. fourth, joined "") -- 1 as the newest of its feed
    assert.are.equal(second .. third .. fourth, joined(epoch .. "-1"))
    local fifth = sized("c", 5, 101)
    assert.are.equal(first .. third .. fourth .. fifth, joined "") -- 2 is neither kept nor the newest of its feed
    assert.are.equal(sse.MISSED .. first .. third .. fourth .. fifth, joined(epoch .. "-1"))
    assert.are.equal(third .. fourth .. fifth, joined(epoch .. "-2"))
    local sixth = sized("d", 6, KEPT_BYTES)
    assert.are.equal(first .. fourth .. fifth .. sixth, joined "") -- older ones in their order
    local seventh = sized("d", 7, KEPT_BYTES + 1)
    assert.are.equal(first .. fourth .. fifth .. seventh, joined "")
    assert.are.equal("", joined(epoch .. "-7"))
    local eighth = sized("e", 8, 100)
    assert.are.equal(eighth, joined(epoch .. "-7"))
  end)

  it("are a sign of life where there was nothing for so long", function()
    local one = reader()
    told:join(one.take, "")
    told:keep_alive() -- nothing was sent yet
    assert.are.equal(sse.BEAT, one.texts[2])
    clock.now = clock.now + sse.QUIET_SECONDS - 0.001
    told:keep_alive()
    assert.are.equal(2, #one.texts)
    clock.now = clock.now + 0.001
    told:report("a", "1")
    told:keep_alive()
    assert.are.equal(3, #one.texts)
    clock.now = clock.now + sse.QUIET_SECONDS
    told:keep_alive()
    told:keep_alive()
    assert.are.same({ 4, sse.BEAT }, { #one.texts, one.texts[4] })
  end)
end)
