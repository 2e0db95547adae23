-- SPDX-License-Identifier: MIT
-- Which reports of a feed were counted, by time and tag, in two generations: when the newer one has half of what may be
-- remembered, or spans the time that anybody asks about, the older one is forgotten, and what is not newer than it with
-- it.

local seen = {}

local methods = {}
local Seen = { __index = methods }

--- At most `limit` reports, two or more, and those of the last `span` milliseconds if there are no more.
function seen.new(limit, span)
  return setmetatable({ most = math.floor(limit / 2), span = span, newer = {}, older = {}, count = 0,
    newest = -math.huge, older_newest = -math.huge, forgotten = -math.huge }, Seen)
end

-- A time has one tag, seldom a set of them.
local function has(times, ms, tag)
  local known = times[ms]
  return known == tag or type(known) == "table" and known[tag] == true
end

local function put(times, ms, tag)
  local known = times[ms]
  if known == nil then times[ms] = tag
  elseif type(known) == "table" then known[tag] = true
  else times[ms] = { [known] = true, [tag] = true } end
end

local function turn(self)
  self.forgotten = math.max(self.forgotten, self.older_newest)
  self.older, self.older_newest = self.newer, self.newest
  self.newer, self.newest, self.count, self.begun = {}, -math.huge, 0, nil
end

--- Whether reports of that time are not remembered any more.
function methods.is_forgotten(self, ms) return ms <= self.forgotten end

--- Remembers a report that is not forgotten; false when it is there already. `now` is the feed's newest time, if any.
function methods.add(self, ms, tag, now)
  if has(self.newer, ms, tag) or has(self.older, ms, tag) then return false end
  now = math.max(now or ms, ms)
  self.begun = self.begun or now
  if self.count >= self.most or now - self.begun > self.span then
    turn(self)
    self.begun = now
  end
  put(self.newer, ms, tag)
  self.count, self.newest = self.count + 1, math.max(self.newest, ms)
  return true
end

return seen
