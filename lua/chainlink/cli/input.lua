-- SPDX-License-Identifier: MIT
-- Full reports as the commands are given them: hex, JSON of this program or of the service, in arguments, files and
-- standard input. What is wrong is told with its place, and the rest is read.

local cjson = require "chainlink.json"
local core = require "chainlink.core"
local options = require "chainlink.cli.options"
local output = require "chainlink.cli.output"

local input = {}

local members = { "full_report", "fullReport", "report", "reports" }

-- A recording's lines that are no reports: its heads, and what was told of its holes.
local function is_beside_reports(value)
  if type(value) ~= "table" then return false end
  return value.format == "chainlink-streams-recording" or type(value.event) == "string" and type(value.feed) == "string"
end

-- Calls found(text) for each full report in a decoded JSON value. -> true | nil, what is wrong
local function each_in_value(value, found)
  if type(value) == "string" then
    found(value)
    return true
  end
  if type(value) ~= "table" then return nil, "there is no full report in this" end
  for _, name in ipairs(members) do
    if value[name] ~= nil then return each_in_value(value[name], found) end
  end
  if #value == 0 then return nil, "this has no member " .. table.concat(members, ", ") end
  local good, reason = true, nil
  for _, item in ipairs(value) do
    local ok, why = each_in_value(item, found)
    if not ok then good, reason = nil, why end
  end
  return good, reason
end

-- -> true | nil, what is wrong
local function check_hex(text)
  local digits = text:match "^0[xX](.*)$" or text
  local place = digits:find "%X"
  if digits == "" then return nil, "this is empty" end
  if #digits % 2 == 1 and not place then return nil, ("this is not hex: %d digits, an odd number"):format(#digits) end
  if not place then return true end
  return nil, ("this is not hex: digit %d is '%s'"):format(place, digits:sub(place, place))
end

local Reader = {}
Reader.__index = Reader

function Reader:complain(place, reason)
  self.faults = self.faults + 1
  output.note("%s: %s", place, reason)
end

function Reader:take(text, place)
  local ok, reason = check_hex(text)
  if ok then ok, reason = self.visit(text) end
  if ok then self.found = self.found + 1
  else self:complain(place, tostring(reason)) end
end

function Reader:take_json(json, place)
  local value, reason = cjson.decode(json)
  if value == nil then
    self:complain(place, "this is not JSON: " .. tostring(reason))
    return
  end
  if is_beside_reports(value) then return end
  local ok, why = each_in_value(value, function(text) self:take(text, place) end)
  if not ok then self:complain(place, why) end
end

-- JSON of several lines begins and ends with brackets that are not indented, as those who write it do.
function Reader:take_line(line, place)
  local open = self.open
  if open and (line:find "^[%[{]" or line:find "^0[xX]") then
    self:end_json()
    open = nil
  end
  local text = line:match "^%s*(.-)%s*$"
  if open then
    open[#open + 1] = line
    if not line:find "^[%]}]" then return end
    self.open = nil
    self:take_json(table.concat(open, "\n"), open.place)
  elseif text:find "^[%[{]" and not text:find "[%]}]$" then
    self.open = { line, place = place }
  elseif text:find '^[%[{"]' then
    self:take_json(text, place)
  elseif text ~= "" then
    self:take(text, place)
  end
end

function Reader:end_json()
  if self.open then self:complain(self.open.place, "this is JSON that does not end") end
  self.open = nil
end

function Reader:take_file(file, name)
  local number = 0
  while true do
    local line, reason = file:read "*l"
    if not line then
      self:end_json()
      if reason then self:complain(name, "cannot read this: " .. reason) end
      return
    end
    number = number + 1
    self:take_line(line, ("%s, line %d"):format(name, number))
  end
end

function Reader:take_argument(argument, number)
  local place = ("argument %d"):format(number)
  local is_hex, reason = check_hex(argument)
  if argument == "-" then
    self:take_file(io.stdin, "standard input")
  elseif argument:find "^%s*[%[{]" then
    self:take_json(argument, place)
  elseif is_hex then
    self:take(argument, place)
  else
    local file, why = io.open(argument, "rb")
    if not file then
      self:complain(place, reason .. ", and this is no file: " .. why)
      return
    end
    self:take_file(file, argument)
    file:close()
  end
end

--- Calls visit(hex), which answers true or nil, what is wrong, for each full report in the arguments: hex, JSON, names
--- of files with lines of either, "-" or nothing for standard input. -> how many were taken, how many faults were told
function input.each(arguments, visit)
  local reader = setmetatable({ visit = visit, found = 0, faults = 0 }, Reader)
  if #arguments == 0 and not core.isatty(0) then arguments = { "-" } end
  for number, argument in ipairs(arguments) do reader:take_argument(argument, number) end
  if reader.found + reader.faults == 0 then options.usage_error "a full report is missing" end
  return reader.found, reader.faults
end

return input
