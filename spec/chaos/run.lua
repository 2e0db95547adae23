-- SPDX-License-Identifier: MIT
-- luacheck: std lua54
-- lua spec/chaos/run.lua SEED MINUTES [FEEDS [ORDER [ORIGINS]]]: random faults against a stream of 610 feeds (or so
-- many) over two origins, or with "one" over a single one: then up to 100 feeds have one connection. They are in
-- seconds and in milliseconds, so that connections speak v1 and v2. Then all that was delivered is compared with all
-- that the simulator made. Prints figures and TAP. Needs Lua 5.4.

local monotonic = require("chainlink.core").monotonic
local ledger = require "spec.chaos.ledger"
local choose = require "spec.chaos.menu"
local process = require "spec.chaos.process"
local simulator = require "spec.support.simulator"

local seed, minutes = tonumber(arg[1]) or 1, tonumber(arg[2]) or 1
math.randomseed(seed)
io.stdout:setvbuf "line"

local FEEDS, FAST, FAST_RATE = tonumber(arg[3]) or 610, 10, 20
local ORDER = arg[4] or "feed"
local HA = arg[5] ~= "one"
-- The first so many feeds are in milliseconds: half of the fast ones, or all of these and half of the others.
local IN_MS = ({ FAST // 2, FEEDS // 2 })[seed % 2 + 1]
local CALM_SECONDS, QUIET_SECONDS = 5, 300 -- before the first fault; at most, until all is well again after the last
local CATCH_UP_SECONDS = 5
local EACH = { 0.2, 1.4 } -- seconds from one fault to the next

local function note(...) print("# " .. (...):format(select(2, ...))) end

-- ---- the service ----

local sim = simulator.start { feeds = FEEDS + 60, ms_feeds = IN_MS, fast = FAST .. ":" .. FAST_RATE, irregular = 60,
  signers = 1, rate_limit = 0, seed = seed }

-- A fault of TCP connections may hit the request itself: try again.
local function control(method, path, body)
  for _ = 1, 8 do
    local text, status = sim:control(method, "/control/" .. path, body)
    if status and status > 0 then
      assert(status < 300, path .. ": " .. tostring(text))
      return text
    end
  end
  error("the simulator does not answer " .. path)
end

local function feed_ids(client)
  local ids, in_ms = {}, 0
  for _, feed in ipairs(assert(client:get_feeds())) do
    -- Version 1 has no valid_from: what is skipped there cannot be noticed.
    if feed.version ~= 1 and #ids < FEEDS then
      ids[#ids + 1] = feed.id
      in_ms = in_ms + (feed.resolution == "ms" and 1 or 0)
    end
  end
  return ids, in_ms
end

-- ---- the stream ----

local LATE = "a report came after one of a later time" -- it could not be delivered in order
local lost, late, states = {}, 0, {}

local function on_status(event)
  states[event.state] = (states[event.state] or 0) + 1
  if event.state == "lost" then
    if event.reason == LATE then late = late + 1 end
    lost[#lost + 1] = { feed_id = event.feed_id, from_ms = event.from_ms, to_ms = event.to_ms or math.huge,
      reason = event.reason }
  end
end

local client = sim:client {
  ha = HA, feeds_per_connection = 100, rate_limit = false, on_status = on_status,
  ping_interval = 2, pong_timeout = 2, stale_timeout = 5, connect_timeout = 2, timeout = 5,
  reconnect_max_delay = 2, retry_delay = 0.1, retry_max_delay = 1, circuit_breaker = { failures = 20, cooldown = 1 },
}
local ids, in_ms = feed_ids(client)
local stream = client:stream(ids, { order = ORDER })
assert(stream:connect(30))
local book = ledger.new(ids)

local function read_until(when, enough)
  while true do
    local now = monotonic()
    if now >= when or (enough and enough()) then return end
    local report, err = stream:read(math.min(when - now, 0.25))
    if report then book:add(report, monotonic())
    elseif err.kind ~= "TimeoutError" then error(err, 0) end
  end
end

-- ---- faults ----

local by_name, undo = {}, {}

local function post(paths)
  for _, path in ipairs(paths or {}) do control("POST", path) end
end

local function inject()
  local name, what = choose()
  by_name[name] = (by_name[name] or 0) + 1
  if os.getenv "CHAOS_VERBOSE" then
    note("%d %s: %s", os.time(), name, table.concat(what.faults or what.posts, " | "))
  end
  if what.faults then control("POST", "faults", table.concat(what.faults, "\n")) end
  post(what.posts)
  if what.undo then undo[#undo + 1] = { at = monotonic() + what.after, posts = what.undo } end
end

local function run_undo(now)
  for i = #undo, 1, -1 do
    if now >= undo[i].at then post(table.remove(undo, i).posts) end
  end
end

local function rage(seconds)
  local finish, count = monotonic() + seconds, 0
  while monotonic() < finish do
    read_until(monotonic() + EACH[1] + math.random() * (EACH[2] - EACH[1]))
    run_undo(monotonic())
    inject()
    count = count + 1
  end
  control("DELETE", "faults")
  run_undo(math.huge)
  return count
end

-- ---- the run ----

local function service_seconds()
  return require("cjson").decode(control("GET", "stats")).time_ms // 1000
end

-- Until every connection is up and every feed has come past the moment when that was so: that moment, the seconds it
-- took, and how many connections were up then.
local function calm_down()
  local started = monotonic()
  local finish = started + QUIET_SECONDS
  read_until(finish, function()
    local stats = stream:stats()
    return stats.active_connections == stats.configured_connections
  end)
  local up, settled = stream:stats().active_connections, service_seconds()
  read_until(finish, function() return book:oldest_newest() > (settled + 2) * 1000 end)
  return settled, monotonic() - started, up
end

local function sorted(counts)
  local words = {}
  for name, count in pairs(counts) do words[#words + 1] = ("%s %d"):format(name, count) end
  table.sort(words)
  return table.concat(words, ", ")
end

local tests, failed = 0, 0
local function ok(good, ...)
  tests = tests + 1
  if not good then failed = failed + 1 end
  print(("%s %d - "):format(good and "ok" or "not ok", tests) .. (...):format(select(2, ...)))
end

note("seed %d, %g minutes, order by %s, %d feeds, %d of them in milliseconds, %d connections", seed, minutes, ORDER,
  #ids, in_ms, stream:stats().configured_connections)
read_until(monotonic() + CALM_SECONDS)
local before = process.usage(true)
local count = rage(minutes * 60)
local settled, calmed, up = calm_down()
local after, stats = process.usage(true), stream:stats()

local reports_of = sim:client { rate_limit = false }
local function compare()
  return book:compare(function(...) return reports_of:reports(...) end, settled, lost)
end

local result = compare()
local until_when = monotonic() + QUIET_SECONDS
-- By arrival, a feed's newest report does not say that its gaps are filled.
while ORDER == "arrival" and result.missing > 0 and monotonic() < until_when do
  read_until(monotonic() + CATCH_UP_SECONDS)
  result = compare()
end
reports_of:close()

local silence, silent_feed = book:longest_silence()
note("%d faults: %s", count, sorted(by_name))
note("status events: %s", sorted(states))
note("%d reports delivered, %d of them backfilled; %d made in the time compared", book.count, stats.backfilled or 0,
  result.made)
note("reconnects: %d partial, %d full, %d of connections; %d gaps, %d of them empty", stats.partial_reconnects,
  stats.full_reconnects, stats.reconnect_count, stats.gaps, stats.empty_gaps)
note("%d duplicates, %d out of order, %d delivered behind a later time, %d decode errors, %d rejected",
  stats.deduplicated, stats.out_of_order, book.back, stats.decode_errors, stats.rejected)
note("lost: %d reports in %d ranges, %d of them too late to be in order", result.told, #lost, late)
for i = 1, math.min(#lost, 20) do
  note("  %s %s to %s: %s", lost[i].feed_id, lost[i].from_ms, lost[i].to_ms, lost[i].reason)
end
note("all was well again after %.1f s", calmed)
note("longest silence %.1f s (%s)", silence, silent_feed)
note("before: %s", process.words(before))
note("after:  %s", process.words(after))
for _, example in ipairs(result.examples) do note("%s", example) end

ok(calmed < QUIET_SECONDS, "all was well again in time")
ok(result.silent == 0, "every feed brought reports")
ok(result.missing == 0, "no report is missing without a word (%d missing)", result.missing)
ok(#lost == late, "nothing was lost but what came too late (%d ranges)", #lost - late)
ok(result.twice == 0, "no report came twice (%d)", result.twice)
if ORDER == "feed" then ok(book.back == 0, "no feed's times went back (%d)", book.back) end
ok(result.invented == 0, "none was invented (%d)", result.invented)
ok(up == stats.configured_connections, "all %d connections are up again (%d)", stats.configured_connections, up)
ok(after.threads <= before.threads + 1, "threads: %d before, %d after", before.threads, after.threads)
ok(after.descriptors <= before.descriptors + 16, "descriptors: %d before, %d after", before.descriptors,
  after.descriptors)
client:close()
sim:stop()
print("1.." .. tests)
os.exit(failed == 0, true)
