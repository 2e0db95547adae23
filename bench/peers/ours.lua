-- SPDX-License-Identifier: MIT
-- This client as a peer of the benchmark: as its users write it. Every peer knows the same words:
--   decode COUNT < FULL_REPORT          nanoseconds of price, bid and ask as numbers, out of hex
--   stream WARM COUNT [ha] < FEED_IDS   microseconds of processor time a report, reports a second, peak and private KiB
--   latency WARM COUNT < FEED_IDS       microseconds from the price, which is a time, to the reader: p50, p99, p999
--   history PAGES LIMIT < FEED_ID       microseconds of processor time a report, of pages of so many
--   first < FEED_IDS                    the first report's price
local chainlink = require "chainlink"
local core = require "chainlink.core"

local mode, a, b = arg[1], tonumber(arg[2]), tonumber(arg[3])
local options = { ha = arg[4] == "ha" or nil }
local words = {}
for word in io.read("*a"):gmatch "%S+" do words[#words + 1] = word end

local function memory(file, ...)
  local text, sum = io.open("/proc/self/" .. file):read "*a", 0
  for _, name in ipairs { ... } do sum = sum + tonumber(text:match(name .. ":%s+(%d+)")) end
  return sum
end

local sum = 0
local function read(stream, reports)
  for report in stream do
    sum, reports = sum + report.price, reports - 1
    if reports == 0 then return end
  end
end

local function open()
  local client = chainlink.client_from_env(options)
  return assert(client:stream(words)), client
end

local modes = {}

function modes.decode()
  local text = words[1]
  local started = core.monotonic()
  for _ = 1, a do
    local report = chainlink.decode(text)
    sum = sum + report.price + report.bid + report.ask
  end
  print((core.monotonic() - started) / a * 1e9)
end

function modes.stream()
  local stream = open()
  read(stream, a)
  local cpu, started = os.clock(), core.monotonic()
  read(stream, b)
  local seconds = core.monotonic() - started
  print((os.clock() - cpu) / b * 1e6, b / seconds, memory("status", "VmHWM"),
    memory("smaps_rollup", "Private_Clean", "Private_Dirty"))
  stream:close()
end

function modes.latency()
  local stream, late, count = open(), {}, 0
  read(stream, a)
  for report in stream do
    count = count + 1
    late[count] = core.monotonic() * 1e6 - report.price * 1e15
    if count == b then break end
  end
  table.sort(late)
  print(late[math.ceil(b * 0.5)], late[math.ceil(b * 0.99)], late[math.ceil(b * 0.999)])
  stream:close()
end

function modes.history()
  local client, start = chainlink.client_from_env { rate_limit = false }, os.time() - 86400 * 30
  local cpu, count = os.clock(), 0
  for _ = 1, a do
    local page = assert(client:get_report_page(words[1], start, b))
    for _, report in ipairs(page.reports) do sum, count = sum + report.price, count + 1 end
    start = page.reports[#page.reports].observations_timestamp + 1
  end
  print((os.clock() - cpu) / count * 1e6)
end

function modes.first()
  local stream, client = open()
  print(stream:read().price)
  stream:close()
  client:close()
end

modes[mode]()
assert(mode == "first" or sum > 0)
