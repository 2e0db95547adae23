-- SPDX-License-Identifier: MIT
-- The clocks of the engine as Lua sees them, standing still until a spec moves them.

local core = require "chainlink.core"

local stopped = {}

--- Stops both: {now=, restore=}, seconds since 1970 and since any moment alike.
function stopped.at(now)
  local clock, time, monotonic = { now = now }, core.time, core.monotonic
  local function read() return clock.now end
  core.time, core.monotonic = read, read
  function clock.restore() core.time, core.monotonic = time, monotonic end
  return clock
end

return stopped
