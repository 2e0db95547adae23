-- SPDX-License-Identifier: MIT
-- A feed as a worker of nginx sees it: the latest reports, and who waits for the next ones.

local board = require "chainlink.openresty.board"
local client = require "chainlink.client"
local core = require "chainlink.core"
local check = require "chainlink.check"
local errors = require "chainlink.errors"
local leader = require "chainlink.openresty.leader"
local live = require "chainlink.web.live"
local monitor = require "chainlink.web.monitor"
local page = require "chainlink.openresty.page"
local record = require "chainlink.openresty.record"
local semaphore = require "ngx.semaphore"
local sse = require "chainlink.openresty.sse"
local store = require "chainlink.openresty.store"
local view = require "chainlink.openresty.view"

local Feed = {}
Feed.__index = Feed

local feed = {}

local LONG = 86400 -- seconds

-- ---- its life ----

-- Until the worker is to end: nginx runs the timers that wait then.
local function watch_for_end(self)
  assert(ngx.timer.at(LONG, function(premature)
    if not premature then return watch_for_end(self) end
    self.is_over = true
    self.stop:post(1)
  end))
end

local function run(self)
  local body = ngx.thread.spawn(leader.run, self)
  local stop = ngx.thread.spawn(function()
    while not self.is_over do self.stop:wait(LONG) end
    return "stop"
  end)
  local teller = ngx.thread.spawn(leader.tell, self)
  local ok, why = ngx.thread.wait(body, stop)
  if why ~= "stop" then ngx.log(ngx.ERR, "chainlink: the feed has failed: ", ok, " ", tostring(why)) end
  self.is_over = true
  ngx.thread.kill(body)
  ngx.thread.kill(stop)
  ngx.thread.kill(teller)
  leader.resign(self)
  for waiter in pairs(self.waiters) do waiter.semaphore:post(1) end
end

--- Starts in this worker; `options` as chainlink.openresty.options gives them.
function feed.start(options)
  local prefix = options.owner == "each" and ("chainlink:%s:"):format(ngx.worker.id() or "agent") or "chainlink:"
  local self = setmetatable({ options = options, is_known = {}, events = {}, stop = semaphore.new(),
    monitor = monitor.new(), board = board.new(options.dict, prefix), refused = {}, names = {},
    wants_names = not options.feeds,
    store = store.new(options.dict, prefix, options.history, options.late),
    waiters = setmetatable({}, { __mode = "k" }) }, Feed) -- weak, as a light thread may be ended while it waits
  self.live = live.new(self.board, self.monitor, (options.stream.verify or options.client.verify) ~= nil)
  for _, id in ipairs(options.ids) do self.is_known[id] = true end
  self.client = assert(client.new(options.client))
  self.sequence = self.store:sequence()
  assert(ngx.timer.at(0, function(premature)
    if not premature then run(self) end
  end))
  watch_for_end(self)
  return self
end

-- ---- news ----

local function wake(self, number)
  local text = self.store:event(number)
  if not text then return end
  local _, id = record.head(text)
  for waiter in pairs(self.waiters) do
    if waiter.ids[id] and number > waiter.after then
      waiter.record = text
      if waiter.semaphore:count() < 1 then waiter.semaphore:post(1) end
    end
  end
end

--- Event `number`: {id= of the feed, observed=, valid_from=, json=}, times in milliseconds; nil when it is no longer
--- kept.
function Feed:event(number)
  local slot = number % self.options.history
  local kept = self.events[slot]
  if kept and kept.number == number then return kept end
  local text = self.store:event(number)
  local report = text and record.unpack(text)
  if not report then return nil end
  local _, id, observed, valid_from = record.head(text)
  kept = { number = number, id = id, observed = observed, valid_from = valid_from, json = report:to_json() }
  self.events[slot] = kept
  return kept
end

--- The newest event of a feed, as above; nil when there is none.
function Feed:newest(id)
  local text = self.store:newest(id)
  local report = text and record.unpack(text)
  return report and { id = id, observed = select(3, record.head(text)), json = report:to_json() }
