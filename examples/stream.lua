-- SPDX-License-Identifier: MIT
-- Reports as they come, one line each, until Ctrl-C.   lua examples/stream.lua [FEED_ID…]     (all feeds without ids)
local chainlink = require "chainlink"

local client = chainlink.client_from_env {
  on_status = function(event)
    io.stderr:write(("# %s %s %s\n"):format(event.state, event.host or "", event.reason or ""))
  end,
}

local ids = {}
for i, id in ipairs(arg) do ids[i] = id end
if #ids == 0 then
  for _, feed in ipairs(assert(client:get_feeds())) do ids[#ids + 1] = feed.id end
end

local stream = client:stream(ids)

io.stdout:setvbuf "line" -- a pipe's reader wants them as they come, too

local function run()
  for report in stream do print(report) end
end

-- Lua raises "interrupted!" in the loop on Ctrl-C.
local ok, err = pcall(run)
local stats = stream:stats()
client:close()
io.stderr:write(("# %d reports, %d reconnects\n"):format(stats.accepted, stats.reconnect_count))
if not ok and tostring(err):find("interrupted!", 1, true) then os.exit(130, true) end
if not ok then error(err, 0) end
