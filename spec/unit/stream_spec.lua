-- SPDX-License-Identifier: MIT
-- What a stream asks of the engine and of its loop, and in which order, over an engine that answers what it is told.
-- Streams of the engine itself are in spec/integration/stream_spec.lua.

local anew = require "spec.support.anew"
local check = require "spec.support.failure"
local errors = require "chainlink.errors"
local sample = require "spec.support.sample"

local id, other = sample.feed_id(3), sample.feed_id(4)
local HANGS = 50 -- waits that nothing here comes near

describe("a stream over an engine", function()
  local module, restore, engine, stream, state, client, client_state
  local now, asked, pops, queued, lines, marks

  local function note(...) asked[#asked + 1] = { ... } end

  -- What was asked under this name, each as the list of its arguments.
  local function of(name)
    local found = {}
    for _, entry in ipairs(asked) do
      if entry[1] == name then found[#found + 1] = { entry[2], entry[3], entry[4], entry[5], entry[6] } end
    end
    return found
  end

  local function names()
    local list = {}
    for i, entry in ipairs(asked) do list[i] = entry[1] end
    return table.concat(list, " ")
  end

  -- A function that is noted and answers this.
  local function answering(name, ...)
    local answer, count = { ... }, select("#", ...)
    return function(...)
      note(name, ...)
      if count == 2 then return answer[1], answer[2] end
      return answer[1]
    end
  end

  local function pop()
    note "pop"
    local first = table.remove(pops, 1)
    if first then return first[1], first[2] end
  end

  before_each(function()
    now, asked, pops, queued, lines = 1000, {}, {}, {}, {}
    client, client_state = {}, { values = { host = "the.host", log_level = "info" } }
    marks = { due = nil, fd = 7, shared = 8, lead = false, subscribed = {}, peek = {} }
    local states = {}
    engine = { stream_metatable = {}, stream_pop = pop,
      uservalue = function(object) return states[object] end,
      monotonic = function() return now end, time = function() return now + 0.5 end,
      stream_event = function(of_stream)
        note("event", of_stream)
        return table.remove(queued, 1)
      end,
      record_due = function(of_stream)
        assert.equal(stream, of_stream)
        return marks.due
      end,
      record_write = answering "write",
      stream_lead = function(...)
        note("lead", ...)
        return marks.lead
      end,
      stream_fd = function(of_stream)
        assert.equal(stream, of_stream)
        return marks.fd
      end,
      stream_share_fd = function(of_stream)
        assert.equal(stream, of_stream)
        return marks.shared
      end,
      stream_is_subscribed = function(of_stream)
        assert.equal(stream, of_stream)
        note "subscribed"
        return table.remove(marks.subscribed, 1) or false
      end,
      stream_peek = function(of_stream)
        assert.equal(stream, of_stream)
        local first = table.remove(marks.peek, 1) or {}
        return first[1], first[2]
      end,
    }
    setmetatable(engine, { __index = require "chainlink.core" })
    module, restore = anew.load("chainlink.stream", { ["chainlink.core"] = engine,
      ["chainlink.waiting"] = { check_for = answering "check_for", by = function(loop)
        note("by", loop)
        return { wait = 1, may_yield = 2, has_limits = 3, blocks = 4 }
      end },
      ["chainlink.recording"] = { note_feeds = answering "note_feeds", start = answering("start", nil, "why not"),
        ids = function(of_state) return { "ids of", of_state } end },
      ["chainlink.metrics"] = { stream = function(...) return { ... } end } }, { "chainlink.check" })
    stream = setmetatable({}, engine.stream_metatable)
    states[stream], states[client] = { class = "stream" }, client_state
    state = module.prepare(stream, { id }, { logger = function(level, message)
      note "log"
      lines[#lines + 1] = level .. " " .. message
    end, log_level = "debug" }, { may_yield = function() return marks.may_yield end,
      has_limits = function() return marks.has_limits end, blocks = function() return marks.blocks end,
      wait = function(fd, seconds)
        note("wait", fd, seconds)
        assert(#asked < HANGS, "it never ends")
        now = now + (marks.takes or 0)
      end })
    marks.has_limits = true
  end)
  after_each(function() restore() end)

  local function log_event(message) return { kind = "log", level = "warn", message = message } end

  describe("waits", function()
    it("for its descriptor, be it 0, and only when nothing is there", function()
      marks.fd = 0
      pops = { {}, { "a report" } }
      assert.equal("a report", stream:read())
      assert.same({ { 0 } }, of "wait")
      assert.same({}, of "lead")
      pops = { { "another" } }
      assert.equal("another", stream:read(0))
      assert.equal(1, #of "wait")
    end)

    it("for a descriptor of its own where others run meanwhile", function()
      marks.may_yield = true
      pops = { {}, { "a report" } }
      assert.equal("a report", stream:read(4))
      assert.same({ { 8, 4 } }, of "wait")
    end)

    it("for nothing that has no descriptor", function()
      for _, without in ipairs { { -1 }, { nil, true } } do
        marks.fd, marks.shared, marks.may_yield = without[1], nil, without[2]
        pops = { {}, {}, { "a report" } }
        assert.equal("a report", stream:read())
      end
      assert.same({}, of "wait")
    end)

    it("not where there are events to tell, which come first", function()
      pops = { { nil, true }, { nil, true }, { "a report" } }
      queued = { log_event "one", log_event "two" }
      assert.equal("a report", stream:read())
      assert.equal("pop event log event log event pop event pop", names())
      assert.same({}, of "wait")
    end)

    it("no longer than until the recording is to be written", function()
      marks.due = 2
      pops = { {}, { "a report" }, {}, { "a report" }, {}, { "a report" } }
      for _, seconds in ipairs { false, 1, 3 } do stream:read(seconds or nil) end
      assert.same({ { 7, 2 }, { 7, 1 }, { 7, 2 } }, of "wait")
      assert.same({}, of "write")
    end)

    it("and writes the recording before, where the loop has no limits", function()
      marks.due, marks.has_limits = 2, false
      pops = { {}, { "a report" }, {}, { "a report" } }
      for _, seconds in ipairs { false, 3 } do stream:read(seconds or nil) end
      assert.same({ { stream }, { stream } }, of "write")
      assert.same({ { 7 }, { 7, 3 } }, of "wait")
      for _, seconds in ipairs { 2, 1 } do
        pops = { {}, { "a report" } }
        stream:read(seconds)
      end
      marks.due = nil
      pops = { {}, { "a report" } }
      stream:read()
      assert.equal(2, #of "write")
    end)

    it("in the engine where nothing else runs, and by the loop where the engine cannot", function()
      marks.blocks, marks.lead = true, true
      pops = { {}, { "a report" } }
      assert.equal("a report", stream:read(3))
      assert.same({ { stream, 3 } }, of "lead")
      assert.same({}, of "wait")
      marks.lead = false
      pops = { {}, { "a report" } }
      assert.equal("a report", stream:read(3))
      assert.same({ { 7, 3 } }, of "wait")
      marks.blocks, marks.lead = false, true
      pops = { {}, { "a report" } }
      assert.equal("a report", stream:read(3))
      assert.equal(2, #of "lead")
      assert.equal(2, #of "wait")
    end)
  end)

  describe("reads", function()
    it("as long as it may, and says for how long", function()
      marks.takes = 1.5
      local err = check.failure("TimeoutError", { retryable = true }, stream:read(4))
      assert.equal("no report within 4 seconds", err.message)
      assert.same({ { 7, 4 }, { 7, 2.5 }, { 7, 1 } }, of "wait")
      assert.equal(4, #of "pop")
    end)

    it("at once where it may not wait, but for what is to be told", function()
      pops = { { nil, true }, {}, { "a report" } }
      check.failure("TimeoutError", {}, stream:read(0))
      assert.equal("pop event pop event", names())
      pops = { { nil, true }, { "a report" } }
      assert.equal("a report", stream:read(0))
    end)

    it("to its end, told after all that led there", function()
      queued = { log_event "the last words" }
      local ended = errors.new("NetworkError", "gone")
      pops = { {}, { false, ended } }
      local report, err = stream:read()
      assert.same({ nil, ended }, { report, err })
      assert.same({ "warn the last words" }, lines)
      assert.equal("event", asked[#asked][1])
      assert.same({ stream }, of "event" [1])
    end)

    it("in a loop, which ends or raises", function()
      pops = { { "one" }, {}, { "two" } }
      assert.equal("one", stream())
      assert.same({}, of "check_for")
      assert.equal("two", stream())
      assert.same({ { state, "stream:read" } }, of "check_for")
      assert.same({ { 7 } }, of "wait")
      local ended, failed = errors.new("StreamClosedError", "closed"), errors.new("NetworkError", "gone")
      engine.stream_is_closed = answering("closed", true)
      pops = { { false, ended } }
      assert.is_nil(stream())
      assert.same({ { stream } }, of "closed")
      pops = { { false, failed } }
      assert.equal(failed, select(2, pcall(stream)))
      engine.stream_is_closed = answering("closed", false)
      pops = { { false, ended } }
      assert.equal(ended, select(2, pcall(stream)))
    end)

    it("what is there, and never waits", function()
      pops = { { "one" } }
      assert.equal("one", stream:poll())
      assert.equal("pop", names())
      queued = { log_event "between" }
      pops = { {}, { "two" } }
      assert.equal("two", stream:poll())
      assert.equal("pop pop event log event pop", names())
      local results = { n = select("#", stream:poll()), stream:poll() }
      assert.same({ n = 1 }, results)
      local ended = errors.new("NetworkError", "gone")
      pops, asked = { { false, ended }, { "no more" } }, {}
      assert.same({ nil, ended }, { stream:poll() })
      assert.equal("pop event", names())
      pops = { {}, { false, ended } }
      assert.same({ nil, ended }, { stream:poll() })
      assert.same({}, of "wait")
    end)

    it("the latest, once it has told what there is", function()
      engine.stream_latest = answering("latest", "a report")
      assert.equal("a report", stream:latest((id:upper():gsub("^0X", "0x"))))
      assert.same({ { "event", stream }, { "latest", stream, id } }, asked)
    end)
  end)

  describe("connects", function()
    it("when every feed is subscribed, and tells what led there before", function()
      state.last_failure = "an older one"
      marks.subscribed, queued = { false, true }, { log_event "one", nil }
      assert.equal(stream, stream:connect(5))
      assert.equal("subscribed event log event wait subscribed event", names())
      assert.same({ { 7, 5 } }, of "wait")
      assert.is_nil(state.last_failure)
      assert.equal(stream, of "event" [1][1])
    end)

    it("or answers what ended it", function()
      local ended = errors.new("AuthenticationError", "no")
      marks.peek = { {}, { false, ended } }
      assert.same({ nil, ended }, { stream:connect() })
      assert.same({ { 7 } }, of "wait")
    end)

    it("no longer than it may, and tells the last failure", function()
      marks.takes = 1.5
      local err = check.failure("TimeoutError", { retryable = true }, stream:connect(2.5))
      assert.equal("not connected within 2.5 seconds", err.message)
      assert.same({ { 7, 2.5 }, { 7, 1 } }, of "wait")
      state.last_failure = "no route"
      err = check.failure("TimeoutError", {}, stream:connect(0))
      assert.equal("not connected within 0 seconds; the last failure: no route", err.message)
      assert.equal("no route", state.last_failure)
      assert.equal(2, #of "wait")
    end)

    it("looks again soon while reports wait, for which no descriptor can be awaited", function()
      marks.subscribed, marks.peek, marks.takes = { false, false, false, true }, { { true }, { true }, { true } }, 0.495
      stream:connect(0.5)
      assert.same({ -1, 0.01 }, of "wait" [1])
      assert.is_true(math.abs(of "wait" [2][2] - 0.005) < 1e-9)
      marks.subscribed, marks.peek, marks.takes = { false, true }, { { true } }, 0
      asked = {}
      stream:connect()
      assert.same({ { -1, 0.01 } }, of "wait")
    end)

    it("looks again now and then where another coroutine may have taken the event", function()
      marks.may_yield = true
      marks.subscribed, marks.takes = { false, false, true }, 0.375
      stream:connect(0.5)
      assert.same({ { 8, 0.25 }, { 8, 0.125 } }, of "wait")
      marks.subscribed, asked = { false, true }, {}
      stream:connect()
      assert.same({ { 8, 0.25 } }, of "wait")
      marks.has_limits, marks.subscribed, asked = false, { false, true }, {}
      stream:connect()
      assert.same({ { 8 } }, of "wait")
      marks.may_yield, marks.has_limits, marks.subscribed, asked = false, true, { false, true }, {}
      stream:connect()
      assert.same({ { 7 } }, of "wait")
    end)
  end)

  it("is for event loops what they ask of an object", function()
    engine.stream_share_fd = answering("share", nil, "none")
    for i, name in ipairs { "pollfd", "getfd" } do
      assert.same({ nil, "none" }, { stream[name](stream) })
      assert.same({ stream }, of "share" [i])
    end
    assert.equal("r", stream:events())
    assert.is_nil(stream:timeout())
    assert.is_false(stream:dirty())
    for _, name in ipairs { "read", "poll", "latest", "connect", "pollfd", "events", "timeout", "getfd", "dirty",
      "subscribe", "unsubscribe", "record", "flush", "stats", "metrics", "close" } do
      local err = check.raised("ConfigError", {}, stream[name], client)
      check.says(err, ("%s: called on a table; write stream:%s(...) with a colon"):format(name, name))
    end
    check.says(check.raised("ConfigError", {}, stream.read, stream, -1), "timeout must be a number of seconds")
    check.says(check.raised("ConfigError", {}, stream.connect, stream, -1), "timeout must be a number of seconds")
    check.says(check.raised("InvalidFeedIDError", {}, stream.latest, stream, 5), "feed_id must be")
  end)

  describe("changes its feeds", function()
    it("and knows which it has", function()
      engine.stream_subscribe, engine.stream_unsubscribe = answering("add", true), answering("take", true)
      assert.same({ [id] = true }, state.feeds)
      assert.is_true(stream:subscribe { other:upper():gsub("^0X", "0x"), nil })
      assert.same({ "add", stream, { other } }, asked[1])
      assert.same({ "note_feeds", stream, state }, asked[2])
      assert.same({ "event", stream }, asked[3])
      assert.same({ [id] = true, [other] = true }, state.feeds)
      assert.is_true(stream:unsubscribe { id })
      assert.same({ { stream, { id } } }, of "take")
      assert.same({ [other] = true }, state.feeds)
    end)

    it("or raises what is wrong, and answers what else fails", function()
      local wrong, ended = errors.new("ConfigError", "too many"), errors.new("StreamClosedError", "closed")
      engine.stream_subscribe = answering("add", nil, wrong)
      local err = check.raised("ConfigError", {}, stream.subscribe, stream, { other })
      assert.equal(wrong, err)
      assert.is_string(err.where)
      assert.equal("add", names())
      engine.stream_subscribe = answering("add", nil, ended)
      assert.same({ nil, ended }, { stream:subscribe { other } })
      assert.same({ [id] = true }, state.feeds)
      assert.equal("add add event", names())
    end)

    it("and tells once of each that is to go, as far as the client has asked", function()
      engine.stream_subscribe, engine.stream_unsubscribe = answering("add", true), answering("take", true)
      stream:subscribe { id }
      state.client = client
      stream:subscribe { id }
      assert.same({}, lines)
      local day = 86400 * 365 -- 1971-01-01
      client_state.catalogue = { goes_at = function(catalogue, feed, at)
        assert.same({ client_state.catalogue, now + 0.5 }, { catalogue, at })
        return feed == other and day or nil
      end }
      stream:unsubscribe { other }
      assert.same({}, lines)
      for _ = 1, 2 do stream:subscribe { id, other } end
      assert.same({ ("warn feed %s is to be removed on 1971-01-01"):format(other) }, lines)
      assert.same({ [other] = true }, state.told_of)
    end)
  end)

  describe("records", function()
    it("what its options say", function()
      assert.same({ nil, "why not" }, { stream:record("path", { fsync = true }) })
      assert.same({ { "start", stream, state, "path", { fsync = true } }, { "event", stream } }, asked)
    end)

    it("until it is told to write, and to end", function()
      engine.record_flush, engine.record_end = answering("flush", nil, "full"), answering "end"
      assert.same({ nil, "full" }, { stream:flush() })
      assert.same({ { "flush", stream }, { "event", stream } }, asked)
      asked = {}
      assert.same({ nil, "full" }, { stream:unrecord() })
      assert.same({ { "flush", stream }, { "event", stream }, { "end", stream } }, asked)
    end)

    it("what it took before its end", function()
      engine.record_flush, engine.record_end = answering("flush", true), answering "end"
      engine.stream_close = answering "close"
      stream:close()
      assert.same({ { "close", stream }, { "flush", stream }, { "event", stream }, { "end", stream } }, asked)
      assert.equal(stream.close, engine.stream_metatable.__close)
    end)
  end)

  it("sums up its connections", function()
    local function origin(n, last)
      return { messages_received = n, bytes_received = 10 * n, errors_count = 100 * n, reconnect_count = 1000 * n,
        connection_uptime = n, last_message_time = last }
    end
    engine.record_stats = answering("record_stats", "of the recording")
    local origins = { origin(1, 50), origin(3), origin(2, 70), origin(1, 60) }
    engine.stream_stats = answering("stats", { origins = origins })
    local stats = stream:stats()
    assert.same({ "event", stream }, asked[1])
    assert.same({ { stream } }, of "stats")
    assert.same({ { stream } }, of "record_stats")
    assert.same({ messages_received = 7, bytes_received = 70, errors_count = 700, reconnect_count = 7000,
      connection_uptime = 3, last_message_time = 70, recording = "of the recording", origins = origins }, stats)
    engine.stream_stats = answering("stats", { origins = {} })
    assert.same({ messages_received = 0, bytes_received = 0, errors_count = 0, reconnect_count = 0,
      connection_uptime = 0, recording = "of the recording", origins = {} }, stream:stats())
    local metrics = stream:metrics()
    assert.equal(stream, metrics[1])
    assert.equal(0, metrics[2].messages_received)
    assert.same({ "ids of", state }, metrics[3])
  end)

  it("tells its feeds and host, or that it is closed", function()
    state.host = "the.host"
    engine.stream_is_closed, engine.stream_stats = answering("closed", false), answering("stats", { feeds = 3 })
    assert.equal("chainlink.stream (3 feeds, the.host)", tostring(stream))
    engine.stream_is_closed = answering("closed", true)
    assert.equal("chainlink.stream (closed)", tostring(stream))
    assert.same({ { stream }, { stream } }, of "closed")
    assert.same({ { stream } }, of "stats")
  end)

  it("is closed by a loop from Lua 5.4 on", function()
    local values = { n = select("#", module.for_loop(stream)), module.for_loop(stream) }
    assert.same(_VERSION >= "Lua 5.4" and { n = 4, stream, nil, nil, stream } or { n = 1, stream }, values)
  end)

  describe("is opened", function()
    it("with the client's values under its own", function()
      local function logger(_, message) lines[#lines + 1] = message end
      client_state.values.logger, client_state.values.loop = logger, "block"
      client_state.catalogue = { goes_at = function() return 0 end }
      engine.stream = answering("open", stream)
      local options = { queue_size = 5, on_status = print }
      assert.equal(stream, (module.open(client, client_state, { id, other, id }, options)))
      assert.same({ { "block" } }, of "by")
      local opened = of "open" [1]
      assert.same({ client, { id, other } }, { opened[1], opened[2] })
      assert.equal(5, opened[3].queue_size)
      assert.same({ 1, 2, 3, 4 }, { state.wait, state.may_yield, state.has_limits, state.blocks })
      assert.same({ client, "the.host", "stream", logger, "info", print },
        { state.client, state.host, state.class, state.logger, state.log_level, state.on_status })
      assert.same({ [id] = true, [other] = true }, state.feeds)
      assert.equal(2, #lines)
    end)

    it("or not: what is wrong raises", function()
      engine.stream = answering("open", nil, errors.new("ConfigError", "no"))
      assert.is_string(check.raised("ConfigError", {}, module.open, client, client_state, { id }).where)
      local ended = errors.new("StreamClosedError", "closed")
      engine.stream = answering("open", nil, ended)
      assert.same({ nil, ended }, { module.open(client, client_state, { id }) })
      check.raised("ConfigError", {}, module.open, client, client_state, {})
      check.says(check.raised("ConfigError", {}, module.open, client, client_state, { id }, 5), "options must be")
    end)
  end)
end)
