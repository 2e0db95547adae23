-- SPDX-License-Identifier: MIT
-- From the hex text of a full report to a report whose fields can be read, called from Lua.   decode.lua RUNS
package.path = "bench/?.lua;" .. package.path
local chainlink = require "chainlink"
local median = require "median"
local simulator = require "spec.support.simulator"

local ROUNDS = 50000
local runs = tonumber(arg[1] or 5)

local function full_reports()
  local sim = simulator.start()
  local client = sim:client()
  local texts = {}
  for _, feed in ipairs(assert(client:get_feeds())) do
    if #texts < 13 then texts[#texts + 1] = assert(client:get_report(feed.id, os.time() - 60)).full_report end
  end
  client:close()
  sim:stop()
  return texts
end

local function nanoseconds(texts, use)
  local started = os.clock()
  for i = 1, ROUNDS do
    use(assert(chainlink.decode(texts[i % #texts + 1])))
  end
  return (os.clock() - started) / ROUNDS * 1e9
end

local texts = full_reports()
local bare, fields = {}, {}
nanoseconds(texts, function() end) -- warms up
for run = 1, runs do
  bare[run] = nanoseconds(texts, function() end)
  fields[run] = nanoseconds(texts, function(report)
    return report.price, report.observations_timestamp, report.version
  end)
end
median.print("chainlink.decode of hex text, 13 schemas", "ns", bare)
median.print("the same, and three fields read", "ns", fields)
