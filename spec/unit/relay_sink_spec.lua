-- SPDX-License-Identifier: MIT
-- The sink into Redis over a server that answers as a spec says: moved keys, servers that load, that refuse, that go
-- away. What a real one does is in spec/integration/relay_spec.lua.

local has_module = pcall(require, "chainlink.redis") and pcall(require, "socket")
if not has_module then
  describe("the sink into Redis", function()
    it("adds", function() pending "built without hiredis, or no luasocket here" end)
  end)
  return
end

local address = require "chainlink.relay.address"
local block = require "chainlink.loop.block"
local core = require "chainlink.core"
local failure = require "spec.support.failure"
local keys = require "chainlink.relay.keys"
local library = require "chainlink.relay.library"
local scripted_redis = require "spec.support.scripted_redis"
local sinks = require "chainlink.relay.sink"

local A, B, C = "0xa", "0xb", "0xc"

describe("the sink into Redis", function()
  local wait = block.wait
  local servers, sink, logs, waits

  -- Servers that answer by these functions, and a sink that knows those of the numbers in `known`.
  local function start(answers, known, keep)
    for i, answer in ipairs(answers) do
      servers[i] = scripted_redis.start(function(command, number)
        if command[1] == "PING" then return "PONG" end
        return answer(command, number)
      end)
    end
    local urls = {}
    for i, number in ipairs(known or { 1 }) do urls[i] = "127.0.0.1:" .. servers[number].port end
    sink = assert(sinks.new { access = address.parse("redis://" .. table.concat(urls, ","), "url"), keep = keep or 60,
      log = function(level, words) logs[#logs + 1] = level .. ": " .. words:gsub("127.0.0.1:%d+", function(place)
        for i, server in ipairs(servers) do
          if place == "127.0.0.1:" .. server.port then return "server " .. i end
        end
      end) end })
    return sink
  end

  before_each(function()
    servers, logs, waits = {}, {}, {}
    function block.wait(fd, seconds)
      waits[#waits + 1] = seconds or "long"
      for _, server in ipairs(servers) do server:pump() end
      return wait(fd, math.min(seconds or 0.01, 0.01))
    end
  end)
  after_each(function()
    block.wait = wait
    sink:close()
    for _, server in ipairs(servers) do server:stop() end
  end)

  local function entry(id) return { { id, { "report", "x" } } } end

  local function asked(server)
    local list = {}
    for _, command in ipairs(server:heard()) do
      if command ~= "PING" then list[#list + 1] = command end
    end
    table.sort(list)
    return list
  end

  it("asks for each feed's newest entry", function()
    local answers = { [keys.stream(A)] = entry "7-1", [keys.stream(B)] = {}, [keys.stream(C)] = { "strange" } }
    start { function(command) return answers[command[2]] end }
    assert.same({ [A] = 7 }, sink:newest { A, B, C })
    local list = asked(servers[1])
    assert.equal(3, #list)
    assert.equal("XREVRANGE " .. keys.stream(A) .. " + - COUNT 1", list[1])
    assert.same({ "info: connected to Redis at server 1" }, logs)
    assert.equal(1, #servers[1].connections)
    assert.is_true(waits[#waits] > 14 and waits[#waits] <= 15) -- for an answer
  end)

  it("takes an answer of nothing, or of another kind, as none", function()
    start { function(command) return command[2] == keys.stream(A) and 5 end }
    assert.same({}, sink:newest { A, B })
  end)

  local function report(ms, more)
    local one = { observations_timestamp_ms = ms, bytes = function() return "bytes " .. ms end }
    for name, value in pairs(more or {}) do one[name] = value end
    return one
  end

  it("adds a feed's reports with one command, and counts what is answered", function()
    start { function(command)
      if command[4] == keys.stream(B) then return { "late", "unheard" } end
      return { "added", "known", "added" }
    end }
    local counts = sink:add { [A] = { { report = report(5), before = 4, lost = "1 2" }, { report = report(6,
      { received_at = 1.5, backfilled = true, origin = "o" }) } }, [B] = { { report = report(7) } } }
    assert.same({ added = 2, known = 1, late = 1, old = 0, behind = 0 }, counts)
    local list = asked(servers[1])
    local head = ("FCALL %s 2 %s %s 60000 "):format(library.add, keys.stream(A), keys.late(A))
    assert.equal(head .. "5 4 0 0  1 2 bytes 5 6 0 1500 1 o  bytes 6", list[1])
    assert.equal(2, #list)
  end)

  it("counts nothing of an answer that is none", function()
    start { function() return "added" end }
    local none = { added = 0, known = 0, late = 0, old = 0, behind = 0 }
    assert.same(none, sink:add { [A] = { { report = report(5) } } })
  end)

  it("goes where a feed has moved to, and stays there", function()
    start({ function(command)
      if command[2] == keys.stream(A) then return { error = "MOVED 5 127.0.0.1:" .. servers[2].port } end
      return entry "1-0"
    end, function() return entry "2-0" end })
    assert.same({ [A] = 2, [B] = 1 }, sink:newest { A, B })
    servers[1]:heard()
    assert.same({ [A] = 2 }, sink:newest { A })
    assert.same({}, servers[1]:heard())
  end)

  it("forgets where a feed was when that server goes away, and asks one that it knows", function()
    local is_up = true
    start({ function() return is_up and { error = "MOVED 5 127.0.0.1:" .. servers[2].port } or entry "9-0" end,
      function() return is_up and entry "2-0" or scripted_redis.END end })
    assert.same({ [A] = 2 }, sink:newest { A })
    logs, is_up = {}, false
    assert.same({ [A] = 9 }, sink:newest { A })
    assert.truthy(logs[1]:find "^warn: Redis at server 2: .")
  end)

  it("asks the next of the servers that it knows when one is not there", function()
    start({ function() return entry "1-0" end, function() return entry "2-0" end }, { 1, 2 })
    servers[1].listener:close()
    assert.same({ [A] = 2 }, sink:newest { A })
    assert.truthy(logs[1]:find "^warn: Redis at server 1: ")
    assert.equal("info: connected to Redis at server 2", logs[#logs])
  end)

  it("comes back to the first when the last is not there", function()
    local is_up = false
    local function end_it() return scripted_redis.END end
    start({ function() return is_up and entry "1-0" or scripted_redis.END end, end_it }, { 1, 2 })
    servers[2].answer = function(command)
      is_up = true
      return command[1] == "PING" and "PONG" or scripted_redis.END
    end
    assert.same({ [A] = 1 }, sink:newest { A })
  end)

  it("loads the function where it is not there", function()
    local is_loaded = false
    start { function(command)
      if command[1] == "FUNCTION" then
        is_loaded = true
        return "chainlink_streams"
      end
      return is_loaded and { "added" } or { error = "ERR Function not found" }
    end }
    local counts = sink:add { [A] = { { report = report(5) } } }
    assert.equal(1, counts.added)
    local loads = 0
    for _, command in ipairs(servers[1].asked) do
      if command == "FUNCTION LOAD REPLACE " .. library.code then loads = loads + 1 end
    end
    assert.equal(1, loads)
    assert.equal(1, #logs)
    for _, seconds in ipairs(waits) do assert.is_true(seconds > 2) end -- it asked again at once
  end)

  it("tries again where the function cannot be loaded now", function()
    local tries, times = 0, {}
    start { function(command)
      if command[1] == "FUNCTION" then
        tries = tries + 1
        times[tries] = core.monotonic()
        return tries == 1 and { error = "BUSY" } or "ok"
      end
      return tries > 1 and { "added" } or { error = "ERR Function not found" }
    end }
    assert.equal(1, sink:add({ [A] = { { report = report(5) } } }).added)
    assert.equal(2, tries)
    assert.is_true(times[2] - times[1] >= 0.19)
  end)

  it("gives up where the function is refused for good", function()
    start { function(command)
      return { error = command[1] == "FUNCTION" and "NOPERM no" or "ERR Function not found" }
    end }
    local err = failure.raised("AuthenticationError", {}, sink.add, sink, { [A] = { { report = report(5) } } })
    failure.says(err, "NOPERM no")
    assert.truthy(err.message:find(servers[1].port, 1, true))
  end)

  it("gives up what is refused for good, by the first refusal", function()
    start { function() return { error = "WRONGTYPE no" } end }
    failure.says(failure.raised("APIError", {}, sink.newest, sink, { A, B }), "refuses: WRONGTYPE no")
  end)

  it("goes on where it could not load the function because the connection ended", function()
    local loads = 0
    start { function(command)
      if command[1] ~= "FUNCTION" then return loads > 1 and { "added" } or { error = "ERR Function not found" } end
      loads = loads + 1
      return loads == 1 and scripted_redis.END or "ok"
    end }
    assert.equal(1, sink:add({ [A] = { { report = report(5) } } }).added)
    assert.equal(2, loads)
  end)

  it("asks again a little later what fails for now, and tells once what it was", function()
    local answers = { { error = "OOM" }, { error = "OOM" }, { error = "CLUSTERDOWN" }, entry "3-0" }
    local times = {}
    start { function()
      times[#times + 1] = core.monotonic()
      return table.remove(answers, 1)
    end }
    assert.same({ [A] = 3 }, sink:newest { A })
    for i = 2, 4 do assert.is_true(times[i] - times[i - 1] >= 0.19, "it did not wait") end
    local short = 0
    for _, seconds in ipairs(waits) do
      assert.is_true(seconds <= 0.2 or seconds > 2 and seconds <= 15) -- to ask again, or for an answer
      short = short + (seconds <= 0.2 and 1 or 0)
    end
    assert.is_true(short > 0)
    assert.same({ "info: connected to Redis at server 1", "warn: Redis at server 1: OOM",
      "warn: Redis at server 1: CLUSTERDOWN" }, logs)
  end)

  it("asks again what was under way when the connection ended", function()
    local answers = { scripted_redis.END, scripted_redis.END, entry "4-0" }
    start { function() return table.remove(answers, 1) end }
    assert.same({ [A] = 4 }, sink:newest { A })
    assert.equal(3, #servers[1].connections)
    local ends = 0
    for _, words in ipairs(logs) do ends = ends + (words:find "^warn" and 1 or 0) end
    assert.equal(2, ends) -- it was up each time
  end)

  it("cannot be had where there is no memory for it", function()
    local redis = require "chainlink.redis"
    local poller = redis.poller
    redis.poller = function() return nil, "no memory" end
    local none, err = sinks.new { keep = 60 }
    redis.poller = poller
    failure.says(failure.failure("MemoryError", {}, none, err), "no memory")
    start { function() return {} end }
  end)

  it("ends its connections", function()
    start { function() return {} end }
    sink:newest { A }
    collectgarbage "stop" -- which would close what nobody closed
    sink:close()
    local deadline = os.time() + 5
    repeat servers[1]:pump() until servers[1]:open() == 0 or os.time() > deadline
    collectgarbage "restart"
    assert.equal(0, servers[1]:open())
  end)
end)
