-- SPDX-License-Identifier: MIT
-- What failures cost in time. First one of two origins fails in several ways, `ha` on: how much later than usual does
-- each report reach the script? Then the only connection is reset while the service is up: how long until reports
-- come again? A round is a failure of each kind, once.   failover.lua ROUNDS
package.path = "bench/?.lua;" .. package.path
local core = require "chainlink.core"
local median = require "median"
local simulator = require "spec.support.simulator"

local monotonic = core.monotonic
local rounds = tonumber(arg[1] or 3)
local FEEDS, FAST, FAST_RATE = 24, 4, 20 -- the fast ones have so many reports a second, the others one
local CALM = 4 -- seconds that tell what is usual
local WATCHED = 1.2 -- seconds after a failure; reports that are expected then are compared
local SETTLED = 1.2 -- seconds; every feed has brought a report since

-- The history is the same for each of them, so two make two origins.
local service_options = { feeds = FEEDS, fast = FAST .. ":" .. FAST_RATE, signers = 1, rate_limit = 0 }

local function start(port)
  local options = { port = port }
  for name, value in pairs(service_options) do options[name] = value end
  return simulator.start(options)
end

-- Without waiting for the answer: reports are to be read meanwhile.
local function tell(sim, path, body)
  os.execute(("curl -sSk --max-time 10 -H X-Simulator-Control:1 -X POST --data-raw '%s' '%s/control/%s' >/dev/null &")
    :format(body or "", sim.rest_url, path))
end

