-- SPDX-License-Identifier: MIT
-- Streams against the simulator: what is delivered, and how it is read. What ends connections is in reconnect_spec.

local await = require "spec.support.await"
local expect = require "spec.support.failure"
local recorder = require "spec.support.recorder"
local recording = require "spec.support.recording"
local service = require "spec.support.service"
local simulator = require "spec.support.simulator"

local failure = expect.failure

local PATIENCE = 90 -- seconds; a bound for a hang, nothing here takes as long

-- The next `count` reports.
local function take(stream, count)
  local reports = {}
  for i = 1, count do reports[i] = assert(stream:read(PATIENCE)) end
  return reports
end

-- The service's own history, by REST: {[full report] = true} from the first report's second to the last's.
local function history(client, feed_id, first, last)
  local known = {}
  for report in client:reports(feed_id, first, last) do known[report.full_report] = true end
  return known
end

-- Every report is what REST has for its feed, none comes twice, and each feed's are in order.
local function check_delivery(client, reports)
  local feeds = {}
  for _, report in ipairs(reports) do
    local feed = feeds[report.feed_id]
    if not feed then
      feed = { first = report.observations_timestamp, seen = {} }
      feeds[report.feed_id] = feed
    end
    assert.is_true(not feed.last or report.observations_timestamp >= feed.last, "out of order")
    feed.last = report.observations_timestamp
    assert.is_nil(feed.seen[report.full_report], "a report came twice")
    feed.seen[report.full_report] = true
  end
  for id, feed in pairs(feeds) do
    local known = history(client, id, feed.first, feed.last)
    for full_report in pairs(feed.seen) do assert.is_true(known[full_report], "a report that REST does not have") end
  end
end

