-- SPDX-License-Identifier: MIT
-- Compression, where the build has it; otherwise the error that says so.

local cjson = require "cjson"
local chainlink = require "chainlink"
local check = require "spec.support.failure"
local sample = require "spec.support.sample"

local there = chainlink.compress "" ~= nil

describe("compression", function()
  if not there then
    it("answers an error in a build without libsnappy", function()
      check.says(check.failure("ConfigError", {}, chainlink.compress "text"), "libsnappy")
      check.says(check.failure("ConfigError", {}, chainlink.decompress "\4\12text"), "libsnappy")
      check.says(check.failure("ConfigError", {}, chainlink.decode(sample.v3):compress()), "libsnappy")
    end)
    return
  end

  it("is Snappy's block format", function()
    assert.are.equal("text", chainlink.decompress "\4\12text")
    assert.are.equal("", chainlink.decompress(chainlink.compress ""))
    local bytes = chainlink.decode(sample.v3):bytes()
    local packed = chainlink.compress(bytes)
    assert.is_true(#packed < #bytes / 2)
    assert.are.equal(bytes, chainlink.decompress(packed))
  end)

  it("of a report is that of its JSON, as the service sends it", function()
    local text = chainlink.decompress(chainlink.decode(sample.v3):compress())
    assert.are.equal(('{"feedID":"%s","validFromTimestamp":1700000000,"observationsTimestamp":1700000001,'
      .. '"fullReport":"%s"}'):format(sample.feed_id(3), sample.v3), text)
    local unknown = cjson.decode(chainlink.decompress(chainlink.decode(sample.v99):compress()))
    assert.are.same({ 0, 0 }, { unknown.validFromTimestamp, unknown.observationsTimestamp })
  end)

  it("refuses what is none", function()
    for _, bytes in ipairs { "", "\255", "text", ("\255"):rep(100), "\255\255\255\255\15\0" } do
      check.failure("DecodeError", {}, chainlink.decompress(bytes))
    end
    check.failure("DecodeError", {}, chainlink.compress(("x"):rep(3 * 1024 * 1024)))
    check.raised("ConfigError", {}, chainlink.compress, nil)
    check.raised("ConfigError", {}, chainlink.decompress, 5)
  end)
end)
