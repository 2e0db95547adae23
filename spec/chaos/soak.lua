-- SPDX-License-Identifier: MIT
-- luacheck: std lua54
-- lua spec/chaos/soak.lua MINUTES: a stream of 100 feeds whose connections end every few seconds. Memory must not grow
-- after the first minute (or third of the time), descriptors and threads stay as they are. Needs Lua 5.4.

local monotonic = require("chainlink.core").monotonic
local process = require "spec.chaos.process"
local simulator = require "spec.support.simulator"

local minutes = tonumber(arg[1]) or 10
local FEEDS, EVERY = 100, 3 -- seconds between two kills
local MOST_SLOPE = 256 -- KiB a minute; what the allocator moves about is less

io.stdout:setvbuf "line"

local sim = simulator.start { feeds = FEEDS, signers = 1, rate_limit = 0 }
local client = sim:client { ha = true, rate_limit = false, reconnect_delay = 0.05, circuit_breaker = false }
local ids = {}
for i, feed in ipairs(assert(client:get_feeds())) do ids[i] = feed.id end
local stream = client:stream(ids)
assert(stream:connect(30))

local reports = 0

local function read_until(when, enough)
  while monotonic() < when and not (enough and enough()) do
    local report, err = stream:read(math.min(0.25, math.max(0.001, when - monotonic())))
    if report then reports = reports + 1
    elseif err.kind ~= "TimeoutError" then error(err, 0) end
  end
end

local function all_up()
  local stats = stream:stats()
  return stats.active_connections == stats.configured_connections
end

local kills = { "kill?origin=o1", "kill?origin=o2&how=reset", "kill?how=drop" }
local started, points, most, least = monotonic(), {}, {}, {}
local warm = math.min(60, minutes * 20)

local function sample(now)
  collectgarbage()
  local usage = process.usage(true)
  points[#points + 1] = { (now - started) / 60, usage.rss }
  for name, value in pairs(usage) do
    most[name] = math.max(most[name] or 0, value)
    least[name] = math.min(least[name] or math.huge, value)
  end
end

local round = 0
while monotonic() - started < minutes * 60 do
  read_until(monotonic() + EVERY)
  read_until(monotonic() + 20, all_up)
  if monotonic() - started > warm then sample(monotonic()) end
  round = round + 1
  sim:control("POST", "/control/" .. kills[round % #kills + 1])
end
read_until(monotonic() + 20, all_up)
local stats = stream:stats()

local slope = process.slope(points)
print(("# %g minutes, %d reports, %d kills, %d reconnects (%d partial, %d full), backfilled %d"):format(
  minutes, reports, round, stats.reconnect_count, stats.partial_reconnects, stats.full_reconnects,
  stats.backfilled or 0))
local RESOURCES = "# RSS %.1f to %.1f MiB, slope %.1f KiB a minute over %d samples; %d to %d descriptors, "
  .. "%d to %d threads"
print(RESOURCES:format(
  least.rss / 1024, most.rss / 1024, slope, #points, least.descriptors, most.descriptors, least.threads, most.threads))

local tests, failed = 0, 0
local function ok(good, text)
  tests = tests + 1
  if not good then failed = failed + 1 end
  print(("%s %d - %s"):format(good and "ok" or "not ok", tests, text))
end

-- A short run cannot tell growth from the allocator's first steps.
ok(slope < MOST_SLOPE or minutes < 3, ("memory does not grow: %.1f KiB a minute"):format(slope))
ok(most.descriptors - least.descriptors <= 4, "descriptors stay: the engine's, and idle REST connections")
ok(most.threads == least.threads, "threads stay")
ok(stats.active_connections == stats.configured_connections, "all connections are up at the end")
client:close()
sim:stop()
print("1.." .. tests)
os.exit(failed == 0)