for _, transport in ipairs { "wss", "ws" } do
  describe("a stream over " .. transport, function()
    local sim, client, ids

    local at = { plain = transport == "ws", rate = 20, rate_limit = 0, feeds = 26 }
    service.for_all(at, { rate_limit = false }, function(...)
      sim, client = ...
      ids = service.ids(client)
    end)

    after_each(function()
      collectgarbage() -- before Lua 5.4 leaving a loop does not close its stream
      await("the connections' end", function() return sim:stats().websockets.open == 0 end)
    end)

    it("is an iterator over reports", function()
      local reports = {}
      for report in client:stream { ids[1], ids[2] } do
        reports[#reports + 1] = report
        if #reports == 60 then break end
      end
      check_delivery(client, reports)
      local feeds = {}
      for _, report in ipairs(reports) do feeds[report.feed_id] = true end
      assert.is_true(feeds[ids[1]] and feeds[ids[2]])
    end)

    it("gives reports of every schema", function()
      local stream, wanted = client:stream(ids), 26
      local seen = {}
      while wanted > 0 do
        local report = assert(stream:read(PATIENCE))
        if not seen[report.feed_id] then wanted = wanted - 1 end
        seen[report.feed_id] = true
        assert.is_number(report.price)
        assert.is_nil(report.backfilled or nil)
        assert.is_true(report.received_at > 1.7e9)
      end
      for _, id in ipairs(ids) do assert.is_true(seen[id]) end
      stream:close()
    end)

    it("can be read, polled, asked for the latest, and counts", function()
      local stream = client:stream { ids[1], ids[2] }
      assert.are.equal(stream, stream:connect(PATIENCE))
      await("the service to know the connection", function() return sim:stats().websockets.open == 1 end)
      local read = assert(stream:read(PATIENCE))
      assert.is_truthy(read.feed_id == ids[1] or read.feed_id == ids[2])
      local polled = await("a report to poll", function() return stream:poll() end)
      assert.are_not.equal(read.full_report, polled.full_report)
      await("the latest of both", function() return stream:latest(ids[1]) and stream:latest(ids[2]) end)
      local latest = stream:latest(ids[1]:upper():gsub("^0X", "0x"))
      assert.are.equal(ids[1], latest.feed_id)
      assert.is_nil(stream:latest(ids[3]))

      local stats = stream:stats()
      assert.is_true(stats.total_received >= 2)
      assert.are.equal(stats.total_received, stats.accepted)
      assert.are.equal(stats.total_received, stats.messages_received)
      assert.is_true(stats.bytes_received > 1000)
      assert.are.equal(stats.accepted - 2, stats.queue_length)
      for _, name in ipairs { "deduplicated", "out_of_order", "dropped", "rejected", "decode_errors", "errors_count",
        "partial_reconnects", "full_reconnects", "reconnect_count", "gaps", "empty_gaps", "backfilled", "lost",
        "lost_seconds", "unverified" } do
        assert.are.equal(0, stats[name], name)
      end
      assert.are.equal(1, stats.configured_connections)
      assert.are.equal(1, stats.active_connections)
      assert.are.equal(1, #stats.origins)
      assert.are.equal("connected", stats.origins[1].state)
      assert.are.equal("localhost:" .. sim:port(), stats.origins[1].host)
      assert.is_true(stats.connection_uptime >= 0)
      assert.is_true(math.abs(stats.last_message_time - os.time()) < 60)
      assert.is_true(stats.latency.min <= stats.latency.mean and stats.latency.mean <= stats.latency.max)
      stream:close()
      assert.are.equal(0, stream:stats().active_connections)
    end)

    it("runs beside another of the same client", function()
      local one, two = client:stream { ids[1] }, client:stream { ids[2] }
      for _ = 1, 5 do
        assert.are.equal(ids[1], assert(one:read(PATIENCE)).feed_id)
        assert.are.equal(ids[2], assert(two:read(PATIENCE)).feed_id)
      end
      one:close()
      assert(two:read(PATIENCE))
      two:close()
    end)

    it("takes messages in fragments of one byte", function()
      sim:fault "on=ws,action=fragment,bytes=1"
      local stream = client:stream { ids[1] }
      check_delivery(client, take(stream, 10))
      local stats = stream:stats()
      assert.are.equal(0, stats.decode_errors)
      assert.are.equal(stats.messages_received, stats.accepted)
      stream:close()
    end)

    it("counts a duplicate and does not deliver it", function()
      sim:fault "on=ws,action=duplicate,after=3"
      local stream = client:stream { ids[1] }
      check_delivery(client, take(stream, 10))
      local stats = stream:stats()
      assert.are.equal(1, stats.deduplicated)
      assert.are.equal(stats.accepted + 1, stats.total_received)
      stream:close()
    end)

    it("counts and logs a message that is none, and stays connected", function()
      local record = recorder.new()
      sim:fault "on=ws,action=garbage,after=3"
      local options = record:options()
      options.on_response = nil
      local stream = client:stream({ ids[1] }, options)
      check_delivery(client, take(stream, 10))
      local stats = stream:stats()
      assert.are.equal(1, stats.decode_errors)
      assert.are.equal(1, stats.errors_count)
      assert.are.equal(0, stats.reconnect_count)
      assert.are.same({ "connecting", "connected" }, record:states())
      assert.are.equal("warn", record:log("not understood").level)
      stream:close()
    end)
  end)
end

describe("a stream", function()
  local sim, client, id

  service.for_all({ rate = 50, rate_limit = 0, feeds = 2 }, { rate_limit = false }, function(...)
    sim, client = ...
    id = assert(client:get_feeds())[1].id
  end)

  it("answers TimeoutError when nothing comes in time", function()
    sim:fault "on=ws,action=freeze,after=0"
    local stream = client:stream { id }
    assert(stream:connect(PATIENCE))
    failure("TimeoutError", { retryable = true }, stream:read(0))
    failure("TimeoutError", { retryable = true }, stream:read(0.1))
    assert.is_nil(stream:poll())
    assert.is_nil(stream:latest(id))
    stream:close()
  end)

  it("answers TimeoutError when it is not connected in time", function()
    sim:fault "on=ws,action=status,status=503,retry_after=600"
    local stream = client:stream { id }
    failure("TimeoutError", { retryable = true }, stream:connect(0.2))
    stream:close()
  end)

  it("is over after a close, which may be repeated", function()
    local stream = client:stream { id }
    assert(stream:read(PATIENCE))
    stream:close()
    for _ = 1, 2 do
      failure("StreamClosedError", { retryable = false }, stream:read())
      failure("StreamClosedError", {}, stream:read(1))
      failure("StreamClosedError", {}, stream:poll())
      failure("StreamClosedError", {}, stream:connect(1))
      for _ in stream do error "a report came from a closed stream" end
      stream:close()
    end
    assert.are.equal("chainlink.stream (closed)", tostring(stream))
    await("the connection's end", function() return sim:stats().websockets.open == 0 end)
  end)

  it("ends its loop when it is closed inside", function()
    local stream, count = client:stream { id }, 0
    for report in stream do
      assert.are.equal(id, report.feed_id)
      count = count + 1
      if count == 3 then stream:close() end
    end
    assert.are.equal(3, count)
  end)

  it("ends with its client", function()
    local own = sim:client {}
    local stream = own:stream { id }
    assert(stream:read(PATIENCE))
    own:close()
    failure("StreamClosedError", {}, stream:read(PATIENCE))
    for _ in stream do error "a report came from a closed stream" end
  end)

  it("can be closed by on_status, and the reader is told", function()
    local stream
    stream = client:stream({ id }, { on_status = function(event)
      if event.state == "connected" then stream:close() end
    end })
    local err
    repeat
      local report
      report, err = stream:read() -- without an end: one that goes on waiting for a closed stream hangs
    until not report
    assert.are.equal("StreamClosedError", err.kind)
  end)

  it("can be closed by on_status under connect, which is told", function()
    local stream
    stream = client:stream({ id }, { on_status = function() stream:close() end })
    local connected, err = stream:connect()
    assert.is_nil(connected)
    assert.are.equal("StreamClosedError", err.kind)
  end)

  it("is closed by leaving its loop from Lua 5.4 on", function()
    local stream
    local function opened(...)
      stream = ...
      return ...
    end
    for report in opened(client:stream { id }) do
      if report then break end
    end
    if _VERSION >= "Lua 5.4" then
      failure("StreamClosedError", {}, stream:read(PATIENCE))
    else
      assert(stream:read(PATIENCE))
      stream:close()
    end
  end)

  it("passes errors in callbacks on to the reader, and goes on", function()
    local calls = 0
    local stream = client:stream({ id }, { on_status = function(event)
      calls = calls + 1
      if event.state == "connected" then error({ mine = true }, 0) end
    end })
    local ok, err
    await("the error to come out", function()
      ok, err = pcall(stream.read, stream, PATIENCE)
      return not ok
    end)
    assert.are.same({ mine = true }, err)
    assert.are.equal(2, calls)
    assert(stream:read(PATIENCE))
    stream:close()

    local logged = sim:client { log_level = "debug", logger = function() error("from the logger", 0) end }
    local noisy = logged:stream { id }
    ok, err = pcall(noisy.connect, noisy, PATIENCE)
    assert.is_false(ok)
    assert.are.equal("from the logger", err)
    ok = pcall(logged.close, logged)
    assert.is_true(ok)
  end)

  it("refuses wrong arguments", function()
    local cases = {
      { function() return client:stream() end, "ConfigError", "feed_ids must be an array" },
      { function() return client:stream {} end, "ConfigError", "empty table" },
      { function() return client:stream { "0x12" } end, "InvalidFeedIDError", "feed_ids[1]" },
      { function() return client:stream({ id }, { queue_size = 0 }) end, "ConfigError", "queue_size" },
      { function() return client:stream({ id }, { overflow = "explode" }) end, "ConfigError", "drop_oldest" },
      { function() return client:stream({ id }, { timeout = 3 }) end, "ConfigError", "belongs to the client" },
      { function() return client:stream({ id }, { loop = true }) end, "ConfigError", "option 'loop' must be" },
      { function() return client.stream({ id }) end, "ConfigError", "with a colon" },
    }
    for _, case in ipairs(cases) do expect.says(expect.raised(case[2], {}, case[1]), case[3]) end
    local stream = client:stream { id }
    expect.raised("ConfigError", {}, stream.read, stream, -1)
    expect.raised("ConfigError", {}, stream.read, stream, "soon")
    expect.raised("InvalidFeedIDError", {}, stream.latest, stream, "0x")
    stream:close()
  end)

  it("knows a report by feed, second and blob, whoever signed it", function()
    local second = 1700000000
    local first, other = recording.report(3, 1, second), recording.report(3, 1, second, second - 1)
    local signed_again, signatures = first:gsub(("22"):rep(32), ("33"):rep(32))
    assert.are.equal(1, signatures)
    local older, last = recording.report(3, 1, second - 5), recording.report(3, 1, second + 1)
    local file, remove = recording.file { first, signed_again, other, first, older, last }
    local replay = simulator.start { replay = file, rate = 1000 }
    finally(function()
      replay:stop()
      remove()
    end)
    local reader = replay:client {}
    local stream = reader:stream { recording.id(3, 1) }
    local got = {}
    for i, report in ipairs(take(stream, 3)) do got[i] = report.full_report end
    assert.are.same({ first, other, last }, got)
    local stats = stream:stats()
    assert.are.equal(6, stats.total_received)
    assert.are.equal(3, stats.accepted)
    assert.are.equal(2, stats.deduplicated)
    assert.are.equal(1, stats.out_of_order)
    reader:close()
  end)

  it("refuses reports of the far future", function()
    local far = 4102444800
    local file, remove = recording.file { recording.report(3, 1, far), recording.report(3, 2, 1700000000) }
    local replay = simulator.start { replay = file }
    finally(function()
      replay:stop()
      remove()
    end)
    local reader = replay:client {}
    local stream = reader:stream { recording.id(3, 1), recording.id(3, 2) }
    assert.are.equal(recording.id(3, 2), assert(stream:read(PATIENCE)).feed_id)
    await("the rejection", function() return stream:stats().rejected == 1 end)
    reader:close()
  end)
end)

describe("many feeds", function()
  it("100 on one stream", function()
    local sim = simulator.start { rate = 2, rate_limit = 0, feeds = 100 }
    finally(function() sim:stop() end)
    local client, ids = sim:client { rate_limit = false }, {}
    for i, feed in ipairs(assert(client:get_feeds())) do ids[i] = feed.id end
    local stream, seen, count = client:stream(ids), {}, 0
    while count < 100 do
      local id = assert(stream:read(PATIENCE)).feed_id
      if not seen[id] then count = count + 1 end
      seen[id] = true
    end
    for _, id in ipairs(ids) do assert.is_true(seen[id], id) end
    assert.are.equal(1, sim:stats().websockets.total)
    client:close()
  end)

  -- The first second that is whole, of every feed; and how many reports were read.
  local function whole_second(stream, ids)
    local second, got, finished, total = nil, {}, {}, 0
    local unfinished = #ids
    while unfinished > 0 do
      local report = assert(stream:read(PATIENCE))
      local at, id = report.observations_timestamp, report.feed_id
      total = total + 1
      second = second or at + 1
      if at == second then
        got[id] = got[id] or {}
        table.insert(got[id], report.full_report)
      elseif at > second and not finished[id] then
        finished[id] = true
        unfinished = unfinished - 1
      end
    end
    return second, got, total
  end

  -- Answers false where more than `sure` proves too much for this machine (under valgrind, say): the service leaves
  -- reports out, or one of both finds the other too slow.
  local function load_of(rate, sure)
    local sim = simulator.start { rate = rate, rate_limit = 0, feeds = 100 }
    finally(function() sim:stop() end)
    local client, ids = sim:client { rate_limit = false }, {}
    for i, feed in ipairs(assert(client:get_feeds())) do ids[i] = feed.id end
    local stream = client:stream(ids)
    local second, got, total = whole_second(stream, ids)
    local stats, served = stream:stats(), sim:stats()
    stream:close()
    local too_much = served.reports_skipped > 0 or served.websockets.slow_closed > 0 or stats.reconnect_count > 0
    if too_much and rate > sure then
      client:close()
      sim:stop()
      return false
    end
    for _, id in ipairs(ids) do
      local expected = {}
      for i, report in ipairs(assert(client:get_report_page(id, second, rate)).reports) do
        expected[i] = report.full_report
      end
      assert.are.equal(rate, #expected)
      assert.are.same(expected, got[id])
    end
    assert.is_true(total >= 100 * rate)
    for _, name in ipairs { "deduplicated", "out_of_order", "dropped", "rejected", "decode_errors" } do
      assert.are.equal(0, stats[name], name)
    end
    assert.are.equal(0, stats.reconnect_count)
    client:close()
    print(("\n# %d reports compared with REST, of %d streamed"):format(100 * rate, total))
    return true
  end

  it("100 feeds, 100 reports a second of each: every one arrives once, in order #slow", function()
    assert.is_true(load_of(100, 4) or load_of(20, 4) or load_of(4, 4))
  end)
end)

describe("a slow reader", function()
  local COUNT, FIRST = 60, 1700000000
  local sim, client, one, two, remove

  setup(function()
    local reports = {}
    one, two = recording.id(3, 1), recording.id(3, 2)
    for i = 1, COUNT / 2 do
      reports[#reports + 1] = recording.report(3, 1, FIRST + i)
      reports[#reports + 1] = recording.report(3, 2, FIRST + i)
    end
    local file
    file, remove = recording.file(reports)
    sim = simulator.start { replay = file, rate = 1000, rate_limit = 0 }
    client = sim:client {}
  end)

  teardown(function()
    client:close()
    sim:stop()
    remove()
  end)

  local function all_received(stream)
    await("all reports to be received", function() return stream:stats().total_received == COUNT end)
    return stream:stats()
  end

  local function seconds_of(stream, count)
    local seconds = { [one] = {}, [two] = {} }
    for _, report in ipairs(take(stream, count)) do
      table.insert(seconds[report.feed_id], report.observations_timestamp - FIRST)
    end
    assert.is_nil(stream:poll())
    return seconds
  end

  local function range(from, to)
    local list = {}
    for i = from, to do list[#list + 1] = i end
    return list
  end

  it("loses nothing while the queue has room", function()
    local stream = client:stream({ one, two }, { queue_size = COUNT })
    local stats = all_received(stream)
    assert.are.equal(COUNT, stats.queue_length)
    assert.are.equal(0, stats.dropped)
    assert.are.same({ [one] = range(1, 30), [two] = range(1, 30) }, seconds_of(stream, COUNT))
    stream:close()
  end)

  it("loses nothing with block, however small the queue", function()
    local stream = client:stream({ one, two }, { queue_size = 2, overflow = "block" })
    await("the queue to be full", function() return stream:stats().queue_length >= 2 end)
    assert.are.same({ [one] = range(1, 30), [two] = range(1, 30) }, seconds_of(stream, COUNT))
    local stats = stream:stats()
    assert.are.equal(COUNT, stats.accepted)
    assert.are.equal(0, stats.dropped)
    assert.are.equal(0, stats.reconnect_count)
    stream:close()
  end)

  it("gets the last ones with drop_oldest, and the count of the others", function()
    local stream = client:stream({ one, two }, { queue_size = 10, overflow = "drop_oldest" })
    local stats = all_received(stream)
    assert.are.equal(10, stats.queue_length)
    assert.are.equal(COUNT - 10, stats.dropped)
    assert.are.equal(COUNT, stats.accepted)
    assert.are.same({ [one] = range(26, 30), [two] = range(26, 30) }, seconds_of(stream, 10))
    assert.are.equal(COUNT - 10, stream:stats().dropped)
    stream:close()
  end)

  it("gets the newest of each feed with latest, and the count of the others", function()
    local stream = client:stream({ one, two }, { queue_size = 10, overflow = "latest" })
    local stats = all_received(stream)
    assert.are.equal(2, stats.queue_length)
    assert.are.equal(COUNT - 2, stats.dropped)
    assert.are.same({ [one] = { 30 }, [two] = { 30 } }, seconds_of(stream, 2))
    stream:close()
  end)

  it("sees the gaps that the service's own validity shows", function()
    local file, unlink = recording.file {
      recording.report(3, 1, FIRST), recording.report(3, 1, FIRST + 1), -- joined
      recording.report(3, 1, FIRST + 5, FIRST + 2), -- joined
      recording.report(3, 1, FIRST + 9, FIRST + 8), -- a gap
    }
    local gappy = simulator.start { replay = file, rate = 1000 }
    finally(function()
      gappy:stop()
      unlink()
    end)
    local reader = gappy:client {}
    local stream = reader:stream { one }
    take(stream, 4)
    assert.are.equal(1, stream:stats().gaps)
    reader:close()
  end)
end)
