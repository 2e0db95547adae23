-- SPDX-License-Identifier: MIT
-- End to end over wss on loopback, the simulator in a process of its own: reports per second, CPU time of the client
-- (all its threads) per report, and the time of a step of the `for` loop.   stream.lua RUNS REPORTS
package.path = "bench/?.lua;" .. package.path
local core = require "chainlink.core"
local median = require "median"
local simulator = require "spec.support.simulator"

local runs, most_reports = tonumber(arg[1] or 5), tonumber(arg[2] or 20000)

local function feed_ids(client)
  local ids = {}
  for _, feed in ipairs(assert(client:get_feeds())) do ids[#ids + 1] = feed.id end
  return ids
end

-- Reads so many reports, after some to warm up.
local function read_all(stream, reports)
  for _ = 1, reports / 20 do assert(stream:read(10)) end
  local cpu, started = os.clock(), core.monotonic()
  local count, sum = 0, 0
  for report in stream do
    count, sum = count + 1, sum + report.price
    if count == reports then break end
  end
  return core.monotonic() - started, os.clock() - cpu
end

-- The queue fills first, so that the loop never waits.
local function step(stream, count)
  repeat core.wait(-1, 0.01) until stream:stats().queue_length >= count
  local started, taken, sum = core.monotonic(), 0, 0
  for report in stream do
    taken, sum = taken + 1, sum + report.price
    if taken == count then break end
  end
  return core.monotonic() - started
end

local function measure(feeds, rate, reports)
  local sim = simulator.start { feeds = feeds, rate = rate }
  local client = sim:client()
  local ids = feed_ids(client)
  local per_second, cpu_us, share = {}, {}, {}
  for run = 1, runs do
    local stream = client:stream(ids)
    local seconds, cpu = read_all(stream, reports)
    stream:close()
    per_second[run], cpu_us[run], share[run] = reports / seconds, cpu / reports * 1e6, cpu / seconds * 100
  end
  client:close()
  sim:stop()
  local name = ("wss, %d feeds at %d reports/s each: "):format(feeds, rate)
  median.print(name .. "received", "reports/s", per_second)
  median.print(name .. "client CPU", "us/report", cpu_us)
  median.print(name .. "client CPU", "% of core", share)
end

local function measure_step()
  local sim = simulator.start { feeds = 10, rate = 1000 }
  local client = sim:client()
  local ids = feed_ids(client)
  local nanoseconds, count = {}, 5000
  for run = 1, runs do
    local stream = client:stream(ids, { queue_size = 2 * count })
    nanoseconds[run] = step(stream, count) / count * 1e9
    stream:close()
  end
  client:close()
  sim:stop()
  median.print("a step of `for report in stream`, one number read", "ns", nanoseconds)
end

measure(10, 100, most_reports / 10)
measure(10, 1000, most_reports)
measure_step()
