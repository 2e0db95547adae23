-- SPDX-License-Identifier: MIT
-- What servers in a process of their own have in common that may be killed and come back: one has a name, a folder,
-- which has the log too, and functions `command`, its command line, `is_up` and `remove`.

local await = require "spec.support.await"
local socket = require "socket"

local Restartable = {}
Restartable.__index = Restartable

--- A port of this computer that nobody listens on.
function Restartable.free_port()
  local listener = assert(socket.bind("127.0.0.1", 0))
  local port = tonumber((select(2, listener:getsockname())))
  listener:close()
  return port
end

--- Starts it, again after a kill, and does not wait until it runs.
function Restartable:launch()
  self.pipe = assert(io.popen(("echo $$; exec %s >>%s/log 2>&1"):format(self:command(), self.folder), "r"))
  self.pid = self.pipe:read "*l"
end

--- The same, and waits.
function Restartable:run()
  self:launch()
  await(self.name, function() return self:is_up() end)
end

function Restartable:signal(name) os.execute(("kill -%s %s 2>/dev/null"):format(name, self.pid)) end

--- As a crash does, and waits until it is over.
function Restartable:kill()
  if not self.pipe then return end
  self:signal "KILL"
  self.pipe:close()
  self.pipe = nil
end

function Restartable:stop()
  self:kill()
  self.remove()
end

return Restartable
