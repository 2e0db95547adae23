-- SPDX-License-Identifier: MIT
-- How a report's cost grows: with feeds, origins, connections, a queue that is full, and how much history is read.
-- Processor time a report, all threads of this client. Draws a chart.   growth.lua FOLDER ROUNDS [ROW…]
package.path = "bench/?.lua;" .. package.path
local chart = require "chart"
local median = require "median"
local source = require "source"
local simulator = require "spec.support.simulator"

local folder, rounds = arg[1], tonumber(arg[2])
local chosen = {}
for i = 3, #arg do chosen[arg[i]] = true end

local feed_ids = source.feed_ids

local function sending(rate)
  return source.start(folder, rate, 1)
end

local function read(stream, count)
  local sum = 0
  for _ = 1, count do sum = sum + assert(stream:read(60)).price end
  return sum
end

-- Microseconds a report of a stream, once it is under way.
local function streamed(service, feeds, count, options)
  local client = service:client { rate_limit = false }
  local stream = assert(client:stream(feed_ids(feeds), options))
  read(stream, math.max(2 * feeds, 200))
  local before = os.clock()
  read(stream, count)
  local cpu = os.clock() - before
  client:close()
  return cpu / count * 1e6
end

-- On one connection.
local function at_rate(feeds)
  return { start = function() return sending(1000) end, run = function(service)
    return streamed(service, feeds, 4000, { feeds_per_connection = feeds })
  end }
end

local function of_simulator(origins, per_connection)
  return { start = function() return simulator.start { feed = feed_ids(1000), origins = origins, rate_limit = 0 } end,
    run = function(service)
      return streamed(service, 1000, 5000, { ha = origins > 1, feeds_per_connection = per_connection })
    end }
end

local function saturated(queue_size)
  return { start = function() return sending(0) end, run = function(service)
    return streamed(service, 100, 100000, { queue_size = queue_size, overflow = "block" })
  end }
end

local function history(seconds)
  return { start = function() return sending(0) end, run = function(service)
    local client, count, sum = service:client { rate_limit = false }, 0, 0
    local from, before = os.time() - 31 * 86400, os.clock()
    for report in client:reports(feed_ids(1)[1], from, from + seconds - 1) do
      count, sum = count + 1, sum + report.price
    end
    local cpu = os.clock() - before
    assert(count == seconds and sum > 0)
    client:close()
    return cpu / count * 1e6
  end }
end

local rows = {
  { "feeds", "feeds, 1,000 reports a second in all", { "1", at_rate(1) }, { "10", at_rate(10) },
    { "100", at_rate(100) }, { "1,000", at_rate(1000) } },
  { "origins", "origins, 1,000 feeds of a report a second", { "1", of_simulator(1, 1000) },
    { "2", of_simulator(2, 1000) }, { "4", of_simulator(4, 1000) } },
  { "connections", "connections, 1,000 feeds of a report a second", { "1", of_simulator(1, 1000) },
    { "10", of_simulator(1, 100) } },
  { "queue", "reports that the queue may hold, as fast as they are taken", { "10", saturated(10) },
    { "1,000", saturated(1000) }, { "100,000", saturated(100000) } },
  { "history", "history of one feed", { "an hour", history(3600) }, { "a day", history(86400) },
    { "30 days", history(30 * 86400) } },
}

local charts = {}
for _, row in ipairs(rows) do
  if not next(chosen) or chosen[row[1]] then
    local bars = {}
    for i = 3, #row do
      local name, case, values = row[i][1], row[i][2], {}
      local service = case.start()
      for round = 1, rounds do values[round] = case.run(service) end
      service:stop()
      median.print(row[2] .. ": " .. name, "us/report", values)
      local middle = median.of(values)
      bars[#bars + 1] = { name = name, value = middle, text = ("%.1f"):format(middle), ours = true }
    end
    charts[#charts + 1] = { title = row[2] .. ": CPU a report, µs", bars = bars }
  end
end
chart.write("build/peers/growth.svg", charts)
