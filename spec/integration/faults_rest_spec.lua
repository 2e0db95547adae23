-- SPDX-License-Identifier: MIT
-- REST answers that go wrong: the right error, or the retry of a GET on a fresh connection that nobody notices.

local expect = require "spec.support.failure"
local faults = require "spec.support.faults"

local failure = expect.failure

describe("a REST answer", function()
  local service

  setup(function() service = faults.service({ feeds = 4 }, { timeout = 2, max_retries = 2 }) end)
  after_each(function() service:reset() end)
  teardown(function() service:stop() end)

  -- Once: nobody notices. For ever: that error, after all retries.
  local function repeated(action, kind, fields, attempts)
    service.sim:fault("on=rest,action=" .. action)
    local before = service.client:stats().requests
    local report = assert(service.client:get_latest_report(service.ids[1]))
    assert.are.equal(service.ids[1], report.feed_id)
    assert.are.equal(2, service.client:stats().requests - before)
    service.sim:fault("on=rest,times=0,action=" .. action)
    failure(kind, fields or {}, service.client:get_latest_report(service.ids[1]))
    assert.are.equal(2 + (attempts or 3), service.client:stats().requests - before)
    service.sim:clear_faults()
    assert(service.client:get_latest_report(service.ids[1]))
  end

  it("that is cut short is asked for again", function() repeated("cut", "NetworkError") end)
  -- libcurl itself asks again where the connection had been used before.
  it("by a reset is asked for again", function()
    service.sim:fault "on=rest,action=reset"
    assert(service.client:get_latest_report(service.ids[1]))
    service.sim:fault "on=rest,times=0,action=reset"
    failure("NetworkError", { retryable = true }, service.client:get_latest_report(service.ids[1]))
  end)
  it("that never comes is asked for again", function() repeated("silence", "TimeoutError") end)
  it("that comes byte by byte is asked for again", function() repeated("slow,ms=500", "TimeoutError") end)
  for _, status in ipairs { 429, 500, 502, 503 } do
    it(("of %d is asked for again"):format(status), function()
      repeated("status,body=html,status=" .. status, status == 429 and "RateLimitError" or "APIError",
        { status = status })
    end)
  end

  -- An error at once.
  local function refused(action, kind, fields)
    service.sim:fault("on=rest,times=0,action=" .. action)
    local before = service.client:stats().requests
    failure(kind, fields or {}, service.client:get_latest_report(service.ids[1]))
    assert.are.equal(1, service.client:stats().requests - before)
  end

  it("by a redirect is not followed", function()
    local before = service.sim:answered "other"
    refused("redirect", "APIError", { status = 302 })
    assert.are.equal(before, service.sim:answered "other")
  end)

  it("of HTML is a decode error", function() refused("garbage", "DecodeError") end)
  it("over 16 MiB is refused", function() refused("huge", "DecodeError") end)
  for status, kind in pairs { [400] = "APIError", [401] = "AuthenticationError", [403] = "AuthenticationError",
    [404] = "APIError" } do
    it(("of %d is final"):format(status), function()
      refused("status,status=" .. status, kind, { status = status, retryable = false })
    end)
  end

  it("of 206 tells which feeds have no report", function()
    local service_of_two = faults.service { feeds = 3, irregular = 2 }
    finally(function() service_of_two:stop() end)
    local some
    for second = os.time() - 60, os.time() - 10 do
      local reports, missing = assert(service_of_two.client:get_reports(service_of_two.ids, second))
      assert.are.equal(#service_of_two.ids, #reports + #missing)
      for _, id in ipairs(missing) do assert.are_not.equal(service_of_two.ids[1], id) end
      some = some or #missing > 0 and #reports > 0
    end
    assert.is_true(some)
  end)
end)

describe("pages", function()
  local service

  setup(function() service = faults.service({ feeds = 1, rate = 5 }, { max_retries = 3 }) end)
  after_each(function() service:reset() end)
  teardown(function() service:stop() end)

  local function history(now)
    local reports = {}
    for report in service.client:reports(service.ids[1], now - 100, now - 40) do reports[#reports + 1] = report end
    return reports
  end

  for _, kind in ipairs { "short,count=12", "repeat" } do
    it("that are " .. kind .. " make the same history", function()
      local now = os.time()
      local expected = history(now)
      assert.are.equal(61 * 5, #expected)
      service.sim:fault("on=rest,path=/api/v1/reports/page,times=2,action=page,kind=" .. kind)
      local got = history(now)
      for i, report in ipairs(expected) do assert.are.equal(report.report_blob, got[i].report_blob) end
      assert.are.equal(#expected, #got)
    end)
  end
end)
