-- SPDX-License-Identifier: MIT
-- The Client: REST calls. Each starts a call in the engine, waits through the loop's wait and builds its result.

local core = require "chainlink.core"
local calls = require "chainlink.call"
local check = require "chainlink.check"
local config = require "chainlink.config"
local errors = require "chainlink.errors"
local events = require "chainlink.events"
local later = require "chainlink.later"
local streams = require "chainlink.stream"
local waiting = require "chainlink.waiting"
local discovery, history, json = later "chainlink.discovery", later "chainlink.history", later "chainlink.json"
local metrics, recording = later "chainlink.metrics", later "chainlink.recording"
local candles, trades = later "chainlink.candles", later "chainlink.trades"

local PAGE_LIMIT = 500 -- of a history: as many reports as the service gives at once
local HELD_REPORTS = 65536 -- by a history of many feeds, which has two pages of each

local Client = core.client_metatable
local methods = {}
Client.__index = methods

-- ---- calls ----

local function begin(client, operation, ids, timestamp, limit)
  return core.call(client, operation, ids, timestamp, limit)
end

local function perform(client, state, ...)
  local call, err = begin(client, ...)
  if not call then return nil, err end
  return calls.explained(state, call)
end

-- The only report of an answer.
local function one_report(reports, err)
  if not reports then return nil, err end
  if reports[1] then return reports[1] end
  return nil, errors.new("DecodeError", "the service's answer holds no report", { expected = "a report" })
end

-- ---- REST ----

local function read_feed(item)
  if type(item) ~= "table" or type(item.feedID) ~= "string" then return nil end
  local id, version, resolution = core.feed_id(item.feedID)
  if not id then return nil end
  local feed = {}
  for name, value in pairs(item) do
    if type(name) == "string" and name ~= "feedID" and value ~= json.null then feed[name] = value end
  end
  feed.id, feed.version, feed.resolution = id, version, resolution
  return feed
end

local function decode_failed(what)
  return nil, errors.new("DecodeError", "the list of feeds is not as expected: " .. what, { expected = "a feed list" })
end

--- The feeds that the credentials may read. -> {{id=, version=, resolution=, …}, …} | nil, err
function methods.get_feeds(client)
  local state = check.self(client, "client", "get_feeds")
  local body, err = perform(client, state, "get_feeds")
  if not body then return nil, err end
  local answer, why = json.decode(body)
  if type(answer) ~= "table" then return decode_failed(why or "not an object") end
  if type(answer.feeds) ~= "table" then return decode_failed "it has no member \"feeds\"" end
  local feeds = {}
  for i, item in ipairs(answer.feeds) do
    feeds[i] = read_feed(item)
    if not feeds[i] then return decode_failed(("feed %d has no valid feedID"):format(i)) end
  end
  return feeds
end

--- The feeds of the service's catalogue that fit all filters (docs/api.md). -> {{id=, name=, …}, …} | nil, err
function methods.discover(client, filters)
  local state = check.self(client, "client", "discover")
  local query = discovery.query(filters)
  state.catalogue = state.catalogue or discovery.new()
  return state.catalogue:ask { client = client, state = state, query = query, key = query }
end

--- The newest report of a feed. -> report | nil, err
function methods.get_latest_report(client, feed_id)
  local state = check.self(client, "client", "get_latest_report")
  local id = check.feed_id(feed_id, "feed_id")
  return one_report(perform(client, state, "get_latest_report", { id }))
end

--- The report of a feed at a time in seconds. -> report | nil, err
function methods.get_report(client, feed_id, timestamp)
  local state = check.self(client, "client", "get_report")
  local id = check.feed_id(feed_id, "feed_id")
  check.timestamp(timestamp, "timestamp")
  return one_report(perform(client, state, "get_report", { id }, timestamp))
end

