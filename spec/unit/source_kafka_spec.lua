-- SPDX-License-Identifier: MIT
-- A source in Kafka over a library that answers as a spec says. What a real broker does is in
-- spec/integration/relay_kafka_spec.lua.

local chainlink = require "chainlink"
local failure = require "spec.support.failure"
local recording = require "spec.support.recording"
local stopped_clock = require "spec.support.stopped_clock"

local NAMES = { "chainlink.kafka", "chainlink.source.kafka" }
local T = 1700000000
local A, B = recording.id(3, 1), recording.id(3, 2)

describe("a source in Kafka", function()
  local loaded = {}
  local clock, library, calls, settings, messages, events, waits, source, armed

  local function named(list)
    local all = {}
    for i = 1, #list, 2 do all[list[i]] = list[i + 1] end
    return all
  end

  local function note(...) calls[#calls + 1] = table.concat({ ... }, " ") end

  before_each(function()
    clock = stopped_clock.at(1000)
    calls, messages, events, waits, source, armed = {}, {}, {}, {}, nil, nil
    library = {
      open = function(is_producer, list)
        assert.is_false(is_producer)
        settings = named(list)
        return "k"
      end,
      close = function(k) note("close", k) end,
      fd = function(k) return "fd of " .. k end,
      arm = function(k, seconds)
        armed = seconds
        note("arm", k, tostring(seconds))
      end,
      assign = function(k, topic, most, limit)
        note("assign", k, topic, tostring(most), limit)
        return 1
      end,
      subscribe = function(k, topic)
        note("subscribe", k, topic)
        return true
      end,
      is_assigned = function() return false end,
      take = function() return table.remove(messages, 1) end,
      store = function(k, topic, partition, offset) note("store", k, topic, partition, offset) end,
      commit_offsets = function(k)
        note("commit", k)
        return true
      end,
    }
    for _, name in ipairs(NAMES) do loaded[name], package.loaded[name] = package.loaded[name] or false, nil end
    package.loaded["chainlink.kafka"] = library
  end)
  after_each(function()
    if source then source:close() end
    for _, name in ipairs(NAMES) do package.loaded[name] = loaded[name] or nil end
    clock.restore()
  end)

  local function open(options)
    local all = { url = "kafka://h:1/t", feeds = { A }, log_level = "none", loop = function(fd, seconds)
      waits[#waits + 1] = fd .. " " .. tostring(seconds)
      clock.now = clock.now + math.min(seconds or 1, armed or 1)
    end, on_status = function(event) events[#events + 1] = event end }
    for name, value in pairs(options or {}) do all[name] = value end
    source = chainlink.source.kafka(all)
    return source
  end

  local function report(second, number) return assert(chainlink.decode(recording.report(3, number or 1, second))) end

  local offset = 0
  local function message(of, headers)
    offset = offset + 1
    local all = { observed_at = ("%.0f"):format(of.observations_timestamp_ms) }
    for name, value in pairs(headers or {}) do all[name] = value end
    return { key = of.feed_id, value = of:bytes(), partition = 2, offset = offset, headers = all }
  end

  local function told()
    local list = {}
    for i, event in ipairs(events) do
      list[i] = event.feed_id and ("%s %.0f %.0f: %s"):format(event.state, event.from_ms, event.to_ms, event.reason)
        or event.state .. " " .. event.host .. (event.reason and ": " .. event.reason or "")
    end
    events = {}
    return list
  end

  it("asks for what it is to have", function()
    open { settings = { ["fetch.wait.max.ms"] = "5", extra = "1" } }
    local common = { ["bootstrap.servers"] = "h:1", ["enable.auto.offset.store"] = "false",
      ["auto.commit.interval.ms"] = "1000", ["session.timeout.ms"] = "10000", ["isolation.level"] = "read_committed",
      ["fetch.wait.max.ms"] = "100", ["topic.metadata.refresh.interval.ms"] = "5000" }
    local function with(more)
      local all = {}
      for name, value in pairs(common) do all[name] = value end
      for name, value in pairs(more) do all[name] = value end
      return all
    end
    assert.same(with { ["fetch.wait.max.ms"] = "5", extra = "1", ["group.id"] = "chainlink-streams",
      ["enable.auto.commit"] = "false", ["auto.offset.reset"] = "latest" }, settings)
    open { from = "all" }
    assert.same(with { ["group.id"] = "chainlink-streams", ["enable.auto.commit"] = "false",
      ["auto.offset.reset"] = "earliest" }, settings)
    open { group = "g", from = "all" }
    assert.same(with { ["group.id"] = "g", ["enable.auto.commit"] = "true", ["auto.offset.reset"] = "earliest" },
      settings)
    assert.equal("subscribe k t", calls[#calls])
  end)

  it("reads all there is, or what is new, of all partitions", function()
    open()
    assert.equal(source, (source:connect(1)))
    open { from = "all" }
    assert.equal(source, (source:connect(1)))
    local assigned = {}
    for _, call in ipairs(calls) do assigned[#assigned + 1] = call:match "^assign.*" end
    assert.same({ "assign k t 0 100", "assign k t " .. tostring(math.huge) .. " 100" }, assigned)
    assert.same({ "connected h:1", "connected h:1" }, told())
  end)

  it("asks for the partitions again after half a second, and tells once why it has none", function()
    local times = {}
    function library.assign()
      times[#times + 1] = clock.now
      if #times < 4 then return nil, #times < 3 and "no such topic" or "no broker" end
      return 3
    end
    open()
    assert.equal(source, (source:connect(10)))
    assert.same({ 1000, 1000.5, 1001, 1001.5 }, times)
    assert.same({ "disconnected h:1: no such topic", "disconnected h:1: no broker", "connected h:1" }, told())
    assert.equal(3, source:stats().errors_count)
  end)

  it("tells within a time that it has none, and why", function()
    function library.assign() return nil, "no such topic" end
    open()
    local err = failure.failure("TimeoutError", { retryable = true }, source:connect(1.25))
    assert.equal("not connected within 1.25 seconds; the last failure: no such topic", err.message)
    assert.same({ "fd of k 1.25", "fd of k 0.75", "fd of k 0.25" }, waits)
  end)

  it("gives reports with what their headers tell", function()
    messages = { message(report(T), { received_at = "1700000001500", backfilled = "1", origin = "o1" }),
      message(report(T + 1)), message(report(T + 2), { backfilled = "0" }) }
    open()
    local one, two, three = source:read(1), source:read(1), source:read(1)
    assert.same({ report(T).full_report, 1700000001.5, true, "o1" },
      { one.full_report, one.received_at, one.backfilled, one.origin })
    assert.equal(report(T + 1).full_report, two.full_report)
    assert.is_falsy(two.backfilled)
    assert.same({ [1] = two.received_at }, {})
    assert.is_falsy(three.backfilled)
    local stats = source:stats()
    for name, value in pairs { feeds = 1, accepted = 3, total_received = 3, configured_connections = 1,
      active_connections = 1, errors_count = 0, reconnect_count = 0, queue_length = 0, lost = 0 } do
      assert.equal(value, stats[name], name)
    end
  end)

  it("passes over what is of another feed, has no time or is no report", function()
    local timeless = message(report(T))
    timeless.headers.observed_at = nil
    local broken = message(report(T + 1))
    broken.value = "nonsense"
    messages = { message(report(T, 2)), timeless, broken, message(report(T + 2)) }
    open()
    assert.equal(report(T + 2).full_report, source:read(1).full_report)
    assert.equal(1, source:stats().decode_errors)
    assert.equal(2, source:stats().total_received)
  end)

  it("tells what was lost before it came to Kafka, and what was gone before it was read", function()
    local function at(second, after, lost)
      return message(report(T + second), { after = after and ("%.0f"):format((T + after) * 1000), lost = lost })
    end
    messages = { at(0, -5), at(1, 0), at(3, 1), at(9, 5, "10 20"), at(10), at(11, 2), at(12, 11, "1 2 3") }
    open { feeds = { A, B } }
    for _ = 1, 7 do assert(source:read(1)) end
    assert.same({ "connected h:1", "lost 10 20: lost on its way to Kafka",
      ("lost %.0f %.0f: gone from Kafka before it was read"):format((T + 3) * 1000 + 1, (T + 5) * 1000) }, told())
    assert.equal(2, source:stats().lost)
  end)

  it("tells of each failure what it means", function()
    local function fails(kind, words) messages[#messages + 1] = { failure = kind, reason = words } end
    fails("passing", "a") fails("passing", "a") fails("passing", "b") fails("end", "nothing")
    messages[#messages + 1] = message(report(T))
    open()
    assert(source:read(1))
    assert.same({ "connected h:1", "disconnected h:1: Kafka: a", "disconnected h:1: Kafka: b" }, told())
    assert.equal(3, source:stats().errors_count)
    fails("refusal", "no")
    local err = failure.failure("AuthenticationError", {}, source:read(1))
    assert.equal("Kafka: no", err.message)
    assert.equal(err, (select(2, source:read(1))))
    assert.equal(err, (select(2, source:connect(1))))
    fails("fatal", "fenced")
    failure.says(failure.failure("NetworkError", {}, open():read(1)), "Kafka: fenced")
  end)

  it("takes no more than a thousand from the library ahead of the script", function()
    for i = 1, 1500 do messages[i] = message(report(T + i)) end
    open()
    assert(source:read(1))
    assert.equal(999, source:stats().queue_length)
    assert.equal(500, #messages)
    for _ = 1, 999 do assert(source:read(1)) end
    assert.equal(0, source:stats().queue_length)
    assert.equal(500, #messages)
    assert(source:read(1))
    assert.equal(0, #messages)
  end)

  it("is armed for what waits, once, and for the next look for partitions", function()
    local partitions
    function library.assign() return partitions, "none" end
    open()
    calls = {}
    assert.equal("fd of k", source:pollfd())
    assert.same({ "arm k 0" }, calls) -- to be looked for at once
    assert.is_nil((source:poll()))
    clock.now = clock.now + 0.25
    source:pollfd()
    assert.same({ "arm k 0", "arm k 0.5", "arm k 0.25" }, calls)
    clock.now, partitions = clock.now + 10, 1
    source:pollfd()
    assert.equal("arm k 0", calls[4])
    messages = { message(report(T)), message(report(T + 1)) }
    assert(source:poll())
    assert.equal(4, #calls) -- the other one waits: it is armed for that
    assert(source:poll())
    source:pollfd()
    source:pollfd()
    assert.same({ "arm k nil" }, { calls[5] })
    assert.is_nil(calls[6])
  end)

  describe("in a group", function()
    it("is set up when it has partitions, which is told once", function()
      local is_assigned = false
      function library.is_assigned() return is_assigned end
      open { group = "g" }
      failure.failure("TimeoutError", {}, source:connect(1))
      assert.equal(0, source:stats().active_connections)
      is_assigned = true
      assert.equal(source, (source:connect(1)))
      assert.equal(1, source:stats().active_connections)
      assert.equal(source, (source:connect(1)))
      assert.same({ "connected h:1" }, told())
      for _, call in ipairs(calls) do assert.is_nil(call:find "^assign") end
      is_assigned = false
      assert.equal(1, source:stats().active_connections)
    end)

    it("has nothing to look for, and so is not armed", function()
      open { group = "g" }
      calls = {}
      source:pollfd()
      assert.same({}, calls)
    end)

    it("stores where a report was when the next one is asked for, and at once what it passes over", function()
      offset = 0
      messages = { message(report(T)), message(report(T, 2)), message(report(T + 1)) }
      messages[4] = message(report(T + 2))
      messages[4].value = "nonsense"
      open { group = "g" }
      calls = {}
      assert(source:read(1))
      assert.same({ "store k t 2 2", "store k t 2 4" }, calls)
      assert(source:read(1))
      assert.equal("store k t 2 1", calls[3])
      assert.is_true(source:ack())
      assert.same({ "store k t 2 3", "commit k" }, { calls[4], calls[5] })
    end)

    it("tells no hole, which another consumer may have read", function()
      local after = ("%.0f"):format((T + 5) * 1000)
      messages = { message(report(T)), message(report(T + 9), { after = after, lost = "1 2" }) }
      open { group = "g" }
      assert(source:read(1))
      assert(source:read(1))
      assert.same({ "lost 1 2: lost on its way to Kafka" }, told())
    end)

    it("tells at its end what it could not commit", function()
      local logged = {}
      function library.commit_offsets() return nil, "no broker" end
      open { group = "g", log_level = "info", logger = function(level, words) logged[#logged + 1] = level .. words end }
      source:close()
      assert.truthy(logged[1]:find "^warn.*no broker")
    end)

    it("cannot be had where the topic cannot be subscribed to", function()
      function library.subscribe() return nil, "no memory" end
      failure.says(failure.failure("NetworkError", {}, chainlink.source.kafka { url = "kafka://h:1/t", feeds = { A },
        group = "g" }), "no memory")
    end)
  end)

  it("has no position to store or commit without a group", function()
    messages = { message(report(T)), message(report(T, 2)) }
    open()
    assert(source:read(1))
    assert.is_true(source:ack())
    source:close()
    for _, call in ipairs(calls) do assert.is_nil(call:find "^store" or call:find "^commit") end
    assert.equal("close k", calls[#calls])
  end)
end)
