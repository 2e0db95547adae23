-- SPDX-License-Identifier: MIT
-- Which loop is found, and what it is asked, with libraries and Lua versions that are put in its place.

local anew = require "spec.support.anew"
local check = require "spec.support.failure"

local block = require "chainlink.loop.block"

describe("waiting", function()
  local waiting, restore, loops, loaded

  -- A loop that is running, or not; what it is asked to wait for is in `asked`.
  local function loop(name, lacks_limits)
    local made = { name = name, running = true, asked = {}, lacks_limits = lacks_limits }
    function made.is_running() return made.running end
    function made.wait(...)
      made.asked[#made.asked + 1] = { ... }
      return name .. " waited"
    end
    return made
  end

  local function by_thread(run)
    return coroutine.wrap(run)()
  end

  local hosts = { "ngx", "cqueues", "copas" }

  before_each(function()
    loops = { openresty = loop "openresty", cqueues = loop "cqueues", copas = loop("copas", true) }
    waiting, restore = anew.load("chainlink.waiting", { ["chainlink.loop.openresty"] = loops.openresty,
      ["chainlink.loop.cqueues"] = loops.cqueues, ["chainlink.loop.copas"] = loops.copas })
    loaded = {}
    for _, host in ipairs(hosts) do loaded[host], package.loaded[host] = package.loaded[host] or false, nil end
  end)
  after_each(function()
    restore()
    for _, host in ipairs(hosts) do package.loaded[host] = loaded[host] or nil end
  end)

  describe("by itself", function()
    it("finds nothing that the host has not loaded, and blocks", function()
      local state = waiting.by "auto"
      assert.is_false(state.may_yield())
      assert.is_true(state.has_limits())
      assert.is_true(state.blocks())
      local real, asked = block.wait, nil
      block.wait = function(...)
        asked = { ... }
        return "blocked"
      end
      local answer = state.wait(7, 0.5)
      block.wait = real
      assert.same({ "blocked", { 7, 0.5 } }, { answer, asked })
    end)

    it("finds the first that runs", function()
      local state = waiting.by "auto"
      for _, host in ipairs(hosts) do package.loaded[host] = {} end
      for i, name in ipairs { "openresty", "cqueues", "copas" } do
        assert.equal(name .. " waited", state.wait(i, 2))
        assert.same({ { i, 2 } }, loops[name].asked)
        assert.is_true(state.may_yield())
        assert.equal(name ~= "copas", state.has_limits())
        assert.is_false(state.blocks())
        loops[name].running = false
      end
      assert.is_true(state.blocks())
      for _, host in ipairs(hosts) do package.loaded[host] = nil end
      for i, name in ipairs { "openresty", "cqueues", "copas" } do
        loops[name].running, package.loaded[hosts[i]] = true, {}
        assert.equal(name .. " waited", state.wait(5))
        package.loaded[hosts[i]] = nil
      end
    end)
  end)

  describe("by a loop of this name", function()
    it("waits by it, and yields in a coroutine alone", function()
      local state = waiting.by "copas"
      assert.equal(loops.copas.wait, state.wait)
      assert.is_false(state.has_limits())
      assert.is_false(state.blocks())
      assert.is_true(by_thread(state.may_yield))
      assert.is_true(waiting.by "cqueues".has_limits())
    end)

    it("blocks where it says so, or there is none", function()
      for _, name in ipairs { "block", false } do
        local state = waiting.by(name)
        assert.equal(block.wait, state.wait)
        assert.is_true(state.has_limits())
        assert.is_true(state.blocks())
        assert.is_false(by_thread(state.may_yield))
      end
      assert.equal(block.wait, waiting.by(nil).wait)
    end)

    it("raises where its library is missing, and tells the first line of why", function()
      package.loaded["chainlink.loop.cqueues"] = nil
      package.preload["chainlink.loop.cqueues"] = function() error("first\nsecond", 0) end
      finally(function() package.preload["chainlink.loop.cqueues"] = nil end)
      local err = check.raised("ConfigError", {}, waiting.by, "cqueues")
      check.says(err, "option 'loop' is \"cqueues\", and that library cannot be loaded: ")
      check.says(err, "first")
      assert.is_nil(err.message:find("\n", 1, true))
    end)
  end)

  it("by a function of the script's own may yield in a coroutine, and has limits", function()
    local function own() end
    local state = waiting.by(own)
    assert.equal(own, state.wait)
    assert.is_true(by_thread(state.may_yield))
    assert.is_true(state.has_limits())
    assert.is_false(state.blocks())
    local callable = setmetatable({}, { __call = own })
    assert.equal(callable, waiting.by(callable).wait)
  end)

  -- The module as this Lua would load it.
  local function of_lua(version, jit)
    local real, real_jit = _VERSION, rawget(_G, "jit")
    rawset(_G, "_VERSION", version)
    rawset(_G, "jit", jit)
    local made, put_back = anew.load("chainlink.waiting", {})
    rawset(_G, "_VERSION", real)
    rawset(_G, "jit", real_jit)
    put_back()
    return made
  end

  local function yielding(answer)
    return { may_yield = function() return answer end }
  end

  describe("in a `for` loop", function()
    it("cannot yield in Lua 5.1, and says so before each step", function()
      local of_51 = of_lua "Lua 5.1"
      local err = check.raised("ConfigError", {}, of_51.check_for, yielding(true), "client:read")
      assert.equal("Lua 5.1 cannot wait in a `for` loop under an event loop; use client:read", err.message)
      of_51.check_for(yielding(false), "client:read")
      local state, steps = yielding(false), 0
      local function step()
        steps = steps + 1
        return steps
      end
      local iterator = of_51.for_loop(state, "client:read", step)
      assert.equal(1, iterator())
      state.may_yield = function() return true end
      assert.equal(err.message, check.raised("ConfigError", {}, iterator).message)
      assert.equal(1, steps)
    end)

    it("yields in any other", function()
      for _, made in ipairs { of_lua("Lua 5.1", {}), of_lua "Lua 5.4" } do
        made.check_for(yielding(true), "client:read")
        assert.equal(print, made.for_loop(yielding(true), "client:read", print))
      end
    end)
  end)
end)

-- What a program's first thread is told, which a test is not in under every runner.
describe("the main thread", function()
  it("is no coroutine", function()
    local process = require "spec.support.process"
    assert.same({ "false\ttrue\n", 0 }, { process.lua [[
      local state = require "chainlink.waiting".by(print)
      print(state.may_yield(), coroutine.wrap(state.may_yield)())
    ]] })
  end)
end)
