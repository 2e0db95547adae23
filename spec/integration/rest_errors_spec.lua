-- SPDX-License-Identifier: MIT
-- What goes wrong between client and service, and how it is told: kind, retryable, fields, words, attempts made.

local socket = require "socket"

local expect = require "spec.support.failure"
local recorder = require "spec.support.recorder"
local simulator = require "spec.support.simulator"

local failure, raised, says = expect.failure, expect.raised, expect.says

local LATEST = "/api/v1/reports/latest"
local QUICK = { max_retries = 0, rate_limit = false, circuit_breaker = false }
local RETRYING = { max_retries = 2, retry_delay = 0.01, retry_max_delay = 0.02, rate_limit = false,
  circuit_breaker = false }

local function with(base, more)
  local options = {}
  for name, value in pairs(base) do options[name] = value end
  for name, value in pairs(more or {}) do options[name] = value end
  return options
end

describe("REST failures:", function()
  local sim, ids
  local open = {}

  local function client(options)
    open[#open + 1] = sim:client(options)
    return open[#open]
  end

  setup(function()
    sim = simulator.start { rate_limit = 0, feeds = 3 }
    local first = sim:client {}
    ids = {}
    for i, feed in ipairs(assert(first:get_feeds())) do ids[i] = feed.id end
    first:close()
  end)

  after_each(function()
    sim:clear_faults()
    for _, one in ipairs(open) do one:close() end
    open = {}
  end)

  teardown(function() sim:stop() end)

  -- How many requests of that path and status the calls made cost.
  local function costs(path, status, run)
    local before = sim:answered(path, status)
    run()
    return sim:answered(path, status) - before
  end

  describe("refused credentials", function()
    it("a wrong secret", function()
      local cost = costs(LATEST, 401, function()
        local err = failure("AuthenticationError", { status = 401, retryable = false },
          client(with(RETRYING, { api_secret = "not-the-secret" })):get_latest_report(ids[1]))
        says(says(err, "401"), "signature mismatch")
        assert.is_true(math.abs(err.clock_skew) < 3)
        assert.is_nil(err.message:find("clock", 1, true))
      end)
      assert.are.equal(1, cost)
    end)

    it("an unknown key", function()
      says(failure("AuthenticationError", { status = 401, retryable = false },
        client(with(QUICK, { api_key = "nobody" })):get_feeds()), "unknown API key")
    end)

    it("a feed that does not exist", function()
      says(failure("AuthenticationError", { status = 401, retryable = false },
        client(QUICK):get_latest_report("0x0003" .. ("e"):rep(60))), "feed does not exist or is not permitted")
    end)

    it("403", function()
      sim:fault "on=rest,action=status,status=403"
      failure("AuthenticationError", { status = 403, retryable = false }, client(RETRYING):get_feeds())
    end)
  end)

  describe("error statuses", function()
    it("400, not retried", function()
      sim:fault "on=rest,action=status,status=400"
      local err = failure("APIError", { status = 400, retryable = false }, client(RETRYING):get_latest_report(ids[1]))
      says(says(err, "400 (bad request)"), "as the fault list asked")
      assert.are.equal('{"error":"as the fault list asked"}', err.body)
    end)

    it("404, not retried", function()
      local cost = costs("/api/v1/reports", 404, function()
        local err = failure("APIError", { status = 404, retryable = false },
          client(RETRYING):get_report(ids[1], os.time() + 3600))
        says(err, "report not found")
      end)
      assert.are.equal(1, cost)
    end)

    it("429 with Retry-After, not retried where that is off", function()
      sim:fault "on=rest,action=status,status=429,retry_after=7"
      local err = failure("RateLimitError", { status = 429, retryable = true, retry_after = 7 },
        client(QUICK):get_latest_report(ids[1]))
      assert.is_true(err:is "APIError")
    end)

    it("429 with a date in Retry-After", function()
      local date = os.date("!%a, %d %b %Y %H:%M:%S GMT", os.time() + 90)
      sim:fault("on=rest,action=status,status=429,retry_after=" .. date)
      local err = failure("RateLimitError", { status = 429 }, client(QUICK):get_latest_report(ids[1]))
      assert.is_true(err.retry_after > 80 and err.retry_after <= 91, tostring(err.retry_after))
    end)

    it("429 without Retry-After", function()
      sim:fault "on=rest,action=status,status=429"
      local err = failure("RateLimitError", { status = 429, retryable = true }, client(QUICK):get_feeds())
      assert.is_nil(err.retry_after)
    end)

    it("429, retried", function()
      sim:fault "on=rest,action=status,status=429,retry_after=0,times=2"
      local cost = costs(LATEST, 429, function() assert(client(RETRYING):get_latest_report(ids[1])) end)
      assert.are.equal(2, cost)
    end)

    it("429 with Retry-After beyond the patience, not retried", function()
      sim:fault "on=rest,action=status,status=429,retry_after=3600"
      failure("RateLimitError", { retry_after = 3600 }, client(RETRYING):get_latest_report(ids[1]))
    end)

    for _, status in ipairs { 500, 502, 503, 504 } do
      it(status .. ", retried until the retries are used up", function()
        sim:fault(("on=rest,action=status,status=%d,times=0"):format(status))
        local retrying = client(RETRYING)
        local cost = costs(LATEST, status, function()
          failure("APIError", { status = status, retryable = true }, retrying:get_latest_report(ids[1]))
        end)
        assert.are.equal(3, cost)
        local stats = retrying:stats()
        assert.are.equal(3, stats.requests)
        assert.are.equal(2, stats.retries)
        assert.are.equal(1, stats.failures)
      end)
    end

    it("503 once, retried with success, and logged", function()
      sim:fault "on=rest,action=status,status=503"
      local record = recorder.new()
      local report = assert(client(record:options(RETRYING)):get_latest_report(ids[1]))
      assert.are.equal(ids[1], report.feed_id)
      assert.are.equal(503, record.responses[1].status)
      assert.are.equal(200, record.responses[2].status)
      assert.are.equal("warn", record:log("retry 1 of 2").level)
    end)

    it("302, not followed", function()
      sim:fault "on=rest,action=status,status=302"
      says(failure("APIError", { status = 302, retryable = false }, client(RETRYING):get_feeds()), "redirect")
    end)

    it("502 with an HTML page", function()
      sim:fault "on=rest,action=status,status=502,body=html"
      local err = failure("APIError", { status = 502, retryable = true }, client(QUICK):get_feeds())
      assert.is_truthy(err.body:find("<title>Bad gateway</title>", 1, true))
    end)

    it("500 without a body", function()
      sim:fault "on=rest,action=status,status=500,body=empty"
      assert.is_nil(failure("APIError", { status = 500 }, client(QUICK):get_feeds()).body)
    end)

    it("a loop over a range raises the error", function()
      sim:fault "on=rest,action=status,status=400"
      raised("APIError", { status = 400, retryable = false }, function()
        for _ in client(QUICK):reports(ids[1], os.time() - 10) do error "a report came" end
      end)
    end)
  end)

  describe("answers that are not right", function()
    it("logged as what it was", function()
      local said = {}
      local logged = client(with(QUICK, { log_level = "debug",
        logger = function(_, message) table.insert(said, message) end }))
      assert(logged:get_latest_report(ids[1]))
      assert.matches("GET " .. LATEST .. ".*: 200 in [%d.]+ s", table.concat(said, "\n"))
      said = {}
      sim:fault "on=rest,action=cut"
      failure("NetworkError", {}, logged:get_latest_report(ids[1]))
      assert.matches("GET " .. LATEST .. ".*: failed in [%d.]+ s", table.concat(said, "\n"))
    end)

    it("cut in the middle", function()
      sim:fault "on=rest,action=cut"
      says(failure("NetworkError", { retryable = true }, client(QUICK):get_latest_report(ids[1])), "cut short")
    end)

    it("cut in the middle once, retried with success", function()
      sim:fault "on=rest,action=cut"
      local retrying = client(RETRYING)
      assert(retrying:get_latest_report(ids[1]))
      assert.are.equal(1, retrying:stats().retries)
    end)

    for _, call in ipairs { "get_feeds", "get_latest_report" } do
      it("HTML instead of JSON, to " .. call, function()
        sim:fault "on=rest,action=garbage"
        local retrying = client(RETRYING)
        local err = failure("DecodeError", { status = 200, retryable = false, expected = "JSON", offset = 0 },
          retrying[call](retrying, ids[1]))
        says(err, "markup")
        assert.are.equal(1, retrying:stats().requests)
      end)
    end

    it("a body over 16 MiB", function()
      sim:fault "on=rest,action=huge"
      local retrying = client(RETRYING)
      says(failure("DecodeError", { retryable = false }, retrying:get_feeds()), "16 MiB")
      assert.are.equal(1, retrying:stats().requests)
      assert(retrying:get_feeds())
    end)
  end)

  describe("time", function()
    it("no answer within the timeout", function()
      sim:fault "on=rest,action=silence"
      local err = failure("TimeoutError", { retryable = true },
        client(with(QUICK, { timeout = 1 })):get_latest_report(ids[1]))
      says(err, "no complete answer within 1 s")
    end)

    it("a slow answer", function()
      sim:fault "on=rest,action=delay,ms=20000"
      failure("TimeoutError", { retryable = true }, client(with(QUICK, { timeout = 0.3 })):get_latest_report(ids[1]))
    end)

    it("an answer that is late but not too late", function()
      sim:fault "on=rest,action=delay,ms=100"
      assert(client(QUICK):get_latest_report(ids[1]))
    end)

    it("no answer once, retried with success", function()
      sim:fault "on=rest,action=silence"
      assert(client(with(RETRYING, { timeout = 3 })):get_latest_report(ids[1]))
    end)

    it("a listener that says nothing", function()
      local listener = assert(socket.bind("127.0.0.1", 0))
      local _, port = listener:getsockname()
      local err = failure("TimeoutError", { retryable = true },
        client(with(QUICK, { connect_timeout = 0.3, rest_url = "https://127.0.0.1:" .. port })):get_feeds())
      says(err, "no connection within 0.3 s")
      listener:close()
    end)
  end)

  describe("connections", function()
    it("refused", function()
      local holder = socket.tcp() -- has the port, but does not listen
      assert(holder:bind("127.0.0.1", 0))
      local _, port = holder:getsockname()
      local retrying = client(with(RETRYING, { rest_url = "https://127.0.0.1:" .. port }))
      says(failure("NetworkError", { retryable = true }, retrying:get_feeds()), "Connection refused")
      assert.are.equal(3, retrying:stats().requests)
      holder:close()
    end)

    it("a name that does not resolve", function()
      local url = "https://" .. ("a"):rep(64) .. ".invalid" -- a label that no resolver will ask for
      local err = failure("NetworkError", { retryable = true }, client(with(QUICK, { rest_url = url })):get_feeds())
      says(err, "resolve")
    end)

    it("plain HTTP to a TLS port", function()
      local url = "http://127.0.0.1:" .. sim:port()
      failure("NetworkError", { retryable = true }, client(with(QUICK, { rest_url = url })):get_feeds())
    end)
  end)

  describe("the circuit breaker", function()
    it("opens after failures in a row, for that call alone", function()
      sim:fault("on=rest,path=" .. LATEST .. ",action=status,status=500,times=0")
      local breaking = client(with(QUICK, { circuit_breaker = { failures = 2, cooldown = 600 } }))
      local cost = costs(LATEST, 500, function()
        for _ = 1, 2 do failure("APIError", { status = 500 }, breaking:get_latest_report(ids[1])) end
        for _ = 1, 3 do
          local err = failure("CircuitOpenError", { retryable = true }, breaking:get_latest_report(ids[1]))
          assert.is_true(err.retry_after > 500 and err.retry_after <= 600)
        end
      end)
      assert.are.equal(2, cost)
      assert.are.equal("open", breaking:stats().circuit)
      assert(breaking:get_feeds())
    end)

    it("closes after a success", function()
      sim:fault "on=rest,action=status,status=500,times=2"
      local breaking = client(with(QUICK, { circuit_breaker = { failures = 2, cooldown = 0.05 } }))
      for _ = 1, 2 do failure("APIError", { status = 500 }, breaking:get_latest_report(ids[1])) end
      require "spec.support.await"("the circuit to let a request through", function()
        return breaking:get_latest_report(ids[1])
      end)
      assert.are.equal("closed", breaking:stats().circuit)
    end)

    it("does not count refusals", function()
      local breaking = client(with(QUICK, { circuit_breaker = { failures = 1, cooldown = 600 } }))
      for _ = 1, 3 do
        failure("APIError", { status = 404 }, breaking:get_report(ids[1], os.time() + 3600))
      end
    end)
  end)

  describe("a closed client", function()
    it("fails every call and may be closed again", function()
      local closed = client(QUICK)
      closed:close()
      closed:close()
      failure("StreamClosedError", { retryable = false }, closed:get_feeds())
      failure("StreamClosedError", { retryable = false }, closed:get_latest_report(ids[1]))
      failure("StreamClosedError", { retryable = false }, closed:stream { ids[1] })
      assert.are.equal("chainlink.client (closed)", tostring(closed))
    end)
  end)
end)

describe("clocks", function()
  for _, case in ipairs { { offset = -120, words = "120 s ahead of" }, { offset = 120, words = "120 s behind" } } do
    it(("%d s apart are named"):format(case.offset), function()
      local sim = simulator.start { clock_offset = case.offset, feeds = 1 }
      finally(function() sim:stop() end)
      local client = sim:client(QUICK)
      local err = failure("AuthenticationError", { status = 401, retryable = false }, client:get_feeds())
      assert.is_true(math.abs(err.clock_skew + case.offset) < 3, tostring(err.clock_skew))
      local near = err.message:gsub("119 s", "120 s"):gsub("121 s", "120 s") -- the Date header has whole seconds
      assert.is_truthy(near:find("the local clock is " .. case.words, 1, true), err.message)
      client:close()
    end)
  end

  it("a little apart are no matter", function()
    local sim = simulator.start { clock_offset = -2, feeds = 1 }
    finally(function() sim:stop() end)
    local client = sim:client(QUICK)
    assert(client:get_feeds())
    client:close()
  end)
end)

describe("permissions and the service's rate limit", function()
  local sim, permitted, forbidden

  setup(function()
    permitted, forbidden = "0x0003" .. ("1"):rep(60), "0x0003" .. ("2"):rep(60)
    local key = "narrow:narrow-secret:" .. permitted
    sim = simulator.start { feed = { permitted, forbidden }, key = key, rate_limit = 2 }
  end)

  teardown(function() sim:stop() end)

  it("a feed that the key may not read", function()
    local client = sim:client(QUICK)
    local feeds = assert(client:get_feeds())
    assert.are.equal(1, #feeds)
    assert.are.equal(permitted, feeds[1].id)
    assert(client:get_latest_report(permitted))
    says(failure("AuthenticationError", { status = 401 }, client:get_latest_report(forbidden)), "not permitted")
    failure("AuthenticationError", { status = 401 }, client:get_reports({ permitted, forbidden }, os.time() - 10))
    client:close()
  end)

  it("too many requests, by the service's own count", function()
    local client = sim:client(QUICK)
    local last, err
    for _ = 1, 10 do
      last, err = client:get_report(permitted, os.time() - 10)
      if not last then break end
    end
    failure("RateLimitError", { status = 429, retry_after = 1, retryable = true }, last, err)
    client:close()
  end)
end)
