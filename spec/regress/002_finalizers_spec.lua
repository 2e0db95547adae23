-- SPDX-License-Identifier: MIT
-- A finalizer runs inside the binding's own allocations. One that used the same stream, or decoded, had the report or
-- event that was being handed out freed under the binding's hands, or given out twice.

local await = require "spec.support.await"
local chainlink = require "chainlink"
local collector = require "spec.support.collector"
local core = require "chainlink.core"
local sample = require "spec.support.sample"
local simulator = require "spec.support.simulator"

local PATIENCE = 90 -- seconds; a bound for a hang

-- For each place in body() where the collector may run: a finalizer that runs act() there. `prepare` comes before each.
local function at_each_place(prepare, act, body)
  local place, reached = 0, true
  while reached do
    place = place + 1
    prepare()
    local ok, err
    reached, ok, err = collector.interrupt(place, act, body)
    if not ok then error(err, 0) end
  end
  assert(place > 1, "no finalizer ran")
end

local function nothing() end

describe("a finalizer that runs inside", function()
  local sim

  setup(function()
    sim = simulator.start { rate = 200, rate_limit = 0, feeds = 2, plain = true }
  end)

  teardown(function()
    sim:stop()
  end)

  it("decode decodes another report", function()
    local outer, inner
    at_each_place(nothing, function()
      inner = assert(chainlink.decode(sample.v8))
    end, function()
      inner, outer = nil, nil
      outer = assert(chainlink.decode(sample.v3))
      assert(outer.version == 3 and outer.full_report == sample.v3)
      assert(inner == nil or (inner.version == 8 and inner.full_report == sample.v8))
    end)
  end)

  describe("a stream's", function()
    local client, ids, stream
    local seen, count

    setup(function()
      client = sim:client {}
      ids = {}
      for i, feed in ipairs(assert(client:get_feeds())) do ids[i] = feed.id end
    end)

    teardown(function()
      client:close()
    end)

    before_each(function()
      stream = client:stream(ids)
      seen, count = {}, 0
    end)

    after_each(function()
      stream:close()
    end)

    local function take(report)
      local blob = report.report_blob
      assert(not seen[blob], "a report came twice")
      seen[blob], count = true, count + 1
    end

    local function backlog()
      await("reports to wait", function() return stream:stats().queue_length > 4 end)
    end

    for name, ask in pairs {
      poll = function() return stream:poll() end,
      read = function() return stream:read(PATIENCE) end,
      loop = function() return stream() end,
    } do
      it(name .. " takes the next one", function()
        at_each_place(backlog, function() take(assert(stream:poll())) end, function() take(assert(ask())) end)
        local stats = stream:stats()
        assert.are.equal(stats.accepted, stats.queue_length + count)
      end)
    end

    it("latest asks for another feed", function()
      backlog()
      await("both feeds", function() return stream:latest(ids[1]) and stream:latest(ids[2]) end)
      at_each_place(nothing, function()
        assert(stream:latest(ids[2]).feed_id == ids[2])
      end, function()
        -- Twice: with LuaJIT no finalizer runs in a single one.
        for _ = 1, 2 do assert(stream:latest(ids[1]).feed_id == ids[1]) end
      end)
    end)
  end)

  it("a stream's events has it hand out the next ones", function()
    local ATTEMPTS = 1
    local client = chainlink.client { api_key = "k", api_secret = "s", proxy = false, rest_url = "http://127.0.0.1:1",
      ws_url = "ws://127.0.0.1:1", backfill = false, reconnect_delay = 0, reconnect_max_delay = 0,
      max_reconnects = ATTEMPTS, log_level = "none" }
    finally(function() client:close() end)
    local stream, told
    at_each_place(function()
      told = {}
      stream = client:stream({ (sample.feed_id(3)) }, { on_status = function(event)
        local what = event.state .. event.attempt
        assert(not told[what], what .. " came twice")
        told[what] = true
      end })
      await("it to fail", function() return core.stream_stats(stream).origins[1].state == "failed" end)
    end, function()
      stream:stats()
    end, function()
      stream:stats()
    end)
    for attempt = 1, ATTEMPTS do assert.is_true(told["reconnecting" .. attempt]) end
  end)

  -- What a finalizer may end while the binding is at work, by way of the debug library and the binding itself.
  describe("an operation ends", function()
    local client, stream, registry, call, id
    local set = { signers = {}, f = 1 }
    for i = 1, 4 do set.signers[i] = ("0x%040x"):format(i) end
    local digest = "0x" .. ("0a"):rep(32)

    setup(function()
      local feeds = sim:client {}
      id = assert(feeds:get_feeds())[1].id
      feeds:close()
    end)

    before_each(function()
      client = sim:client { ws_url = "ws://127.0.0.1:1", backfill = false, reconnect_delay = 60, on_response = nothing }
    end)

    after_each(function()
      client:close()
    end)

    local function end_of(name)
      return function()
        local object = ({ stream = stream, registry = registry, call = call })[name]
        debug.getmetatable(object).__gc(object)
      end
    end

    local function end_client()
      client:close()
      debug.getmetatable(client).__gc(client)
    end

    local function renew()
      client = sim:client { ws_url = "ws://127.0.0.1:1", backfill = false, reconnect_delay = 60, on_response = nothing }
      registry = chainlink.signers { [digest] = set }
    end

    local function with_stream()
      stream = client:stream({ id }, { log_level = "debug", logger = nothing })
    end

    local function with_event()
      with_stream()
      core.wait(core.stream_fd(stream), PATIENCE)
    end

    local function with_call(operation)
      return function()
        call = assert(core.call(client, operation, operation ~= "get_feeds" and { id } or nil))
        await("the answer", function() return core.call_done(call) end)
      end
    end

    local function an_answer() return core.call_result(call) end

    for _, case in ipairs {
      { "the stream", "poll", with_event, end_of "stream", function() return stream:poll() end },
      { "the stream", "stats", with_stream, end_of "stream", function() return stream:stats() end },
      { "the stream", "latest", with_stream, end_of "stream", function() return stream:latest(id) end },
      { "the stream", "subscribe", with_stream, end_of "stream", function()
        return stream:subscribe { sample.feed_id(8) }
      end },
      { "the stream", "connect", with_stream, end_of "stream", function() return stream:connect(0) end },
      { "the client", "stream", renew, end_client, function() return client:stream { id } end },
      { "the client", "a call", renew, end_client, function()
        return core.call(client, "get_reports", { id }, os.time() - 5)
      end },
      { "the call", "its body", with_call "get_feeds", end_of "call", an_answer },
      { "the call", "its reports", with_call "get_latest_report", end_of "call", an_answer },
      { "the call", "its events", with_call "get_feeds", end_of "call", function() return core.call_event(call) end },
      { "the registry", "a verified stream", renew, end_of "registry", function()
        return client:stream({ id }, { verify = registry })
      end },
      { "the registry", "add", renew, end_of "registry", function() return registry:add(digest, set) end },
      { "the registry", "get", renew, end_of "registry", function() return registry:get(digest) end },
      { "the registry", "remove", renew, end_of "registry", function() return registry:remove(digest) end },
      { "the registry", "each", renew, end_of "registry", function()
        for _ in registry:each() do registry:get(digest) end
      end },
    } do
      local what, name, prepare, act, body = case[1], case[2], case[3], case[4], case[5]
      it(what .. " under " .. name, function()
        at_each_place(prepare, act, function()
          local ok, err = pcall(body)
          assert(ok or err:find(" is gone", 1, true) or err:find(" is over", 1, true), err)
        end)
      end)
    end
  end)
end)
