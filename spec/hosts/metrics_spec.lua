-- SPDX-License-Identifier: MIT
-- What clients and streams tell Prometheus, read by its own parser.
local host = require "spec.support.host"
local project = require "spec.support.project"
local simulator = require "spec.support.simulator"

-- Prints name, labels by name, and value of each sample.
local parser = [[
import sys
from prometheus_client.openmetrics.parser import text_string_to_metric_families as families
for family in families(sys.stdin.read()):
    for sample in family.samples:
        labels = ",".join(f"{name}={value}" for name, value in sorted(sample.labels.items()))
        print(f"{family.type} {sample.name}{{{labels}}} {sample.value!r}")
]]

describe("metrics", function()
  local sim, client, stream, id, folder, remove
  setup(function()
    sim = simulator.start { feeds = 2, rate = 5 }
    folder, remove = project.folder()
    client = sim:client()
    id = assert(client:get_feeds())[1].id
    stream = client:stream { id }
    for _ = 1, 5 do assert(stream:read(60)) end
  end)
  teardown(function()
    client:close()
    sim:stop()
    remove()
  end)

  -- -> [name{labels}] = value
  local function samples(text)
    local list = {}
    for name, value in text:gmatch "\n([%l_]+[^\n ]*) ([^\n]+)" do list[name] = tonumber(value) end
    return list
  end

  it("follow the feeds of a stream", function()
    local other = assert(client:get_feeds())[2].id
    local both = client:stream { id }
    assert(both:subscribe { other })
    local function has_age(feed)
      return both:metrics():find(('chainlink_stream_feed_age_seconds{feed_id="%s"}'):format(feed), 1, true) ~= nil
    end
    repeat assert(both:read(60)) until has_age(id) and has_age(other)
    assert(both:unsubscribe { id })
    assert.is_false(has_age(id))
    assert.is_true(has_age(other))
    both:close()
  end)

  it("of a client are its statistics", function()
    local list, stats = samples("\n" .. client:metrics()), client:stats()
    for _, name in ipairs { "requests", "retries", "failures", "connections" } do
      assert.are.equal(stats[name], list["chainlink_client_" .. name .. "_total"], name)
    end
    assert.are.equal(1, list['chainlink_client_circuit{chainlink_client_circuit="closed"}'])
    assert.are.equal(0, list['chainlink_client_circuit{chainlink_client_circuit="open"}'])
  end)

  it("of a stream are its statistics", function()
    sim:control("POST", "/control/pause?seconds=3600")
    while stream:read(1.5) do end
    local list, stats = samples("\n" .. stream:metrics()), stream:stats()
    local members = { reports_received = "total_received", reports_accepted = "accepted", lost_ranges = "lost",
      gaps_empty = "empty_gaps", reconnects_full = "full_reconnects", decode_errors = "decode_errors" }
    for name, member in pairs(members) do
      assert.are.equal(stats[member], list["chainlink_stream_" .. name .. "_total"], name)
    end
    assert.are.equal(1, list.chainlink_stream_connections_active)
    assert.are.equal(stats.latency.count, list.chainlink_stream_latency_seconds_count)
    assert.are.equal(stats.latency.count, list['chainlink_stream_latency_seconds_bucket{le="+Inf"}'])
    assert.are.equal(stats.latency.buckets[9].count, list['chainlink_stream_latency_seconds_bucket{le="0.5"}'])
    local labels = ('{connection="1",origin="",host="%s"}'):format(stats.origins[1].host)
    assert.are.equal(stats.origins[1].bytes_received, list["chainlink_stream_origin_received_bytes_total" .. labels])
    assert.is_true(list[('chainlink_stream_feed_age_seconds{feed_id="%s"}'):format(id)] >= 1)
  end)

  local _, absent = project.run "/usr/bin/python3 -c 'import prometheus_client'"
  local define = (absent == 0 or host.is_wanted "prometheus_client") and it or pending
  define("parse as OpenMetrics", function()
    project.write(folder .. "/parse.py", parser)
    for name, text in pairs { client = client:metrics(), stream = stream:metrics() } do
      project.write(folder .. "/text", text)
      local output, status = project.run(("/usr/bin/python3 %s/parse.py <%s/text 2>&1"):format(folder, folder))
      assert.are.equal(0, status, output)
      assert.matches(" chainlink_" .. name .. "_", output)
    end
  end)
end)
