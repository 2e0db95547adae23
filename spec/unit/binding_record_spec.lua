-- SPDX-License-Identifier: MIT
-- Recorders and replays below the Lua layer: what goes into a file and when, how files are rotated, which part of a
-- recording comes back.

local chainlink = require "chainlink"
local cjson = require "cjson"
local core = require "chainlink.core"
local own_folder = require "spec.support.own_folder"
local project = require "spec.support.project"
local raises = require("spec.support.refusal").raises
local recording = require "spec.support.recording"
local sample = require "spec.support.sample"
local simulator = require "spec.support.simulator"

local T = 1700000000
local ID, OTHER = recording.id(3, 1), recording.id(3, 2)

local function report(second, number) return assert(chainlink.decode(recording.report(3, number or 1, second))) end

-- A report of a feed whose times are milliseconds.
local function report_of_ms(ms)
  local function uint(value) return ("0"):rep(48) .. ("%08x%08x"):format(math.floor(value / 2 ^ 32), value % 2 ^ 32) end
  return assert(chainlink.decode(sample.report { recording.id(0x1003, 7):sub(3), uint(ms), uint(ms), uint(1), uint(2),
    uint(ms + 1e6), uint(1), uint(2), uint(3) }))
end

-- How many values a call gives, and the values.
local function all(...) return select("#", ...), ... end

