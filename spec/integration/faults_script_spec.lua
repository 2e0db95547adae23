-- SPDX-License-Identifier: MIT
-- What a script may do to a stream: not read, stop and start again, leave a wait in the middle, close under a waiter.
-- Slow readers and errors in callbacks are in stream_spec, collection in any order in gc_spec, a Lua state without
-- memory in spec/c/test_torture_lua.c.

local await = require "spec.support.await"
local expect = require "spec.support.failure"
local faults = require "spec.support.faults"

local failure = expect.failure
local QUEUE = 20

describe("a script", function()
  local service, sim, client, id

  setup(function()
    service = faults.service { rate = 50, feeds = 2 }
    sim, client, id = service.sim, service.client, service.ids[1]
  end)

  after_each(function() service:reset() end)

  teardown(function() service:stop() end)

  local function collect()
    for _ = 1, 3 do collectgarbage() end
  end

  local function no_connections()
    await("the connections' end", function() return sim:stats().websockets.open == 0 end)
  end

  -- Waits without reading until the connection is given up for that; the queue must have kept its bound all the time.
  local function fall_behind(stream, record)
    await("the connection to be given up", function()
      local waiting = stream:stats().queue_length
      assert.is_true(waiting <= QUEUE + 1, waiting .. " reports wait")
      local ended = record:status "disconnected"
      return ended and ended.reason:find("reads too slowly", 1, true)
    end)
  end

  local SLOW = { queue_size = QUEUE, pong_timeout = 1 }

  it("that never reads costs a bounded queue, and no connection in the end", function()
    local stream, record = service:stream(SLOW)
    fall_behind(stream, record)
    no_connections()
    assert.are.equal(QUEUE, math.min(QUEUE, stream:stats().queue_length))
    assert.are.equal("disconnected", record.statuses[#record.statuses].state)
    stream:close()
    failure("StreamClosedError", {}, stream:read())
  end)

  it("that stops reading and starts again gets all", function()
    local stream, record = service:stream(SLOW)
    local reports = faults.read(stream, 5)
    fall_behind(stream, record)
    faults.read(stream, 200, reports)
    service:check_complete(reports)
    assert.are.equal(0, stream:stats().lost)
    stream:close()
  end)

  it("may yield in a callback, and be resumed or dropped in the middle of a read", function()
    local function reader(stream_id)
      return coroutine.wrap(function()
        local stream = client:stream({ stream_id }, { on_status = coroutine.yield })
        while true do coroutine.yield(stream:read(60)) end
      end)
    end
    local kept, dropped = reader(id), reader(service.ids[2])
    assert.are.equal("connecting", kept().state)
    assert.are.equal("connecting", dropped().state)
    await("their connections", function() return sim:stats().websockets.open == 2 end)
    dropped = nil -- luacheck: ignore 311
    collect()
    await("the dropped one's end", function() return sim:stats().websockets.open == 1 end)
    local reports = 0
    while reports < 10 do
      local what = kept()
      if what.full_report then reports = reports + 1 else assert.are.equal("connected", what.state) end
    end
    kept = nil -- luacheck: ignore 311
    collect()
    no_connections()
  end)

  it("may drop a call in the middle", function()
    local own = sim:client { on_response = coroutine.yield }
    for _ = 1, 5 do
      local response = coroutine.wrap(function() own:get_latest_report(id) end)()
      assert.are.equal(200, response.status)
      collect()
    end
    local resume = coroutine.wrap(function() return own:get_latest_report(id) end)
    assert.are.equal(200, resume().status)
    assert.are.equal(id, resume().feed_id)
    own:close()
  end)

  it("may close a stream that another coroutine waits for", function()
    local stream
    local reader = coroutine.wrap(function()
      stream = client:stream({ id }, { on_status = coroutine.yield })
      return stream:read(60)
    end)
    assert.are.equal("connecting", reader().state)
    stream:close()
    local report, err
    repeat report, err = reader() until not report or not report.state -- what happened before the close is told
    failure("StreamClosedError", {}, report, err)
    no_connections()
  end)

  for _, callback in ipairs { "logger", "on_response" } do
    it("may close its client in " .. callback .. ", under a call", function()
      local own
      own = sim:client { log_level = "debug", [callback] = function() own:close() end }
      local report, err = own:get_latest_report(id)
      if not report then failure("StreamClosedError", {}, report, err) end
      failure("StreamClosedError", {}, own:get_latest_report(id))
      failure("StreamClosedError", {}, own:stream { id })
    end)
  end

  it("may close its client in the logger, under a stream", function()
    local own
    own = sim:client { log_level = "debug", logger = function(_, message)
      if message:find("connected", 1, true) then own:close() end
    end }
    local stream = own:stream { id }
    local report, err
    repeat report, err = stream:read(60) until not report
    failure("StreamClosedError", {}, report, err)
    no_connections()
  end)

  it("may open streams in a callback of another, without end or order", function()
    local streams = {}
    local own = sim:client {}
    local function more(event)
      if event.state == "connected" and #streams < 5 then
        streams[#streams + 1] = own:stream({ id }, { on_status = more })
        streams[#streams]:poll()
      end
    end
    local first = own:stream({ id }, { on_status = more })
    for _ = 1, 10 do assert(first:read(60)) end
    await("the others", function()
      for _, stream in ipairs(streams) do stream:poll() end
      return #streams == 5
    end)
    for _, stream in ipairs(streams) do assert(stream:read(60)) end
    own:close()
    no_connections()
  end)
end)
