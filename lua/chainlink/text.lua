-- SPDX-License-Identifier: MIT
-- Text from the network, made harmless for whoever reads it: a terminal, a log line, a JSON parser.

local text = {}

-- Well-formed characters of UTF-8 beyond ASCII.
local characters = { "^[\194-\223][\128-\191]", "^\224[\160-\191][\128-\191]", "^[\225-\239][\128-\191][\128-\191]",
  "^[\240-\244][\128-\191][\128-\191][\128-\191]" }

local function code_of(character)
  local first, second, third, fourth = character:byte(1, -1)
  if fourth then return 0x10000 end -- or more: none of those steers
  if third then return first % 16 * 4096 + second % 64 * 64 + third % 64 end
  return first % 32 * 64 + second % 64
end

-- Second set of control characters, line separators, and what turns the direction of writing.
local ranges = { { 0x80, 0x9f }, { 0x61c, 0x61c }, { 0x200e, 0x200f }, { 0x2028, 0x202e }, { 0x2066, 0x2069 } }

local function steers(code)
  for _, range in ipairs(ranges) do
    if code >= range[1] and code <= range[2] then return true end
  end
  return false
end

local function character_at(run, place)
  for _, pattern in ipairs(characters) do
    local character = run:match(pattern, place)
    if character then return character end
  end
end

-- Puts replace(code) in the place of what steers; code is nil for a byte that is no UTF-8.
local function clean(run, replace)
  local out, place = {}, 1
  while place <= #run do
    local character = character_at(run, place)
    local code = character and code_of(character)
    out[#out + 1] = code and not steers(code) and character or replace(code)
    place = place + (character and #character or 1)
  end
  return table.concat(out)
end

local function question_mark() return "?" end

local function json_escape(code) return ("\\u%04x"):format(code or 0xfffd) end

--- One line, with "?" for each control character, each character that turns the writing and each byte that is no UTF-8.
function text.plain(value)
  return (tostring(value):gsub("%c", "?"):gsub("[\128-\255]+", function(run) return clean(run, question_mark) end))
end

--- JSON (one value, encoded already) with escapes in the place of such characters: it says the same.
function text.plain_json(json)
  return (json:gsub("[\128-\255]+", function(run) return clean(run, json_escape) end))
end

--- A text as a JSON string.
function text.json_string(value)
  local escaped = value:gsub('[%c"\\]', function(c) return ("\\u%04x"):format(c:byte()) end)
  return text.plain_json('"' .. escaped .. '"')
end

--- As a value in a query.
function text.encode(value)
  return (value:gsub("[^%w%-._~]", function(c) return ("%%%02X"):format(c:byte()) end))
end

return text
