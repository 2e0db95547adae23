-- SPDX-License-Identifier: MIT
-- What a stream's figures say about its health.
local health = require "chainlink.web.health"

describe("health", function()
  local judge

  before_each(function()
    local kept = health.new()
    judge = function(changes, now)
      local stats = { active_connections = 2, configured_connections = 2, lost = 0, dropped = 0 }
      for name, value in pairs(changes) do stats[name] = value end
      local ages, circuit = changes.ages or { 1 }, changes.circuit or "closed"
      local status, reasons = kept:judge(stats, ages, circuit, now or 1000, changes.why,
        changes.absent or {})
      return status, table.concat(reasons, "; ")
    end
  end)

  local function says(status, reasons, changes, now)
    local found, words = judge(changes, now)
    assert.are.same({ status, reasons }, { found, words })
  end

  it("is up where nothing is wrong", function()
    says("up", "", {})
    says("up", "", { ages = { 0, 30 } })
  end)

  it("is down without a stream or without a connection", function()
    assert.are.same({ "down", { "the stream has not begun" } }, { health.new():judge(nil, {}, nil, 0, nil, {}) })
    assert.are.same({ "down", { "no route" } }, { health.new():judge(nil, {}, nil, 0, "no route", {}) })
    says("down", "no connection to the service is up", { active_connections = 0 })
    says("down", "no connection to the service is up: no route; a feed has had no report for 30 seconds",
      { active_connections = 0, why = "no route", ages = { 31 } })
  end)

  it("is degraded by a connection, silent feeds and REST", function()
    says("degraded", "1 of 2 connections are up", { active_connections = 1, why = "not told while one is up" })
    says("degraded", "a feed has had no report for 30 seconds", { ages = { 1, 30.1 } })
    says("degraded", "2 feeds have had no report for 30 seconds", { ages = { 31, 1, 99 } })
    says("degraded", "REST fails: its circuit breaker is half open", { circuit = "half_open" })
  end)

  it("is degraded by feeds that are not streamed, and names a few of them", function()
    says("degraded", "refused or unknown, so not streamed: NOPE/USD", { absent = { "NOPE/USD" } })
    says("degraded", "refused or unknown, so not streamed: A, 50%, C, D, E", { absent = { "A", "50%", "C", "D", "E" } })
    says("degraded", "refused or unknown, so not streamed: A, B, C, D, E and 2 more",
      { absent = { "A", "B", "C", "D", "E", "F", "G" } })
    says("down", "no connection to the service is up; refused or unknown, so not streamed: A",
      { active_connections = 0, absent = { "A" } })
  end)

  it("is degraded for a minute by what was lost or dropped", function()
    says("degraded", "reports were lost in the last minute", { lost = 1 }, 1000)
    says("degraded", "reports were lost in the last minute", { lost = 1 }, 1059)
    says("up", "", { lost = 1 }, 1060)
    says("degraded", "reports left the queue unread in the last minute", { lost = 1, dropped = 1 }, 1061)
    says("degraded", "reports were lost in the last minute; reports left the queue unread in the last minute",
      { lost = 2, dropped = 1 }, 1062)
    says("degraded", "reports were lost in the last minute", { lost = 2, dropped = 1 }, 1121)
    says("up", "", { lost = 2, dropped = 1 }, 1122)
  end)
end)
