-- SPDX-License-Identifier: MIT
-- What a source gives, recorded: as a stream's recording, which is replayed.

local chainlink = require "chainlink"
local failure = require "spec.support.failure"
local project = require "spec.support.project"
local redis_server = require "spec.support.redis_server"
local simulator = require "spec.support.simulator"

local has_module, why = pcall(require, "chainlink.redis")
local absent = not has_module and "built without hiredis: " .. why:match "^[^\n]*"
  or not redis_server.is_there() and "redis-server is not here" or nil

if absent then
  describe("a source's recording", function() it("is written", function() pending(absent) end) end)
  return
end

local address, keys = require "chainlink.relay.address", require "chainlink.relay.keys"
local sinks = require "chainlink.relay.sink"

describe("a source's recording", function()
  local server, sim, sink, id, list, folder, remove, path, source

  setup(function()
    sim = simulator.start { rate_limit = 0, feeds = 2, signers = 2 }
    local client = sim:client { rate_limit = false }
    id, list = assert(client:get_feeds())[2].id, {}
    for report in client:reports(id, os.time() - 60, os.time() - 30) do list[#list + 1] = report end
    client:close()
  end)
  teardown(function() sim:stop() end)

  before_each(function()
    server = redis_server.start()
    sink = assert(sinks.new { access = address.parse(server.url, "url"), keep = 3600, log = function() end })
    folder, remove = project.folder()
    path = folder .. "/eth.jsonl"
  end)
  after_each(function()
    source:close()
    sink:close()
    server:stop()
    remove()
  end)

  -- Puts reports there, from the list's place `first` to `last`.
  local function add(first, last)
    local items = {}
    for i = first, last do items[#items + 1] = { report = list[i] } end
    sink:add { [id] = items }
  end

  local function open(options)
    local all = { url = server.url, feeds = { id }, from = "all", log_level = "none", loop = "block" }
    for name, value in pairs(options or {}) do all[name] = value end
    source = assert(chainlink.source.redis(all))
  end

  local function read(count)
    local taken = {}
    for i = 1, count do taken[i] = assert(source:read(10)) end
    return taken
  end

  local function replayed(file)
    local reports, events = {}, {}
    local replay = assert(chainlink.replay(file, { speed = "max", log_level = "none",
      on_status = function(event) events[#events + 1] = event end }))
    for report in replay do reports[#reports + 1] = report end
    return reports, events
  end

  for _, ending in ipairs { "", ".gz" } do
    it("has what was taken, as it came, and what was told of holes: eth.jsonl" .. ending, function()
      local file, told = path .. ending, {}
      open { on_status = function(event) told[#told + 1] = event end }
      local done, err = source:record(file)
      if not done and err.kind == "ConfigError" then return pending(err.message) end
      assert(done, err)
      add(1, 3)
      local taken = read(3)
      add(4, 9)
      server:ask("XTRIM " .. keys.stream(id) .. " MAXLEN 1")
      taken[4] = read(1)[1]
      assert.is_true(source:flush())
      assert.equal(4, source:stats().recording.reports)
      source:close()
      local reports, events = replayed(file)
      assert.equal(4, #reports)
      for i, report in ipairs(reports) do
        for _, name in ipairs { "full_report", "received_at", "origin", "backfilled" } do
          assert.equal(taken[i][name], report[name], name)
        end
      end
      local lost = told[#told]
      assert.equal("lost", lost.state)
      assert.equal(1, #events)
      for _, name in ipairs { "state", "feed_id", "from_ms", "to_ms", "reason" } do
        assert.equal(lost[name], events[1][name], name)
      end
    end)
  end

  it("is on the disk before the script waits, and ends without the source", function()
    open()
    assert(source:record(path))
    add(1, 2)
    read(2)
    failure.failure("TimeoutError", {}, source:read(0))
    assert.equal(2, #replayed(path))
    assert.is_true(source:unrecord())
    assert.is_nil(source:stats().recording)
    add(3, 4)
    read(2)
    assert.equal(2, #replayed(path))
    assert(source:record(path))
    failure.says(failure.raised("ConfigError", {}, source.record, source, path), "is being recorded already")
    add(5, 5)
    read(1)
    source:close()
    failure.failure("StreamClosedError", {}, source:record(path))
    local reports, events = replayed(path)
    assert.equal(list[5].full_report, reports[3].full_report)
    assert.equal("the recording was interrupted", events[1].reason)
  end)

  it("tells by the logger what was mended, and what it cannot write", function()
    local lines = {}
    open { log_level = "warn", logger = function(_, line) lines[#lines + 1] = line end }
    assert(source:record(path))
    add(1, 2)
    read(2)
    assert.is_true(source:unrecord())
    project.write(path, project.read(path):sub(1, -20))
    assert(source:record(path))
    assert.matches("^recording: .*eth.jsonl ended in a line that was cut", lines[1])
    assert.is_true(source:unrecord())
    assert.equal(1, #replayed(path))
    project.write(path, "something else\n")
    failure.failure("FileError", {}, source:record(path))
    assert.is_true(source:flush())
    read(0)
  end)

  it("says what did not verify", function()
    local others = {}
    for i = 1, 4 do others[i] = "0x" .. tostring(i):rep(40) end
    open { verify = { signers = others, f = 1 } }
    assert(source:record(path))
    add(1, 1)
    failure.failure("TimeoutError", {}, source:read(0.5))
    source:close()
    local reports, events = replayed(path)
    assert.equal(0, #reports)
    assert.equal("unverified", events[1].state)
    assert.equal(list[1].observations_timestamp_ms, events[1].from_ms)
  end)
end)
