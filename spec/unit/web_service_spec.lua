-- SPDX-License-Identifier: MIT
-- The service's own protocol for processes of this machine: what each question is answered and what is asked of the
-- service for it, with stand-ins for the server and the calls.

local calls = require "chainlink.call"
local chainlink = require "chainlink"
local cjson = require "cjson"
local core = require "chainlink.core"
local errors = require "chainlink.errors"
local recent = require "chainlink.web.recent"
local recording = require "spec.support.recording"
local sample = require "spec.support.sample"
local server = require "chainlink.web.server"
local service = require "chainlink.web.service"

local A, B, OTHER = recording.id(3, 1), recording.id(3, 2), recording.id(3, 9)
local T = 1700000000

local function report(number, second)
  return assert(chainlink.decode(recording.report(3, number, second, second)))
end

describe("the service for this machine", function()
  local real = { call = core.call, call_done = core.call_done, call_fd = core.call_fd, uservalue = core.uservalue,
    call_free = core.call_free }
  local real_listen, real_explained = server.listen, calls.explained
  local routes, asked, results, told, waits, serves

  before_each(function()
    asked, results, told, waits = {}, {}, {}, {}
    server.listen = function(_, made)
      routes = made
      return { tell = function(_, number, text) told[#told + 1] = { number, text } end,
        wait = function(_, fds, seconds) waits[#waits + 1] = { fds, seconds } end, close = function() end }
    end
    core.call = function(client, ...)
      assert.are.equal("the client", client)
      asked[#asked + 1] = { ... }
      return #asked
    end
    core.call_done = function(call) return results[call] ~= nil end
    core.call_fd = function(call) return 100 + call end
    core.uservalue = function(client) return assert(client == "the client") and "the state" end
    calls.explained = function(state, call)
      assert.are.equal("the state", state)
      return results[call][1], results[call][2]
    end
    serves = assert(service.listen("the client", { feeds = { A, B }, names = { [A] = "A/USD", [B] = "B/USD" } }))
  end)
  after_each(function()
    server.listen, calls.explained = real_listen, real_explained
    for name, value in pairs(real) do core[name] = value end
  end)

  local later
  local function ask(path, query)
    later = nil
    local answer = routes["/api/v1/" .. path]({ query = query or "" }, function(given) later = given end)
    if not answer then return nil end
    assert.are.equal("application/json", answer.type)
    return answer.status, cjson.decode(answer.body)
  end

  -- What a question that goes to the service is answered, once that has said so.
  local function answered(result, err)
    results[#asked] = { result, err }
    serves:wait(7, 0.5)
    assert.are.equal("application/json", later.type)
    return later.status, cjson.decode(later.body)
  end

  it("keeps 64 MiB of reports, the same of each feed", function()
    local real_new, asked_for = recent.new, {}
    recent.new = function(bytes) asked_for[#asked_for + 1] = bytes end
    local _, err = service.listen("the client", { feeds = { A, B }, names = {} })
    recent.new = real_new
    assert.is_nil(err)
    assert.are.same({ 33554432, 33554432 }, asked_for)
  end)

  it("writes a report as the service does, with the times that it has", function()
    local one = report(1, T)
    assert.are.same({ key = T, time = T, valid_from = T, text = ('{"feedID":"%s","fullReport":"%s",'
      .. '"validFromTimestamp":%d,"observationsTimestamp":%d,"validFromTimestampMs":%d000,'
      .. '"observationsTimestampMs":%d000}'):format(A, one.full_report, T, T, T, T) }, service.item(one))
    local ms = assert(chainlink.decode(sample.ms_v3))
    assert.are.same({ key = T, time = 1700000000124, valid_from = 1700000000123,
      text = ('{"feedID":"%s","fullReport":"%s","validFromTimestamp":%d,"observationsTimestamp":%d,'
      .. '"validFromTimestampMs":1700000000123,"observationsTimestampMs":1700000000124}'):format(ms.feed_id,
      ms.full_report, T, T) }, service.item(ms))
    local unknown = assert(chainlink.decode(sample.v99))
    assert.are.same({ text = ('{"feedID":"%s","fullReport":"%s"}'):format(unknown.feed_id, unknown.full_report) },
      service.item(unknown))
  end)

  it("answers who only asks whether it is there", function()
    assert.are.same({ status = 200, type = "text/plain; charset=utf-8", body = "" }, routes["/"] {})
  end)

  it("lists its feeds", function()
    assert.are.same({ 200, { feeds = { { feedID = A, name = "A/USD" }, { feedID = B, name = "B/USD" } } } },
      { ask "feeds" })
  end)

  it("asks for each feed once", function()
    assert.is_nil(ask("reports/bulk", ("timestamp=%d&feedIDs=%s,%s,%s"):format(T, A, B, A)))
    assert.are.same({ { "get_reports", { A, B }, T } }, asked)
    assert.is_nil(ask("reports/latest", ("feedID=%s,%s"):format(A, A)))
    assert.are.same({ "get_latest_report", { A } }, asked[2])
  end)

  it("refuses other feeds, and what is no time, no limit and no feed", function()
    local place = "feedID=" .. A
    for query, expected in pairs {
      ["reports/latest?"] = { 400, "missing or malformed feedID" },
      ["reports/latest?feedID=0x12"] = { 400, "missing or malformed feedID" },
      [("reports/latest?feedID=%s,%s"):format(A, B)] = { 400, "missing or malformed feedID" },
      ["reports/latest?feedID=" .. OTHER] = { 401, "this relay does not have that feed" },
      ["reports?" .. place] = { 400, "missing or malformed timestamp" },
      ["reports?timestamp=1"] = { 400, "missing or malformed feedID" },
      ["reports?timestamp=-1&" .. place] = { 400, "missing or malformed timestamp" },
      ["reports?timestamp=4294967296&" .. place] = { 400, "missing or malformed timestamp" },
      ["reports?timestamp=0000000000001&" .. place] = { 400, "missing or malformed timestamp" },
      ["reports/bulk?timestamp=1"] = { 400, "missing or malformed feedIDs" },
      ["reports/bulk?feedIDs=" .. A] = { 400, "missing or malformed timestamp" },
      ["reports/page?" .. place] = { 400, "missing or malformed startTimestamp" },
      ["reports/page?startTimestamp=1&limit=0&" .. place] = { 400, "limit must be 1 to 10000" },
      ["reports/page?startTimestamp=1&limit=10001&" .. place] = { 400, "limit must be 1 to 10000" },
    } do
      local path, arguments = query:match "^(.-)%?(.*)$"
      local status, body = ask(path, arguments)
      assert.are.same(expected, { status, body.error }, query)
    end
    assert.are.same({}, asked)
    for _, query in ipairs { "reports?timestamp=0&", "reports?timestamp=4294967295&", "reports/page?startTimestamp=1&",
      "reports/page?startTimestamp=1&limit=1&", "reports/page?startTimestamp=1&limit=10000&",
      "reports?timestamp=000000000001&", "reports/bulk?timestamp=0&feedIDs=" .. B .. "&" } do
      local path, arguments = query:match "^(.-)%?(.*)$"
      assert.is_nil(ask(path, arguments .. place))
    end
    assert.are.same({ { "get_report", { A }, 0 }, { "get_report", { A }, 4294967295 },
      { "get_report_page", { A }, 1, 100 }, { "get_report_page", { A }, 1, 1 },
      { "get_report_page", { A }, 1, 10000 }, { "get_report", { A }, 1 },
      { "get_reports", { B }, 0 } }, asked)
  end)

  it("tells what the service failed by, with its status where it has one", function()
    for _, case in ipairs {
      { errors.new("APIError", "not found", { status = 404 }), 404 },
      { errors.new("APIError", "first of its kind", { status = 400 }), 400 },
      { errors.new("APIError", "no error's", { status = 399 }), 502 },
      { errors.new("TimeoutError", "no answer"), 504 },
      { errors.new("NetworkError", "no route"), 502 },
      { errors.new("DecodeError", "no report", { status = 200 }), 502 },
    } do
      ask("reports/latest", "feedID=" .. A)
      local status, body = answered(nil, case[1])
      assert.are.same({ case[2], case[1].message }, { status, body.error })
    end
    core.call = function() return nil, errors.new("TimeoutError", "at once") end
    assert.are.same({ 504, { error = "at once" } }, { ask("reports/latest", "feedID=" .. A) })
  end)

  it("answers with what comes", function()
    local one, two = report(1, T), report(2, T)
    local query = ("timestamp=%d&feedIDs=%s,%s"):format(T, A, B)
    local function full(body)
      local list = {}
      for i, item in ipairs(body.reports) do list[i] = item.fullReport end
      return list
    end
    ask("reports/bulk", query)
    local status, body = answered { one, two }
    assert.are.same({ 200, { one.full_report, two.full_report } }, { status, full(body) })
    ask("reports/bulk", query)
    status, body = answered { two }
    assert.are.same({ 206, { two.full_report } }, { status, full(body) })
    ask("reports/page", ("startTimestamp=%d&feedID=%s"):format(T, A))
    status, body = answered {}
    assert.are.same({ 200, {} }, { status, full(body) })
    ask("reports", ("timestamp=%d&feedID=%s"):format(T, A))
    status, body = answered { one }
    assert.are.same({ 200, one.full_report }, { status, body.report.fullReport })
    ask("reports/latest", "feedID=" .. A)
    assert.are.same({ 404, { error = "report not found" } }, { answered {} })
    assert.are.same({ { 7, 105 }, 0.5 }, waits[5])
  end)

  it("takes 32 questions that wait for the service, and one more when one of them is answered", function()
    local query = "feedID=" .. A
    for _ = 1, 32 do assert.is_nil(ask("reports/latest", query)) end
    assert.are.same({ 503, { error = "too many requests wait for the service" } }, { ask("reports/latest", query) })
    assert.are.equal(32, #asked)
    results[32] = { {} }
    serves:wait(-1)
    assert.are.equal(60, waits[1][2])
    assert.is_nil(ask("reports/latest", query))
  end)

  it("answers from memory what came lately, its newest and its pages while the stream is up", function()
    local up = 1
    serves:serve { stats = function() return { active_connections = up } end }
    for second = T, T + 2 do serves:pass(report(1, second)) end
    assert.are.same({ 1, 1, 1 }, { told[1][1], told[2][1], told[3][1] })
    local status, body = ask("reports/latest", "feedID=" .. A)
    assert.are.same({ 200, T + 2 }, { status, body.report.observationsTimestamp })
    status, body = ask("reports", ("timestamp=%d&feedID=%s"):format(T + 1, A))
    assert.are.same({ 200, T + 1 }, { status, body.report.observationsTimestamp })
    status, body = ask("reports/page", ("startTimestamp=%d&limit=1&feedID=%s"):format(T + 1, A))
    assert.are.same({ 200, 1, T + 1 }, { status, #body.reports, body.reports[1].observationsTimestamp })
    status, body = ask("reports/bulk", ("timestamp=%d&feedIDs=%s"):format(T + 1, A))
    assert.are.same({ 200, T + 1 }, { status, body.reports[1].observationsTimestamp })
    assert.are.same({}, asked)
    up = 0
    assert.is_nil(ask("reports/latest", "feedID=" .. A))
    assert.is_nil(ask("reports/page", ("startTimestamp=%d&limit=1&feedID=%s"):format(T + 1, A)))
    assert.are.equal(2, #asked)
  end)

  it("gives readers a turn after every 16 reports", function()
    for second = T, T + 14 do serves:pass(report(2, second)) end
    assert.are.same({}, waits)
    serves:pass(report(2, T + 15))
    assert.are.same({ { { -1 }, 0 } }, waits)
    for second = T, T + 14 do serves:pass(report(2, second)) end
    assert.are.equal(1, #waits)
    assert.are.equal(2, told[1][1])
  end)

  it("answers at once all that is done", function()
    local done = {}
    for i = 1, 3 do
      routes["/api/v1/reports/latest"]({ query = "feedID=" .. A }, function(given) done[i] = given.status end)
      results[i] = { {} }
    end
    serves:wait(-1)
    assert.are.same({ 404, 404, 404 }, done)
    serves:wait(-1)
    assert.are.same({ { { -1, 101, 102, 103 }, 60 }, { { -1 }, 60 } }, waits)
  end)

  it("frees what it waits for when it is closed", function()
    local freed = {}
    core.call_free = function(call) freed[#freed + 1] = call end
    for _ = 1, 2 do ask("reports/latest", "feedID=" .. A) end
    serves:close()
    assert.are.same({ 1, 2 }, freed)
    serves:close()
    assert.are.equal(2, #freed)
  end)
end)
