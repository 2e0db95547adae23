-- SPDX-License-Identifier: MIT
-- The command relay around a relay and sinks of the spec's: what it opens, and what it tells.

local command = require "chainlink.cli.relay"
local errors = require "chainlink.errors"
local failure = require "spec.support.failure"
local options = require "chainlink.cli.options"
local project = require "spec.support.project"
local recording = require "spec.support.recording"
local standard_error = require "spec.support.standard_error"
local stopped_clock = require "spec.support.stopped_clock"

local A, B = recording.id(3, 1), recording.id(3, 2)
local NAMES = { "chainlink.relay", "chainlink.relay.sink", "chainlink.relay.kafka" }

describe("the command relay", function()
  local loaded, clock, told, sink, relay = {}, nil, nil, nil, nil

  before_each(function()
    clock, told = stopped_clock.at(1000), {}
    sink = { close = function() told.is_closed = true end }
    relay = { start = function(client, ids, to, with)
      told.client, told.ids, told.sink, told.with = client, ids, to, with
      told.run()
    end }
    told.run = function() end
    local function opens(kind)
      return { new = function(given)
        told.kind, told.given = kind, given
        if told.refusal then return nil, told.refusal end
        return sink
      end }
    end
    for i, module in ipairs { relay, opens "redis", opens "kafka" } do
      loaded[i], package.loaded[NAMES[i]] = package.loaded[NAMES[i]] or false, module
    end
  end)
  after_each(function()
    clock.restore()
    for i, name in ipairs(NAMES) do package.loaded[name] = loaded[i] or nil end
  end)

  local function run(values)
    return standard_error.of(command.run, "client", values, { A, B })
  end

  it("passes reports on to Redis, for as long as it is told", function()
    local words, code = run { redis = "redis://u:p@h:1", keep = 70 }
    assert.equal("", words)
    assert.is_nil(code)
    assert.same({ "redis", 70, "p", "u" }, { told.kind, told.given.keep, told.given.access.password,
      told.given.access.user })
    assert.same({ A, B }, told.ids)
    assert.equal("client", told.client)
    assert.equal(sink, told.sink)
    assert.is_true(told.is_closed)
  end)

  it("passes them on to Kafka, with a file of settings", function()
    local folder, remove = project.folder()
    project.write(folder .. "/settings", "a=1\n")
    run { kafka = "kafka://h:1/t", ["kafka-settings"] = folder .. "/settings" }
    remove()
    assert.equal("kafka", told.kind)
    assert.same({ a = "1" }, told.given.settings)
    assert.same({ servers = "h:1", topic = "t" }, told.given.access)
    run { kafka = "kafka://h:1/t" }
    assert.is_nil(told.given.settings)
    failure.raised("FileError", {}, run, { kafka = "kafka://h:1/t", ["kafka-settings"] = folder .. "/none" })
  end)

  it("wants one place, and no two", function()
    local url, topic = "redis://h", "kafka://h/t"
    for _, values in ipairs { {}, { redis = url, kafka = topic }, { redis = url, listen = "unix:/x" },
      { kafka = topic, listen = "unix:/x" }, { redis = url, kafka = topic, listen = "unix:/x" } } do
      local ok, err = pcall(run, values)
      assert.is_false(ok)
      assert.is_true(options.is_usage_error(err))
      assert.equal("relay needs one of --redis URL, --kafka URL and --listen ADDRESS", err.message)
    end
    assert.is_nil(told.kind)
  end)

  it("tells what it lacks of its rock", function()
    for value, name in pairs { redis = "chainlink.relay.sink", kafka = "chainlink.relay.kafka" } do
      package.loaded[name], package.preload[name] = nil, function() error("no such library\nand more", 0) end
      local words, code = run { [value] = value == "redis" and "redis://h" or "kafka://h/t", keep = 60 }
      package.preload[name] = nil
      assert.equal(1, code)
      assert.matches("^chainlink%-streams: this comes with the rock chainlink%-streams%-relay, .*: no such library\n$",
        words)
      assert.is_nil(told.kind)
    end
  end)

  it("raises why there is no sink, and what ended the relay, when that is closed", function()
    local err = errors.new("ConfigError", "no")
    told.refusal = err
    local ok, raised = pcall(run, { redis = "redis://h", keep = 60 })
    assert.same({ false, err }, { ok, raised })
    assert.is_nil(told.is_closed)
    told.refusal, told.run = nil, function() error("a text", 0) end
    ok, raised = pcall(run, { redis = "redis://h", keep = 60 })
    assert.same({ false, "a text", true }, { ok, raised, told.is_closed })
  end)

  it("tells what goes on", function()
    function told.run()
      told.with.log("info", "connected\27")
      told.given.log("warn", "gone")
      told.with.on_status { state = "connected", host = "h\27" }
      told.with.on_status { state = "disconnected", host = "h", reason = "why\27" }
      told.with.on_status { state = "lost", feed_id = A }
      told.with.on_status { state = "closed" }
    end
    assert.equal(("# info: connected?\n# warn: gone\n# connected h?\n# disconnected h why?\n# lost %s\n# closed \n")
      :format(A), (run { redis = "redis://h", keep = 60 }))
  end)

  it("tells each minute what was done, and at once what came too late", function()
    local at = {}
    function told.run()
      local totals = { added = 5, known = 4, late = 0, old = 2 }
      for i = 1, 5 do
        if i == 2 then totals.late = 3 end
        if i == 3 then totals.late = 4 end
        clock.now = ({ 1059.5, 1060, 1061, 1119.5, 1120 })[i]
        at[i] = standard_error.of(told.with.on_batch, totals)
      end
    end
    run { redis = "redis://h", keep = 60 }
    local figures = "# 5 reports added, 4 there already, %d too late, 2 too old\n"
    assert.same({ "", "# warn: 3 reports came too late and were put aside\n" .. figures:format(3),
      "# warn: 1 reports came too late and were put aside\n", "", figures:format(4) }, at)
  end)

  it("is quiet where it is to be, but for errors", function()
    function told.run()
      clock.now = 2000
      told.with.log("info", "connected")
      told.given.log("error", "broken")
      told.with.on_batch { added = 5, known = 4, late = 1, old = 2 }
      assert.is_nil(told.with.on_status)
    end
    assert.equal("# error: broken\n", (run { redis = "redis://h", keep = 60, quiet = true }))
  end)

  it("waits by its own loop where it listens alone", function()
    assert.is_nil(command.client_options { redis = "redis://h" })
    local values, waits = { listen = "unix:/x" }, {}
    local given = command.client_options(values)
    values.service = { wait = function(_, fd, seconds) waits[#waits + 1] = fd .. " " .. seconds end }
    given.loop(7, 2)
    assert.same({ "7 2" }, waits)
    values.service = nil
    given.loop(-1, 0)
    assert.equal(1, #waits)
  end)
end)
