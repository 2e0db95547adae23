-- SPDX-License-Identifier: MIT
-- Tutorial "A watch over feeds", step 3: staleness and market hours.   lua watch_3.lua [ROUNDS]
package.path = (assert(arg[0]):match "^.*/" or "./") .. "?.lua;" .. package.path
local chainlink, feeds = require "chainlink", require "feeds"
local STALE = 5 -- seconds
local client = chainlink.client_from_env()
local ids, names = feeds.find(client, { "BTC/USD", "ETH/USD", "AAPL/USD" })
local stream = client:stream(ids, { overflow = "latest" })
local rounds = tonumber(arg[1]) or math.huge

-- What is wrong with a feed, in words; nothing for a feed that is as it should be.
local function problem(report)
  if not report then return "no report yet" end
  local status = report:market_status_name()
  if status and status ~= "open" then return "market " .. status end
  local age = os.time() - report.observations_timestamp
  if age > STALE then return "stale for " .. age .. " s" end
end

while rounds > 0 do
  local stop = os.time() + 1
  while os.time() < stop do
    local report, err = stream:read(0.25)
    if not report and err.kind ~= "TimeoutError" then error(err, 0) end
  end
  for _, id in ipairs(ids) do
    local report = stream:latest(id)
    print(("%-9s %14s  %s"):format(names[id], report and report:exact "price" or "-", problem(report) or "ok"))
  end
  rounds = rounds - 1
end
client:close()
