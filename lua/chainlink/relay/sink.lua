-- SPDX-License-Identifier: MIT
-- Reports into Redis: asks and adds, and comes back only when it is done, however often the servers go away meanwhile.

local address = require "chainlink.relay.address"
local block = require "chainlink.loop.block"
local core = require "chainlink.core"
local errors = require "chainlink.errors"
local keys = require "chainlink.relay.keys"
local library = require "chainlink.relay.library"
local redirect = require "chainlink.relay.redirect"
local redis = require "chainlink.redis"
local wire = require "chainlink.relay.wire"

local sink = {}
local Sink = {}
Sink.__index = Sink

local RETRY_SECONDS = 0.2 -- after an answer such as LOADING, CLUSTERDOWN or OOM

--- options: access (what address.parse answers), tls (files, as address.secure takes them), keep (seconds that the
--- streams go back), log(level, words). -> sink | nil, err
function sink.new(options)
  local poller, why = redis.poller()
  if not poller then return nil, errors.new("MemoryError", why) end
  local done, err = address.secure(options.access, options.tls, redis.security)
  if not done then return nil, err end
  return setmetatable({ access = options.access, poller = poller, keep = ("%.0f"):format(options.keep * 1000),
    log = options.log, wires = {}, homes = {}, seed = 1 }, Sink)
end

-- ---- connections: one a server ----

function Sink:on_up(one) self.log("info", "connected to Redis at " .. one:text()) end

function Sink:on_down(one, words, was_up)
  if was_up or self.told ~= words then
    self.log("warn", ("Redis at %s: %s"):format(one:text(), words))
  end
  self.told = words
  -- What it has may have moved to another server: one of those that are known tells.
  local key = address.text(one.place)
  for feed, home in pairs(self.homes) do
    if address.text(home) == key then self.homes[feed] = nil end
  end
  self.seed = self.seed % #self.access.places + 1
end

function Sink:on_refused(one, words)
  self.failure = self.failure or wire.refusal(one, words)
end

function Sink:wire(feed)
  local place = self.homes[feed] or self.access.places[self.seed]
  local key = address.text(place)
  self.wires[key] = self.wires[key] or wire.new(self.poller, self.access, place, self)
  return self.wires[key]
end

-- ---- jobs: {feed=, command={…}}; then is_done, value ----

local function later(job)
  job.is_sent, job.not_before = false, core.monotonic() + RETRY_SECONDS
end

-- An answer that is an error: where to go on, or how.
local function mend(self, job, one, words)
  local place = redirect.read(words, one.place)
  if place then
    self.homes[job.feed], job.is_sent = place, false
  elseif words:find "^ERR Function not found" then
    one:call({ "FUNCTION", "LOAD", "REPLACE", library.code }, function(value, failure)
      local refused = type(value) == "table" and value.error
      if refused and wire.is_refusal(refused) then self:on_refused(one, refused) end
      if refused or failure then later(job) else job.is_sent = false end
    end)
  elseif wire.is_refusal(words) then
    self:on_refused(one, words)
  else
    if self.told ~= words then self.log("warn", ("Redis at %s: %s"):format(one:text(), words)) end
    self.told = words
    later(job)
  end
end

local function send(self, job)
  local one = self:wire(job.feed)
  if not one:is_up() then return end
  job.is_sent = true
  one:call(job.command, function(value, failure)
    if failure then job.is_sent = false
    elseif type(value) == "table" and value.error then mend(self, job, one, value.error)
    else job.is_done, job.value = true, value end
  end)
end

local function wait(self, jobs)
  local now, due = core.monotonic(), nil
  for _, one in pairs(self.wires) do
    local at = one:due()
    if at and (not due or at < due) then due = at end
  end
  for _, job in ipairs(jobs) do
    local at = not job.is_done and not job.is_sent and job.not_before
    if at and at > now and (not due or at < due) then due = at end
  end
  block.wait(redis.poller_fd(self.poller), due and math.max(0, due - now))
end

local function step(self)
  local wires = {}
  for _, one in pairs(self.wires) do wires[#wires + 1] = one end -- a step may add some
  for _, one in ipairs(wires) do one:step() end
end

local function is_due(job, now) return not job.is_done and not job.is_sent and (job.not_before or 0) <= now end

-- Waits until all are done; a refusal raises.
local function run(self, jobs)
  while true do
    local now, left = core.monotonic(), false
    for _, job in ipairs(jobs) do
      if is_due(job, now) then send(self, job) end
    end
    step(self)
    if self.failure then error(self.failure, 0) end
    local ready = false
    now = core.monotonic()
    for _, job in ipairs(jobs) do
      left = left or not job.is_done
      ready = ready or is_due(job, now) and self:wire(job.feed):is_up()
    end
    if not left then return end
    if not ready then wait(self, jobs) end
  end
end

-- ---- what it is for ----

--- The time of the newest report that is there of each feed, in milliseconds; none of those without one.
function Sink:newest(feeds)
  local jobs = {}
  for i, feed in ipairs(feeds) do
    jobs[i] = { feed = feed, command = { "XREVRANGE", keys.stream(feed), "+", "-", "COUNT", "1" } }
  end
  run(self, jobs)
  local times = {}
  for _, job in ipairs(jobs) do
    local entry = type(job.value) == "table" and job.value[1]
    times[job.feed] = type(entry) == "table" and keys.parse(entry[1]) or nil
  end
  return times
end

local function milliseconds(number) return ("%.0f"):format(number or 0) end

-- One command for the reports of a feed: items are {report=, before=, lost=}.
local function command_of(self, feed, items)
  local command = { "FCALL", library.add, "2", keys.stream(feed), keys.late(feed), self.keep }
  for _, item in ipairs(items) do
    local report, at = item.report, #command
    command[at + 1] = milliseconds(report.observations_timestamp_ms)
    command[at + 2] = milliseconds(item.before)
    command[at + 3] = milliseconds((report.received_at or 0) * 1000)
    command[at + 4] = report.backfilled and "1" or "0"
    command[at + 5] = report.origin or ""
    command[at + 6] = item.lost or ""
    command[at + 7] = report:bytes()
  end
  return command
end

--- Adds reports: by feed, an array of {report=, before=, lost=} in order. -> counts by the function's answers
function Sink:add(by_feed)
  local jobs, counts = {}, { added = 0, known = 0, late = 0, old = 0, behind = 0 }
  for feed, items in pairs(by_feed) do
    jobs[#jobs + 1] = { feed = feed, command = command_of(self, feed, items) }
  end
  run(self, jobs)
  for _, job in ipairs(jobs) do
    for _, answer in ipairs(type(job.value) == "table" and job.value or {}) do
      if counts[answer] then counts[answer] = counts[answer] + 1 end
    end
  end
  return counts
end

function Sink:close()
  for _, one in pairs(self.wires) do one:close() end
end

return sink
