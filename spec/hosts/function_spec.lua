-- SPDX-License-Identifier: MIT
-- A loop of the script's own, and LuaSocket's select.

local await = require "spec.support.await"
local core = require "chainlink.core"
local expect = require "spec.support.failure"
local simulator = require "spec.support.simulator"

describe("a loop of the script's own", function()
  local sim, id
  setup(function()
    sim = simulator.start { feeds = 1, rate = 5 }
    local client = sim:client()
    id = assert(client:get_feeds())[1].id
    client:close()
  end)
  teardown(function() sim:stop() end)

  it("is asked to wait for a descriptor, for so many seconds", function()
    local asked = {}
    local client = sim:client {
      loop = function(fd, seconds)
        asked[#asked + 1] = { fd = fd, seconds = seconds }
        core.wait(fd, 0.01) -- may come back early
      end,
    }
    assert(client:get_latest_report(id))
    assert.is_true(#asked > 0)
    for i, wait in ipairs(asked) do
      assert.is_true(wait.fd >= 0)
      assert.is_nil(wait.seconds)
      asked[i] = nil
    end
    local stream = client:stream { id }
    assert(stream:read(60))
    assert.are.equal(stream:pollfd(), asked[1].fd)
    assert.is_true(asked[1].seconds <= 60)
    client:close()
  end)

  it("may be a stream's alone", function()
    local client = sim:client()
    local asked = 0
    local stream = client:stream({ id }, { loop = function(fd)
      asked = asked + 1
      core.wait(fd, 0.01)
    end })
    assert(client:get_latest_report(id))
    assert.are.equal(0, asked)
    assert(stream:read(60))
    assert.is_true(asked > 0)
    client:close()
  end)

  it("connects though a sibling takes the events that tell of it", function()
    local client, stream, connected = sim:client(), nil, nil
    local run = coroutine.wrap(function()
      stream = client:stream({ id }, { loop = function(_, seconds) coroutine.yield(seconds or "for ever") end })
      connected = stream:connect()
    end)
    local seconds = run()
    await("the connection", function()
      stream:stats() -- takes them
      return stream:stats().active_connections == 1
    end)
    while not connected do
      assert.is_number(seconds)
      seconds = run()
    end
    client:close()
  end)

  it("can be LuaSocket's select", function()
    local socket = require "socket"
    local client = sim:client()
    local stream = client:stream { id }
    local count = 0
    while count < 3 do
      local ready = socket.select({ stream }, nil, 60)
      assert.are.equal(stream, ready[1])
      while stream:poll() do count = count + 1 end
    end
    client:close()
  end)

  it("must be a function or have a known name", function()
    for _, wrong in ipairs { true, 3, "uvloop", {} } do
      expect.says(expect.raised("ConfigError", {}, sim.client, sim, { loop = wrong }), "option 'loop' must be")
    end
  end)

  it("cannot be nginx' where there is none", function()
    expect.says(expect.raised("ConfigError", {}, sim.client, sim, { loop = "openresty" }), "no nginx")
  end)
end)
