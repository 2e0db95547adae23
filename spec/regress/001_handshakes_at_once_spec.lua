-- SPDX-License-Identifier: MIT
-- Each libwebsockets context moved the place where handshakes under way in other threads kept their data, so that
-- streams opened at about the same time refused a good certificate now and then.

local simulator = require "spec.support.simulator"

local ROUNDS, STREAMS = 8, 12

describe("streams that are opened at once over TLS", function()
  it("all accept a good certificate at the first attempt", function()
    local sim = simulator.start { rate = 20, rate_limit = 0, feeds = 1 }
    finally(function() sim:stop() end)
    local client = sim:client {}
    local id = assert(client:get_feeds())[1].id
    for _ = 1, ROUNDS do
      local streams = {}
      for i = 1, STREAMS do streams[i] = client:stream({ id }, { max_reconnects = 0 }) end
      for _, stream in ipairs(streams) do assert(stream:read(60)) end
      for _, stream in ipairs(streams) do stream:close() end
    end
    client:close()
  end)
end)
