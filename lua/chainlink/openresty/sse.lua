-- SPDX-License-Identifier: MIT
-- Reports as server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html). An event's id is the
-- dictionary's epoch and the event's number, by which a browser that comes back goes on.

local sse = {}

local BEAT = 15 -- seconds: proxies and browsers take what is silent for longer for dead
local AT_ONCE = 64 -- events

local function event(feed, number, json)
  local id = number and ("id: %s-%d\n"):format(feed.store.epoch, number) or ""
  return ("%sdata: %s\n\n"):format(id, json)
end

-- The number of the last event that the browser had; nil when that is of another dictionary, or it had none.
local function resumed(feed)
  local epoch, number = (ngx.var.http_last_event_id or ""):match "^(%x+)-(%d+)$"
  return epoch == feed.store.epoch and tonumber(number) or nil
end

-- The latest of each. Only the last one has an id: who breaks off before has not had them all.
local function catch_up(feed, wanted, newest)
  local list = {}
  for _, id in ipairs(feed.options.ids) do
    list[#list + 1] = wanted[id] and feed.store:latest(id) or nil
  end
  for i, json in ipairs(list) do list[i] = event(feed, i == #list and newest, json) end
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
    if wanted[id] then list[#list + 1] = event(feed, number, json) end
  end
  return last, table.concat(list)
end

local function send(text)
  return ngx.print(text) and ngx.flush(true)
end

--- Answers the request with the reports of these feeds ([id] = true), until the browser or the worker goes.
function sse.serve(feed, wanted)
  ngx.header.content_type = "text/event-stream"
  ngx.header.cache_control = "no-store"
  ngx.header["X-Accel-Buffering"] = "no"
  local waiter, had = feed:enter(wanted), resumed(feed)
  local ok = send ": hello\n\n"
  while ok and not feed.is_over do
    local text
    had, text = after(feed, wanted, had)
    if text ~= "" then ok = send(text)
    elseif had == feed.store:sequence() and not waiter.semaphore:wait(BEAT) then ok = send ": still here\n\n" end
  end
end

return sse
