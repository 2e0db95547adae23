-- SPDX-License-Identifier: MIT
-- The text of server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html), one form for whoever
-- serves them. A report's id is an epoch, hex, and a number that grows by one: a browser that comes back tells the last
-- one that it had. What has no id is told again to everybody who comes.

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

--- A report, as report:to_json() gives it. Without a number it has no id.
function sse.report(epoch, number, json)
  return (number and ("id: %s-%.0f\n"):format(epoch, number) or "") .. sse.event("report", json)
end

--- The number after which the browser wants to go on, by its header Last-Event-ID ("" or nil: it has none), when that
--- is of this epoch and one from `oldest` to `newest`. -> number | nil, did it miss some?
function sse.resumed(header, epoch, oldest, newest)
  local of, number = (header or ""):match "^(%x+)%-(%d+)$"
  number = tonumber(number)
  if of == epoch and number >= oldest and number <= newest then return number end
  return nil, of ~= nil
end

return sse
