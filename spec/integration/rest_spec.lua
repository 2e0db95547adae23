-- SPDX-License-Identifier: MIT
-- Every REST call over TLS, against the simulator.

local chainlink = require "chainlink"
local check = require "spec.support.failure"
local recorder = require "spec.support.recorder"
local recording = require "spec.support.recording"
local service = require "spec.support.service"
local simulator = require "spec.support.simulator"

-- A second long past: the simulator's history is the same at every run.
local PAST = 1735689600

describe("REST", function()
  local sim, client, ids

  service.for_all({ rate = 3, rate_limit = 0, feeds = 26 }, { rate_limit = false }, function(...)
    sim, client = ...
    ids = service.ids(client)
  end)

  it("lists the feeds", function()
    local feeds = assert(client:get_feeds())
    assert.are.equal(26, #feeds)
    local versions = {}
    for _, feed in ipairs(feeds) do
      assert.is_truthy(feed.id:match("^0x%x+$") and #feed.id == 66)
      assert.are.equal(chainlink.feed_version(feed.id), feed.version)
      assert.is_string(feed.name)
      versions[feed.version] = true
    end
    for version = 1, 13 do assert.is_true(versions[version], "no feed of schema v" .. version) end
  end)

  it("gives the latest report of each schema", function()
    for _, id in ipairs(ids) do
      local before = os.time() - 1 -- the latest report may be of the second before
      local report = assert(client:get_latest_report(id))
      assert.are.equal(id, report.feed_id)
      assert.are.equal(chainlink.feed_version(id), report.version)
      assert.is_true(report.observations_timestamp >= before and report.observations_timestamp <= os.time() + 1)
      assert.is_true(report.received_at >= before)
      assert.are.equal(2, #report.signatures)
      assert.are.same(report.full_report, chainlink.decode(report.full_report).full_report)
    end
  end)

  it("accepts a feed id in upper case", function()
    local report = assert(client:get_latest_report("0x" .. ids[1]:sub(3):upper()))
    assert.are.equal(ids[1], report.feed_id)
  end)

  it("gives the report at a time", function()
    local report = assert(client:get_report(ids[1], PAST))
    assert.are.equal(PAST, report.observations_timestamp)
    assert.are.equal(ids[1], report.feed_id)
    assert.are.equal(report, assert(client:get_report(ids[1], PAST)))
    assert.are_not.equal(report, assert(client:get_report(ids[1], PAST + 1)))
  end)

  it("gives the reports of many feeds at a time", function()
    local reports, missing = client:get_reports(ids, PAST)
    assert.are.equal(#ids, #assert(reports, missing))
    assert.are.same({}, missing)
    local seen = {}
    for _, report in ipairs(reports) do
      assert.are.equal(PAST, report.observations_timestamp)
      assert.are.equal(assert(client:get_report(report.feed_id, PAST)), report)
      seen[report.feed_id] = true
    end
    for _, id in ipairs(ids) do assert.is_true(seen[id], id) end
  end)

  it("asks for a repeated feed id once", function()
    local reports = assert(client:get_reports({ ids[1], ids[2], ids[1] }, PAST))
    assert.are.equal(2, #reports)
  end)

  it("gives a page, ascending, and where the next one begins", function()
    local page = assert(client:get_report_page(ids[1], PAST, 6)) -- three reports a second
    assert.are.equal(6, #page.reports)
    for i, report in ipairs(page.reports) do
      assert.are.equal(PAST + math.floor((i - 1) / 3), report.observations_timestamp)
    end
    assert.are.equal(PAST + 2, page.next_page_timestamp)
  end)

  it("gives an empty page where there is nothing yet", function()
    local page = assert(client:get_report_page(ids[1], os.time() + 3600))
    assert.are.same({}, page.reports)
    assert.is_nil(page.next_page_timestamp)
  end)

  it("iterates over a range: what the pages hold, each report once, in order", function()
    local from, to = PAST, PAST + 99
    local expected, start = {}, from
    while start <= to do
      local page = assert(client:get_report_page(ids[1], start, 30))
      for _, report in ipairs(page.reports) do
        if report.observations_timestamp <= to then expected[#expected + 1] = report.full_report end
      end
      start = page.next_page_timestamp
    end
    assert.are.equal(300, #expected)

    local got, last = {}, 0
    for report in client:reports(ids[1], from, to) do
      assert.is_true(report.observations_timestamp >= last)
      last = report.observations_timestamp
      got[#got + 1] = report.full_report
    end
    assert.are.same(expected, got)
  end)

  it("iterates in pages as large as the service gives, or as asked", function()
    local function requests(limit)
      local before, count = client:stats().requests, 0
      for _ in client:reports(ids[1], PAST, PAST + 329, limit) do count = count + 1 end
      assert.are.equal(990, count)
      return client:stats().requests - before
    end
    assert.are.equal(2, requests())     -- 500 (498: whole seconds), the rest
    assert.are.equal(11, requests(101)) -- 99 in each, of which the last 3 come again
    assert.are.equal(1, requests(1000))
    check.raised("ConfigError", {}, client.reports, client, ids[1], PAST, PAST, 0)
    check.raised("ConfigError", {}, client.reports, client, ids[1], PAST, PAST, 10001)
  end)

  it("iterates up to now", function()
    local from, count = os.time() - 5, 0
    for report in client:reports(ids[1], from) do
      assert.is_true(report.observations_timestamp >= from)
      count = count + 1
    end
    assert.is_true(count >= 15)
  end)

  it("iterates over a single second", function()
    local count = 0
    for _ in client:reports(ids[1], PAST, PAST) do count = count + 1 end
    assert.are.equal(3, count)
  end)

  it("refuses a range that ends before it begins, or begins in the future", function()
    check.says(check.raised("ConfigError", {}, client.reports, client, ids[1], PAST, PAST - 1),
      ("from, %d, is later than to, %d"):format(PAST, PAST - 1))
    check.says(check.raised("ConfigError", {}, client.reports, client, ids[1], os.time() + 3600), "from lies 3")
    for _ in client:reports(ids[1], os.time() + 10) do error "a report of the future" end
  end)

  it("takes up where a loop over a range was left", function()
    local seen = {}
    local iterate = client:reports(ids[1], PAST, PAST + 3)
    for report in iterate do
      seen[#seen + 1] = report
      if #seen == 4 then break end
    end
    for report in iterate do seen[#seen + 1] = report end
    assert.are.equal(12, #seen)
  end)

  it("uses one connection for many requests and counts them", function()
    local fresh = sim:client { rate_limit = false }
    assert.are.equal(0, fresh:stats().requests)
    for _ = 1, 5 do assert(fresh:get_latest_report(ids[1])) end
    local stats = fresh:stats()
    assert.are.equal(5, stats.requests)
    assert.are.equal(1, stats.connections)
    assert.are.equal(4, stats.reused)
    assert.are.equal(0, stats.retries)
    assert.are.equal(0, stats.failures)
    assert.are.equal("closed", stats.circuit)
    fresh:close()
  end)

  it("shows each response to on_response, without secrets", function()
    local record = recorder.new()
    local watched = sim:client(record:options { rate_limit = false })
    assert(watched:get_report(ids[1], PAST))
    assert.is_nil(watched:get_report(ids[1], os.time() + 3600))
    watched:close()
    assert.are.equal(2, #record.responses)
    local first, second = record.responses[1], record.responses[2]
    assert.are.equal("GET", first.method)
    assert.are.equal(200, first.status)
    assert.are.equal(("%s/api/v1/reports?feedID=%s&timestamp=%d"):format(sim.rest_url, ids[1], PAST), first.url)
    assert.are.equal("application/json", first.headers["content-type"])
    assert.is_true(first.elapsed >= 0)
    assert.are.equal(404, second.status)
    local text = record:text()
    assert.is_nil(text:find(sim.api_secret, 1, true))
    assert.is_nil(text:lower():find("signature", 1, true))
    assert.is_nil(text:find(sim.api_key, 1, true))
  end)

  it("works from the environment", function()
    local environment = {}
    for name, value in pairs(sim.env) do environment[name] = value end
    environment.CHAINLINK_STREAMS_API_SECRET = nil
    local getenv = os.getenv
    os.getenv = function(name) return environment[name] end -- luacheck: ignore 122
    local ok, made = pcall(chainlink.client_from_env, { api_secret = sim.api_secret })
    os.getenv = getenv -- luacheck: ignore 122
    assert(ok, made)
    assert.are.equal(26, #assert(made:get_feeds()))
    made:close()
  end)

  it("runs several clients side by side", function()
    local clients = {}
    for i = 1, 4 do clients[i] = sim:client { rate_limit = false } end
    for _ = 1, 3 do
      for _, one in ipairs(clients) do
        assert.are.equal(PAST, assert(one:get_report(ids[2], PAST)).observations_timestamp)
      end
    end
    for _, one in ipairs(clients) do
      assert.are.equal(1, one:stats().connections)
      one:close()
    end
  end)
end)

describe("the client's own rate limit", function()
  it("keeps it below the service's", function()
    local sim = simulator.start { rate_limit = 25, feeds = 1 } -- which sees 20 a second arrive unevenly
    finally(function() sim:stop() end)
    local client = sim:client { rate_limit = 20, max_retries = 0 }
    local id = assert(client:get_feeds())[1].id
    for _ = 1, 30 do assert(client:get_report(id, PAST)) end
    assert.are.equal(30, sim:answered("/api/v1/reports", 200))
    assert.are.equal(30, sim:answered "/api/v1/reports")
    client:close()
  end)
end)

describe("several feeds at a time of which some have no report", function()
  it("answers the reports there are, and the ids of the others", function()
    local file, remove = recording.file {
      recording.report(3, 1, PAST), recording.report(3, 2, PAST + 1),
      recording.report(8, 3, PAST), recording.report(13, 4, PAST + 2),
    }
    local sim = simulator.start { replay = file, rate_limit = 0 }
    finally(function()
      sim:stop()
      remove()
    end)
    local client = sim:client {}
    local responses = {}
    local watched = sim:client { on_response = function(response) responses[#responses + 1] = response.status end }
    local ids = { recording.id(13, 4), recording.id(3, 1), recording.id(3, 2), recording.id(8, 3) }

    local reports, missing = watched:get_reports(ids, PAST)
    assert(reports, missing)
    local answered = {}
    for i, report in ipairs(reports) do answered[i] = report.feed_id end
    table.sort(answered)
    assert.are.same({ recording.id(3, 1), recording.id(8, 3) }, answered)
    assert.are.same({ recording.id(13, 4), recording.id(3, 2) }, missing)
    assert.are.same({ 206 }, responses)

    reports, missing = client:get_reports(ids, PAST + 10)
    assert.are.same({}, reports)
    assert.are.same(ids, missing)
    client:close()
    watched:close()
  end)
end)
