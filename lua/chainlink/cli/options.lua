-- SPDX-License-Identifier: MIT
-- Reads a command's arguments. A mistake raises a usage error, which becomes exit code 2.

local options = {}

local Usage = { __tostring = function(err) return err.message end }

function options.usage_error(message, ...)
  error(setmetatable({ usage = true, message = message:format(...) }, Usage), 0)
end

function options.is_usage_error(err)
  return getmetatable(err) == Usage
end

local function convert(row, text)
  if row.choices then
    for _, choice in ipairs(row.choices) do
      if choice == text then return text end
    end
    options.usage_error("--%s must be %s, not '%s'", row.name, table.concat(row.choices, ", "), text)
  end
  if not row.number then return text end
  local value = tonumber(text)
  if value and value == value and value > 0 and (row.number ~= "whole" or value == math.floor(value)) then
    return value
  end
  options.usage_error("--%s must be a %s above 0, not '%s'", row.name,
    row.number == "whole" and "whole number" or "number", text)
end

local function find(rows, name)
  for _, row in ipairs(rows) do
    if row.name == name then return row end
  end
  options.usage_error("there is no option --%s", name)
end

--- Splits arguments into the values of options and the rest. Rows: {name=, value="WHAT" or nil for a switch,
--- choices=, number=true|"whole"}.
function options.parse(rows, arguments)
  local values, rest = {}, {}
  local i = 1
  while i <= #arguments do
    local argument = arguments[i]
    local name, attached = argument:match "^%-%-([%w-]+)=?(.*)$"
    if argument == "--" then
      for j = i + 1, #arguments do rest[#rest + 1] = arguments[j] end
      break
    elseif argument == "-h" then
      values.help = true
    elseif not name then
      if argument:find "^%-." then options.usage_error("there is no option %s", argument) end
      rest[#rest + 1] = argument
    else
      local row = find(rows, name)
      local has_value = argument:find("=", 1, true) ~= nil
      if not row.value then
        if has_value then options.usage_error("--%s takes no value", name) end
        values[name] = true
      else
        if not has_value then
          i = i + 1
          attached = arguments[i]
          if attached == nil then options.usage_error("--%s needs a value: %s", name, row.value) end
        end
        values[name] = convert(row, attached)
      end
    end
    i = i + 1
  end
  return values, rest
end

-- Seconds since 1970 of a date in UTC.
local function seconds_of(year, month, day, hour, minute, second)
  if month <= 2 then year, month = year - 1, month + 12 end
  local days = 365 * year + math.floor(year / 4) - math.floor(year / 100) + math.floor(year / 400)
    + math.floor((153 * month - 457) / 5) + day - 306
  return (days - 719163) * 86400 + hour * 3600 + minute * 60 + second
end

--- A time as people give it: 1734216545, 2024-12-14T22:49:05Z, now, now-60.
function options.time(text, now)
  if text:find "^%d+$" then return tonumber(text) end
  local back = text:match "^now%-(%d+)$"
  if text == "now" or back then return now - tonumber(back or 0) end
  local y, mo, d, h, mi, s = text:match "^(%d%d%d%d)%-(%d%d)%-(%d%d)[T ](%d%d):(%d%d):(%d%d)Z?$"
  if y then
    return seconds_of(tonumber(y), tonumber(mo), tonumber(d), tonumber(h), tonumber(mi), tonumber(s))
  end
  options.usage_error("'%s' is no time: give Unix seconds, 2024-12-14T22:49:05Z, now or now-60", text)
end

return options
