-- SPDX-License-Identifier: MIT
-- Waits as a light thread of nginx' Lua module (OpenResty): the worker serves other requests meanwhile. nginx waits for
-- no descriptors but those of its own sockets, so one is connected to this worker's doorbell, which is told what for.

local core = require "chainlink.core"
local errors = require "chainlink.errors"

local ngx = package.loaded.ngx or error("this process is no nginx", 0)

local loop = {}

local LONGEST = 86400 -- seconds
local PAUSE = 0.01 -- seconds, where no socket is to be had

local phases = {}
for name in ("rewrite server_rewrite access content timer ssl_cert ssl_client_hello ssl_session_fetch"):gmatch "%S+" do
  phases[name] = true
end

--- May this phase yield, and have sockets?
function loop.is_running()
  return phases[ngx.get_phase()] == true
end

local bell, worker -- its process

--- The doorbell of this worker, made when it is first asked for. -> bell | nil, err
function loop.bell()
  if worker == ngx.worker.pid() then return bell end
  local made, err = core.bell()
  if made then bell, worker = made, ngx.worker.pid() end
  return made, err
end

--- A socket that is connected to a doorbell, and is read from for as long as it takes. -> socket | nil, err
function loop.visit(address)
  local socket = ngx.socket.tcp()
  socket:settimeouts(LONGEST * 1000, LONGEST * 1000, LONGEST * 1000 * 2)
  local ok, err = socket:connect("unix:" .. address)
  if not ok then return nil, err end
  return socket
end

--- Waits until fd is readable, or until `seconds` (nil: no end) have passed; may come back earlier.
function loop.wait(fd, seconds)
  if not loop.is_running() then
    errors.raise("ConfigError", ("in nginx' phase %q nothing can wait"):format(ngx.get_phase()))
  end
  if fd < 0 then return ngx.sleep(seconds) end
  local its_bell = loop.bell()
  local socket = its_bell and loop.visit(core.bell_address(its_bell))
  local line = ("wait %d %d\n"):format(fd, math.ceil(math.min(seconds or LONGEST, LONGEST) * 1000))
  if socket and socket:send(line) and socket:receive(1) then socket:setkeepalive() else ngx.sleep(PAUSE) end
end

return loop
