-- SPDX-License-Identifier: MIT
-- Which loop a client's coroutines wait by.

local block = require "chainlink.loop.block"
local errors = require "chainlink.errors"

local waiting = {}

-- Those that can tell whether a coroutine is theirs, and their modules. Only what the host has loaded is asked.
local detected = { { "openresty", "ngx" }, { "cqueues", "cqueues" }, { "copas", "copas" } }

local function find()
  for _, entry in ipairs(detected) do
    if package.loaded[entry[2]] then
      local loop = require("chainlink.loop." .. entry[1])
      if loop.is_running() then return loop end
    end
  end
  return block
end

local function load(name)
  local ok, loop = pcall(require, "chainlink.loop." .. name)
  if ok then return loop end
  errors.raise("ConfigError", ("option 'loop' is %q, and that library cannot be loaded: %s"):format(name,
    tostring(loop):match "^[^\n]*"))
end

local function in_coroutine()
  local thread, is_main = coroutine.running()
  return thread ~= nil and not is_main
end

local function always() return true end
local function never() return false end

--- What the option stands for: wait(fd, seconds), which may come back early; may_yield(): it would yield here;
--- has_limits(): `seconds` may be given here; blocks(): nothing else runs meanwhile. A library that is named and
--- missing raises a ConfigError.
function waiting.by(option)
  if option and type(option) ~= "string" then
    return { wait = option, may_yield = in_coroutine, has_limits = always, blocks = never }
  end
  if option == "auto" then
    return { wait = function(fd, seconds) return find().wait(fd, seconds) end,
      may_yield = function() return find() ~= block end, has_limits = function() return not find().lacks_limits end,
      blocks = function() return find() == block end }
  end
  local loop = option and load(option) or block
  return { wait = loop.wait, may_yield = function() return loop ~= block and in_coroutine() end,
    has_limits = function() return not loop.lacks_limits end, blocks = loop == block and always or never }
end

local cannot_yield = _VERSION == "Lua 5.1" and not rawget(_G, "jit")

--- A generic `for` of Lua 5.1 calls its iterator from C, where nothing can yield: raises, and names the other way.
function waiting.check_for(state, instead)
  if not cannot_yield or not state.may_yield() then return end
  errors.raise("ConfigError", ("Lua 5.1 cannot wait in a `for` loop under an event loop; use %s"):format(instead))
end

--- The iterator, with that check before each step where there is something to check.
function waiting.for_loop(state, instead, iterator)
  if not cannot_yield then return iterator end
  return function()
    waiting.check_for(state, instead)
    return iterator()
  end
end

return waiting
