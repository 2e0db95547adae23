-- SPDX-License-Identifier: MIT
-- Error objects: kinds, text, place, and that values are described without giving secrets away.

local chainlink = require "chainlink"
local errors = require "chainlink.errors"
local project = require "spec.support.project"

local unpack = unpack or table.unpack -- luacheck: ignore 113 143

local function raised(f, ...)
  local ok, err = pcall(f, ...)
  assert.is_false(ok)
  return err
end

describe("an error", function()
  it("is a ChainlinkError and of its kind", function()
    local err = errors.new("DecodeError", "bad bytes", { offset = 3 })
    assert.is_true(err:is "ChainlinkError")
    assert.is_true(err:is "DecodeError")
    assert.is_false(err:is "APIError")
    assert.are.equal(3, err.offset)
    assert.is_false(err.retryable)
  end)

  it("of kind RateLimitError is an APIError too", function()
    local err = errors.new("RateLimitError", "slow down", { retry_after = 2, retryable = true })
    assert.is_true(err:is "APIError")
    assert.is_true(err:is "RateLimitError")
    assert.is_false(errors.new("APIError", "no"):is "RateLimitError")
  end)

  it("reads as kind and message, and joins with text", function()
    local err = errors.new("NetworkError", "no route")
    assert.are.equal("NetworkError: no route", tostring(err))
    assert.are.equal("failed: NetworkError: no route", "failed: " .. err)
    assert.are.equal("NetworkError: no route!", err .. "!")
  end)

  it("tells where a mistake was made in the script", function()
    local err = raised(function() chainlink.decode(1) end)
    assert.matches("errors_spec%.lua:%d+$", err.where)
    assert.are.equal(err.kind .. ": " .. err.message .. " (" .. err.where .. ")", tostring(err))
  end)

  it("tells the place though it is the first line", function()
    local folder, remove = project.folder()
    project.write(folder .. "/line.lua",
      'io.write(select(2, pcall(function() require "chainlink".decode(1) end)).where)\n')
    assert.matches("line.lua:1$", (project.run(("%s %s/line.lua"):format(project.lua, folder))))
    remove()
  end)

  it("tells the nearest place, however many calls lie between", function()
    local err, line = errors.new("APIError", "no"), debug.getinfo(1, "l").currentline
    local function throw()
      errors.throw(err)
    end
    pcall(throw)
    assert.matches(":" .. line + 2 .. "$", err.where)
    err.where = nil
    local calls = {}
    for i = 1, 40 do calls[i] = pcall end
    calls[41], calls[42] = errors.throw, err
    pcall(unpack(calls))
    assert.matches(":" .. line + 10 .. "$", err.where)
  end)

  it("is raised as it is, with its place once", function()
    local err = errors.new("APIError", "no", { where = "there" })
    assert.are.equal(err, raised(errors.throw, err))
    assert.are.equal("there", err.where)
    local made = raised(errors.raise, "ConfigError", "wrong", { name = "x" })
    assert.are.same({ "ConfigError", "wrong", "x" }, { made.kind, made.message, made.name })
  end)

  it("can be told from other values", function()
    assert.is_true(chainlink.is_error(errors.new("APIError", "x")))
    assert.is_true(chainlink.is_error(errors.new("APIError", "x"), "APIError"))
    assert.is_false(chainlink.is_error(errors.new("APIError", "x"), "DecodeError"))
    assert.is_false(chainlink.is_error { kind = "APIError", message = "x" })
    assert.is_false(chainlink.is_error "APIError")
    assert.is_false(chainlink.is_error(nil))
  end)

  it("made in C is the same kind of object", function()
    local report, err = chainlink.decode "0x"
    assert.is_nil(report)
    assert.is_true(chainlink.is_error(err, "DecodeError"))
    assert.matches("^DecodeError: ", tostring(err))
  end)
end)

describe("a wrong value", function()
  local cases = {
    { nil, "nil" }, { true, "true" }, { -1, "-1" }, { 0 / 0, "nan" }, { "abc", '"abc" (a string)' },
    { "a\n\"\\\0", [["a\010\034\092\000" (a string)]] }, { {}, "a table" }, { print, "a function" },
    { ("x"):rep(80), '"' .. ("x"):rep(80) .. '" (a string)' },
    { ("x"):rep(81), '"' .. ("x"):rep(77) .. '..." (a string)' },
    { ("x"):rep(100), '"' .. ("x"):rep(77) .. '..." (a string)' },
    { " ~\127\128", [[" ~\127\128" (a string)]] },
  }
  for i = 1, #cases do
    it("is described as " .. cases[i][2]:sub(1, 40), function()
      assert.are.equal(cases[i][2], errors.describe(cases[i][1]))
    end)
  end

  it("that is secret is described by its type only", function()
    assert.are.equal("a string", errors.describe("hush", true))
    assert.are.equal("a number", errors.describe(42, true))
    assert.are.equal("a boolean", errors.describe(true, true))
  end)
end)
