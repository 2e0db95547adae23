-- SPDX-License-Identifier: MIT
-- Waiting for a condition, with an end.

local socket = require "socket"

local PAUSE, LIMIT = 0.005, 90 -- seconds; the limit is for a hang

--- Asks `condition` until it answers something true, which is returned; raises when that takes too long.
return function(what, condition)
  local deadline = socket.gettime() + LIMIT
  while true do
    local value = condition()
    if value then return value end
    if socket.gettime() > deadline then error("waited in vain for " .. what, 2) end
    socket.sleep(PAUSE)
  end
end
