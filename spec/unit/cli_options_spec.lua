-- SPDX-License-Identifier: MIT
-- How a command's arguments are read.

local options = require "chainlink.cli.options"

local rows = {
  { name = "count", value = "N", number = "whole" },
  { name = "port", value = "N", number = "whole", low = 0, high = 10 },
  { name = "speed", value = "N", number = true, low = -1.5, high = 2.5 },
  { name = "seconds", value = "S", number = true },
  { name = "kind", short = "k", value = "a|b", choices = { "a", "b" }, default = "a" },
  { name = "key", short = "K", value = "KEY", repeats = true }, { name = "quiet", short = "q" },
  { name = "rotate-bytes", value = "N" }, { name = "help" },
}

local function parse(...) return options.parse(rows, { ... }) end

-- The words of the usage error that these arguments lead to.
local function refusal(...)
  local ok, err = pcall(parse, ...)
  assert.is_false(ok)
  assert.is_true(options.is_usage_error(err))
  assert.equal(err.message, tostring(err))
  return err.message
end

describe("arguments", function()
  it("are options and the rest, in any order", function()
    local values, rest = parse("one", "--count", "3", "two", "--kind=b", "-q", "three")
    assert.same({ count = 3, kind = "b", quiet = true }, values)
    assert.same({ "one", "two", "three" }, rest)
    values, rest = parse()
    assert.same({ kind = "a" }, values)
    assert.same({}, rest)
  end)

  it("are no options behind two dashes, and a dash alone is none", function()
    local values, rest = parse("-", "--quiet", "--", "--count", "-q", "--")
    assert.same({ kind = "a", quiet = true }, values)
    assert.same({ "-", "--count", "-q", "--" }, rest)
  end)

  it("have short names, with the value behind a blank or none", function()
    assert.equal("b", parse("-k", "b").kind)
    assert.equal("b", parse("-kb").kind)
    assert.same({ "x", "=y" }, parse("-K", "x", "-K=y").key)
    assert.equal("there is no option -qx", refusal("-qx"))
    assert.equal("there is no option -x", refusal("-x"))
    assert.is_true(parse("-h").help)
  end)

  it("may have names with dashes, and values with anything", function()
    assert.equal("--count", parse("--rotate-bytes", "--count")["rotate-bytes"])
    assert.equal("a=b\nc", parse("--rotate-bytes=a=b\nc")["rotate-bytes"])
  end)

  it("may be given again where they repeat, else the last one counts", function()
    assert.same({ "a", "b" }, parse("--key", "a", "--key=b").key)
    assert.equal(2, parse("--count", "1", "--count", "2").count)
  end)

  it("are told as unknown, with what may be meant", function()
    assert.equal("there is no option --cuont: did you mean --count?", refusal("--cuont"))
    assert.equal("there is no option --cuont: did you mean --count?", refusal("--cuont=5"))
    assert.equal("there is no option --nothing-like-it", refusal("--nothing-like-it"))
  end)

  it("need a value, or take none", function()
    assert.equal("--kind needs a value: a|b", refusal("--kind"))
    assert.equal("--quiet takes no value", refusal("--quiet=1"))
    assert.equal("--key must not be empty", refusal("--key", ""))
    assert.equal("--key must not be empty", refusal("--key="))
    assert.equal("--kind must be a, b, not 'c'", refusal("--kind", "c"))
  end)

  it("are whole numbers above 0, or from one to another", function()
    assert.equal(1, parse("--count", "1").count)
    for _, wrong in ipairs { "0", "-1", "1.5", "x", "0x10", "1e3", "inf", "nan", "1.2.3" } do
      assert.equal("--count must be a whole number above 0, not '" .. wrong .. "'", refusal("--count", wrong))
    end
    assert.equal(0, parse("--port", "0").port)
    assert.equal(10, parse("--port", "10").port)
    for _, wrong in ipairs { "-1", "11", "0.5" } do
      assert.equal("--port must be a whole number from 0 to 10, not '" .. wrong .. "'", refusal("--port", wrong))
    end
  end)

  it("are numbers above 0, or from one to another", function()
    assert.equal(0.5, parse("--seconds", "0.5").seconds)
    assert.equal(2, parse("--seconds", "+2").seconds)
    for _, wrong in ipairs { "0", "-0.5", ("9"):rep(400) } do
      assert.equal("--seconds must be a number above 0, not '" .. wrong .. "'", refusal("--seconds", wrong))
    end
    assert.equal(-1.5, parse("--speed", "-1.5").speed)
    assert.equal(2.5, parse("--speed", "2.5").speed)
    for _, wrong in ipairs { "-1.6", "2.6" } do
      assert.equal("--speed must be a number from -1.5 to 2.5, not '" .. wrong .. "'", refusal("--speed", wrong))
    end
  end)
end)

describe("a time among the arguments", function()
  local function of(text)
    local ok, result = pcall(options.time, text, 1000)
    return ok and result or tostring(result)
  end

  it("is read, or told as none, with what is wrong", function()
    assert.equal(940, of "now-60")
    assert.matches("^'x' is no time: give Unix seconds, ", of "x")
    assert.matches("^'1700000000000' is no time, it looks like milliseconds: give Unix", of "1700000000000")
  end)
end)
