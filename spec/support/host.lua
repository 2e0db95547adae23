-- SPDX-License-Identifier: MIT
-- Event loops as the specs drive them: spawn(f) adds a coroutine, sleep(seconds) waits in one, run() runs them all to
-- their ends and raises what any of them raised.

local project = require "spec.support.project"

local host = {}

--- Does EVERY_HOST name it?
function host.is_wanted(name)
  return (" " .. (os.getenv "EVERY_HOST" or "") .. " "):find(" " .. name .. " ", 1, true) ~= nil
end

-- Copas is written in Lua: where this one has none, that of 5.1 as Debian installs it does as well.
table.insert(package.searchers or package.loaders, function(name) -- luacheck: ignore 143
  local is_its = name == "copas" or name == "coxpcall"
  return is_its and loadfile(("/usr/share/lua/5.1/%s.lua"):format(name)) or nil
end)

--- Is the library there for this Lua? Where EVERY_HOST names it, it has to be.
function host.has(library)
  local ok, err = pcall(require, library)
  if host.is_wanted(library) and not ok then error(err, 2) end
  return ok
end

--- The same for a command.
function host.has_command(name)
  local _, status = project.run("command -v " .. name)
  if host.is_wanted(name) and status ~= 0 then error("there is no command " .. name, 2) end
  return status == 0
end

local cannot_yield_in_pcall = _VERSION == "Lua 5.1" and not rawget(_G, "jit")

function host.cqueues()
  local cqueues = require "cqueues"
  local controller = cqueues.new()
  return {
    spawn = function(f) controller:wrap(f) end,
    sleep = cqueues.sleep,
    run = function()
      for err in controller:errors() do error(err, 0) end
    end,
  }
end

function host.luv()
  local uv = require "luv"
  local failure
  local function start(f)
    if cannot_yield_in_pcall then return f() end
    local ok, err = pcall(f)
    if not ok then failure = failure or { err } end
  end
  return {
    spawn = function(f)
      local timer = uv.new_timer()
      timer:start(0, 0, function()
        timer:close()
        assert(coroutine.resume(coroutine.create(start), f))
      end)
    end,
    sleep = function(seconds)
      local thread, timer = coroutine.running(), uv.new_timer()
      timer:start(math.ceil(seconds * 1000), 0, function()
        timer:close()
        assert(coroutine.resume(thread))
      end)
      coroutine.yield()
    end,
    run = function()
      uv.run()
      if failure then error(failure[1], 0) end
    end,
  }
end

-- Copas before 3 has no sleep: a thread reads from what is always ready, every other time, until the time has come.
local function wait_by_reading(copas, seconds)
  local socket = require "socket"
  local till, is_there = socket.gettime() + seconds, true
  local source = { getfd = function() return 0 end, dirty = function() return true end, receive = function()
    is_there = not is_there
    if is_there then return "x" end
    return nil, "timeout"
  end, close = function() end }
  while socket.gettime() < till do copas.receive(source, 1) end
end

function host.copas()
  local copas = require "copas"
  local running, failure = 0, nil
  return {
    spawn = function(f)
      running = running + 1
      copas.addthread(function()
        local ok, err = (cannot_yield_in_pcall and require("coxpcall").pcall or pcall)(f)
        running = running - 1
        if not ok then failure = failure or { err } end
      end)
    end,
    sleep = copas.sleep or function(seconds) wait_by_reading(copas, seconds) end,
    run = function()
      if copas.running ~= nil then copas.loop() end
      while running > 0 do copas.step() end -- Copas before 3 loops for ever
      if failure then error(failure[1], 0) end
    end,
  }
end

return host
