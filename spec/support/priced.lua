-- SPDX-License-Identifier: MIT
-- Reports made here of a feed, a time and a price, for what is reckoned from them. Their signatures mean nothing.

local chainlink = require "chainlink"

local priced = {}

-- A whole number, negative too, as a word; exact where it is a number of Lua exactly.
local function word(value)
  local digits = ""
  for _ = 1, 4 do
    digits = ("%08x"):format(value % 2 ^ 32) .. digits
    value = math.floor(value / 2 ^ 32)
  end
  return (value < 0 and "f" or "0"):rep(32) .. digits
end

-- What follows the common head, by version, around a price.
local fields = {
  [2] = function(price) return { price } end,
  [3] = function(price, what) return { price, what.bid or 1, 2 } end,
  [8] = function(price, what) return { 1, price, what.status or 0 } end,
  [9] = function(price, what) return { price, 1, 2, what.ripcord or 0 } end,
  [11] = function(price, what) return { price, 1, 2, 3, 4, 5, 6, what.status or 0 } end,
}

function priced.id(version, number, ms)
  return ("0x%04x%060x"):format((ms and 0x1000 or 0) + version, number or 1)
end

--- {at=, from=, price=, version=, number=, ms=, …}: `at` and `from` in the feed's unit; from is `at` unless given.
function priced.report(what)
  local version = what.version or 3
  local words = { priced.id(version, what.number, what.ms):sub(3), word(what.from or what.at), word(what.at), word(1),
    word(2), word(what.at) }
  for _, value in ipairs(fields[version](what.price * 1e18, what)) do words[#words + 1] = word(value) end
  local blob = table.concat(words)
  local rs = 8 * 32 + #blob / 2
  return assert(chainlink.decode("0x" .. table.concat { word(1), word(2), word(3), word(7 * 32), word(rs),
    word(rs + 32), word(0), word(#blob / 2), blob, word(0), word(0) }))
end

--- An iterator over a list, as client:reports gives.
function priced.iterator(list)
  local i = 0
  return function()
    i = i + 1
    return list[i]
  end
end

return priced
