-- SPDX-License-Identifier: MIT
-- How fast a recording is replayed at once, on one core, and in how much memory: reports of ten v3 feeds with two
-- signatures, as a recorder wrote them. Medians of so many runs (lowest to highest), each in a process of its own.
--   replay.lua BYTES RUNS        replay.lua read PATH: one run

package.path = "bench/?.lua;" .. package.path
local chainlink = require "chainlink"

local FEEDS, SECONDS = 10, 120

-- One run: how many reports, their seconds of processor time, and the most memory in KiB.
local function read(path)
  local count, sum, started = 0, 0, os.clock()
  for report in chainlink.replay(path, { speed = "max" }) do
    count, sum = count + 1, sum + report.price
  end
  local seconds, status = os.clock() - started, io.open("/proc/self/status"):read "*a"
  print(("%d %.6f %s"):format(count, seconds, status:match "VmHWM:%s*(%d+)"))
  assert(sum > 0)
end

-- Lines of a recording: what the simulator has of some minutes.
local function write(path, bytes)
  local simulator, source = require "spec.support.simulator", require "source"
  local ids = source.feed_ids(FEEDS)
  local sim = simulator.start { feed = ids, rate_limit = 0 }
  local client = sim:client { rate_limit = false }
  local file, lines, now = assert(io.open(path, "wb")), {}, os.time()
  for _, id in ipairs(ids) do
    for report in client:reports(id, now - SECONDS, now - 1) do
      lines[#lines + 1] = ('{"feedID":"%s","fullReport":"%s","validFromTimestamp":%d,"observationsTimestamp":%d,'
        .. '"received_at":%d123,"origin":"001"}\n'):format(id, report.full_report, report.valid_from_timestamp,
        report.observations_timestamp, report.observations_timestamp)
    end
  end
  client:close()
  sim:stop()
  local head, text = '{"format":"chainlink-streams-recording","version":1,"feeds":[]}\n', table.concat(lines)
  file:write(head)
  for _ = 1, math.ceil(bytes / #text) do assert(file:write(text)) end
  local size = file:seek()
  file:close()
  return size
end

local function main(bytes, runs)
  local median, path = require "median", os.tmpname()
  local ok, err = pcall(function()
    local size = write(path, bytes)
    local rates, memory = {}, {}
    for i = 1, runs do
      local pipe = assert(io.popen(("%s bench/replay.lua read %s"):format(os.getenv "LUA_BIN", path)))
      local count, processor, peak = pipe:read "*a":match "(%d+) (%S+) (%d+)"
      pipe:close()
      rates[i], memory[i] = count / processor, peak / 1024
    end
    median.print(("replay of %.0f MB at once, each price read"):format(size / 1e6), "reports/s", rates)
    median.print("most memory of it", "MiB", memory)
  end)
  os.remove(path)
  if not ok then error(err, 0) end
end

if arg[1] == "read" then read(arg[2]) else main(assert(tonumber(arg[1])), tonumber(arg[2]) or 1) end
