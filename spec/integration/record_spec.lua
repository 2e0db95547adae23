-- SPDX-License-Identifier: MIT
-- Recording a stream: what is in the file, options, and failures.

local await = require "spec.support.await"
local chainlink = require "chainlink"
local expect = require "spec.support.failure"
local project = require "spec.support.project"
local recorded = require "spec.support.recorded"
local recorder = require "spec.support.recorder"
local simulator = require "spec.support.simulator"

local PATIENCE = 90

describe("a recording", function()
  local sim, client, ids, folder, remove, path

  setup(function()
    sim = simulator.start { rate = 20, rate_limit = 0, feeds = 4 }
    client = sim:client { rate_limit = false }
    ids = {}
    for i, feed in ipairs(assert(client:get_feeds())) do ids[i] = feed.id end
  end)

  before_each(function()
    folder, remove = project.folder()
    path = folder .. "/r.jsonl"
  end)

  after_each(function()
    sim:clear_faults()
    remove()
  end)

  teardown(function()
    client:close()
    sim:stop()
  end)

  local function take(stream, count)
    local reports = {}
    for i = 1, count do reports[i] = assert(stream:read(PATIENCE)) end
    return reports
  end

  it("has every report that the script took, as it came", function()
    local stream = client:stream { ids[1], ids[2] }
    assert.is_true(stream:record(path))
    local reports = take(stream, 60)
    assert.is_true(stream:unrecord())
    take(stream, 1)
    stream:close()
    local found = recorded.read(path)
    assert.equal(60, #found.reports)
    for i, report in ipairs(reports) do
      local line = found.reports[i]
      assert.equal(report.feed_id, line.feedID)
      assert.equal(report.full_report, line.fullReport)
      assert.equal(report.observations_timestamp, line.observationsTimestamp)
      assert.equal(report.valid_from_timestamp, line.validFromTimestamp)
      assert.equal(("%.0f"):format(report.received_at * 1000), ("%.0f"):format(line.received_at))
      assert.equal(report.origin, line.origin)
      assert.equal(report.backfilled, line.backfilled or false)
    end
  end)

  it("begins with a head", function()
    local stream = client:stream { ids[2], ids[1] }
    local before = os.time()
    assert.is_true(stream:record(path))
    stream:close()
    local head = recorded.read(path).heads[1]
    assert.equal("chainlink-streams-recording", head.format)
    assert.equal(1, head.version)
    assert.equal(chainlink._VERSION, head.client)
    local expected = { ids[1], ids[2] }
    table.sort(expected)
    assert.same(expected, head.feeds)
    assert.is_true(head.begun >= before * 1000)
    assert.is_nil(head.continues)
  end)

  it("tells feeds that are added", function()
    local stream = client:stream { ids[1] }
    assert.is_true(stream:record(path))
    assert.is_true(stream:subscribe { ids[2] })
    stream:close()
    local heads = recorded.read(path).heads
    assert.equal(2, #heads)
    assert.is_true(heads[2].continues)
    assert.equal(2, #heads[2].feeds)
  end)

  it("has what was told as lost", function()
    local told = recorder.new()
    local stream = client:stream({ ids[1] }, { backfill = false, on_status = told:options().on_status })
    assert.is_true(stream:record(path))
    take(stream, 5)
    sim:fault "on=live,action=skip,seconds=1"
    await("a loss", function()
      stream:read(1)
      return told:status "lost"
    end)
    assert.is_true(stream:flush())
    local lost, event = told:status "lost", recorded.read(path).events[1]
    stream:close()
    assert.equal("lost", event.event)
    assert.equal(lost.feed_id, event.feed)
    assert.equal(lost.from_ms, event.from_ms)
    assert.equal(lost.to_ms, event.to_ms)
    assert.equal(lost.reason, event.reason)
  end)

  it("is written before the stream waits", function()
    local stream = client:stream { ids[1] }
    assert.is_true(stream:record(path))
    local taken = #take(stream, 3)
    while stream:poll() do taken = taken + 1 end
    assert.equal(taken, #recorded.read(path).reports)
    assert.equal(taken, stream:stats().recording.reports)
    stream:close()
    assert.is_nil(stream:stats().recording)
  end)

  it("is written to its end when the client is closed", function()
    local own = sim:client { rate_limit = false }
    local streams = { own:stream { ids[1] }, own:stream { ids[2] } }
    for i, stream in ipairs(streams) do
      assert.is_true(stream:record(path .. i))
      take(stream, 3)
    end
    local again = own:stream { ids[3] }
    own:close()
    for i, stream in ipairs(streams) do
      assert.equal(3, #recorded.read(path .. i).reports)
      expect.failure("StreamClosedError", {}, stream:read(0))
      assert.is_nil(stream:stats().recording)
    end
    assert.is_true(again:record(path .. 1)) -- nobody holds the file any more
    again:close()
    own:close()
  end)

  it("is written to its end when the client is closed, though a callback fails", function()
    local own = sim:client { rate_limit = false }
    local streams = {}
    for i = 1, 2 do
      local is_closing = false
      local function on_status()
        if is_closing then error "from the callback" end
      end
      streams[i] = own:stream({ ids[i] }, { on_status = on_status })
      assert.is_true(streams[i]:record(path .. i))
      take(streams[i], 2)
      is_closing = true
    end
    pcall(own.close, own)
    for i = 1, 2 do assert.equal(2, #recorded.read(path .. i).reports) end
    own:close()
  end)

  for name, text in pairs {
    ["the script ends"] = "",
    ["the script fails"] = "error 'in the script'",
    ["the state is closed"] = "os.exit(0, true)",
    ["the stream is collected"] = "stream = nil collectgarbage() collectgarbage() os.exit(0)",
  } do
    it("is written to its end when " .. name, function()
      project.write(folder .. "/script.lua", ([[
        local stream = require "chainlink".client_from_env():stream { %q }
        assert(stream:record(%q))
        for _ = 1, 3 do assert(stream:read(60)) end
        %s
      ]]):format(ids[1], path, text))
      project.run(("%s timeout 90 %s %s/script.lua"):format(sim:exports(), project.lua, folder))
      assert.equal(3, #recorded.read(path).reports)
    end)
  end

  it("that is compressed bounds the waits of the stream, so that it is written in time", function()
    local block, waits = require "chainlink.loop.block", {}
    local stream = client:stream({ ids[1] }, { loop = function(fd, seconds)
      waits[#waits + 1] = seconds
      block.wait(fd, seconds)
    end })
    local done, err = stream:record(path .. ".gz")
    if not done then
      assert.equal("ConfigError", err.kind)
      pending "this build is without zlib"
      return
    end
    take(stream, 1)
    waits = {}
    take(stream, 5)
    stream:close()
    assert.is_true(#waits > 0)
    assert.is_true(math.min((table.unpack or unpack)(waits)) <= 1) -- luacheck: ignore 113 143
  end)

  it("is rotated", function()
    local stream = client:stream { ids[1], ids[2], ids[3] }
    assert.is_true(stream:record(folder, { rotate_bytes = 20000 }))
    local taken = 0
    await("three files", function()
      taken = taken + #take(stream, 1)
      return stream:stats().recording.files >= 3
    end)
    stream:close()
    local count, files = 0, project.run("ls " .. folder)
    for name in files:gmatch "%S+" do
      assert.truthy(name == "recording.jsonl" or name:find "^recording%-%d+T%d+%.%d+Z%.jsonl$", name)
      local found = recorded.read(folder .. "/" .. name)
      assert.equal(1, #found.heads)
      count = count + #found.reports
    end
    assert.equal(taken, count)
  end)

  it("refuses what it cannot do", function()
    local stream = client:stream { ids[1] }
    expect.says(expect.raised("ConfigError", {}, stream.record, stream, 5), "path must be")
    expect.says(expect.raised("ConfigError", {}, stream.record, stream, path, 5), "must be a table")
    expect.says(expect.raised("ConfigError", {}, stream.record, stream, path, { rotate = 1 }), 'no option "rotate"')
    expect.says(expect.raised("ConfigError", {}, stream.record, stream, path, { rotate_bytes = 0.5 }), "whole number")
    expect.says(expect.raised("ConfigError", {}, stream.record, stream, path, { rotate_seconds = 0 }), "from 1")
    expect.says(expect.raised("ConfigError", {}, stream.record, stream, path, { fsync = 1 }), "true or false")
    expect.failure("FileError", { retryable = true }, stream:record "/nonexistent/r.jsonl")
    project.write(path, "precious\n")
    expect.says(expect.failure("FileError", {}, stream:record(path)), "no recording")
    assert.equal("precious\n", project.read(path))
    assert.is_true(stream:flush() and stream:unrecord())
    assert.is_true(stream:record(folder))
    expect.says(expect.raised("ConfigError", {}, stream.record, stream, path), "already")
    stream:close()
  end)

  it("mends what was cut, and says so", function()
    local told = recorder.new()
    local stream = client:stream({ ids[1] }, { logger = told:options().logger })
    assert.is_true(stream:record(path))
    take(stream, 2)
    assert.is_true(stream:unrecord())
    local text = project.read(path)
    project.write(path, text:sub(1, -100))
    assert.is_true(stream:record(path, { fsync = true }))
    stream:close()
    assert.truthy(told:log "was cut")
    assert.equal(1, #recorded.read(path).reports)
  end)

  -- A disk that others fill for some seconds: what was there stays, the hole is named, and it goes on.
  it("is kept whole on a disk that is full for a while", function()
    local disk = folder .. "/disk"
    local words, status = project.run(("mkdir %s && mount -t tmpfs -o size=64k none %s"):format(disk, disk))
    if status ~= 0 then return pending("a small tmpfs cannot be mounted here: " .. words) end
    local stream = client:stream({ ids[1], ids[2] }, { log_level = "none" })
    local ok, err = pcall(function()
      local taken, file = 0, disk .. "/r.jsonl"
      local function note(count) taken = taken + #take(stream, count) end
      assert.is_true(stream:record(file, { fsync = true }))
      note(6)
      assert.is_true(stream:flush())
      local before = project.read(file)
      project.run(("head -c 100000 /dev/zero >%s/filler"):format(disk))
      await("two seconds of a full disk", function()
        note(1)
        return stream:stats().recording.unwritten > 100
      end)
      expect.says(expect.failure("FileError", {}, stream:flush()), "No space left")
      assert.equal(before, project.read(file):sub(1, #before))
      recorded.read(file) -- has whole lines only
      assert(os.remove(disk .. "/filler"))
      note(6)
      assert.is_true(stream:flush())
      local unwritten = stream:stats().recording.unwritten
      stream:close()
      assert.equal(taken - unwritten, #recorded.read(file).reports)
      local lost, replayed = 0, 0
      local replay = assert(chainlink.replay(file, { speed = "max", on_status = function(event)
        if event.state == "lost" then lost = lost + 1 end
      end }))
      for _ in replay do replayed = replayed + 1 end -- which lets the file go
      assert.equal(taken - unwritten, replayed)
      assert.equal(2, lost)
    end)
    stream:close()
    local unmounted = project.run("umount " .. disk)
    if not ok then error(err, 0) end
    assert.equal("", unmounted)
  end)

  local function command(before)
    local words = "%s %s timeout 60 chainlink-streams stream --count 20 --quiet --record %s %s >/dev/null"
    return project.run(words:format(before, sim:exports(), path, ids[1]))
  end

  it("is made by the command", function()
    assert.same({ "", 0 }, { command "" })
    assert.equal(20, #recorded.read(path).reports)
  end)

  it("is rotated by the command, which waits for the disk", function()
    local words = "%s timeout 60 chainlink-streams stream --count 30 --quiet --record %s --rotate-bytes 6000 --fsync %s"
    local _, status = project.run((words .. " >/dev/null"):format(sim:exports(), folder, ids[1]))
    assert.equal(0, status)
    local count, files = 0, 0
    for name in project.run("ls " .. folder):gmatch "%S+" do
      local found = recorded.read(folder .. "/" .. name)
      count, files = count + #found.reports, files + 1
    end
    assert.equal(30, count)
    assert.is_true(files > 1)
    local output
    output, status = project.run(("%s chainlink-streams stream --fsync %s"):format(sim:exports(), ids[1]))
    assert.equal(2, status)
    assert.truthy(output:find("--fsync is of --record", 1, true))
  end)

  it("is kept whole by the command when the disk is full, which tells what is missing", function()
    local output, status = command "trap '' XFSZ; ulimit -f 8;"
    local missing = output:match "(%d+) reports were not written"
    assert.equal(1, status)
    assert.equal(20, #recorded.read(path).reports + tonumber(missing))
  end)
end)
