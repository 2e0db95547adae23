-- SPDX-License-Identifier: MIT
-- How reports lie in Redis (docs/relay.md): a stream for each feed, whose entries' ids are the observations' time in
-- milliseconds and a number; and a sorted set of what came too late for it.

local keys = {}

--- The key of a feed's stream. What is in braces decides which server of a cluster has it.
function keys.stream(feed_id) return "chainlink:{" .. feed_id .. "}" end

--- The key of what came too late; on the same server.
function keys.late(feed_id) return "chainlink:{" .. feed_id .. "}:late" end

--- An entry's id in parts: milliseconds and number; nil when it is none.
function keys.parse(id)
  local ms, number = tostring(id):match "^(%d+)%-(%d+)$"
  return tonumber(ms), tonumber(number)
end

--- Is entry id a before b?
function keys.is_before(a, b)
  local a_ms, a_number = keys.parse(a)
  local b_ms, b_number = keys.parse(b)
  return a_ms < b_ms or a_ms == b_ms and a_number < b_number
end

--- An answer of pairs as a table by the first of each; nil when it is none.
function keys.pairs(list)
  if type(list) ~= "table" or list.error then return nil end
  local named = {}
  for i = 1, #list - 1, 2 do named[tostring(list[i])] = list[i + 1] end
  return named
end

return keys
