-- SPDX-License-Identifier: MIT
-- The registry of report schemas, and feed ids.

local anew = require "spec.support.anew"
local chainlink = require "chainlink"
local sample = require "spec.support.sample"

describe("chainlink.schemas", function()
  it("has versions 1 to 14, in order", function()
    local count = 0
    for version, schema in ipairs(chainlink.schemas) do
      count = count + 1
      assert.are.equal(version, schema.version)
      assert.is_string(schema.name)
      assert.is_true(#schema.fields >= 7)
    end
    assert.are.equal(14, count)
  end)

  it("has them all from the start, for whoever walks through it", function()
    local fresh, restore = anew.load("chainlink.schemas", {})
    restore()
    for version, schema in pairs(fresh) do assert.are.equal(version, schema.version) end
    for version = 1, 14 do assert.is_table(rawget(fresh, version)) end
  end)

  it("says where somebody tried to change it", function()
    for _, member in ipairs { chainlink.schemas, chainlink.schemas[3], chainlink.schemas[3].fields } do
      local _, err = pcall(function() member[20] = 1 end)
      assert.matches("schemas_spec.lua:%d+: chainlink.schemas is read%-only$", err)
    end
  end)

  it("cannot be changed, nor its metatables had", function()
    assert.is_false(getmetatable(chainlink.schemas))
    assert.is_false(getmetatable(chainlink.schemas[3]))
    assert.is_false(getmetatable(chainlink.schemas[3].fields[1]))
    assert.has_error(function() chainlink.schemas[3].new = 1 end, "chainlink.schemas is read-only")
    assert.has_error(function() chainlink.schemas.new = 1 end, "chainlink.schemas is read-only")
  end)

  it("describes every field", function()
    for _, schema in ipairs(chainlink.schemas) do
      local seen = {}
      for _, field in ipairs(schema.fields) do
        assert.matches("^[%l_%d]+$", field.name)
        assert.matches("^%l[%a%d]*$", field.abi_name)
        assert.is_true(field.type == "bytes32" or field.type:find "^u?int%d+$" ~= nil, field.type)
        assert.is_true(field.decimals == 0 or field.decimals == 18)
        assert.is_string(field.meaning)
        assert.is_nil(seen[field.name])
        seen[field.name] = true
      end
      assert.are.equal("feed_id", schema.fields[1].name)
      if schema.price then assert.is_true(seen[schema.price]) end
    end
  end)

  it("is read-only and no part of decoding", function()
    assert.has_error(function() chainlink.schemas[15] = {} end)
    assert.has_error(function() chainlink.schemas[3].fields[20] = {} end)
  end)
end)

describe("chainlink.feed_version", function()
  it("is the lower twelve bits of the first two bytes", function()
    assert.are.equal(3, chainlink.feed_version(sample.feed_id(3)))
    assert.are.equal(13, chainlink.feed_version(sample.feed_id(13):upper():gsub("^0X", "0x")))
    assert.are.equal(3, chainlink.feed_version(sample.feed_id(0x1003)))
    assert.are.equal(0, chainlink.feed_version(sample.feed_id(0x1000)))
    assert.are.equal(4095, chainlink.feed_version("0x" .. ("f"):rep(64)))
  end)

  it("goes with the resolution in the four bits before", function()
    assert.are.equal("s", chainlink.feed_resolution(sample.feed_id(3)))
    assert.are.equal("s", chainlink.feed_resolution(sample.feed_id(0xfff)))
    assert.are.equal("ms", chainlink.feed_resolution(sample.feed_id(0x1003)))
    for resolution = 2, 15 do
      assert.is_nil(chainlink.feed_resolution(sample.feed_id(resolution * 0x1000 + 3)))
    end
    local ok, err = pcall(chainlink.feed_resolution, "0x1003")
    assert.is_false(ok)
    assert.are.equal("InvalidFeedIDError", err.kind)
  end)

  local good = sample.feed_id(3)
  local wrong = {
    { nil, "^feed_id must be a text of 0x and 64 hex digits, got nil$" },
    { 3, "^feed_id must be a text of 0x and 64 hex digits, got 3$" },
    { {}, "^feed_id must be a text of 0x and 64 hex digits, got a table$" },
    { "", "^feed_id: " }, { "0x", "^feed_id: " }, { good:sub(3), "^feed_id: " }, { good .. "0", "^feed_id: " },
    { good:sub(1, -2), "^feed_id: " }, { good:sub(1, -2) .. "g", "^feed_id: " }, { " " .. good, "^feed_id: " },
    { good:sub(1, -2) .. "\0", "^feed_id: " }, { good:sub(1, 40) .. "\r\n" .. good:sub(43), "^feed_id: " },
    { ("0x"):rep(500000), "^feed_id: " },
  }
  for i = 1, #wrong do
    it("raises for " .. tostring(wrong[i][1]):sub(1, 20):gsub("%c", "?") .. " (" .. i .. ")", function()
      local ok, err = pcall(chainlink.feed_version, wrong[i][1])
      assert.is_false(ok)
      assert.are.equal("InvalidFeedIDError", err.kind)
      assert.matches(wrong[i][2], err.message)
      assert.is_true(#err.message < 500)
      assert.is_nil(err.message:find "%c")
    end)
  end
end)
