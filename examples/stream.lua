-- SPDX-License-Identifier: MIT
-- Reports as they come, one line each, until Ctrl-C.   lua examples/stream.lua [FEED_ID…]     (all feeds without ids)
local chainlink = require "chainlink"

local client = chainlink.client_from_env {
  on_status = function(event)
    io.stderr:write(("# %s %s %s\n"):format(event.state, event.host or "", event.reason or ""))
  end,
}

local ids = { (table.unpack or unpack)(arg) } -- luacheck: ignore
if #ids == 0 then
  for _, feed in ipairs(assert(client:get_feeds())) do ids[#ids + 1] = feed.id end
end

for report in client:stream(ids) do
  print(report)
end
