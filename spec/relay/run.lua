-- SPDX-License-Identifier: MIT
-- luacheck: std lua54
-- lua spec/relay/run.lua SEED MINUTES FEEDS RATE SERVERS: two relays, a Redis (or, with 3, a cluster of three), a
-- reader, and two consumers of a group; each of them but the reader is killed at random moments and started again.
-- With "kafka" in place of a number: a Kafka of one broker and one relay. Then what the reader and the group got is
-- compared with all that the simulator made. Prints figures and TAP. Needs Lua 5.4, and redis-server or Kafka.

local chainlink = require "chainlink"
local core = require "chainlink.core"
local ledger = require "spec.chaos.ledger"
local kafka_server = require "spec.support.kafka_server"
local project = require "spec.support.project"
local redis_server = require "spec.support.redis_server"
local simulator = require "spec.support.simulator"

local monotonic = core.monotonic
local seed, minutes = tonumber(arg[1]) or 1, tonumber(arg[2]) or 1
local FEEDS, RATE, SERVERS = tonumber(arg[3]) or 100, tonumber(arg[4]) or 20, arg[5] or "1"
local KAFKA = SERVERS == "kafka"
local EACH = { 0.3, 2 } -- seconds from one kill to the next
local DOWN = { 0.05, 1.5 } -- that what was killed stays away
local QUIET_SECONDS = 120 -- after the last kill: as long as nothing that is new comes
math.randomseed(seed)
io.stdout:setvbuf "line"

local function note(...) print("# " .. (...):format(select(2, ...))) end
local function between(range) return range[1] + math.random() * (range[2] - range[1]) end

-- ---- the scene ----

local folder, remove = project.folder()
local servers, url
if SERVERS == "3" then servers, url = redis_server.cluster()
elseif KAFKA then
  servers = { kafka_server.start(assert(kafka_server.jars())) }
  url = ("kafka://%s/reports"):format(servers[1].servers)
else
  servers = { redis_server.start() }
  url = servers[1].url
end
local sim = simulator.start { feeds = FEEDS, ms_feeds = FEEDS, rate = RATE, rate_limit = 0, signers = 1, seed = seed }
local client = sim:client { rate_limit = false }
local ids = {}
for i, feed in ipairs(assert(client:get_feeds())) do ids[i] = feed.id end
project.write(folder .. "/feeds", table.concat(ids, "\n") .. "\n")

local cpu = {} -- seconds by kind, of those that are over

-- Something that is started by a command, killed, and started again.
local function process(kind, command)
  local self = { kind = kind }
  function self.run()
    self.pipe = assert(io.popen(("echo $$; exec %s 2>>%s/log"):format(command, folder), "r"))
    self.pid = self.pipe:read "*l"
  end
  function self.kill()
    cpu[kind] = (cpu[kind] or 0) + redis_server.seconds(self.pid)
    os.execute("kill -KILL " .. self.pid)
    self.pipe:close()
  end
  self.run()
  return self
end

local killable = {}
for _, server in ipairs(servers) do
  local function is_up() return server:is_up() end
  killable[#killable + 1] = { kind = "server", is_up = is_up, run = function() server:launch() end, kill = function()
    cpu.server = (cpu.server or 0) + redis_server.seconds(server.pid)
    server:kill()
  end }
end
local relay_command = ("env %s chainlink-streams relay --%s %s %s"):format(sim:exports(),
  KAFKA and "kafka" or "redis", url, table.concat(ids, " "))
