-- SPDX-License-Identifier: MIT
-- What a part of a program leaves open (Linux).

local project = require "spec.support.project"

local open_files = {}

local function own_pid()
  local file = assert(io.open("/proc/self/stat", "r"))
  local pid = file:read "*l":match "^%d+"
  file:close()
  return pid
end

local function count()
  return tonumber((project.run(("ls /proc/%s/fd | wc -l"):format(own_pid()))))
end

--- How many files a function has opened and not closed, without the collector's help.
function open_files.left_by(run)
  for _ = 1, 4 do collectgarbage() end
  collectgarbage "stop"
  local before = count()
  local ok, err = pcall(run)
  local after = count()
  collectgarbage "restart"
  if not ok then error(err, 0) end
  return math.max(0, after - before) -- what was open before may be closed by now
end

return open_files
