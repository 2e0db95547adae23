-- SPDX-License-Identifier: MIT
-- The counters of clients and streams as OpenMetrics text, for Prometheus and what reads as it does.

local core = require "chainlink.core"

local metrics = {}

-- Family by family: {name, type, help, member of the statistics, states}.
local client_families = {
  { "chainlink_client_requests", "counter", "REST requests sent, retries included.", "requests" },
  { "chainlink_client_retries", "counter", "REST requests that were sent again.", "retries" },
  { "chainlink_client_failures", "counter", "REST calls that ended in an error.", "failures" },
  { "chainlink_client_connections", "counter", "TCP connections opened for REST.", "connections" },
  { "chainlink_client_circuit", "stateset", "State of the circuit breaker.", "circuit",
    { "closed", "open", "half_open" } },
}

local stream_families = {
  { "chainlink_stream_reports_received", "counter", "Reports that arrived and decoded.", "total_received" },
  { "chainlink_stream_reports_accepted", "counter", "Reports put into the queue.", "accepted" },
  { "chainlink_stream_reports_deduplicated", "counter", "Copies of reports that had come before.", "deduplicated" },
  { "chainlink_stream_reports_out_of_order", "counter", "Reports that came after a newer one of their feed.",
    "out_of_order" },
  { "chainlink_stream_reports_rejected", "counter", "Reports from too far ahead, or not asked for.", "rejected" },
  { "chainlink_stream_reports_unverified", "counter", "Reports that do not verify.", "unverified" },
  { "chainlink_stream_reports_backfilled", "counter", "Reports delivered from REST.", "backfilled" },
  { "chainlink_stream_reports_dropped", "counter", "Reports that left the queue unread.", "dropped" },
  { "chainlink_stream_decode_errors", "counter", "Messages that do not decode.", "decode_errors" },
  { "chainlink_stream_gaps", "counter", "Ranges that REST was asked for.", "gaps" },
  { "chainlink_stream_gaps_empty", "counter", "Ranges in which REST had nothing.", "empty_gaps" },
  { "chainlink_stream_lost_ranges", "counter", "Ranges told as lost.", "lost" },
  { "chainlink_stream_lost_seconds", "counter", "Seconds in the ranges told as lost.", "lost_seconds" },
  { "chainlink_stream_reconnects_partial", "counter", "Reconnects while another connection was up.",
    "partial_reconnects" },
  { "chainlink_stream_reconnects_full", "counter", "Reconnects while no connection was up.", "full_reconnects" },
  { "chainlink_stream_connections_configured", "gauge", "Connections the stream should have.",
    "configured_connections" },
  { "chainlink_stream_connections_active", "gauge", "Connections the stream has.", "active_connections" },
  { "chainlink_stream_queue_reports", "gauge", "Reports that wait for the script.", "queue_length" },
  { "chainlink_stream_feeds", "gauge", "Feeds of the stream.", "feeds" },
}

local origin_families = {
  { "chainlink_stream_origin_messages", "counter", "Messages of the connection.", "messages_received" },
  { "chainlink_stream_origin_received_bytes", "counter", "Bytes of the connection's messages.", "bytes_received" },
  { "chainlink_stream_origin_errors", "counter", "Failures of the connection.", "errors_count" },
  { "chainlink_stream_origin_reconnects", "counter", "How often the connection was made anew.", "reconnect_count" },
  { "chainlink_stream_origin_uptime_seconds", "gauge", "Time since the connection is up.", "connection_uptime" },
  { "chainlink_stream_origin_lag_seconds", "gauge", "Time since its newest message.", "lag" },
  { "chainlink_stream_origin_ping_seconds", "gauge", "Time of its last ping and pong.", "ping" },
  { "chainlink_stream_origin_state", "stateset", "State of the connection.", "state",
    { "connecting", "connected", "disconnected", "reconnecting", "failed" } },
}

local escapes = { ["\\"] = "\\\\", ['"'] = '\\"', ["\n"] = "\\n" }

local function label_text(labels)
  local parts = {}
  for i, label in ipairs(labels) do parts[i] = ('%s="%s"'):format(label[1], (label[2]:gsub('[\\"\n]', escapes))) end
  return #parts > 0 and "{" .. table.concat(parts, ",") .. "}" or ""
end

