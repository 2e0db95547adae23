-- SPDX-License-Identifier: MIT
-- Collects a feed's history into a CSV file, and goes on where the file ends when it is started again.
--   lua examples/history_collection.lua FILE FEED_ID FROM [TO]       FROM and TO are Unix seconds; TO: now
local chainlink = require "chainlink"

local path, feed_id, from, to = arg[1], arg[2], tonumber(arg[3]), tonumber(arg[4] or os.time())
if not path or not feed_id or not from or not to then
  io.stderr:write "usage: lua examples/history_collection.lua FILE FEED_ID FROM [TO]\n"
  return os.exit(2)
end

-- The lines of the newest second in the file, which is asked for again: a run that was stopped may have left some out.
local known, last = {}, nil

local function read_file(name)
  local file = io.open(name, "r")
  if not file then return "" end
  local text = file:read "*a"
  file:close()
  local whole = text:match "^(.*\n)" or "" -- a last line without its end was cut
  for line in whole:gmatch "([^\n]+)\n" do
    local second = tonumber(line:match "^(%d+),")
    if second ~= last then known, last = {}, second end
    known[line] = true
  end
  return whole, #whole < #text
end

local whole, was_cut = read_file(path)
if was_cut then
  local file = assert(io.open(path, "w"))
  file:write(whole)
  assert(file:close())
end
from = math.max(from, last or from)

local client = chainlink.client_from_env()
local file = assert(io.open(path, "a"))
local count = 0
for report in client:reports(feed_id, math.floor(from), math.floor(to)) do
  local second = report.observations_timestamp
  local line = ("%d,%s,%s"):format(second, report:exact "observations_timestamp", report:exact "price")
  if second ~= last or not known[line] then
    assert(file:write(line, "\n"))
    count = count + 1
  end
end
assert(file:close())
client:close()
print(("%d reports, %s"):format(count, path))
