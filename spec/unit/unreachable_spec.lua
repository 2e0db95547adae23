-- SPDX-License-Identifier: MIT
-- A stream whose service cannot be reached: what each of its methods says then, while it tries and once it has failed.

local chainlink = require "chainlink"
local sample = require "spec.support.sample"

local ID, OTHER = sample.feed_id(3), sample.feed_id(4)

describe("a stream of a service that is not there", function()
  local client
  local states

  local function open(max_reconnects)
    states = {}
    client = chainlink.client { api_key = "key", api_secret = "hush", rest_url = "http://127.0.0.1:1",
      ws_url = "ws://127.0.0.1:1", proxy = false, max_reconnects = max_reconnects, reconnect_delay = 3600,
      reconnect_max_delay = 3600, log_level = "none", on_status = function(event) states[event.state] = true end }
    return client:stream { ID }
  end
  after_each(function() client:close() end)

  -- One that tries again, but not soon.
  local function trying()
    local stream = open(math.huge)
    while not states.reconnecting do assert.equal("TimeoutError", select(2, stream:read(0.01)).kind) end
    return stream
  end

  local function failed()
    local stream = open(0)
    local report, err = stream:read(90)
    assert.is_nil(report)
    assert.equal("NetworkError", err.kind)
    return stream, err
  end

  it("tells what it met with when the time to connect is over", function()
    local stream = trying()
    for _, seconds in ipairs { 0, 0.02 } do
      local connected, err = stream:connect(seconds)
      assert.is_nil(connected)
      assert.same({ "TimeoutError", true }, { err.kind, err.retryable })
      assert.matches(("^not connected within %g seconds; the last failure: "):format(seconds), err.message)
    end
  end)

  it("has metrics before a connection knows its host", function()
    local stream = trying()
    local stats = stream:stats()
    assert.equal("127.0.0.1:1", stats.origins[1].host)
    stats.origins[1].host = nil
    local text = require "chainlink.metrics".stream(stream, stats, { ID })
    assert.matches('\nchainlink_stream_origin_errors_total{connection="1",origin="",host=""} 1\n', text)
    assert.matches('host="127.0.0.1:1"', stream:metrics(), 1, true)
  end)

  it("waits for a report as long as it is told", function()
    local stream = trying()
    for _, seconds in ipairs { 0, 0.02 } do
      local report, err = stream:read(seconds)
      assert.is_nil(report)
      assert.same({ "TimeoutError", true, ("no report within %g seconds"):format(seconds) },
        { err.kind, err.retryable, err.message })
    end
    assert.same({}, { stream:poll() })
    assert.is_nil(stream:latest(ID))
  end)

  it("says how it failed, whatever is asked of it", function()
    local stream, why = failed()
    for _, seconds in ipairs { false, 0, 60 } do
      local connected, err = stream:connect(seconds or nil)
      assert.is_nil(connected)
      assert.same({ why.kind, why.message }, { err.kind, err.message })
      local report
      report, err = stream:read(seconds or nil)
      assert.is_nil(report)
      assert.same({ why.kind, why.message }, { err.kind, err.message })
    end
    local report, err = stream:poll()
    assert.is_nil(report)
    assert.equal(why.message, err.message)
    local ok
    ok, err = pcall(stream)
    assert.is_false(ok)
    assert.is_true(chainlink.is_error(err, "NetworkError"))
    stream:close()
    ok, err = pcall(stream) -- it failed before
    assert.is_false(ok)
    assert.is_true(chainlink.is_error(err, "NetworkError"))
  end)

  it("ends a loop once it is closed", function()
    local stream = trying()
    stream:close()
    stream:close()
    assert.is_nil(stream())
    for _, method in ipairs { "read", "poll", "connect" } do
      local value, err = stream[method](stream)
      assert.is_nil(value)
      assert.equal("StreamClosedError", err.kind)
    end
  end)

  it("is what event loops ask for", function()
    local stream = trying()
    local fd = stream:pollfd()
    assert.is_true(fd >= 0)
    assert.same({ fd, "r", false }, { stream:getfd(), stream:events(), stream:dirty() })
    assert.is_nil(stream:timeout())
  end)

  it("knows its feeds, and says so", function()
    local stream = trying()
    assert.equal("chainlink.stream (1 feeds, 127.0.0.1)", tostring(stream))
    assert.is_true(stream:subscribe { OTHER })
    assert.equal(2, stream:stats().feeds)
    assert.is_true(stream:unsubscribe { ID })
    assert.equal(1, stream:stats().feeds)
    local done, err = pcall(stream.unsubscribe, stream, { OTHER })
    assert.is_false(done)
    assert.is_true(chainlink.is_error(err, "ConfigError"))
    assert.equal(1, stream:stats().feeds)
    stream:close()
    assert.equal("chainlink.stream (closed)", tostring(stream))
  end)
end)
