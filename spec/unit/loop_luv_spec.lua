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

  local NAMES = { "luv", "uv", "chainlink.loop.luv" }

  -- Loads the module where libuv is there under that name alone.
  local function load_with(name)
    for _, known in ipairs(NAMES) do package.loaded[known] = nil end
    package.loaded[name] = { new_poll = function(fd) return handle(polls, fd) end,
      new_timer = function() return handle(timers) end }
    loop = require "chainlink.loop.luv"
  end

  before_each(function()
    polls, timers, loaded = {}, {}, {}
    for _, name in ipairs(NAMES) do loaded[name] = package.loaded[name] end
    load_with "luv"
  end)
  after_each(function()
    for _, name in ipairs(NAMES) do package.loaded[name] = loaded[name] end
  end)

  -- Waits in a new coroutine, and does what is behind it.
  local function wait(fd, seconds, behind)
    local thread = coroutine.create(function()
      loop.wait(fd, seconds)
      if behind then behind() end
    end)
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

  it("is done with a descriptor when the coroutine goes on to something else", function()
    for i, fd in ipairs { 0, 7 } do
      local thread = wait(fd, nil, coroutine.yield)
      polls[i].started[2]()
      assert.are.same({ "suspended", 1 }, { coroutine.status(thread), polls[i].closed })
    end
  end)

  it("wakes all, of whom one fails, and tells how", function()
    local first, second = wait(0, nil, function() error("on purpose", 0) end), wait(0)
    local ok, err = pcall(polls[1].started[2])
    assert.are.same({ false, "on purpose" }, { ok, err })
    assert.are.same({ "dead", "dead", 1 }, { coroutine.status(first), coroutine.status(second), polls[1].closed })
    wait(-1, 1, function() error("on purpose", 0) end)
    ok, err = pcall(timers[1].started[3])
    assert.is_false(ok)
    assert.matches("on purpose$", err)
  end)

  it("forgets a coroutine that was closed while it waited", function()
    local close = coroutine.close -- luacheck: ignore 143
    if not close then return end -- Lua 5.4 and later have it
    local closed, other = wait(0), wait(0)
    close(closed)
    polls[1].started[2]()
    assert.are.same({ "dead", 1 }, { coroutine.status(other), polls[1].closed })
  end)

  it("is there under its other name", function()
    load_with "uv"
    wait(0)
    assert.are.equal(1, #polls)
  end)

  it("waits in coroutines only", function()
    local real_running = coroutine.running
    for _, running in ipairs { { nil }, { coroutine.create(function() end), true } } do
      coroutine.running = function() return running[1], running[2] end -- luacheck: ignore 122
      local ok, err = pcall(loop.wait, 0)
      coroutine.running = real_running -- luacheck: ignore 122
      assert.is_false(ok)
      assert.are.same({ "ConfigError", "under luv only a coroutine can wait, and this is none" },
        { err.kind, err.message })
    end
    assert.are.same({}, polls)
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
    wait(-1, 3)
    assert.are.equal(3000, timers[2].started[1])
  end)
end)
