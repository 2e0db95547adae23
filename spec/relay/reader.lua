-- SPDX-License-Identifier: MIT
-- lua spec/relay/reader.lua URL GROUP CONSUMER FILE FEEDS: a consumer that writes what it is given into a file, a line
-- a report, before it asks for the next, until it is killed. FEEDS is a file with a line for each feed.

local chainlink = require "chainlink"

local url, group, consumer, path, list = arg[1], arg[2], arg[3], arg[4], arg[5]
local feeds = {}
for line in io.lines(list) do feeds[#feeds + 1] = line end
local out = assert(io.open(path, "a"))
out:setvbuf "no"

local is_kafka = url:find "^kafka:" ~= nil
local source = chainlink.source[is_kafka and "kafka" or "redis"] { url = url, feeds = feeds, group = group,
  consumer = not is_kafka and consumer or nil, from = "all", log_level = "none" }
for report in source do
  out:write(report.feed_id, " ", ("%.0f"):format(report.observations_timestamp_ms), " ", report:digest(), "\n")
end
