-- SPDX-License-Identifier: MIT
-- The history of one feed as CSV: time, price.   lua examples/page.lua FEED_ID [SECONDS_BACK]
local chainlink = require "chainlink"

local feed_id = arg[1]
local seconds = tonumber(arg[2] or 60)
if not feed_id or not seconds then
  io.stderr:write "usage: lua examples/page.lua FEED_ID [SECONDS_BACK]\n"
  return os.exit(2)
end

local client = chainlink.client_from_env()
local now = os.time()

-- reports() asks for page after page, within the rate limit.
for report in client:reports(feed_id, math.floor(now - seconds), now) do
  print(("%d,%s"):format(report.observations_timestamp, tostring(report.price)))
end

client:close()