--- The reports of several feeds at one time. -> reports, ids without a report then | nil, err
function methods.get_reports(client, feed_ids, timestamp)
  local state = check.self(client, "client", "get_reports")
  local ids = check.feed_ids(feed_ids)
  check.timestamp(timestamp, "timestamp")
  local reports, err = perform(client, state, "get_reports", ids, timestamp)
  if not reports then return nil, err end
  local answered, missing = {}, {}
  for _, report in ipairs(reports) do answered[report.feed_id] = true end
  for _, id in ipairs(ids) do
    if not answered[id] then missing[#missing + 1] = id end
  end
  return reports, missing
end

-- -> {reports=, next_page_timestamp=} | nil, err
local function read_page(reports, status, next_page)
  if not reports then return nil, status end
  local last = reports[#reports] and reports[#reports].observations_timestamp
  if not next_page and last then next_page = last + 1 end
  return { reports = reports, next_page_timestamp = next_page }
end

--- A page of a feed's history that begins at `start`. -> {reports=, next_page_timestamp=} | nil, err
function methods.get_report_page(client, feed_id, start, limit)
  local state = check.self(client, "client", "get_report_page")
  local id = check.feed_id(feed_id, "feed_id")
  check.timestamp(start, "start")
  check.limit(limit)
  return read_page(perform(client, state, "get_report_page", { id }, start, limit))
end

-- The end of a range, which is now where none is given.
local function check_range(from, to)
  check.timestamp(from, "from")
  if to == nil then
    config.check_past(from, "from")
    return math.floor(core.time())
  elseif from > check.timestamp(to, "to") then
    errors.raise("ConfigError", ("from, %d, is later than to, %d"):format(from, to))
  end
  return to
end

local function iterate(client, state, id, from, to, limit)
  return history.iterate(function(start, most)
    return begin(client, "get_report_page", { id }, start, most)
  end, function(call)
    return read_page(calls.explained(state, call))
  end, from, to, limit)
end

--- An iterator over a feed's reports from one time to another (default: now), both included, asked for in pages of
--- `limit` (default: 500). A failure raises its error object out of the loop.
function methods.reports(client, feed_id, from, to, limit)
  local state = check.self(client, "client", "reports")
  local id = check.feed_id(feed_id, "feed_id")
  to = check_range(from, to)
  limit = check.limit(limit) or PAGE_LIMIT
  return waiting.for_loop(state, "client:get_report_page", iterate(client, state, id, from, to, limit))
end

local history_options = { feeds = true, from = true, to = true, limit = true }

--- The same of several feeds, in the order of chainlink.order, whatever the order of `feeds`. Options: feeds, from, to,
--- limit.
function methods.history(client, options)
  local state = check.self(client, "client", "history")
  if type(options) ~= "table" then
    errors.raise("ConfigError", "the options must be a table, got " .. errors.describe(options))
  end
  for name in pairs(options) do
    if not history_options[name] then
      errors.raise("ConfigError", ("history has no option '%s': feeds, from, to, limit"):format(tostring(name)))
    end
  end
  local ids = check.feed_ids(options.feeds)
  local to = check_range(options.from, options.to)
  local limit = check.limit(options.limit) or math.min(PAGE_LIMIT, math.floor(HELD_REPORTS / (2 * #ids)))
  table.sort(ids)
  local nexts = {}
  for i, id in ipairs(ids) do nexts[i] = iterate(client, state, id, options.from, to, limit) end
  return waiting.for_loop(state, "client:get_report_page", history.merge(nexts, options.from))
end

-- ---- the candlestick service ----

--- The symbols of a group, or of all groups. -> {{symbol=, currency=, base_currency=, group=}, …} | nil, err
function methods.symbols(client, group)
  return candles.symbols(client, check.self(client, "client", "symbols"), group)
end

--- Candles, ascending; options: symbol, resolution, from, to (default: now). -> {{time=, open=, …}, …} | nil, err
function methods.candles(client, options)
  return candles.history(client, check.self(client, "client", "candles"), options)
end

--- A stream of the prices of these symbols; options: heartbeat_timeout, and of a stream logger, log_level, on_status,
--- loop. -> trades | nil, err
function methods.trades(client, symbols, options)
  return trades.open(client, check.self(client, "client", "trades"), symbols, options)
end

-- ---- the rest ----

--- A stream of live reports. -> stream | nil, err
function methods.stream(client, feed_ids, options)
  return streams.open(client, check.self(client, "client", "stream"), feed_ids, options)
end

--- Counters of the REST side.
function methods.stats(client)
  check.self(client, "client", "stats")
  local stats = core.client_stats(client)
  stats.reused = math.max(0, stats.requests - stats.connections)
  return stats
end

--- The same as OpenMetrics text.
function methods.metrics(client)
  return metrics.client(client:stats())
end

--- Ends its streams and their recordings, calls and connections. May be called again.
function methods.close(client)
  local state = check.self(client, "client", "close")
  state.price_token = nil
  core.client_close(client)
  if state.recorded then recording.close_streams(state) end
end

Client.__close = methods.close

function Client.__tostring(client)
  local state = core.uservalue(client)
  local closed = core.client_is_closed(client)
  return "chainlink.client (" .. (closed and "closed" or state.values.host) .. ")"
end

local client = {}

--- -> client | nil, err; wrong options raise a ConfigError.
function client.new(options)
  local engine, values, warnings = config.client(options)
  local loop = waiting.by(values.loop)
  local ok, self, err = pcall(core.client, engine)
  if not ok then err = self end
  if not ok and not errors.is_error(err) then error(err, 0) end
  if not ok or not self then
    if err.kind == "ConfigError" then errors.throw(err) end
    return nil, err
  end
  local state = core.uservalue(self)
  state.class, state.values, state.wait, state.may_yield = "client", values, loop.wait, loop.may_yield
  state.logger, state.log_level, state.on_response = values.logger, values.log_level, values.on_response
  for _, warning in ipairs(warnings) do events.log(state, "warn", warning) end
  return self
end

return client
