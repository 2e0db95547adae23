-- SPDX-License-Identifier: MIT
-- A source in Redis over a server that answers as a spec says. What a real one does is in
-- spec/integration/relay_spec.lua.

local has_module = pcall(require, "chainlink.redis") and pcall(require, "socket")
if not has_module then
  describe("a source in Redis", function()
    it("reads", function() pending "built without hiredis, or no luasocket here" end)
  end)
  return
end

local chainlink = require "chainlink"
local core = require "chainlink.core"
local failure = require "spec.support.failure"
local keys = require "chainlink.relay.keys"
local recording = require "spec.support.recording"
local scripted_redis = require "spec.support.scripted_redis"

local T = 1700000000
local A, B, C = recording.id(3, 1), recording.id(3, 2), recording.id(3, 3)
local NOTHING, END = scripted_redis.NOTHING, scripted_redis.END

describe("a source in Redis", function()
  local servers, answers, sources, events, waits

  -- Answers by a command's name: a list that is used up, or a function; nothing more is said then.
  local function answer(command, number)
    local of_name = answers[command[1]]
    if type(of_name) == "function" then return of_name(command, number) end
    local value = of_name and table.remove(of_name, 1)
    if value == nil then return command[1] == "PING" and "PONG" or NOTHING end
    return value
  end

  before_each(function()
    answers, sources, events, waits, servers = {}, {}, {}, {}, { scripted_redis.start(answer) }
  end)
  after_each(function()
    local last = { PING = "PONG", XACK = 1 }
    for _, server in ipairs(servers) do
      server.answer = function(command) return last[command[1]] or NOTHING end
    end
    for _, source in ipairs(sources) do source:close() end
    for _, server in ipairs(servers) do server:stop() end
  end)

  local function pump()
    for _, server in ipairs(servers) do server:pump() end
  end

  local function open(options)
    local all = { url = servers[1].url, feeds = { A }, from = "all", log_level = "none", loop = function(fd, seconds)
      pump()
      waits[#waits + 1] = seconds or "long"
      core.wait(fd, math.min(seconds or 0.01, 0.01))
    end, on_status = function(event) events[#events + 1] = event end }
    for name, value in pairs(options or {}) do all[name] = value end
    local source = chainlink.source.redis(all)
    sources[#sources + 1] = source
    return source
  end

  local function report(second, number) return assert(chainlink.decode(recording.report(3, number or 1, second))) end

  -- An entry of a stream; more: further fields, by name.
  local function entry(of, after, more)
    local fields = { "report", of:bytes() }
    if after then fields[3], fields[4] = "after", after end
    for name, value in pairs(more or {}) do fields[#fields + 1], fields[#fields + 2] = name, value end
    return { ("%.0f-0"):format(of.observations_timestamp_ms), fields }
  end

  local function stream(id, ...) return { keys.stream(id), { ... } } end

  local function id_of(second, number) return ("%.0f-%d"):format(second * 1000, number or 0) end

  local function told(what)
    local list = {}
    for _, event in ipairs(events) do
      if not what or event.state == what then
        list[#list + 1] = event.feed_id and ("%s %s %.0f %.0f: %s"):format(event.state, event.feed_id:sub(-1),
          event.from_ms, event.to_ms, event.reason) or event.state .. (event.reason and ": " .. event.reason or "")
      end
    end
    return list
  end

  local function asked(what)
    local list = {}
    for _, server in ipairs(servers) do
      for _, command in ipairs(server.asked) do
        if command:find("^" .. what) then list[#list + 1] = command end
      end
    end
    return list
  end

  local function read(source, count)
    local list = {}
    for i = 1, count do list[i] = assert(source:read(5)).observations_timestamp - T end
    return list
  end

  it("reads all there is, and goes on behind it", function()
    answers.XREAD = { { stream(A, entry(report(T), "0-0", { received_at = "1500", backfilled = "1", origin = "o" }),
      entry(report(T + 1), id_of(T))) }, { stream(A, entry(report(T + 2), id_of(T + 1))) } }
    local source = open()
    local first = assert(source:read(5))
    assert.same({ report(T).full_report, 1.5, true, "o" },
      { first.full_report, first.received_at, first.backfilled, first.origin })
    local second = assert(source:read(5))
    assert.same({ T + 1, false }, { second.observations_timestamp, second.backfilled or false })
    assert.is_nil(second.received_at)
    assert.same({ 2 }, read(source, 1))
    assert.same({ "XREAD COUNT 1000 BLOCK 5000 STREAMS " .. keys.stream(A) .. " 0-0",
      "XREAD COUNT 1000 BLOCK 5000 STREAMS " .. keys.stream(A) .. " " .. id_of(T + 1) }, asked "XREAD")
    assert.same({ "connected" }, told())
    local stats = source:stats()
    for name, value in pairs { accepted = 3, lost = 0, errors_count = 0, reconnect_count = 0, queue_length = 0,
      configured_connections = 1, active_connections = 1, decode_errors = 0 } do
      assert.equal(value, stats[name], name)
    end
  end)

  it("begins at a time, or behind what is there", function()
    open({ from = T, feeds = { A, B } }):connect(5)
    pump()
    local before = ("%.0f-18446744073709551615"):format(T * 1000 - 1)
    answers.XREVRANGE = function(command) return command[2] == keys.stream(A) and { { id_of(T), {} } } or {} end
    local source = open { from = "new", feeds = { A, B, C } }
    assert.equal(source, (source:connect(5)))
    for _ = 1, 2 do
      source:poll()
      pump()
    end
    failure.failure("TimeoutError", {}, source:read(0.05))
    local list = asked "XREVRANGE"
    assert.same({ 3, "XREVRANGE " .. keys.stream(A) .. " + - COUNT 1" }, { #list, list[1] })
    assert.same({ ("XREAD COUNT 333 BLOCK 5000 STREAMS %s %s %s %s 0-0 0-0"):format(keys.stream(A), keys.stream(B),
      keys.stream(C), id_of(T)) }, asked "XREAD")
    failure.failure("TimeoutError", {}, sources[1]:read(0.05))
    assert.equal(("XREAD COUNT 500 BLOCK 5000 STREAMS %s %s %s %s"):format(keys.stream(A), keys.stream(B), before,
      before), asked("XREAD")[2])
  end)

  it("finds its beginning though the connection ends meanwhile", function()
    answers.XREVRANGE = { END, {} }
    local source = open { from = "new" }
    assert.equal(source, (source:connect(5)))
    assert.equal(2, #asked "XREVRANGE")
  end)

  it("is set up when all beginnings are known, and not before", function()
    local source = open { from = "new", feeds = { A, B } }
    answers.XREVRANGE = { {}, NOTHING }
    failure.failure("TimeoutError", {}, source:connect(0.1))
    servers[1]:tell(1, {})
    assert.equal(source, (source:connect(5)))
    assert.same({}, asked "XREAD")
  end)

  it("passes over what it has, what is of others, and what is no report", function()
    local broken = entry(report(T + 3))
    broken[2][2] = "nonsense"
    answers.XREAD = { { stream(A, entry(report(T)), entry(report(T + 1)), entry(report(T)), { "strange", {} }, broken,
      entry(report(T + 2))), stream(B, entry(report(T + 5, 2))) } }
    local source = open()
    assert.same({ 0, 1 }, read(source, 2))
    failure.failure("TimeoutError", {}, source:read(0.05))
    assert.equal(1, source:stats().decode_errors)
  end)

  it("tells what is gone before it was read, by the entry before each", function()
    answers.XREAD = { { stream(A, entry(report(T), id_of(T - 9)), entry(report(T + 1), id_of(T)),
      entry(report(T + 9), id_of(T + 5)), entry(report(T + 20), id_of(T + 3)), entry(report(T + 21)),
      entry(report(T + 22), "strange")) } }
    local source = open()
    read(source, 6)
    assert.same({ ("lost 1 %.0f %.0f: gone from Redis before it was read"):format((T + 1) * 1000 + 1, (T + 5) * 1000),
      ("lost 1 %.0f %.0f: Redis began anew"):format((T + 9) * 1000 + 1, (T + 20) * 1000 - 1) }, told "lost")
    assert.equal(2, source:stats().lost)
  end)

  it("tells what is gone of the very millisecond that it has read to", function()
    answers.XREAD = { { stream(A, entry(report(T), "0-0"), entry(report(T + 5), id_of(T, 2))) } }
    read(open(), 2)
    assert.same({ ("lost 1 %.0f %.0f: gone from Redis before it was read"):format(T * 1000, T * 1000) }, told "lost")
  end)

  it("knows that from the first entry on where it began behind one", function()
    answers.XREVRANGE = { { { id_of(T), {} } } }
    answers.XREAD = { { stream(A, entry(report(T + 9), id_of(T + 5))) } }
    read(open { from = "new" }, 1)
    assert.equal(1, #told "lost")
  end)

  it("tells what was lost before it came", function()
    answers.XREAD = { { stream(A, entry(report(T), nil, { lost = "10 20" }), entry(report(T + 1), nil, { lost = "" }),
      entry(report(T + 2), nil, { lost = "1 2 3" })) } }
    read(open(), 3)
    assert.same({ "lost 1 10 20: lost on its way to Redis" }, told "lost")
  end)

  describe("that goes away", function()
    it("goes on where it was", function()
      answers.XREAD = { { stream(A, entry(report(T))) }, END, { stream(A, entry(report(T + 1))) } }
      local source = open()
      assert.same({ 0, 1 }, read(source, 2))
      local list = told()
      assert.same({ 3, "connected", "connected" }, { #list, list[1], list[3] })
      assert.truthy(list[2]:find "^disconnected: .")
      assert.equal(1, source:stats().reconnect_count)
      assert.equal(1, source:stats().errors_count)
      assert.equal("XREAD COUNT 1000 BLOCK 5000 STREAMS " .. keys.stream(A) .. " " .. id_of(T), asked("XREAD")[3])
    end)

    it("tells once why it does not come back, and what comes of it", function()
      answers.PING = { { error = "LOADING" }, { error = "LOADING" }, { error = "BUSY" } }
      local source = open()
      assert.equal(source, (source:connect(5)))
      assert.same({ "reconnecting: LOADING", "reconnecting: BUSY", "connected" }, told())
      assert.equal(3, source:stats().errors_count)
      assert.equal(0, source:stats().reconnect_count)
    end)

    it("asks another of the servers after two attempts in vain", function()
      servers[2] = scripted_redis.start(answer)
      local hosts, down = {}, 2
      servers[1].answer = function(command)
        hosts[#hosts + 1] = 1
        if command[1] == "PING" and down > 0 then
          down = down - 1
          return { error = "LOADING " .. down }
        end
        return answer(command)
      end
      servers[2].answer = function(command)
        hosts[#hosts + 1] = 2
        return answer(command)
      end
      local source = open { url = ("redis://127.0.0.1:%d,127.0.0.1:%d"):format(servers[1].port, servers[2].port) }
      assert.equal(source, (source:connect(5)))
      assert.same({ 1, 1, 2 }, hosts)
    end)
  end)

  it("cannot be had where there is no memory for it", function()
    local redis = require "chainlink.redis"
    local poller = redis.poller
    redis.poller = function() return nil, "no memory" end
    local source, err = chainlink.source.redis { url = servers[1].url, feeds = { A } }
    redis.poller = poller
    failure.says(failure.failure("MemoryError", {}, source, err), "no memory")
  end)

  it("gives up what is refused", function()
    answers.XREAD = { { error = "NOPERM no" } }
    local source = open()
    local err = failure.failure("AuthenticationError", {}, source:read(5))
    failure.says(err, ("127.0.0.1:%d refuses: NOPERM no"):format(servers[1].port))
    answers.PING = { { error = "NOAUTH no" } }
    failure.says(failure.failure("AuthenticationError", {}, open():connect(5)), "NOAUTH no")
  end)

  it("makes the connection anew after an answer that it does not understand", function()
    answers.XREAD = { { error = "ERR what" }, { stream(A, entry(report(T))) } }
    local source = open()
    assert.same({ 0 }, read(source, 1))
    assert.same({ "connected", "disconnected: ERR what", "connected" }, told())
  end)

  describe("that is a cluster", function()
    local function moved(number) return { error = "MOVED 5 127.0.0.1:" .. servers[number].port } end

    it("has a connection for each feed, to where it is", function()
      servers[2] = scripted_redis.start(answer)
      local asked_of = {}
      servers[1].answer = function(command)
        if command[1] ~= "XREAD" then return answer(command) end
        asked_of[#asked_of + 1] = "1 " .. table.concat(command, " ", 6)
        if #command > 8 then return { error = "CROSSSLOT no" } end
        if command[7] == keys.stream(B) then return moved(2) end
        return #asked_of < 4 and { stream(A, entry(report(T))) } or NOTHING
      end
      servers[2].answer = function(command)
        if command[1] ~= "XREAD" then return answer(command) end
        asked_of[#asked_of + 1] = "2 " .. table.concat(command, " ", 6)
        return command[8] == "0-0" and { stream(B, entry(report(T + 1, 2))) } or NOTHING
      end
      local source = open { feeds = { A, B } }
      local seen = read(source, 2)
      table.sort(seen)
      assert.same({ 0, 1 }, seen)
      failure.failure("TimeoutError", {}, source:read(0.1))
      assert.equal(2, source:stats().configured_connections)
      assert.equal(2, source:stats().active_connections)
      table.sort(asked_of)
      assert.same({ ("1 STREAMS %s %s"):format(keys.stream(A), "0-0"), ("1 STREAMS %s %s"):format(keys.stream(A),
        id_of(T)), ("1 STREAMS %s %s 0-0 0-0"):format(keys.stream(A), keys.stream(B)),
        ("1 STREAMS %s 0-0"):format(keys.stream(B)), ("2 STREAMS %s 0-0"):format(keys.stream(B)),
        ("2 STREAMS %s %s"):format(keys.stream(B), id_of(T + 1)) }, asked_of)
      pump()
      assert.equal(1, servers[1]:open())
      assert.equal(1, servers[2]:open())
    end)

    it("is one by a redirection too", function()
      answers.XREAD = function(command) return #command > 8 and moved(1) or NOTHING end
      local source = open { feeds = { A, B } }
      failure.failure("TimeoutError", {}, source:read(0.2))
      assert.equal(2, source:stats().configured_connections)
    end)

    it("follows at once, and is not told as down; back to where it failed only after a while", function()
      servers[2] = scripted_redis.start(answer)
      local times, is_there = {}, false
      servers[1].answer = function(command)
        return command[1] == "XREAD" and moved(2) or answer(command)
      end
      servers[2].answer = function(command)
        if command[1] ~= "XREAD" then return answer(command) end
        times[#times + 1] = core.monotonic()
        if #times == 1 then return END end
        if #times < 4 then return moved(2) end
        is_there = true
        return { stream(A, entry(report(T))) }
      end
      local redis, dues = require "chainlink.redis", {}
      local arm = redis.poller_arm
      redis.poller_arm = function(poller, seconds)
        dues[#dues + 1] = seconds
        return arm(poller, seconds)
      end
      local source = open()
      assert.same({ 0 }, read(source, 1))
      redis.poller_arm = arm
      for _, seconds in ipairs(dues) do assert.is_true(seconds <= 0.3 or seconds > 2) end
      assert.is_true(is_there)
      assert.equal("connected", told()[1])
      assert.equal("connected", told()[2])
      for i = 3, 4 do
        local gap = times[i] - times[i - 1]
        assert.is_true(gap >= 0.29, "it came back after " .. gap)
      end
    end)
  end)

  describe("in a group", function()
    local function group(options)
      local all = { group = "g", consumer = "c" }
      for name, value in pairs(options or {}) do all[name] = value end
      return open(all)
    end

    before_each(function()
      answers.XGROUP = function() return "OK" end
      answers.XAUTOCLAIM = function() return { "0-0", {} } end
      answers.XACK = function(command) return #command - 3 end
    end)

    -- What XREADGROUP answers: those not done with, of ids behind the given one, and what is new.
    local function serve(backlog, fresh)
      answers.XREADGROUP = function(command)
        if command[7] == "BLOCK" then
          local value = table.remove(fresh, 1)
          return value == nil and NOTHING or value
        end
        local value = table.remove(backlog, 1)
        if value then return value end
        local none = {}
        for i = 1, (#command - 7) / 2 do none[i] = { command[7 + i], {} } end
        return none
      end
    end

    it("makes it where there is none, behind what is there or from its beginning", function()
      serve({}, {})
      local source = group { from = "new", feeds = { A, B } }
      assert.equal(source, (source:connect(5)))
      answers.XGROUP = function() return { error = "BUSYGROUP is there" } end
      source = group { from = T }
      assert.equal(source, (source:connect(5)))
      local list = asked "XGROUP"
      assert.same({ "XGROUP CREATE " .. keys.stream(A) .. " g $ MKSTREAM",
        "XGROUP CREATE " .. keys.stream(B) .. " g $ MKSTREAM", ("XGROUP CREATE %s g %.0f-18446744073709551615 MKSTREAM")
          :format(keys.stream(A), T * 1000 - 1) }, list)
      assert.same({}, asked "XREVRANGE")
      answers.XGROUP = function() return { error = "NOPERM no" } end
      failure.failure("AuthenticationError", {}, group():connect(5))
    end)

    it("takes first what it was given and not done with, then what is new", function()
      serve({ { stream(A, entry(report(T)), entry(report(T + 1))), stream(B) }, { stream(A) } },
        { { stream(A, entry(report(T + 2))) } })
      local source = group { feeds = { A, B } }
      assert.same({ 0, 1, 2 }, read(source, 3))
      local list = asked "XREADGROUP"
      local head = "XREADGROUP GROUP g c COUNT 500 STREAMS "
      assert.equal(head, list[1]:sub(1, #head))
      assert.truthy(list[1]:find(" 0-0 0-0", 1, true))
      assert.equal(head .. keys.stream(A) .. " " .. id_of(T + 1), list[2])
      assert.equal(("XREADGROUP GROUP g c COUNT 500 BLOCK 500 STREAMS %s %s > >"):format(keys.stream(A),
        keys.stream(B)), list[3])
    end)

    it("tells what is done with when it asks for more, and what is taken twice once", function()
      serve({}, { { stream(A, entry(report(T)), entry(report(T + 1)), entry(report(T))) },
        { stream(A, entry(report(T + 2))) } })
      local source = group()
      assert.same({ 0, 1 }, read(source, 2))
      assert.same({}, asked "XACK")
      assert.same({ 2 }, read(source, 1))
      assert.same({ ("XACK %s g %s %s"):format(keys.stream(A), id_of(T), id_of(T + 1)) }, asked "XACK")
      assert.is_true(source:ack())
      assert.equal(("XACK %s g %s"):format(keys.stream(A), id_of(T + 2)), asked("XACK")[2])
      assert.is_true(source:ack())
      assert.equal(2, #asked "XACK")
    end)

    it("tells again what was under way when the connection ended, and may take then what was done with", function()
      serve({}, { { stream(A, entry(report(T))) }, { stream(A, entry(report(T))) } })
      local acks = 0
      answers.XACK = function()
        acks = acks + 1
        return acks == 1 and END or 1
      end
      local source = group()
      assert.same({ 0 }, read(source, 1))
      assert.is_true(source:ack())
      assert.equal(2, acks)
      assert.equal(asked("XACK")[1], asked("XACK")[2])
      assert.same({ 0 }, read(source, 1)) -- given again
    end)

    it("does not know in time that what is done is known", function()
      serve({}, { { stream(A, entry(report(T))) } })
      answers.XACK = function() return NOTHING end
      local source = group()
      read(source, 1)
      local err = failure.failure("TimeoutError", { retryable = true }, source:ack())
      failure.says(err, "what is done is not known to the server yet")
    end)

    it("takes over what others have had for long, sixteen at a time, and tells what is gone of it", function()
      serve({}, { {} })
      answers.XAUTOCLAIM = { { "7-7", { entry(report(T)) }, { id_of(T - 1) } } }
      local source = group()
      assert.same({ 0 }, read(source, 1))
      assert.same({ ("XAUTOCLAIM %s g c 30000 0-0 COUNT 16"):format(keys.stream(A)) }, asked "XAUTOCLAIM")
      assert.same({ ("lost 1 %.0f %.0f: gone from Redis before it was done with"):format((T - 1) * 1000,
        (T - 1) * 1000) }, told "lost")
      assert.is_true(source:ack())
      assert.equal(("XACK %s g %s %s"):format(keys.stream(A), id_of(T - 1), id_of(T)), asked("XACK")[1])
    end)

    it("goes on with that after fifteen seconds, where it was", function()
      serve({}, {})
      answers.XAUTOCLAIM = { { "7-7", {} }, { "0-0", {} } }
      local monotonic, ahead = core.monotonic, 0
      core.monotonic = function() return monotonic() + ahead end
      local source = group()
      failure.failure("TimeoutError", {}, source:read(0.05))
      for _, more in ipairs { 14.5, 1 } do
        ahead = ahead + more
        servers[1]:tell(1, false) -- nothing new in half a second
        failure.failure("TimeoutError", {}, source:read(0.05))
      end
      core.monotonic = monotonic
      local list = asked "XAUTOCLAIM"
      assert.same({ 2, ("XAUTOCLAIM %s g c 30000 7-7 COUNT 16"):format(keys.stream(A)) }, { #list, list[2] })
    end)

    it("is done with what is gone before it was", function()
      serve({ { stream(A, { id_of(T), false }, entry(report(T + 1))) } }, {})
      local source = group()
      assert.same({ 1 }, read(source, 1))
      assert.same({ ("lost 1 %.0f %.0f: gone from Redis before it was done with"):format(T * 1000, T * 1000) },
        told "lost")
      assert.is_true(source:ack())
      assert.equal(("XACK %s g %s %s"):format(keys.stream(A), id_of(T), id_of(T + 1)), asked("XACK")[1])
    end)

    it("is done with what is no report", function()
      local broken = entry(report(T))
      broken[2][2] = "nonsense"
      serve({}, { { stream(A, broken, entry(report(T + 1), id_of(T - 5), { lost = "10 20" })) } })
      local source = group()
      assert.same({ 1 }, read(source, 1))
      assert.same({ "lost 1 10 20: lost on its way to Redis" }, told "lost") -- holes are nobody's in a group
      assert.is_true(source:ack())
      assert.equal(("XACK %s g %s %s"):format(keys.stream(A), id_of(T), id_of(T + 1)), asked("XACK")[1])
    end)

    it("makes it again where it is gone, from where it was", function()
      serve({}, { { stream(A, entry(report(T))) }, { error = "NOGROUP no such key" },
        { stream(A, entry(report(T + 1))) } })
      local source = group { from = "new" }
      assert.same({ 0, 1 }, read(source, 2))
      assert.same({ ("XGROUP CREATE %s g $ MKSTREAM"):format(keys.stream(A)),
        ("XGROUP CREATE %s g %s MKSTREAM"):format(keys.stream(A), id_of(T)) }, asked "XGROUP")
      assert.same({ "connected", "connected" }, told())
    end)
  end)
end)
