-- SPDX-License-Identifier: MIT
-- Answers a request with reports as server-sent events, by which a browser that comes back goes on.

local place = require "chainlink.openresty.place"
local text = require "chainlink.web.sse"

local sse = {}

local AT_ONCE = 64 -- events
local TURN = 0.001 -- seconds; a timer of 0 nginx runs again and again before it looks at anything else

-- The latest of each, from nothing on. Only the last one has an id: who breaks off before has not had them all.
local function catch_up(feed, reader, newest, missed)
  local list = {}
  reader.place, reader.had = place.new(), newest
  for _, id in ipairs(feed.options.ids) do
    local event = reader.wanted[id] and feed:newest(id)
    if event then
      reader.place:note(id, event.observed)
      list[#list + 1] = event.json
    end
  end
  local epoch, more = feed.store.epoch, reader.place:text()
  for i, json in ipairs(list) do list[i] = text.report(epoch, i == #list and newest or nil, json, more) end
  return (missed or "") .. table.concat(list)
end

-- What comes after what it had.
local function after(feed, reader)
  local newest = feed.store:sequence()
  local oldest = math.max(0, newest - feed.options.history)
  local had = reader.moves and oldest or reader.had
  reader.moves = false
  if not had or had > newest or had < oldest then return catch_up(feed, reader, newest) end
  local list, last = {}, math.min(newest, had + AT_ONCE)
  for number = had + 1, last do
    local event = feed:event(number)
    if not event then return catch_up(feed, reader, newest) end
    local is_news, has_missed = reader.wanted[event.id], false
    if is_news then is_news, has_missed = reader.place:judge(event, feed.options.late) end
    if has_missed then return catch_up(feed, reader, newest, text.MISSED) end
    if is_news then
      reader.place:note(event.id, event.observed)
      list[#list + 1] = text.report(feed.store.epoch, number, event.json, reader.place:text())
    end
  end
  reader.had = last
  return table.concat(list)
end

local function send(what)
  return ngx.print(what) and ngx.flush(true)
end

-- A reader of these feeds: {wanted=, place=, had= number of the last event, moves= its place is of another nginx}, and
-- what it is told at first.
local function greet(feed, wanted)
  local newest = feed.store:sequence()
  local told = text.had(ngx.var.http_last_event_id)
  local had, missed = text.resumed(told, feed.store.epoch, math.max(0, newest - feed.options.history), newest)
  local reader = { wanted = wanted, place = place.new(told and told.more), had = had }
  reader.moves = missed ~= nil and told.more ~= ""
  if reader.moves then
    reader.place:move()
    missed = nil -- as far as it is known yet
  end
  return reader, text.hello(ngx.now() * 1000) .. (missed or "")
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
  local reader, what = greet(feed, wanted)
  local ok = send(what)
  while ok and not feed.is_over do
    local told = feed.board:events(read, wants)
    what = told .. after(feed, reader)
    if what ~= "" then ok = send(what)
    elseif reader.had ~= feed.store:sequence() then ngx.sleep(TURN)
    elseif not waiter.semaphore:wait(text.QUIET_SECONDS) then ok = send(text.BEAT) end
  end
end

return sse
