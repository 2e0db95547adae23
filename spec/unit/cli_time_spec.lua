-- SPDX-License-Identifier: MIT
-- Times as people write them: what is taken, and what is refused instead of meaning another day.

local options = require "chainlink.cli.options"
local time = require "chainlink.cli.time"

local NOW = 1734216545 -- 2024-12-14T22:49:05Z

describe("a time", function()
  local taken = {
    ["1734216545"] = NOW, ["0"] = 0, ["4294967295"] = 4294967295, ["1734216545.999"] = NOW,
    ["2024-12-14T22:49:05Z"] = NOW, ["2024-12-14t22:49:05z"] = NOW, ["2024-12-14 22:49:05"] = NOW,
    ["2024-12-14T22:49:05.75Z"] = NOW, ["2024-12-14T22:49"] = NOW - 5, ["2024-12-14T22:49Z"] = NOW - 5,
    ["2024-12-15T00:49:05+02:00"] = NOW, ["2024-12-14T19:19:05-0330"] = NOW, ["2024-12-14T20:49:05-02"] = NOW,
    ["2024-12-15T00:49:05.5+02:00"] = NOW, ["2024-12-14T22:49:05+00:00"] = NOW,
    ["2024-12-14"] = 1734134400, ["1970-01-01"] = 0, ["2000-02-29 00:00:00"] = 951782400, ["2024-02-29"] = 1709164800,
    ["2023-02-28"] = 1677542400, ["2024-03-01"] = 1709251200, ["2024-12-31T23:59:59Z"] = 1735689599,
    ["2024-04-30"] = 1714435200, ["2024-01-31"] = 1706659200, ["2100-02-28"] = 4107456000,
    ["1970-01-01T14:00+14:00"] = 0, ["2024-12-15T00:48:05+01:59"] = NOW,
    ["now"] = NOW, ["now-60"] = NOW - 60, ["now+60"] = NOW + 60, ["now-60s"] = NOW - 60, ["now-5m"] = NOW - 300,
    ["now-1h"] = NOW - 3600, ["now+2d"] = NOW + 172800, ["now-0"] = NOW,
  }
  for text, seconds in pairs(taken) do
    it("is taken: " .. text, function()
      assert.are.equal(seconds, time.read(text, NOW))
      assert.are.equal(("%.0f"):format(seconds), tostring(time.read(text, NOW)))
    end)
  end

  local refused = {
    ["2024-02-30"] = "there is no such day", ["2023-02-29"] = "there is no such day",
    ["2100-02-29"] = "there is no such day", ["2024-00-10"] = "there is no such day",
    ["2024-13-01"] = "there is no such day", ["2024-04-31"] = "there is no such day",
    ["2024-06-31"] = "there is no such day", ["2024-09-31"] = "there is no such day",
    ["2024-11-31"] = "there is no such day", ["2024-01-00"] = "there is no such day",
    ["2024-12-32"] = "there is no such day", ["2024-13-45T99:99:99Z"] = "there is no such day",
    ["2024-12-14T24:00:00Z"] = "there is no such time of day",
    ["2024-12-14T22:60:00Z"] = "there is no such time of day",
    ["2024-12-14T22:49:60Z"] = "there is no such time of day", ["2024-12-14T22"] = "there is no such time of day",
    ["2024-12-14T22:49:05+15:00"] = "there is no such time of day", ["2024-12-14x"] = "there is no such time of day",
    ["2024-12-14T22:49:05+02:60"] = "there is no such time of day", ["2024-12-14T22:49:05Zulu"] =
      "there is no such time of day",
    ["1734216545000"] = "it looks like milliseconds", ["4294967296"] = "it looks like milliseconds",
    ["now-99999d"] = "times are from 1970 to 2106", ["now+99999d"] = "times are from 1970 to 2106",
    ["4294967295000"] = "it looks like milliseconds", ["4294967295001"] = "times are from 1970 to 2106",
    ["99999999999999"] = "times are from 1970 to 2106", ["1969-12-31"] = "times are from 1970 to 2106",
    ["2107-01-01"] = "times are from 1970 to 2106", ["1970-01-01T00:00+01:00"] = "times are from 1970 to 2106",
  }
  for text, reason in pairs(refused) do
    it("is refused: " .. text, function()
      local seconds, why = time.read(text, NOW)
      assert.is_nil(seconds)
      assert.are.equal(reason, why)
    end)
  end

  for _, text in ipairs { "yesterday", "", "-5", "now-", "now-1w", "now-1hh", "now - 1", "1e9", "0x10", "24-12-14",
    "NOW", "nownow", "1734216545s" } do
    it(("is none: '%s'"):format(text), function()
      local seconds, why = time.read(text, NOW)
      assert.is_nil(seconds)
      assert.is_nil(why)
    end)
  end

  it("that is refused is a usage error, which tells the reason and what to give", function()
    local ok, err = pcall(options.time, "2024-02-30", NOW)
    assert.is_false(ok)
    assert.is_true(options.is_usage_error(err))
    assert.are.equal("'2024-02-30' is no time, there is no such day: give Unix seconds, 2024-12-14, "
      .. "2024-12-14T22:49:05Z (or +02:00), now, now-60, now-1h, now+5m", tostring(err))
    ok, err = pcall(options.time, "yesterday", NOW)
    assert.is_false(ok)
    assert.matches("^'yesterday' is no time: give Unix seconds", tostring(err))
  end)
end)
