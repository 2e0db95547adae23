-- SPDX-License-Identifier: MIT
-- A collector that runs a whole cycle wherever it may run at all, at each allocation, and a finalizer that runs in it.

local collector = {}

local has_parameters = _VERSION >= "Lua 5.5"
-- How much is done in a step for each thing allocated: in 5.5 none at all means a whole cycle.
local AT_ONCE = has_parameters and 0 or 100000000
local STEP_OF_A_CYCLE, USUAL_STEP = 50, 13 -- powers of two, in bytes (Lua 5.4)
local can_size_steps = _VERSION == "Lua 5.4"

local jit = rawget(_G, "jit") -- a compiled loop is left for each cycle, and would not get on

local newproxy = rawget(_G, "newproxy") -- Lua 5.1 and LuaJIT, where tables have no finalizers

-- Something dead, with that finalizer.
local function bait(finalize)
  if not newproxy then
    setmetatable({}, { __gc = finalize })
    return
  end
  getmetatable(newproxy(true)).__gc = finalize
end

-- Sets how long the collector pauses between cycles and what it does in a step; the values before.
local function tune(pause, multiplier)
  if has_parameters then
    return collectgarbage("param", "pause", pause), collectgarbage("param", "stepmul", multiplier)
  end
  return collectgarbage("setpause", pause), collectgarbage("setstepmul", multiplier)
end

--- From the next collection on there is a whole cycle at each allocation; the function it returns ends that.
function collector.be_eager()
  if jit then
    jit.off()
    jit.flush()
  end
  local pause, multiplier = tune(0, AT_ONCE)
  if can_size_steps then collectgarbage("incremental", 0, 0, STEP_OF_A_CYCLE) end
  return function()
    if can_size_steps then collectgarbage("incremental", 0, 0, USUAL_STEP) end
    tune(pause, multiplier)
    if jit then jit.on() end
  end
end

--- Runs body(), and in the collector's cycle at its allocation number `place` runs act(), once. An error of act is
--- raised; that of body is not. -> whether body came so far, pcall's answers for body
function collector.interrupt(place, act, body)
  local seen, over, good, failure = 0, false, true, nil
  local function finalize()
    if over then return end
    seen = seen + 1
    if seen < place then return bait(finalize) end
    over = true
    good, failure = pcall(act)
  end
  local relax = collector.be_eager()
  collectgarbage() -- from here on
  bait(finalize)
  local ok, value, more = pcall(body)
  relax()
  local reached = over
  over = true
  if not good then error(failure, 0) end
  return reached, ok, value, more
end

return collector
