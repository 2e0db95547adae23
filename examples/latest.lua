-- SPDX-License-Identifier: MIT
-- The latest report of one feed.   lua examples/latest.lua FEED_ID
-- Credentials and endpoints come from the environment: CHAINLINK_STREAMS_API_KEY, CHAINLINK_STREAMS_API_SECRET, …
local chainlink = require "chainlink"

local feed_id = arg[1]
if not feed_id then
  io.stderr:write "usage: lua examples/latest.lua FEED_ID\n"
  return os.exit(2)
end

local client = chainlink.client_from_env()
local report = assert(client:get_latest_report(feed_id))

print("feed      " .. report.feed_id)
print("schema    v" .. report.version)
print("observed  " .. os.date("!%Y-%m-%d %H:%M:%S UTC", report.observations_timestamp))
print("price     " .. tostring(report.price))
print("in full   " .. report:to_json())

client:close()
