-- SPDX-License-Identifier: MIT
-- Waiting by Copas 3 and later, of which no distribution has one to run: what is asked of it. Copas before that is in
-- spec/hosts/copas_spec.lua.

local anew = require "spec.support.anew"
local core = require "chainlink.core"
local project = require "spec.support.project"

describe("Copas with time limits", function()
  local asked, later, loop, restore

  before_each(function()
    asked = {}
    local function note(name, answer)
      return function(...)
        asked[#asked + 1] = { name, n = select("#", ...), ... }
        return answer
      end
    end
    later = { running = true, settimeouts = note "settimeouts", pause = note("pause", "paused"),
      receive = note "receive", _VERSION = "Copas 4" }
    loop, restore = anew.load("chainlink.loop.copas", { copas = later })
  end)
  after_each(function() restore() end)

  it("is found in a coroutine while it runs", function()
    local function is_running() return loop.is_running() end
    assert.is_true(coroutine.wrap(is_running)())
    later.running = false
    assert.is_false(coroutine.wrap(is_running)())
  end)

  local function run(program)
    return { project.run(("echo '%s' | %s -"):format(program, project.lua)) }
  end

  it("is not found where nothing can yield", function()
    local program = 'package.loaded.copas = { running = true } print(require("chainlink.loop.copas").is_running())'
    assert.are.same({ "false\n", 0 }, run(program))
  end)

  it("has no limits before Copas 3, and says so", function()
    assert.is_false(loop.lacks_limits)
    local program = 'package.loaded.copas = {} print(require("chainlink.loop.copas").lacks_limits)'
    assert.are.same({ "true\n", 0 }, run(program))
  end)

  it("pauses where there is no descriptor", function()
    assert.are.equal("paused", loop.wait(-1, 0.5))
    loop.wait(-1)
    assert.are.same({ { "pause", n = 1, 0.5 }, { "pause", n = 1 } }, asked)
  end)

  it("limits the reading alone", function()
    loop.wait(7, 0.5)
    local limited, received = asked[1], asked[2]
    assert.are.same({ "settimeouts", n = 4, limited[2], [5] = 0.5 }, limited)
    assert.are.equal("receive", received[1])
    assert.are.equal(limited[2], received[2])
    assert.are.equal(7, received[2]:getfd())
    assert.is_nil(received[2]:close())
    loop.wait(8)
    assert.are.same({ 3, "receive" }, { #asked, asked[3][1] })
  end)

  it("is told whether there is something, at once", function()
    loop.wait(7)
    local source, real, answer = asked[1][2], core.wait, nil
    local looked = {}
    function core.wait(fd, seconds) -- luacheck: ignore 122
      looked[#looked + 1] = { fd, seconds }
      return answer
    end
    finally(function() core.wait = real end)
    assert.are.same({ nil, "timeout" }, { source:receive() })
    answer = true
    assert.is_string(source:receive())
    assert.are.same({ { 7, 0 }, { 7, 0 } }, looked)
  end)
end)
