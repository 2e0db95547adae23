-- SPDX-License-Identifier: MIT
-- What this process holds of the system (Linux: /proc), and scripts run in a process of their own.

local project = require "spec.support.project"

local process = {}

local function entries(folder)
  local pipe = assert(io.popen("ls " .. folder .. "/", "r"))
  local count = 0
  for _ in pipe:lines() do count = count + 1 end
  pipe:close()
  return count
end

local function own(folder)
  local stat = assert(io.open("/proc/self/stat", "r"))
  local pid = stat:read "*l":match "^%d+"
  stat:close()
  return entries("/proc/" .. pid .. "/" .. folder)
end

--- Is there a /proc to look into?
function process.is_known()
  local file = io.open("/proc/self/stat", "r")
  return file ~= nil and file:close()
end

--- How many descriptors and threads this process has.
function process.usage()
  return { descriptors = own "fd", threads = own "task" }
end

--- Runs Lua text in a fresh interpreter, at most 90 seconds: its output (errors too) and its exit code.
--- `before` (optional) is shell text to run first, like "ulimit -n 64;".
function process.lua(text, before)
  local folder, remove = project.folder()
  project.write(folder .. "/script.lua", text)
  local output, code = project.run(("%s timeout -k 5 90 %s %s/script.lua"):format(before or "", project.lua, folder))
  remove()
  return output, code
end

return process
