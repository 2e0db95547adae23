-- SPDX-License-Identifier: MIT
-- The pages of metrics, line by line, of statistics that are made here.

local core = require "chainlink.core"
local metrics = require "chainlink.metrics"

local function lines_of(page)
  local list = {}
  for line in page:gmatch "([^\n]*)\n" do list[#list + 1] = line end
  assert.are.equal("\n", page:sub(-1))
  return list
end

-- "kind name in unit: help" of each family, and the samples, in their order.
local function parts_of(page)
  local families, samples = {}, {}
  local list = lines_of(page)
  assert.are.equal("# EOF", table.remove(list))
  local i = 1
  while list[i] do
    local name, kind = list[i]:match "^# TYPE (%S+) (%S+)$"
    if name then
      local unit = list[i + 1]:match("^# UNIT " .. name .. " (%S+)$")
      if unit then i = i + 1 end
      local help = list[i + 1]:match("^# HELP " .. name .. " (.+)$")
      families[#families + 1] = ("%s %s%s: %s"):format(kind, name, unit and " in " .. unit or "", help)
      i = i + 2
    else
      samples[#samples + 1] = list[i]
      i = i + 1
    end
  end
  return families, samples
end

local function stream_statistics(changes)
  local stats = { total_received = 1, accepted = 2, deduplicated = 3, out_of_order = 4, rejected = 5, unverified = 6,
    backfilled = 7, dropped = 8, decode_errors = 9, gaps = 10, empty_gaps = 11, lost = 12, lost_seconds = 1.5,
    partial_reconnects = 13, full_reconnects = 14, configured_connections = 15, active_connections = 16,
    queue_length = 17, feeds = 18, origins = {},
    latency = { count = 5, sum = 250, buckets = { { le = 5, count = 1 }, { le = 2500, count = 4 } } } }
  for name, value in pairs(changes or {}) do stats[name] = value end
  return stats
end

local function sample_of(page, start)
  for _, line in ipairs(lines_of(page)) do
    if line:sub(1, #start) == start then return line:sub(#start + 1) end
  end
end

describe("metrics", function()
  local real_time = core.time
  before_each(function() core.time = function() return 1700000010.5 end end)
  after_each(function() core.time = real_time end)

  it("of a client have each statistic under its name", function()
    local families, samples = parts_of(metrics.client { requests = 5, retries = 2, failures = 1, connections = 3,
      circuit = "half_open" })
    assert.are.same({
      "counter chainlink_client_requests: REST requests sent, retries included.",
      "counter chainlink_client_retries: REST requests that were sent again.",
      "counter chainlink_client_failures: REST calls that ended in an error.",
      "counter chainlink_client_connections: TCP connections opened for REST.",
      "stateset chainlink_client_circuit: State of the circuit breaker.",
    }, families)
    assert.are.same({
      "chainlink_client_requests_total 5", "chainlink_client_retries_total 2", "chainlink_client_failures_total 1",
      "chainlink_client_connections_total 3",
      'chainlink_client_circuit{chainlink_client_circuit="closed"} 0',
      'chainlink_client_circuit{chainlink_client_circuit="open"} 0',
      'chainlink_client_circuit{chainlink_client_circuit="half_open"} 1',
    }, samples)
  end)

  it("write a family's unit after its type, and its help then", function()
    local page = metrics.stream(nil, stream_statistics())
    assert.truthy(page:find([[
# TYPE chainlink_stream_lost_seconds counter
# UNIT chainlink_stream_lost_seconds seconds
# HELP chainlink_stream_lost_seconds Seconds in the ranges told as lost.
chainlink_stream_lost_seconds_total 1.5
# TYPE chainlink_stream_reconnects_partial counter
# HELP ]], 1, true), page)
  end)

  it("of a stream have each statistic under its name", function()
    local families, samples = parts_of(metrics.stream(nil, stream_statistics()))
    assert.are.same({
      "counter chainlink_stream_reports_received: Reports that arrived and decoded.",
      "counter chainlink_stream_reports_accepted: Reports put into the queue.",
      "counter chainlink_stream_reports_deduplicated: Copies of reports that had come before.",
      "counter chainlink_stream_reports_out_of_order: Reports that came after a newer one of their feed.",
      "counter chainlink_stream_reports_rejected: Reports from too far ahead, or not asked for.",
      "counter chainlink_stream_reports_unverified: Reports that do not verify.",
      "counter chainlink_stream_reports_backfilled: Reports delivered from REST.",
      "counter chainlink_stream_reports_dropped: Reports that left the queue unread.",
      "counter chainlink_stream_decode_errors: Messages that do not decode.",
      "counter chainlink_stream_gaps: Ranges that REST was asked for.",
      "counter chainlink_stream_gaps_empty: Ranges in which REST had nothing.",
      "counter chainlink_stream_lost_ranges: Ranges told as lost.",
      "counter chainlink_stream_lost_seconds in seconds: Seconds in the ranges told as lost.",
      "counter chainlink_stream_reconnects_partial: Reconnects while another connection was up.",
      "counter chainlink_stream_reconnects_full: Reconnects while no connection was up.",
      "gauge chainlink_stream_connections_configured: Connections the stream should have.",
      "gauge chainlink_stream_connections_active: Connections the stream has.",
      "gauge chainlink_stream_queue_reports: Reports that wait for the script.",
      "gauge chainlink_stream_feeds: Feeds of the stream.",
      "histogram chainlink_stream_latency_seconds in seconds: Time from a report's observation to its arrival.",
      "counter chainlink_stream_origin_messages: Messages of the connection.",
      "counter chainlink_stream_origin_received_bytes in bytes: Bytes of the connection's messages.",
      "counter chainlink_stream_origin_errors: Failures of the connection.",
      "counter chainlink_stream_origin_reconnects: How often the connection was made anew.",
      "gauge chainlink_stream_origin_uptime_seconds in seconds: Time since the connection is up.",
      "gauge chainlink_stream_origin_lag_seconds in seconds: Time since its newest message.",
      "gauge chainlink_stream_origin_ping_seconds in seconds: Time of its last ping and pong.",
      "stateset chainlink_stream_origin_state: State of the connection.",
    }, families)
    local prefix = "chainlink_stream_"
    assert.are.same({
      prefix .. "reports_received_total 1", prefix .. "reports_accepted_total 2",
      prefix .. "reports_deduplicated_total 3", prefix .. "reports_out_of_order_total 4",
      prefix .. "reports_rejected_total 5", prefix .. "reports_unverified_total 6",
      prefix .. "reports_backfilled_total 7", prefix .. "reports_dropped_total 8", prefix .. "decode_errors_total 9",
      prefix .. "gaps_total 10", prefix .. "gaps_empty_total 11", prefix .. "lost_ranges_total 12",
      prefix .. "lost_seconds_total 1.5", prefix .. "reconnects_partial_total 13",
      prefix .. "reconnects_full_total 14", prefix .. "connections_configured 15", prefix .. "connections_active 16",
      prefix .. "queue_reports 17", prefix .. "feeds 18",
      prefix .. 'latency_seconds_bucket{le="0.005"} 1', prefix .. 'latency_seconds_bucket{le="2.5"} 4',
      prefix .. 'latency_seconds_bucket{le="+Inf"} 5', prefix .. "latency_seconds_count 5",
      prefix .. "latency_seconds_sum 0.25",
    }, samples)
  end)

  it("of a stream have each of its connections, told apart by labels", function()
    local _, samples = parts_of(metrics.stream(nil, stream_statistics { origins = {
      { origin = "001", host = "a", messages_received = 21, bytes_received = 22, errors_count = 23,
        reconnect_count = 24, connection_uptime = 25, last_message_time = 1700000008, ping_latency = 250,
        state = "connected" },
      { messages_received = 0, bytes_received = 0, errors_count = 0, reconnect_count = 0, state = "connecting",
        last_message_time = 1700000011 }, -- a clock that was behind
      { origin = 'q"\\\n', host = "b", messages_received = 1, bytes_received = 1, errors_count = 0,
        reconnect_count = 0, state = "failed" },
    } }))
    local prefix, found = "chainlink_stream_origin_", {}
    for _, line in ipairs(samples) do
      if line:sub(1, #prefix) == prefix then found[#found + 1] = line:sub(#prefix + 1) end
    end
    local first, second = '{connection="1",origin="001",host="a"', '{connection="2",origin="",host=""'
    local third = [[{connection="3",origin="q\"\\\n",host="b"]]
    local expected = {
      "messages_total" .. first .. "} 21", "messages_total" .. second .. "} 0", "messages_total" .. third .. "} 1",
      "received_bytes_total" .. first .. "} 22", "received_bytes_total" .. second .. "} 0",
      "received_bytes_total" .. third .. "} 1",
      "errors_total" .. first .. "} 23", "errors_total" .. second .. "} 0", "errors_total" .. third .. "} 0",
      "reconnects_total" .. first .. "} 24", "reconnects_total" .. second .. "} 0",
      "reconnects_total" .. third .. "} 0",
      "uptime_seconds" .. first .. "} 25",
      "lag_seconds" .. first .. "} 2.5", "lag_seconds" .. second .. "} 0",
      "ping_seconds" .. first .. "} 0.25",
    }
    for _, connection in ipairs { { first, "connected" }, { second, "connecting" }, { third, "failed" } } do
      for _, state in ipairs { "connecting", "connected", "disconnected", "reconnecting", "failed" } do
        expected[#expected + 1] = ('state%s,chainlink_stream_origin_state="%s"} %d'):format(connection[1], state,
          state == connection[2] and 1 or 0)
      end
    end
    assert.are.same(expected, found)
  end)

  it("have no negative sum, and numbers as exact as a script has them", function()
    local function sum(of) return sample_of(metrics.stream(nil, stream_statistics { latency = of }),
      "chainlink_stream_latency_seconds_sum ") end
    assert.are.equal("0", sum { count = 1, sum = -5, buckets = {} })
    assert.are.equal("0.0005", sum { count = 1, sum = 0.5, buckets = {} })
    local function requests(number)
      return sample_of(metrics.client { requests = number }, "chainlink_client_requests_total ")
    end
    assert.are.equal("9007199254740991", requests(2 ^ 53 - 1))
    assert.are.equal("9.00719925e+15", requests(2 ^ 53))
    assert.are.equal("-9.00719925e+15", requests(-2 ^ 53))
    assert.are.equal("0.333333333", requests(1 / 3))
  end)

  it("have the age of each feed that had a report", function()
    local stream = { latest = function(self, id)
      assert.is_table(self)
      return ({ a = { observations_timestamp_ms = 1700000008250 }, b = {} })[id]
    end }
    for _ = 1, 2 do
      assert.are.equal([[
# TYPE chainlink_stream_feed_age_seconds gauge
# UNIT chainlink_stream_feed_age_seconds seconds
# HELP chainlink_stream_feed_age_seconds Time since the observation of the feed's newest report.
chainlink_stream_feed_age_seconds{feed_id="a"} 2.25
# EOF
]], metrics.ages(stream, { "a", "b", "c" }))
    end
    local with = metrics.stream(stream, stream_statistics(), { "a" })
    assert.are.equal("2.25", sample_of(with, 'chainlink_stream_feed_age_seconds{feed_id="a"} '))
    assert.is_nil(metrics.stream(stream, stream_statistics()):find("feed_age", 1, true))
  end)
end)
