-- SPDX-License-Identifier: MIT
-- A queue that is never empty: its bounds, and what waits beside it.

local await = require "spec.support.await"
local service = require "spec.support.service"

describe("a queue that is never empty", function()
  local sim, client, id

  service.for_all({ feeds = 1, rate = 1000 }, {}, function(...)
    sim, client = ...
    id = assert(client:get_feeds())[1].id
  end)

  it("does not keep events from the script", function()
    local told = {}
    local stream = client:stream({ id }, { overflow = "drop_oldest", reconnect_delay = 0.05,
      on_status = function(event) told[#told + 1] = event.state end })
    await("many reports", function() return stream:stats().queue_length >= 1000 end)
    local told_before = #told
    local before = sim:stats().websockets.total
    sim:control("POST", "/control/kill?how=drop")
    await("another connection", function() return sim:stats().websockets.total > before end)
    for _ = 1, 200 do assert(stream:read(10)) end
    assert.are.equal("disconnected", told[told_before + 1])
    stream:close()
  end)

  it("is bounded in bytes too", function()
    local stream = client:stream({ id }, { overflow = "drop_oldest", queue_bytes = 1024 * 1024 })
    local stats
    await("the oldest to be dropped", function()
      stats = stream:stats()
      return stats.dropped > 0
    end)
    assert.is_true(stats.queue_length < 1024 * 1024 / 1000) -- a report has a thousand bytes and more
    stream:close()
  end)
end)
