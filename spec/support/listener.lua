-- SPDX-License-Identifier: MIT
-- A command that serves HTTP, as a process of its own, and requests to it.

local await = require "spec.support.await"
local project = require "spec.support.project"

local listener = {}
local Listener = {}
Listener.__index = Listener

--- Starts `chainlink-streams ARGUMENTS` with these exports, and waits until it tells its address. What it writes is in
--- `log`, an existing folder's file, and beside it.
function listener.start(exports, arguments, log)
  project.write(log, "")
  project.write(log .. ".errors", "")
  local script = "echo $$\nexec env %s chainlink-streams %s >%s 2>%s.errors\n"
  project.write(log .. ".sh", script:format(exports, arguments, log, log))
  local pipe = assert(io.popen(("sh %s.sh"):format(log), "r"))
  local self = setmetatable({ pipe = pipe, pid = pipe:read "*l", log = log }, Listener)
  self.address = await("an address", function()
    return (project.read(log) .. self:errors()):match "http://([%d.]+:%d+)"
  end)
  return self
end

--- One request by curl. -> body, status, head
function Listener:get(path, options)
  local command = ("curl -sS -i --max-time 60 %s 'http://%s%s'"):format(options or "", self.address, path)
  local text = project.run(command):gsub("\r", "")
  local head, body = text:match "^(HTTP/.-\n)\n(.*)$"
  if not head then return text end
  return body, tonumber(head:match " (%d+)"), head
end

function Listener:port()
  return tonumber(self.address:match ":(%d+)$")
end

function Listener:errors()
  return project.read(self.log .. ".errors")
end

function Listener:signal(name)
  os.execute(("kill -%s %s 2>/dev/null"):format(name, self.pid))
end

-- The shell that began it asks for its exit code once it ends: it may be gone between the opening and the reading.
local function has_ended(pid)
  local file = io.open("/proc/" .. pid .. "/stat")
  if not file then return true end
  local state = (file:read "*a" or ""):match "%) (%a)"
  file:close()
  return not state or state == "Z"
end

--- Ends the process as Ctrl-C does, so that a build that counts writes what was run, and waits for its end; may be
--- called again.
function Listener:stop()
  if not self.pipe then return end
  self:signal "INT"
  local ended, why = pcall(await, "the end of the command", function() return has_ended(self.pid) end)
  if not ended then self:signal "KILL" end
  self.pipe:close()
  self.pipe = nil
  if not ended then error(why, 2) end
end

return listener
