-- SPDX-License-Identifier: MIT
-- Templates for what is written of a report, for pipes: "%t %p\n".

local options = require "chainlink.cli.options"
local text = require "chainlink.text"
local time = require "chainlink.time"

local template = {}

-- Exact, whatever the schema calls it; empty where it has none.
local function exact(...)
  local names = { ... }
  return function(report)
    for _, name in ipairs(names) do
      local value = report:exact(name)
      if value then return value end
    end
    return ""
  end
end

local letters = {
  t = function(report) return time.of(report, "observations_timestamp") or "" end,
  n = function(_, name) return text.plain(name or "") end,
  i = function(report) return report.feed_id end,
  p = exact "price",
  b = exact("bid", "best_bid", "bid_price"),
  a = exact("ask", "best_ask", "ask_price"),
  s = function(report) return "v" .. report.version end,
  r = function(report) return report.full_report end,
}

local KNOWN = "%t time, %n name, %i feed id, %p price, %b bid, %a ask, %s schema, %r full report, %%; \\n, \\t, \\\\"
local escapes = { n = "\n", t = "\t", ["\\"] = "\\" }

local function refuse(what)
  options.usage_error("the template has '%s', which means nothing: it may have %s", what, KNOWN)
end

--- What the options of a command have for it.
template.option = { name = "template", short = "f", value = "TEMPLATE",
  help = "write this of each report, without a newline of its own: " .. KNOWN }

-- The piece that a sign and a letter stand for: a text, or a function of report and name.
local function piece_of(sign, letter)
  local piece
  if sign == "\\" then piece = escapes[letter]
  elseif letter == "%" then piece = "%"
  else piece = letters[letter] end
  return piece or refuse(sign .. letter)
end

--- A function (report, name) that answers the text of a report. What is no template is a usage error.
function template.compile(source)
  local pieces, place = {}, 1
  while place <= #source do
    local plain = source:match("^[^%%\\]+", place)
    pieces[#pieces + 1] = plain or piece_of(source:sub(place, place), source:sub(place + 1, place + 1))
    place = place + (plain and #plain or 2)
  end
  return function(report, name)
    local parts = {}
    for i, piece in ipairs(pieces) do parts[i] = type(piece) == "string" and piece or piece(report, name) end
    return table.concat(parts)
  end
end

return template
