-- SPDX-License-Identifier: MIT
-- The simulator serves recordings: several, compressed ones, in their own time, and again and again.

local chainlink = require "chainlink"
local expect = require "spec.support.failure"
local project = require "spec.support.project"
local recording = require "spec.support.recording"
local simulator = require "spec.support.simulator"

local PATIENCE = 90

describe("a recording served by the simulator", function()
  local folder, remove, ids, taken, files

  -- Two feeds, one after the other, each in a file of its own, the second one compressed where that can be.
  setup(function()
    folder, remove = project.folder()
    local sim = simulator.start { rate = 20, rate_limit = 0, feeds = 2 }
    local client = sim:client()
    ids, taken, files = {}, {}, { folder .. "/1.jsonl", folder .. "/2.jsonl.gz" }
    for i, feed in ipairs(assert(client:get_feeds())) do ids[i] = feed.id end
    for i, id in ipairs(ids) do
      local stream = client:stream { id }
      if not stream:record(files[i]) then
        files[i] = folder .. "/2.jsonl"
        assert(stream:record(files[i]))
      end
      taken[id] = {}
      for n = 1, 25 do taken[id][n] = assert(stream:read(PATIENCE)) end
    end
    client:close()
    sim:stop()
  end)

  teardown(function() remove() end)

  local function last_of(id) return taken[id][#taken[id]] end

  local function full_reports(of)
    local known = {}
    for _, id in ipairs(of) do
      for _, report in ipairs(taken[id]) do known[report.full_report] = true end
    end
    return known
  end

  local function start_of(id) return { start = taken[id][1].observations_timestamp } end

  it("comes in its own time", function()
    local sim = simulator.start { replay = files, speed = 4, rate_limit = 0 }
    local client = sim:client { rate_limit = false }
    for _, id in ipairs(ids) do
      local stream = client:stream({ id }, start_of(id))
      local left = full_reports { id }
      for _ = 1, #taken[id] do
        local report = assert(stream:read(PATIENCE))
        assert.is_true(left[report.full_report])
        left[report.full_report] = nil
      end
      stream:close()
      assert.is_true(assert(client:get_latest_report(id)) == last_of(id))
    end
    client:close()
    sim:stop()
  end)

  it("is not known before its time", function()
    local sim = simulator.start { replay = files, speed = 0.001, rate_limit = 0 }
    local client = sim:client { rate_limit = false }
    local earliest = taken[ids[1]][1].observations_timestamp
    assert.equal(earliest, assert(client:get_latest_report(ids[1])).observations_timestamp)
    expect.failure("APIError", { status = 404 }, client:get_latest_report(ids[2])) -- it was recorded after the other
    client:close()
    sim:stop()
  end)

  it("comes again and again, without a hole, signed anew", function()
    local sim = simulator.start { replay = files, speed = 2, loop = true, rate_limit = 0,
      signers_file = folder .. "/signers" }
    local signers = assert(chainlink.signers.from_file(folder .. "/signers"))
    local client = sim:client { rate_limit = false }
    local stream = client:stream(ids, start_of(ids[1]))
    local streamed, newest, recorded, made = {}, {}, 0, 0
    local known = full_reports(ids)
    while made < 60 do
      local report = assert(stream:read(PATIENCE))
      assert.is_true(not newest[report.feed_id] or newest[report.feed_id] <= report.observations_timestamp)
      newest[report.feed_id] = report.observations_timestamp
      if report.observations_timestamp <= last_of(report.feed_id).observations_timestamp then
        assert.is_true(known[report.full_report])
        recorded = recorded + 1
      else
        assert(report:verify(signers))
        assert.is_nil(known[report.full_report])
        local first = taken[report.feed_id][1]
        assert.equal(first.expires_at - first.observations_timestamp, report.expires_at - report.observations_timestamp)
        streamed[#streamed + 1], made = report, made + 1
      end
    end
    assert.equal(#taken[ids[1]] + #taken[ids[2]], recorded)
    local stats = stream:stats()
    assert.same({ 0, 0, 0 }, { stats.lost, stats.decode_errors, stats.rejected })
    stream:close()
    for _, id in ipairs(ids) do -- REST has the very same
      local served = {}
      for report in client:reports(id, taken[id][1].observations_timestamp, newest[id]) do
        served[report.full_report] = true
      end
      for _, report in ipairs(streamed) do
        if report.feed_id == id then assert.is_true(served[report.full_report]) end
      end
      assert.is_true(served[taken[id][1].full_report])
    end
    client:close()
    sim:stop()
  end)

  it("may be a folder, and all there at once", function()
    local sim = simulator.start { replay = folder, rate_limit = 0, rate = 100 }
    local client = sim:client { rate_limit = false }
    for _, id in ipairs(ids) do
      local n = 0
      for report in client:reports(id, 0, 4294967295) do
        n = n + 1
        assert.is_true(report == taken[id][n])
      end
      assert.equal(#taken[id], n)
    end
    client:close()
    sim:stop()
  end)

  it("is asked for rightly", function()
    for words, text in pairs {
      ["--loop"] = "--speed and --loop are of --replay", ["--replay /nonexistent"] = "cannot open /nonexistent",
      ["--speed 0 --replay x"] = "--speed must be a number",
    } do
      local output, status = project.run("timeout 60 chainlink-streams simulate " .. words)
      assert.is_true(status == 1 or status == 2)
      assert.truthy(output:find(text, 1, true), output)
    end
    local unknown = folder .. "/unknown"
    local full = recording.report(3, 1, 1700000000):gsub(recording.id(3, 1):sub(3), recording.id(4095, 1):sub(3))
    project.write(unknown, full .. "\n")
    local output, status = project.run("timeout 60 chainlink-streams simulate --loop --replay " .. unknown)
    assert.equal(1, status)
    assert.truthy(output:find("not known here", 1, true), output)
  end)
end)