describe("the binding's recorders", function()
  local folder, path, recorder
  own_folder(function(...) folder, path = ... end)
  before_each(function() recorder = core.recorder() end)

  local function read() return project.read(path) end
  local function is_true(...) assert.same({ 1, true }, { all(...) }) end

  local function lines()
    local list = {}
    for line in read():gmatch "[^\n]+" do list[#list + 1] = cjson.decode(line) end
    return list
  end

  local function record(options, to) return core.record(recorder, to or path, { ID }, options or {}) end

  it("write what they are told, when they are told to", function()
    is_true(record())
    assert.same({ reports = 0, bytes = #read(), unwritten = 0, files = 1 }, core.record_stats(recorder))
    assert.equal(0, all(core.record_due(recorder)))
    local before = read()
    assert.equal(0, all(core.recorder_report(recorder, report(T))))
    local due = core.record_due(recorder)
    assert.is_true(due > 0 and due <= 1)
    assert.equal(before, read())
    assert.equal(0, all(core.record_write(recorder)))
    assert.same({ reports = 1, bytes = #read(), unwritten = 0, files = 1 }, core.record_stats(recorder))
    assert.equal(0, all(core.record_due(recorder)))
    assert.equal(report(T).full_report, lines()[2].fullReport)
    core.recorder_report(recorder, report(T + 1))
    assert.equal(0, all(core.recorder_pause(recorder)))
    assert.equal(report(T + 1).full_report, lines()[3].fullReport)
    core.recorder_report(recorder, report(T + 2))
    is_true(core.record_flush(recorder))
    assert.equal(report(T + 2).full_report, lines()[4].fullReport)
    core.recorder_report(recorder, report(T + 3))
    is_true(core.record_end(recorder))
    assert.equal(report(T + 3).full_report, lines()[5].fullReport)
  end)

  it("tell of ranges of times", function()
    record()
    assert.equal(0, all(core.recorder_range(recorder, "lost", OTHER, 1000, 2000, "why")))
    core.recorder_range(recorder, "unverified", ID, 3000, 4000, "other")
    core.record_end(recorder)
    local lost, unverified = lines()[2], lines()[3]
    local now = os.time() * 1000
    for _, event in ipairs { lost, unverified } do
      assert.is_true(math.abs(event.time - now) < 60000)
      event.time = nil
    end
    assert.same({ event = "lost", feed = OTHER, from_ms = 1000, to_ms = 2000, reason = "why" }, lost)
    assert.same({ event = "unverified", feed = ID, from_ms = 3000, to_ms = 4000, reason = "other" }, unverified)
    raises("invalid option 'gap'", core.recorder_range, recorder, "gap", ID, 1, 2, "why")
    raises("a feed id is expected", core.recorder_range, recorder, "lost", "0x12", 1, 2, "why")
    raises("bad argument #6", core.recorder_range, recorder, "lost", ID, 1, 2)
  end)

  it("have the feeds in the head, and another head when these change", function()
    record()
    is_true(core.record_feeds(recorder, { ID, OTHER }))
    core.record_end(recorder)
    assert.same({ { ID }, { ID, OTHER } }, { lines()[1].feeds, lines()[2].feeds })
    assert.equal(2, #lines())
  end)

  it("do nothing before they begin, and once they have ended", function()
    for _ = 1, 2 do
      assert.equal(0, all(core.record_stats(recorder)))
      assert.equal(0, all(core.record_due(recorder)))
      assert.equal(0, all(core.record_write(recorder)))
      assert.equal(0, all(core.recorder_report(recorder, report(T))))
      assert.equal(0, all(core.recorder_range(recorder, "lost", ID, 1, 2, "why")))
      assert.equal(0, all(core.recorder_pause(recorder)))
      assert.equal(0, all(core.recorder_event(recorder)))
      is_true(core.record_feeds(recorder, { ID }))
      is_true(core.record_flush(recorder))
      is_true(core.record_end(recorder))
      record()
      raises("it is being recorded", record)
      core.record_end(recorder)
    end
    assert.equal(2, #lines())
  end)

  it("write what waits when nobody has them any more", function()
    record()
    core.recorder_report(recorder, report(T))
    recorder = nil
    collectgarbage()
    collectgarbage()
    assert.equal(report(T).full_report, lines()[2].fullReport)
  end)

  it("begin a new file at a size, and keep one without", function()
    record { rotate_bytes = 1 }
    for i = 1, 2 do
      core.recorder_report(recorder, report(T + i))
      core.record_write(recorder)
    end
    assert.equal(3, core.record_stats(recorder).files)
    core.record_end(recorder)
    record()
    for i = 1, 2 do
      core.recorder_report(recorder, report(T + i))
      core.record_write(recorder)
    end
    assert.equal(1, core.record_stats(recorder).files)
  end)

  it("begin a new file after a time, and keep one without", function()
    for _, case in ipairs { { 31622400, 600, 1 }, { 3600, 7200, 2 }, { nil, 259200, 1 } } do
      record()
      core.record_end(recorder)
      local before = os.date("!%Y%m%d%H%M.%S", os.time() - case[2])
      assert.equal(0, select(2, project.run(("TZ=UTC touch -t %s %s"):format(before, path))))
      record { rotate_seconds = case[1] }
      assert.equal(case[3], core.record_stats(recorder).files)
      core.record_end(recorder)
    end
  end)

  it("tell what was wrong", function()
    project.write(path, '{"format":"chainlink-streams-recording","version":1,"feeds":[]}\n{"cut')
    record()
    local event = core.recorder_event(recorder)
    assert.same({ "log", "warn" }, { event.kind, event.level })
    assert.matches("^recording: .*its 5 bytes are taken away$", event.message)
    assert.equal(0, all(core.recorder_event(recorder)))
    core.record_end(recorder)
    local nothing, err = record({}, folder .. "/no/file")
    assert.is_nil(nothing)
    assert.equal("FileError", err.kind)
    assert.equal(0, all(core.record_stats(recorder)))
    raises("bad argument #2", core.record, recorder, nil, {}, {})
    raises("option 'rotate_bytes' must be a number", record, { rotate_bytes = "1" })
    raises("option 'rotate_seconds' must be a number", record, { rotate_seconds = "1" })
  end)

  it("are recorders, or streams", function()
    local registry = chainlink.signers {}
    for _, other in ipairs { registry, report(T), {}, 5, io.stdout } do
      for _, name in ipairs { "record_stats", "record_due", "record_write", "record_flush", "record_end" } do
        raises("bad argument #1", core[name], other)
      end
      for _, name in ipairs { "recorder_report", "recorder_pause", "recorder_event" } do
        raises("bad argument #1", core[name], other, report(T))
      end
    end
    raises("bad argument #2", core.recorder_report, recorder, recorder)
  end)
end)

describe("the binding's replays", function()
  local folder, remove
  setup(function()
    folder, remove = project.folder()
    local recorder = core.recorder()
    for name, reports in pairs { a = { report(T), report(T, 2), report(T + 1), report(T + 2) },
      b = { report_of_ms(T * 1000 + 999), report_of_ms(T * 1000 + 1000), report_of_ms(T * 1000 + 1999),
        report_of_ms(T * 1000 + 2000) } } do
      assert(core.record(recorder, folder .. "/" .. name, {}, {}))
      for _, one in ipairs(reports) do core.recorder_report(recorder, one) end
      assert(core.record_end(recorder))
    end
  end)
  teardown(function() remove() end)

  -- The times of the reports that come, in milliseconds, and the replay.
  local function times(paths, ids, options)
    local replay, list = assert(core.replay(paths, ids, options)), {}
    while true do
      local one = core.stream_pop(replay)
      if not one then break end
      list[#list + 1] = ("%.0f"):format(one.observations_timestamp_ms - T * 1000)
    end
    return table.concat(list, " "), replay
  end

  local function of(name) return { folder .. "/" .. name } end

  it("give all of it, or a part", function()
    assert.equal("0 0 1000 2000", (times(of "a", {}, { speed = 0 })))
    assert.equal("999 1000 1999 2000", (times(of "b", {}, { speed = 0 })))
    assert.equal("1000", (times(of "a", {}, { speed = 0, from = T + 1, to = T + 1 })))
    assert.equal("1000 1999", (times(of "b", {}, { speed = 0, from = T + 1, to = T + 1 })))
    assert.equal("2000", (times(of "b", {}, { speed = 0, from = T + 2 })))
    assert.equal("999", (times(of "b", {}, { speed = 0, to = T })))
    assert.equal("0", (times(of "a", { OTHER }, { speed = 0 })))
    assert.equal("0 0 1000 2000 999 1000 1999 2000", (times({ of "a"[1], of "b"[1] }, {}, { speed = 0 })))
  end)

  it("are recorded with what they tell as lost", function()
    local from, to = folder .. "/lossy", folder .. "/copy"
    local lost = '{"event":"lost","feed":"%s","from_ms":%d001,"to_ms":%d999,"time":%d500,"reason":"none left"}\n'
    project.write(from, project.read(folder .. "/a") .. lost:format(ID, T, T + 1, T + 9))
    local replay, told = assert(core.replay({ from }, {}, { speed = 0 })), {}
    assert(core.record(replay, to, { ID }, {}))
    repeat until not core.stream_pop(replay)
    for event in core.stream_event, replay do told[#told + 1] = event end
    assert(core.record_end(replay))
    assert.same({ 1, "lost", "none left" }, { #told, told[1].state, told[1].message })
    local written
    for line in project.read(to):gmatch "[^\n]+" do
      if cjson.decode(line).event then written = cjson.decode(line) end
    end
    assert.is_table(written)
    assert.same({ "lost", ID, T * 1000 + 1, (T + 1) * 1000 + 999, "none left" }, { written.event, written.feed,
      written.from_ms, written.to_ms, written.reason })
  end)

  it("have the script look for events after each 64 reports", function()
    local recorder = core.recorder()
    assert(core.record(recorder, folder .. "/many", {}, {}))
    for i = 1, 200 do core.recorder_report(recorder, report(T + i)) end
    assert(core.record_end(recorder))
    local replay, runs, count = assert(core.replay(of "many", {}, { speed = 0 })), {}, 0
    while true do
      local one, look = core.stream_pop(replay)
      if not one and not look then break end
      if not one and look ~= true then break end -- its end
      if one then count = count + 1 else runs[#runs + 1], count = count, 0 end
    end
    assert.same({ 64, 64, 64, 8 }, { runs[1], runs[2], runs[3], count })
  end)

  it("know the feeds that they have met", function()
    local _, replay = times(of "a", {}, { speed = 0 })
    assert.same({ ID, OTHER }, core.replay_feeds(replay))
    assert.same({ OTHER }, core.replay_feeds((assert(core.replay(of "a", { OTHER }, { speed = 0 })))))
    assert.same({}, core.replay_feeds((assert(core.replay(of "a", {}, { speed = 0 })))))
    debug.getmetatable(replay).__gc(replay)
    assert.same({}, core.replay_feeds(replay))
    raises("bad argument #1", core.replay_feeds, 5)
  end)

  it("have a registry of signers, or none", function()
    local got, replay = times(of "a", {}, { speed = 0, verify = chainlink.signers {} })
    assert.equal("", got)
    collectgarbage()
    assert.is_true(core.stream_stats(replay).unverified > 0)
    raises("bad argument #4", core.replay, of "a", {}, { speed = 0, verify = io.stdout })
    assert.equal("0 0 1000 2000", (times(of "a", {}, { speed = 0, verify = true })))
  end)

  it("are of files, by their names", function()
    local nothing, err = core.replay(of "none", {}, { speed = 0 })
    assert.is_nil(nothing)
    assert.equal("FileError", err.kind)
    raises("table expected", core.replay, folder .. "/a", {}, {})
    raises("string expected", core.replay, { folder .. "/a", {} }, {}, {})
    raises("table expected", core.replay, of "a", {})
    raises("a table without a metatable expected", core.replay, of "a", {}, setmetatable({}, {}))
    for _, name in ipairs { "speed", "from", "to" } do
      raises(("option '%s' must be a number"):format(name), core.replay, of "a", {}, { [name] = "1" })
    end
  end)
end)

describe("the binding's probes", function()
  it("tell how far they came", function()
    local client = chainlink.client { api_key = "k", api_secret = "s", rest_url = "http://127.0.0.1:1", proxy = false }
    finally(function() client:close() end)
    local probe = core.probe(client, 0, false, false)
    assert.same({ "NetworkError", 0 }, { probe.error.kind, probe.status })
    assert.is_string(probe.stage)
    local now = os.time()
    for _, name in ipairs { "sent_at", "received_at" } do assert.is_true(math.abs(probe[name] - now) < 60) end
    for _, name in ipairs { "date", "origins", "certificate" } do assert.is_nil(probe[name]) end
    client:close()
    local nothing, err = core.probe(client, 0, false, false)
    assert.is_nil(nothing)
    assert.equal("StreamClosedError", err.kind)
  end)

  it("know whose certificate a service has, by whom, and for how long", function()
    local service = simulator.start { feeds = 1 }
    local client = service:client { proxy = false }
    finally(function()
      client:close()
      service:stop()
    end)
    local probe = core.probe(client, 0, false, false)
    assert.equal("done", probe.stage)
    local certificate, now = probe.certificate, os.time()
    local function without_blanks(text) return (text:gsub(" ", "")) end -- OpenSSL's form of a name has some, or none
    assert.equal("CN=localhost", without_blanks(certificate.subject))
    assert.equal("CN=DataStreamssimulatorauthority", without_blanks(certificate.issuer))
    assert.matches("^DNS:localhost, IP Address:127%.0%.0%.1, ", certificate.names)
    assert.is_true(math.abs(certificate.from + 86400 - now) < 300)
    assert.equal(91 * 86400, certificate.till - certificate.from)
  end)

  it("know the libraries, and how many files may be open", function()
    local versions, err = core.versions()
    assert.is_nil(err)
    for _, name in ipairs { "libcurl", "libwebsockets", "openssl" } do assert.matches("%d+%.%d+", versions[name]) end
    local folder, remove = project.folder()
    finally(remove)
    project.write(folder .. "/script.lua", "io.write(require('chainlink.core').file_limit())")
    for _, limit in ipairs { "64", "100" } do
      local output = project.run(("ulimit -n %s && %s %s/script.lua"):format(limit, project.lua, folder))
      assert.equal(tonumber(limit), tonumber(output))
    end
  end)
end)
