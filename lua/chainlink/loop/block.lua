-- SPDX-License-Identifier: MIT
-- The waiter of a plain script: it blocks.

local core = require "chainlink.core"

local block = {}

--- Waits until fd is readable: true; or until `seconds` (nil: no end) have passed: false.
function block.wait(fd, seconds)
  local deadline = seconds and core.monotonic() + seconds
  while true do
    local ready = core.wait(fd, deadline and math.max(0, deadline - core.monotonic()))
    -- nil: a signal came. Back in Lua its hook has run, so that Ctrl-C has ended the script; if not, wait on.
    if ready or (ready == false and deadline) then return ready end
  end
end

return block
