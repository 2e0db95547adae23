-- SPDX-License-Identifier: MIT
-- What the engine is asked for when a recording is replayed, without a recording.

local check = require "spec.support.failure"
local core = require "chainlink.core"
local errors = require "chainlink.errors"
local replay = require "chainlink.replay"
local sample = require "spec.support.sample"
local stream = require "chainlink.stream"

local ID = sample.feed_id(3)

describe("a replay", function()
  local engine_replay, feeds_of, prepare, for_loop = core.replay, core.replay_feeds, stream.prepare, stream.for_loop
  local asked, state, failure
  local handle = { "replay" }

  before_each(function()
    asked, state, failure = {}, {}, nil
    core.replay = function(...)
      asked[#asked + 1] = { ... }
      if failure then return nil, failure end
      return handle
    end
    core.replay_feeds = function(own)
      assert.equal(handle, own)
      return { ID }
    end
    stream.prepare = function(own, ids, values, loop)
      assert.equal(handle, own)
      assert.same({ ID }, ids)
      state.values, state.wait = values, loop.wait
      return state
    end
    stream.for_loop = function(own) return own, "for a loop" end
  end)

  after_each(function()
    core.replay, core.replay_feeds, stream.prepare, stream.for_loop = engine_replay, feeds_of, prepare, for_loop
  end)

  local function options_of(options)
    assert.same({ handle, "for a loop" }, { replay("file", options) })
    local given = asked[#asked]
    assert.equal(3, #given)
    return given[3], given[2], given[1]
  end

  it("is of one recording or of several, at its own speed where none is given", function()
    local given, ids, paths = options_of()
    assert.same({ speed = 1 }, given)
    assert.same({}, ids)
    assert.same({ "file" }, paths)
    assert.equal("file", state.host)
    assert.equal(handle, (replay { "one", "two" }))
    assert.same({ "one", "two" }, asked[2][1])
    assert.equal("one", state.host)
  end)

  it("is as fast, and of the time and the feeds, that are wanted", function()
    assert.same({ speed = 0 }, (options_of { speed = "max" }))
    for _, speed in ipairs { 1e-6, 0.5, 1e6 } do assert.same({ speed = speed }, (options_of { speed = speed })) end
    for _, time in ipairs { 0, 2 ^ 32 - 1 } do
      assert.same({ speed = 1, from = time, to = time }, (options_of { from = time, to = time }))
    end
    local _, ids = options_of { feeds = { ID:upper():gsub("X", "x"), ID } }
    assert.same({ ID }, ids)
    assert.same({ speed = 1 }, (options_of { verify = false }))
  end)

  it("takes no other", function()
    local function raises(words, options)
      check.says(check.raised("ConfigError", {}, replay, "file", options), words)
    end
    for _, wrong in ipairs { 0, 9e-7, 1000001, "fast", false } do
      raises('option \'speed\' must be a number above 0, or "max"', { speed = wrong })
    end
    for _, name in ipairs { "from", "to" } do
      for _, wrong in ipairs { -1, 0.5, 2 ^ 32, 2 ^ 32 + 1 } do
        raises(("option '%s' must be a time in seconds since 1970"):format(name), { [name] = wrong })
      end
    end
    raises("option 'feeds' must be an array of feed ids", { feeds = ID })
    raises("feed_ids", { feeds = {} })
    raises("option 'loop'", { loop = "nonsense" })
    raises("on_response", { on_response = print })
    assert.same({}, asked)
  end)

  it("wants the name of a recording, or names", function()
    local function raises(message, path)
      assert.equal(message, check.raised("ConfigError", {}, replay, path).message)
    end
    for _, wrong in ipairs { {}, 5, false } do
      raises("path must be the name of a recording, or an array of names, got " .. errors.describe(wrong), wrong)
    end
    for _, wrong in ipairs { "", "a\0b" } do
      raises("path must be the name of a file or folder, got " .. errors.describe(wrong), wrong)
      raises("path must be the name of a file or folder, got " .. errors.describe(wrong), { "a", wrong })
    end
    raises("path must be the name of a file or folder, got 5", { "a", 5 })
  end)

  it("has a stream's callbacks, and is silent where it has no logger", function()
    local function logger() end
    local function on_status() end
    local function wait() end
    assert.equal(handle, (replay("file", { log_level = "debug", on_status = on_status, loop = wait })))
    assert.equal("none", state.values.log_level)
    assert.equal(on_status, state.values.on_status)
    assert.equal(wait, state.wait)
    assert.equal(handle, (replay("file", { log_level = "debug", logger = logger })))
    assert.same({ logger, "debug" }, { state.values.logger, state.values.log_level })
  end)

  it("gives back why it cannot be", function()
    failure = errors.new("NetworkError", "no such file")
    assert.equal(failure, check.failure("NetworkError", {}, replay "file"))
  end)
end)
