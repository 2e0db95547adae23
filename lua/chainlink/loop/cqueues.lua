-- SPDX-License-Identifier: MIT
-- Waits as a coroutine of cqueues: the others run meanwhile.

local cqueues = require "cqueues"

local loop = {}

-- [fd] = the coroutines that wait for it. Weak, as one that is given up never comes back to leave.
local waiting = {}

local function enter(fd, thread)
  waiting[fd] = waiting[fd] or setmetatable({}, { __mode = "k" })
  waiting[fd][thread] = true
end

-- cqueues must forget a descriptor before it is closed, or it takes the next one of that number for the same.
local function leave(fd, thread)
  waiting[fd][thread] = nil
  if next(waiting[fd]) ~= nil then return end
  waiting[fd] = nil
  cqueues.cancel(fd)
end

--- Is this coroutine one that cqueues itself resumes?
function loop.is_running()
  local _, is_its_own = cqueues.running()
  return is_its_own
end

--- Waits until fd is readable, or until `seconds` (nil: no end) have passed; may come back earlier.
function loop.wait(fd, seconds)
  if fd < 0 then return cqueues.sleep(seconds) end
  local thread = coroutine.running() or waiting -- Lua 5.1's main thread has no name
  enter(fd, thread)
  if seconds then cqueues.poll({ pollfd = fd, events = "r" }, seconds)
  else cqueues.poll { pollfd = fd, events = "r" } end
  leave(fd, thread)
end

return loop
