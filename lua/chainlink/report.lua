-- SPDX-License-Identifier: MIT
-- What a Report can do beyond reading fields, which src/lua/lreport.c does.

local core = require "chainlink.core"
local later = require "chainlink.later"
local signers, text, time = later "chainlink.signers", later "chainlink.text", later "chainlink.time"

local methods = core.report_methods
local Report = core.report_metatable

-- Descriptions of its own: those of chainlink.schemas are in the hands of the program.
local schemas = setmetatable({}, { __index = function(known, version)
  known[version] = core.schema(version)
  return rawget(known, version)
end })
local no_schema = { fields = {} }
local times = { valid_from_timestamp = true, observations_timestamp = true, expires_at = true }
local common = { feed_id = true, valid_from_timestamp = true, observations_timestamp = true, native_fee = true,
  link_fee = true, expires_at = true }

-- LuaJIT's traces call C by the FFI alone: there, numbers are read that way, where the host has it.
local function read_by_ffi(ffi)
  local index, cache, getmetatable = Report.__index, core.report_cache, debug.getmetatable
  local number = ffi.cast("double (**)(const void *, const void *, const char *)", cache)[0]
  function Report.__index(report, name)
    if type(name) == "string" and getmetatable(report) == Report then
      local value = number(cache, report, name)
      if value == value then return value end
    end
    return index(report, name)
  end
end

local jit = rawget(_G, "jit")
local has_ffi, ffi = pcall(require, "ffi")
if has_ffi and jit and jit.status() then read_by_ffi(ffi) end

local function schema_of(report)
  return report.resolution and schemas[report.version] or no_schema
end

--- "open", "closed", … ; nil when the report has no market status or an unknown one.
function methods.market_status_name(report)
  local status = report.market_status
  return status and core.market_status_name(report.version, status) or nil
end

--- Is it too late to verify the report on chain? nil when the report has no expires_at.
function methods.is_expired(report, now)
  local expires_at = report:number "expires_at"
  if not expires_at then return nil end
  return (now or core.time()) > expires_at
end

--- Does the provider say that the value must not be used (ripcord)? nil when the report has no ripcord.
function methods.is_paused(report)
  local ripcord = report.ripcord
  if ripcord == nil then return nil end
  return ripcord ~= 0
end

--- Is the report signed by the configuration of `by`, a registry or {signers=, f=}? -> true | nil, VerificationError
function methods.verify(report, by)
  return signers.verify(report, by)
end

local small = { uint32 = true, uint16 = true, uint8 = true, bool = true }

-- A field's value for tables and JSON: numbers where every JSON reader has them exactly, otherwise exact text.
local function portable(report, field)
  if small[field.type] then return report[field.name] end
  return report:exact(field.name)
end

-- Whole seconds for every feed, and milliseconds for the feeds that have them.
local function visit_time(report, name, visit)
  visit(name, report[name])
  if report.resolution == "ms" then visit(name .. "_ms", report[name .. "_ms"]) end
end

-- Calls visit(name, value, is_hex) for each member of the report's table form, in a fixed order.
local function each_member(report, visit)
  visit("version", report.version)
  visit("feed_id", report.feed_id, true)
  local schema = schema_of(report)
  local fields = schema.fields
  for i = 1, #fields do
    if times[fields[i].name] then visit_time(report, fields[i].name, visit)
    elseif fields[i].name ~= "feed_id" then visit(fields[i].name, portable(report, fields[i])) end
  end
  if #fields == 0 then
    visit_time(report, "observations_timestamp", visit)
    visit_time(report, "valid_from_timestamp", visit)
  end
  if schema.price ~= "price" then visit("price", report:exact "price") end
  visit("market_status_name", report:market_status_name())
  visit("config_digest", report.config_digest, true)
  visit("origin", report.origin)
  visit("received_at", report.received_at)
  visit("full_report", report.full_report, true)
end

--- A plain table of all fields and `price`. What is wider than 32 bits is exact text; no JSON library rounds it.
function methods.to_table(report)
  local out = {}
  each_member(report, function(name, value) out[name] = value end)
  return out
end

-- Members' names as JSON, with what follows.
local labels = setmetatable({}, { __index = function(known, name)
  known[name] = text.json_string(name) .. ":"
  return rawget(known, name)
end })

local function json_value(value, is_hex)
  if is_hex then return '"' .. value .. '"' end
  if type(value) == "string" then return text.json_string(value) end
  if type(value) ~= "number" then return tostring(value) end
  local digits = tostring(value)
  if digits:find "^%d+$" then return digits end -- an integer, exact however large
  if value == math.floor(value) then return ("%.0f"):format(value) end
  return (("%.3f"):format(value):gsub(",", ".")) -- whatever the locale
end

--- One line of JSON, its members always in the same order, with the values of to_table.
function methods.to_json(report)
  local members = {}
  each_member(report, function(name, value, is_hex)
    if value ~= nil then members[#members + 1] = labels[name] .. json_value(value, is_hex) end
  end)
  return "{" .. table.concat(members, ",") .. "}"
end

--- The report as the service sends it, JSON of four members, in Snappy's block format: what the Rust SDK's
--- compress_report makes. Times that the blob does not have are 0. -> bytes | nil, err
function methods.compress(report)
  return core.compress(('{"feedID":"%s","validFromTimestamp":%.0f,"observationsTimestamp":%.0f,"fullReport":"%s"}')
    :format(report.feed_id, report.valid_from_timestamp or 0, report.observations_timestamp or 0, report.full_report))
end

local LONGEST = 64 -- bytes of a text in a line

local function short_id(id)
  return id:sub(1, 6) .. "…" .. id:sub(-4)
end

local function short_value(report, field)
  local name = field.name
  if name == "market_status" then
    local status = report:market_status_name()
    if status then return status end
  end
  local value = report[name]
  if field.type == "bytes32" then return short_id(value) end
  if type(value) == "string" and #value > LONGEST then value = value:sub(1, LONGEST) .. "…" end
  if field.decimals > 0 then return ("%.10g"):format(value) end
  return text.plain(value)
end

--- One line for people.
function Report.__tostring(report)
  local schema = schema_of(report)
  local parts = { "v" .. report.version, short_id(report.feed_id) }
  if schema == no_schema then parts[#parts + 1] = "(fields unknown: no schema of this version)" end
  parts[#parts + 1] = time.of(report, "observations_timestamp")
  for _, field in ipairs(schema.fields) do
    if not common[field.name] then
      local label = field.name == schema.price and "price" or field.name
      parts[#parts + 1] = label .. " " .. short_value(report, field)
    end
  end
  return table.concat(parts, " ")
end

--- Lua 5.2 and later: pairs(report) goes over the schema's fields in ABI order.
function Report.__pairs(report)
  local fields = schema_of(report).fields
  local i = 0
  return function()
    i = i + 1
    local field = fields[i]
    if field then return field.name, report[field.name] end
  end
end
