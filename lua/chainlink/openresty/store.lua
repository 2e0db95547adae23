-- SPDX-License-Identifier: MIT
-- What the workers share in a lua_shared_dict: the latest report of each feed and the last events; how the stream is;
-- and which worker leads. Only that one writes, but for its claim.
--
-- A report is published once its event is written: that is one step, and all else follows from the events. So one that
-- takes the lead from a worker that was killed knows what that one had published, whatever it was about to do.

local core = require "chainlink.core"
local record = require "chainlink.openresty.record"

local Store = {}
Store.__index = Store

local store = {}

local ENTRY = 8192 -- bytes of a report with what the dictionary needs for it, generously
local TOLD_SECONDS = 10 -- for as long the state holds that a worker told
local CLAIM_SECONDS = 5 -- for one that dies in the act
local MARK = 29 -- bytes, of which the first 13 are a time
local MOST_MARKS = 1024

--- How large a dictionary has to be, in bytes.
function store.need(feed_count, history)
  return (feed_count + history) * ENTRY + 65536
end

--- prefix: of its keys. history: how many events are kept. late: for how many milliseconds behind the newest report of
--- its feed one may come.
function store.new(dict, prefix, history, late)
  local self = setmetatable({ dict = dict, prefix = prefix, history = history, late = late }, Store)
  dict:add(prefix .. "epoch", ("%x%05x"):format(ngx.now() * 1000, math.random(0, 0xfffff)))
  self.epoch = dict:get(prefix .. "epoch")
  self.seed = tonumber(self.epoch:sub(-13), 16) -- of the marks: less than 2^53
  return self
end

-- ---- reports ----

--- The number of the newest event, 0 at first.
function Store:sequence()
  return self.dict:get(self.prefix .. "sequence") or 0
end

--- The record of event `number`; nil when it is no longer kept.
function Store:event(number)
  local text = self.dict:get(self.prefix .. "event:" .. number % self.history)
  return text and record.head(text) == number and text or nil
end

-- What is known of a feed: its newest report, the time of it, and marks of what was published. What another version of
-- this module wrote before a reload counts as nothing.
local function known_of(self, id)
  local newest = self.dict:get(self.prefix .. "latest:" .. id)
  local number, newest_id, observed = record.head(newest or "")
  if newest_id ~= id then return { number = 0, observed = -1, marks = "" } end
  local marks = self.dict:get(self.prefix .. "marks:" .. id) or ""
  return { number = number, observed = observed, newest = newest, marks = marks }
end

-- -> milliseconds | nil
local function time_of(known)
  return known.observed >= 0 and known.observed or nil
end

--- When the feed's newest report was observed, in milliseconds; nil when there is none.
function Store:published(id)
  return time_of(known_of(self, id))
end

--- The record of the feed's newest report; nil when there is none.
function Store:newest(id)
  return known_of(self, id).newest
end

-- ---- for the one that leads ----

-- Without those that nobody will ask for again, and those that are too many.
local function trim(marks, oldest)
  local from = math.max(1, #marks - MOST_MARKS * MARK + 1)
  while from < #marks and tonumber(marks:sub(from, from + 12)) < oldest do from = from + MARK end
  return marks:sub(from)
end

-- An event is written: what follows from it. The newest report comes last, as its number says that all of it is done;
-- for one that is not the newest it may be done again by who takes the lead, which changes nothing.
local function note(self, number, id, observed, mark, text)
  local feed, dict, prefix = self.feeds[id], self.dict, self.prefix
  feed.number = number
  local is_newest = observed >= feed.observed
  if is_newest then feed.observed, feed.newest = observed, text end
  feed.marks = trim(feed.marks .. mark, feed.observed - self.late)
  self.number = number
  local ok, err = dict:safe_set(prefix .. "sequence", number)
  if ok then ok, err = dict:safe_set(prefix .. "marks:" .. id, feed.marks) end
  if ok and is_newest then ok, err = dict:safe_set(prefix .. "latest:" .. id, text) end
  return ok, err
end

-- What the one before did not come to.
local function note_event(self, number)
  local text = self:event(number)
  if not text then return end
  self.number = number
  local report, _, id, observed = record.unpack(text), record.head(text)
  if report and self.feeds[id] and self.feeds[id].number < number then
    note(self, number, id, observed, core.mark(self.seed, report), text)
  end
end

--- Before a stream's first report: what streams before it have published.
function Store:resume(ids)
  self.feeds, self.before, self.number = {}, {}, self:sequence()
  for _, id in ipairs(ids) do self.feeds[id] = known_of(self, id) end
  for number = self.number, self.number + 1 do note_event(self, number) end
  for id, feed in pairs(self.feeds) do self.before[id] = { observed = feed.observed, marks = feed.marks } end
end

--- The same as published, of what this one has.
function Store:observed(id)
  return time_of(self.feeds[id])
end

-- Did a stream before this one bring it? One from so long ago that nobody knows counts as published.
local function is_known(self, id, observed, mark)
  local before = self.before[id]
  if observed > before.observed then return false end
  return observed < before.observed - self.late or before.marks:find(mark, 1, true) ~= nil
end

--- A report becomes an event, unless it is one already, and its feed's latest if it is no older than that.
--- -> true when it is | nil, err
function Store:publish(report)
  local id, observed = report.feed_id, report.observations_timestamp_ms or 0
  local mark = core.mark(self.seed, report)
  if is_known(self, id, observed, mark) then return nil end
  local number = self.number + 1
  local text = record.pack(number, report)
  local ok, err = self.dict:safe_set(self.prefix .. "event:" .. number % self.history, text)
  if not ok then return nil, err end
  return note(self, number, id, observed, mark, text)
end

-- ---- how the stream is ----

--- Answers to a request for metrics and one for the state, for all workers.
function Store:tell(metrics, healthz)
  for name, answer in pairs { metrics = metrics, healthz = healthz } do
    self.dict:safe_set(self.prefix .. name, ("%d %s\n%s"):format(answer.status, answer.type, answer.body), TOLD_SECONDS)
  end
end

--- The last answer told: status, type, body; nothing when nobody has told one lately.
function Store:told(name)
  local status, kind, body = (self.dict:get(self.prefix .. name) or ""):match "^(%d+) ([^\n]+)\n(.*)$"
  return tonumber(status), kind, body
end

-- ---- who leads ----

--- Where the leader's doorbell is; nil when there was none.
function Store:leader()
  return self.dict:get(self.prefix .. "leader")
end

--- Takes the place of `previous`, who does not answer. False when another one does that.
function Store:claim(previous, address)
  if not self.dict:safe_add(self.prefix .. "claim", true, CLAIM_SECONDS) then return false end
  local is_free = self:leader() == previous
  if is_free then self.dict:set(self.prefix .. "leader", address) end
  self.dict:delete(self.prefix .. "claim")
  return is_free
end

--- Nobody leads, unless another one does already.
function Store:release(address)
  if self:leader() == address then self.dict:delete(self.prefix .. "leader") end
end

return store
