-- SPDX-License-Identifier: MIT
-- Bars of a feed as they are whole, and the average of the last minute, of reports that are fresh.
--   lua examples/bars.lua FEED_ID [INTERVAL [COUNT]]      INTERVAL like 5s or 1m, COUNT bars and then the end
local chainlink = require "chainlink"

local feed_id, interval, count = arg[1], arg[2] or "5s", tonumber(arg[3]) or math.huge
if not feed_id then
  io.stderr:write "usage: lua examples/bars.lua FEED_ID [INTERVAL [COUNT]]\n"
  return os.exit(2)
end

local client = chainlink.client_from_env()
local bars = chainlink.bars { interval = interval }
local twap = chainlink.twap { window = "1m" }

-- Each report goes through the guard into both.
local fresh = chainlink.guard { max_age = 60 }:over(client:stream { feed_id })
local function both()
  local report = fresh()
  if report then twap:push(report) end
  return report
end

io.stdout:setvbuf "line"
for bar in bars:over(both) do
  local value = twap:value(feed_id)
  print(("%s  open %s  high %s  low %s  close %s  (%d reports, %.0f %% covered%s)  average %s"):format(
    os.date("!%H:%M:%S", bar.time), bar.open, bar.high, bar.low, bar.close, bar.count, 100 * bar.coverage,
    bar.revised and ", revised" or "", value and value.average or "-"))
  count = count - 1
  if count <= 0 then break end
end

client:close()
