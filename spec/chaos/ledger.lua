-- SPDX-License-Identifier: MIT
-- luacheck: std lua54
-- Remembers what a stream delivered, in a file so that the process does not grow, and compares it with what the
-- service made, which REST tells afterwards.

local unpack_all, digest_format = string.unpack, {}

-- Reports of a feed and time differ in their blob; 64 bits of it tell them apart.
local function digest(blob)
  local words = #blob // 8
  local format = digest_format[words] or "<" .. ("i8"):rep(words)
  digest_format[words] = format
  local hash = 0
  local values = { unpack_all(format, blob, #blob - 8 * words + 1) }
  for i = 1, words do hash = (hash ~ values[i]) * 0x9E3779B97F4A7C15 + (hash >> 29) end
  return hash
end

local RECORD = "<I2I6i8" -- feed, milliseconds, digest

local Ledger = {}
Ledger.__index = Ledger

local function new(ids)
  local self = setmetatable({ ids = ids, index = {}, count = 0, newest = {}, seen_at = {}, silence = {},
    back = 0, file = assert(io.tmpfile()) }, Ledger)
  for i, id in ipairs(ids) do self.index[id], self.silence[i] = i, 0 end
  return self
end

--- A report was delivered at that time.
function Ledger:add(report, now)
  local feed, ms = self.index[report.feed_id], report.observations_timestamp_ms
  if ms < (self.newest[feed] or 0) then self.back = self.back + 1 end
  if self.seen_at[feed] then self.silence[feed] = math.max(self.silence[feed], now - self.seen_at[feed]) end
  self.newest[feed], self.seen_at[feed] = math.max(ms, self.newest[feed] or 0), now
  self.count = self.count + 1
  self.file:write(string.pack(RECORD, feed, ms, digest(report.report_blob)))
end

--- The oldest of the feeds' newest times, in milliseconds; 0 when one has none.
function Ledger:oldest_newest()
  local oldest = math.huge
  for i in ipairs(self.ids) do oldest = math.min(oldest, self.newest[i] or 0) end
  return oldest
end

--- The longest a feed was silent, and the feed.
function Ledger:longest_silence()
  local longest, feed = 0, 1
  for i, seconds in ipairs(self.silence) do
    if seconds > longest then longest, feed = seconds, i end
  end
  return longest, self.ids[feed]
end

function Ledger:by_feed()
  local lists, size = {}, string.packsize(RECORD)
  for i in ipairs(self.ids) do lists[i] = { times = {}, digests = {} } end
  self.file:seek "set"
  for block in function() return self.file:read(size * 4096) end do
    for at = 1, #block, size do
      local feed, ms, hash = string.unpack(RECORD, block, at)
      local list = lists[feed]
      list.times[#list.times + 1], list.digests[#list.digests + 1] = ms, hash
    end
  end
  return lists
end

local function is_told(lost, id, ms)
  for _, range in ipairs(lost) do
    if range.feed_id == id and ms >= range.from_ms and ms <= range.to_ms then return true end
  end
  return false
end

-- Each feed's delivered digests, counted.
local function counted(list)
  local counts = {}
  for _, hash in ipairs(list.digests) do counts[hash] = (counts[hash] or 0) + 1 end
  return counts
end

local function compare_feed(result, id, list, reports, until_ms, lost)
  local counts, first = counted(list), list.times[1]
  local known, begun = {}, false
  for report in reports do
    local ms, hash = report.observations_timestamp_ms, digest(report.report_blob)
    if ms > until_ms then break end
    known[hash] = true
    begun = begun or hash == list.digests[1]
    if begun and not counts[hash] then
      local told = is_told(lost, id, ms)
      local name = told and "told" or "missing"
      result[name] = result[name] + 1
      if #result.examples < 20 then
        table.insert(result.examples, ("%s: %s at %d ms"):format(name, id, ms))
      end
    end
    result.made = result.made + (begun and 1 or 0)
  end
  for i, ms in ipairs(list.times) do
    local hash = list.digests[i]
    if ms <= until_ms and ms >= first and not known[hash] then
      result.invented = result.invented + 1
      table.insert(result.examples, ("invented: %s at %d ms"):format(id, ms))
    end
    if counts[hash] > 1 then
      result.twice = result.twice + counts[hash] - 1
      table.insert(result.examples, ("twice: %s at %d ms"):format(id, ms))
      counts[hash] = 1
    end
  end
end

--- Compares all feeds from their first delivered report up to a second, all of it. `reports(id, from, to)` iterates
--- over what the service made; lost: ranges that were told. -> counts of made, missing, told, invented, twice, and
--- examples
function Ledger:compare(reports, until_second, lost)
  local result = { made = 0, missing = 0, told = 0, invented = 0, twice = 0, silent = 0, examples = {} }
  local lists = self:by_feed()
  for i, id in ipairs(self.ids) do
    local list = lists[i]
    if #list.times == 0 then
      result.silent = result.silent + 1
    else
      local made = reports(id, list.times[1] // 1000, until_second)
      compare_feed(result, id, list, made, until_second * 1000 + 999, lost)
    end
  end
  return result
end

return { new = new }