local function client_of(rest, origins, on_status)
  local urls = {}
  for i, sim in ipairs(origins) do urls[i] = sim.ws_url end
  -- A simulator that is started again has another certificate.
  return rest:client { ws_url = table.concat(urls, ","), tls = { insecure_skip_verify = true }, rate_limit = false,
    on_status = on_status, ha = #origins > 1, ping_interval = 1, pong_timeout = 1, reconnect_max_delay = 0.5 }
end

local function feed_ids(client)
  local ids, is_fast = {}, {}
  for i, feed in ipairs(assert(client:get_feeds())) do
    ids[i], is_fast[feed.id] = feed.id, i <= FAST
  end
  return ids, is_fast
end

-- ---- reports and their times ----

local Log = {}
Log.__index = Log

local function new_log(stream, is_fast)
  return setmetatable({ stream = stream, is_fast = is_fast, records = {}, second = {}, step = {} }, Log)
end

-- `due` is when the service made the report, by its clock; of a second's reports the first is made at its beginning.
function Log:add(report, now)
  local id, second = report.feed_id, report.observations_timestamp
  self.step[id] = second == self.second[id] and self.step[id] + 1 or 0
  self.second[id] = second
  local record = { id = id, due = second + (self.is_fast[id] and self.step[id] / FAST_RATE or 0), at = now,
    backfilled = report.backfilled }
  self.records[#self.records + 1] = record
  return record
end

function Log:read(seconds, enough)
  local finish = monotonic() + seconds
  while not (enough and enough()) do
    local left = finish - monotonic()
    if left <= 0 then return end
    local report, err = self.stream:read(math.min(left, 0.01))
    if report then self:add(report, monotonic())
    elseif err.kind ~= "TimeoutError" then error(err, 0) end
  end
end

function Log:read_until_all_are_up()
  self:read(30, function()
    local stats = self.stream:stats()
    return stats.active_connections == stats.configured_connections
  end)
end

-- Each feed's median of the time from the service's clock to the script's, over the reports that came by then.
function Log:usual(by)
  local lags, usual = {}, {}
  for _, record in ipairs(self.records) do
    local list = lags[record.id] or {}
    lags[record.id] = list
    if record.at < by then list[#list + 1] = record.at - record.due end
  end
  for id, list in pairs(lags) do usual[id] = median.of(list) end
  return usual
end

-- The latest that a report of each feed came in that time, against when it would have come as usual: in ms.
function Log:added(usual, from, to, fast)
  local worst, list = {}, {}
  for _, record in ipairs(self.records) do
    local expected = record.due + usual[record.id]
    if self.is_fast[record.id] == fast and expected >= from and expected < to then
      worst[record.id] = math.max(worst[record.id] or -math.huge, (record.at - expected) * 1000)
    end
  end
  for _, ms in pairs(worst) do list[#list + 1] = ms end
  return list
end

local function share(list, part)
  local sorted = {}
  for i, value in ipairs(list) do sorted[i] = value end
  table.sort(sorted)
  return sorted[math.max(1, math.ceil(part * #sorted))]
end

local function print_times(what, list)
  if #list == 0 then
    print(("%-66s none"):format(what))
    return
  end
  print(("%-66s %9.1f %9.1f %9.1f %9.1f ms   (%d)"):format(what, share(list, 0), median.of(list), share(list, 0.95),
    share(list, 1), #list))
end

local function print_head(what)
  print(("%-66s %9s %9s %9s %9s"):format(what, "least", "median", "95 %", "most"))
end

-- ---- one of two origins ----

-- Each answers how it is undone, if it must be. The third is how long it is watched, where that is not WATCHED.
local kinds = {
  { "nothing fails", function() end },
  { "skips two seconds", function(sim) tell(sim, "faults", "on=live,times=0,action=skip,seconds=2") end, 3.2 },
  { "is reset", function(sim) tell(sim, "kill?how=reset") end },
  { "closes", function(sim) tell(sim, "kill?how=close") end },
  { "falls silent, and stays open", function(sim) tell(sim, "kill?how=freeze") end, 2.5 }, -- it may seem up for two
  { "is reset, and refuses handshakes", function(sim)
    tell(sim, "down?what=all")
    return function() tell(sim, "up?what=all") end
  end },
  { "is killed", function(sim, origins, place)
    sim:signal "KILL"
    return function()
      sim:stop()
      origins[place] = start(sim:port())
    end
  end },
}

local function print_added(log, usual, windows, stats)
  print_head(("one of two origins fails, %d feeds: added delay"):format(FEEDS))
  for i, kind in ipairs(kinds) do
    for _, fast in ipairs { false, true } do
      local all = {}
      for _, window in ipairs(windows[i]) do
        for _, ms in ipairs(log:added(usual, window.from, window.to, fast)) do all[#all + 1] = ms end
      end
      print_times(("  %s, %s"):format(kind[1],
        fast and FAST_RATE .. " reports/s" or "1 report/s"), all)
    end
  end
  print(("  %d reports, %d reconnects, %d gaps, %d backfilled, %d lost"):format(#log.records, stats.reconnect_count,
    stats.gaps, stats.backfilled, stats.lost))
end

local function one_of_two()
  local rest, origins = start(), { start(), start() }
  local client = client_of(rest, origins)
  local ids, is_fast = feed_ids(client)
  local stream = assert(client:stream(ids):connect(30))
  local log, windows = new_log(stream, is_fast), {}
  log:read(SETTLED)
  log.records = {}
  log:read(CALM)
  local calm_by = monotonic()
  for round = 1, rounds do
    local place = round % 2 + 1
    log:read(SETTLED)
    for i, kind in ipairs(kinds) do
      local watched = kind[3] or WATCHED
      windows[i] = windows[i] or {}
      table.insert(windows[i], { from = monotonic(), to = monotonic() + watched })
      local undo = kind[2](origins[place], origins, place)
      log:read(watched + math.random() * 0.2)
      if undo then undo() end
      log:read_until_all_are_up()
    end
  end
  log:read(SETTLED)

  print_added(log, log:usual(calm_by), windows, stream:stats())
  client:close()
  for _, sim in ipairs(origins) do sim:stop() end
  rest:stop()
end

-- ---- the only connection ----

-- Reads until every feed has brought a report since the loss; notes how long that took, in ms.
local function read_back(log, ids, lost_at, times)
  local seen, missing, count, has_filled = {}, #ids, 0, false
  log.records = {}
  log:read(10, function()
    for i = count + 1, #log.records do
      local record = log.records[i]
      local ms = (record.at - lost_at) * 1000
      if i == 1 then table.insert(times.any, ms) end
      if not seen[record.id] then
        table.insert(log.is_fast[record.id] and times.fast or times.slow, ms)
        missing = missing - 1
      end
      if record.backfilled and not has_filled then table.insert(times.filled, ms) end
      seen[record.id], has_filled = true, has_filled or record.backfilled
    end
    count = #log.records
    return missing == 0
  end)
end

local resets = {
  { "is reset", "on=live,times=0,action=reset" },
  { "is reset, one handshake refused", "on=ws,action=status,status=503\non=live,times=0,action=reset" },
}

local function new_times() return { up = {}, any = {}, slow = {}, fast = {}, filled = {} } end

local function print_back(times)
  print_times("  the connection is up again", times.up)
  print_times("  the first report of any feed", times.any)
  print_times(("  a feed's first report, %d reports/s"):format(FAST_RATE), times.fast)
  print_times("  a feed's first report, 1 report/s", times.slow)
  print_times("  the first backfilled report, where one was missed", times.filled)
end

local function the_only_one()
  local sim, event_at = start(), {}
  local client = client_of(sim, { sim }, function(event) event_at[event.state] = event.time end)
  local ids, is_fast = feed_ids(client)
  local stream = assert(client:stream(ids):connect(30))
  local log, times = new_log(stream, is_fast), { new_times(), new_times() }
  log:read(CALM) -- so long it takes to see that a feed has one report a second
  for i = 1, rounds * #resets do
    local kind = i % #resets + 1
    log:read(SETTLED + math.random())
    event_at.disconnected = nil
    tell(sim, "faults", resets[kind][2])
    log:read(10, function() return event_at.disconnected end)
    local lost = assert(event_at.disconnected, "the connection was not reset")
    read_back(log, ids, monotonic() - (core.time() - lost), times[kind])
    table.insert(times[kind].up, (event_at.connected - lost) * 1000)
  end

  for kind, reset in ipairs(resets) do
    print_head(("the only connection %s: time until"):format(reset[1]))
    print_back(times[kind])
  end
  local stats = stream:stats()
  print(("  %d reconnects, %d gaps, %d backfilled, %d lost"):format(stats.reconnect_count, stats.gaps,
    stats.backfilled, stats.lost))
  client:close()
  sim:stop()
end

one_of_two()
the_only_one()