local group_files = {}
local function start_others()
  for i = 1, 2 do
    if i == 1 or not KAFKA then killable[#killable + 1] = process("relay", relay_command) end
    group_files[i] = ("%s/consumer%d"):format(folder, i)
    local words = ("spec/relay/reader.lua %s workers consumer%d %s %s/feeds"):format(url, i, group_files[i], folder)
    killable[#killable + 1] = process("consumer", project.lua .. " " .. words)
  end
end

-- ---- reading and killing ----

local lost = {}
local open = chainlink.source[KAFKA and "kafka" or "redis"]
local source = open { url = url, feeds = ids, from = "all", on_status = function(event)
  if event.state == "lost" then lost[#lost + 1] = event end
end }
local book, read_digests, back_or_twice = ledger.new(ids), {}, 0

local function read_until(when, enough)
  while true do
    local now = monotonic()
    if now >= when or (enough and enough()) then return end
    local report, err = source:read(math.min(when - now, 0.25))
    if report then
      book:add(report, now)
      local digest = report:digest()
      if read_digests[digest] then back_or_twice = back_or_twice + 1 end
      read_digests[digest] = report.observations_timestamp_ms
    elseif err.kind ~= "TimeoutError" then error(err, 0) end
  end
end

local function rage(seconds)
  local finish, counts, away = monotonic() + seconds, {}, {}
  while monotonic() < finish do
    read_until(monotonic() + between(EACH))
    local victim = killable[math.random(#killable)]
    if not away[victim] and (not victim.is_up or victim.is_up()) then
      victim.kill()
      counts[victim.kind] = (counts[victim.kind] or 0) + 1
      away[victim] = monotonic() + between(DOWN)
    end
    for one, at in pairs(away) do
      if monotonic() >= at then
        one.run()
        away[one] = nil
      end
    end
  end
  for one in pairs(away) do one.run() end
  return counts
end

-- Reads on until all is there that is wanted, however long that takes.
local function catch_up(enough)
  local position, at = -1, monotonic()
  repeat
    read_until(monotonic() + 1, enough)
    local newest = book:oldest_newest()
    if newest > position then position, at = newest, monotonic() end
  until enough() or monotonic() > at + QUIET_SECONDS
end

-- ---- the run ----

start_others()
local started, own_seconds = monotonic(), os.clock()
read_until(started + 60, function() return book:oldest_newest() > 0 end)
local counts = rage(minutes * 60)
local raged, raged_count = monotonic() - started, book.count
local settled = math.floor(require("cjson").decode((sim:control("GET", "/control/stats"))).time_ms / 1000)
local quiet_from = monotonic()
catch_up(function() return book:oldest_newest() > (settled + 2) * 1000 end)
local calmed = monotonic() - quiet_from
local elapsed, count = monotonic() - started, book.count
cpu.reader = os.clock() - own_seconds
for _, one in ipairs(killable) do
  if one.pid then cpu[one.kind] = (cpu[one.kind] or 0) + redis_server.seconds(one.pid) end
end
for _, server in ipairs(servers) do cpu.server = (cpu.server or 0) + redis_server.seconds(server.pid) end
local result = book:compare(function(...) return client:reports(...) end, settled, {})

-- What the group got: all that the reader got, by whomever, at least once.
local function group_digests()
  local seen, lines = {}, 0
  for _, path in ipairs(group_files) do
    local file = io.open(path, "r")
    for line in (file and file:lines() or function() end) do
      local digest = line:match "^0x%x+ %d+ (0x%x+)$"
      if digest then seen[digest], lines = true, lines + 1 end
    end
    if file then file:close() end
  end
  return seen, lines
end

local function group_misses()
  local seen, lines = group_digests()
  local missing = 0
  for digest, ms in pairs(read_digests) do
    if ms <= settled * 1000 and not seen[digest] then missing = missing + 1 end
  end
  return missing, lines
end

local misses, lines
local group_from = monotonic()
repeat -- what a killed consumer had goes to the other after half a minute
  read_until(monotonic() + 1)
  misses, lines = group_misses()
until misses == 0 or monotonic() > group_from + QUIET_SECONDS

local words = {}
for kind, number in pairs(counts) do words[#words + 1] = ("%s %d"):format(kind, number) end
table.sort(words)
note("seed %d, %.2g minutes, %d feeds at %d a second, %d servers; killed: %s", seed, minutes, #ids, RATE, #servers,
  table.concat(words, ", "))
note("%d reports read in %.1f s: %.0f reports/s, and %.0f while there were kills; %d compared; the group took %d",
  count, elapsed, count / elapsed, raged_count / raged, result.made, lines)
note("processor time a report: relays %.0f us (%s of them), server %.0f us, consumers %.0f us, the reader %.0f us",
  1e6 * cpu.relay / count, KAFKA and "one" or "two", 1e6 * cpu.server / count, 1e6 * cpu.consumer / count,
  1e6 * cpu.reader / count)
note("all had come %.1f s after the last kill, the group's %.1f s later", calmed, monotonic() - group_from)
for i = 1, math.min(#lost, 10) do
  note("lost: %s %.0f to %.0f: %s", lost[i].feed_id, lost[i].from_ms, lost[i].to_ms, lost[i].reason)
end
for _, example in ipairs(result.examples) do note("%s", example) end

local tests, failed = 0, 0
local function ok(good, ...)
  tests = tests + 1
  if not good then failed = failed + 1 end
  print(("%s %d - "):format(good and "ok" or "not ok", tests) .. (...):format(select(2, ...)))
end

ok(result.silent == 0, "every feed brought reports")
ok(result.missing == 0 and #lost == 0, "nothing is lost (%d missing, %d ranges told)", result.missing, #lost)
ok(result.twice == 0 and back_or_twice == 0, "nothing came twice (%d)", result.twice + back_or_twice)
ok(book.back == 0, "no feed's times went back (%d)", book.back)
ok(result.invented == 0, "none was invented (%d)", result.invented)
ok(misses == 0, "the group got each at least once (%d missing)", misses)
print("1.." .. tests)

source:close()
for _, one in ipairs(killable) do
  if one.pid then one.kill() end
end
client:close()
sim:stop()
if failed > 0 then
  local log = project.read(folder .. "/log")
  note("the end of what the relays said:\n%s", log:sub(-4000))
end
for _, server in ipairs(servers) do server:stop() end
remove()
os.exit(failed == 0, true)
