-- SPDX-License-Identifier: MIT
-- What a part of a program leaves open (Linux).


local open_files = {}

local function own_pid()
  local file = assert(io.open("/proc/self/stat", "r"))
  local pid = file:read "*l":match "^%d+"
  file:close()
  return pid
end

-- Counted by another process while nothing is opened or closed here: its pipe is open before it begins and after it has
-- ended, and the file with its answer is not there before.
local function count()
  local place, deadline = os.tmpname(), os.time() + 60
  local script = "read begin; ls /proc/%s/fd | wc -l >%s; mv %s %s.done"
  local pipe = assert(io.popen(script:format(own_pid(), place, place, place), "w"))
  pipe:write "begin\n"
  pipe:flush()
  local answer
  repeat answer = io.open(place .. ".done", "r") until answer or os.time() > deadline
  local number = assert(answer, "waited in vain for a count of open files"):read "*n"
  answer:close()
  pipe:close()
  os.remove(place .. ".done")
  return number
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
