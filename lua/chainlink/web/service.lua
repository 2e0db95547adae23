-- SPDX-License-Identifier: MIT
-- The service's own protocol for processes of this machine, from one stream: WebSockets, and REST out of what came
-- lately or by the client. service:wait is the client's `loop`.

local calls = require "chainlink.call"
local check = require "chainlink.check"
local core = require "chainlink.core"
local json = require "chainlink.json"
local recent = require "chainlink.web.recent"
local server = require "chainlink.web.server"

local BYTES = 64 * 1024 * 1024 -- of all feeds' recent reports
local MAX_ASKED = 32 -- requests that wait for the service at once
local MAX_TIME, MAX_LIMIT, LIMIT = 4294967295, 10000, 100
local TURN = 16 -- reports, after which readers are given a turn whatever waits
local LOOK_SECONDS = 60

local service = {}
local Service = {}
Service.__index = Service

-- ---- answers ----

local function answer(status, body)
  return { status = status, type = "application/json", body = body }
end

local function refusal(status, words)
  return answer(status, json.encode { error = words })
end

local function texts_of(items)
  local texts = {}
  for i, item in ipairs(items) do texts[i] = item.text end
  return '{"reports":[' .. table.concat(texts, ",") .. "]}"
end

local function in_seconds(time) return time and math.floor(time) end

--- A report as the service writes it, with its times in seconds and milliseconds, as an item of chainlink.web.recent.
function service.item(report)
  local valid_from, observed = in_seconds(report.valid_from_timestamp), in_seconds(report.observations_timestamp)
  local words = ('{"feedID":"%s","fullReport":"%s"'):format(report.feed_id, report.full_report)
  for _, pair in ipairs { { "validFromTimestamp", valid_from }, { "observationsTimestamp", observed },
    { "validFromTimestampMs", report.valid_from_timestamp_ms },
    { "observationsTimestampMs", report.observations_timestamp_ms } } do
    if pair[2] then words = words .. (',"%s":%.0f'):format(pair[1], pair[2]) end
  end
  local in_ms = report.resolution == "ms"
  return { text = words .. "}", key = observed,
    time = in_ms and report.observations_timestamp_ms or observed,
    valid_from = in_ms and report.valid_from_timestamp_ms or not in_ms and valid_from or nil }
end

-- ---- arguments ----

local function arguments_of(query)
  local arguments = {}
  for name, value in query:gmatch "([^&=]+)=([^&]*)" do arguments[name] = arguments[name] or value end
  return arguments
end

local function whole(words, low, high)
  local number = words and #words <= 12 and words:find "^%d+$" and tonumber(words)
  return number and number >= low and number <= high and number or nil
end

