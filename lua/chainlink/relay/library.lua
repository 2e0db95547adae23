-- SPDX-License-Identifier: MIT
-- What runs in the Redis server (7.0 or later): the function that adds reports to a feed's stream. It is the only one
-- that does, so that whatever number of relays there is, each report is there once, and in order.

local library = {}

--- The function's name, with the version of what it does: relays of two versions may run side by side.
library.add = "chainlink_add_1"

--- Arguments: 2, the stream's key, the key of what came late, milliseconds to keep, then of each report its time in
--- milliseconds, the time of the one before it as the relay knows it ("0": unknown), received_at in milliseconds,
--- backfilled ("0" or "1"), origin, what was lost before it ("from to" in milliseconds, or ""), its bytes.
--- Answer: for each report "added", "known" (it is there), "late" (put aside: a later one is there, and it was not),
--- "old" (from before the stream begins), or, and nothing further is done, "behind": the one before it is not there.
library.code = [[#!lua name=chainlink_streams_1
local FIELDS = 7

-- The number in the last four bytes of the word at an offset, nil where there is none.
local function word(text, offset)
  local a, b, c, d = text:byte(offset + 29, offset + 32)
  return d and ((a * 256 + b) * 256 + c) * 256 + d
end

-- What the oracles signed, without their signatures: two reports of a time are the same when this is.
local function blob(report)
  local offset = word(report, 96)
  local length = offset and word(report, offset)
  return length and report:sub(offset + 33, offset + 32 + length) or report
end

local function field(entry, name)
  local fields = entry[2]
  for i = 1, #fields - 1, 2 do
    if fields[i] == name then return fields[i + 1] end
  end
  return ''
end

-- The newest id, also of a stream whose entries were deleted: milliseconds, number, the text.
local function newest(key)
  local entry = redis.call('XREVRANGE', key, '+', '-', 'COUNT', 1)[1]
  local id = entry and entry[1]
  if not id and redis.call('EXISTS', key) == 1 then
    local told = redis.call('XINFO', 'STREAM', key)
    for i = 1, #told - 1, 2 do
      if told[i] == 'last-generated-id' then id = told[i + 1] end
    end
  end
  id = id or '0-0'
  local ms, number = id:match('^(%d+)-(%d+)$')
  return tonumber(ms), tonumber(number), id
end

local function is_there(key, ms, report)
  local wanted = blob(report)
  for _, entry in ipairs(redis.call('XRANGE', key, ms, ms)) do
    if blob(field(entry, 'report')) == wanted then return true end
  end
  return false
end

local function put_aside(key, ms, keep, newest_ms, report)
  local wanted = blob(report)
  for _, other in ipairs(redis.call('ZRANGEBYSCORE', key, ms, ms)) do
    if blob(other) == wanted then return 'known' end
  end
  redis.call('ZADD', key, ms, report)
  redis.call('ZREMRANGEBYSCORE', key, '-inf', string.format('(%.0f', newest_ms - keep))
  return 'late'
end

local function add(keys, keep, args, at)
  local ms, report = args[at], args[at + 6]
  local time = tonumber(ms)
  local newest_ms, number, before = newest(keys[1])
  if newest_ms < tonumber(args[at + 1]) then return 'behind' end
  if time <= newest_ms and is_there(keys[1], ms, report) then return 'known' end
  if time < newest_ms then
    local first = redis.call('XRANGE', keys[1], '-', '+', 'COUNT', 1)[1]
    if not first or time < tonumber(first[1]:match('^%d+')) then return 'old' end
    return put_aside(keys[2], ms, keep, newest_ms, report)
  end
  local id = time == newest_ms and string.format('%s-%.0f', ms, number + 1) or ms .. '-0'
  redis.call('XADD', keys[1], 'MINID', '~', string.format('%.0f', math.max(0, time - keep)), id, 'after', before,
    'received_at', args[at + 2], 'backfilled', args[at + 3], 'origin', args[at + 4], 'lost', args[at + 5],
    'report', report)
  return 'added'
end

redis.register_function('chainlink_add_1', function(keys, args)
  local answers, keep = {}, tonumber(args[1])
  for at = 2, #args - FIELDS + 1, FIELDS do
    local answer = add(keys, keep, args, at)
    answers[#answers + 1] = answer
    if answer == 'behind' then break end
  end
  return answers
end)
]]

return library
