-- SPDX-License-Identifier: MIT
-- Reads the stream of all feeds that the environment's credentials may read, and does nothing with it: what the machine
-- pays for a stream, whoever reads it. Tells on its output when each feed has had a report.

local chainlink = require "chainlink"

local client = chainlink.client_from_env()
local ids = {}
for i, feed in ipairs(assert(client:get_feeds())) do ids[i] = feed.id end
local count = 0
for _ in client:stream(ids) do
  count = count + 1
  if count == #ids then
    print "all"
    io.stdout:flush()
  end
end
