-- SPDX-License-Identifier: MIT
-- How much of a time the reports of some feeds cover, and where nothing does. A report covers the time from the one
-- that it is valid from to that of its observations; one of v1, which has no such time, its own second. At the end the
-- next report, which is not there, may cover as much as the longest one did.

local text = require "chainlink.text"
local time = require "chainlink.time"

local MAX_LISTED = 5 -- holes of a feed

local coverage = {}
local Coverage = {}
Coverage.__index = Coverage

--- Of the seconds `from` to `to`, both included; without them of what lies between a feed's first report and its last.
function coverage.new(from, to)
  return setmetatable({ from = from and from * 1000, to = to and to * 1000 + 999, feeds = {}, holes = 0 }, Coverage)
end

-- The first and last millisecond that a report covers.
local function span_of(report)
  local last = tonumber(report.observations_timestamp_ms)
  local first = tonumber(report.valid_from_timestamp_ms) or last
  return math.min(first, last), report.resolution == "ms" and last or last + 999
end

local function note_hole(self, feed, first, last)
  self.holes, feed.holes, feed.missing = self.holes + 1, feed.holes + 1, feed.missing + last - first + 1
  if #feed.listed < MAX_LISTED then feed.listed[#feed.listed + 1] = { first = first, last = last } end
end

--- A feed that there should be something of.
function Coverage:feed(id)
  local feed = self.feeds[id]
  if not feed then
    feed = { count = 0, holes = 0, missing = 0, listed = {}, longest = 0, reached = self.from and self.from - 1 }
    self.feeds[id] = feed
  end
  return feed
end

--- The next report of its feed.
function Coverage:add(report)
  local feed = self:feed(report.feed_id)
  local first, last = span_of(report)
  feed.count, feed.longest = feed.count + 1, math.max(feed.longest, last - first + 1)
  if not feed.reached then feed.first, feed.reached = first, first end
  if first > feed.reached + 1 then note_hole(self, feed, feed.reached + 1, first - 1) end
  feed.reached = math.max(feed.reached, self.to and math.min(last, self.to) or last)
end

-- Milliseconds as seconds: "5 s", "0.25 s".
local function seconds(ms)
  return (ms % 1000 == 0 and ("%.0f"):format(ms / 1000) or ("%.3f"):format(ms / 1000):gsub("0+$", "")) .. " s"
end

local function describe_hole(hole)
  local in_ms = hole.first % 1000 ~= 0 or hole.last % 1000 ~= 999
  local function moment(ms)
    return time.text(math.floor(ms / 1000), in_ms and ms or nil) or ("%.0f ms"):format(ms)
  end
  return ("%s to %s (%s)"):format(moment(hole.first), moment(hole.last), seconds(hole.last - hole.first + 1))
end

local function describe_holes(feed)
  if feed.holes == 0 then return "" end
  local parts = {}
  for i, hole in ipairs(feed.listed) do parts[i] = describe_hole(hole) end
  local more = feed.holes > #parts and (" and %.0f more"):format(feed.holes - #parts) or ""
  return (", %.0f %s: %s%s"):format(feed.holes, feed.holes == 1 and "hole" or "holes", table.concat(parts, ", "), more)
end

-- Never rounded up: 100 % is all.
local function percent(part, whole)
  if whole <= 0 then return "0" end
  return (("%.2f"):format(math.floor(part / whole * 10000) / 100):gsub("%.?0+$", ""))
end

--- A line for each feed, sorted by id. names: of feeds by id.
function Coverage:lines(names)
  local ids, lines = {}, {}
  for id in pairs(self.feeds) do ids[#ids + 1] = id end
  table.sort(ids)
  for i, id in ipairs(ids) do
    local feed = self.feeds[id]
    if self.to and feed.reached + feed.longest <= self.to then
      note_hole(self, feed, feed.reached + 1, self.to)
      feed.reached = self.to
    end
    local whole = feed.reached and feed.reached - (self.from or feed.first) + 1 or 0
    lines[i] = ("%s: %.0f reports, %s %% covered%s"):format(text.plain(names[id] or id), feed.count,
      percent(whole - feed.missing, whole), describe_holes(feed))
  end
  return lines
end

return coverage
