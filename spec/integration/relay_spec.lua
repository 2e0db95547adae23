-- SPDX-License-Identifier: MIT
-- Reports through a real Redis: what its function adds, what the relay brings, and what a source reads.

local await = require "spec.support.await"
local chainlink = require "chainlink"
local core = require "chainlink.core"
local failure = require "spec.support.failure"
local project = require "spec.support.project"
local redis_server = require "spec.support.redis_server"
local relaying = require "spec.support.relaying"
local simulator = require "spec.support.simulator"

local has_module, why = pcall(require, "chainlink.redis")
local absent = not has_module and "built without hiredis: " .. why:match "^[^\n]*"
  or not redis_server.is_there() and "redis-server is not here" or nil

if absent then
  describe("the relay", function() it("brings reports", function() pending(absent) end) end)
  return
end

local address, keys = require "chainlink.relay.address", require "chainlink.relay.keys"
local sinks = require "chainlink.relay.sink"

local function new_sink(url, keep)
  return assert(sinks.new { access = address.parse(url, "url"), keep = keep or 3600, log = function() end })
end

local function count_of(server, words) return tonumber(server:ask(words)) end

local function page(client, id, count)
  local now = os.time()
  local reports = {}
  for report in client:reports(id, now - 3 * count, now - count) do
    reports[#reports + 1] = report
    if #reports == count then return reports end
  end
  error "too few reports"
end

local function items(...)
  local list = {}
  for i, report in ipairs { ... } do list[i] = { report = report } end
  return list
end

describe("the function in Redis", function()
  local server, sim, client, sink, id, other
  setup(function()
    server, sim = redis_server.start(), simulator.start { rate_limit = 0, feeds = 4, fast = "1:5" }
    client = sim:client { rate_limit = false }
    local feeds = assert(client:get_feeds())
    id, other = feeds[2].id, feeds[1].id -- the other one has five reports a second
  end)
  teardown(function()
    client:close()
    sim:stop()
    server:stop()
  end)
  before_each(function()
    server:ask "FLUSHALL"
    sink = new_sink(server.url)
  end)
  after_each(function() sink:close() end)

  local function counts(of)
    local all = { added = 0, known = 0, late = 0, old = 0, behind = 0 }
    for name, number in pairs(of) do all[name] = number end
    return all
  end

  it("adds a report once, in order, and puts what comes too late aside", function()
    local r = page(client, id, 6)
    assert.same({}, sink:newest { id })
    assert.same(counts { added = 2 }, sink:add { [id] = items(r[2], r[3]) })
    assert.same(counts { known = 2, added = 1 }, sink:add { [id] = items(r[2], r[3], r[5]) })
    assert.same(counts { late = 1, old = 1, added = 1 }, sink:add { [id] = items(r[4], r[1], r[6]) })
    assert.same(counts { known = 1 }, sink:add { [id] = items(r[4]) })
    assert.equal(4, count_of(server, "XLEN " .. keys.stream(id)))
    assert.equal(1, count_of(server, "ZCARD " .. keys.late(id)))
    assert.same({ [id] = r[6].observations_timestamp_ms }, sink:newest { id, other })
  end)

  it("knows reports of the same time by what was signed", function()
    local r = {}
    local second = os.time() - 5
    for report in client:reports(other, second, second) do r[#r + 1] = report end
    assert.equal(5, #r)
    assert.same(counts { added = 3 }, sink:add { [other] = items(r[1], r[2], r[3]) })
    assert.same(counts { known = 3, added = 2 }, sink:add { [other] = items(r[1], r[2], r[3], r[4], r[5]) })
    local last = second * 1000 .. "-4"
    assert.truthy(server:ask("XREVRANGE " .. keys.stream(other) .. " + - COUNT 1"):find(last:gsub("%.0", ""), 1, true))
  end)

  it("adds nothing behind a report that is not there any more", function()
    local r = page(client, id, 4)
    local function at(i) return r[i].observations_timestamp_ms end
    sink:add { [id] = items(r[1]) }
    local later = { { report = r[3], before = at(2) }, { report = r[4], before = at(3) } }
    assert.same(counts { behind = 1 }, sink:add { [id] = later })
    assert.equal(1, count_of(server, "XLEN " .. keys.stream(id)))
    sink:add { [id] = { { report = r[2], before = at(1) } } }
    assert.same(counts { added = 2 }, sink:add { [id] = later })
  end)

  it("trims by time", function()
    sink:close()
    sink = new_sink(server.url, 60)
    local r = page(client, id, 300)
    sink:add { [id] = items((table.unpack or unpack)(r)) } -- luacheck: ignore 113 143
    local left = count_of(server, "XLEN " .. keys.stream(id))
    assert.is_true(left >= 61 and left < 150, "left: " .. left)
  end)

  it("asks for no other rights than the documentation tells, and readers neither", function()
    local port = redis_server.free_port()
    local guarded = redis_server.start("--bind 127.0.0.1 --port " .. port)
    local words = project.read "docs/relay.md":match "\nRights that.-\n\n"
    local rights, seen = {}, {}
    for right in words:gmatch "(%+[%l|]+)" do rights[#rights + 1], seen[right] = right, true end
    assert.is_true(seen["+fcall"] and seen["+xreadgroup"] and not seen["+xdel"])
    guarded:ask(("ACL SETUSER me on '>p@ss' '~chainlink:*' -@all '%s'"):format(table.concat(rights, "' '")))
    local url = "redis://me:p%40ss@127.0.0.1:" .. port
    local r, mine = page(client, id, 3), new_sink("redis://me:p%40ss@127.0.0.1:" .. port)
    assert.same(counts { added = 2, late = 1 }, mine:add { [id] = items(r[1], r[3], r[2]) })
    mine:close()
    for _, group in ipairs { false, "workers" } do
      local from = chainlink.source.redis { url = url, feeds = { id }, from = "all", group = group or nil,
        consumer = group and "one" or nil, log_level = "none" }
      assert.equal(r[1].full_report, assert(from:read(10)).full_report)
      assert.is_true(from:ack())
      from:close()
    end
    guarded:stop()
  end)

  it("is what a stream that was trimmed to nothing goes on by", function()
    local r = page(client, id, 3)
    sink:add { [id] = items(r[1], r[2]) }
    server:ask("XTRIM " .. keys.stream(id) .. " MAXLEN 0")
    assert.same(counts { old = 1, added = 1 }, sink:add { [id] = items(r[1], r[3]) })
  end)
end)

describe("the relay", function()
  local server, sim, client, ids
  local running = {}

  local function relay(options)
    local self = relaying.start(sim, ("--redis %s %s %s"):format(server.url, options or "", table.concat(ids, " ")))
    running[#running + 1] = self
    return self
  end

  local function source(options)
    local all = { url = server.url, feeds = ids, log_level = "none", loop = "block" }
    for name, value in pairs(options or {}) do all[name] = value end
    local self = chainlink.source.redis(all)
    running[#running + 1] = { stop = function() self:close() end }
    return self
  end

  local function read(from, count)
    local list = {}
    for i = 1, count do list[i] = assert(from:read(30)) end
    return list
  end

  before_each(function()
    server = redis_server.start()
    sim = simulator.start { rate_limit = 0, feeds = 3, ms_feeds = 3, rate = 10, signers = 2 }
    client = sim:client { rate_limit = false }
    ids = {}
    for i, feed in ipairs(assert(client:get_feeds())) do ids[i] = feed.id end
  end)
  after_each(function()
    for _ = #running, 1, -1 do table.remove(running).stop() end
    client:close()
    sim:stop()
    server:stop()
  end)

  local function check(reports) relaying.check(client, reports) end

  it("brings all, once and in order, whatever number of relays runs, and a source reads it", function()
    relay() relay()
    local from = source()
    assert.equal(from, (from:connect(10)))
    local reports = read(from, 60)
    check(reports)
    local last = reports[60]
    assert.equal(last, from:latest(last.feed_id))
    assert.is_true(last.received_at > os.time() - 60)
    local stats = from:stats()
    assert.equal(60, stats.accepted)
    for name, value in pairs { feeds = 3, decode_errors = 0, lost = 0, unverified = 0, active_connections = 1 } do
      assert.equal(value, stats[name], name)
    end
    from:close()
    failure.failure("StreamClosedError", {}, from:read())
    for _ in from do error "a closed source goes on" end
  end)

  it("is a source for bars and guards, as a stream is", function()
    relay()
    local bars, guard = chainlink.bars { interval = "1s" }, chainlink.guard { max_age = 60 }
    local count = 0
    for bar in bars:over(guard:over(source { from = "all", feeds = { ids[1] } })) do
      assert.equal(ids[1], bar.feed_id)
      count = count + bar.count
      if count > 10 then break end
    end
    assert.is_true(count > 10)
  end)

  it("goes on where it was, whoever was killed", function()
    local first = relay()
    local from = source { from = "all" }
    local reports = read(from, 20)
    first.stop()
    server:kill()
    local lost_for = os.time() + 2
    await("two seconds without anybody", function() return os.time() >= lost_for end)
    server:run()
    relay()
    for _, report in ipairs(read(from, 80)) do reports[#reports + 1] = report end
    check(reports)
    assert.equal(0, from:stats().lost)
    assert.equal(1, from:stats().reconnect_count)
  end)

  it("notices when what was there is gone, and fills what it can", function()
    local one = relay()
    local from = source { from = "all" }
    read(from, 20)
    local events = {}
    local second = source { from = "all", on_status = function(event) events[#events + 1] = event end }
    read(second, 10)
    local length = count_of(server, "XLEN " .. keys.stream(ids[1]))
    await("three seconds more", function() return count_of(server, "XLEN " .. keys.stream(ids[1])) > length + 30 end)
    server:ask("DEL " .. keys.stream(ids[1]))
    await("a word of it", function() return one.output():find("reports that were there are gone", 1, true) end)
    check(read(source { from = "all", feeds = { ids[1] } }, 20))
    local function is_told()
      second:poll()
      for _, event in ipairs(events) do
        if event.state == "lost" and event.reason == "Redis began anew" then return event.feed_id == ids[1] end
      end
    end
    await("the hole to be told", is_told)
  end)

  it("lets the reader know what was trimmed before it was read", function()
    relay()
    local events = {}
    local from = source { from = "all", feeds = { ids[1] }, on_status = function(event)
      events[#events + 1] = event
    end }
    local key = keys.stream(ids[1])
    local before = read(from, 3)[3]
    local waiting = from:stats().queue_length
    local length = count_of(server, "XLEN " .. key)
    await("more", function() return count_of(server, "XLEN " .. key) > length + 20 end)
    server:ask("XTRIM " .. key .. " MAXLEN 1")
    for _ = 1, waiting do before = from:read(1) end
    local after = from:read(10)
    local lost
    for _, event in ipairs(events) do lost = event.state == "lost" and event or lost end
    assert.is_true(lost.from_ms == before.observations_timestamp_ms + 1
      and lost.to_ms < after.observations_timestamp_ms and lost.to_ms >= lost.from_ms)
    assert.equal("gone from Redis before it was read", lost.reason)
    assert.equal(1, from:stats().lost)
    assert.is_true(from:stats().lost_seconds >= 1)
  end)

  it("leaves verification to the reader", function()
    relay()
    local folder, remove = project.folder()
    project.write(folder .. "/oracles", (sim:control("GET", "/control/oracles")))
    local good = source { verify = assert(chainlink.signers.from_file(folder .. "/oracles")) }
    local events = {}
    local others = {}
    for i = 1, 4 do others[i] = "0x" .. tostring(i):rep(40) end
    local bad = source { verify = { signers = others, f = 1 },
      on_status = function(event) events[#events + 1] = event end }
    read(good, 10)
    remove()
    failure.failure("TimeoutError", {}, bad:read(0.5))
    assert.is_true(bad:stats().unverified > 0 and bad:stats().accepted == 0)
    assert.equal("unverified", events[#events].state)
  end)

  it("has groups that share the work; what was not acknowledged comes again", function()
    relay()
    local function consumer(name) return source { group = "workers", consumer = name, from = "all" } end
    local one, two = consumer "one", consumer "two"
    local seen, list = {}, {}
    for _ = 1, 30 do
      for _, from in ipairs { one, two } do
        local report = assert(from:read(10))
        assert.is_nil(seen[report.full_report])
        seen[report.full_report], list[#list + 1] = from, report
      end
    end
    assert.is_true(one:ack())
    two:close() -- the report taken last is not done with
    local again = consumer "two"
    local report = assert(again:read(10))
    assert.equal(list[60].full_report, report.full_report)
    assert.is_true(again:ack())
    local pending_of_one = server:ask(("XPENDING %s workers - + 1000 one"):format(keys.stream(list[59].feed_id)))
    local id = ("%.0f-"):format(list[59].observations_timestamp_ms)
    assert.is_nil(pending_of_one:find(id, 1, true))
  end)

  it("can be waited for by any loop", function()
    relay()
    local waits = 0
    local from = source { loop = function(fd, seconds)
      waits = waits + 1
      core.wait(fd, seconds or 5)
    end }
    read(from, 5)
    assert.is_true(waits > 0)
    local polled = source()
    local fd, list = polled:pollfd(), {}
    assert.equal(fd, polled:getfd())
    assert.equal("r", polled:events())
    while #list < 20 do
      assert.is_true(core.wait(fd, 30))
      list[#list + 1] = polled:poll() -- one at a time: the descriptor tells of the others
    end
    check(list)
  end)

  it("tells what is wrong with the server, and no secret", function()
    server:ask "CONFIG SET requirepass simulator-secret"
    server.login = "-a simulator-secret"
    for _, url in ipairs { "redis://u:not-the-secret@x", "redis://x" } do
      local access = address.parse(url, "url")
      access.places = { { host = server.path, port = 0 } }
      local sink = assert(sinks.new { access = access, keep = 60, log = function() end })
      failure.raised("AuthenticationError", {}, sink.newest, sink, ids)
      sink:close()
    end
    local from = source()
    failure.failure("AuthenticationError", {}, from:read(10))
    failure.failure("AuthenticationError", {}, from:connect(10))
    local command = relay()
    await("its end", function() return command.output():find("AuthenticationError: Redis at", 1, true) end)
    assert.is_nil(command.output():find("simulator-secret", 1, true))
    local output = project.run(("env REDISCLI_AUTH=simulator-secret %s timeout 5 chainlink-streams relay --redis %s %s")
      :format(sim:exports(), server.url, ids[1]))
    assert.truthy(output:find("connected to Redis at", 1, true), output)
  end)
end)

describe("two relays, readers and a Redis that are killed at random", function()
  local function run(name, words)
    it(name, function()
      if _VERSION ~= "Lua 5.4" then return pending "the long form needs Lua 5.4" end
      local output, status = project.run(("timeout -k 5 170 %s spec/relay/run.lua %s"):format(project.lua, words))
      assert.equal(0, status, output)
      assert.equal(6, select(2, output:gsub("\nok ", "\n")), output)
    end)
  end
  run("lose nothing, and bring nothing twice or out of order", "1 0.2 10 10 1")
  run("nor does a cluster of three", "2 0.15 9 5 3")
end)
