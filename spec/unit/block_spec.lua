-- SPDX-License-Identifier: MIT
-- The waiter of a plain script.

local chainlink = require "chainlink"
local block = require "chainlink.loop.block"
local core = require "chainlink.core"
local sample = require "spec.support.sample"

describe("waiting", function()
  local client, stream
  setup(function()
    client = chainlink.client { api_key = "key", api_secret = "hush", rest_url = "https://127.0.0.1:1",
      ws_url = "wss://127.0.0.1:1", max_reconnects = 0 }
    stream = client:stream { sample.feed_id(3) }
  end)
  teardown(function() client:close() end)

  it("ends when the time is over, not before", function()
    for _, seconds in ipairs { 0, 0.05 } do
      local before = core.monotonic()
      assert.is_false(block.wait(-1, seconds))
      assert.is_true(core.monotonic() - before >= seconds)
    end
  end)

  it("ends as soon as there is something, with and without a limit", function()
    local _, err = stream:read(90) -- nobody listens: the stream fails
    assert.are.equal("NetworkError", err.kind)
    assert.is_true(block.wait(stream:pollfd()))
    assert.is_true(block.wait(stream:pollfd(), 3600))
    assert.is_true(block.wait(stream:pollfd(), 0))
  end)
end)
