-- SPDX-License-Identifier: MIT
-- `relay --listen` between a simulator and clients: this one, and curl.

local await = require "spec.support.await"
local chainlink = require "chainlink"
local listener = require "spec.support.listener"
local project = require "spec.support.project"
local simulator = require "spec.support.simulator"
local socket = require "socket"

local KEYS = "CHAINLINK_STREAMS_LOCAL_KEY=local-key CHAINLINK_STREAMS_LOCAL_SECRET=local-secret"

describe("relay --listen", function()
  local sim, direct, feeds, folder, remove, relay, client
  setup(function()
    sim = simulator.start { rate_limit = 0, feeds = 4, ms_feeds = 1, rate = 10 }
    direct = sim:client { rate_limit = false }
    feeds = assert(direct:get_feeds())
    folder, remove = project.folder()
    local arguments = ("relay --listen 127.0.0.1:0 %s %s %s"):format(feeds[1].name, feeds[2].id, feeds[#feeds].id)
    relay = listener.start(sim:exports() .. " " .. KEYS, arguments, folder .. "/out")
  end)
  teardown(function()
    relay:stop()
    direct:close()
    sim:stop()
    remove()
  end)
  before_each(function()
    client = chainlink.client { api_key = "local-key", api_secret = "local-secret", rate_limit = false,
      rest_url = "http://" .. relay.address, ws_url = "ws://" .. relay.address }
  end)
  after_each(function() client:close() end)

  local function ids() return { feeds[1].id, feeds[2].id, feeds[#feeds].id } end

  -- So many reports of each feed, by feed.
  local function read(stream, count)
    local by_feed, left = {}, 0
    for _, id in ipairs(ids()) do by_feed[id], left = {}, left + 1 end
    local limit = socket.gettime() + 90
    while left > 0 do
      local report = assert(stream:read(60))
      assert(socket.gettime() < limit, "a feed's reports do not come")
      local list = by_feed[report.feed_id]
      list[#list + 1] = report
      if #list == count then left = left - 1 end
    end
    return by_feed
  end

  -- The same reports as the service itself has from the first to the last of these, and not one else.
  local function is_whole(reports)
    local first, last = reports[1], reports[#reports]
    local expected = {}
    for report in direct:reports(first.feed_id, math.floor(first.observations_timestamp),
        math.floor(last.observations_timestamp)) do
      local time = report.observations_timestamp_ms
      if time >= first.observations_timestamp_ms and time <= last.observations_timestamp_ms then
        expected[#expected + 1] = report.full_report
      end
    end
    local got = {}
    for i, report in ipairs(reports) do got[i] = report.full_report end
    -- of one time with the first or last of them there may be others, before and behind
    while expected[1] ~= got[1] do assert(table.remove(expected, 1)) end
    while expected[#expected] ~= got[#got] do assert(table.remove(expected)) end
    assert.same(expected, got)
  end

  it("streams what the service streams, to several at once", function()
    local other = assert(client:stream(ids()))
    local stream = assert(client:stream(ids()))
    for _, by_feed in ipairs { read(stream, 20), read(other, 20) } do
      for _, id in ipairs(ids()) do is_whole(by_feed[id]) end
    end
    assert.equal(0, stream:stats().gaps)
    assert.equal(0, stream:stats().full_reconnects)
    stream:close()
    other:close()
  end)

  it("loses nothing for a reader that was away: REST through it has the rest, from memory", function()
    local witness, stream = assert(client:stream(ids())), assert(client:stream(ids()))
    local before, last, from = read(stream, 15), {}, math.huge
    stream:close()
    for id, list in pairs(before) do
      last[id] = list[#list].full_report
      from = math.min(from, math.floor(list[#list].observations_timestamp))
    end
    read(witness, 25)
    assert(direct:get_report_page(feeds[1].id, from, 1))
    local asked = sim:answered "/api/v1/reports/page"
    stream = assert(client:stream(ids(), { start = from }))
    local behind = read(stream, 60)
    assert.equal(asked, sim:answered "/api/v1/reports/page")
    for _, id in ipairs(ids()) do
      local known = false
      for _, report in ipairs(behind[id]) do known = known or report.full_report == last[id] end
      assert.is_true(known)
      is_whole(behind[id])
    end
    stream:close()
    witness:close()
  end)

  it("loses nothing when its own connection breaks", function()
    local stream = assert(client:stream(ids()))
    local before = read(stream, 1)
    local _, status = sim:control("POST", "/control/kill?how=drop")
    assert.equal(200, status)
    local behind = read(stream, 20)
    for _, id in ipairs(ids()) do
      for _, report in ipairs(behind[id]) do table.insert(before[id], report) end
      is_whole(before[id])
    end
    assert.equal(0, stream:stats().reconnect_count)
    stream:close()
  end)

  it("answers REST: what came lately and what did not", function()
    local list = assert(client:get_feeds())
    assert.equal(3, #list)
    assert.equal(feeds[1].id, list[1].id)
    assert.equal(feeds[1].name, list[1].name)
    local stream = assert(client:stream { feeds[1].id })
    local report = assert(stream:read(60))
    local latest = assert(client:get_latest_report(feeds[1].id))
    assert.is_true(latest.observations_timestamp >= report.observations_timestamp)
    local second = assert(stream:read(60)).observations_timestamp
    stream:close()
    for _, at in ipairs { second, second - 100, second - 5000 } do
      assert.equal(assert(direct:get_report(feeds[1].id, at)).full_report,
        assert(client:get_report(feeds[1].id, at)).full_report)
      local several = assert(client:get_reports({ feeds[1].id, feeds[2].id }, at))
      assert.equal(2, #several)
      local page, expected = assert(client:get_report_page(feeds[1].id, at, 3)),
        assert(direct:get_report_page(feeds[1].id, at, 3))
      assert.equal(expected.reports[1].full_report, page.reports[1].full_report)
      if at < second then assert.equal(#expected.reports, #page.reports) end
    end
  end)

  it("refuses who does not sign, other feeds and wrong arguments", function()
    local stranger = chainlink.client { api_key = "local-key", api_secret = "wrong",
      rest_url = "http://" .. relay.address, ws_url = "ws://" .. relay.address }
    local _, err = stranger:get_latest_report(feeds[1].id)
    assert.equal("AuthenticationError", err.kind)
    local stream = assert(stranger:stream { feeds[1].id })
    _, err = stream:read(60)
    assert.equal("AuthenticationError", err.kind)
    stranger:close()
    _, err = client:get_latest_report(feeds[3].id)
    assert.equal("AuthenticationError", err.kind)
    stream = assert(client:stream { feeds[3].id })
    _, err = stream:read(60)
    assert.equal("AuthenticationError", err.kind)
    local body, status = relay:get "/api/v1/feeds"
    assert.equal(400, status)
    assert.equal('{"error":"missing authorization headers"}', body)
    _, err = client:get_report(feeds[1].id, 4294967000)
    assert.equal(404, err.status)
  end)

  it("serves on a socket of a path without a signature, and removes it", function()
    local path = folder .. "/socket"
    local log = folder .. "/unix"
    project.write(log, "")
    local pipe = assert(io.popen(("echo $$; exec env %s chainlink-streams relay --quiet --listen unix:%s %s >%s 2>&1")
      :format(sim:exports(), path, feeds[1].id, log), "r"))
    local pid = pipe:read "*l"
    finally(function() os.execute("kill -KILL " .. pid .. " 2>/dev/null") end)
    await("the socket", function() return project.read(log):find "Serving on unix:" end)
    local function get(target)
      return project.run(("curl -sS -g --max-time 60 -w '\\n%%{http_code}' --unix-socket %s 'http://x%s'"):format(path,
        target))
    end
    assert.matches('^{"feeds":%[{.*}%]}\n200', get "/api/v1/feeds")
    assert.matches('^{"report":{"feedID":"' .. feeds[1].id .. '",',
      get("/api/v1/reports/latest?feedID=" .. feeds[1].id))
    for _, row in ipairs { { "latest?feedID=0x12", 400 }, { "latest", 400 }, { "bulk?timestamp=1", 400 },
      { "page?startTimestamp=x&feedID=" .. feeds[1].id, 400 },
      { "page?startTimestamp=1&limit=0&feedID=" .. feeds[1].id, 400 },
      { "bulk?timestamp=-1&feedIDs=" .. feeds[1].id, 400 },
      { ("latest?feedID=%s,%s"):format(feeds[1].id, feeds[2].id), 401 }, { "latest?feedID=" .. feeds[2].id, 401 } } do
      local body = get("/api/v1/reports/" .. row[1])
      assert.matches('^{"error":".+"}\n' .. row[2] .. "$", (body:gsub("%s+$", "")))
    end
    os.execute("kill -INT " .. pid)
    pipe:close()
    assert.is_nil(io.open(path))
    assert.matches("No such file", project.run("ls " .. path .. " 2>&1"))
  end)

  it("does not begin where it must not", function()
    local function try(exports, arguments)
      local command = ("env %s %s timeout 60 chainlink-streams relay %s 2>&1"):format(sim:exports(), exports, arguments)
      return (project.run(command))
    end
    assert.matches("who connects to a port must sign", try("", "--listen 127.0.0.1:0 " .. feeds[1].id))
    assert.matches("set both", try("CHAINLINK_STREAMS_LOCAL_KEY=x", "--listen unix:/tmp/x " .. feeds[1].id))
    assert.matches("other machines may reach", try(KEYS, "--listen 0.0.0.0:0 " .. feeds[1].id))
    assert.matches("is no address", try(KEYS, "--allow-remote --listen nonsense " .. feeds[1].id))
    assert.matches("is there, and no socket", try("", ("--listen unix:%s %s"):format(relay.log, feeds[1].id)))
    assert.matches("one of %-%-redis", try("", feeds[1].id))
    local taken = socket.bind("127.0.0.1", 0)
    local _, port = taken:getsockname()
    assert.matches("cannot listen", try(KEYS, ("--listen 127.0.0.1:%s %s"):format(port, feeds[1].id)))
    taken:close()
  end)
end)
