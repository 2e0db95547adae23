-- SPDX-License-Identifier: MIT
-- Waiting by libuv, with a stand-in for it: what is asked of it. libuv itself is in spec/hosts/luv_spec.lua.

describe("luv", function()
  local loop, loaded, polls, timers

  local function handle(list, fd)
    local made = { fd = fd, closed = 0 }
    function made.start(_, ...) made.started = { n = select("#", ...), ... } end
    function made.close() made.closed = made.closed + 1 end
    list[#list + 1] = made
    return made
  end

  before_each(function()
    polls, timers = {}, {}
    loaded = { package.loaded.luv, package.loaded["chainlink.loop.luv"] }
    package.loaded.luv = { new_poll = function(fd) return handle(polls, fd) end,
      new_timer = function() return handle(timers) end }
    package.loaded["chainlink.loop.luv"] = nil
    loop = require "chainlink.loop.luv"
  end)
  after_each(function() package.loaded.luv, package.loaded["chainlink.loop.luv"] = loaded[1], loaded[2] end)

  -- Waits in a new coroutine.
  local function wait(fd, seconds)
    local thread = coroutine.create(function() loop.wait(fd, seconds) end)
    assert(coroutine.resume(thread))
    return thread
  end

  it("waits for a descriptor, the first one too, and leaves nothing behind", function()
    for _, fd in ipairs { 0, 7 } do
      local thread = wait(fd)
      local poll = polls[#polls]
      assert.are.same({ fd, 0 }, { poll.fd, #timers })
      assert.are.equal("r", poll.started[1])
      assert.are.equal("suspended", coroutine.status(thread))
      poll.started[2]()
      assert.are.same({ "dead", 1 }, { coroutine.status(thread), poll.closed })
      wait(fd) -- by a handle of its own again
      assert.are.same({ fd, 0 }, { polls[#polls].fd, polls[#polls].closed })
      polls[#polls].started[2]()
    end
    assert.are.equal(4, #polls)
  end)

  it("shares a descriptor's handle while somebody waits for it", function()
    local first, second = wait(0, 1), wait(0)
    assert.are.same({ 1, 1 }, { #polls, #timers })
    timers[1].started[3]()
    assert.are.same({ "dead", "suspended", 0 }, { coroutine.status(first), coroutine.status(second), polls[1].closed })
    polls[1].started[2]()
    assert.are.same({ "dead", 1 }, { coroutine.status(second), polls[1].closed })
  end)

  it("waits by the clock alone, in whole milliseconds and no fewer", function()
    local thread = wait(-1, 0.0101)
    assert.are.same({ 0, 11, 0, 3 }, { #polls, timers[1].started[1], timers[1].started[2], timers[1].started.n })
    timers[1].started[3]()
    assert.are.same({ "dead", 1 }, { coroutine.status(thread), timers[1].closed })
    timers[1].started[3]() -- in the same turn of the loop
  end)
end)
