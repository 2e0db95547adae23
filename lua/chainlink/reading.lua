-- SPDX-License-Identifier: MIT
-- What bars, averages and guards read of a report: its feed, its times in milliseconds, and one field exactly.

local core = require "chainlink.core"
local errors = require "chainlink.errors"

local reading = {}

local LATEST_MS = 2 ^ 53 -- numbers are exact up to there

local report_metatable, getmetatable = core.report_metatable, debug.getmetatable

--- Anything but a report raises.
function reading.check(value, method)
  if getmetatable(value) == report_metatable then return end
  errors.raise("ConfigError", ("%s: expected a report, got %s"):format(method, errors.describe(value)))
end

-- The decimals of a schema's field, false where it has no such number.
local function decimals_of(version, name)
  local schema = core.schema(version)
  if name == "price" then name = schema.price end
  for _, field in ipairs(schema.fields) do
    if field.name == name then return field.type:find "^u?int" and field.decimals or false end
  end
  return false
end

local function unreadable(what)
  return nil, errors.new("DecodeError", what, { expected = "a report with that field" })
end

--- A function that reads the field of a report: -> its integer as text, its decimals, the observations' time, and the
--- first and last millisecond that the report is valid for | nil, DecodeError
function reading.of(name)
  local known = {}
  return function(report)
    local version, observed = report.version, report.observations_timestamp_ms
    local decimals = known[version]
    if not report.resolution or type(observed) ~= "number" or observed > LATEST_MS then
      return unreadable(("a report of version %d without known fields, or of a time beyond 2^53 ms"):format(version))
    end
    if decimals == nil then
      decimals = decimals_of(version, name)
      known[version] = decimals
    end
    if not decimals then return unreadable(("reports of version %d have no number %q"):format(version, name)) end
    local from, unit = report.valid_from_timestamp_ms, report.resolution == "ms" and 1 or 1000
    if type(from) ~= "number" or from > observed then from = observed end
    return report:raw(name), decimals, observed, from, observed + unit - 1
  end
end

--- An integer's text divided by 10^decimals, as exact decimal text.
function reading.scaled(text, decimals)
  if decimals == 0 then return text end
  local sign, digits = text:match "^(%-?)(%d+)$"
  digits = ("0"):rep(decimals + 1 - #digits) .. digits
  local fraction = digits:sub(-decimals):gsub("0+$", "")
  return sign .. digits:sub(1, -decimals - 1) .. (fraction ~= "" and "." .. fraction or "")
end

--- A copy of what was counted.
function reading.copy(counts)
  local copy = {}
  for name, value in pairs(counts) do copy[name] = value end
  return copy
end

return reading
