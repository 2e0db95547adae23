-- SPDX-License-Identifier: MIT
-- Reads a command's arguments. A mistake raises a usage error, which becomes exit code 2.

local suggest = require "chainlink.suggest"
local times = require "chainlink.cli.time"

local options = {}

local Usage = { __tostring = function(err) return err.message end }

function options.usage_error(message, ...)
  error(setmetatable({ message = message:format(...) }, Usage), 0)
end

function options.is_usage_error(err)
  return getmetatable(err) == Usage
end

local function is_choice(row, text)
  for _, choice in ipairs(row.choices) do
    if choice == text then return true end
  end
  return false
end

local function is_in_range(row, value)
  if row.number == "whole" and value % 1 ~= 0 then return false end
  if not row.low then return value > 0 and value < math.huge end
  return value >= row.low and value <= row.high
end

local function read_number(row, text)
  local value = text:find "^[+-]?[%d.]+$" and tonumber(text)
  if value and is_in_range(row, value) then return value end
  options.usage_error("--%s must be a %s %s, not '%s'", row.name, row.number == "whole" and "whole number" or "number",
    row.low and ("from %.16g to %.16g"):format(row.low, row.high) or "above 0", text)
end

local function convert(row, text)
  if row.choices and not is_choice(row, text) then
    options.usage_error("--%s must be %s, not '%s'", row.name, table.concat(row.choices, ", "), text)
  end
  if row.number then return read_number(row, text) end
  if text == "" then options.usage_error("--%s must not be empty", row.name) end
  return text
end

local function store(values, row, text)
  local value = convert(row, text)
  if not row.repeats then
    values[row.alias or row.name] = value
    return
  end
  values[row.name] = values[row.name] or {}
  table.insert(values[row.name], value)
end

-- There is no such option: what may be meant?
local function unknown(rows, argument)
  local names = {}
  for i, row in ipairs(rows) do names[i] = row.name end
  local question = suggest.question(argument:match "^%-+(.*)$", names, "--")
  options.usage_error("there is no option %s%s", argument, question and ": " .. question or "")
end

local function find(rows, name)
  for _, row in ipairs(rows) do
    if row.name == name then return row end
  end
  unknown(rows, "--" .. name)
end

-- "-o" -> "output"; "-oFILE" -> "output", "FILE"
local function long_name(rows, argument)
  local letter, attached = argument:match "^%-(%a)(.*)$"
  for _, row in ipairs(rows) do
    if row.short and row.short == letter and (attached == "" or row.value) then
      return row.name, attached ~= "" and attached or nil
    end
  end
end

-- The option at arguments[i] into values; -> where the next argument is
local function read_option(rows, values, arguments, i, name, attached)
  local row = find(rows, name)
  if not row.value then
    if attached then options.usage_error("--%s takes no value", name) end
    values[name] = true
    return i + 1
  end
  local text = attached or arguments[i + 1]
  if not text then options.usage_error("--%s needs a value: %s", name, row.value) end
  store(values, row, text)
  return attached and i + 1 or i + 2
end

local function fill_in(rows, values)
  for _, row in ipairs(rows) do
    if values[row.name] == nil then values[row.name] = row.default end
  end
  return values
end

-- The option that the argument is, by its long name, and a value that is written with it.
local function option_in(rows, argument)
  local name, attached = argument:match "^%-%-([%w-]+)=(.*)$"
  if name then return name, attached end
  name = argument == "-h" and "help" or argument:match "^%-%-([%w-]+)$"
  if name then return name end
  return long_name(rows, argument)
end

--- Splits arguments into the values of options and the rest. Rows: {name=, short= a letter, value="WHAT" or nil for a
--- switch, default=, choices=, number=true|"whole" (above 0, or from low to high), repeats=true: an array,
--- alias= the name of the option whose value it is}.
function options.parse(rows, arguments)
  local values, rest, i = {}, {}, 1
  while i <= #arguments do
    local argument = arguments[i]
    local name, attached = option_in(rows, argument)
    if argument == "--" then
      for j = i + 1, #arguments do rest[#rest + 1] = arguments[j] end
      break
    elseif name then
      i = read_option(rows, values, arguments, i, name, attached)
    else
      if argument:find "^%-." then unknown(rows, argument) end
      rest[#rest + 1] = argument
      i = i + 1
    end
  end
  return fill_in(rows, values), rest
end

--- A time as people give it (chainlink.cli.time), as Unix seconds.
function options.time(text, now)
  local seconds, reason = times.read(text, now)
  if seconds then return seconds end
  options.usage_error("'%s' is no time%s: give %s", text, reason and ", " .. reason or "", times.forms)
end

return options
