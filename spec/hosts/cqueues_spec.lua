-- SPDX-License-Identifier: MIT
local host = require "spec.support.host"
local scenes = require "spec.hosts.scenes"
local simulator = require "spec.support.simulator"
local waits = require "spec.hosts.waits"

if not host.has "cqueues" then
  pending("cqueues is not there for this Lua", function() end)
  return
end

scenes("cqueues", host.cqueues, { is_found = true })
waits("cqueues", host.cqueues)

describe("cqueues", function()
  local cqueues = require "cqueues"
  local sim
  setup(function() sim = simulator.start { feeds = 2, rate = 5 } end)
  teardown(function() sim:stop() end)

  it("has streams in its own poll beside other things", function()
    local client = sim:client()
    local stream = client:stream { assert(client:get_feeds())[1].id }
    local controller, count, ticks = cqueues.new(), 0, 0
    controller:wrap(function()
      while count < 3 do
        local ready = cqueues.poll(stream, 0.005)
        if ready == stream then
          while stream:poll() do count = count + 1 end
        else
          ticks = ticks + 1
        end
      end
    end)
    assert(controller:loop())
    assert.is_true(count >= 3)
    assert.is_true(ticks > 0)
    client:close()
  end)

  it("is not taken for a coroutine of the script's own", function()
    local client = sim:client()
    local controller, price = cqueues.new(), nil
    controller:wrap(function()
      local own = coroutine.create(function()
        price = assert(client:get_latest_report(assert(client:get_feeds())[2].id)).feed_id
      end)
      assert(coroutine.resume(own))
      assert(coroutine.status(own) == "dead", "it has yielded to who does not know why")
    end)
    assert(controller:loop())
    assert.is_string(price)
    client:close()
  end)
end)
