-- SPDX-License-Identifier: MIT
-- A reader that misses nothing while it is down: it keeps in a file how far it has come, begins there when it is
-- started again, and passes over what it has seen. Killed between its work and the file it does one report again.
--   lua examples/restart.lua STATE_FILE FEED_ID…
local chainlink = require "chainlink"

if #arg < 2 then
  io.stderr:write "usage: lua examples/restart.lua STATE_FILE FEED_ID...\n"
  return os.exit(2)
end
local path, ids = assert(arg[1]), {}
for i = 2, #arg do ids[#ids + 1] = arg[i]:lower() end

-- Of each feed the newest second that was worked off, and the digests of its reports in that second.
local function load_state()
  local state = {}
  local file = io.open(path, "r")
  if not file then return state end
  for id, second, digest in file:read "*a":gmatch "(0x%x+) (%d+) (0x%x+)\n" do
    state[id] = state[id] or { second = tonumber(second), digests = {} }
    state[id].digests[digest] = true
  end
  file:close()
  return state
end

-- The file is the old one or the new one, never half of it.
local function save_state(state)
  local file = assert(io.open(path .. ".new", "w"))
  for id, seen in pairs(state) do
    for digest in pairs(seen.digests) do assert(file:write(("%s %d %s\n"):format(id, seen.second, digest))) end
  end
  assert(file:close())
  assert(os.rename(path .. ".new", path))
end

-- Notes the report in the state; false where it has been there before.
local function note(state, report)
  local seen, digest = state[report.feed_id], report:digest()
  if not seen or report.observations_timestamp > seen.second then
    state[report.feed_id] = { second = report.observations_timestamp, digests = { [digest] = true } }
    return true
  end
  if report.observations_timestamp < seen.second or seen.digests[digest] then return false end
  seen.digests[digest] = true
  return true
end

-- The oldest second at which one of these feeds stopped; nil at the first start.
local function start_of(state)
  local start
  for _, id in ipairs(ids) do
    local seen = state[id]
    if seen and (not start or seen.second < start) then start = seen.second end
  end
  return start
end

local state = load_state()
local client = chainlink.client_from_env()
local stream = client:stream(ids, {
  start = start_of(state),
  on_status = function(event) -- what nobody has any more
    if event.state == "lost" then
      local range = event.from .. " to " .. (event.to or "now")
      io.stderr:write(("# lost: %s, %s: %s\n"):format(event.feed_id, range, event.reason or ""))
    end
  end,
})

io.stdout:setvbuf "line"

for report in stream do
  if note(state, report) then
    print(("%d %s %s"):format(report.observations_timestamp, report.feed_id, report:exact "price")) -- the work
    save_state(state)
  end
end
client:close()
