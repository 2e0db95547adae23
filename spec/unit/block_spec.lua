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

  -- What the waiter asks of the engine, which does it; the first answer is a signal's, when `is_disturbed`.
  local function asked_by(seconds, is_disturbed)
    local real, asked = core.wait, {}
    function core.wait(fd, limit)
      asked[#asked + 1] = limit
      if is_disturbed and #asked == 1 then return nil end
      return real(fd, limit)
    end
    local ok, ready = pcall(block.wait, -1, seconds)
    core.wait = real
    assert.is_true(ok, ready)
    return asked, ready
  end

  it("asks for no longer than there is time", function()
    for _, seconds in ipairs { 0, 0.05 } do
      local asked, ready = asked_by(seconds)
      assert.is_false(ready)
      assert.is_true(asked[1] <= seconds)
    end
  end)

  it("goes on after a signal that ended nothing", function()
    local asked, ready = asked_by(0.05, true)
    assert.is_false(ready)
    assert.is_true(#asked >= 2)
  end)

  it("ends as soon as there is something, with and without a limit", function()
    local _, err = stream:read(90) -- nobody listens: the stream fails
    assert.are.equal("NetworkError", err.kind)
    assert.is_true(block.wait(stream:pollfd()))
    assert.is_true(block.wait(stream:pollfd(), 3600))
    assert.is_true(block.wait(stream:pollfd(), 0))
  end)
end)