end

-- The ids of feeds that were named, once the worker that leads has looked them up.
local function learn(self)
  for _, found in ipairs(self.options.feeds and self.board:list() or {}) do
    if core.feed_id(found.id) and not self.is_known[found.id] then
      self.is_known[found.id] = true
      table.insert(self.options.ids, found.id)
    end
  end
end

local function read_board(self)
  learn(self)
  for waiter in pairs(self.waiters) do
    if waiter.reads_board and waiter.semaphore:count() < 1 then waiter.semaphore:post(1) end
  end
end

--- Tells this worker's waiters of the events since the last time, and of what is new on the board.
function Feed:deliver()
  if self.board:has_news() then read_board(self) end
  local newest = self.store:sequence()
  if next(self.waiters) then
    for number = math.max(self.sequence, newest - self.options.history) + 1, newest do wake(self, number) end
  end
  self.sequence = newest
end

--- Somebody who waits for reports of these feeds ([id] = true) from now on: {ids=, semaphore=, record= the newest of
--- them}.
function Feed:enter(ids)
  local waiter = { ids = ids, semaphore = semaphore.new(), after = self.store:sequence() }
  self.waiters[waiter] = true
  return waiter
end

-- ---- for everybody ----

function Feed:check_id(id)
  local known = check.feed_id(id, "feed_id")
  if not self.is_known[known] then learn(self) end
  if self.is_known[known] or #self.options.ids == 0 then return known end -- where none is looked up yet it may be one
  errors.raise("ConfigError", ("feed %s is not among those of %s"):format(known, self.options.name))
end

--- The latest report of the feed, in any phase; nil when there is none yet.
function Feed:latest(id)
  local text = self.store:newest(self:check_id(id))
  return text and record.unpack(text)
end

--- The next report of the feed; waits up to `timeout` seconds, without one as long as it takes. -> report | nil, err
function Feed:wait(id, timeout)
  id = self:check_id(id)
  check.seconds(timeout, "timeout")
  local waiter, deadline = self:enter { [id] = true }, timeout and core.monotonic() + timeout
  repeat
    local left = deadline and math.max(0, deadline - core.monotonic())
    if self.is_over or left == 0 then break end
    waiter.semaphore:wait(math.min(left or LONG, LONG))
  until waiter.record
  self.waiters[waiter] = nil
  if waiter.record then return record.unpack(waiter.record) end
  if self.is_over then return nil, errors.new("StreamClosedError", "this worker of nginx is about to end") end
  return nil, errors.new("TimeoutError", ("no report within %g seconds"):format(timeout), { retryable = true })
end

--- Answers a request with server-sent events of the reports of these feeds, without them of all; in a content phase.
--- Returns when the browser or the worker goes.
function Feed:sse(feed_ids)
  if not feed_ids then return sse.serve(self, self.is_known, true) end
  local wanted = {}
  for _, id in ipairs(check.feed_ids(feed_ids)) do wanted[self:check_id(id)] = true end
  sse.serve(self, wanted)
end

--- Answers a request for the live page, one of its files, or its events, by the last part of the path; in a content
--- phase.
function Feed:answer_page()
  page.answer(self)
end

local nobody = '{"status":"down","reasons":["no worker of this nginx has told of the stream lately"]}\n'

local function answer(status, kind, body)
  ngx.status, ngx.header.content_type = status or 503, kind or "application/json"
  ngx.header.cache_control = "no-store"
  ngx.print(body or nobody)
end

--- Answers a request with the metrics of client and stream, as OpenMetrics text; in a content phase.
function Feed:answer_metrics()
  local status, kind, body = self.store:told "metrics"
  answer(status, kind, body and body:gsub("# EOF\n$", "") .. view.ages(self.store, self.options.ids))
end

--- The same with how the stream is: 200 when up or degraded, 503 when down, and JSON with the reasons.
function Feed:answer_health()
  answer(self.store:told "healthz")
end

return feed
