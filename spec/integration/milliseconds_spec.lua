-- SPDX-License-Identifier: MIT
-- Millisecond feeds of the simulator: over REST, over both versions of its WebSocket, and through an outage.

local chainlink = require "chainlink"
local cjson = require "cjson"
local project = require "spec.support.project"
local simulator = require "spec.support.simulator"

describe("millisecond feeds", function()
  local sim, client, feeds
  local outage_from = os.time() - 900
  setup(function()
    sim = simulator.start { plain = true, rate = 1, fast = "2:50", ms_feeds = 14, feeds = 28, rate_limit = 0,
      outage = ("%d:%d"):format(outage_from, outage_from + 399) }
    client = sim:client()
    feeds = assert(client:get_feeds())
  end)
  teardown(function()
    client:close()
    sim:stop()
  end)

  it("are of every schema, beside those in seconds", function()
    local seen = {}
    for _, feed in ipairs(feeds) do
      seen[feed.resolution .. feed.version] = true
      local report = assert(client:get_latest_report(feed.id))
      assert.are.equal(feed.resolution, report.resolution)
      assert.are.equal(feed.version, report.version)
      assert.is_true(#report > 0)
      if report.expires_at then assert.is_true(report.expires_at_ms > report.observations_timestamp_ms) end
    end
    for version = 1, 14 do assert.is_true(seen["ms" .. version] and seen["s" .. version], "v" .. version) end
  end)

  it("have a history whose windows touch, at 50 reports a second", function()
    local from = os.time() - 5
    local count, last = 0, nil
    for report in client:reports(feeds[1].id, from, from + 2) do
      if last then assert.are.equal(last + 1, report.valid_from_timestamp_ms) end
      last, count = report.observations_timestamp_ms, count + 1
      assert.are.equal(math.floor(last / 1000), report.observations_timestamp)
    end
    assert.are.equal(150, count)
  end)

  it("have none in an outage, after which a report is valid for five minutes at most", function()
    local reports = {}
    for report in client:reports(feeds[3].id, outage_from - 2, outage_from + 401) do reports[#reports + 1] = report end
    assert.are.equal(4, #reports)
    assert.are.equal(outage_from - 1, reports[2].observations_timestamp)
    assert.are.equal(outage_from + 400, reports[3].observations_timestamp)
    assert.are.equal((outage_from + 100) * 1000, reports[3].valid_from_timestamp_ms)
  end)

  -- The messages that a WebSocket of this path was sent within a second or so.
  local function messages(path, ids)
    local target = path .. "?feedIDs=" .. table.concat(ids, ",")
    local script = [[
      now=$(date +%s%3N)
      hash=$(printf '' | sha256sum | cut -d' ' -f1)
      signature=$(printf '%s' "GET TARGET $hash KEY $now" | openssl dgst -sha256 -hmac SECRET | sed 's/.* //')
      curl -sN --http1.1 --max-time 1.5 -H 'Connection: Upgrade' -H 'Upgrade: websocket' \
        -H 'Sec-WebSocket-Version: 13' -H 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==' -H 'Authorization: KEY' \
        -H "X-Authorization-Timestamp: $now" -H "X-Authorization-Signature-SHA256: $signature" -i -o FILE 'URLTARGET']]
    local folder, remove = project.folder()
    script = script:gsub("%u%u%u+", { TARGET = target, KEY = sim.api_key, SECRET = sim.api_secret,
      FILE = folder .. "/out", URLTARGET = sim.rest_url .. target })
    project.run(script)
    local text = project.read(folder .. "/out")
    remove()
    local found = {}
    for message in text:gmatch '{"report":%b{}}' do found[#found + 1] = cjson.decode(message).report end
    return found, text:match "^HTTP/1.1 (%d+)"
  end

  it("are sent with times in milliseconds by version 2, as feeds in seconds are", function()
    local found = messages("/api/v2/ws", { feeds[1].id, feeds[15].id })
    local count = {}
    for _, report in ipairs(found) do
      count[report.feedID] = (count[report.feedID] or 0) + 1
      assert.is_nil(report.observationsTimestamp)
      assert.is_nil(report.validFromTimestamp)
      local decoded = assert(require "chainlink".decode(report.fullReport))
      assert.are.equal(decoded.observations_timestamp_ms, report.observationsTimestampMs)
      assert.are.equal(decoded.valid_from_timestamp_ms, report.validFromTimestampMs)
    end
    assert.is_true((count[feeds[1].id] or 0) > 10)
    assert.is_true((count[feeds[15].id] or 0) >= 1)
  end)

  it("are sent with times in seconds by version 1, as ever", function()
    local found = messages("/api/v1/ws", { feeds[1].id })
    assert.is_true(#found > 10)
    for _, report in ipairs(found) do
      assert.is_nil(report.observationsTimestampMs)
      local decoded = assert(require "chainlink".decode(report.fullReport))
      assert.are.equal(decoded.observations_timestamp, report.observationsTimestamp)
    end
  end)

  it("can be had of a service that does not know version 2", function()
    sim:fault "on=ws,path=/api/v2,action=status,status=404,times=0"
    local _, status = messages("/api/v2/ws", { feeds[1].id })
    assert.are.equal("404", status)
    assert.is_true(#messages("/api/v1/ws", { feeds[1].id }) > 10)
    sim:clear_faults()
  end)

  it("are streamed without loss or repetition", function()
    local stream = client:stream { feeds[1].id, feeds[15].id }
    local seen, first, last = {}, nil, nil
    for _ = 1, 120 do
      local report = assert(stream:read(10))
      if report.feed_id == feeds[1].id then
        local ms = report.observations_timestamp_ms
        assert.is_nil(seen[ms])
        seen[ms], first, last = true, first or ms, ms
      end
    end
    stream:close()
    for ms = first, last, 20 do assert.is_true(seen[ms], tostring(ms - first)) end
  end)

  it("have their latency measured from the millisecond, not from the second", function()
    local stream = client:stream { feeds[1].id }
    local sum, count = 0, 100 -- as many of each fiftieth of a second
    for _ = 1, count do
      local report = assert(stream:read(60))
      sum = sum + report.received_at * 1000 - report.observations_timestamp_ms
    end
    local stats = stream:stats()
    stream:close()
    -- Both clocks are read when a report arrives; from the second it would be 490 ms more.
    assert.is_true(math.abs(stats.latency.mean - sum / count) < 250, stats.latency.mean .. ", " .. sum / count)
  end)

  -- Reads from a stream of these feeds until each has had a report; how often each version was asked for.
  local function stream(ids, options)
    local asked = { sim:answered "/api/v1/ws", sim:answered "/api/v2/ws" }
    local reader = client:stream(ids, options)
    local seen, missing = {}, #ids
    while missing > 0 do
      local report = assert(reader:read(60))
      assert.are.equal(chainlink.feed_resolution(report.feed_id), report.resolution)
      if not seen[report.feed_id] then seen[report.feed_id], missing = true, missing - 1 end
    end
    reader:close()
    return { sim:answered "/api/v1/ws" - asked[1], sim:answered "/api/v2/ws" - asked[2] }
  end

  it("are streamed by version 2, and feeds in seconds by version 1, unless asked otherwise", function()
    local milliseconds, seconds = feeds[1].id, feeds[15].id
    assert.are.same({ 1, 0 }, stream { seconds })
    assert.are.same({ 0, 1 }, stream { seconds, milliseconds })
    assert.are.same({ 1, 1 }, stream({ seconds, milliseconds }, { feeds_per_connection = 1 }))
    assert.are.same({ 0, 1 }, stream({ seconds }, { protocol = "v2" }))
    assert.are.same({ 1, 0 }, stream({ milliseconds }, { protocol = "v1" }))
  end)

  it("say that a service has no version 2, and which feed needs it", function()
    local id = feeds[1].id
    for protocol, wanted in pairs {
      auto = ("the service has no /api/v2/ws (HTTP 404); feed %s has no times in seconds and needs it"):format(id),
      v2 = "the service has no /api/v2/ws (HTTP 404)" } do
      sim:fault "on=ws,action=status,status=404"
      local reader = client:stream({ protocol == "auto" and id or feeds[15].id }, { protocol = protocol })
      local report, err = reader:read(60)
      assert.is_nil(report)
      assert.is_true(chainlink.is_error(err, "APIError"))
      assert.are.equal(404, err.status)
      assert.are.equal(wanted, err.message)
      reader:close()
    end
  end)
end)
