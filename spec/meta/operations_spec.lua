-- SPDX-License-Identifier: MIT
-- What docs/operations.md tells operators to copy is understood by what it is for.
local documents = require "spec.support.documents"
local project = require "spec.support.project"
local simulator = require "spec.support.simulator"

local PAGE = "docs/operations.md"

local function has(command) return select(2, project.run("command -v " .. command)) == 0 end

describe(PAGE, function()
  local folder, remove
  setup(function() folder, remove = project.folder() end)
  teardown(function() remove() end)

  local function write_only_block(language, name)
    local blocks = documents.blocks(PAGE, language)
    assert.equal(1, #blocks)
    project.write(folder .. "/" .. name, blocks[1].text)
    return blocks[1].text
  end

  local define = has "promtool" and it or pending
  define("has rules that Prometheus takes", function()
    local text = write_only_block("yaml", "rules.yml")
    local _, count = text:gsub("\n +%- alert:", "")
    local output, status = project.run("promtool check rules " .. folder .. "/rules.yml")
    assert.equal(0, status, output)
    assert.truthy(output:find(count .. " rules found", 1, true), output)
  end)

  -- Of each alert the samples, one each 10 seconds, after which it fires, and the labels that it has then.
  local CASES = {
    ChainlinkStreamDown = { { ["chainlink_stream_connections_active"] = "0x30" }, {} },
    ChainlinkStreamDegraded = { { ["chainlink_stream_connections_active"] = "1x90",
      ["chainlink_stream_connections_configured"] = "2x90" }, {} },
    ChainlinkFeedStale = { { ['chainlink_stream_feed_age_seconds{feed_id="0xab"}'] = "90x30" }, { feed_id = "0xab" },
      "Feed 0xab has had no report for 1m 30s" },
    ChainlinkReportsLost = { { ["chainlink_stream_lost_seconds_total"] = "0x60 7x29" }, {} },
    ChainlinkReportsDropped = { { ["chainlink_stream_reports_dropped_total"] = "0+1x90" }, {} },
    ChainlinkReportsUnverified = { { ["chainlink_stream_reports_unverified_total"] = "0x60 1x29" }, {} },
    ChainlinkDecodeErrors = { { ["chainlink_stream_decode_errors_total"] = "0x60 1x29" }, {} },
    ChainlinkCircuitOpen = { { ['chainlink_client_circuit{chainlink_client_circuit="open"}'] = "1x30" },
      { chainlink_client_circuit = "open" } },
    ChainlinkLate = { { ['chainlink_stream_latency_seconds_bucket{le="5"}'] = "0+1x90",
      ['chainlink_stream_latency_seconds_bucket{le="10"}'] = "0+10x90",
      ['chainlink_stream_latency_seconds_bucket{le="+Inf"}'] = "0+10x90" }, {} },
  }

  -- A test of one rule in the language of `promtool test rules`: after a quarter of an hour, or five minutes, it fires.
  local function test_of(alert, rule)
    local case, lines = CASES[alert], {}
    local longest = 0
    for series, values in pairs(case[1]) do
      lines[#lines + 1] = ("      - { series: '%s', values: '%s' }"):format(series, values)
      longest = math.max(longest, tonumber(values:match "(%d+)$") + tonumber(values:match "x(%d+) " or 0))
    end
    local labels = { "severity: " .. rule:match "severity: (%l+)" }
    for name, value in pairs(case[2]) do labels[#labels + 1] = ('%s: "%s"'):format(name, value) end
    return ([[
  - interval: 10s
    input_series:
%s
    alert_rule_test:
      - eval_time: %ds
        alertname: %s
        exp_alerts: [{ exp_labels: { %s }, exp_annotations: { summary: "%s" } }]
]]):format(table.concat(lines, "\n"), 10 * longest, alert, table.concat(labels, ", "),
      case[3] or rule:match 'summary: "([^"]*)"')
  end

  define("has rules that fire when they should", function()
    local text = write_only_block("yaml", "rules.yml")
    local tests = {}
    for alert, rule in text:gmatch "%- alert: (%w+)\n(.-)%f[-\0]" do
      tests[#tests + 1] = test_of(alert, rule)
    end
    local _, count = text:gsub("\n +%- alert:", "")
    assert.equal(count, #tests)
    project.write(folder .. "/tests.yml", "rule_files: [rules.yml]\nevaluation_interval: 10s\ntests:\n"
      .. table.concat(tests))
    local output, status = project.run("cd " .. folder .. " && promtool test rules tests.yml")
    assert.equal(0, status, output)
  end)

  it("names only metrics that there are", function()
    local sim = simulator.start { feeds = 1 }
    local client = sim:client()
    local stream = client:stream { assert(client:get_feeds())[1].id }
    assert(stream:read(30))
    local metrics = client:metrics() .. stream:metrics()
    client:close()
    sim:stop()
    local count = 0
    for name in project.read(PAGE):gmatch "%f[%w_]chainlink_[%l_]+" do
      count = count + 1
      assert.truthy(metrics:find("\n" .. name .. "[ {]"), name)
    end
    assert.is_true(count > 15, "only " .. count)
  end)

  define = has "systemd-analyze" and it or pending
  define("has a unit that systemd takes", function()
    local text = write_only_block("ini", "unit")
    assert.truthy(text:find("\nExecStart=/usr/local/bin/chainlink-streams stream ", 1, true))
    project.write(folder .. "/chainlink-streams.service", (text:gsub("/usr/local/bin/chainlink%-streams", "/bin/true")))
    local output, status = project.run("systemd-analyze verify --man=no " .. folder .. "/chainlink-streams.service")
    assert.equal(0, status, output)
    assert.is_nil(output:find(folder, 1, true), output)
  end)
end)
