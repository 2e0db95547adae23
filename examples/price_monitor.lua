-- SPDX-License-Identifier: MIT
-- Prices with alerts: a feed that moved by more than PERCENT within a minute, and one that brings nothing.
--   lua examples/price_monitor.lua PERCENT FEED_ID…
local chainlink = require "chainlink"

local WINDOW, SILENCE = 60, 5 -- seconds

local percent = tonumber(arg[1])
local ids = {}
for i = 2, #arg do ids[#ids + 1] = arg[i] end
if not percent or #ids == 0 then
  io.stderr:write "usage: lua examples/price_monitor.lua PERCENT FEED_ID...\n"
  return os.exit(2)
end

-- Of each feed the prices of the last minute, oldest first: {time=, price=}.
local windows = {}

local function remember(report)
  local window = windows[report.feed_id] or {}
  windows[report.feed_id] = window
  window[#window + 1] = { time = report.observations_timestamp, price = report.price }
  while window[1].time < report.observations_timestamp - WINDOW do table.remove(window, 1) end
  return window
end

local function say(kind, report, text)
  local time = os.date("!%H:%M:%S", report.observations_timestamp)
  print(("%s %-5s %s %s"):format(time, kind, report.feed_id:sub(1, 10), text))
end

local function look_at(report)
  local window = remember(report)
  local move = 100 * (report.price / window[1].price - 1)
  say("price", report, ("%s (%+.3f %%)"):format(report:exact "price", move))
  if math.abs(move) >= percent then
    say("ALERT", report, ("moved %+.3f %% in %d s"):format(move, report.observations_timestamp - window[1].time))
    windows[report.feed_id] = nil -- the next alert wants another such move
  end
end

local client = chainlink.client_from_env()
local stream = client:stream(ids, {
  on_status = function(event)
    if event.state ~= "connecting" then io.stderr:write("# ", event.state, " ", event.reason or "", "\n") end
  end,
})
io.stdout:setvbuf "line"

local function run()
  while true do
    local report, err = stream:read(SILENCE)
    if report then look_at(report)
    elseif err.kind == "TimeoutError" then print("ALERT no report of any feed in " .. SILENCE .. " s")
    else error(err, 0) end
  end
end

local ok, err = pcall(run)
client:close()
if not ok and tostring(err):find("interrupted!", 1, true) then os.exit(130, true) end -- Ctrl-C
if not ok then error(err, 0) end