local function with(labels, name, value)
  local list = {}
  for i, label in ipairs(labels) do list[i] = label end
  list[#list + 1] = { name, value }
  return list
end

local function number(value)
  return value == math.floor(value) and math.abs(value) < 2 ^ 53 and ("%.0f"):format(value) or ("%.9g"):format(value)
end

local Page = {}
Page.__index = Page

-- A family's head is written before its first sample.
function Page:family(name, kind, help)
  self[#self + 1] = "# TYPE " .. name .. " " .. kind
  local unit = name:match "_(seconds)$" or name:match "_(bytes)$"
  if unit then self[#self + 1] = "# UNIT " .. name .. " " .. unit end
  self[#self + 1] = "# HELP " .. name .. " " .. help
end

function Page:sample(name, labels, value)
  self[#self + 1] = name .. label_text(labels) .. " " .. number(value)
end

-- One family with a sample of each item: {labels=, values=}
function Page:add(family, items)
  local name, kind, help, key, states = family[1], family[2], family[3], family[4], family[5]
  self:family(name, kind, help)
  for _, item in ipairs(items) do
    local value = item.values[key]
    if kind == "stateset" then
      for _, state in ipairs(states) do
        self:sample(name, with(item.labels, name, state), state == value and 1 or 0)
      end
    elseif value then
      self:sample(kind == "counter" and name .. "_total" or name, item.labels, value)
    end
  end
end

function Page:add_latency(items)
  local name = "chainlink_stream_latency_seconds"
  self:family(name, "histogram", "Time from a report's observation to its arrival.")
  for _, item in ipairs(items) do
    local latency = item.values.latency
    for _, bucket in ipairs(latency.buckets) do
      self:sample(name .. "_bucket", with(item.labels, "le", number(bucket.le / 1000)), bucket.count)
    end
    self:sample(name .. "_bucket", with(item.labels, "le", "+Inf"), latency.count)
    self:sample(name .. "_count", item.labels, latency.count)
    self:sample(name .. "_sum", item.labels, math.max(0, latency.sum / 1000)) -- no clock that is behind makes it less
  end
end

function Page:add_ages(stream, feeds)
  local name = "chainlink_stream_feed_age_seconds"
  self:family(name, "gauge", "Time since the observation of the feed's newest report.")
  local now = core.time()
  for _, id in ipairs(feeds) do
    local report = stream:latest(id)
    local observed = report and report.observations_timestamp_ms
    if observed then -- an id has nothing to escape, and there may be thousands
      self[#self + 1] = ('%s{feed_id="%s"} %s'):format(name, id, number(now - observed / 1000))
    end
  end
end

local function finish(page)
  page[#page + 1] = "# EOF\n"
  return table.concat(page, "\n")
end

--- A client's: stats is what client:stats() answers.
function metrics.client(stats)
  local page = setmetatable({}, Page)
  for _, family in ipairs(client_families) do page:add(family, { { labels = {}, values = stats } }) end
  return finish(page)
end

-- A connection's values by the families' keys; its labels tell several of one origin apart.
local function connections(stats)
  local now, items = core.time(), {}
  for i, origin in ipairs(stats.origins) do
    local values = {}
    for key, value in pairs(origin) do values[key] = value end
    values.lag = origin.last_message_time and math.max(0, now - origin.last_message_time)
    values.ping = origin.ping_latency and origin.ping_latency / 1000
    items[i] = { values = values, labels = { { "connection", tostring(i) }, { "origin", origin.origin or "" },
      { "host", origin.host or "" } } } -- before its first attempt
  end
  return items
end

--- Since when each feed has had no report, alone.
function metrics.ages(stream, feeds)
  local page = setmetatable({}, Page)
  page:add_ages(stream, feeds)
  return finish(page)
end

--- A stream's: stats is what stream:stats() answers, feeds the ids of its feeds; without them their ages are left out.
function metrics.stream(stream, stats, feeds)
  local page, items = setmetatable({}, Page), { { labels = {}, values = stats } }
  for _, family in ipairs(stream_families) do page:add(family, items) end
  page:add_latency(items)
  local origins = connections(stats)
  for _, family in ipairs(origin_families) do page:add(family, origins) end
  if feeds then page:add_ages(stream, feeds) end
  return finish(page)
end

return metrics
