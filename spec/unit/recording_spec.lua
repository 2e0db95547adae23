-- SPDX-License-Identifier: MIT
-- What the engine is asked for when a stream is recorded, without an engine that writes.

local check = require "spec.support.failure"
local core = require "chainlink.core"
local errors = require "chainlink.errors"
local recording = require "chainlink.recording"

describe("a recording", function()
  local replaced, stream, client, state, client_state, asked, stats, failure

  before_each(function()
    replaced, asked, stats, failure = {}, {}, nil, nil
    stream, client, client_state = { "stream" }, { "client" }, {}
    state = { feeds = { ["0x02"] = true, ["0x01"] = true, ["0x03"] = false }, client = client }
    for _, name in ipairs { "record", "record_stats", "record_feeds", "record_write", "uservalue" } do
      replaced[name] = core[name]
    end
    core.record = function(...)
      asked[#asked + 1] = { "record", ... }
      if failure then return nil, failure end
      return true
    end
    core.record_stats = function(own)
      assert.equal(stream, own)
      return stats
    end
    core.record_feeds = function(...) asked[#asked + 1] = { "feeds", ... } end
    core.record_write = function(own) asked[#asked + 1] = { "write", own } end
    core.uservalue = function(own)
      assert.equal(client, own)
      return client_state
    end
  end)

  after_each(function()
    for name, value in pairs(replaced) do core[name] = value end
  end)

  it("has the feeds in the order of their ids", function()
    assert.same({ "0x01", "0x02", "0x03" }, recording.ids(state))
    assert.same({}, recording.ids { feeds = {} })
  end)

  it("begins with the feeds, and the client knows of it as long as there is the stream", function()
    assert.is_true(recording.start(stream, state, "file"))
    assert.same({ { "record", stream, "file", { "0x01", "0x02", "0x03" }, { fsync = false } } }, asked)
    assert.same({ [stream] = true }, client_state.recorded)
    assert.equal("k", getmetatable(client_state.recorded).__mode)
    local first, another = client_state.recorded, { "another" }
    stream = another
    assert.is_true(recording.start(another, state, "file"))
    assert.equal(first, client_state.recorded)
    assert.is_true(first[another])
    state.client = nil -- a replay's
    assert.is_true(recording.start(another, state, "file"))
  end)

  it("is unknown to the client when it cannot begin", function()
    failure = errors.new("NetworkError", "no such folder")
    assert.equal(failure, check.failure("NetworkError", {}, recording.start(stream, state, "file")))
    assert.is_nil(client_state.recorded)
  end)

  it("is rotated by bytes and by seconds", function()
    local values = { rotate_bytes = 1, rotate_seconds = 1, fsync = true }
    for _, most in ipairs { false, { 2 ^ 53, 31622400 } } do
      if most then values.rotate_bytes, values.rotate_seconds = most[1], most[2] end
      assert.is_true(recording.start(stream, state, "file", values))
      assert.same(values, asked[#asked][5])
    end
    for name, list in pairs { rotate_bytes = { 0, 2 ^ 53 + 2, 1.5, "1" }, rotate_seconds = { 0, 31622401, 1.5 },
      fsync = { 1 } } do
      for _, wrong in ipairs(list) do
        check.says(check.raised("ConfigError", {}, recording.start, stream, state, "file", { [name] = wrong }),
          ("option '%s' must be"):format(name))
      end
    end
    check.says(check.raised("ConfigError", {}, recording.start, stream, state, "file", { verify = true }), "verify")
  end)

  it("wants a path, and a stream that is not recorded yet", function()
    for _, wrong in ipairs { "", "a\0b", 5, false } do
      local err = check.raised("ConfigError", {}, recording.start, stream, state, wrong)
      assert.equal("path must be the name of a file or folder, got " .. errors.describe(wrong), err.message)
    end
    stats = { bytes = 0 }
    check.says(check.raised("ConfigError", {}, recording.start, stream, state, "file"),
      "the stream is being recorded already")
    assert.same({}, asked)
  end)

  it("is told of other feeds, where there is one", function()
    recording.note_feeds(stream, state)
    assert.same({}, asked)
    stats = { bytes = 0 }
    recording.note_feeds(stream, state)
    assert.same({ { "feeds", stream, { "0x01", "0x02", "0x03" } } }, asked)
  end)

  it("is written with all others before the first stream is closed", function()
    client_state.recorded = {}
    local closed = 0
    local function close()
      assert.equal(3, #asked)
      assert.is_nil(client_state.recorded)
      closed = closed + 1
    end
    local streams = { { close = close }, { close = close }, { close = close } }
    for _, one in ipairs(streams) do client_state.recorded[one] = true end
    recording.close_streams(client_state)
    assert.equal(3, closed)
    local written = {}
    for _, call in ipairs(asked) do
      assert.equal("write", call[1])
      written[call[2]] = true
    end
    for _, one in ipairs(streams) do assert.is_true(written[one]) end
  end)
end)
