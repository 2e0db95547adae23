-- SPDX-License-Identifier: MIT
-- What every source of reports is to a script, over an engine of the spec's.

local chainlink = require "chainlink"
local errors = require "chainlink.errors"
local failure = require "spec.support.failure"
local reader = require "chainlink.source.reader"
local recording = require "spec.support.recording"
local sample = require "spec.support.sample"
local stopped_clock = require "spec.support.stopped_clock"

local T = 1700000000
local A, B = recording.id(3, 1), recording.id(3, 2)

describe("a source", function()
  local clock, calls, engine, state, events, logs, finished

  before_each(function()
    clock = stopped_clock.at(1000)
    calls, events, logs, finished = {}, {}, {}, true
    engine = {}
    for _, name in ipairs { "step", "arm", "want", "close" } do
      engine[name] = function() calls[#calls + 1] = name end
    end
    function engine.fd() return "fd" end
    function engine.is_ready() return false end
    function engine.done(_, feed, mark) calls[#calls + 1] = "done " .. feed:sub(-1) .. " " .. mark end
    function engine.finish()
      calls[#calls + 1] = "finish"
      return finished
    end
    function engine.counts(_, stats) stats.of_engine = 7 end
  end)
  after_each(function() clock.restore() end)

  local function open(more)
    local values = { log_level = "info", loop = function(fd, seconds)
      calls[#calls + 1] = ("wait %s %s"):format(fd, seconds and ("%g"):format(seconds) or "nil")
      clock.now = clock.now + (seconds and seconds / 2 or 1)
      if engine.on_wait then engine.on_wait() end
    end, on_status = function(event) events[#events + 1] = event end,
      logger = function(level, words, fields) logs[#logs + 1] = { level, words, fields } end }
    for name, value in pairs(more or {}) do values[name] = value end
    local source = reader.new(values, { A, B }, "the host", function(made)
      state = made
      return engine
    end)
    return source
  end

  local function report(second, number, valid_from)
    return assert(chainlink.decode(recording.report(3, number or 1, second, valid_from)))
  end

  local function give(second, mark, number) state:give(report(second, number), mark) end

  local function called()
    local list = table.concat(calls, ", ")
    calls = {}
    return list
  end

  it("gives what is there in order, and tells what is done with when the next one is asked for", function()
    local source = open()
    give(T, "m1")
    give(T + 1, "m2", 2)
    local first = source:read()
    assert.equal("", called())
    assert.equal(report(T).full_report, first.full_report)
    assert.equal(first, source:latest(A))
    assert.is_nil(source:latest(B))
    assert.equal(T + 1, source:read().observations_timestamp)
    assert.equal("done 1 m1", called())
    assert.equal(T + 1, source:latest(B).observations_timestamp)
    assert.is_nil((source:poll()))
    assert.equal("done 2 m2, step, want, step, arm", called())
    assert.is_nil((source:poll()))
    assert.equal("step, want, step, arm", called())
  end)

  it("wants nothing as long as a step brings something", function()
    local source = open()
    function engine.step()
      calls[#calls + 1] = "step"
      give(T, "m")
    end
    assert(source:read())
    assert.equal("step", called())
    assert(source:poll())
    assert.equal("done 1 m, step, arm", called())
  end)

  it("waits as long as it takes, or as it is told", function()
    local source = open()
    function engine.on_wait() give(T, "m") end
    assert(source:read())
    assert.equal("step, want, step, arm, wait fd nil", called())
    assert(source:read(4))
    assert.equal("done 1 m, step, want, step, arm, wait fd 4", called())
    engine.on_wait = nil
    local waits, last = 0, nil
    engine.on_wait = function()
      waits = waits + 1
      last = calls[#calls]
      if waits == 3 then clock.now = 2000 end
    end
    local err = failure.failure("TimeoutError", { retryable = true }, source:read(4))
    assert.equal("no report within 4 seconds", err.message)
    assert.same({ 3, "wait fd 1" }, { waits, last })
    calls = {}
    failure.failure("TimeoutError", {}, source:read(0))
    assert.equal("step, want, step", called())
  end)

  it("takes a time for what it is", function()
    local source = open()
    for _, name in ipairs { "read", "connect" } do
      for _, wrong in ipairs { -1, "soon" } do
        failure.says(failure.raised("ConfigError", {}, source[name], source, wrong), "timeout")
      end
    end
  end)

  it("tells a failure again and again, after what came before it", function()
    local source = open()
    give(T, "m")
    local err, later = errors.new("NetworkError", "x"), errors.new("NetworkError", "y")
    state:fail(err)
    state:fail(later)
    assert(source:read())
    calls = {}
    for _ = 1, 2 do assert.equal(err, (select(2, source:read()))) end
    assert.equal(err, (select(2, source:poll())))
    assert.equal(err, (select(2, source:connect())))
    assert.equal("done 1 m, step, step, step, step", called())
    local ok, raised = pcall(function() for _ in source do error "there is one" end end)
    assert.is_false(ok)
    assert.equal(err, raised)
  end)

  it("tells a failure that its question brought", function()
    local source = open()
    local err = errors.new("NetworkError", "x")
    function engine.want() state:fail(err) end
    assert.equal(err, (select(2, source:read())))
  end)

  it("is read by a loop until it is closed", function()
    local source = open()
    give(T, "m")
    give(T + 1, "m")
    local seen = {}
    for one in source do
      seen[#seen + 1] = one.observations_timestamp
      if #seen == 2 then source:close() end
    end
    assert.same({ T, T + 1 }, seen)
  end)

  if _VERSION >= "Lua 5.4" then
    it("is closed by a loop that ends", function()
      local made = table.pack(reader.new({ loop = function() end }, { A }, "h", function(one) -- luacheck: ignore 143
        state = one
        return engine
      end))
      assert.same({ 4, true, true, true },
        { made.n, made[2] == nil, made[3] == nil, made[4] == made[1] })
      state:give(report(T), "m")
      calls = {}
      for _ in made[1], made[2], made[3], made[4] do break end -- luacheck: ignore 512
      assert.equal("finish, close", called())
    end)
  end

  describe("that is connected", function()
    it("answers itself when it is set up", function()
      local source = open()
      local steps = 0
      function engine.is_ready()
        steps = steps + 1
        return steps == 3
      end
      assert.equal(source, (source:connect()))
      assert.equal("step, arm, wait fd nil, step, arm, wait fd nil, step", called())
    end)

    it("tells in time that it is not, and by what it failed last", function()
      local source = open()
      local err = failure.failure("TimeoutError", { retryable = true }, source:connect(0))
      assert.equal("not connected within 0 seconds", err.message)
      assert.equal("step", called())
      state:status("disconnected", "h", "first")
      state:status("reconnecting", "h", "second")
      state:status("reconnecting", "h")
      engine.on_wait = function() clock.now = 2000 end
      err = failure.failure("TimeoutError", { retryable = true }, source:connect(4))
      assert.equal("not connected within 4 seconds; the last failure: second", err.message)
      assert.equal("step, arm, wait fd 4, step", called())
    end)
  end)

  describe("whose work is to be known as done", function()
    it("waits for that for a second", function()
      local source = open()
      give(T, "m")
      source:read()
      assert.is_true(source:ack())
      assert.equal("done 1 m, step, finish", called())
      finished = false
      local waits = 0
      function engine.on_wait()
        waits = waits + 1
        if waits == 3 then clock.now = 1001 end
      end
      local err = failure.failure("TimeoutError", { retryable = true }, source:ack())
      assert.equal("what is done is not known to the server yet", err.message)
      assert.equal("step, finish, arm, wait fd 1, step, finish, arm, wait fd 0.5, step, finish, arm, wait fd 0.25, "
        .. "step, finish", called())
    end)

    it("tells that it is over", function()
      local source = open()
      local err = errors.new("NetworkError", "x")
      state:fail(err)
      assert.equal(err, (select(2, source:ack())))
      state.failure = nil
      source:close()
      failure.failure("StreamClosedError", {}, source:ack())
    end)
  end)

  it("is closed once, waits for what is done, and gives up what waits", function()
    local source = open()
    give(T, "m1")
    give(T + 1, "m2")
    source:read()
    finished = false
    function engine.on_wait() finished = true end
    source:close()
    assert.equal("finish, arm, wait fd 1, step, finish, close", called())
    source:close()
    assert.equal("", called())
    for _, name in ipairs { "read", "poll", "connect", "ack" } do
      failure.failure("StreamClosedError", {}, source[name](source))
    end
    assert.equal(0, source:stats().queue_length)
    assert.is_false(source:dirty())
    assert.equal("chainlink.source (closed)", tostring(source))
  end)

  it("does not wait for long where that is never known, nor at all after a failure", function()
    local source = open()
    finished = false
    local waits = 0
    function engine.on_wait()
      waits = waits + 1
      if waits == 2 then clock.now = 1001 end
    end
    source:close()
    assert.equal("finish, arm, wait fd 1, step, finish, arm, wait fd 0.5, step, finish, close", called())
    source = open()
    state:fail(errors.new("NetworkError", "x"))
    source:close()
    assert.equal("close", called())
  end)

  it("is watched by a loop", function()
    local source = open()
    assert.equal("fd", source:pollfd())
    assert.equal("arm", called())
    assert.equal("fd", source:getfd())
    assert.equal("r", source:events())
    assert.is_nil(source:timeout())
    assert.is_false(source:dirty())
    give(T, "m")
    assert.is_true(source:dirty())
    assert.equal("chainlink.source (the host)", tostring(source))
  end)

  it("counts", function()
    local source = open()
    for name, value in pairs { feeds = 2, accepted = 0, total_received = 0, decode_errors = 0, unverified = 0, lost = 0,
      lost_seconds = 0, queue_length = 0, of_engine = 7 } do
      assert.equal(value, source:stats()[name], name)
    end
    give(T, "m")
    give(T, "m")
    source:read()
    state:range("lost", A, 1000, 1998, "x")
    state:range("lost", A, 5000, 5000, "x")
    state:range("lost", A, 9, 5, "x") -- nothing
    state:range("unverified", A, 1000, 9000, "x")
    for name, value in pairs { accepted = 1, lost = 3, lost_seconds = 1, queue_length = 1 } do
      assert.equal(value, source:stats()[name], name)
    end
  end)

  it("is full when so many wait", function()
    local source = open()
    assert.is_false(state:is_full(1))
    assert.is_false(state:has_more())
    give(T, "m")
    give(T, "m")
    assert.is_true(state:is_full(2))
    assert.is_false(state:is_full(3))
    assert.is_true(state:has_more())
    source:read()
    assert.is_false(state:is_full(2))
    assert.is_true(state:is_full(1))
  end)

  for _, name in ipairs { "read", "poll", "latest", "connect", "ack", "pollfd", "events", "timeout", "dirty", "stats",
    "close" } do
    it("wants a colon before " .. name, function()
      local source = open()
      for _, wrong in ipairs { {}, 5, setmetatable({}, {}) } do
        local err = failure.raised("ConfigError", {}, source[name], wrong)
        local what = type(wrong) == "number" and "5" or "a table"
        assert.equal(("%s: called on %s; write source:%s(...) with a colon"):format(name, what, name), err.message)
      end
    end)
  end

  describe("tells", function()
    it("its connection's states", function()
      open()
      state:status("connected", "h")
      state:status("disconnected", "h", "why")
      assert.same({ { state = "connected", host = "h", time = 1000 },
        { state = "disconnected", host = "h", reason = "why", time = 1000 } }, events)
      assert.same({ "info", "connected h" }, { logs[1][1], logs[1][2] })
      assert.same({ "warn", "disconnected h: why" }, { logs[2][1], logs[2][2] })
    end)

    it("what is lost, in seconds and milliseconds", function()
      open()
      state:range("lost", A, 1999, 5001, "why")
      assert.same({ { state = "lost", feed_id = A, from = 1, to = 5, from_ms = 1999, to_ms = 5001, reason = "why",
        time = 1000 } }, events)
      assert.same({ "warn", "lost: feed " .. A .. " from 1 to 5: why" }, { logs[1][1], logs[1][2] })
    end)

    it("times that no report can have as the last that numbers can tell", function()
      local source = open()
      state:range("lost", A, 1e300, math.huge, "why")
      assert.same({ 2 ^ 53, 2 ^ 53 }, { events[1].from_ms, events[1].to_ms })
      assert.equal(1, source:stats().lost_seconds)
    end)

    it("a logger alone, and nobody", function()
      open()
      state:log("warn", "words")
      assert.same({}, events)
      assert.same({ "warn", "words" }, { logs[1][1], logs[1][2] })
      open { on_status = false, logger = false, log_level = "none" }
      state:status("connected", "h")
      assert.same({}, events)
    end)
  end)

  describe("makes a report of bytes", function()
    local told = { ms = T * 1000, received_at = 1500, backfilled = true, origin = "o" }

    it("with how it came", function()
      local source = open()
      local one = state:restore(A, report(T):bytes(), told)
      assert.same({ report(T).full_report, 1.5, true, "o" }, { one.full_report, one.received_at, one.backfilled,
        one.origin })
      assert.equal(1, source:stats().total_received)
    end)

    it("whose time it tells where the report does not", function()
      open()
      local one = state:restore(sample.feed_id(99), chainlink.decode(sample.v99):bytes(), { ms = 5000, received_at = 0,
        backfilled = false, origin = "" })
      assert.equal(5000, one.observations_timestamp_ms)
      assert.is_nil(one.valid_from_timestamp_ms)
    end)

    it("unless they are none, or of another feed or time", function()
      local source = open()
      local other = { ms = (T + 1) * 1000, received_at = 0, backfilled = false, origin = "" }
      assert.is_nil(state:restore(A, "nonsense", told))
      assert.is_nil(state:restore(B, report(T):bytes(), told))
      assert.is_nil(state:restore(A, report(T):bytes(), other))
      assert.is_nil(state:restore(A, {}, told))
      assert.equal(4, source:stats().decode_errors)
      assert.equal(4, source:stats().total_received)
      assert.same({}, events)
      assert.equal("warn", logs[2][1])
      assert.truthy(logs[4][2]:find("bad argument", 1, true))
      assert.equal(("feed %s, %d000 ms: the report is of another feed or time"):format(B, T), logs[2][2])
    end)

    it("that is signed as is asked for", function()
      local signers = {}
      for i = 1, 4 do signers[i] = "0x" .. tostring(i):rep(40) end
      local source = open { verify = { signers = signers, f = 1 } }
      assert.is_nil(state:restore(A, report(T):bytes(), told))
      local stats = source:stats()
      assert.same({ 1, 1, 0, 0 }, { stats.unverified, stats.total_received, stats.decode_errors, stats.lost })
      assert.same({ "unverified", A, T * 1000, T * 1000 }, { events[1].state, events[1].feed_id, events[1].from_ms,
        events[1].to_ms })
      assert.is_string(events[1].reason)
    end)
  end)

  it("answers why there is no engine", function()
    local err = errors.new("MemoryError", "x")
    local function fail() return nil, err end
    failure.failure("MemoryError", {}, reader.new({ loop = function() end }, { A }, "h", fail))
  end)
end)