-- The relay's feeds of a list; or nil and a refusal.
local function read_feeds(self, list, name)
  local ids, seen = {}, {}
  for part in ((list or "") .. ","):gmatch "([^,]*)," do
    local id = core.feed_id(part)
    if not id then return nil, refusal(400, "missing or malformed " .. name) end
    if not self.numbers[id] then return nil, refusal(401, "this relay does not have that feed") end
    if not seen[id] then ids[#ids + 1] = id end
    seen[id] = true
  end
  return ids
end

-- The relay's only feed of that argument; or nil and a refusal.
local function read_feed(self, arguments)
  local ids, refused = read_feeds(self, arguments.feedID, "feedID")
  if ids and ids[2] then return nil, refusal(400, "missing or malformed feedID") end
  return ids and ids[1], refused
end

-- ---- what the service is asked for ----

local function failure(err)
  local status = err.status and err.status >= 400 and err.status or err.kind == "TimeoutError" and 504 or 502
  return refusal(status, err.message)
end

-- Asks by the client; the answer, by `later`, is `shape` of the reports that come.
local function ask(self, later, shape, ...)
  if #self.asked >= MAX_ASKED then return refusal(503, "too many requests wait for the service") end
  local call, err = core.call(self.client, ...)
  if not call then return failure(err) end
  table.insert(self.asked, { call = call, shape = shape, answer = later })
end

local function settle(self)
  local state = core.uservalue(self.client)
  for i = #self.asked, 1, -1 do
    local asked = self.asked[i]
    if core.call_done(asked.call) then
      table.remove(self.asked, i)
      local reports, err = calls.explained(state, asked.call)
      asked.answer(reports and asked.shape(reports) or failure(err))
    end
  end
end

local function one(reports)
  return reports[1] and answer(200, '{"report":' .. service.item(reports[1]).text .. "}")
    or refusal(404, "report not found")
end

local function many(status)
  return function(reports)
    local items = {}
    for i, report in ipairs(reports) do items[i] = service.item(report) end
    return answer(status(#items), texts_of(items))
  end
end

local function good() return 200 end

-- ---- routes ----

local function feeds(self)
  local list = {}
  for i, id in ipairs(self.ids) do list[i] = json.encode { feedID = id, name = self.names[id] } end
  return answer(200, '{"feeds":[' .. table.concat(list, ",") .. "]}")
end

local function latest(self, arguments, later)
  local id, refused = read_feed(self, arguments)
  if not id then return refused end
  local item = self:is_live() and self.recent[id]:newest()
  if item then return answer(200, '{"report":' .. item.text .. "}") end
  return ask(self, later, one, "get_latest_report", { id })
end

-- The feed and second of a request, the latter by that name; or nil and a refusal.
local function read_place(self, arguments, name)
  local id, refused = read_feed(self, arguments)
  if not id then return nil, refused end
  local second = whole(arguments[name], 0, MAX_TIME)
  if not second then return nil, refusal(400, "missing or malformed " .. name) end
  return id, second
end

local function at(self, arguments, later)
  local id, second = read_place(self, arguments, "timestamp")
  if not id then return second end
  local item = self.recent[id]:at(second)
  if item then return answer(200, '{"report":' .. item.text .. "}") end
  return ask(self, later, one, "get_report", { id }, second)
end

local function bulk(self, arguments, later)
  local ids, refused = read_feeds(self, arguments.feedIDs, "feedIDs")
  if not ids then return refused end
  local second = whole(arguments.timestamp, 0, MAX_TIME)
  if not second then return refusal(400, "missing or malformed timestamp") end
  local items = {}
  for i, id in ipairs(ids) do items[i] = self.recent[id]:at(second) end
  local found = 0
  for _ in pairs(items) do found = found + 1 end
  if found == #ids then return answer(200, texts_of(items)) end
  return ask(self, later, many(function(count) return count == #ids and 200 or 206 end), "get_reports", ids, second)
end

local function page(self, arguments, later)
  local id, second = read_place(self, arguments, "startTimestamp")
  if not id then return second end
  local limit = whole(arguments.limit or tostring(LIMIT), 1, MAX_LIMIT)
  if not limit then return refusal(400, "limit must be 1 to 10000") end
  local items = self:is_live() and self.recent[id]:page(second, limit)
  if items then return answer(200, texts_of(items)) end
  return ask(self, later, many(good), "get_report_page", { id }, second, limit)
end

local function routes_of(self)
  local routes = { ["/"] = function() return { status = 200, type = "text/plain; charset=utf-8", body = "" } end }
  for path, route in pairs { feeds = feeds, ["reports/latest"] = latest, reports = at, ["reports/bulk"] = bulk,
    ["reports/page"] = page } do
    routes["/api/v1/" .. path] = function(request, later) return route(self, arguments_of(request.query), later) end
  end
  return routes
end

-- ---- the whole ----

--- Listens; options: address, feeds (ids), names (by id), key and secret (both nil: nobody has to sign).
--- -> service | nil, what is wrong, is it the address
function service.listen(client, options)
  local ids = check.feed_ids(options.feeds)
  local self = setmetatable({ client = client, ids = ids, names = options.names, numbers = {}, recent = {},
    asked = {}, untold = 0 }, Service)
  for i, id in ipairs(ids) do self.numbers[id], self.recent[id] = i, recent.new(BYTES / #ids) end
  local gate = { key = options.key, secret = options.secret, feeds = ids }
  local opened, why, is_address = server.listen(options.address, routes_of(self), gate)
  if not opened then return nil, why, is_address end
  self.server = opened
  return self
end

--- The stream that it serves from now on.
function Service:serve(stream) self.stream = stream end

--- Does the stream bring what there is now?
function Service:is_live()
  return self.stream ~= nil and self.stream:stats().active_connections > 0
end

--- Passes a report on.
function Service:pass(report)
  local item = service.item(report)
  if item.time then self.recent[report.feed_id]:add(item) end
  self.server:tell(self.numbers[report.feed_id], '{"report":' .. item.text .. "}")
  self.untold = self.untold + 1
  if self.untold >= TURN then self:wait(-1, 0) end
end

--- Waits until fd (-1: none) is readable, or until `seconds` (nil: no end) have passed, and serves meanwhile.
function Service:wait(fd, seconds)
  local fds = { fd }
  for _, asked in ipairs(self.asked) do fds[#fds + 1] = core.call_fd(asked.call) end
  self.untold = 0
  self.server:wait(fds, math.min(seconds or LOOK_SECONDS, LOOK_SECONDS))
  settle(self)
end

function Service:address() return self.server:address() end

function Service:close()
  for _, asked in ipairs(self.asked) do core.call_free(asked.call) end
  self.asked = {}
  self.server:close()
end

return service
