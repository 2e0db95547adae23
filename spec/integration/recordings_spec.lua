-- SPDX-License-Identifier: MIT
-- chainlink.replay and the command: a recording is a stream in every way.

local chainlink = require "chainlink"
local expect = require "spec.support.failure"
local project = require "spec.support.project"
local recorder = require "spec.support.recorder"
local recording = require "spec.support.recording"
local simulator = require "spec.support.simulator"

local PATIENCE = 90

describe("a replay", function()
  local sim, ids, folder, remove, path, taken, signers

  setup(function()
    folder, remove = project.folder()
    path = folder .. "/r.jsonl"
    sim = simulator.start { rate = 20, rate_limit = 0, feeds = 4, signers_file = folder .. "/signers" }
    signers = assert(chainlink.signers.from_file(folder .. "/signers"))
    local client = sim:client()
    ids = {}
    for i, feed in ipairs(assert(client:get_feeds())) do ids[i] = feed.id end
    local stream = client:stream { ids[1], ids[2] }
    assert(stream:record(path))
    taken = {}
    for i = 1, 50 do taken[i] = assert(stream:read(PATIENCE)) end
    stream:close()
    client:close()
  end)

  teardown(function()
    sim:stop()
    remove()
  end)

  local function collect(replay)
    local reports = {}
    for report in replay do reports[#reports + 1] = report end
    return reports
  end

  local function same(expected, reports)
    assert.equal(#expected, #reports)
    for i, report in ipairs(reports) do
      local was = expected[i]
      assert.is_true(was == report)
      for _, name in ipairs { "full_report", "received_at", "origin", "backfilled", "observations_timestamp_ms" } do
        assert.equal(was[name], report[name], name)
      end
    end
  end

  it("gives what was recorded, in a for loop", function()
    same(taken, collect(chainlink.replay(path, { speed = "max" })))
  end)

  it("gives it by read and poll", function()
    local replay = assert(chainlink.replay(path, { speed = "max" }))
    assert.equal(replay, replay:connect(1))
    local reports = { assert(replay:read()), assert(replay:read(0)) }
    while #reports < #taken do reports[#reports + 1] = assert(replay:poll()) end
    same(taken, reports)
    assert.is_true(taken[#taken] == replay:latest(taken[#taken].feed_id))
    expect.failure("StreamClosedError", {}, replay:read())
    expect.failure("StreamClosedError", {}, replay:poll())
    local stats = replay:stats()
    assert.equal(#taken, stats.accepted)
    assert.equal(2, stats.feeds)
    assert.same({}, stats.origins)
    assert.truthy(replay:metrics():find("chainlink_stream", 1, true))
    replay:close()
    replay:close()
    assert.equal("chainlink.stream (closed)", tostring(replay))
  end)

  it("waits as long as it took, or less", function()
    local replay = assert(chainlink.replay(path, { speed = 0.0001 }))
    assert(replay:read())
    while true do
      local report = replay:poll()
      if not report then break end
    end
    expect.failure("TimeoutError", {}, replay:read(0))
    replay:close()
    same(taken, collect(chainlink.replay(path, { speed = 20 })))
  end)

  it("gives some feeds, and some time", function()
    local reports = collect(chainlink.replay(path, { speed = "max", feeds = { ids[1] } }))
    assert.is_true(#reports > 0 and #reports < #taken)
    for _, report in ipairs(reports) do assert.equal(ids[1], report.feed_id) end
    local last = taken[#taken].observations_timestamp
    local expected = {}
    for _, report in ipairs(taken) do
      if report.observations_timestamp == last then expected[#expected + 1] = report end
    end
    same(expected, collect(chainlink.replay(path, { speed = "max", from = last, to = last })))
    local replay = assert(chainlink.replay(path, { speed = "max" }))
    assert.is_true(replay:unsubscribe { ids[1] })
    for report in replay do assert.equal(ids[2], report.feed_id) end
  end)

  it("verifies", function()
    same(taken, collect(chainlink.replay(path, { speed = "max", verify = signers })))
    local forged = folder .. "/forged.jsonl"
    local head, rest = project.read(path):match "^([^\n]*\n)(.*)$"
    project.write(forged, head .. ('{"feedID":"%s","fullReport":"%s"}\n'):format(recording.id(3, 1),
      recording.report(3, 1, 1700000000)) .. rest)
    local told = recorder.new()
    local replay = assert(chainlink.replay(forged, { speed = "max", verify = signers,
      on_status = told:options().on_status }))
    same(taken, collect(replay))
    assert.equal(1, replay:stats().unverified)
    assert.equal(recording.id(3, 1), told:status "unverified".feed_id)
  end)

  it("tells a hole before what follows it", function()
    local holed, lines = folder .. "/holed.jsonl", {}
    local function put(second)
      lines[#lines + 1] = ('{"feedID":"%s","fullReport":"%s"}\n'):format(recording.id(3, 1),
        recording.report(3, 1, second))
    end
    local head = '{"format":"chainlink-streams-recording","version":1,"feeds":[]}\n'
    lines[1] = head
    put(1700000000)
    lines[#lines + 1] = head
    put(1700000005)
    project.write(holed, table.concat(lines))
    local order = {}
    local replay = assert(chainlink.replay({ holed }, { on_status = function(event)
      order[#order + 1] = event.state .. " " .. event.from .. " " .. event.to
    end, speed = "max" }))
    for report in replay do order[#order + 1] = report.observations_timestamp end
    assert.same({ 1700000000, "lost 1700000001 1700000004", 1700000005 }, order)
  end)

  it("can be recorded again", function()
    local copy = folder .. "/copy.jsonl"
    local replay = assert(chainlink.replay(path, { speed = "max" }))
    assert.is_true(replay:record(copy))
    collect(replay)
    replay:close()
    same(taken, collect(chainlink.replay(copy, { speed = "max" })))
  end)

  it("is served by the simulator", function()
    local other = simulator.start { replay = path, rate_limit = 0 }
    local client = other:client()
    for _, report in ipairs { taken[1], taken[#taken] } do
      local served, found = assert(client:get_report_page(report.feed_id, report.observations_timestamp)).reports, false
      for _, candidate in ipairs(served) do found = found or candidate.full_report == report.full_report end
      assert.is_true(found)
    end
    client:close()
    other:stop()
  end)

  for suffix, program in pairs { gz = "gzip", zst = "zstd" } do
    it("reads what was compressed by " .. program, function()
      local packed = folder .. "/r.jsonl." .. suffix
      local replay = assert(chainlink.replay(path, { speed = "max" }))
      local done, err = replay:record(packed)
      if not done then
        assert.equal("ConfigError", err.kind)
        pending("this build is without " .. program)
        return
      end
      collect(replay)
      replay:close()
      same(taken, collect(chainlink.replay(packed, { speed = "max" })))
      local output, status = project.run(program .. " -dc " .. packed .. " | wc -l")
      if output:find "not found" then pending(program .. ", the command, is missing") return end
      assert.equal(0, status)
      assert.equal(1 + #taken, tonumber(output))
    end)
  end

  it("refuses what it cannot do", function()
    for _, case in ipairs {
      { "path must be", 5 }, { "path must be", {} }, { "file or folder", { "" } },
      { "'speed' must be", path, { speed = 0 } },
      { "'from' must be", path, { from = -1 } }, { "'feeds' must be", path, { feeds = 1 } },
      { "no option", path, { queue_size = 1 } }, { "'verify' must be", path, { verify = 1 } },
    } do
      expect.says(expect.raised("ConfigError", {}, chainlink.replay, case[2], case[3]), case[1])
    end
    expect.raised("InvalidFeedIDError", {}, chainlink.replay, path, { feeds = { "0x" } })
    expect.failure("FileError", {}, chainlink.replay "/nonexistent")
    expect.says(expect.failure("FileError", {}, chainlink.replay(folder .. "/signers")), "is no recording")
  end)

  local function command(words)
    return project.run("timeout 60 chainlink-streams replay " .. words)
  end

  it("is a command", function()
    local output, status = command(path .. " --speed max --format json --quiet")
    local n = 0
    for line in output:gmatch "[^\n]+" do
      n = n + 1
      assert.truthy(line:find(taken[n].full_report, 1, true))
    end
    assert.equal(0, status)
    assert.equal(#taken, n)
    local words = ("%s --speed max --count 3 --feed %s --signers %s/signers"):format(path, ids[1], folder)
    output, status = command(words)
    assert.truthy(output:find "\n# 3 reports, 0 holes")
    assert.equal(0, status)
  end)

  it("as a command tells what is wrong", function()
    local function is(expected, words, text)
      local output, status = command(words)
      assert.equal(expected, status)
      assert.truthy(output:find(text, 1, true), output)
    end
    is(2, "", "replay needs a recording")
    is(2, path .. " --speed 0", "--speed must be")
    is(1, "/nonexistent", "cannot open /nonexistent")
    project.write(folder .. "/cut.jsonl", project.read(path):sub(1, -50))
    is(1, folder .. "/cut.jsonl --speed max", "which was cut")
  end)
end)
