-- SPDX-License-Identifier: MIT
-- Waits as a coroutine of Copas: the others run meanwhile.

local copas = require "copas"
local core = require "chainlink.core"
local errors = require "chainlink.errors"

local loop = { lacks_limits = not copas.settimeouts }

--- Does Copas' loop run, and this in a coroutine? Copas before 3 does not say.
function loop.is_running()
  local thread, is_main = coroutine.running()
  return copas.running and thread ~= nil and not is_main
end

-- What Copas takes for a socket: something to select on, to read from, and to close when the thread is over.
local function source(fd)
  return {
    getfd = function() return fd end,
    receive = function()
      if core.wait(fd, 0) then return "ready" end
      return nil, "timeout"
    end,
    close = function() end,
  }
end

local function check_limit(limit, seconds)
  if not seconds or limit then return end
  errors.raise("ConfigError", ("waiting with a time limit needs Copas 3 or later, this is %s"):format(
    tostring(copas._VERSION)))
end

--- Waits until fd is readable, or until `seconds` (nil: no end) have passed; may come back earlier.
function loop.wait(fd, seconds)
  if fd < 0 then
    check_limit(copas.pause, seconds)
    return copas.pause(seconds)
  end
  check_limit(copas.settimeouts, seconds)
  local socket = source(fd)
  if seconds then copas.settimeouts(socket, nil, nil, seconds) end
  copas.receive(socket)
end

return loop
