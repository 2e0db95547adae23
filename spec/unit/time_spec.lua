-- SPDX-License-Identifier: MIT
-- Times as the service writes them.

local time = require "chainlink.time"

describe("a time of RFC 3339", function()
  local good = {
    ["1970-01-01T00:00:00Z"] = 0,
    ["2024-12-14T22:49:05Z"] = 1734216545,
    ["2024-12-14T22:49:05.123456Z"] = 1734216545,
    ["2024-12-14T22:49:05.999999999Z"] = 1734216545,
    ["2024-12-15T00:49:05.1+02:00"] = 1734216545,
    ["2024-12-14T19:19:05-03:30"] = 1734216545,
    ["2024-02-29T23:59:59.000000Z"] = 1709251199,
    ["1969-12-31T23:59:59Z"] = -1,
    ["9999-12-31T23:59:59Z"] = 253402300799,
    ["2000-03-01T00:00:00Z"] = 951868800,
    ["2024-12-15T22:48:05+23:59"] = 1734216545,
  }
  for text, seconds in pairs(good) do
    it("is read: " .. text, function() assert.equal(("%d"):format(seconds), tostring(time.rfc3339(text))) end)
  end

  for _, text in ipairs { "", "2024-12-14", "2024-12-14T22:49:05", "2024-12-14 22:49:05Z", "2024-12-14t22:49:05z",
    "2024-12-14T22:49Z", "2024-12-14T24:00:00Z", "2024-12-14T22:60:00Z", "2024-12-14T22:49:60Z", "2024-02-30T00:00:00Z",
    "2023-02-29T00:00:00Z", "2024-13-01T00:00:00Z", "2024-12-14T22:49:05.Z", "2024-12-14T22:49:05.1234567890Z",
    "2024-12-14T22:49:05.12e3Z", "2024-12-14T22:49:05,5Z", "2024-12-14T22:49:05+0200", "2024-12-14T22:49:05+24:00",
    "2024-12-14T22:49:05+02:60", "2024-12-14T22:49:05ZZ", " 2024-12-14T22:49:05Z", "2024-12-14T22:49:05Z\n",
    "24-12-14T22:49:05Z", "1734216545", "null", "2024--12-14T22:49:05Z" } do
    it("is not: " .. text, function() assert.is_nil(time.rfc3339(text)) end)
  end
end)

describe("a day", function()
  it("is ten letters and in the calendar", function()
    assert.equal(1734134400, time.day "2024-12-14")
    assert.equal(951782400, time.day "2000-02-29")
    for _, text in ipairs { "2024-12-14Z", "2024-1-14", "2024-02-30", "1900-02-29", "2024-00-01", "2024-01-00",
      "2024-13-01", "2024/12/14", "20241214", "" } do
      assert.is_nil(time.day(text), text)
    end
  end)
end)

describe("a month", function()
  it("has so many days", function()
    for month, days in ipairs { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 } do
      assert.equal(86400, time.day(("2023-%02d-%02d"):format(month, days)) - time.day(("2023-%02d-%02d"):format(month,
        days - 1)))
      assert.is_nil(time.day(("2023-%02d-%02d"):format(month, days + 1)))
    end
    local sum = 0
    for year = 1970, 2023 do sum = sum + (time.day(year + 1 .. "-01-01") - time.day(year .. "-01-01")) / 86400 end
    assert.equal(54 * 365 + 13, sum)
  end)
end)

describe("a time as text", function()
  it("is that of the service, with milliseconds where there are some", function()
    assert.equal("1970-01-01T00:00:00Z", time.text(0))
    assert.equal("2024-12-14T22:49:05.007Z", time.text(1734216545, 1734216545007))
    assert.equal("9999-12-31T23:59:59.999Z", time.text(253402300799, 253402300799999))
  end)

  it("is one of a report's, in its feed's own unit", function()
    local report = { resolution = "s", expires_at = 1734216545, expires_at_ms = 1734216545000 }
    assert.equal("2024-12-14T22:49:05Z", time.of(report, "expires_at"))
    report = { resolution = "ms", expires_at = 1734216545, expires_at_ms = 1734216545120, valid_from = 1734216544 }
    assert.equal("2024-12-14T22:49:05.120Z", time.of(report, "expires_at"))
    assert.equal("2024-12-14T22:49:04Z", time.of(report, "valid_from"))
    assert.is_nil(time.of(report, "observations_timestamp"))
  end)

  it("is none beyond the year 9999, and of what is no number", function()
    assert.is_nil(time.text(253402300800))
    assert.is_nil(time.text "1734216545")
    assert.is_nil(time.text(nil))
  end)
end)
