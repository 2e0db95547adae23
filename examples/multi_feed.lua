-- SPDX-License-Identifier: MIT
-- Several feeds in one stream, the newest of each as a table every second: price, spread, age.
--   lua examples/multi_feed.lua [NAME…]            all feeds of schema v3 without names
local chainlink = require "chainlink"

local client = chainlink.client_from_env()

local function choose(feeds)
  local wanted, ids, names = {}, {}, {}
  for _, name in ipairs(arg) do wanted[name:upper()] = true end
  for _, feed in ipairs(feeds) do
    local name = feed.name or feed.id
    if wanted[name:upper()] or #arg == 0 and feed.version == 3 then
      ids[#ids + 1] = feed.id
      names[feed.id] = name
    end
  end
  return ids, names
end

local ids, names = choose(assert(client:get_feeds()))
if #ids == 0 then
  io.stderr:write "none of these feeds is among those that this key may read\n"
  return os.exit(2)
end

-- The table shows the newest alone, so a queue of the newest is enough.
local stream = client:stream(ids, { overflow = "latest" })
local newest = {}

local function row(id, now)
  local report = newest[id]
  if not report then return ("%-16s waiting"):format(names[id]) end
  local bid, ask = report.bid or report.best_bid, report.ask or report.best_ask
  local spread = bid and ask and ("%8.2f bp"):format(10000 * (ask - bid) / ((ask + bid) / 2)) or ""
  local age = now - report.observations_timestamp
  return ("%-16s %16.6f %12s %4d s"):format(names[id], report.price or 0 / 0, spread, age)
end

io.stdout:setvbuf "line"

local shown = os.time()
while true do
  local report, err = stream:read(1)
  if report then newest[report.feed_id] = report
  elseif err.kind ~= "TimeoutError" then error(err, 0) end
  local now = os.time()
  if now > shown then
    print(os.date("!%H:%M:%S", now))
    for _, id in ipairs(ids) do print(row(id, now)) end
    shown = now
  end
end
