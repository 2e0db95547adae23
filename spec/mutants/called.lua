-- SPDX-License-Identifier: MIT
-- Loaded by LUA_INIT before everything else: adds a line to the file CALLED for each function that is called of the
-- project's modules, SOURCE FIRST LAST, once in each process. Its line is written when the call begins, as the process
-- may be killed.

local file = io.open(assert(os.getenv "CALLED"), "a")
local seen = {}

local function note()
  local called = debug.getinfo(2, "S")
  local lines = seen[called.source]
  if lines == nil then
    lines = called.source:find "/lua/chainlink" and {}
    seen[called.source] = lines or false
  end
  if lines and not lines[called.linedefined] then
    lines[called.linedefined] = true
    file:write(("%s %d %d\n"):format(called.source, called.linedefined, called.lastlinedefined))
    file:flush()
  end
end

debug.sethook(note, "c")

-- Each coroutine has a hook of its own.
local create = coroutine.create
function coroutine.create(body) -- luacheck: ignore 122
  local made = create(body)
  debug.sethook(made, note, "c")
  return made
end

function coroutine.wrap(body) -- luacheck: ignore 122
  local made = coroutine.create(body)
  return function(...)
    local results = { coroutine.resume(made, ...) }
    if not results[1] then error(results[2], 0) end
    return (unpack or table.unpack)(results, 2) -- luacheck: ignore 113 143
  end
end

-- cqueues makes coroutines in C.
local require_any = require
function require(name) -- luacheck: ignore 121
  local is_new = package.loaded[name] == nil
  local module = require_any(name)
  if name == "cqueues" and is_new then
    local wrap
    wrap = module.interpose("wrap", function(self, body, ...)
      return wrap(self, function(...)
        debug.sethook(note, "c")
        return body(...)
      end, ...)
    end)
  end
  return module
end
