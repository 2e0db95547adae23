-- SPDX-License-Identifier: MIT
-- Files of recordings that a command writes and goes on with: to the letter.

local chainlink = require "chainlink"
local failure = require "spec.support.failure"
local files = require "chainlink.cli.files"
local jsonl = require "chainlink.cli.files.jsonl"
local project = require "spec.support.project"
local recording = require "spec.support.recording"
local sample = require "spec.support.sample"
local standard_error = require "spec.support.standard_error"

local T = 1700000000
local A, B = recording.id(3, 1), recording.id(3, 2)

local function report(second, number) return assert(chainlink.decode(recording.report(3, number or 1, second, T))) end

describe("a recording that a command writes", function()
  local folder, remove, path
  before_each(function()
    folder, remove = project.folder()
    path = folder .. "/file.jsonl"
  end)
  after_each(function() remove() end)

  local function line(second)
    return ('{"feedID":"%s","fullReport":"%s","validFromTimestamp":%d,"observationsTimestamp":%d}'):format(A,
      report(second).full_report, T, second)
  end

  local function write(options, ...)
    local file = jsonl.write(path, { A, B }, options)
    for _, second in ipairs { ... } do
      file:write(report(second))
      file:settle()
    end
    file:close()
    return file.last
  end

  local HEAD = ('{"format":"chainlink-streams-recording","version":1,"client":"%s"%s,"feeds":["%s","%s"]}'):format(
    chainlink._VERSION, ',"from":1700000000', A, B)

  it("has a head, and a line a report", function()
    assert.is_nil(write({ from = T }, T, T + 1))
    assert.equal(HEAD .. "\n" .. line(T) .. "\n" .. line(T + 1) .. "\n", project.read(path))
  end)

  it("has no beginning where it is no history", function()
    write {}
    assert.equal(HEAD:gsub(',"from":%d+', "") .. "\n", project.read(path))
  end)

  it("is gone on with where its last second begins", function()
    write({ from = T }, T, T + 1, T + 2)
    assert.equal(T + 2, write({ from = T, resume = true }, T + 2, T + 3))
    assert.equal(table.concat({ HEAD, line(T), line(T + 1), line(T + 2), line(T + 3), "" }, "\n"), project.read(path))
    assert.equal(T + 3, write { from = T + 1, resume = true })
  end)

  local function refusal(head, from)
    project.write(path, head .. "\n")
    local err = failure.raised("FileError", {}, write, { from = from or T, resume = true })
    assert.equal(path, err.message:sub(1, #path))
    return err.message:sub(#path + 2)
  end

  it("is not gone on with where it is another", function()
    assert.equal("begins at 1700000000, which is later than --from, 1699999999", refusal(HEAD, T - 1))
    assert.equal("is of other feeds", refusal((HEAD:gsub(B, "0x0003" .. ("cd"):rep(30)))))
    assert.equal("is a recording that was made in another way", refusal((HEAD:gsub(',"from":%d+', ""))))
    assert.equal("is no recording", refusal((HEAD:gsub("feeds", "seeds"))))
    assert.equal("is no recording", refusal((HEAD:gsub('"feeds":%[.*%]', '"feeds":"x"'))))
    assert.equal("is no recording", refusal((HEAD:gsub('"version":1', '"version":2'))))
    assert.equal("is no recording", refusal("{" .. HEAD))
    assert.equal("is no recording", refusal(HEAD .. "x"))
  end)

  it("tells milliseconds where there are some, and how a report came where that is asked for", function()
    local one = chainlink.decode(sample.ms_v3)
    local start = ('{"feedID":"%s","fullReport":"%s","validFromTimestamp":1700000000,'
      .. '"validFromTimestampMs":1700000000123,"observationsTimestamp":1700000000,'
      .. '"observationsTimestampMs":1700000000124'):format(one.feed_id, one.full_report)
    assert.equal(start .. "}", jsonl.line(one))
    assert.equal(start .. "}", jsonl.line(one, true))
    local came = { feed_id = "f", full_report = "r", resolution = "s", valid_from_timestamp = 1,
      valid_from_timestamp_ms = 9, observations_timestamp = 2, observations_timestamp_ms = 9, received_at = 7.0006,
      origin = "o1", backfilled = true }
    start = '{"feedID":"f","fullReport":"r","validFromTimestamp":1,"observationsTimestamp":2'
    assert.equal(start .. "}", jsonl.line(came))
    assert.equal(start .. ',"received_at":7001,"origin":"o1","backfilled":true}', jsonl.line(came, true))
    came.received_at, came.origin, came.backfilled = 7.0004, nil, false
    assert.equal(start .. ',"received_at":7000}', jsonl.line(came, true))
    came.valid_from_timestamp = nil
    assert.equal('{"feedID":"f","fullReport":"r","observationsTimestamp":2}', jsonl.line(came))
  end)

  it("keeps how reports came where it is to", function()
    local came = { feed_id = A, full_report = "r", resolution = "s", observations_timestamp = 2, received_at = 7 }
    for keeps, words in pairs { [true] = ',"received_at":7000', [false] = "" } do
      os.remove(path)
      local file = jsonl.write(path, { A }, { keeps_arrival = keeps })
      file:write(came)
      file:close()
      assert.equal(('{"feedID":"%s","fullReport":"r","observationsTimestamp":2%s}'):format(A, words),
        project.read(path):match "\n(.*)\n$")
    end
  end)

  it("is read again, and what cannot be read is counted", function()
    project.write(path, HEAD .. "\n" .. line(T) .. "\nrubbish\n" .. line(T + 1) .. "\n")
    for _, complains in ipairs { true, false } do
      local told = {}
      local next_report, close = files.read(path, complains and function(place, reason)
        told[#told + 1] = place .. ": " .. reason
      end or nil)
      local words, seen = standard_error.of(function()
        local seconds = {}
        for one in next_report do seconds[#seconds + 1] = one.observations_timestamp - T end
        return seconds
      end)
      close()
      assert.same({ 0, 1 }, seen)
      assert.same(complains and { path .. ": 1 lines cannot be read" } or {}, told)
      assert.equal(complains, words:find("# warn: ", 1, true) == 1)
    end
  end)

  it("is there when a second is whole, before the end", function()
    local file = jsonl.write(path, { A, B }, { from = T })
    file:write(report(T))
    file:settle()
    local text = project.read(path)
    file:close()
    assert.equal(HEAD .. "\n" .. line(T) .. "\n", text)
  end)

  it("is read until something else than its end comes, and closed once", function()
    local replay, closed, err = chainlink.replay, 0, { kind = "FileError" }
    finally(function() chainlink.replay = replay end)
    chainlink.replay = function()
      return { read = function() return nil, err end, close = function() closed = closed + 1 end }
    end
    local next_report, close = jsonl.read(path)
    local good, raised = pcall(next_report)
    assert.is_false(good)
    assert.equal(err, raised)
    close()
    assert.equal(1, closed)
    chainlink.replay = function() return nil, err end
    good, raised = pcall(jsonl.read, path)
    assert.is_false(good)
    assert.equal(err, raised)
  end)

  it("tells nothing of a file that is whole", function()
    write({ from = T }, T)
    local next_report, close = files.read(path, function() error "it complains" end)
    assert.is_table({ next_report() })
    assert.is_nil((next_report()))
    close()
  end)
end)
