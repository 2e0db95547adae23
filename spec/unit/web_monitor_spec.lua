-- SPDX-License-Identifier: MIT
-- What is told of a client and a stream to who asks by HTTP.

local cjson = require "cjson"
local monitor = require "chainlink.web.monitor"
local stopped_clock = require "spec.support.stopped_clock"

describe("a monitor", function()
  local clock, watch, latest, stats, client
  before_each(function()
    clock, watch, latest = stopped_clock.at(1000), monitor.new(), {}
    stats = { active_connections = 1, configured_connections = 1, lost = 0, dropped = 0 }
    client = { stats = function() return { circuit = "closed" } end, metrics = function() return "c 1\n# EOF\n" end }
  end)
  after_each(function() clock.restore() end)

  local function watches(ids)
    watch:watch(client, { stats = function() return stats end, metrics = function() return "s 2\n# EOF\n" end,
      latest = function(_, id) return latest[id] end }, ids)
  end

  local function health()
    local answer = watch:healthz()
    assert.are.equal("application/json", answer.type)
    assert.are.equal("\n", answer.body:sub(-1))
    local told = cjson.decode(answer.body)
    return { answer.status, told.status, (table.unpack or unpack)(told.reasons) } -- luacheck: ignore 113 143
  end

  it("is down before there is a stream, for what is known to be the reason", function()
    assert.are.same({ 503, "down", "the stream has not begun" }, health())
    watch:note { state = "failed", reason = 'no "route"\n' }
    assert.are.same({ 503, "down", 'no "route"?' }, health())
    watch:note { state = "reconnecting", reason = "refused" }
    assert.are.same({ 503, "down", "refused" }, health())
    watch:note { state = "lost", reason = "two reports" }
    assert.are.same({ 503, "down", "refused" }, health())
    watch:note { state = "connected" }
    assert.are.same({ 503, "down", "the stream has not begun" }, health())
  end)

  it("is up, degraded or down with its stream", function()
    watches {}
    assert.are.same({ 200, "up" }, health())
    stats.configured_connections = 2
    assert.are.same({ 200, "degraded", "1 of 2 connections are up" }, health())
    stats.active_connections = 0
    assert.are.same({ 503, "down", "no connection to the service is up" }, health())
    watch:note { state = "failed", reason = "refused" }
    assert.are.same({ 503, "down", "no connection to the service is up: refused" }, health())
  end)

  it("tells of the client's circuit", function()
    watches {}
    client.stats = function() return { circuit = "half_open" } end
    assert.are.same({ 200, "degraded", "REST fails: its circuit breaker is half open" }, health())
  end)

  it("tells of feeds without a report, since it was begun or since their last", function()
    watches { "a", "b", "c" }
    latest.a, latest.b = { observations_timestamp_ms = 1000000 }, {}
    clock.now = 1030
    assert.are.same({ 200, "up" }, health())
    clock.now = 1030.001
    assert.are.same({ 200, "degraded", "3 feeds have had no report for 30 seconds" }, health())
    latest.a.observations_timestamp_ms = 1001000
    assert.are.same({ 200, "degraded", "2 feeds have had no report for 30 seconds" }, health())
  end)

  it("names the feeds that are not streamed, until they are", function()
    watch:note_absent("b", "two")
    watch:note_absent("a", "one")
    watches {}
    assert.are.same({ 200, "degraded", "refused or unknown, so not streamed: one, two" }, health())
    watch:note_absent("a")
    assert.are.same({ 200, "degraded", "refused or unknown, so not streamed: two" }, health())
  end)

  it("answers both at their paths, figures of the client first and one end", function()
    local routes = watch:routes()
    local kind = "application/openmetrics-text; version=1.0.0; charset=utf-8"
    assert.are.same({ status = 200, type = kind, body = "# EOF\n" }, routes["/metrics"]())
    watch.client = client
    assert.are.equal("c 1\n# EOF\n", routes["/metrics"]().body)
    watches {}
    assert.are.equal("c 1\ns 2\n# EOF\n", routes["/metrics"]().body)
    assert.are.equal('{"status":"up","reasons":[]}\n', routes["/healthz"]().body)
  end)
end)
