-- SPDX-License-Identifier: MIT
-- The module itself: what it hands on to its parts, and which parts it has.

local anew = require "spec.support.anew"
local check = require "spec.support.failure"
local core = require "chainlink.core"
local errors = require "chainlink.errors"
local sample = require "spec.support.sample"

describe("the module", function()
  local chainlink, restore

  local function telling(name)
    return function(...) return { name, ... } end
  end

  before_each(function()
    local parts = {}
    for _, part in ipairs { "schemas", "signers", "replay", "bars", "twap", "guard", "source", "onchain" } do
      parts["chainlink." .. part] = { part = part }
    end
    parts["chainlink.client"] = { new = telling "client" }
    parts["chainlink.config"] = { from_environment = telling "environment" }
    parts["chainlink.discovery"] = { public = telling "discovery" }
    parts["chainlink.core"] = setmetatable({ compress = telling "compress", decompress = telling "decompress" },
      { __index = core })
    chainlink, restore = anew.load("chainlink", parts)
  end)
  after_each(function() restore() end)

  it("tells its name and version", function()
    assert.same({ "chainlink", core.version }, { chainlink._NAME, chainlink._VERSION })
  end)

  it("makes clients of options, and of the environment's", function()
    assert.same({ "client", "options" }, chainlink.client "options")
    assert.same({ "client", { "environment", "options" } }, chainlink.client_from_env "options")
    assert.same({ "discovery", "options" }, chainlink.discover "options")
  end)

  it("decodes texts alone", function()
    assert.equal(3.5, chainlink.decode(sample.v3).benchmark_price)
    local err = check.raised("ConfigError", {}, chainlink.decode, 5)
    assert.equal("full_report must be a text of hex or bytes, got 5", err.message)
  end)

  it("compresses bytes alone", function()
    for _, name in ipairs { "compress", "decompress" } do
      assert.same({ name, "bytes" }, chainlink[name] "bytes")
      assert.equal("bytes must be a string, got 5", check.raised("ConfigError", {}, chainlink[name], 5).message)
    end
  end)

  it("tells what a feed's id says", function()
    assert.equal(3, chainlink.feed_version(sample.feed_id(3)))
    assert.equal("s", chainlink.feed_resolution(sample.feed_id(3)))
    for _, name in ipairs { "feed_version", "feed_resolution" } do
      check.says(check.raised("InvalidFeedIDError", {}, chainlink[name], 5), "feed_id must be")
    end
  end)

  it("knows errors, and of which kind they are", function()
    local err = errors.new("APIError", "no")
    assert.is_true(chainlink.is_error(err))
    assert.is_true(chainlink.is_error(err, "APIError"))
    assert.is_false(chainlink.is_error(err, "DecodeError"))
    assert.is_false(chainlink.is_error("no", "APIError"))
    assert.is_false(chainlink.is_error "no")
  end)

  it("has its parts when they are asked for, and no others", function()
    assert.is_nil(rawget(chainlink, "bars"))
    assert.equal("bars", chainlink.bars.part)
    assert.equal("bars", rawget(chainlink, "bars").part)
    assert.is_nil(rawget(chainlink, "twap"))
    assert.is_nil(chainlink.client_of_another_name)
    assert.is_nil(chainlink.errors)
  end)

  it("lists all of them where Lua lets it", function()
    local listed = {}
    for name, value in getmetatable(chainlink).__pairs(chainlink) do listed[name] = value end
    for _, part in ipairs { "schemas", "signers", "replay", "bars", "twap", "guard", "source", "onchain" } do
      assert.equal(part, listed[part].part)
    end
    assert.equal(chainlink.decode, listed.decode)
  end)
end)
