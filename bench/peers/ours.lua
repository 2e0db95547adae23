-- SPDX-License-Identifier: MIT
-- Reads a stream as our users do, and prints what that cost, as bench/peers/rust does:
--   ours.lua WARM COUNT < FEED_IDS
local chainlink = require "chainlink"
local core = require "chainlink.core"

local ids, warm, count = {}, tonumber(arg[1]), tonumber(arg[2])
for id in io.read("*a"):gmatch "%S+" do ids[#ids + 1] = id end

local sum = 0
local function read(stream, reports)
  for report in stream do
    sum, reports = sum + report.price, reports - 1
    if reports == 0 then return end
  end
end

local client = chainlink.client_from_env()
local stream = assert(client:stream(ids))
read(stream, warm)
local cpu, started = os.clock(), core.monotonic()
read(stream, count)
local seconds = core.monotonic() - started
local used = os.clock() - cpu
local peak = tonumber(io.open("/proc/self/status"):read("*a"):match "VmHWM:%s+(%d+)")
print(used / count * 1e6, count / seconds, peak, sum > 0)
stream:close()
