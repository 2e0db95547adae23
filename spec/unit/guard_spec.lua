-- SPDX-License-Identifier: MIT
-- chainlink.guard: which reports pass, and what is counted of the others.

local chainlink = require "chainlink"
local check = require "spec.support.failure"
local priced = require "spec.support.priced"

local T = 1700000040

-- "yes" or the reason for each of the reports, in turn.
local function verdicts(guard, list)
  local out = {}
  for i, what in ipairs(list) do
    local passes, reason = guard:check(priced.report(what))
    out[i] = passes and "yes" or reason
  end
  return table.concat(out, " ")
end

describe("a guard", function()
  it("passes a report that is fresh", function()
    local now = T + 5
    local guard = chainlink.guard { max_age = 5, clock = function() return now end }
    assert.equal("yes", verdicts(guard, { { at = T, price = 1 } }))
    now = T + 6.001
    assert.equal("stale", verdicts(guard, { { at = T + 1, price = 1 } }))
    now = T + 0.905
    assert.equal("yes stale", verdicts(chainlink.guard { max_age = 0.9, clock = function() return now end },
      { { at = T * 1000 + 5, price = 1, ms = true }, { at = T * 1000 + 4, price = 1, ms = true, number = 2 } }))
  end)

  it("passes by the computer's clock where it has no other", function()
    assert.equal("stale yes", verdicts(chainlink.guard { max_age = 60 }, { { at = T, price = 1 },
      { at = os.time(), price = 1 } }))
  end)

  it("passes what a market that is open gives, and one that never closes", function()
    assert.equal("yes market market yes", verdicts(chainlink.guard { market = "open" }, {
      { at = T, price = 1, version = 8, status = 2 }, { at = T + 1, price = 1, version = 8, status = 1 },
      { at = T + 2, price = 1, version = 8, status = 0 }, { at = T + 3, price = 1 } }))
    assert.equal("yes market market", verdicts(chainlink.guard { market = "open" }, {
      { at = T, price = 1, version = 11, status = 2 }, { at = T + 1, price = 1, version = 11, status = 1 },
      { at = T + 2, price = 1, version = 11, status = 99 } }))
    assert.equal("yes yes market", verdicts(chainlink.guard { market = { "open", "pre_market" } }, {
      { at = T, price = 1, version = 11, status = 2 }, { at = T + 1, price = 1, version = 11, status = 1 },
      { at = T + 2, price = 1, version = 11, status = 3 } }))
  end)

  it("never passes what its provider has paused", function()
    assert.equal("paused yes", verdicts(chainlink.guard {}, { { at = T, price = 1, version = 9, ripcord = 1 },
      { at = T, price = 1, version = 9 } }))
  end)

  it("passes what has moved by the deviation since the last one that passed", function()
    local guard = chainlink.guard { deviation = "0.5%" }
    assert.equal("yes unmoved unmoved yes unmoved yes", verdicts(guard, { { at = T, price = 1000 },
      { at = T + 1, price = 1004 }, { at = T + 2, price = 1000 }, { at = T + 3, price = 1005 },
      { at = T + 4, price = 1000 }, { at = T + 5, price = 999 } }))
    assert.same({ passed = 3, unreadable = 0, older = 0, stale = 0, market = 0, paused = 0, unmoved = 3,
      unverified = 0 }, guard:stats())
  end)

  it("passes what is due by its heartbeat, without it as often as it moves", function()
    local guard = chainlink.guard { deviation = "10%", heartbeat = 60 }
    assert.equal("yes unmoved yes unmoved yes unmoved", verdicts(guard, { { at = T, price = 100 },
      { at = T + 59, price = 100 }, { at = T + 60, price = 100 }, { at = T + 119, price = 105 },
      { at = T + 120, price = 105 }, { at = T + 121, price = 100 } }))
    assert.equal("yes unmoved yes", verdicts(chainlink.guard { heartbeat = 60 }, { { at = T, price = 1 },
      { at = T + 59, price = 99 }, { at = T + 60, price = 1 } }))
    assert.equal("yes yes", verdicts(chainlink.guard {}, { { at = T, price = 1 }, { at = T + 1, price = 1 } }))
  end)

  it("passes any change where the deviation is nothing", function()
    assert.equal("yes unmoved yes", verdicts(chainlink.guard { deviation = "0%" }, { { at = T, price = 1 },
      { at = T + 1, price = 1 }, { at = T + 2, price = 1.0000001 } }))
  end)

  it("passes nothing that is not newer than what it passed", function()
    assert.equal("yes older older yes", verdicts(chainlink.guard {}, { { at = T, price = 1 }, { at = T, price = 2 },
      { at = T - 1, price = 3 }, { at = T - 1, price = 3, number = 2 } }))
  end)

  it("passes what is signed as it should be", function()
    for _, vector in ipairs(require "spec.support.vectors".made()) do
      if #vector.signers >= 2 then
        local report, signers = assert(chainlink.decode(vector.fullReport)), {}
        for i, signer in ipairs(vector.signers) do signers[i] = signer end
        local f = #signers - 1
        for i = #signers + 1, 3 * f + 1 do signers[i] = ("0x%040x"):format(i) end
        assert.is_true(chainlink.guard { verify = { signers = signers, f = f } }:check(report))
        signers[1] = "0x" .. ("11"):rep(20)
        local passes, reason = chainlink.guard { verify = { signers = signers, f = f } }:check(report)
        assert.same({ false, "unverified" }, { passes, reason })
        return
      end
    end
    error "no vector has two signers"
  end)

  it("holds back what it cannot read", function()
    local passes, reason = chainlink.guard {}:check(assert(chainlink.decode(require "spec.support.sample".v99)))
    assert.same({ false, "unreadable" }, { passes, reason })
  end)

  it("makes a source of what passes", function()
    local reports = {}
    for i, price in ipairs { 100, 100, 102, 101, 100 } do reports[i] = priced.report { at = T + i, price = price } end
    local guard, got = chainlink.guard { deviation = "1%" }, {}
    for report in guard:over(priced.iterator(reports)) do got[#got + 1] = report.price end
    assert.same({ 100, 102, 100 }, got)
    assert.equal(2, guard:stats().unmoved)
  end)
end)

describe("wrong use of a guard", function()
  it("raises", function()
    local function refused(options, words)
      check.says(check.raised("ConfigError", {}, chainlink.guard, options), words)
    end
    for _, deviation in ipairs { 0.5, "0.5", "%", "-1%", ".5%", "1.%", "1e3%", "0.1234567891%", "12345%" } do
      refused({ deviation = deviation }, "option 'deviation' must be a text like \"0.5%\"")
    end
    for _, market in ipairs { "opened", {}, { "open", "shut" }, 1 } do
      refused({ market = market }, "option 'market'")
    end
    refused({ max_age = 0 }, "option 'max_age'")
    refused({ heartbeat = "1m" }, "option 'heartbeat'")
    refused({ clock = 5 }, "option 'clock'")
    refused({ verify = 5 }, "option 'verify'")
    local guard = chainlink.guard {}
    check.says(check.raised("ConfigError", {}, guard.check, guard, {}), "check: expected a report, got a table")
    for _, name in ipairs { "check", "over", "stats" } do
      check.says(check.raised("ConfigError", {}, guard[name], {}), "write guard:" .. name .. "(...) with a colon")
    end
  end)

  it("takes options up to their limits", function()
    local days = 366 * 86400
    for _, options in ipairs { { max_age = 0.001 }, { max_age = days }, { heartbeat = 0.001 }, { heartbeat = days },
      { deviation = "1234%" }, { deviation = "0.123456789%" }, { deviation = "1234.123456789%" } } do
      assert.truthy(chainlink.guard(options))
    end
    for _, options in ipairs { { max_age = 0.0009 }, { max_age = days + 0.5 }, { heartbeat = 0.0009 },
      { heartbeat = days + 0.5 } } do
      check.raised("ConfigError", {}, chainlink.guard, options)
    end
    for _, status in ipairs { "unknown", "closed", "open", "pre_market", "regular_hours", "post_market",
      "overnight" } do
      assert.truthy(chainlink.guard { market = { status } })
    end
  end)

  it("takes what is due to the millisecond", function()
    local function report(ms) return { at = T * 1000 + ms, price = 1, ms = true } end
    assert.equal("yes unmoved yes unmoved", verdicts(chainlink.guard { heartbeat = 1 },
      { report(0), report(999), report(1000), report(1999) }))
  end)

  it("takes ages to the nearest millisecond", function()
    local now = T + 5.0004
    local function verdict() return verdicts(chainlink.guard { max_age = 5, clock = function() return now end },
      { { at = T, price = 1 } }) end
    assert.equal("yes", verdict())
    now = T + 5.0006
    assert.equal("stale", verdict())
    now = T + 4.9996
    assert.equal("yes", verdict())
    now = T + 5
    assert.equal("yes", verdict())
  end)
end)
