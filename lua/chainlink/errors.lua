-- SPDX-License-Identifier: MIT
-- Error objects: what failing calls return and wrong arguments raise.

local core = require "chainlink.core"

local errors = {}

local Error = core.error_metatable
local methods = {}
local parents = { RateLimitError = "APIError" }

--- Is the error of this kind? Every error is a "ChainlinkError", a RateLimitError is an "APIError" too.
function methods.is(err, kind)
  return kind == "ChainlinkError" or kind == err.kind or kind == parents[err.kind]
end

Error.__index = methods

function Error.__tostring(err)
  local text = err.kind .. ": " .. err.message
  if err.where then text = text .. " (" .. err.where .. ")" end
  return text
end

function Error.__concat(a, b)
  return tostring(a) .. tostring(b)
end

--- A new error object; `fields` (optional) are its further members.
function errors.new(kind, message, fields)
  local err = { kind = kind, message = message, retryable = false }
  for name, value in pairs(fields or {}) do err[name] = value end
  return setmetatable(err, Error)
end

function errors.is_error(value)
  return type(value) == "table" and type(value.kind) == "string" and value.is == methods.is
end

local own_files = debug.getinfo(1, "S").source:match "^(@.*)errors%.lua$"

-- The place in the script that called into the library: the first Lua function which is not one of ours.
local function caller()
  for level = 3, math.huge do
    local info = debug.getinfo(level, "Sl")
    if not info then return nil end
    local ours = own_files and info.source:sub(1, #own_files) == own_files
    if not ours and info.currentline > 0 then return info.short_src .. ":" .. info.currentline end
  end
end

--- Raises an error object, with the place in the script as err.where.
function errors.throw(err)
  err.where = err.where or caller()
  error(err, 0)
end

--- A mistake in the program: raises.
function errors.raise(kind, message, fields)
  errors.throw(errors.new(kind, message, fields))
end

local function quoted(text)
  if #text > 80 then text = text:sub(1, 77) .. "..." end
  return '"' .. text:gsub('[%c"\\\127-\255]', function(c) return ("\\%03d"):format(c:byte()) end) .. '"'
end

--- A wrong value in words: `"abc" (a string)`, `-1`, `a table`. With `secret` only the type is told.
function errors.describe(value, secret)
  local kind = type(value)
  if kind == "nil" then return "nil" end
  if kind == "number" and not secret then return value ~= value and "nan" or tostring(value) end
  if kind == "boolean" and not secret then return tostring(value) end
  if kind == "string" and not secret then return quoted(value) .. " (a string)" end
  return "a " .. kind
end

return errors
