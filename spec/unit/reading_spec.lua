-- SPDX-License-Identifier: MIT
-- What is reckoned with of a report: its times, one field, and its text as a decimal.

local chainlink = require "chainlink"
local check = require "spec.support.failure"
local priced = require "spec.support.priced"
local reading = require "chainlink.reading"

describe("what is read of a report", function()
  -- As a report of version 3 looks, whose raw field is its name.
  local function report(members)
    local out = { version = 3, resolution = "ms", observations_timestamp_ms = 2000, valid_from_timestamp_ms = 1500,
      raw = function(_, name) return name end }
    for name, value in pairs(members or {}) do out[name] = value end
    return out
  end

  local function read(members, name) return { reading.of(name or "price")(report(members)) } end

  it("is a field, its decimals, and the times in milliseconds", function()
    assert.same({ "price", 18, 2000, 1500, 2000 }, read())
    assert.same({ "price", 18, 2000, 1500, 2999 }, read { resolution = "s" })
    assert.same({ "bid", 18, 2000, 1500, 2000 }, read({}, "bid"))
    assert.same({ "3500000000000000000", 18, 2000, 2000, 2999 },
      { reading.of "price" (priced.report { at = 2, price = 3.5 }) })
  end)

  it("is valid from its own time where none before it is told", function()
    assert.same({ "price", 18, 2000, 2000, 2000 }, read { valid_from_timestamp_ms = 2001 })
    assert.same({ "price", 18, 2000, 2000, 2000 }, read { valid_from_timestamp_ms = "1500" })
    assert.same({ "price", 18, 2000, 2000, 2000 }, read { valid_from_timestamp_ms = 2000 })
  end)

  it("is nothing of a report whose time is no number, or none that is exact", function()
    assert.equal(2 ^ 53, read({ observations_timestamp_ms = 2 ^ 53 })[3])
    for _, members in ipairs { { observations_timestamp_ms = 2 ^ 53 + 2 }, { observations_timestamp_ms = "2000" },
      { resolution = false } } do
      local err = check.failure("DecodeError", { expected = "a report with that field", retryable = false },
        reading.of "price" (report(members)))
      assert.equal("a report of version 3 without known fields, or of a time beyond 2^53 ms", err.message)
    end
  end)

  it("is a number, by the fields of each version", function()
    for _, name in ipairs { "feed_id", "nothing", "raw" } do
      local of = reading.of(name)
      for _ = 1, 2 do
        local err = check.failure("DecodeError", {}, of(report()))
        assert.equal(('reports of version 3 have no number "%s"'):format(name), err.message)
      end
    end
    local of = reading.of "bid"
    assert.equal("bid", (of(report())))
    check.failure("DecodeError", {}, of(report { version = 2 }))
    assert.equal("bid", (of(report())))
    assert.equal(0, select(2, reading.of "market_status" (report { version = 8 })))
  end)

  it("is a report, and nothing else", function()
    reading.check(priced.report { at = 1, price = 1 }, "push")
    for _, wrong in ipairs { "report", {}, report() } do
      check.says(check.raised("ConfigError", {}, reading.check, wrong, "push"), "push: expected a report, got ")
    end
    check.says(check.raised("ConfigError", {}, reading.check, chainlink, "add"), "add: expected a report, got a table")
  end)
end)

describe("an integer with decimals", function()
  it("is written without zeros at its end", function()
    for _, case in ipairs { { "0", 0, "0" }, { "12", 0, "12" }, { "-120", 0, "-120" }, { "15", 1, "1.5" },
      { "150", 2, "1.5" }, { "100", 2, "1" }, { "5", 1, "0.5" }, { "5", 2, "0.05" }, { "-5", 3, "-0.005" },
      { "0", 18, "0" }, { "-1234", 2, "-12.34" }, { "1000", 3, "1" }, { "12345678901234567890123", 18,
        "12345.678901234567890123" } } do
      assert.equal(case[3], reading.scaled(case[1], case[2]))
    end
  end)
end)

describe("what was counted", function()
  it("is copied", function()
    local counts = { reports = 5, late = 0 }
    local copy = reading.copy(counts)
    assert.same(counts, copy)
    assert.are_not.equal(counts, copy)
  end)
end)
