-- SPDX-License-Identifier: MIT
-- Answers a request with reports as server-sent events, by which a browser that comes back goes on.

local text = require "chainlink.web.sse"

local sse = {}

local AT_ONCE = 64 -- events

-- The latest of each. Only the last one has an id: who breaks off before has not had them all.
local function catch_up(feed, wanted, newest)
  local list, epoch = {}, feed.store.epoch
  for _, id in ipairs(feed.options.ids) do
    list[#list + 1] = wanted[id] and feed.store:latest(id) or nil
  end
  for i, json in ipairs(list) do list[i] = text.report(epoch, i == #list and newest or nil, json) end
  return newest, table.concat(list)
end

-- What comes after event `had` -> number of the last, text
local function after(feed, wanted, had)
  local newest = feed.store:sequence()
  if not had or had > newest or newest - had > feed.options.history then return catch_up(feed, wanted, newest) end
  local list, last = {}, math.min(newest, had + AT_ONCE)
  for number = had + 1, last do
    local id, json = feed:event(number)
    if not id then return catch_up(feed, wanted, newest) end
    if wanted[id] then list[#list + 1] = text.report(feed.store.epoch, number, json) end
  end
  return last, table.concat(list)
end

local function send(what)
  return ngx.print(what) and ngx.flush(true)
end

-- The number of the last event that the browser had, nil when that is of no use; what it is told at first.
local function greet(feed)
  local newest = feed.store:sequence()
  local had, missed = text.resumed(ngx.var.http_last_event_id, feed.store.epoch, newest - feed.options.history, newest)
  return had, text.hello(ngx.now() * 1000) .. (missed and text.MISSED or "")
end

--- Answers the request with the reports of these feeds ([id] = true), and what the board tells of them, of all if `all`
--- is true; until the browser or the worker goes.
function sse.serve(feed, wanted, all)
  ngx.header.content_type = "text/event-stream"
  ngx.header.cache_control = "no-store"
  ngx.header["X-Accel-Buffering"] = "no"
  if ngx.req.get_method() == "HEAD" then return end
  local function wants(id) return all or wanted[id] end
  local waiter, read = feed:enter(wanted), {}
  waiter.reads_board = true
  local had, what = greet(feed)
  local ok = send(what)
  while ok and not feed.is_over do
    local told = feed.board:events(read, wants)
    had, what = after(feed, wanted, had)
    what = told .. what
    if what ~= "" then ok = send(what)
    elseif had == feed.store:sequence() and not waiter.semaphore:wait(text.QUIET_SECONDS) then ok = send(text.BEAT) end
  end
end

return sse
