-- SPDX-License-Identifier: MIT
-- Waits as a coroutine that libuv's callbacks resume: other handles' callbacks run meanwhile.

local uv = package.loaded.luv or package.loaded.uv or require "luv"
local errors = require "chainlink.errors"

local loop = {}
local unpack = table.unpack or unpack -- luacheck: ignore 113 143

local watched = {} -- [fd] = { handle =, threads = {those that wait} }: libuv takes a descriptor once only

local function resume(thread)
  if coroutine.status(thread) ~= "suspended" then return true end
  return coroutine.resume(thread)
end

local function leave(fd, thread)
  local entry = watched[fd]
  for i, other in ipairs(entry.threads) do
    if other == thread then table.remove(entry.threads, i) end
  end
  if entry.threads[1] then return end
  watched[fd] = nil
  entry.handle:close()
end

-- One that fails keeps no other from being woken.
local function wake(fd)
  local failed, failure
  for _, thread in ipairs { unpack(watched[fd].threads) } do
    local ok, message = resume(thread)
    if not ok then failed, failure = true, message end
    if coroutine.status(thread) == "dead" and watched[fd] then leave(fd, thread) end -- closed while it waited
  end
  if failed then error(failure, 0) end
end

local function enter(fd, thread)
  if not watched[fd] then
    watched[fd] = { handle = uv.new_poll(fd), threads = {} }
    watched[fd].handle:start("r", function() wake(fd) end)
  end
  table.insert(watched[fd].threads, thread)
end

--- Waits until fd is readable, or until `seconds` (nil: no end) have passed; may come back earlier.
function loop.wait(fd, seconds)
  local thread, is_main = coroutine.running()
  if not thread or is_main then errors.raise("ConfigError", "under luv only a coroutine can wait, and this is none") end
  local timer = seconds and uv.new_timer()
  if timer then timer:start(math.ceil(seconds * 1000), 0, function() assert(resume(thread)) end) end
  if fd >= 0 then enter(fd, thread) end
  coroutine.yield()
  if timer then timer:close() end
  if fd >= 0 then leave(fd, thread) end
end

return loop
