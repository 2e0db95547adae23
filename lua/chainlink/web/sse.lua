-- SPDX-License-Identifier: MIT
-- The text of server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html), one form for whoever
-- serves them. A report's id is an epoch, hex, a number that grows by one, and what the server adds: a browser that
-- comes back tells the last one that it had. What has no id is told again to everybody who comes.

local sse = {}

sse.QUIET_SECONDS = 15 -- proxies and browsers take what is silent for longer for dead
sse.BEAT = ": still here\n\n"

--- data: one JSON object.
function sse.event(name, data)
  return ("event: %s\ndata: %s\n\n"):format(name, data)
end

--- At first; `now` is the server's clock in milliseconds. The browser is to try again after a second.
function sse.hello(now)
  return "retry: 1000\n" .. sse.event("clock", ('{"now":%.0f}'):format(now))
end

sse.MISSED = sse.event("lost", '{"reason":"this page was away for longer than reports are kept"}')
sse.ANEW = sse.event("lost", '{"reason":"the server of this page is another one now: reports may be missing"}')

--- A report, as report:to_json() gives it. Without a number it has no id. more: what else the id is to say, "" or nil
--- for nothing.
function sse.report(epoch, number, json, more)
  local id = number and ("id: %s-%.0f%s%s\n"):format(epoch, number, more and more ~= "" and "-" or "", more or "")
  return (id or "") .. sse.event("report", json)
end

--- What the browser tells by its header Last-Event-ID: {epoch=, number=, more=}; nil when it has none, "" or nil.
function sse.had(header)
  local epoch, number, more = (header or ""):match "^(%x+)%-(%d+)%-?(.*)$"
  return epoch and { epoch = epoch, number = tonumber(number), more = more }
end

--- The number after which it wants to go on, when that is of this epoch and one from `oldest` to `newest`.
--- -> number | nil, the event that says that some are missing, if it had any
function sse.resumed(had, epoch, oldest, newest)
  if not had then return nil end
  if had.epoch ~= epoch then return nil, sse.ANEW end
  if had.number < oldest or had.number > newest then return nil, sse.MISSED end
  return had.number
end

return sse
